"""bin/bench invoices: the close of a month of a million legs, against one SQL aggregation over the same rows.

Reads: nothing; it makes a database with a month of calls for so many accounts.
Gives: seconds, by the clock and of processor time, invoices a second, peak memory, the ratio to the
    aggregation, growth from a tenth of the rows; the same with papers: of all, or of a sample, which tells
    what all would take at its pace.
Knows nothing of: what an invoice says.

The run that is measured is the product's own (store/billruns.py), in the batches and transactions of
`dialback invoice run`. The aggregation sums the charges in effect by account, which no run can do without.
"""

import argparse
import os
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

from bench.machine import machine_line
from bench.month import Month, make_month
from bench.processes import Process, children
from billing.particulars import Party
from staff.paperwork import write_all
from store import papers
from store.audit import Author
from store.billruns import ACCOUNTS_AT_ONCE, Terms, accounts_to_bill, close
from store.database import Database
from store.verify import verify

LEGS, ACCOUNTS, SAMPLE = 1_000_000, 10_000, 200
LEGS_PER_ACCOUNT = LEGS // ACCOUNTS
RATIO_MAX = 10.0
ROUNDS = 3
NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)
TERMS = Terms(
    seller=Party(name="Dialback Ltd", country="DE", tax_id="DE123456789"),
    pattern="INV-{year}-{n:06}",
    due_days=14,
)
AGGREGATION = """
SELECT s.account_id, count(*), sum(c.amount_units), sum(c.billed_seconds)
FROM settlements s
JOIN cdrs d ON d.callback_id = s.callback_id
JOIN charges c ON c.leg_id = d.leg_id
 AND c.revision = (SELECT max(later.revision) FROM charges later WHERE later.leg_id = d.leg_id)
WHERE s.ended_at >= {since} AND s.ended_at < {until}
GROUP BY s.account_id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """Seconds by the clock, and of processor time, which other work on the machine moves less."""

    seconds: float
    processor: float

    def __str__(self) -> str:
        """Return both."""
        return f"{self.seconds:.2f} s ({self.processor:.2f} s of processor time)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """One month as it stands in its file, and what each round over it took."""

    path: Path
    month: Month
    aggregations: list[Taken] = field(default_factory=list)
    closes: list[Taken] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """How many times the best aggregation the run takes, by the median of the rounds."""
        return self.seconds / min(taken.seconds for taken in self.aggregations)

    @property
    def seconds(self) -> float:
        """Of the run, by the clock, the median of the rounds."""
        return median(taken.seconds for taken in self.closes)


class Watch:
    """Runs from when it is made."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._processor = time.process_time()

    def taken(self) -> Taken:
        """Return what was taken since."""
        return Taken(
            seconds=time.monotonic() - self._started, processor=time.process_time() - self._processor
        )


def main(options: list[str]) -> int:
    """The command line."""
    given = _parser().parse_args(options)
    with tempfile.TemporaryDirectory(prefix="dialback-bench-") as folder:
        small = _made(Path(folder), given.legs // 10, given.accounts // 10)
        whole = _made(Path(folder), given.legs, given.accounts)
        closed = Path(folder) / "closed.db"
        for _ in range(ROUNDS):
            for size in (small, whole):
                _measure(size, closed)
        _tell(small, whole)
        if given.papers:
            _papers(closed, whole, given.papers)
    print(machine_line())
    if whole.ratio > RATIO_MAX:
        print(f"missed: the run takes {whole.ratio:.1f} times the aggregation, more than {RATIO_MAX:.0f}")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/bench invoices", description="Close a month.")
    parser.add_argument("--legs", type=int, default=LEGS, help=f"of the month [{LEGS}]")
    parser.add_argument("--accounts", type=int, default=ACCOUNTS, help=f"that called [{ACCOUNTS}]")
    parser.add_argument(
        "--papers",
        type=int,
        default=SAMPLE,
        metavar="N",
        help=f"so many papers too, all with the number of accounts; 0 for none [{SAMPLE}]",
    )
    return parser


def _made(folder: Path, legs: int, accounts: int) -> Size:
    path = folder / f"{legs}.db"
    database = Database(f"sqlite:///{path}")
    try:
        started = time.monotonic()
        month = make_month(database, legs=legs, accounts=accounts)
        print(f"{legs:,} legs of {accounts:,} accounts: made in {time.monotonic() - started:.1f} s")
        return Size(path=path, month=month)
    finally:
        database.close()


def _measure(size: Size, closed: Path) -> None:
    """One round, in a copy of the month: the sizes take turns, so that a busy machine is busy for both."""
    shutil.copyfile(size.path, closed)
    database = Database(f"sqlite:///{closed}")
    try:
        size.aggregations.append(_aggregated(database, size.month))
        size.closes.append(_closed(database, size.month))
    finally:
        database.close()


def _tell(small: Size, whole: Size) -> None:
    for size in (small, whole):
        best = min(size.aggregations, key=lambda each: each.seconds)
        print(f"{size.month.legs:,} legs of {size.month.accounts:,} accounts")
        print(f"  one SQL aggregation {best}, best of {len(size.aggregations)}")
        print(f"  books only {', '.join(map(str, size.closes))}")
        print(
            f"    by the median {size.month.accounts / size.seconds:,.0f} invoices a second,"
            f" {size.ratio:.1f} times the aggregation"
        )
    pairs = list(zip(small.closes, whole.closes, strict=True))
    print(
        f"growth for {whole.month.legs / small.month.legs:.0f} times the legs, each round by itself:"
        f" {_times(large.seconds / little.seconds for little, large in pairs)} the seconds,"
        f" {_times(large.processor / little.processor for little, large in pairs)} the processor time"
    )
    peak = Process(pid=os.getpid()).peak_bytes()
    print(f"memory: {peak / 10**6:.0f} MB at most, with the making of the month")


def _times(ratios: Iterable[float]) -> str:
    some = sorted(ratios)
    return f"{median(some):.1f} times ({some[0]:.1f} … {some[-1]:.1f})"


def _aggregated(database: Database, month: Month) -> Taken:
    statement = AGGREGATION.format(since=month.starts_at, until=month.ends_at)
    with database.engine.connect() as connection:
        watch = Watch()
        rows = connection.exec_driver_sql(statement).all()
        taken = watch.taken()
    assert sum(row[1] for row in rows) == month.legs
    return taken


def _closed(database: Database, month: Month) -> Taken:
    author = Author(at=NOW, name="bench")
    watch = Watch()
    ids = database.read("accounts", accounts_to_bill)
    issued = units = 0
    for start in range(0, len(ids), ACCOUNTS_AT_ONCE):
        some = ids[start : start + ACCOUNTS_AT_ONCE]
        found = database.call("close", close, some, month_of=(2026, 3), terms=TERMS, author=author)
        issued += len(found.heads)
        units += sum(int(head.totals.charges * 10_000) for head in found.heads)
    taken = watch.taken()
    assert issued == month.accounts, f"{issued} of {month.accounts} were issued"
    assert units == month.units, f"invoices say {units}, the calls come to {month.units}"
    return taken


def _papers(closed: Path, whole: Size, sample: int) -> None:
    month = whole.month
    database = Database(f"sqlite:///{closed}")
    try:
        numbers = database.read("papers", papers.unwritten)[:sample]
        peaks: dict[int, int] = {}
        watch = Watch()
        written = write_all(database, numbers, tick=lambda: _look_at_children(peaks))
        taken = watch.taken()
        assert not written.failed, written.failed
        forms = len(database.read("forms", papers.forms_of, numbers[0]))
        each = f"{written.count:,} invoices of {month.legs // month.accounts} legs, {forms} forms of each"
        pace = written.count / taken.seconds
        print(f"papers: {each}, in {taken.seconds:.1f} s, {pace:.2f} a second")
        if peaks:
            memory = ", ".join(f"{peak / 10**6:.0f}" for peak in peaks.values())
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            processor = (used.ru_utime + used.ru_stime) / written.count
            print(
                f"  by {len(peaks)} processes, {processor:.2f} s of processor time each, {memory} MB at most"
            )
        _print_whole(
            whole, taken.seconds * month.accounts / written.count, is_run=len(numbers) == month.accounts
        )
        watch = Watch()
        wrong = database.read("verify", verify)
        print(f"ledger verify: {len(wrong)} disagreements, {watch.taken()}")
        for sentence in wrong[:5]:
            print(f"  {sentence}")
    finally:
        database.close()


def _print_whole(whole: Size, papers_seconds: float, *, is_run: bool) -> None:
    together = whole.seconds + papers_seconds
    best = min(taken.seconds for taken in whole.aggregations)
    accounts = whole.month.accounts
    told = "run whole" if is_run else "reckoned at that pace, not run"
    pace, ratio = accounts / together, together / best
    print(
        f"books and papers of all {accounts:,}: {together:.0f} s, {pace:.2f} invoices a second,"
        f" {ratio:.0f} times the aggregation ({told})"
    )


def _look_at_children(peaks: dict[int, int]) -> None:
    for child in children():
        peaks[child.pid] = max(peaks.get(child.pid, 0), child.peak_bytes())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

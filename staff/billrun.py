"""`dialback invoice run`: a month is closed account by account, then its papers are written.

Reads: the settings, the month, which accounts; what the store says of each.
Gives: invoices with their papers, a bar on stderr, a summary; the exit code.
Knows nothing of: SQL, totals, processes.

It may be killed at any moment and run again: what is closed is closed, what is missing is written. A fault
with one account spares the others.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import TYPE_CHECKING

import rich_click as click

from staff import exits
from staff.confirmation import remark
from staff.desk import Desk, say
from staff.listing import amount, decimal_amount, show_rows

if TYPE_CHECKING:
    from store.billruns import Closing, Terms

MonthOf = tuple[int, int]
COLUMNS = ("number", "account", "currency", "charges", "items", "tax", "total", "due", "state")
HELD_SHOWN_MAX = 20


def terms_of(desk: Desk) -> Terms:
    """What the settings say about invoices."""
    from store.billruns import Terms

    settings = desk.settings
    return Terms(
        seller=settings.seller.party(),
        pattern=settings.invoices.number,
        due_days=settings.invoices.due_days,
    )


def run_month(
    desk: Desk,
    month: MonthOf,
    *,
    accounts: Sequence[str],
    dry_run: bool,
    papers: bool,
    processes: int | None,
    reason: str,
    output: str,
) -> int:
    """Close the month and write the papers; the exit code."""
    from store import billruns
    from store.accounts import account

    for name in accounts:
        desk.read("read account", account, name)  # a name that is nobody's would be passed over in silence
    ids = tuple(dict.fromkeys(accounts)) or desk.read("accounts to bill", billruns.accounts_to_bill)
    found, faults = _close(desk, month, ids, reason, dry_run=dry_run)
    failed = () if dry_run or not papers else _write(desk, month, processes)
    show_rows(_rows(found, dry_run=dry_run), COLUMNS, output, none="No new invoice.")
    remark(desk, {head.account_id for head in found.heads})
    told = [f"Not closed, by a fault: {each}" for each in faults]
    told += [f"Paper not written: {each}" for each in failed]
    _summary(found, told, len(faults), dry_run=dry_run)
    if faults or failed:
        return exits.ERROR
    return exits.TEMPORARY if found.held else exits.OK


def _close(
    desk: Desk, month: MonthOf, ids: Sequence[str], reason: str, *, dry_run: bool
) -> tuple[Closing, Sequence[str]]:
    """Close them, so many at once; and a sentence for each account that a fault kept open."""
    from store import billruns

    terms = terms_of(desk)
    parts: list[Closing] = []
    faults: list[str] = []

    def close(some: Sequence[str]) -> Closing:
        if dry_run:
            now = desk.now()
            return desk.read("survey month", billruns.survey, some, month_of=month, now=now, terms=terms)
        return desk.change(
            "close month", billruns.close, some, month_of=month, terms=terms, author=desk.author(reason)
        )

    with _bar(len(ids), "Closing") as tick:
        for start in range(0, len(ids), billruns.ACCOUNTS_AT_ONCE):
            some = ids[start : start + billruns.ACCOUNTS_AT_ONCE]
            parts += _spared(close, some, faults, debug=desk.debug)
            tick(len(some))
    whole = billruns.Closing(
        heads=tuple(head for part in parts for head in part.heads),
        already=tuple(name for part in parts for name in part.already),
        held=tuple(held for part in parts for held in part.held),
        idle=tuple(name for part in parts for name in part.idle),
    )
    return whole, faults


def _spared(
    close: Callable[[Sequence[str]], Closing], some: Sequence[str], faults: list[str], *, debug: bool
) -> Iterator[Closing]:
    """Those accounts closed together; after a fault in halves, down to the one that `faults` then names."""
    from store.errors import StoreUnavailable

    try:
        yield close(some)
    except (StoreUnavailable, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - one bad account spares the others, and is named
        if len(some) > 1:
            middle = len(some) // 2
            yield from _spared(close, some[:middle], faults, debug=debug)
            yield from _spared(close, some[middle:], faults, debug=debug)
            return
        if debug:
            traceback.print_exc()
        faults.append(f"{some[0]}: {type(error).__name__}: {' '.join(str(error).split())}")


def _write(desk: Desk, month: MonthOf, processes: int | None) -> tuple[str, ...]:
    from staff.paperwork import write_all
    from store import papers

    numbers = desk.read("papers to write", papers.unwritten, first_day=date(*month, 1))
    with _bar(len(numbers), "Writing papers") as tick:
        return write_all(desk.database, numbers, processes=processes, tick=lambda: tick(1)).failed


@contextmanager
def _bar(length: int, told: str) -> Iterator[Callable[[int], None]]:
    """A bar on stderr where a person looks at it; silence in a pipe."""
    if not sys.stderr.isatty() or not length:
        yield lambda _: None
        return
    with click.progressbar(length=length, label=told, file=sys.stderr) as bar:
        yield bar.update


def _rows(found: Closing, *, dry_run: bool) -> list[dict[str, object]]:
    return [
        {
            "number": head.number,
            "account": head.account_id,
            "currency": head.currency,
            "charges": decimal_amount(head.totals.charges, head.currency),
            "items": decimal_amount(head.totals.items, head.currency),
            "tax": decimal_amount(head.totals.tax, head.currency),
            "total": decimal_amount(head.totals.total, head.currency),
            "due": decimal_amount(head.totals.amount_due, head.currency),
            "state": "would be issued" if dry_run else "issued",
        }
        for head in found.heads
    ]


def _summary(found: Closing, wrong: Sequence[str], faults: int, *, dry_run: bool) -> None:
    for held in found.held[:HELD_SHOWN_MAX]:
        say(f"Held: {held.account_id}: {held.reason}")
    if len(found.held) > HELD_SHOWN_MAX:
        say(f"Held: {len(found.held) - HELD_SHOWN_MAX} more accounts")
    for sentence in wrong:
        say(sentence)
    sums: dict[str, int] = {}
    for head in found.heads:
        sums[head.currency] = sums.get(head.currency, 0) + int(head.totals.total * 10_000)
    totals = ", ".join(f"{currency} {amount(units, currency)}" for currency, units in sorted(sums.items()))
    verb = "would be issued" if dry_run else "issued"
    told = [f"{len(found.heads)} {verb}" + (f" ({totals})" if totals else "")]
    told.append(f"{len(found.already)} issued before")
    if found.held:
        told.append(f"{len(found.held)} held")
    if faults:
        told.append(f"{faults} not closed by a fault")
    if found.idle:
        told.append(f"{len(found.idle)} with nothing to say")
    say("; ".join(told) + ".")

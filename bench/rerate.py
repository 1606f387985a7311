"""bin/bench rerate: callbacks priced anew and written down, by our path and by an ORM loop with its queries.

Reads: nothing; it makes a database with a month of calls, then a deck in which every price is another.
Gives: legs a second of both, as ratios of interleaved rounds; the dry run; exit code 1 where sums differ.
Knows nothing of: how re-rating works; it compares.

Ours is what `dialback rerate --apply` does, in its chunks and transactions. The loop writes the same rows:
reversal, new entry, postings, balances, a charge for each leg; without a reason in words. Both commit after
as many callbacks, with synchronous=FULL, each in a copy of the database of its own.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random

from bench.machine import machine_line
from bench.month import CLERK, LEGS_A_CALLBACK, LONG_AGO, PERIOD, make_month
from bench.ormloop import rerate_by_orm
from rating.rate import Rate
from staff.rerate import DONE_AT_ONCE, SHOWN_AT_ONCE
from store import rerated
from store.database import Connection, Database
from store.decks import add_version
from store.rerating import Chunk, Repricing
from store.reratingrows import Mark, Wish
from store.verify import verify

PREFIXES = 10_000
WISH = Wish(since=PERIOD.starts_at, until=PERIOD.ends_at)
REFERENCE = "bench"
NEW_CHARGES = "SELECT count(*), coalesce(sum(amount_units), 0) FROM charges WHERE revision = 1"


@dataclass(frozen=True, slots=True)
class Taken:
    """What some legs took, and what they came to."""

    legs: int
    cpu: float
    wall: float
    units: int

    @property
    def pace(self) -> float:
        """Return legs a second of processor time."""
        return self.legs / self.cpu


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench rerate", description=__doc__.splitlines()[0])
    parser.add_argument("--legs", type=int, default=10_000, help="default %(default)s")
    parser.add_argument("--accounts", type=int, default=200, help="default %(default)s")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved (default %(default)s)")
    asked = parser.parse_args(arguments)
    found: dict[str, list[Taken]] = {"ours": [], "ORM loop": [], "dry run": []}
    with tempfile.TemporaryDirectory(prefix="dialback-rerate-") as name:
        made = Path(name) / "made.db"
        _make(made, asked.legs, asked.accounts)
        for _ in range(asked.rounds):
            for side, work in (("ours", _ours), ("ORM loop", _orm), ("dry run", _dry)):
                copy = Path(name) / "copy.db"
                shutil.copy(made, copy)
                found[side].append(_taken(copy, work))
                copy.unlink()
    _show(found, asked.legs)
    return int(len({each.units for side in ("ours", "ORM loop") for each in found[side]}) > 1)


def _make(path: Path, legs: int, accounts: int) -> None:
    database = Database(f"sqlite:///{path}")
    make_month(database, legs=legs, accounts=accounts)
    chance = Random(3)
    prefixes = {"44", "1"}
    while len(prefixes) < PREFIXES:
        prefixes.add(
            f"1{chance.randrange(200, 1000)}{chance.randrange(1000):03d}"[: chance.choice((4, 6, 7))]
        )
    rows = [
        Rate(
            id="", prefix=prefix, destination=f"Zone {prefix[:4]}",
            per_minute=Decimal(chance.randrange(50, 9_000)).scaleb(-4), valid_from=LONG_AGO, currency="EUR",
        )
        for prefix in sorted(prefixes)
    ]  # fmt: skip
    database.call(
        "deck", add_version, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK
    )
    database.close()


def _taken(path: Path, work: Callable[[Database], int]) -> Taken:
    database = Database(f"sqlite:///{path}")
    cpu, wall = time.process_time(), time.perf_counter()
    legs = work(database)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    written, units = database.read("sums", _sums)
    assert written in {0, legs}
    wrong = list(database.read("verify", verify)) if written else []
    database.close()
    assert not wrong, wrong[:3]
    return Taken(legs, cpu, wall, units)


def _ours(database: Database) -> int:
    repricing = database.read("begin", Repricing, WISH)
    database.call("begin", rerated.begin, WISH, reference=REFERENCE, author=CLERK)
    step = partial(rerated.rerate_chunk, reference=REFERENCE, author=CLERK)
    return _legs(lambda after: database.call("re-rate", step, repricing, after, DONE_AT_ONCE))


def _dry(database: Database) -> int:
    repricing = database.read("begin", Repricing, WISH)
    return _legs(lambda after: database.read("price anew", repricing.chunk, after, SHOWN_AT_ONCE))


def _orm(database: Database) -> int:
    database.call("begin", rerated.begin, WISH, reference=REFERENCE, author=CLERK)
    return rerate_by_orm(database.engine, REFERENCE, CLERK.at, at_once=DONE_AT_ONCE)


def _legs(chunk_behind: Callable[[Mark | None], Chunk]) -> int:
    legs, after = 0, None
    while (chunk := chunk_behind(after)).rows.sessions:
        assert not chunk.passed
        legs += len(chunk.repriced) * LEGS_A_CALLBACK
        after = chunk.rows.last
    return legs


def _sums(connection: Connection) -> tuple[int, int]:
    legs, units = connection.exec_driver_sql(NEW_CHARGES).one()
    return legs, units


def _show(found: dict[str, list[Taken]], legs: int) -> None:
    out = sys.stdout.write
    out(f"{machine_line()}\n{datetime.now(UTC):%Y-%m-%d}: {legs:,} legs, {LEGS_A_CALLBACK} a callback\n\n")
    for side, rounds in found.items():
        paces = sorted(each.pace for each in rounds)
        wall = statistics.median(each.legs / each.wall for each in rounds)
        out(
            f"  {side:<10}{statistics.median(paces):>9,.0f} ({paces[0]:,.0f} … {paces[-1]:,.0f})"
            f" legs a second of processor; {wall:,.0f} by the clock\n"
        )
    for side in ("ours", "dry run"):
        ratios = sorted(
            one.pace / other.pace for one, other in zip(found[side], found["ORM loop"], strict=True)
        )
        out(f"  {side} ÷ ORM loop: {statistics.median(ratios):.1f} ({ratios[0]:.1f} … {ratios[-1]:.1f})\n")
    out(f"  all come to {found['ours'][0].units:,} units\n")

"""Rating: one price in decks of three sizes, legs in bulk against SQL and floats, import of a large deck.

Reads: the command line.
Gives: tables of medians over interleaved rounds, with least and most; exit code 1 if engines disagree.
Knows nothing of: how rating works; it compares.

`bin/bench rating`. Processor time of this one process is measured, so other work on the machine disturbs
little; figures of one run may be compared with each other, not with another run's.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from bench import ratingload
from bench.machine import machine_line
from bench.ratingimport import import_deck
from bench.ratingsides import Float, Ours, Side, Sqlite
from calls.cdr import LegRole
from rating.deck import Deck, NoRate
from rating.price import price_leg
from rating.raterow import row_of
from rating.ratetable import RateTable
from values.e164 import E164

PASS = 20_000
"""One price at a time: so many in a round, in each deck."""
SIZES = (10_000, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The middle of some figures, the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, figures: Sequence[float]) -> "Spread":
        """Return the spread of the figures of all rounds."""
        return cls(median=statistics.median(figures), least=min(figures), most=max(figures))

    def told(self, digits: int = 2) -> str:
        """Return `median (least … most)`."""
        return f"{self.median:,.{digits}f} ({self.least:,.{digits}f} … {self.most:,.{digits}f})"


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench rating", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="interleaved rounds (default %(default)s)")
    parser.add_argument("--legs", type=int, default=1_000_000, help="legs in bulk (default %(default)s)")
    parser.add_argument(
        "--prefixes", type=int, default=50_000, help="of the deck in bulk (default %(default)s)"
    )
    parser.add_argument("--import-rows", type=int, default=1_000_000, help="0 leaves it out")
    parser.add_argument("--only", choices=["one", "bulk", "import"], help="one of the three parts")
    asked = parser.parse_args(arguments)
    wrong = 0
    if asked.only in {None, "one"}:
        _one_price(asked.rounds)
    if asked.only in {None, "bulk"}:
        wrong = _bulk(asked.rounds, asked.prefixes, asked.legs)
    if asked.only in {None, "import"} and asked.import_rows:
        with tempfile.TemporaryDirectory(prefix="dialback-bench-") as folder:
            sys.stdout.write(f"\n{import_deck(Path(folder), asked.import_rows)}\n")
    sys.stdout.write(f"\n{machine_line()}\n")
    return wrong


def _one_price(rounds: int) -> None:
    """Look up and price numbers one by one, in decks of three sizes by turns."""
    decks = {}
    for size in SIZES:
        rows = ratingload.rates(size)
        table = RateTable(enumerate(map(row_of, rows), start=1), version_id="bench:1", currency="USD")
        deck = Deck(id="bench:1", name="bench", version=1, currency="USD", rates=table)
        numbers, seconds = ratingload.calls(rows, PASS)
        decks[size] = (deck, [E164(number) for number in numbers], seconds)
    found: dict[int, list[float]] = {size: [] for size in SIZES}
    look_ups: dict[int, list[float]] = {size: [] for size in SIZES}
    for _ in range(rounds):
        for size, (deck, numbers_, seconds) in decks.items():
            look_ups[size].append(_timed(partial(_find, deck, numbers_)) / PASS * 1e6)
            found[size].append(_timed(partial(_price, deck, numbers_, seconds)) / PASS * 1e6)
    sys.stdout.write(
        f"one price at a time, {rounds} interleaved rounds of {PASS:,}, microseconds of processor\n\n"
    )
    sys.stdout.write(f"{'prefixes':>12}  {'look-up':>24}  {'look-up and price':>26}\n")
    for size in SIZES:
        sys.stdout.write(
            f"{size:>12,}  {Spread.of(look_ups[size]).told():>24}  {Spread.of(found[size]).told():>26}\n"
        )
    for name, figures in (("look-up", look_ups), ("look-up and price", found)):
        ratios = [most / least for least, most in zip(figures[SIZES[0]], figures[SIZES[-1]], strict=True)]
        sys.stdout.write(f"  {name}, {SIZES[-1]:,} ÷ {SIZES[0]:,} prefixes: {Spread.of(ratios).told()}\n")


def _find(deck: Deck, numbers: Sequence[E164]) -> None:
    for number in numbers:
        deck.find(number, ratingload.NOW)


def _price(deck: Deck, numbers: Sequence[E164], seconds: Sequence[int]) -> None:
    for number, talked in zip(numbers, seconds, strict=True):
        rate = deck.find(number, ratingload.NOW)
        assert not isinstance(rate, NoRate)
        price_leg(rate=rate, plan=ratingload.PLAN, talk_seconds=talked, role=LegRole.B)


def _bulk(rounds: int, prefixes: int, legs: int) -> int:
    """Price the same legs by every engine by turns; 1 if an exact one comes to another sum."""
    rows = ratingload.rates(prefixes)
    numbers, seconds = ratingload.calls(rows, legs)
    talks = np.array(seconds, dtype=np.int64)
    with tempfile.TemporaryDirectory(prefix="dialback-bench-") as folder:
        sides: list[Side] = [
            Ours(rows, numbers, talks),
            Sqlite(rows, numbers, talks, Path(folder)),
            Float(rows, numbers, talks, is_look_up=True),
            Float(rows, numbers, talks, is_look_up=False),
        ]
        sums = [side.run() for side in sides]  # the first pass warms caches and is not counted
        figures: list[list[float]] = [[] for _ in sides]
        for _ in range(rounds):
            for side, taken in zip(sides, figures, strict=True):
                taken.append(legs / _timed(side.run) / 1e6)
        for side in sides:
            side.close()
    built = Ours.built_seconds(rows)
    sys.stdout.write(
        f"\n{legs:,} legs, {prefixes:,} prefixes, {rounds} interleaved rounds, million legs a second\n\n"
    )
    for side, taken, total in zip(sides, figures, sums, strict=True):
        sys.stdout.write(f"  {side.name:<58}{Spread.of(taken).told(2):>24}   {total}\n")
    for side, taken in zip(sides[1:], figures[1:], strict=True):
        ratios = [ours / theirs for ours, theirs in zip(figures[0], taken, strict=True)]
        sys.stdout.write(f"  ours ÷ {side.name}: {Spread.of(ratios).told()}\n")
    sys.stdout.write(f"  making our table of these rows: {built:.2f} s\n")
    pairs = zip(sides, sums, strict=True)
    apart = [side.name for side, total in pairs if not total.is_near(sums[0], is_exact=side.is_exact)]
    if apart:
        sys.stdout.write(f"  these come to another sum: {', '.join(apart)}\n")
        return 1
    return 0


def _timed(work: Callable[[], object]) -> float:
    """Return the seconds of processor that it took."""
    started = time.process_time()
    work()
    return time.process_time() - started

"""The engines that price the same legs: ours, a set query in SQLite, and numpy with floats.

Reads: rows of a deck, numbers, seconds.
Gives: Sides, each of which prices all legs and gives the Sum.
Knows nothing of: rounds, tables, clocks.

SQL and floats are helped as far as it goes: they get integers for numbers, and prefixes flattened into
ranges that do not overlap, so that one index look-up finds the longest. What they need not do is dates,
bands, blocked rows, packages and surcharges; ours looks at them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from bench import ratingload
from calls.cdr import LegRole
from rating.bulk import BulkDeck, BulkTerms, number_column, plain_legs
from rating.price import leg_terms
from rating.rate import Rate
from store.database import Connection, Database
from values.instants import micros

ROWS_AT_ONCE = 50_000
NEAR = 10.0**-9
"""By so much a sum of floats may differ from the exact one, in proportion."""
DIVISOR = 600_000


@dataclass(frozen=True, slots=True)
class Sum:
    """What all legs come to: billed seconds, and 10^-4 of the currency's unit."""

    billed_seconds: int
    amount_units: int | float

    def is_near(self, other: "Sum", *, is_exact: bool) -> bool:
        """Whether both are the same, or as near as floats come."""
        apart = 0.0 if is_exact else NEAR
        return self.billed_seconds == other.billed_seconds and (
            abs(self.amount_units - other.amount_units) <= apart * other.amount_units
        )

    def __str__(self) -> str:
        return f"{self.billed_seconds:,} s, {self.amount_units:,.4f}".removesuffix(".0000")


class Side(Protocol):
    """One engine, its tables made and warm."""

    name: str
    is_exact: bool

    def run(self) -> Sum:
        """Price every leg."""

    def close(self) -> None:
        """Let go of everything."""


class Ours:
    """rating/bulk.py."""

    name = "Dialback, exact whole numbers"
    is_exact = True

    def __init__(self, rows: Sequence[Rate], numbers: Sequence[str], talks: np.ndarray) -> None:
        """Make the table."""
        self._terms = BulkTerms(BulkDeck(rows), ratingload.PLAN)
        count = len(numbers)
        at = np.full(count, micros(ratingload.NOW), dtype=np.int64)
        self._legs = plain_legs(number_column(numbers), at, talks, np.zeros(count, dtype=np.bool_))

    @staticmethod
    def built_seconds(rows: Sequence[Rate]) -> float:
        """How long the table takes to be made."""
        started = time.process_time()
        BulkDeck(rows)
        return time.process_time() - started

    def run(self) -> Sum:
        """Price every leg."""
        prices = self._terms.price(self._legs)
        assert not prices.findings.any()
        return Sum(int(prices.billed_seconds.sum()), int(prices.amount_units.sum()))

    def close(self) -> None:
        """Nothing is open."""


class Sqlite:
    """One set query: the range of each number by an index, and the same sum in whole numbers."""

    name = "SQLite, one set query on flattened ranges"
    is_exact = True
    QUERY = """
        SELECT sum(billed), sum(CASE WHEN billed = 0 THEN 0 ELSE
            (2 * (60 * fee + billed * rate) + 600000) / 1200000 END)
        FROM (SELECT r.fee, r.rate, CASE WHEN c.talk = 0 THEN 0 ELSE
                r.first + (max(c.talk - r.first, 0) + r.following - 1) / r.following * r.following
                END AS billed
              FROM calls c JOIN ranges r ON r.low = (SELECT max(low) FROM ranges WHERE low <= c.number))
    """

    def __init__(self, rows: Sequence[Rate], numbers: Sequence[str], talks: np.ndarray, folder: Path) -> None:
        """Fill a file; its pages are in memory after the first pass."""
        self._database = Database(f"sqlite:///{folder / 'rating.db'}")
        lows, places = flattened(rows)
        terms = terms_of(rows)
        ranges = [
            (low, *terms[place])
            for low, place in zip(lows.tolist(), places.tolist(), strict=True)
            if place >= 0
        ]
        keys = number_column(numbers).keys.tolist()
        self._database.call("fill", _fill, ranges, list(zip(keys, talks.tolist(), strict=True)))

    def run(self) -> Sum:
        """Price every leg."""

        def ask(connection: Connection) -> Sum:
            billed, amount = connection.exec_driver_sql(self.QUERY).one()
            return Sum(billed, amount)

        return self._database.read("price", ask)

    def close(self) -> None:
        """Close the file."""
        self._database.close()


class Float:
    """What numpy does in floats; without the look-up it is the bare arithmetic."""

    is_exact = False

    def __init__(
        self, rows: Sequence[Rate], numbers: Sequence[str], talks: np.ndarray, *, is_look_up: bool
    ) -> None:
        """Make arrays of floats."""
        self.name = (
            "numpy in floats, searchsorted on flattened ranges"
            if is_look_up
            else "numpy in floats, rows known already"
        )
        self._lows, self._places = flattened(rows)
        self._keys = number_column(numbers).keys
        self._talks = talks.astype(np.float64)
        self._rates, self._first, self._following, self._fee = (
            np.array(column, dtype=np.float64) for column in zip(*terms_of(rows), strict=True)
        )
        self._known = None if is_look_up else self._look_up()

    def run(self) -> Sum:
        """Price every leg."""
        rows = self._look_up() if self._known is None else self._known
        first, following = self._first[rows], self._following[rows]
        billed = first + np.ceil(np.maximum(self._talks - first, 0) / following) * following
        exact = (60 * self._fee[rows] + billed * self._rates[rows]) / DIVISOR
        return Sum(int(billed.sum()), float(np.floor(exact + 0.5).sum()))

    def close(self) -> None:
        """Nothing is open."""

    def _look_up(self) -> np.ndarray:
        return self._places[np.searchsorted(self._lows, self._keys, side="right") - 1]


def flattened(rows: Sequence[Rate]) -> tuple[np.ndarray, np.ndarray]:
    """Return where ranges of numbers begin, and the row of each; -1 where there is none."""
    column = number_column([row.prefix for row in rows])
    spans = sorted(
        (key, -width, place)
        for place, (key, width) in enumerate(
            zip(column.keys.tolist(), (10 ** (15 - column.lengths)).tolist(), strict=True)
        )
    )
    lows, places, inside = [0], [-1], [(10**15, -1)]
    for key, negative, place in spans:
        while inside[-1][0] <= key:
            end, _ = inside.pop()
            lows.append(end)
            places.append(inside[-1][1])
        lows.append(key)
        places.append(place)
        inside.append((key - negative, place))
    while len(inside) > 1:
        end, _ = inside.pop()
        lows.append(end)
        places.append(inside[-1][1])
    starts, found = np.array(lows), np.array(places)
    is_last = np.append(starts[1:] != starts[:-1], True)  # of those that begin together the last one counts
    return starts[is_last], found[is_last]


def terms_of(rows: Sequence[Rate]) -> list[tuple[int, int, int, int]]:
    """Return rate, first and next increment, and fee of each row."""
    found = [leg_terms(rate=row, plan=ratingload.PLAN, role=LegRole.B) for row in rows]
    return [(terms.rate, terms.first, terms.following, terms.fee) for terms in found]


def _fill(
    connection: Connection, ranges: Sequence[tuple[int, ...]], calls: Sequence[tuple[int, int]]
) -> None:
    connection.exec_driver_sql(
        "CREATE TABLE ranges "
        "(low INTEGER PRIMARY KEY, rate INTEGER, first INTEGER, following INTEGER, fee INTEGER)"
    )
    connection.exec_driver_sql("CREATE TABLE calls (number INTEGER, talk INTEGER)")
    for start in range(0, len(ranges), ROWS_AT_ONCE):
        connection.exec_driver_sql(
            "INSERT INTO ranges VALUES (?, ?, ?, ?, ?)", list(ranges[start : start + ROWS_AT_ONCE])
        )
    for start in range(0, len(calls), ROWS_AT_ONCE):
        connection.exec_driver_sql(
            "INSERT INTO calls VALUES (?, ?)", list(calls[start : start + ROWS_AT_ONCE])
        )

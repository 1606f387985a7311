"""A million rates in little memory, found by the longest prefix as fast as among ten.

Reads: RateRows, sorted by prefix and start (rating/raterow.py).
Gives: RateTable, a sequence of Rates, each made when it is asked for.
Knows nothing of: dates, bands, which of a prefix's rows wins (rating/deck.py).

Prefixes are sorted as text, and each knows the longest prefix that it begins with. One bisection finds the
last prefix that sorts before the number; the prefixes of the number are that one's forebears, so the rest is
a walk of a few steps. Columns are arrays, and what repeats itself (names, increments, fees, dates …) is kept
once: some 50 bytes a row, and nothing for the garbage collector to look through.
"""

import json
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

from rating.prefixes import PREFIX_DIGITS_MAX
from rating.rate import Rate
from rating.raterow import RateRow, rate_of

_SHIFT = 16
"""A prefix is kept as its digits filled up to 15, times 16, plus its length: it sorts as its text does."""
_NONE = 2**32 - 1
KNOWN_MAX = 50_000
"""So many terms are recognised again. A dictionary of a million grows in one step of 60 ms, and every other
thread waits."""
FORGOTTEN_AT_ONCE = 1_000
PACKED_AT_ONCE = 1_000
"""Terms in one part of a packed table: to read it takes about a millisecond."""
_LENGTH_BYTES = 8
MADE_MAX = 10_000
"""So many rates are kept as they were made: most calls go to few destinations."""


class RateTable(Sequence[Rate]):
    """Rates in the order of their prefixes and starts. Immutable once it is made."""

    def __init__(self, rows: Iterable[tuple[int, RateRow]], *, version_id: str, currency: str) -> None:
        """Keep sorted rows with their numbers: a rate is called `version_id` and the number.

        ValueError if they are not sorted.
        """
        self._version_id = version_id
        self._currency = currency
        self._keys = array("q")
        self._parents = array("I")
        self._starts = array("I")
        self._numbers = array("I")
        self._per_minute = array("q")
        self._valid_from = array("q")
        self._terms_of = array("I")
        self._terms: list[tuple[Any, ...]] = []
        self._made: dict[int, Rate] = {}
        self._fill(rows)

    def __del__(self) -> None:
        """Forget the terms some at a time: a million at once would keep every other thread waiting."""
        while self._terms:
            del self._terms[-FORGOTTEN_AT_ONCE:]

    def __len__(self) -> int:
        """Return how many rates there are."""
        return len(self._per_minute)

    @overload
    def __getitem__(self, index: int) -> Rate: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Rate, ...]: ...
    def __getitem__(self, index: int | slice) -> Rate | tuple[Rate, ...]:
        """Make the rate at that place."""
        if isinstance(index, slice):
            return tuple(self[at] for at in range(*index.indices(len(self))))
        at = index if index >= 0 else len(self) + index
        if not 0 <= at < len(self):
            raise IndexError(index)
        return self._rate(self._prefix(bisect_right(self._starts, at) - 1), at)

    def __iter__(self) -> Iterator[Rate]:
        """Make one rate after the other."""
        for at, row in enumerate(self.rows()):
            yield rate_of(row, rate_id=f"{self._version_id}:{self._numbers[at]}", currency=self._currency)

    def packed(self) -> Iterator[bytes]:
        """Yield all of it as bytes, for unpacked() in another process of the same machine."""
        for column in self._columns():
            yield from _part(column.tobytes())
        for at in range(0, len(self._terms), PACKED_AT_ONCE):
            yield from _part(json.dumps(self._terms[at : at + PACKED_AT_ONCE]).encode())
        yield from _part(b"")

    @classmethod
    def unpacked(cls, read: Callable[[int], bytes], *, version_id: str, currency: str) -> "RateTable":
        """Make a table of what packed() gave, in short steps; ValueError if its end is missing.

        `read` gives so many of its bytes, and fewer at the end only.
        """
        table = cls((), version_id=version_id, currency=currency)
        for column in table._columns():
            del column[:]
            column.frombytes(_next_part(read))
        while part := _next_part(read):
            table._terms += [_terms_of(values) for values in json.loads(part)]
        return table

    def numbered(self, number: int) -> Rate | None:
        """Return the rate of that row number if the table is in their order, None if it is to be searched."""
        at = number - 1
        return self[at] if 0 <= at < len(self) and self._numbers[at] == number else None

    def prefixes(self) -> Iterator[str]:
        """Yield each prefix once, as text sorts."""
        return (self._prefix(which) for which in range(len(self._keys)))

    def rows(self) -> Iterator[RateRow]:
        """Yield all rows in their order."""
        starts = self._starts
        for which in range(len(self._keys)):
            prefix = self._prefix(which)
            for at in range(starts[which], starts[which + 1]):
                yield self._row(prefix, at)

    def matches(self, digits: str) -> Iterator[Iterator[Rate]]:
        """Yield the rates of each prefix of `digits`, longest prefix first; the latest start first."""
        for prefix, first, last in self._spans(digits):
            order: Iterable[int] = range(last - 1, first - 1, -1)
            if last - first > 1:
                order = sorted(order, key=lambda at: bool(self._terms[self._terms_of[at]][0]), reverse=True)
            yield (self._rate(prefix, at) for at in order)

    def rows_for(self, digits: str) -> Iterator[list[RateRow]]:
        """Yield the rows of each prefix of `digits`, the longest prefix first."""
        for prefix, first, last in self._spans(digits):
            yield [self._row(prefix, at) for at in range(first, last)]

    def _columns(self) -> "tuple[array[int], ...]":
        prefixes = (self._keys, self._parents, self._starts)
        return (*prefixes, self._numbers, self._per_minute, self._valid_from, self._terms_of)

    def _spans(self, digits: str) -> Iterator[tuple[str, int, int]]:
        keys, starts = self._keys, self._starts
        at = bisect_right(keys, _key(digits)) - 1
        while at >= 0 and at != _NONE:
            prefix = self._prefix(at)
            if digits.startswith(prefix):
                yield prefix, starts[at], starts[at + 1]
            at = self._parents[at]

    def _fill(self, rows: Iterable[tuple[int, RateRow]]) -> None:
        known: dict[tuple[Any, ...], int] = {}
        before: tuple[str, int] = ("", 0)
        forebears: list[tuple[str, int]] = []
        for at, (number, row) in enumerate(rows):
            prefix = row.prefix
            if (prefix, row.valid_from) < before:
                raise ValueError(f"row {number}: {prefix!r} does not sort after {before[0]!r}")
            if prefix != before[0]:
                if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS_MAX):
                    digits = f"1 to {PREFIX_DIGITS_MAX} ASCII digits"
                    raise ValueError(f"row {number}: prefix {prefix!r} is not {digits}")
                while forebears and not prefix.startswith(forebears[-1][0]):
                    forebears.pop()
                self._parents.append(forebears[-1][1] if forebears else _NONE)
                forebears.append((prefix, len(self._keys)))
                self._keys.append(_key(prefix))
                self._starts.append(at)
            before = (prefix, row.valid_from)
            self._numbers.append(number)
            self._per_minute.append(row.per_minute)
            self._valid_from.append(row.valid_from)
            terms = (row.band, row.valid_till, row.destination, *row[6:])
            which = known.get(terms)
            if which is None:
                if len(known) >= KNOWN_MAX:
                    known.clear()
                which = known[terms] = len(self._terms)
                self._terms.append(terms)
            self._terms_of.append(which)
        self._starts.append(len(self._per_minute))

    def _prefix(self, at: int) -> str:
        filled, length = divmod(self._keys[at], _SHIFT)
        return f"{filled:0{PREFIX_DIGITS_MAX}d}"[:length]

    def _rate(self, prefix: str, at: int) -> Rate:
        made = self._made.get(at)
        if made is None:
            rate_id = f"{self._version_id}:{self._numbers[at]}"
            made = rate_of(self._row(prefix, at), rate_id=rate_id, currency=self._currency)
            if len(self._made) >= MADE_MAX:
                self._made.clear()
            self._made[at] = made
        return made

    def _row(self, prefix: str, at: int) -> RateRow:
        band, valid_till, destination, *rest = self._terms[self._terms_of[at]]
        return RateRow(
            prefix, band, self._valid_from[at], valid_till, destination, self._per_minute[at], *rest
        )


def _key(digits: str) -> int:
    return int(digits.ljust(PREFIX_DIGITS_MAX, "0")) * _SHIFT + len(digits)


def _part(content: bytes) -> tuple[bytes, bytes]:
    return len(content).to_bytes(_LENGTH_BYTES, "little"), content


def _next_part(read: Callable[[int], bytes]) -> bytes:
    length = read(_LENGTH_BYTES)
    content = read(int.from_bytes(length, "little"))
    if len(length) < _LENGTH_BYTES or len(content) < int.from_bytes(length, "little"):
        raise ValueError("the packed table has no end")
    return content


def _terms_of(values: list[Any]) -> tuple[Any, ...]:
    """JSON knows lists only."""
    return tuple(tuple(value) if isinstance(value, list) else value for value in values)

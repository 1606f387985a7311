"""A sheet's rows in the order of their prefixes, however many they are.

Reads: SheetLines as they come.
Gives: NumberedRows by prefix, start and band, as often as they are asked for.
Knows nothing of: the database of the switch.

So many rows at a time are sorted in memory and put on disk; all those runs are merged once. The memory that
is used does not grow with the sheet.
"""

from collections.abc import Iterator
from heapq import merge
from itertools import groupby
from operator import itemgetter
from typing import Any

from rating.cells import Status
from rating.deckmerge import NumberedRow
from rating.raterow import UNDATED, RateRow
from rating.sheetrow import SheetLine
from store.spool import Spool

ROWS_IN_A_RUN = 50_000
"""Some 20 MB of memory."""
_STATUSES = {status.value: status for status in Status}
_PREFIX, _BAND = itemgetter(0), itemgetter(2)


class Sorter:
    """Add, then read; close it at the end."""

    def __init__(self) -> None:
        """Nothing is on disk yet."""
        # Prefix, start, band, and a number of its own so that no more is ever compared; then all the rest.
        self._waiting: list[tuple[Any, ...]] = []
        self._runs: list[Spool] = []
        self._sorted: Spool | None = None
        self.rows = 0

    def close(self) -> None:
        """Delete it all."""
        for spool in (*self._runs, *filter(None, [self._sorted])):
            spool.close()
        self._runs, self._sorted = [], None

    def add(self, line: SheetLine) -> None:
        """Take the rows of one line of the sheet."""
        for row in line.rates:
            self.rows += 1
            key = (row.prefix, row.valid_from, row.band, self.rows)
            self._waiting.append((*key, line.row, line.status.value, *row[3:]))
        if len(self._waiting) >= ROWS_IN_A_RUN:
            self._end_run()

    def sorted(self, undated_start: int = UNDATED) -> Iterator[NumberedRow]:
        """Yield the rows in their order; those that have no start begin at `undated_start`."""
        for row in self._merged():
            yield _numbered(row, undated_start)

    def repeated(self) -> Iterator[NumberedRow]:
        """Yield the rows whose prefix and band occur more than once, by those."""
        for _, of_prefix in groupby(self._merged(), key=_PREFIX):
            rows = list(of_prefix)
            if len(rows) > 1:
                rows.sort(key=_BAND)  # those of a band stay in their order
                for _, of_band in groupby(rows, key=_BAND):
                    same = list(of_band)
                    if len(same) > 1:
                        yield from map(_numbered, same)

    def _merged(self) -> Spool:
        if self._sorted is None:
            self._end_run()
            self._sorted = Spool()
            for row in merge(*self._runs):
                self._sorted.put(row)
            for run in self._runs:
                run.close()
            self._runs = []
        return self._sorted

    def _end_run(self) -> None:
        self._waiting.sort()
        run = Spool()
        for row in self._waiting:
            run.put(row)
        self._runs.append(run)
        self._waiting = []


def _numbered(row: tuple[Any, ...], undated_start: int = UNDATED) -> NumberedRow:
    prefix, start, band, _, number, status, *rest = row
    if start == UNDATED:
        start = undated_start
    return NumberedRow(number, RateRow._make((prefix, band, start, *rest)), _STATUSES[status])

"""A sheet's rows in the order of their prefixes, however many they are.

Reads: SheetLines as they come.
Gives: NumberedRows by prefix and start, as often as they are asked for.
Knows nothing of: the database of the switch.

SQLite sorts them in a database of its own, a file without a name in the system's folder for temporary files,
which is gone when it is closed: the memory that is used does not grow with the sheet.
"""

import sqlite3
from collections.abc import Iterator

from rating.cells import Status
from rating.deckmerge import NumberedRow
from rating.raterow import RateRow
from rating.sheetrow import SheetLine

ROWS_AT_ONCE = 5_000
CACHE_KILOBYTES = 32_000

_TABLE = """CREATE TABLE sheet (
    number INTEGER, status TEXT, prefix TEXT, band TEXT, valid_from INTEGER, valid_till INTEGER,
    destination TEXT, per_minute INTEGER, next_per_minute INTEGER, connect_fee INTEGER,
    first_s INTEGER, next_s INTEGER, blocked INTEGER,
    same_country INTEGER, eea INTEGER, non_eea INTEGER, invalid INTEGER,
    attempt_fee INTEGER, digits_min INTEGER, digits_max INTEGER)"""
_INSERT = f"INSERT INTO sheet VALUES ({', '.join('?' * 20)})"  # noqa: S608 - only question marks
_SORTED = "SELECT * FROM sheet ORDER BY prefix, valid_from, band, number"


_REPEATED = """SELECT * FROM sheet WHERE (prefix, band) IN
    (SELECT prefix, band FROM sheet GROUP BY prefix, band HAVING count(*) > 1)
    ORDER BY prefix, band, valid_from, number"""
_NO_SURCHARGES = (None, None, None, None)
_STATUSES = {str(status): status for status in Status}


class Sorter:
    """Add, then read; close it at the end."""

    def __init__(self) -> None:
        """Make the nameless database."""
        self._connection = sqlite3.connect("", isolation_level=None)
        for order in (
            f"PRAGMA cache_size=-{CACHE_KILOBYTES}",
            "PRAGMA journal_mode=OFF",
            "PRAGMA synchronous=OFF",
        ):
            self._connection.execute(order)
        self._connection.execute(_TABLE)
        self._connection.execute("BEGIN")
        self._waiting: list[tuple[object, ...]] = []
        self.rows = 0

    def close(self) -> None:
        """Delete it all."""
        self._connection.close()

    def add(self, line: SheetLine) -> None:
        """Take the rows of one line of the sheet."""
        for row in line.rates:
            surcharges = row.surcharges or (None, None, None, None)
            self._waiting.append((line.row, str(line.status), *row[:11], *surcharges, *row[12:]))
        self.rows += len(line.rates)
        if len(self._waiting) >= ROWS_AT_ONCE:
            self._flush()

    def sorted(self) -> Iterator[NumberedRow]:
        """Yield the rows by prefix and start."""
        return self._rows(_SORTED)

    def repeated(self) -> Iterator[NumberedRow]:
        """Yield the rows whose prefix and band occur more than once, by those."""
        return self._rows(_REPEATED)

    def _rows(self, order: str) -> Iterator[NumberedRow]:
        self._flush()
        for number, status, *plain in self._connection.execute(order):
            plain[10] = plain[10] == 1
            surcharges = tuple(plain[11:15])
            plain[11:15] = [() if surcharges == _NO_SURCHARGES else surcharges]
            yield NumberedRow(number, RateRow._make(plain), _STATUSES[status])

    def _flush(self) -> None:
        self._connection.executemany(_INSERT, self._waiting)
        self._waiting.clear()

"""Read a rate deck from CSV text, whole or not at all.

Reads: lines of text with Dialback's own header, comma-separated, the order of columns free:
    prefix,destination,rate_per_min,first_increment,next_increment,connect_fee,effective_date,end_date,status,currency
    of which prefix, destination and rate_per_min are required.
Gives: DeckRows: the rates, or every error found, each with row number, column and remedy.
Knows nothing of: files, databases, which deck is in force.

A bad row does not stop the others from being checked, but where there is an error there are no rates: nothing
can be half applied. An empty cell means what the absent column means.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from operator import attrgetter

from rating.plan import INCREMENT_SECONDS_MAX
from rating.prefixes import PREFIX_DIGITS_MAX
from rating.rate import Rate
from values.money import RATE_SCALE, AmountRefused, currency_code, decimal_number

COLUMNS = (
    "prefix",
    "destination",
    "rate_per_min",
    "first_increment",
    "next_increment",
    "connect_fee",
    "effective_date",
    "end_date",
    "status",
    "currency",
)
REQUIRED = COLUMNS[:3]
LINE_CHARACTERS_MAX = 4000
"""A row is some hundred characters; a line without end must not fill the memory with one cell."""
DESTINATION_CHARACTERS_MAX = 100
ERRORS_MAX = 1000
"""After so many errors the file is surely of another kind; reading on only costs time."""

_PREFIX = re.compile(rf"[0-9]{{1,{PREFIX_DIGITS_MAX}}}")
_WHOLE = re.compile(r"[0-9]{1,4}")
_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
)
_STATUSES = {"": False, "open": False, "blocked": True, "closed": True}
_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """One cell, or one row, that cannot be used. Rows count from 1, the header is row 1."""

    row: int
    column: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Return the sentence for the person who sent the file."""
        return f"row {self.row}, column {self.column}: {self.problem}: {self.remedy}"


class DeckRefused(ValueError):
    """The deck has errors, so nothing of it is used."""

    def __init__(self, errors: tuple["RowError", ...]) -> None:
        """Show the first errors; all are in `errors`."""
        shown = "; ".join(str(error) for error in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        super().__init__(f"{shown}{more}")
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckRows:
    """What a file holds: rates if it is sound, else errors and no rate."""

    rates: tuple[Rate, ...]
    errors: tuple[RowError, ...]
    rows_read: int

    def accepted(self) -> tuple[Rate, ...]:
        """Return the rates, or raise DeckRefused with every error."""
        if self.errors:
            raise DeckRefused(self.errors)
        return self.rates


def read_deck(lines: Iterable[str], *, currency: str, effective_at: datetime) -> DeckRows:
    """Return the rows of a deck in `currency`; rows without an effective date start at `effective_at`.

    A row's id is its prefix and its start, unique within the deck. Dates are ISO (2026-03-01, or with a time
    and zone); without a zone they are UTC.
    """
    if effective_at.tzinfo is None:
        raise ValueError("effective_at: give an aware time; without a zone it may be another day")
    reading = _Reading(currency=currency_code(currency), effective_at=effective_at.astimezone(UTC))
    reading.read(lines)
    reading.check_overlaps()
    rates = () if reading.errors else tuple(rate for _, rate in reading.rows)
    return DeckRows(rates=rates, errors=tuple(reading.errors), rows_read=reading.rows_read)


@dataclass(slots=True, kw_only=True)
class _Reading:
    """One pass over one file."""

    currency: str
    effective_at: datetime
    columns: tuple[str, ...] = ()
    rows: list[tuple[int, Rate]] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    rows_read: int = 0

    def read(self, lines: Iterable[str]) -> None:
        for number, cells in self._cells(lines):
            if not self.columns:
                self._header(number, cells)
                if not self.columns:
                    return
                continue
            self.rows_read += 1
            self._row(number, cells)
        if not self.columns and not self.errors:
            self._error(1, "header", "the file is empty", f"start it with the columns {', '.join(REQUIRED)}")
        elif not self.rows and not self.errors:
            self._error(
                2,
                "prefix",
                "the deck has no row",
                "write at least one; an empty deck closes every destination",
            )

    def check_overlaps(self) -> None:
        """Find rows of one prefix that start together, or whose written end lies after the next start."""
        by_prefix: defaultdict[str, list[tuple[int, Rate]]] = defaultdict(list)
        for row in self.rows:
            by_prefix[row[1].prefix].append(row)
        for same in by_prefix.values():
            ordered = sorted(same, key=lambda row: row[1].valid_from)
            for earlier, later in pairwise(ordered):
                self._check_pair(earlier, later)
        self.errors.sort(key=attrgetter("row"))

    def _check_pair(self, earlier: tuple[int, Rate], later: tuple[int, Rate]) -> None:
        first_row, first = earlier
        row, rate = later
        if first.valid_from == rate.valid_from:
            problem = f"prefix {rate.prefix} starts at the same time in row {first_row}"
            self._error(
                row, "prefix", problem, "keep one of the two rows, or give them different effective dates"
            )
        elif first.valid_till is not None and first.valid_till > rate.valid_from:
            problem = f"prefix {rate.prefix} overlaps row {first_row}, which ends later"
            self._error(
                row,
                "effective_date",
                problem,
                "end the earlier row where this one starts, or leave its end empty",
            )

    def _cells(self, lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
        for number, line in enumerate(lines, start=1):
            if len(self.errors) >= ERRORS_MAX:
                self._error(
                    number,
                    "row",
                    f"{ERRORS_MAX} errors",
                    "mend these first; the rest of the file is not read",
                )
                return
            text = (line.removeprefix("\ufeff") if number == 1 else line).rstrip("\r\n")
            if not text.strip(" ,\t"):
                continue
            if len(text) > LINE_CHARACTERS_MAX:
                self._error(
                    number, "row", f"longer than {LINE_CHARACTERS_MAX} characters", "write one row on a line"
                )
                continue
            if "\r" in text or "\0" in text:
                self._error(number, "row", "a control character", "remove it; end lines with LF or CR LF")
                continue
            try:
                yield number, [cell.strip(" ") for cell in next(csv.reader([text], strict=True))]
            except csv.Error as error:
                self._error(
                    number,
                    "row",
                    f"not CSV ({error})",
                    "double the quotes inside a quoted cell and close it on its line",
                )

    def _header(self, number: int, cells: list[str]) -> None:
        names = tuple(cell.lower() for cell in cells)
        for name in names:
            if name not in COLUMNS:
                self._error(
                    number, name[:40] or "header", "an unknown column", f"use only {', '.join(COLUMNS)}"
                )
            elif names.count(name) > 1:
                self._error(number, name, "the column occurs twice", "keep one of them")
        for name in REQUIRED:
            if name not in names:
                self._error(
                    number, name, "the column is missing", f"add it; {', '.join(REQUIRED)} are required"
                )
        if not self.errors:
            self.columns = names

    def _row(self, number: int, cells: list[str]) -> None:
        if len(cells) != len(self.columns):
            problem = f"{len(cells)} cells where the header has {len(self.columns)}"
            self._error(number, "row", problem, "give each column one cell; quote a cell that holds a comma")
            return
        row = _Row(number=number, cells=dict(zip(self.columns, cells, strict=True)))
        rate = row.rate(self.currency, self.effective_at)
        self.errors += row.errors
        if not row.errors:
            self.rows.append((number, rate))

    def _error(self, row: int, column: str, problem: str, remedy: str) -> None:
        self.errors.append(RowError(row=row, column=column, problem=problem, remedy=remedy))


@dataclass(slots=True, kw_only=True)
class _Row:
    """One row: each cell is parsed once, and a refused one leaves an error and a stand-in."""

    number: int
    cells: dict[str, str]
    errors: list[RowError] = field(default_factory=list)

    def rate(self, currency: str, effective_at: datetime) -> Rate:
        """Return the Rate; it means nothing if there are errors."""
        blocked = self._blocked()
        per_minute = self._price("rate_per_min")
        if not self._text("rate_per_min") and not blocked:
            self._refuse(
                "rate_per_min", "no rate", "write the price of a minute, such as 0.0850, or block the row"
            )
        valid_from = self._instant("effective_date") or effective_at
        valid_till = self._instant("end_date")
        if valid_till is not None and valid_till <= valid_from:
            self._refuse(
                "end_date", "not after the start", "write a later date; the end itself no longer counts"
            )
        if self._text("currency") not in ("", currency):
            self._refuse(
                "currency", f"{self._text('currency')[:10]!r} in a deck of {currency}", f"write {currency}"
            )
        prefix = self._prefix()
        return Rate(
            id=f"{prefix}@{valid_from:%Y-%m-%dT%H:%M:%SZ}",
            prefix=prefix,
            destination=self._destination(),
            per_minute=per_minute or Decimal(0),
            connect_fee=self._price("connect_fee"),
            first_increment_s=self._increment("first_increment"),
            next_increment_s=self._increment("next_increment"),
            valid_from=valid_from,
            valid_till=valid_till,
            blocked=blocked,
            currency=currency,
        )

    def _text(self, column: str) -> str:
        return self.cells.get(column, "")

    def _prefix(self) -> str:
        text = self._text("prefix").removeprefix("+").replace(" ", "")
        first, dash, last = text.partition("-")
        if dash and len(first) == len(last) and first < last:
            # 1-809 is one prefix, 447-448 are two: read as one it would price numbers that nobody has.
            self._refuse("prefix", f"{text[:30]!r} looks like a range", "write one row for each prefix")
        digits = text.replace("-", "")
        if not _PREFIX.fullmatch(digits):
            remedy = f"write 1 to {PREFIX_DIGITS_MAX} ASCII digits with the country code first, such as 4420"
            self._refuse("prefix", f"{self._text('prefix')[:30]!r} is not a prefix", remedy)
        return digits

    def _destination(self) -> str:
        text = self._text("destination")
        if not text:
            self._refuse("destination", "no name", "write the name that is printed on invoices")
        elif len(text) > DESTINATION_CHARACTERS_MAX:
            self._refuse("destination", "too long", f"write at most {DESTINATION_CHARACTERS_MAX} characters")
        elif _HIDDEN.search(text):
            self._refuse("destination", "a control character", "write printable text")
        return text

    def _price(self, column: str) -> Decimal | None:
        text = self._text(column)
        if not text:
            return None
        try:
            return decimal_number(text, places=RATE_SCALE, field=column)
        except AmountRefused as refused:
            self._refuse(column, f"{text[:30]!r} is not a price", refused.remedy)
            return None

    def _increment(self, column: str) -> int | None:
        text = self._text(column)
        if not text:
            return None
        if _WHOLE.fullmatch(text) and 1 <= int(text) <= INCREMENT_SECONDS_MAX:
            return int(text)
        remedy = f"write whole seconds from 1 to {INCREMENT_SECONDS_MAX}"
        self._refuse(column, f"{text[:30]!r} is no increment", remedy)
        return None

    def _instant(self, column: str) -> datetime | None:
        text = self._text(column)
        if not text:
            return None
        try:
            if _DATE.fullmatch(text):
                instant = datetime.fromisoformat(text)
                return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass  # 2026-02-30 and year 0000 have the form, but are no dates
        remedy = (
            "write an ISO date such as 2026-03-01, or 2026-03-01T00:00:00Z; DD/MM and MM/DD are never guessed"
        )
        self._refuse(column, f"{text[:30]!r} is not a date", remedy)
        return None

    def _blocked(self) -> bool:
        text = self._text("status").lower()
        if text not in _STATUSES:
            self._refuse("status", f"{text[:30]!r} is not a status", "write open, blocked or closed")
        return _STATUSES.get(text, False)

    def _refuse(self, column: str, problem: str, remedy: str) -> None:
        self.errors.append(RowError(row=self.number, column=column, problem=problem, remedy=remedy))

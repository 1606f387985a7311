"""Read a file of calls, a part at a time, so that a file of any size can be priced.

Reads: lines of CSV text: Dialback's own columns under a header, or Asterisk's Master.csv, which has none.
Gives: CallParts: the lines as they stand, the legs among them as columns, and what is wrong with the others.
Knows nothing of: files, decks, prices.

Own columns, in any order, more allowed: number, talk_seconds, and if wanted leg (A, B, B2 …; B where absent),
answered_at, and caller_id: what the leg showed, for surcharges; empty where it was withheld. A line that
cannot be read keeps its place; empty ones are left out. Each line is one row: a cell holds no line end.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import islice

import numpy as np

from rating.bulk import ORIGINS, TALK_SECONDS_MAX, BulkLegs, number_column, plain_legs
from rating.countries import country_code
from rating.origin import origin_class
from values.e164 import E164, NumberRefused, normalise
from values.instants import micros

NUMBER, SECONDS, LEG, ANSWERED, CALLER_ID = "number", "talk_seconds", "leg", "answered_at", "caller_id"
# The order in which Asterisk's cdr_csv.c writes Master.csv; the last two are there if cdr.conf asks for them.
MASTER_CSV = (
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "uniqueid",
    "userfield",
)
MASTER_CSV_LEAST = 16
DELIMITERS = {",": "','", ";": "';'", "\t": "tab", "|": "'|'"}
"""Those that spreadsheets write, and how they are said."""
ADDED = ("prefix", "destination", "rate_per_minute", "billed_seconds", "amount", "currency", "reason")
"""What a priced line says besides; no column of the file may be called so."""
LINE_CHARACTERS_MAX = 20_000
"""A call is some hundred characters; a line without end must not fill the memory."""
NUMBERS_KEPT = 10_000

_INTERNATIONAL = re.compile(r"\+?([1-9][0-9]{6,14})")
_SECONDS = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,6}))?")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}"
    r"(?:\.(?:[0-9]{3}){1,2})?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
_NOT_UTF8 = re.compile("[\udc80-\udcff]")  # how Python keeps bytes that it could not decode
_LEG = re.compile(r"A|B[0-9]{0,3}", re.IGNORECASE)


class CallFileRefused(ValueError):
    """This is no file of calls that can be priced: what is wrong with its header, and the remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallError:
    """One cell that cannot be used. Rows count from 1, a header is row 1."""

    row: int
    column: str
    problem: str

    def __str__(self) -> str:
        """Return the sentence for the person who sent the file."""
        return f"row {self.row}, column {self.column}: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallPart:
    """Some lines of the file, all of them in `cells`.

    `digits` are the legs' numbers, `places` says which of the lines each leg is; `errors` and `unanswered`
    say it of the others.
    """

    columns: tuple[str, ...]
    cells: Sequence[Sequence[str]]
    legs: BulkLegs
    digits: Sequence[str]
    places: Sequence[int]
    errors: dict[int, CallError]
    unanswered: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFormat:
    """How a file is to be read. `at` prices every call as if it were made then; None at its own time."""

    is_asterisk: bool = False
    delimiter: str = ","
    zone: tzinfo = UTC
    home_country: str | None = None
    at: datetime | None = None


def read_calls(lines: Iterable[str], form: CallFormat, *, lines_at_once: int) -> Iterator[CallPart]:
    """Yield the file's lines in parts, at least one; CallFileRefused where the header is not understood."""
    numbered = ((number, line) for number, line in enumerate(lines, start=1) if not line.isspace())
    reading = _Reading(form, MASTER_CSV) if form.is_asterisk else _with_header(numbered, form)
    yield reading.part(list(islice(numbered, lines_at_once)))
    while some := list(islice(numbered, lines_at_once)):
        yield reading.part(some)


def _with_header(numbered: Iterator[tuple[int, str]], form: CallFormat) -> "_Reading":
    row, line = next(numbered, (1, ""))
    first = line.removeprefix("\ufeff")
    try:
        names = _names(first, form.delimiter)
    except _Wrong as wrong:
        raise CallFileRefused(f"row {row}: the header is {wrong.problem}") from None
    # First of all: what lacks these is likely a file of another kind.
    for name in (NUMBER, SECONDS) if form.at else (NUMBER, SECONDS, ANSWERED):
        if name not in names:
            raise CallFileRefused(f"row {row}, column {name}: it is missing: {_remedy(first, names, form)}")
    for name in names:
        if names.count(name) > 1:
            raise CallFileRefused(
                f"row {row}, column {name or 'without name'}: it occurs twice: keep one of them"
            )
        if name in ADDED:
            raise CallFileRefused(f"row {row}, column {name}: it would be added: give it another name")
    return _Reading(form, names)


def _names(line: str, delimiter: str) -> tuple[str, ...]:
    return tuple(cell.strip().lower() for cell in _split(line, delimiter))


def _remedy(line: str, names: tuple[str, ...], form: CallFormat) -> str:
    """Return what to do about a first line that is not the header which is wanted."""
    if len(names) >= MASTER_CSV_LEAST and _SECONDS.fullmatch(names[MASTER_CSV.index("billsec")]):
        return "this looks like Asterisk's Master.csv, which has no header: say --format asterisk"
    for delimiter, told in DELIMITERS.items():
        if delimiter != form.delimiter and NUMBER in line.strip().lower().split(delimiter):
            return f"its cells seem to be separated otherwise: say --delimiter {told}"
    return (
        f"the header is {LEG},{NUMBER},{ANSWERED},{SECONDS}, and more if you like; {ANSWERED} may be absent"
        f" if you say --at, {LEG} if all are B-legs"
    )


class _Reading:
    """One pass over one file."""

    def __init__(self, form: CallFormat, columns: tuple[str, ...]) -> None:
        self._form = form
        self._columns = columns
        wanted = ("dst", "billsec", "", "answer") if form.is_asterisk else (NUMBER, SECONDS, LEG, ANSWERED)
        self._number, self._seconds, self._leg, self._answered = (
            columns.index(name) if name in columns else -1 for name in wanted
        )
        # A Master.csv has a caller, but not what was shown of it to the destination.
        self._caller_id = columns.index(CALLER_ID) if CALLER_ID in columns else -1
        self._least = MASTER_CSV_LEAST if form.is_asterisk else len(columns)
        self._at = None if form.at is None else micros(form.at)
        self._digits = lru_cache(NUMBERS_KEPT)(_normaliser(form.home_country))
        self._origin = lru_cache(NUMBERS_KEPT)(self._origin_of)

    def part(self, some: Sequence[tuple[int, str]]) -> CallPart:
        columns, reading = self._columns, _Part()
        for place, (number, line) in enumerate(some):
            try:
                cells = self._cells(line)
                reading.cells.append(cells)
                if len(cells) > len(columns) or len(cells) < self._least:
                    raise _Wrong("row", f"{len(cells)} cells where {len(columns)} are due")
                self._leg_of(cells, place, reading)
            except _Wrong as wrong:
                if len(reading.cells) == place:
                    reading.cells.append([])
                reading.errors[place] = CallError(row=number, column=wrong.column, problem=wrong.problem)
        legs = plain_legs(
            numbers=number_column(reading.digits),
            at=np.array(reading.at, dtype=np.int64),
            talk_seconds=np.array(reading.seconds, dtype=np.int64),
            is_a=np.array(reading.is_a, dtype=np.bool_),
        )
        if self._caller_id >= 0:
            shown = (reading.cells[place][self._caller_id].strip() for place in reading.places)
            legs.origins[:] = [self._origin(*each) for each in zip(shown, reading.digits, strict=True)]
        return CallPart(
            columns=columns,
            cells=[_fitted(cells, len(columns)) for cells in reading.cells],
            legs=legs,
            digits=reading.digits,
            places=reading.places,
            errors=reading.errors,
            unanswered=frozenset(reading.unanswered),
        )

    def _cells(self, line: str) -> list[str]:
        if len(line) > LINE_CHARACTERS_MAX:
            raise _Wrong("row", f"longer than {LINE_CHARACTERS_MAX} characters")
        if not line.isascii() and _NOT_UTF8.search(line):
            raise _Wrong("row", "not UTF-8: save the file as UTF-8")
        return _split(line, self._form.delimiter)

    def _leg_of(self, cells: Sequence[str], place: int, reading: "_Part") -> None:
        name = self._columns
        is_a = self._leg >= 0 and _is_a(cells[self._leg].strip(), name[self._leg])
        seconds = _talk_seconds(cells[self._seconds].strip(), name[self._seconds])
        answered = cells[self._answered].strip() if self._at is None else ""
        if self._at is None and not answered:
            if seconds:
                raise _Wrong(
                    name[self._answered], f"empty, and it talked {seconds} s: write when it was answered"
                )
            reading.unanswered.append(place)
            return
        at = self._at if self._at is not None else self._instant(answered)
        digits = self._digits(cells[self._number].strip())
        if isinstance(digits, _Wrong):
            raise _Wrong(name[self._number], digits.problem)
        reading.add(place, digits, at, seconds, is_a=is_a)

    def _origin_of(self, shown: str, dialled: str) -> int:
        """Return the place in ORIGINS of a caller ID; what is no number counts as the network counts it."""
        digits = self._digits(shown)
        caller_id = shown if isinstance(digits, _Wrong) else E164(digits)
        return ORIGINS.index(origin_class(caller_id, E164(dialled)))

    def _instant(self, text: str) -> int:
        if _INSTANT.fullmatch(text):
            try:
                instant = datetime.fromisoformat(text)
                return micros(instant if instant.tzinfo else instant.replace(tzinfo=self._form.zone))
            except (ValueError, OverflowError):
                pass  # 2026-02-30 has the form, but is no day
        problem = f"{text[:40]!r} is no time: write 2026-03-01T08:15:00Z, or with an offset instead of Z"
        raise _Wrong(self._columns[self._answered], problem)


@dataclass(slots=True)
class _Part:
    cells: list[list[str]] = field(default_factory=list)
    digits: list[str] = field(default_factory=list)
    at: list[int] = field(default_factory=list)
    seconds: list[int] = field(default_factory=list)
    is_a: list[bool] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    errors: dict[int, CallError] = field(default_factory=dict)
    unanswered: list[int] = field(default_factory=list)

    def add(self, place: int, digits: str, at: int, seconds: int, *, is_a: bool) -> None:
        self.places.append(place)
        self.digits.append(digits)
        self.at.append(at)
        self.seconds.append(seconds)
        self.is_a.append(is_a)


class _Wrong(Exception):
    """A cell that cannot be used."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.column = column
        self.problem = problem


def _split(line: str, delimiter: str) -> list[str]:
    text = line.rstrip("\r\n")
    if '"' not in text and "\r" not in text and "\0" not in text:
        return text.split(delimiter)
    try:
        return next(csv.reader([text], delimiter=delimiter, strict=True))
    except (csv.Error, StopIteration) as error:
        raise _Wrong("row", f"not CSV ({error}): close each quote on its line") from None


def _fitted(cells: list[str], count: int) -> list[str]:
    return cells if len(cells) == count else (cells + [""] * count)[:count]


def _is_a(text: str, column: str) -> bool:
    if text and not _LEG.fullmatch(text):
        raise _Wrong(column, f"{text[:20]!r} is no leg: write A or B")
    return text[:1] in {"A", "a"}


def _talk_seconds(text: str, column: str) -> int:
    """Return whole seconds; a part of a second counts as one, as it does on the switch."""
    found = _SECONDS.fullmatch(text)
    seconds = int(found[1]) + bool((found[2] or "").strip("0")) if found else TALK_SECONDS_MAX + 1
    if seconds > TALK_SECONDS_MAX:
        raise _Wrong(column, f"{text[:20]!r} are no seconds: write a number from 0 to {TALK_SECONDS_MAX}")
    return seconds


def _normaliser(home_country: str | None) -> Callable[[str], str | _Wrong]:
    """Return how numbers are read: digits alone are international unless a home country is given."""

    def digits_of(text: str) -> str | _Wrong:
        found = _INTERNATIONAL.fullmatch(text)
        if found and (home_country is None or text.startswith("+")):
            return _without_trunk_zero(found[1])
        try:
            return normalise(text, home_country=home_country).digits
        except NumberRefused as refused:
            return _Wrong("", f"{text[:40]!r} is no number: {refused.remedy}")

    return digits_of


def _without_trunk_zero(digits: str) -> str:
    """Return international digits as a call to them is priced: +44 (0)20 is +44 20; Italy keeps its zeros."""
    code = country_code(digits)
    if digits[len(code) : len(code) + 1] != "0":
        return digits
    try:
        return normalise(f"+{digits}", home_country=None).digits
    except NumberRefused:
        return digits  # nobody could dial it here, but another switch has billed it

"""A carrier's call records read from CSV: which column is what is told by a mapping.

Reads: lines of text; a Mapping of its columns, the zone its times are in.
Gives: the answered calls, how many rows were no answered call, and what is wrong with each bad row.
Knows nothing of: our own records, files on a disk.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from billing.reconcile import CallSeen
from values.money import AmountRefused, decimal_number

FIELDS = ("number", "time", "seconds", "cost")
USUAL: Mapping[str, tuple[str, ...]] = {
    "number": ("number", "called_number", "destination_number", "dst", "callee", "b_number", "called"),
    "time": (
        "answered_at",
        "answer_time",
        "start_time",
        "started_at",
        "time",
        "date",
        "calldate",
        "datetime",
    ),
    "seconds": ("billed_seconds", "billsec", "duration", "seconds", "talk_seconds", "duration_seconds"),
    "cost": ("cost", "amount", "charge", "price", "total"),
}
"""How carriers usually name the columns; the first that the file has is taken where the mapping is silent."""
ERRORS_MAX = 100
COST_PLACES = 8
_CLOCK = re.compile(r"([0-9]+):([0-5]?[0-9])(?::([0-5]?[0-9]))?")
_FORMS = ("%d.%m.%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S")
"""Besides ISO 8601, what cannot be read in two ways."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How to read the file.

    `columns`: field → the file's own heading. `strip`: a technical prefix before the number. `shift`: what is
    added to the carrier's times where its clock is known to be off. `time_form`: strptime's, where times are
    not ISO 8601.
    """

    columns: Mapping[str, str]
    zone: str = "UTC"
    strip: str = ""
    shift: timedelta = timedelta(0)
    time_form: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    """A row that was not understood; the header is line 1."""

    line: int
    column: str
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCalls:
    """What the file says. `unanswered` rows have neither seconds nor cost."""

    calls: tuple[CallSeen, ...]
    unanswered: int
    errors: tuple[RowError, ...]


def read_carrier_calls(lines: Iterable[str], reading: Reading) -> CarrierCalls:
    """Return the calls of the file, or the errors of its rows; a wrong header is one error of line 1."""
    rows = csv.reader(lines, delimiter=",", strict=True)
    calls: list[CallSeen] = []
    errors: list[RowError] = []
    unanswered = 0
    try:
        header = next(rows, [])
        columns = _columns(header, reading.columns)
        if isinstance(columns, RowError):
            return CarrierCalls(calls=(), unanswered=0, errors=(columns,))
        for row in rows:
            if not any(cell.strip() for cell in row):
                continue
            made = _call(row, rows.line_num, columns, reading)
            if isinstance(made, RowError):
                errors.append(made)
                if len(errors) >= ERRORS_MAX:
                    break
            elif made.seconds or made.cost:
                calls.append(made)
            else:
                unanswered += 1
    except csv.Error as error:
        errors.append(RowError(line=rows.line_num, column="", problem=f"no CSV: {error}"))
    return CarrierCalls(calls=tuple(calls), unanswered=unanswered, errors=tuple(errors))


def _columns(header: Sequence[str], wanted: Mapping[str, str]) -> dict[str, int] | RowError:
    plain = [cell.strip().lstrip("\ufeff").lower() for cell in header]
    found: dict[str, int] = {}
    for field in FIELDS:
        names = (wanted[field].lower(),) if field in wanted else USUAL[field]
        index = next((plain.index(name) for name in names if name in plain), None)
        if index is None:
            have = ", ".join(repr(cell.strip()) for cell in header) or "nothing"
            looked = f"no column {names[0]!r} for {field}" if field in wanted else f"no column for {field}"
            remedy = f"name the right one by --column {field}=HEADING"
            return RowError(line=1, column=field, problem=f"{looked}; {remedy}; the header has {have}")
        found[field] = index
    return found


def _call(row: Sequence[str], line: int, columns: Mapping[str, int], reading: Reading) -> CallSeen | RowError:
    cells = {}
    for field, index in columns.items():
        if index >= len(row):
            return RowError(line=line, column=field, problem="the row is too short")
        cells[field] = row[index].strip()
    field = FIELDS[0]
    try:
        number = _number(cells["number"], reading.strip)
        field = "time"
        at = _instant(cells["time"], reading) + reading.shift
        field = "seconds"
        seconds = _seconds(cells["seconds"])
        field = "cost"
        cost = decimal_number(cells["cost"] or "0", places=COST_PLACES, field="cost")
    except (ValueError, OverflowError) as error:
        problem = error.remedy if isinstance(error, AmountRefused) else str(error)
        return RowError(line=line, column=field, problem=f"{cells[field]!r}: {problem}")
    return CallSeen(key=f"line {line}", number=number, at=at, seconds=seconds, cost=cost)


def _number(text: str, strip: str) -> str:
    digits = re.sub(r"[\s().-]", "", text)
    digits = digits.removeprefix(strip) if strip else digits
    digits = digits.removeprefix("+").removeprefix("00")
    if not re.fullmatch(r"[0-9]{3,18}", digits):
        raise ValueError("no number; write digits with the country code")
    return digits


def _seconds(text: str) -> int:
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        exact = decimal_number(text or "0", places=6, field="seconds")
        return ceil(exact)  # every second that was begun is paid for
    parts = [int(part) for part in clock.groups() if part is not None]
    return sum(part * 60**place for place, part in enumerate(reversed(parts)))


def _instant(text: str, reading: Reading) -> datetime:
    if reading.time_form:
        found = datetime.strptime(text, reading.time_form)  # noqa: DTZ007 - the zone follows below
    elif re.fullmatch(r"[0-9]{10}(?:\.[0-9]{1,6})?", text):
        seconds, _, rest = text.partition(".")
        return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(f"{rest:0<6}"))
    else:
        found = _iso_or_usual(text)
    if found.tzinfo is None:
        return found.replace(tzinfo=ZoneInfo(reading.zone)).astimezone(UTC)
    return found.astimezone(UTC)


def _iso_or_usual(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - the caller adds the zone
        except ValueError:
            continue
    raise ValueError(
        "no time that can be read in one way; name its form, such as --time-form '%d/%m/%Y %H:%M:%S'"
    )

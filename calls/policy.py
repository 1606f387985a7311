"""Which countries may be rung, rung back, or ring us: dated rows, and the verdict for one number.

Reads: PolicyRows, from etc/country_policy.csv or the store; a number, a direction, a kind, an instant.
Gives: Allowed, Warned or Denied, each with the row that decided.
Knows nothing of: files, accounts, who may override a row.

Laws: 1. the row that fits best decides: longest prefix, then the named kind before `any`, then the latest
source date; 2. no row means allowed; 3. `unknown` is allowed with a warning; 4. rows describe starting data
for an operator to review, they are not legal advice.
"""

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from values.e164 import E164

# A row that nobody has looked at for so long is flagged.
REVIEW_DAYS_MAX = 180


class PolicyDirection(StrEnum):
    """What would happen with the number."""

    TRIGGER_FROM = "trigger_from"
    CALLBACK_TO = "callback_to"
    TERMINATE_TO = "terminate_to"


class PolicyKind(StrEnum):
    """By which door the wish came in; ANY fits every door."""

    RING = "ring"
    WEB = "web"
    API = "api"
    SMS = "sms"
    ANY = "any"


class PolicyStatus(StrEnum):
    """What a row says."""

    ALLOWED = "allowed"
    WARN = "warn"
    DENIED = "denied"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRow:
    """One statement about one country code, true from `source_date` on.

    `prefix` is digits without `+`: a country code, longer where a code is shared. `review_date` is the day
    somebody last looked at it, `reviewer` who that was; None and empty if nobody has.
    """

    prefix: str
    direction: PolicyDirection
    kind: PolicyKind
    status: PolicyStatus
    reason: str
    source: str
    source_date: date
    review_date: date | None = None
    reviewer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Nothing stands against it. `row` is None if no row speaks of it."""

    row: PolicyRow | None = None
    is_denied: bool = False

    @property
    def reason(self) -> str:
        """What the row says, empty without one."""
        return self.row.reason if self.row is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """It goes on, and the row is logged with the call."""

    row: PolicyRow
    is_denied: bool = False

    @property
    def reason(self) -> str:
        """What the row says."""
        return self.row.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Denied:
    """It does not go on."""

    row: PolicyRow
    is_denied: bool = True

    @property
    def reason(self) -> str:
        """What the row says; spoken and shown to the subscriber."""
        return self.row.reason


Verdict = Allowed | Warned | Denied


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRowError:
    """A row that was not understood: where, and what to write instead. The header is line 1."""

    line: int
    column: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRows:
    """What a file held: nothing is to be applied while there are errors."""

    rows: tuple[PolicyRow, ...]
    errors: tuple[PolicyRowError, ...]


def country_verdict(
    rows: Iterable[PolicyRow], number: E164, direction: PolicyDirection, kind: PolicyKind, at: datetime
) -> Verdict:
    """Whether that may be done with that number at that instant (aware)."""
    if at.tzinfo is None:
        raise ValueError("a policy is asked for an aware time")
    fitting = [row for row in rows if _fits(row, number, direction, kind, at)]
    if not fitting:
        return Allowed()
    row = max(fitting, key=_weight)
    if row.status is PolicyStatus.DENIED:
        return Denied(row=row)
    if row.status is PolicyStatus.ALLOWED:
        return Allowed(row=row)
    return Warned(row=row)


def rows_to_review(rows: Iterable[PolicyRow], on: date) -> tuple[PolicyRow, ...]:
    """The rows that nobody has looked at for 180 days, in their order."""
    oldest = on - timedelta(days=REVIEW_DAYS_MAX)
    return tuple(row for row in rows if row.review_date is None or row.review_date < oldest)


def read_policy(lines: Iterable[str]) -> PolicyRows:
    """The rows of a CSV file with a header line, or what is wrong with it, row by row."""
    reader = csv.DictReader(lines)
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        remedy = f"add the column; the header is {','.join(COLUMNS)}"
        return PolicyRows(
            rows=(), errors=tuple(PolicyRowError(line=1, column=column, remedy=remedy) for column in missing)
        )
    rows: list[PolicyRow] = []
    errors: list[PolicyRowError] = []
    seen: set[tuple[str, str, str, date]] = set()
    for fields in reader:
        outcome = _row_of(fields, reader.line_num)
        if isinstance(outcome, PolicyRowError):
            errors.append(outcome)
            continue
        key = (outcome.prefix, outcome.direction, outcome.kind, outcome.source_date)
        if key in seen:
            remedy = "two rows for one prefix, direction, kind and date: keep one"
            errors.append(PolicyRowError(line=reader.line_num, column="country_code", remedy=remedy))
        seen.add(key)
        rows.append(outcome)
    return PolicyRows(rows=tuple(rows), errors=tuple(errors))


COLUMNS = (
    "country_code",
    "direction",
    "kind",
    "status",
    "reason",
    "source",
    "source_date",
    "review_date",
    "reviewer",
)


def _fits(row: PolicyRow, number: E164, direction: PolicyDirection, kind: PolicyKind, at: datetime) -> bool:
    return (
        row.direction is direction
        and row.kind in (kind, PolicyKind.ANY)
        and number.digits.startswith(row.prefix)
        and row.source_date <= at.date()
    )


def _weight(row: PolicyRow) -> tuple[int, bool, date]:
    return (len(row.prefix), row.kind is not PolicyKind.ANY, row.source_date)


def _row_of(fields: dict[str, str | None], line: int) -> PolicyRow | PolicyRowError:
    text = {column: (fields.get(column) or "").strip() for column in COLUMNS}
    prefix = text["country_code"].removeprefix("+")
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= 7 and prefix[0] != "0"):
        return PolicyRowError(line=line, column="country_code", remedy="write 1 to 7 digits, such as +63")
    for column, words in (("direction", PolicyDirection), ("kind", PolicyKind), ("status", PolicyStatus)):
        if text[column] not in [str(word) for word in words]:
            return PolicyRowError(line=line, column=column, remedy=f"write one of {', '.join(words)}")
    for column in ("reason", "source"):
        if not text[column]:
            return PolicyRowError(line=line, column=column, remedy="say why, and who says so")
    try:
        source_date = date.fromisoformat(text["source_date"])
        review_date = date.fromisoformat(text["review_date"]) if text["review_date"] else None
    except ValueError:
        return PolicyRowError(
            line=line, column="source_date, review_date", remedy="write dates as 2026-01-31"
        )
    return PolicyRow(
        prefix=prefix,
        direction=PolicyDirection(text["direction"]),
        kind=PolicyKind(text["kind"]),
        status=PolicyStatus(text["status"]),
        reason=text["reason"],
        source=text["source"],
        source_date=source_date,
        review_date=review_date,
        reviewer=text["reviewer"],
    )

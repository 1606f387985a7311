"""What single cells of a rate sheet say: prices, prefixes, increments, dates, statuses.

Reads: the text of one cell, and how the sheet writes (Habits).
Gives: whole units of 10^-8, prefixes, seconds, microseconds, a Status; CellRefused says what to write.
Knows nothing of: columns, rows, decks.

The grammar is strict where a mistake costs money: Decimal reads `NaN`, `1e3` and `1_000`, this does not. What
can be meant in two ways is refused until somebody says which.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from rating.countries import country_code
from rating.plan import INCREMENT_SECONDS_MAX
from rating.prefixes import PREFIX_DIGITS_MAX
from values.instants import micros
from values.money import RATE_SCALE, UNITS_MAX

COUNTRY_CODE_DIGITS_MAX = 3
AREA_DIGITS_MAX = 6
"""Behind a dash; longer ones are whole numbers, and then the dash says something else."""
PREFIXES_IN_A_CELL_MAX = 1_000
SHOWN_MAX = 30
INPUT_DECIMALS_MAX = 18


class CellRefused(ValueError):
    """The cell says nothing that can be used: the problem and what to write instead."""

    def __init__(self, problem: str, remedy: str) -> None:
        """Keep the two apart for the report."""
        super().__init__(f"{problem}: {remedy}")
        self.problem = problem
        self.remedy = remedy


class Dates(StrEnum):
    """Which comes first in 03/04/2026; unless it is stated, such a date is refused."""

    UNSTATED = "unstated"
    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class DecimalMark(StrEnum):
    """What stands before the decimals. Unstated, a comma is read where it cannot separate thousands."""

    UNSTATED = "unstated"
    POINT = "point"
    COMMA = "comma"


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """How a sheet writes. `seconds_per_price`: 60 where prices are for a minute, 1 where for a second."""

    dates: Dates = Dates.UNSTATED
    decimal_mark: DecimalMark = DecimalMark.UNSTATED
    seconds_per_price: int = 60


class Status(StrEnum):
    """What a status column claims. All but CLOSED is advice: what a row changes is computed."""

    NONE = ""
    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    CLOSED = "closed"


_PRICE = re.compile(r"([0-9]{1,18})(?:\.([0-9]{1,18}))?")
_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_DIGITS = re.compile(rf"[1-9][0-9]{{0,{PREFIX_DIGITS_MAX - 1}}}")
_AREA = re.compile(rf"[0-9]{{1,{PREFIX_DIGITS_MAX}}}")
_MANGLED = re.compile(r"[0-9.,]+[eE]\+?[0-9]+")
_LISTED = re.compile(r"[,;|/\n]")
_WHOLE = re.compile(r"[0-9]{1,5}")
_STEPS = re.compile(r"([0-9]{1,5}) ?[/:+-] ?([0-9]{1,5})")
_SECONDS = re.compile(r"([0-9]) ?(?:s|secs?|seconds?)\b\.?", re.IGNORECASE)
_MINUTE = re.compile(r"(?:1 )?(?:min|minute)", re.IGNORECASE)
_TIME = (
    r"(?:[T ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,6})?)?)"
    r" ?(?P<zone>Z|UTC|GMT|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_DATES = tuple(
    re.compile(form + _TIME)
    for form in (
        r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})",
        r"(?P<year>[0-9]{4})/(?P<month>[0-9]{2})/(?P<day>[0-9]{2})",
        r"(?P<year>[0-9]{4})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})",
        r"(?P<day>[0-9]{1,2})[ -](?P<name>[A-Za-z]{3})[a-z]*[ -](?P<year>[0-9]{4})",
    )
)
_EITHER = re.compile(r"(?P<first>[0-9]{1,2})[/-](?P<second>[0-9]{1,2})[/-](?P<year>[0-9]{4})" + _TIME)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_STATUSES = {
    Status.NONE: ("", "-", "open", "active", "enabled", "effective", "current", "valid", "yes", "ok", "0"),
    Status.NEW: ("new", "n", "added", "new code", "new destination"),
    Status.INCREASED: ("increase", "increased", "inc", "i", "up", "+", "rate increase"),
    Status.DECREASED: ("decrease", "decreased", "dec", "d", "down", "rate decrease", "reduction", "reduced"),
    Status.UNCHANGED: ("unchanged", "no change", "nochange", "nc", "same", "u", "unch", "=", "not changed"),
    Status.CHANGED: ("changed", "change", "c", "modified", "update", "updated"),
    Status.CLOSED: (
        *("closed", "close", "blocked", "block", "deleted", "delete", "removed", "remove", "discontinued"),
        *("inactive", "disabled", "ended", "withdrawn", "x"),
    ),
}
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words}


def price_units(text: str, habits: Habits) -> int:
    """Return a price for a minute in 10^-8 of the unit; a price for a second is multiplied, exactly."""
    plain = _with_point(text, habits)
    found = _PRICE.fullmatch(plain)
    if found is None:
        raise CellRefused(f"{shown(text)} is not a price", _price_remedy(text))
    decimals = (found[2] or "").rstrip("0")
    # The digits as one whole number of 10^-decimals, times 60 over the seconds it is for.
    scaled = int(found[1] + decimals) * (60 // habits.seconds_per_price)
    surplus = len(decimals) - RATE_SCALE
    shift = int(10 ** abs(surplus))
    units, rest = (scaled * shift, 0) if surplus <= 0 else divmod(scaled, shift)
    if rest:
        raise CellRefused(
            f"{shown(text)} is not a price", f"write at most {RATE_SCALE} decimals for a minute"
        )
    if units > UNITS_MAX:
        raise CellRefused(f"{shown(text)} is not a price", "write a number that somebody could pay")
    return units


def fee_units(text: str, habits: Habits) -> int:
    """Return an amount that is asked once, in 10^-8 of the unit."""
    return price_units(text, Habits(decimal_mark=habits.decimal_mark))


def prefixes(text: str, country: str = "") -> tuple[str, ...]:
    """Return the prefixes of a cell: one, a list, ranges; with `country` they are that country's area codes.

    `61 38,39` is a country code with its area codes; `4470-4479` is a range, and becomes the fewest prefixes
    that cover it. `+`, spaces, and a dash behind the country code (`1-242`) mean nothing; where a dash could
    mean either, the cell is refused.
    """
    if not country and is_prefix(text):
        return (text,)
    if _MANGLED.fullmatch(text.strip()):
        remedy = "a spreadsheet took it for a number: format the column as text, and write the digits"
        raise CellRefused(f"{shown(text)} is not a prefix", remedy)
    items = [item.strip() for item in _LISTED.split(text)]
    if any(not item for item in items) and (len(items) > 1 or not country):
        raise CellRefused(f"{shown(text)} is not a prefix", _PREFIX_REMEDY)
    before = _bare(country)
    if not before and len(items) > 1:
        before, items = _country_in_front(items)
    found = [prefix for item in items for prefix in _one_or_range(item, before)]
    if len(found) > PREFIXES_IN_A_CELL_MAX:
        raise CellRefused(f"{len(found)} prefixes in one cell", f"write at most {PREFIXES_IN_A_CELL_MAX}")
    for prefix in found:
        if not is_prefix(prefix):
            raise CellRefused(f"{shown(text)} is not a prefix", _PREFIX_REMEDY)
    if len(set(found)) < len(found):
        raise CellRefused(f"{shown(text)} names a prefix twice", "write it once")
    return tuple(found)


def is_prefix(text: str) -> bool:
    """Whether a cell is one prefix as it is kept."""
    return _DIGITS.fullmatch(text) is not None


def increments(text: str) -> tuple[int, int]:
    """Return first and next increment of `30/6`, `30-6`, `60` or `1 minute`, in seconds."""
    if _MINUTE.fullmatch(text):
        return 60, 60
    plain = _SECONDS.sub(r"\1", text)
    steps = _STEPS.fullmatch(plain)
    if steps is not None:
        return increment(steps[1]), increment(steps[2])
    both = increment(plain)
    return both, both


def increment(text: str) -> int:
    """Return whole seconds of at least 1."""
    if _WHOLE.fullmatch(text) and 1 <= int(text) <= INCREMENT_SECONDS_MAX:
        return int(text)
    remedy = f"write whole seconds from 1 to {INCREMENT_SECONDS_MAX}"
    raise CellRefused(f"{shown(text)} is no increment", remedy)


def whole(text: str, most: int) -> int:
    """Return a whole number from 0 to `most`."""
    if _WHOLE.fullmatch(text) and int(text) <= most:
        return int(text)
    raise CellRefused(f"{shown(text)} is no whole number", f"write one from 0 to {most}")


def instant(text: str, habits: Habits) -> int:
    """Return the microseconds since 1970 of a date, with or without a time; without a zone it is UTC."""
    for form in _DATES:
        if found := form.fullmatch(text):
            parts = found.groupdict()
            name = parts.get("name")
            month = (
                _MONTHS.index(name.lower()) + 1 if name and name.lower() in _MONTHS else parts.get("month")
            )
            return _micros(text, parts, month or 0, parts["day"] or 0)
    if found := _EITHER.fullmatch(text):
        first, second = found["first"], found["second"]
        match habits.dates:
            case Dates.DAY_FIRST:
                return _micros(text, found.groupdict(), second, first)
            case Dates.MONTH_FIRST:
                return _micros(text, found.groupdict(), first, second)
            case Dates.UNSTATED:
                remedy = (
                    "it is never guessed whether day or month comes first: say --dates dmy or --dates mdy"
                )
                raise CellRefused(f"{shown(text)} is not a date", remedy)
    raise CellRefused(f"{shown(text)} is not a date", _DATE_REMEDY)


def status(text: str) -> Status:
    """Return what a status cell claims."""
    found = _STATUS_OF.get(text.lower().strip(" ."))
    if found is None:
        raise CellRefused(f"{shown(text)} is not a status", "write open, new, blocked or closed")
    return found


def flag(text: str) -> bool:
    """Return whether a yes-or-no cell says yes."""
    match text.lower():
        case "true" | "t" | "yes" | "y" | "1":
            return True
        case "" | "false" | "f" | "no" | "n" | "0":
            return False
    raise CellRefused(f"{shown(text)} is neither yes nor no", "write true or false")


def shown(text: str) -> str:
    """Return a stranger's text for a sentence: quoted, and not endless."""
    return repr(text[:SHOWN_MAX]) + ("…" if len(text) > SHOWN_MAX else "")


_PREFIX_REMEDY = (
    f"write 1 to {PREFIX_DIGITS_MAX} ASCII digits with the country code first and no 00, such as 4420"
)
_DATE_REMEDY = (
    "write an ISO date such as 2026-03-01, or 2026-03-01T00:00:00Z; DD/MM and MM/DD are never guessed"
)


def _with_point(text: str, habits: Habits) -> str:
    if "," not in text:
        if "." in text and habits.decimal_mark is DecimalMark.COMMA:
            raise CellRefused(f"{shown(text)} has a decimal point", "the sheet was said to write a comma")
        return text
    if habits.decimal_mark is DecimalMark.POINT or text.count(",") > 1 or "." in text:
        raise CellRefused(f"{shown(text)} is not a price", "write it without thousands separators")
    if habits.decimal_mark is DecimalMark.UNSTATED and _THOUSANDS.fullmatch(text):
        remedy = "the comma may separate thousands or decimals: say --decimal comma, or write a point"
        raise CellRefused(f"{shown(text)} is not a price", remedy)
    return text.replace(",", ".")


def _price_remedy(text: str) -> str:
    if text.startswith("-"):
        return "write a number that is zero or more"
    return "write ASCII digits with an optional decimal point, such as 0.0850"


def _country_in_front(items: list[str]) -> tuple[str, list[str]]:
    """Split `61 38` at the head of a list into the country code and the first area code."""
    head, space, first = items[0].partition(" ")
    if not space or any(" " in item or item.startswith("+") for item in items[1:]):
        return "", items
    code = _bare(head)
    if any(_bare(item).startswith(code) for item in items[1:]):
        problem = f"{shown(items[0])} may be a country code with area codes, or whole prefixes"
        raise CellRefused(
            problem, "write one whole prefix in a row, or the country code in a column of its own"
        )
    return code, [first, *items[1:]]


def _one_or_range(item: str, before: str) -> tuple[str, ...]:
    """Return the prefixes of `4470-4479`, or the one of `1-242`, where the dash is only there to be seen."""
    first, dash, last = _parted(item)
    low, high = before + _bare(first), before + _bare(last)
    if not (dash and _bare(last)):
        return (low,)
    if low == high and len(low) > COUNTRY_CODE_DIGITS_MAX:
        return (low,)
    if _is_backwards(low, high):
        remedy = "write the lower prefix first, or one whole prefix in a row"
        raise CellRefused(f"{shown(item)} is a range that ends before it begins", remedy)
    if _AREA.fullmatch(low) and _AREA.fullmatch(high) and len(low) == len(high) and low < high:
        if country_code(low) != country_code(high) or len(low) < 2:
            remedy = "write one prefix in a row, with the country code in front"
            raise CellRefused(f"{shown(item)} looks like a range over several countries", remedy)
        return covering(low, high)
    if before or not _is_code_and_area(_bare(first), _bare(last)):
        problem = f"{shown(item)} may be a range or one prefix"
        raise CellRefused(
            problem, "write the prefix without dashes, or both ends of the range with as many digits"
        )
    return (low + _bare(last),)


def _parted(item: str) -> tuple[str, str, str]:
    """Split at the dash of a range: one with spaces around it, or else the first one."""
    text = item.replace("\u2013", " - ")
    return text.partition(" - ") if " - " in text else text.partition("-")


def _is_code_and_area(first: str, rest: str) -> bool:
    """Whether `first` is a country code and `rest` an area code: not many digits, nor the code again."""
    is_code = country_code(first + rest) == first
    return is_code and len(rest) <= AREA_DIGITS_MAX and not rest.startswith(first)


def _is_backwards(low: str, high: str) -> bool:
    """Whether both are whole prefixes of one length in the wrong order; `44-20` is a country and an area."""
    are_whole = len(low) == len(high) > COUNTRY_CODE_DIGITS_MAX and low[:1] == high[:1]
    return are_whole and bool(_AREA.fullmatch(low) and _AREA.fullmatch(high)) and low > high


def covering(first: str, last: str) -> tuple[str, ...]:
    """Return the fewest prefixes that stand for all digits from `first` to `last`, of the same length."""
    found: list[str] = []
    low, high, length = int(first), int(last), len(first)
    while low <= high:
        zeros = 0
        while zeros < length - 1 and low % 10 ** (zeros + 1) == 0 and low + 10 ** (zeros + 1) - 1 <= high:
            zeros += 1
        found.append(str(low // 10**zeros).zfill(length - zeros))
        low += 10**zeros
        if len(found) > PREFIXES_IN_A_CELL_MAX:
            break
    return tuple(found)


def _bare(text: str) -> str:
    return text.strip().removeprefix("+").replace(" ", "").replace("-", "").replace("\u00a0", "")


def _micros(text: str, parts: dict[str, str | None], month: str | int, day: str | int) -> int:
    zone = (parts.get("zone") or "Z").replace("UTC", "Z").replace("GMT", "Z")
    if len(zone) == 5:
        zone = f"{zone[:3]}:{zone[3:]}"
    form = f"{parts['year']}-{int(month):02d}-{int(day):02d}T{parts.get('time') or '00:00'}{zone}"
    try:
        return micros(datetime.fromisoformat(form).astimezone(UTC))
    except (ValueError, OverflowError):
        # 2026-02-30 and year 0000 have the form, but are no dates.
        raise CellRefused(f"{shown(text)} is not a date", _DATE_REMEDY) from None

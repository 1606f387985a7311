"""The fields of a request for a callback: one table from which they are read and documented.

Reads: a flat table of values, as web/body.py gives it.
Gives: a Wish, complete in itself; ProblemFound with every field that cannot be meant.
Knows nothing of: accounts, whose number it is, what time it is.
"""

import hashlib
import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from values.numbering import TEXT_MAX
from web.body import Fields
from web.problems import FieldProblem, bad_fields

ATTEMPTS_MAX = 5
GAP_SECONDS_MIN, GAP_SECONDS_MAX = 5, 86_400
REFERENCE_CHARACTERS_MAX = 128
WORD_CHARACTERS_MAX = 80
AT_CHARACTERS_MAX = 40
FOREIGN_SHOWN_MAX = 10
"""An answer does not grow with what was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What was asked for. Telephone numbers are still text: whose country they follow is not known here."""

    number: str
    destination: str = ""
    at: datetime | None = None
    attempts: int = 1
    gaps: tuple[int, ...] = ()
    reference: str = ""
    topic: str = ""
    tag: str = ""

    @property
    def fingerprint(self) -> str:
        """The same for the same wish, in whatever form it was sent."""
        members = {name: str(value) for name, value in asdict(self).items()}
        return hashlib.sha256(json.dumps(members, sort_keys=True).encode()).hexdigest()


class NotMeantError(Exception):
    """The value cannot be meant."""

    def __init__(self, problem: str, remedy: str) -> None:
        """`problem` has no full stop, `remedy` is an order."""
        super().__init__(problem)
        self.problem = problem
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field: how its value is read, and what the API document says of it."""

    read: Callable[[object], object]
    schema: Mapping[str, object]


def read_wish(fields: Fields) -> Wish:
    """The wish that these fields are; absent, null and empty mean the same."""
    found = [
        FieldProblem(field=_shown(name), problem="there is no such field", remedy=f"send only {KNOWN}")
        for name in itertools.islice((name for name in fields if name not in FIELDS), FOREIGN_SHOWN_MAX)
    ]
    values: dict[str, object] = {}
    for name, field in FIELDS.items():
        given = fields.get(name)
        if given is None or given in ("", []):
            continue
        try:
            values[name] = field.read(given)
        except NotMeantError as refused:
            found.append(FieldProblem(field=name, problem=refused.problem, remedy=refused.remedy))
    if "number" not in values and not any(each.field == "number" for each in found):
        remedy = "send the telephone number to call back, such as +44 20 7946 0101"
        found.append(FieldProblem(field="number", problem="it is missing", remedy=remedy))
    attempts, gaps = values.get("attempts", 1), values.get("gaps", ())
    if isinstance(attempts, int) and isinstance(gaps, tuple) and len(gaps) >= attempts and gaps:
        problem = f"{len(gaps)} gaps do not fit between {attempts} attempts"
        remedy = "send one gap fewer than attempts, or fewer still: the last one counts for the rest"
        found.append(FieldProblem(field="gaps", problem=problem, remedy=remedy))
    if found:
        raise bad_fields(found)
    return Wish(**values)  # type: ignore[arg-type] # each reader gives what its field takes


def _telephone(given: object) -> str:
    if not isinstance(given, str):
        raise NotMeantError("it is no text", 'send it as text, such as "+44 20 7946 0101"')
    if len(given) > TEXT_MAX:
        raise NotMeantError("it is too long for a number", f"send at most {TEXT_MAX} characters")
    if given[:1] == " " and given[1:2].isdigit():
        # An unencoded + in a form arrives as a blank; which of the two was meant must not be guessed.
        raise NotMeantError("it begins with a blank", "write + as %2B in a form, or send no blank in front")
    return given.strip()


def _instant(given: object) -> datetime:
    remedy = "send an instant with its zone, such as 2026-03-02T09:30:00+01:00 (in a form + is %2B)"
    if not isinstance(given, str) or len(given) > AT_CHARACTERS_MAX or not given.isascii():
        raise NotMeantError("it is no instant", remedy)
    try:
        instant = datetime.fromisoformat(given)
        if instant.utcoffset() is None:
            raise NotMeantError("its time zone is missing", remedy)
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):  # some instants of the years 1 and 9999 have no place in UTC
        raise NotMeantError("it is no instant", remedy) from None


def _whole(given: object, least: int, most: int) -> int:
    remedy = f"send a whole number from {least} to {most}"
    if isinstance(given, str) and given.isascii() and given.isdigit() and len(given) <= len(str(most)):
        given = int(given)
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise NotMeantError("it is refused", remedy)
    return given


def _attempts(given: object) -> int:
    return _whole(given, 1, ATTEMPTS_MAX)


def _gaps(given: object) -> tuple[int, ...]:
    parts = [part.strip() for part in given.split(",")] if isinstance(given, str) else given
    remedy = f"send up to {ATTEMPTS_MAX - 1} whole numbers of seconds, such as [60, 300] or 60,300"
    if not isinstance(parts, list) or len(parts) > ATTEMPTS_MAX - 1:
        raise NotMeantError("it is no short list of seconds", remedy)
    try:
        return tuple(_whole(part, GAP_SECONDS_MIN, GAP_SECONDS_MAX) for part in parts)
    except NotMeantError:
        problem = f"each gap lasts {GAP_SECONDS_MIN} to {GAP_SECONDS_MAX} seconds"
        raise NotMeantError(problem, remedy) from None


def _line(most: int) -> Callable[[object], str]:
    def read(given: object) -> str:
        remedy = f"send one line of at most {most} characters"
        if not isinstance(given, str):
            raise NotMeantError("it is no text", remedy)
        if len(given) > most or not given.isprintable():
            raise NotMeantError("it is too long or holds control characters", remedy)
        return given.strip()

    return read


def _shown(name: str) -> str:
    """A foreign field's name, short and harmless."""
    return ascii(name[:40])[1:-1] or "(no name)"


FIELDS: Mapping[str, Field] = {
    "number": Field(
        read=_telephone,
        schema={
            "type": "string",
            "maxLength": TEXT_MAX,
            "description": "The telephone to call back, in any usual spelling; without a country code, one "
            "of the subscriber's home country. It must be registered with your account and verified.",
            "examples": ["+44 20 7946 0101"],
        },
    ),
    "destination": Field(
        read=_telephone,
        schema={
            "type": "string",
            "maxLength": TEXT_MAX,
            "description": "Whom to connect; one key then accepts and dials. Without it the number is keyed.",
            "examples": ["+1 415 555 0123"],
        },
    ),
    "at": Field(
        read=_instant,
        schema={
            "type": "string",
            "format": "date-time",
            "description": "When to call back, in the future and with its zone; now if it is left out.",
        },
    ),
    "attempts": Field(
        read=_attempts,
        schema={
            "type": "integer",
            "minimum": 1,
            "maximum": ATTEMPTS_MAX,
            "default": 1,
            "description": "How often to ring while nobody answers.",
        },
    ),
    "gaps": Field(
        read=_gaps,
        schema={
            "description": "Seconds between attempts; the last one counts for the rest.",
            "oneOf": [
                {
                    "type": "array",
                    "maxItems": ATTEMPTS_MAX - 1,
                    "items": {"type": "integer", "minimum": GAP_SECONDS_MIN, "maximum": GAP_SECONDS_MAX},
                },
                {"type": "string", "examples": ["60,300"]},
            ],
        },
    ),
    "reference": Field(
        read=_line(REFERENCE_CHARACTERS_MAX),
        schema={
            "type": "string",
            "maxLength": REFERENCE_CHARACTERS_MAX,
            "description": "Your own reference; it comes back in the status, on notices and invoice lines.",
        },
    ),
    "topic": Field(
        read=_line(WORD_CHARACTERS_MAX),
        schema={"type": "string", "maxLength": WORD_CHARACTERS_MAX, "description": "What it is about."},
    ),
    "tag": Field(
        read=_line(WORD_CHARACTERS_MAX),
        schema={"type": "string", "maxLength": WORD_CHARACTERS_MAX, "description": "A word to sort by."},
    ),
}
KNOWN = ", ".join(FIELDS)

"""What the phones say of themselves: the log of the world's Asterisk, as lines for a reader.

Reads: the text of that log (columns of world/configuration.py), who is who by number.
Gives: entries with their time and a sentence; when each phone's first key went down and came up.
Knows nothing of: Dialback and what it believes; files.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

from world.configuration import CEL_FIELDS
from world.scripts import Does, Keys, Step

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TOLD, KEY_DOWN, KEY_UP = "TOLD", "KEYDOWN", "KEYUP"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log."""

    at: datetime
    call: str
    number: str
    kind: str
    note: str


def presses(digits: str, *, after: float, told: str = "") -> tuple[Step, ...]:
    """Return the steps of a phone that waits, writes down what it does, and keys."""
    return (*_tells(after, told or f"keys {digits}"), Keys(digits))


def presses_first(digits: str, *, after: float) -> tuple[Step, ...]:
    """The same, with marks in the log right before the first key goes down and right after it is let go."""
    return (
        *_tells(after, f"keys {digits}"),
        Does(f"CELGenUserEvent({KEY_DOWN})"),
        Keys(digits[0], gap_ms=50),
        Does(f"CELGenUserEvent({KEY_UP})"),
        Keys(digits[1:]),
    )


def read_log(text: str) -> list[Entry]:
    """Return the entries of calls that came to a phone, in order. Half a last line is left for later."""
    numbers: dict[str, str] = {}
    entries = []
    for row in csv.reader(text[: text.rfind("\n") + 1].splitlines(keepends=True)):
        if len(row) != len(CEL_FIELDS):
            continue
        fields = dict(zip(CEL_FIELDS, row, strict=True))
        call, kind, note = fields["uniqueid"], fields["eventtype"], _note(fields["eventextra"])
        if kind == "INVITED":
            numbers[call] = f"+{dict(parse_qsl(note)).get('number', '')}"
        if call in numbers:
            at = EPOCH + timedelta(microseconds=_microseconds(fields["eventtime"]))
            entries.append(Entry(at=at, call=call, number=numbers[call], kind=kind, note=note))
    return entries


def sentence(entry: Entry) -> str:
    """What the phone did, for a reader; empty if it is nothing that he would notice."""
    match entry.kind:
        case "RANG":
            return "rings"
        case "ANSWER":
            return "is picked up"
        case "HANGUP":
            return "is on the hook again"
        case "TOLD":
            return entry.note
        case _:
            return ""


def first_key(entries: list[Entry]) -> Mapping[str, tuple[datetime, datetime]]:
    """Return by call when its first key was pressed and when it was let go."""
    downs = {entry.call: entry.at for entry in entries if entry.kind == KEY_DOWN}
    ups = {entry.call: entry.at for entry in entries if entry.kind == KEY_UP}
    return {call: (downs[call], ups[call]) for call in downs if call in ups}


def _tells(after: float, told: str) -> tuple[Step, ...]:
    # A comma or a parenthesis would end the application's argument.
    assert not set(told) & set(",()\"'"), told
    return (Does(f"Wait({after:g})"), Does(f"CELGenUserEvent({TOLD},{told})"))


def _note(extra: str) -> str:
    try:
        value = json.loads(extra) if extra else {}
    except json.JSONDecodeError:
        return ""
    return str(value.get("extra", "")) if isinstance(value, dict) else ""


def _microseconds(text: str) -> int:
    seconds, _, fraction = text.partition(".")
    return int(seconds) * 1_000_000 + int(fraction.ljust(6, "0")[:6])

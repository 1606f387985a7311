"""The phones' own log: what truly happened, by the world's channel events.

Reads: the CEL file of the world's Asterisk (columns of world/configuration.py, µs times).
Gives: a PhoneCall for each call that a phone got or made.
Knows nothing of: the switch under test and what it believes.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl

from world.configuration import CEL_FIELDS

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fax:
    """What the fax machine says of its page."""

    status: str
    """SUCCESS or FAILED."""
    pages: int
    mode: str
    """audio or T38."""
    rate: int
    error: str
    file: Path | None
    """The page received."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digit:
    """A key heard on the line, at its end."""

    key: str
    duration_ms: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PhoneCall:
    """One call as the phone's own log has it. Times are UTC, to the µs."""

    id: str
    number: str
    """Digits of the phone, country code first."""
    carrier: str
    dialled: str
    """The number as the switch wrote it."""
    caller_id_seen: str
    caller_name_seen: str
    withheld: bool
    diverted_from: str
    incoming: bool
    """False: this phone called, by World.dials."""
    refused_by_carrier: bool
    invited_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    hung_up_at: datetime | None
    hung_up_by_phone: bool
    cause: int | None
    """Q.850."""
    digits: tuple[Digit, ...]
    recording: Path | None
    fax: Fax | None

    @property
    def digits_heard(self) -> str:
        return "".join(digit.key for digit in self.digits)

    @property
    def over(self) -> bool:
        return self.hung_up_at is not None

    @property
    def talk_microseconds(self) -> int:
        """From this phone's own answer to its hang-up; 0 if never answered."""
        if self.answered_at is None or self.hung_up_at is None:
            return 0
        return (self.hung_up_at - self.answered_at) // timedelta(microseconds=1)


def read_calls(text: str) -> list[PhoneCall]:
    """Return the calls in the order of their invitation. Half a last line is left for later."""
    whole = text[: text.rfind("\n") + 1]
    drafts: dict[str, _Draft] = {}
    for row in csv.reader(whole.splitlines(keepends=True)):
        if len(row) != len(CEL_FIELDS):
            continue
        entry = dict(zip(CEL_FIELDS, row, strict=True))
        draft = drafts.setdefault(entry["uniqueid"], _Draft(id=entry["uniqueid"]))
        draft.add(entry)
    calls = (draft.finish() for draft in drafts.values())
    return sorted((call for call in calls if call is not None), key=lambda call: call.invited_at)


@dataclass(slots=True)
class _Draft:
    """A call while its rows are read."""

    id: str
    channel: str = ""
    account: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    times: dict[str, datetime] = field(default_factory=dict)
    digits: list[Digit] = field(default_factory=list)
    end: dict[str, object] = field(default_factory=dict)
    recording: str = ""
    fax: dict[str, str] = field(default_factory=dict)

    def add(self, entry: dict[str, str]) -> None:
        kind = entry["eventtype"]
        at = _time(entry["eventtime"])
        self.channel = self.channel or entry["channame"]
        self.account = self.account or entry["accountcode"]
        self.times.setdefault(kind, at)
        extra = _extra(entry["eventextra"])
        note = str(extra.get("extra", ""))
        match kind:
            case "INVITED":
                self.facts = dict(parse_qsl(note, keep_blank_values=True, errors="replace"))
            case "RECORDED":
                self.recording = note
            case "FAX":
                self.fax = dict(parse_qsl(note, keep_blank_values=True))
            case "DTMF" if entry["userdeftype"] == "Received":
                self._add_digit(extra, at)
            case "HANGUP":
                self.end = extra

    def finish(self) -> PhoneCall | None:
        if "CHAN_START" not in self.times or not (self.facts or self.account):
            return None  # its dialplan has not begun, or it only leads to a person's softphone
        facts, end = self.facts, self.end
        carrier, _, _ = self.channel.removeprefix("PJSIP/").rpartition("-")
        source, cause = str(end.get("hangupsource", "")), end.get("hangupcause")
        return PhoneCall(
            id=self.id,
            number=facts.get("number", self.account),
            carrier=facts.get("carrier", carrier),
            dialled=facts.get("dialled", ""),
            caller_id_seen=facts.get("caller", ""),
            caller_name_seen=facts.get("name", ""),
            withheld=_is_withheld(facts),
            diverted_from=facts.get("diverted", ""),
            incoming=bool(facts),
            refused_by_carrier="REFUSED" in self.times,
            invited_at=self.times["CHAN_START"],
            rang_at=self.times.get("RANG"),
            answered_at=self.times.get("ANSWER"),
            hung_up_at=self.times.get("HANGUP"),
            hung_up_by_phone=source != self.channel,
            cause=cause if isinstance(cause, int) else None,
            digits=tuple(self.digits),
            recording=Path(self.recording) if self.recording else None,
            fax=_fax(self.fax) if self.fax else None,
        )

    def _add_digit(self, extra: dict[str, object], at: datetime) -> None:
        duration = extra.get("duration_ms", 0)
        self.digits.append(
            Digit(
                key=str(extra.get("digit", "")),
                duration_ms=duration if isinstance(duration, int) else 0,
                at=at,
            )
        )


def select(
    calls: Iterable[PhoneCall],
    *,
    number: str | None = None,
    carrier: str | None = None,
    incoming: bool | None = None,
) -> list[PhoneCall]:
    """Return the calls of one number (digits), one carrier, one direction, where given."""
    return [
        call
        for call in calls
        if number in (None, call.number)
        and carrier in (None, call.carrier)
        and incoming in (None, call.incoming)
    ]


def _is_withheld(facts: dict[str, str]) -> bool:
    # RFC 3323: a withheld caller may come as a Privacy header, or only as "anonymous" in From.
    presentation, caller = facts.get("presentation", ""), facts.get("caller", "")
    return presentation.startswith(("prohib", "unavailable")) or caller.lower() in {"", "anonymous"}


def _fax(facts: dict[str, str]) -> Fax:
    return Fax(
        status=facts.get("status", ""),
        pages=int(facts.get("pages") or 0),
        mode=facts.get("mode", ""),
        rate=int(facts.get("rate") or 0),
        error=facts.get("error", ""),
        file=Path(facts["file"]) if facts.get("file") else None,
    )


def _extra(text: str) -> dict[str, object]:
    try:
        value = json.loads(text) if text else {}
    except json.JSONDecodeError:
        return {"extra": text}
    return value if isinstance(value, dict) else {"extra": text}


def _time(text: str) -> datetime:
    seconds, _, microseconds = text.partition(".")
    return EPOCH + timedelta(seconds=int(seconds), microseconds=int(microseconds.ljust(6, "0")[:6]))

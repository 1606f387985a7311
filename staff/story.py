"""A callback's history as a story: each event in plain words.

Reads: the lines of the callback log, as the store kept them.
Gives: rows with the time, the seconds since the beginning, the state it led to, and a sentence.
Knows nothing of: how they are printed, which event is right when.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from staff.listing import moment

if TYPE_CHECKING:
    from store.callbacks import LogLine

Detail = Mapping[str, Any]
COLUMNS = ("at", "seconds", "event", "state", "what_happened")
SPARE = ("event",)
MICROSECONDS = 10**6
_MICROSECOND = timedelta(microseconds=1)

# ITU-T Q.850 causes that a person asks about; the others are told by their number.
CAUSES = {
    1: "unallocated number",
    16: "normal clearing",
    17: "busy",
    18: "no response",
    19: "no answer",
    21: "rejected",
    22: "number changed",
    26: "answered elsewhere",
    27: "destination out of order",
    28: "invalid number",
    31: "normal, unspecified",
    34: "no circuit",
    38: "network out of order",
    41: "temporary failure",
    42: "congestion",
    44: "circuit not available",
    127: "interworking",
}
RELEASERS = {"far": "by the far side", "us": "by us", "limit": "by the time limit"}


def story(lines: Sequence[LogLine]) -> list[dict[str, object]]:
    """One row for each line of the history, in the order in which it was written."""
    return [
        {
            "at": moment(line.at, "microseconds"),
            "seconds": _seconds((line.at - lines[0].at) // _MICROSECOND),
            "event": line.event,
            "state": line.state,
            "what_happened": sentence(line.event, line.detail),
        }
        for line in lines
    ]


def sentence(event: str, detail: Detail) -> str:
    """What happened, for a person; an event without a sentence is told by its fields."""
    told = SENTENCES.get(event)
    if told is None:
        return ", ".join(f"{name} {value}" for name, value in detail.items())
    return told(detail)


def _hung_up(detail: Detail) -> str:
    cause = detail["q850_cause"]
    by = RELEASERS.get(detail["released_by"], detail["released_by"])
    guessed = ", time estimated" if detail.get("estimated") else ""
    return f"{_name(detail)} is gone, released {by} (cause {cause}, {CAUSES.get(cause, 'other')}{guessed})"


def _tagged(detail: Detail) -> str:
    tag = detail.get("tag")  # callbacks of old have none
    return f", to be booked under {tag}" if tag else ""


SENTENCES: dict[str, Callable[[Detail], str]] = {
    "Created": lambda detail: f"a callback was asked for ({detail['origin']})",
    "TriggerReleased": lambda _: "the trigger's line is free again",
    "DialAuthorised": lambda detail: f"the subscriber may be rung: {_leg(detail['leg'])}",
    "DialRefused": lambda detail: f"the subscriber may not be rung: {_words(detail['reason'])}",
    "DialPostponed": lambda detail: f"every channel is taken; the next try is at {detail['dial_at']}",
    "LegRang": lambda detail: f"{_name(detail)} rings",
    "LegAnswered": lambda detail: f"{_name(detail)} answered",
    "LegHungUp": _hung_up,
    "Accepted": lambda detail: f"a first key on {_name(detail)}: a person is there",
    "DestinationKeyed": lambda detail: f"the subscriber asked for {detail['number']}{_tagged(detail)}",
    "DestinationAuthorised": lambda detail: (
        f"the destination may be dialled: {'; else '.join(_leg(leg) for leg in detail['legs'])}"
    ),
    "DestinationRefused": lambda detail: f"the destination may not be dialled: {_words(detail['reason'])}",
    "DialogEnded": lambda detail: f"the dialog ended: {_words(detail['reason'])}",
    "Cancelled": lambda detail: f"cancelled by {detail['by']}",
    "LegsVanished": lambda detail: f"no channel lives any more: {_words(detail['reason'])}",
    "DeadlinePassed": lambda _: "the time for this was over",
}


def _leg(leg: Detail) -> str:
    limit = f" for at most {leg['limit']} s" if leg.get("limit") else ""
    return f"{_short(leg['id'])} to {leg['number']} by {leg['trunk']}{limit}"


def _name(detail: Detail) -> str:
    return f"leg {_short(detail['leg_id'])}"


def _short(leg_id: str) -> str:
    """`a1` of `<callback>-a1`."""
    return leg_id.rpartition("-")[2]


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _seconds(microseconds: int) -> str:
    sign = "-" if microseconds < 0 else ""
    whole, rest = divmod(abs(microseconds), MICROSECONDS)
    return f"{sign}{whole}.{rest:06d}"

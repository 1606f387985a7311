"""What Asterisk's events say about our legs, and the orders that make and end them.

Reads: AMI events of channels that carry one of our leg ids (as Uniqueid for A, as AccountCode for B).
Gives: events of calls/events.py, timed by Asterisk's own clock; AMI actions.
Knows nothing of: states, money, the database.

A B-leg's accountcode is set in Dial's pre-dial subroutine; until then its channel may carry the A-leg's,
so an A-leg's id counts only together with the Uniqueid.
"""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from calls import events
from calls.callback import BUSY_CAUSE, CALLBACK_PREFIX, Callback, Leg, ReleasedBy
from calls.events import Event

# Header names of AMI events; `Dest…` is the called channel in Dial events.
Headers = Mapping[str, str]
WATCHED_EVENTS = ("Newstate", "DialBegin", "DialState", "DialEnd", "DTMFEnd", "HangupRequest", "Hangup")
DIAL_EVENTS = frozenset({"DialBegin", "DialState", "DialEnd"})
"""These tell of two channels; ours is the called one. DialBegin is the first that names a leg: a carrier may
let seconds pass before its phone rings, and until then there is no Newstate."""
LEG_SUFFIX = re.compile(r"[ab][0-9]{1,4}")
RINGING, UP = "5", "6"  # ChannelState, include/asterisk/channelstate.h
PROGRESS = "PROGRESS"
"""DialState's word for SIP 183: many networks send nothing else while a phone rings, and let it be heard."""
NO_ANSWER_CAUSE = 19
NORMAL_CLEARING_CAUSE = 16
REJECTED_CAUSE = 21
"""Stands for a 302 that is not followed: Asterisk then gives cause 23, or 0 with this status of its Dial."""
SAYS_NOTHING = frozenset({0, NORMAL_CLEARING_CAUSE, 127})
"""Causes that Asterisk gives for want of a better one; any other is the far end's own word."""
GONE_MAX = 1_000
"""How many ended legs are remembered: those of the last seconds, even at a hundred calls a second."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LegNews:
    """One event and the callback it belongs to."""

    callback_id: str
    event: Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Originate:
    """The action that rings a subscriber: its headers, and the channel's variables, one header each."""

    headers: Mapping[str, str]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """What earlier events told of a leg that its hang-up does not repeat."""

    channel: str = ""
    answered_at: datetime | None = None
    keyed: bool = False
    released_at: datetime | None = None
    """When the far end's BYE came; None while it has not released."""
    dial_status: str = ""


class LegWatch:
    """Follows the channels of our legs through AMI events."""

    def __init__(self, tell: Callable[[LegNews], None]) -> None:
        """`tell` receives every piece of news, in the order of the events."""
        self._tell = tell
        self._seen: dict[str, _Seen] = {}
        self._gone: deque[str] = deque(maxlen=GONE_MAX)
        self.gaps = 0
        """How often the stream of events was interrupted: what was not seen across a gap proves nothing."""

    def has_shown(self, leg_id: str) -> bool:
        """Whether Asterisk has shown a channel of that leg lately, gone or not."""
        return leg_id in self._seen or leg_id in self._gone

    def has_seen(self, leg_id: str) -> bool:
        """Whether Asterisk has shown a channel of that leg that is not gone yet."""
        return leg_id in self._seen

    def channel_of(self, leg_id: str) -> str:
        """The name of that leg's channel; empty while Asterisk has shown none, or when it is gone."""
        seen = self._seen.get(leg_id)
        return "" if seen is None else seen.channel

    def on_event(self, name: str, headers: Headers) -> None:
        """Take one AMI event; those of other people's channels are ignored."""
        leg_id = leg_id_of(headers, dialled=name in DIAL_EVENTS)
        if leg_id is None or (leg_id not in self._seen and leg_id in self._gone):
            return
        channel = headers.get("DestChannel" if name in DIAL_EVENTS else "Channel", "")
        seen = self._seen.setdefault(leg_id, _Seen(channel=channel))
        at = timestamp_of(headers)
        match name:
            case "Newstate" if headers.get("ChannelState") == RINGING:
                self._news(leg_id, events.LegRang(at=at, leg_id=leg_id))
            case "DialState" if headers.get("DialStatus") == PROGRESS:
                self._news(leg_id, events.LegRang(at=at, leg_id=leg_id))
            case "Newstate" if headers.get("ChannelState") == UP:
                self._seen[leg_id] = replace(seen, answered_at=at)
                self._news(leg_id, events.LegAnswered(at=at, leg_id=leg_id))
            case "DialEnd":
                self._seen[leg_id] = replace(seen, dial_status=headers.get("DialStatus", ""))
            case "HangupRequest":
                self._seen[leg_id] = replace(seen, released_at=seen.released_at or at)
            case "DTMFEnd" if not seen.keyed and is_leg_a(leg_id) and headers.get("Direction") == "Received":
                # Only the first key is news; which one it was is neither kept nor logged.
                self._seen[leg_id] = replace(seen, keyed=True)
                self._news(leg_id, events.Accepted(at=at, leg_id=leg_id))
            case "Hangup":
                del self._seen[leg_id]
                self._gone.append(leg_id)
                self._news(leg_id, self._hung_up(leg_id, seen, headers, at))
            case _:
                pass

    def forget_all(self) -> None:
        """Start anew after a lost connection: AMI never repeats an event."""
        self._seen.clear()
        self.gaps += 1

    def _news(self, leg_id: str, event: Event) -> None:
        self._tell(LegNews(callback_id=callback_id_of(leg_id), event=event))

    def _hung_up(self, leg_id: str, seen: _Seen, headers: Headers, at: datetime) -> Event:
        cause = int(headers.get("Cause", "0") or 0)
        # After a lost connection the answer may have gone unseen; the channel itself still knows.
        is_up = headers.get("ChannelState") == UP
        answered = seen.answered_at is not None or is_up
        if not answered and seen.released_at is None and cause in SAYS_NOTHING:
            # We ended the attempt: DialStatus tells a ring time-out from a caller who went away.
            forwards = cause == 0 and seen.dial_status == ("CANCEL" if is_leg_a(leg_id) else "BUSY")
            cause = REJECTED_CAUSE if forwards else cause_of_status(seen.dial_status)
        by = ReleasedBy.US if seen.released_at is None else ReleasedBy.FAR
        # Asterisk tells of the hang-up once its AGI session has ended, some 45 ms after an A-leg's BYE.
        return events.LegHungUp(
            at=seen.released_at or at,
            leg_id=leg_id,
            q850_cause=cause,
            released_by=by,
            answer_unseen=is_up and seen.answered_at is None,
        )


def callback_id_of(leg_id: str) -> str:
    """The callback that a leg id begins with."""
    return leg_id.rpartition("-")[0]


def is_leg_a(leg_id: str) -> bool:
    """Whether that is an A-leg's id."""
    return leg_id.rpartition("-")[2].startswith("a")


def leg_id_of(headers: Headers, *, dialled: bool = False) -> str | None:
    """Our leg id in an event's headers; None if the channel is none of ours."""
    prefix = "Dest" if dialled else ""
    unique_id = headers.get(f"{prefix}Uniqueid", "")
    account = headers.get(f"{prefix}AccountCode", "")
    callback_id, _, suffix = account.rpartition("-")
    if not callback_id.startswith(CALLBACK_PREFIX) or LEG_SUFFIX.fullmatch(suffix) is None:
        return None
    if suffix.startswith("a") and account != unique_id:
        return None
    return account


def timestamp_of(headers: Headers) -> datetime:
    """The event's own instant in UTC, exact to the microsecond (manager.conf: timestampevents=yes)."""
    return micros_to_utc(headers["Timestamp"])


def micros_to_utc(text: str) -> datetime:
    """`1764000000.123456` as an aware datetime; no float on the way, it would lose microseconds."""
    seconds, _, fraction = text.partition(".")
    micros = int((fraction + "000000")[:6])
    return EPOCH + timedelta(seconds=int(seconds), microseconds=micros)


STATUSES_OF_A_CHANNEL = frozenset({"BUSY", "NOANSWER", "CANCEL"})
"""Dial says so of a channel that it had; the others it says also if it got none."""


def cause_of_status(dial_status: str) -> int:
    """The Q.850 cause that stands for Dial's DIALSTATUS when no channel told one."""
    return {
        "BUSY": BUSY_CAUSE,
        "NOANSWER": NO_ANSWER_CAUSE,
        "CANCEL": NORMAL_CLEARING_CAUSE,
        "CHANUNAVAIL": 34,
        "CONGESTION": 34,
        "": NO_ANSWER_CAUSE,
    }.get(dial_status, 0)


def originate(callback: Callback, leg: Leg, *, token: str, dialled: str, absolute_seconds: int) -> Originate:
    """AMI Originate for an A-leg. `dialled` is the trunk's form of the number: digits and `+` only."""
    shown = str(leg.caller_id_shown) if leg.caller_id_shown is not None else ""
    return Originate(
        headers={
            "Channel": f"PJSIP/{dialled}@{leg.trunk}",
            "ChannelId": leg.id,
            "Account": leg.id,
            "Context": "dialback-ivr",
            "Exten": "s",
            "Priority": "1",
            "Timeout": str(leg.ring_seconds * 1000),
            "CallerID": shown,
            "Async": "true",
        },
        variables={
            "DIALBACK_LEG": leg.id,
            "DIALBACK_TOKEN": token,
            "DIALBACK_ABSOLUTE": str(absolute_seconds),
            # Originate cannot be told to ignore a 302: what follows one is led to where nothing is.
            "FORWARD_CONTEXT": "dialback-nowhere",
        },
    )


def dial_arguments(leg: Leg, *, dialled: str, in_call_key: str) -> tuple[str, str, str]:
    """The arguments of Dial for a B-leg: channel, ring seconds, options.

    g: our dialog goes on after the destination hangs up. i: forwarding is ignored, whoever asks for it.
    H: the subscriber's in-call key ends this leg. b(): the leg's id is put on the channel first.
    L(): the longest talk that the credit pays for, in milliseconds, kept by Asterisk even if we die.
    """
    options = f"gi{'H' if in_call_key else ''}b(dialback-leg^s^1({leg.id}))L({leg.talk_seconds_max * 1000})"
    return f"PJSIP/{dialled}@{leg.trunk}", str(leg.ring_seconds), options

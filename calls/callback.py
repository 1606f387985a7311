"""What is remembered of a callback: one accepted trigger or request, until its end.

Reads: nothing.
Gives: Callback, its Origin and its Legs, as values; their states.
Knows nothing of: time, Asterisk, SQL, prices.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from calls.cdr import Cdr, Disposition, LegRole
from values.e164 import E164


class State(StrEnum):
    """The condition a callback is in; the last five are ends."""

    REQUESTED = "requested"
    DIALING_A = "dialing_a"
    RETRY_WAIT = "retry_wait"
    COLLECTING = "collecting"
    AUTHORIZING = "authorizing"
    DIALING_B = "dialing_b"
    TALKING = "talking"
    RELEASING = "releasing"
    COMPLETED = "completed"
    UNANSWERED = "unanswered"
    ABANDONED = "abandoned"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_end(self) -> bool:
        """Whether nothing moves a callback out of this state any more."""
        return self in ENDS


ENDS = frozenset({State.COMPLETED, State.UNANSWERED, State.ABANDONED, State.FAILED, State.CANCELLED})
WAITING = frozenset({State.REQUESTED, State.RETRY_WAIT})


class OriginKind(StrEnum):
    """By which door the wish came in."""

    RING = "ring"
    WEB = "web"
    API = "api"
    CLI = "cli"
    VERIFY = "verify"
    """A number is to be proven: a code is spoken, and no destination is ever dialled."""


class Reason(StrEnum):
    """Why a callback ended, or a destination was refused; each has a sentence and a prompt."""

    TALKED = "talked"
    NOT_ACCEPTED = "not_accepted"
    GAVE_UP = "gave_up"
    LEFT = "left"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNOBTAINABLE = "unobtainable"
    CONGESTION = "congestion"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    VANISHED = "vanished"
    NEVER_SEEN = "never_seen"
    NO_CREDIT = "no_credit"
    NO_RATE = "no_rate"
    NO_ROUTE = "no_route"
    BLOCKED = "blocked"
    COUNTRY_DENIED = "country_denied"
    ACCOUNT_CLOSED = "account_closed"
    NUMBER_REFUSED = "number_refused"
    EMERGENCY = "emergency"
    OWN_NUMBER = "own_number"
    OVERDUE = "overdue"
    TRY_LATER = "try_later"
    CODE_SPOKEN = "code_spoken"
    SPEND_CAP = "spend_cap"


class ReleasedBy(StrEnum):
    """Which side ended a leg."""

    FAR = "far"
    US = "us"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a callback came from, as it was received: raw beside normalised."""

    kind: OriginKind
    received_at: datetime
    did: E164 | None = None
    trunk: str = ""
    caller_number_raw: str = ""
    caller_number: E164 | None = None
    trigger_id: str = ""
    idempotency_key: str = ""
    reference: str = ""
    topic: str = ""
    tag: str = ""
    remote_address: str = ""

    @property
    def label(self) -> str:
        """The origin in one word, `ring:+12025550111` or `web`."""
        return f"{self.kind}:{self.did}" if self.did is not None else str(self.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One call of ours, from the order to its release. `id` is chosen before anything is sent.

    `price_rate_id`, `cost_rate_id`, `origin_class` (of the caller ID shown), `surcharge_per_minute` (10^-8)
    and `package_seconds` (how many a package covers at most) are pinned at `authorised_at`, never looked up
    again. A later route is authorised with the first and ordered when that one has failed.
    `talk_seconds_max` is the limit that travels inside Dial's own L(); 0 for an A-leg.
    `invited_at` is known at the leg's end: since when its carrier may have heard of it; None if it never did.
    """

    id: str
    role: LegRole
    number: E164
    trunk: str
    caller_id_shown: E164 | None
    price_rate_id: str
    cost_rate_id: str
    ring_seconds: int
    talk_seconds_max: int = 0
    authorised_at: datetime | None = None
    ordered_at: datetime | None = None
    invited_at: datetime | None = None
    rang_at: datetime | None = None
    answered_at: datetime | None = None
    accepted_at: datetime | None = None
    hung_up_at: datetime | None = None
    q850_cause: int | None = None
    released_by: ReleasedBy | None = None
    estimated: bool = False
    tag: str = ""
    origin_class: str = ""
    surcharge_per_minute: int = 0
    package_seconds: int = 0

    @property
    def is_live(self) -> bool:
        """Whether it was ordered and is not known to be gone."""
        return self.ordered_at is not None and self.hung_up_at is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """One callback. Everything that step() needs to decide is in here."""

    id: str
    state: State
    account_id: str
    subscriber_id: str
    plan_id: str
    currency: str
    origin: Origin
    number_a: E164
    caller_id_a: E164 | None
    created_at: datetime
    expires_at: datetime
    home_country: str
    language: str = "en"
    destination: E164 | None = None
    dial_at: datetime | None = None
    deadline_at: datetime | None = None
    attempts_max: int = 1
    retry_gaps_seconds: tuple[int, ...] = ()
    quick_retry_used: bool = False
    follow_on_key: str = "#"
    in_call_key: str = "##"
    hold_units: int = 0
    legs: tuple[Leg, ...] = ()
    planned: tuple[Leg, ...] = field(default=())
    ending: Reason | None = None
    reason: Reason | None = None
    ended_at: datetime | None = None
    cancelled_by: str = ""

    @property
    def is_verification(self) -> bool:
        """Whether it only speaks a code to a number that is to be proven."""
        return self.origin.kind is OriginKind.VERIFY

    @property
    def leg_a(self) -> Leg | None:
        """The latest A-leg; earlier ones are attempts that found nobody."""
        return next((leg for leg in reversed(self.legs) if leg.role is LegRole.A), None)

    @property
    def leg_b(self) -> Leg | None:
        """The latest B-leg."""
        return next((leg for leg in reversed(self.legs) if leg.role is LegRole.B), None)

    @property
    def legs_b(self) -> tuple[Leg, ...]:
        """All B-legs that were dialled, in order."""
        return tuple(leg for leg in self.legs if leg.role is LegRole.B)

    @property
    def live_legs(self) -> tuple[Leg, ...]:
        """The legs that are up or being tried."""
        return tuple(leg for leg in self.legs if leg.is_live)

    @property
    def attempts_made(self) -> int:
        """How many times A was ordered, the quick retry after a busy not counted."""
        made = sum(1 for leg in self.legs if leg.role is LegRole.A)
        return made - (1 if self.quick_retry_used and made > 1 else 0)

    @property
    def accepted_at(self) -> datetime | None:
        """When the first key was pressed on the A-leg: a human is there."""
        return self.leg_a.accepted_at if self.leg_a is not None else None

    @property
    def has_talked(self) -> bool:
        """Whether at least one destination was answered."""
        return any(leg.answered_at is not None for leg in self.legs_b)

    def leg(self, leg_id: str) -> Leg | None:
        """The leg of that id, planned ones included; None if it is not one of ours."""
        return next((leg for leg in (*self.legs, *self.planned) if leg.id == leg_id), None)

    def with_leg(self, leg: Leg) -> "Callback":
        """This callback with that leg in place of the one of the same id, or added at the end."""
        if any(known.id == leg.id for known in self.legs):
            legs = tuple(leg if known.id == leg.id else known for known in self.legs)
        else:
            legs = (*self.legs, leg)
        return replace(self, legs=legs, planned=tuple(each for each in self.planned if each.id != leg.id))


CALLBACK_PREFIX = "cb"


def callback_id(fresh: str) -> str:
    """The id of a new callback, from a fresh id (values/ids.py); by its prefix its channels are known."""
    return f"{CALLBACK_PREFIX}{fresh}"


def next_leg_id(callback: Callback, role: LegRole) -> str:
    """The id of the next leg of that role, `<callback>-a1`, `-b1`, …; never used before.

    It is a channel id in Asterisk (AMI Originate's ChannelId, at most 149 characters) and an accountcode.
    """
    used = sum(1 for leg in (*callback.legs, *callback.planned) if leg.role is role)
    return f"{callback.id}-{role.lower()}{used + 1}"


def cdr_of(callback: Callback, leg: Leg) -> Cdr:
    """The record of a leg that is gone; ValueError if it is still live or was never ordered."""
    if leg.ordered_at is None or leg.hung_up_at is None:
        raise ValueError(f"leg {leg.id} has not ended")
    return Cdr(
        leg_id=leg.id,
        callback_id=callback.id,
        role=leg.role,
        number=leg.number,
        trunk=leg.trunk,
        invited_at=leg.invited_at or leg.ordered_at,
        rang_at=leg.rang_at,
        answered_at=leg.answered_at,
        accepted_at=leg.accepted_at,
        hung_up_at=leg.hung_up_at,
        q850_cause=leg.q850_cause or 0,
        disposition=disposition_of(leg),
        estimated=leg.estimated,
    )


def booked_under(callback: Callback, leg: Leg) -> str:
    """The cost tag of a leg. The A-leg goes with the first call that was made on it, answered if one was."""
    if leg.role is LegRole.B or not callback.legs_b:
        return leg.tag
    answered = [each for each in callback.legs_b if each.answered_at is not None]
    return (answered or callback.legs_b)[0].tag


def disposition_of(leg: Leg) -> Disposition:
    """How that leg ended. An answer decides first: the hangup cause says nothing about it."""
    if leg.answered_at is not None:
        unaccepted = leg.role is LegRole.A and leg.accepted_at is None
        return Disposition.NOT_ACCEPTED if unaccepted else Disposition.ANSWERED
    if leg.q850_cause in NO_ANSWER_CAUSES:
        return Disposition.NO_ANSWER
    return DISPOSITIONS.get(leg.q850_cause or 0, Disposition.UNKNOWN)


# ITU-T Q.850 cause numbers.
NO_ANSWER_CAUSES = frozenset({18, 19})
BUSY_CAUSE = 17
DISPOSITIONS = {
    1: Disposition.UNOBTAINABLE,
    2: Disposition.UNOBTAINABLE,
    3: Disposition.UNOBTAINABLE,
    16: Disposition.CANCELLED,
    BUSY_CAUSE: Disposition.BUSY,
    20: Disposition.UNOBTAINABLE,
    21: Disposition.REJECTED,
    22: Disposition.UNOBTAINABLE,
    23: Disposition.REJECTED,  # a 302: forwarding is not followed, and no other carrier would change it
    27: Disposition.CONGESTION,
    28: Disposition.UNOBTAINABLE,
    34: Disposition.CONGESTION,
    38: Disposition.CONGESTION,
    41: Disposition.CONGESTION,
    42: Disposition.CONGESTION,
    44: Disposition.CONGESTION,
    47: Disposition.CONGESTION,
    58: Disposition.CONGESTION,
    102: Disposition.CONGESTION,
    127: Disposition.CONGESTION,
}
REASON_OF = {
    Disposition.BUSY: Reason.BUSY,
    Disposition.NO_ANSWER: Reason.NO_ANSWER,
    Disposition.REJECTED: Reason.REJECTED,
    Disposition.UNOBTAINABLE: Reason.UNOBTAINABLE,
    Disposition.CONGESTION: Reason.CONGESTION,
    Disposition.CANCELLED: Reason.NO_ANSWER,
    Disposition.UNKNOWN: Reason.CONGESTION,
}

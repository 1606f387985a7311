"""What happened to a callback: facts, in the past tense, each with the instant it became true.

Reads: nothing.
Gives: the events of calls/transitions.py. `at` is an aware UTC datetime.
Knows nothing of: where a fact came from (AMI, AGI, a clock, a person).
"""

from dataclasses import dataclass
from datetime import datetime

from calls.callback import Leg, Reason, ReleasedBy
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that is true since `at`."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerReleased(Event):
    """The trigger's line is free again: the guard delay starts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialAuthorised(Event):
    """The A-leg may ring: credit is held, a route is chosen, the leg's id is fixed."""

    leg: Leg
    hold_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DialRefused(Event):
    """The A-leg may not ring, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DialPostponed(Event):
    """Every channel that could carry the A-leg is taken; it is tried again at `dial_at`."""

    dial_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LegRang(Event):
    """The far phone alerts, or may: a network that plays sound before the answer does not tell which."""

    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegAnswered(Event):
    """The far phone is off-hook: this leg's clock runs from here."""

    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegHungUp(Event):
    """The leg's channel is gone, answered or not. `q850_cause` is an ITU-T Q.850 number."""

    leg_id: str
    q850_cause: int
    released_by: ReleasedBy
    estimated: bool = False
    ringing_unseen: bool = False
    """Found out afterwards: that no ringing was told proves nothing."""
    answer_unseen: bool = False
    """The channel was up, but nobody heard it answer: its evidence is to be asked before it is closed."""
    never_dialled: bool = False
    """It surely never got a channel: no carrier was asked for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted(Event):
    """The first key was pressed on the A-leg: a human is there."""

    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationKeyed(Event):
    """The subscriber named a destination, or confirmed the one that was fixed; `tag` if a code was keyed."""

    number: E164
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationAuthorised(Event):
    """The destination may be dialled: `legs` are its routes in order, the hold is raised to `hold_units`."""

    legs: tuple[Leg, ...]
    hold_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRefused(Event):
    """The destination may not be dialled, and why."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DialogEnded(Event):
    """The spoken part is over without a destination: NOT_ACCEPTED, GAVE_UP; or CODE_SPOKEN, as wished."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancelled(Event):
    """A person took the wish back."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LegsVanished(Event):
    """No channel of this callback lives and nothing says how they ended; `at` is the last proof of life."""

    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadlinePassed(Event):
    """The state's deadline is over and nothing else happened."""

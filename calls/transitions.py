"""The one table that moves a callback, and step(), which applies it.

Laws:
1. All that moves a callback is in this file.
2. Nothing here knows the time, Asterisk or SQL: instants come with events, waits with Limits.
3. An event that is not in the row of the state is an error and changes nothing. Stale events (of a leg that
   is gone, or told twice) are dropped before, by is_stale().
4. A hold opened here is settled here, once, at the end; retry_wait is entered only after a known busy or no
   answer, or after a failure that surely rang nobody.
5. Every state that is not an end has a deadline.
6. The picture in docs/STATES.md is printed from this table; a test fails if it differs.

Reads: a Callback, an Event, the Limits.
Gives: the next Callback and the Commands to commit with it.
Knows nothing of: who reports events and who performs commands.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calls import events
from calls.callback import (
    ENDS,
    REASON_OF,
    Callback,
    Leg,
    Reason,
    ReleasedBy,
    State,
    disposition_of,
)
from calls.cdr import Disposition, LegRole
from calls.commands import Authorise, Command, DialB, HangUp, Opening, OriginateA, RunDialog, Settle
from calls.events import Event
from calls.limits import Limits

FINISHES = (State.COMPLETED, State.UNANSWERED, State.ABANDONED, State.CANCELLED)
"""The ends of a callback whose legs are all known to be gone."""

Step = tuple[Callback, tuple[Command, ...]]
Rule = Callable[[Callback, Event, Limits], Step]


class IllegalEventError(Exception):
    """This event cannot happen to a callback in that state; nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the table: in `state`, that event leads to one of `to`."""

    state: State
    event: type[Event]
    to: tuple[State, ...]
    rule: Rule


TABLE: dict[tuple[State, type[Event]], Row] = {}


def step(callback: Callback, event: Event, limits: Limits) -> Step:
    """The callback after `event`, and what is to be done; IllegalEventError if the table has no such row."""
    row = TABLE.get((callback.state, type(event)))
    if row is None:
        raise IllegalEventError(f"callback {callback.id}: {type(event).__name__} in state {callback.state}")
    after, commands = row.rule(callback, event, limits)
    if after.state not in row.to:
        raise IllegalEventError(f"callback {callback.id}: {row.state} may not lead to {after.state}")
    deadline = None if after.state.is_end else _deadline(after, event.at, limits)
    return replace(after, deadline_at=deadline), commands


def is_stale(callback: Callback, event: Event) -> bool:
    """Whether the event tells nothing new: its leg is not ours, is gone already, or the fact is known."""
    match event:
        case events.LegRang(leg_id=leg_id):
            leg = callback.leg(leg_id)
            return leg is None or not leg.is_live or leg.rang_at is not None or leg.answered_at is not None
        case events.LegAnswered(leg_id=leg_id):
            leg = callback.leg(leg_id)
            return leg is None or not leg.is_live or leg.answered_at is not None
        case events.LegHungUp(leg_id=leg_id):
            leg = callback.leg(leg_id)
            return leg is None or not leg.is_live
        case events.Accepted(leg_id=leg_id):
            leg = callback.leg(leg_id)
            unknown = leg is None or leg.accepted_at is not None
            return unknown or callback.state is not State.COLLECTING
        case events.TriggerReleased():
            return callback.dial_at is not None or callback.state is not State.REQUESTED
        case (
            events.DestinationKeyed()
            | events.DestinationAuthorised()
            | events.DestinationRefused()
            | events.DialogEnded()
            | events.Cancelled()
        ):  # the end is decided; these were under way when it was
            return callback.state is State.RELEASING or callback.state.is_end
        case _:
            return callback.state.is_end


def rows() -> Iterator[Row]:
    """The table in the order of the states, for the picture in the documents."""
    order = list(State)
    yield from sorted(TABLE.values(), key=lambda row: (order.index(row.state), row.event.__name__))


def _row(state: State, event: type[Event], *to: State) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        TABLE[state, event] = Row(state=state, event=event, to=to, rule=rule)
        return rule

    return register


def _deadline(callback: Callback, at: datetime, limits: Limits) -> datetime:
    """When this state has lasted too long."""
    match callback.state:
        case State.REQUESTED if callback.dial_at is None:
            seconds = limits.trigger_ring_seconds + limits.settle_seconds
        case State.REQUESTED | State.RETRY_WAIT:
            return callback.expires_at
        case State.DIALING_A | State.DIALING_B:
            leg = callback.leg_a if callback.state is State.DIALING_A else callback.leg_b
            seconds = (leg.ring_seconds if leg else 0) + limits.settle_seconds
            # From the order, not from the last news: a late ringing must not put the end off.
            at = leg.ordered_at if leg is not None and leg.ordered_at is not None else at
        case State.TALKING:
            leg = callback.leg_b
            seconds = (leg.talk_seconds_max if leg else 0) + limits.talk_guard_seconds
        case State.AUTHORIZING:
            seconds = limits.authorise_seconds
        case State.RELEASING:
            seconds = limits.release_seconds
        case _:
            seconds = limits.dialog_seconds
    return at + timedelta(seconds=seconds)


# requested, retry_wait: nothing is ringing


@_row(State.REQUESTED, events.TriggerReleased, State.REQUESTED)
def _start_guard_delay(callback: Callback, event: Event, limits: Limits) -> Step:
    return _due_at(callback, event.at + timedelta(seconds=limits.guard_seconds), limits), ()


@_row(State.REQUESTED, events.DialAuthorised, State.DIALING_A)
@_row(State.RETRY_WAIT, events.DialAuthorised, State.DIALING_A)
def _ring_a(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DialAuthorised)
    _refuse_used_ids(callback, (event.leg,))
    leg = replace(event.leg, authorised_at=event.at, ordered_at=event.at)
    after = replace(callback.with_leg(leg), state=State.DIALING_A, hold_units=event.hold_units)
    return after, (OriginateA(leg=leg),)


@_row(State.REQUESTED, events.DialRefused, State.FAILED)
@_row(State.RETRY_WAIT, events.DialRefused, State.FAILED)
def _refuse_to_ring(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DialRefused)
    return _end(callback, State.FAILED, event.reason, event.at)


@_row(State.REQUESTED, events.DialPostponed, State.REQUESTED)
@_row(State.RETRY_WAIT, events.DialPostponed, State.RETRY_WAIT)
def _wait_for_a_channel(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DialPostponed)
    return replace(callback, dial_at=event.dial_at), ()


@_row(State.REQUESTED, events.Cancelled, State.CANCELLED)
@_row(State.RETRY_WAIT, events.Cancelled, State.CANCELLED)
def _take_back(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.Cancelled)
    return _end(replace(callback, cancelled_by=event.by), State.CANCELLED, Reason.CANCELLED, event.at)


@_row(State.REQUESTED, events.DeadlinePassed, State.REQUESTED, State.FAILED)
@_row(State.RETRY_WAIT, events.DeadlinePassed, State.FAILED)
def _go_stale(callback: Callback, event: Event, limits: Limits) -> Step:
    if callback.dial_at is None:  # the trigger's hang-up was never reported, but it cannot ring any more
        return _start_guard_delay(callback, event, limits)
    return _end(callback, State.FAILED, Reason.EXPIRED, event.at)


# dialing_a: the subscriber's phone is being rung


@_row(State.DIALING_A, events.LegRang, State.DIALING_A)
@_row(State.DIALING_B, events.LegRang, State.DIALING_B)
def _note_ringing(callback: Callback, event: Event, _limits: Limits) -> Step:
    leg = _leg_of(callback, event)
    return callback.with_leg(replace(leg, rang_at=event.at)), ()


@_row(State.DIALING_A, events.LegAnswered, State.COLLECTING)
def _greet(callback: Callback, event: Event, _limits: Limits) -> Step:
    leg = _leg_of(callback, event)
    after = replace(callback.with_leg(replace(leg, answered_at=event.at)), state=State.COLLECTING)
    opening = Opening.SPEAK_CODE if callback.is_verification else Opening.WELCOME
    return after, (RunDialog(opening=opening),)


@_row(State.DIALING_A, events.LegHungUp, State.RETRY_WAIT, State.UNANSWERED, State.FAILED)
def _a_not_reached(callback: Callback, event: Event, limits: Limits) -> Step:
    assert isinstance(event, events.LegHungUp)
    after, leg = _hung_up(callback, event)
    disposition = disposition_of(leg)
    reason = REASON_OF.get(disposition, Reason.CONGESTION)
    # An end of unknown cause proves nothing, nor does one that nobody listened to: the phone may have rung.
    unrung = leg.rang_at is None and not event.ringing_unseen
    rang_nobody = unrung and disposition is Disposition.CONGESTION
    if (reason is Reason.BUSY or rang_nobody) and not callback.quick_retry_used:
        retry_at = event.at + timedelta(seconds=limits.quick_retry_seconds)
        return _wait_for_retry(replace(after, quick_retry_used=True), retry_at, limits)
    if reason in {Reason.BUSY, Reason.NO_ANSWER} and callback.attempts_made < callback.attempts_max:
        retry_at = event.at + timedelta(seconds=_gap_seconds(callback))
        return _wait_for_retry(after, retry_at, limits)
    found_nobody = reason in {Reason.BUSY, Reason.NO_ANSWER, Reason.REJECTED} and callback.attempts_max == 1
    return _end(after, State.UNANSWERED if found_nobody else State.FAILED, reason, event.at)


@_row(State.DIALING_A, events.Cancelled, State.RELEASING)
@_row(State.COLLECTING, events.Cancelled, State.RELEASING)
@_row(State.AUTHORIZING, events.Cancelled, State.RELEASING)
@_row(State.DIALING_B, events.Cancelled, State.RELEASING)
@_row(State.TALKING, events.Cancelled, State.RELEASING)
def _break_off(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.Cancelled)
    return _release(replace(callback, cancelled_by=event.by), Reason.CANCELLED)


@_row(State.DIALING_A, events.DeadlinePassed, State.RELEASING)
@_row(State.COLLECTING, events.DeadlinePassed, State.RELEASING)
@_row(State.AUTHORIZING, events.DeadlinePassed, State.RELEASING)
@_row(State.DIALING_B, events.DeadlinePassed, State.RELEASING)
@_row(State.TALKING, events.DeadlinePassed, State.RELEASING)
@_row(State.RELEASING, events.DeadlinePassed, State.RELEASING)
def _overdue(callback: Callback, _event: Event, _limits: Limits) -> Step:
    return _release(callback, callback.ending or Reason.OVERDUE)


# collecting, authorizing: the subscriber is on the line and no destination is


@_row(State.COLLECTING, events.Accepted, State.COLLECTING)
def _accept(callback: Callback, event: Event, _limits: Limits) -> Step:
    leg = _leg_of(callback, event)
    return callback.with_leg(replace(leg, accepted_at=event.at)), ()


@_row(State.COLLECTING, events.DestinationKeyed, State.AUTHORIZING)
def _authorise(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DestinationKeyed)
    if callback.is_verification:
        raise IllegalEventError(f"callback {callback.id} proves a number and dials no destination")
    leg = callback.leg_a
    if leg is not None and leg.accepted_at is None:
        # Keying a number is pressing a key: no destination is ever dialled for a leg that is not accepted.
        callback = callback.with_leg(replace(leg, accepted_at=event.at))
    return replace(callback, state=State.AUTHORIZING), (Authorise(number=event.number, tag=event.tag),)


@_row(State.COLLECTING, events.DialogEnded, State.RELEASING)
def _say_goodbye(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DialogEnded)
    return _release(callback, event.reason)


@_row(State.AUTHORIZING, events.DestinationAuthorised, State.DIALING_B)
def _dial_first_route(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DestinationAuthorised)
    _refuse_used_ids(callback, event.legs)
    legs = tuple(replace(leg, authorised_at=event.at) for leg in event.legs)
    held = replace(callback, hold_units=event.hold_units, planned=legs)
    return _dial(held, legs[0], event.at)


@_row(State.AUTHORIZING, events.DestinationRefused, State.COLLECTING)
def _explain(callback: Callback, event: Event, _limits: Limits) -> Step:
    assert isinstance(event, events.DestinationRefused)
    after = replace(callback, state=State.COLLECTING)
    return after, (RunDialog(opening=Opening.ASK_AGAIN, reason=event.reason),)


@_row(State.COLLECTING, events.LegHungUp, State.COMPLETED, State.ABANDONED)
@_row(State.AUTHORIZING, events.LegHungUp, State.COMPLETED, State.ABANDONED)
def _subscriber_left(callback: Callback, event: Event, _limits: Limits) -> Step:
    after, _leg = _hung_up(callback, event)
    return _finish(after, event.at)


# dialing_b, talking: a destination is tried or bridged


@_row(State.DIALING_B, events.LegAnswered, State.TALKING)
def _talk(callback: Callback, event: Event, _limits: Limits) -> Step:
    leg = _leg_of(callback, event)
    return replace(callback.with_leg(replace(leg, answered_at=event.at)), state=State.TALKING, planned=()), ()


@_row(State.DIALING_B, events.LegHungUp, State.DIALING_B, State.COLLECTING, State.RELEASING)
@_row(State.TALKING, events.LegHungUp, State.COLLECTING, State.RELEASING)
def _leg_gone(callback: Callback, event: Event, _limits: Limits) -> Step:
    after, leg = _hung_up(callback, event)
    if leg.role is LegRole.A:
        return _release(replace(after, planned=()), Reason.LEFT)
    if leg.answered_at is not None:
        opening = Opening.NEXT_NUMBER if leg.released_by is ReleasedBy.US else Opening.FOLLOW_ON
        return replace(after, state=State.COLLECTING), (RunDialog(opening=opening),)
    disposition = disposition_of(leg)
    # SIP 408 without any ringing: the carrier itself said nothing for the whole of Timer B; it is down.
    silent_carrier = leg.rang_at is None and leg.q850_cause == NO_RESPONSE_CAUSE
    if (disposition in NEXT_ROUTE or silent_carrier) and after.planned:
        return _dial(after, after.planned[0], event.at)
    reason = REASON_OF.get(disposition, Reason.CONGESTION)
    after = replace(after, state=State.COLLECTING, planned=())
    if leg.released_by is ReleasedBy.US and disposition is Disposition.CANCELLED:
        return after, (RunDialog(opening=Opening.NEXT_NUMBER),)
    return after, (RunDialog(opening=Opening.FOLLOW_ON, reason=reason),)


# releasing: the end is decided, channels are still going down


@_row(State.RELEASING, events.LegHungUp, State.RELEASING, *FINISHES)
def _one_leg_less(callback: Callback, event: Event, _limits: Limits) -> Step:
    after, _leg = _hung_up(callback, event)
    if after.live_legs:
        return after, ()
    return _finish(after, event.at)


@_row(State.RELEASING, events.LegAnswered, State.RELEASING)
def _answered_too_late(callback: Callback, event: Event, _limits: Limits) -> Step:
    leg, leg_a = _leg_of(callback, event), callback.leg_a
    left_at = leg_a.hung_up_at if leg_a is not None else None
    if leg.role is LegRole.B and left_at is not None and event.at >= left_at:
        # Nobody was left to be connected: the account does not pay for an answer that crossed a hang-up.
        return callback, (HangUp(leg_id=leg.id),)
    return callback.with_leg(replace(leg, answered_at=event.at)), (HangUp(leg_id=leg.id),)


@_row(State.RELEASING, events.LegRang, State.RELEASING)
def _rang_too_late(callback: Callback, event: Event, _limits: Limits) -> Step:
    return callback, ()


def _vanish(callback: Callback, event: Event, _limits: Limits) -> Step:
    """Close the legs at the last proof of life: any doubt is in the account's favour."""
    assert isinstance(event, events.LegsVanished)
    after = callback
    for leg in callback.live_legs:
        ended_at = max(event.at, leg.answered_at or leg.ordered_at or event.at)
        gone = replace(leg, hung_up_at=ended_at, q850_cause=0, released_by=ReleasedBy.US, estimated=True)
        after = after.with_leg(replace(gone, invited_at=leg.ordered_at))
    return _end(replace(after, planned=()), State.FAILED, event.reason, event.at)


for _state in (s for s in State if s not in ENDS):
    _row(_state, events.LegsVanished, State.FAILED)(_vanish)


# What only a fault of the carrier explains: another carrier may do better. Busy, no answer, a wrong number
# and a refusal are the destination's own word and are final.
NEXT_ROUTE = frozenset({Disposition.CONGESTION, Disposition.UNKNOWN})
NO_RESPONSE_CAUSE = 18  # Q.850 "no user responding"; chan_pjsip's hangup_sip2cause gives it for 408


def _leg_of(callback: Callback, event: Event) -> Leg:
    assert isinstance(event, events.LegRang | events.LegAnswered | events.LegHungUp | events.Accepted)
    leg = callback.leg(event.leg_id)
    if leg is None:
        raise IllegalEventError(f"callback {callback.id} has no leg {event.leg_id}")
    return leg


def _refuse_used_ids(callback: Callback, legs: tuple[Leg, ...]) -> None:
    """A leg's id is used once: an authorisation told twice must neither ring again nor overwrite a record."""
    ids = [leg.id for leg in (*callback.legs, *legs)]
    if len(set(ids)) != len(ids) or not legs:
        raise IllegalEventError(f"callback {callback.id}: legs without an id of their own: {ids}")


def _hung_up(callback: Callback, event: Event) -> tuple[Callback, Leg]:
    assert isinstance(event, events.LegHungUp)
    known = _leg_of(callback, event)
    by = event.released_by
    if by is ReleasedBy.US and _has_reached_its_limit(known, event.at):
        by = ReleasedBy.LIMIT  # nobody pressed the in-call key: Dial's L() ended it
    leg = replace(
        known,
        # What may have been sent counts as sent: carriers bill attempts, ours are compared with theirs.
        invited_at=None if event.never_dialled else known.ordered_at,
        hung_up_at=_end_of(known, event),
        q850_cause=event.q850_cause,
        released_by=by,
        estimated=event.estimated,
    )
    return callback.with_leg(leg), leg


def _end_of(leg: Leg, hung_up: events.LegHungUp) -> datetime:
    """When the leg ended, never before it was answered.

    Asterisk stamps a BYE when it comes, an answer or a key when the thread of its channel gets to run: on a
    busy machine the end bears the earlier instant (measured: by 34 ms), though it came later. Who answered
    and then hung up was there, so that leg lasts the least that a clock can tell, not nothing.
    """
    known = max((at for at in (leg.answered_at, leg.accepted_at) if at is not None), default=None)
    if known is None or hung_up.at > known:
        return hung_up.at
    # What is read afterwards was stamped by one thread: there, equal instants are equal.
    is_late = hung_up.at < known or not hung_up.ringing_unseen
    if hung_up.released_by is ReleasedBy.FAR and not hung_up.estimated and is_late:
        return known + MOMENT
    return max(hung_up.at, leg.answered_at or hung_up.at)


MOMENT = timedelta(microseconds=1)


def _has_reached_its_limit(leg: Leg, at: datetime) -> bool:
    if leg.role is LegRole.A or leg.answered_at is None:
        return False
    return at - leg.answered_at >= timedelta(seconds=leg.talk_seconds_max)


def _dial(callback: Callback, leg: Leg, at: datetime) -> Step:
    ordered = replace(leg, ordered_at=at)
    return replace(callback.with_leg(ordered), state=State.DIALING_B), (DialB(leg=ordered),)


def _due_at(callback: Callback, dial_at: datetime, limits: Limits) -> Callback:
    worth = timedelta(seconds=limits.request_worth_seconds)
    return replace(callback, dial_at=dial_at, expires_at=dial_at + worth)


def _wait_for_retry(callback: Callback, dial_at: datetime, limits: Limits) -> Step:
    return _due_at(replace(callback, state=State.RETRY_WAIT), dial_at, limits), ()


def _gap_seconds(callback: Callback) -> int:
    """The gap after the attempt just made; the last one given counts for all later attempts."""
    gaps = callback.retry_gaps_seconds
    return gaps[min(callback.attempts_made, len(gaps)) - 1] if gaps else DEFAULT_GAP_SECONDS


DEFAULT_GAP_SECONDS = 60


def _release(callback: Callback, reason: Reason) -> Step:
    after = replace(callback, state=State.RELEASING, ending=reason)
    return after, tuple(HangUp(leg_id=leg.id) for leg in after.live_legs)


def _finish(callback: Callback, at: datetime) -> Step:
    """The end that fits what happened, once no leg is live."""
    leg_a = callback.leg_a
    if callback.ending is Reason.CANCELLED:
        return _end(callback, State.CANCELLED, Reason.CANCELLED, at)
    if callback.has_talked:
        return _end(callback, State.COMPLETED, Reason.TALKED, at)
    if callback.ending is Reason.CODE_SPOKEN:
        return _end(callback, State.COMPLETED, Reason.CODE_SPOKEN, at)
    if leg_a is None or leg_a.answered_at is None:
        return _end(callback, State.UNANSWERED, Reason.NO_ANSWER, at)
    if leg_a.accepted_at is None:
        return _end(callback, State.ABANDONED, Reason.NOT_ACCEPTED, at)
    return _end(callback, State.ABANDONED, callback.ending or Reason.LEFT, at)


def _end(callback: Callback, state: State, reason: Reason, at: datetime) -> Step:
    ended = replace(callback, state=state, reason=reason, ended_at=at, hold_units=0, planned=())
    return ended, (Settle(),)

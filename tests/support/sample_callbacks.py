"""Callbacks in every state, made by the events that lead there, and the events themselves.

Reads: nothing.
Gives: `requested()`, `in_state()`, `deliver()`; one short function an event.
Knows nothing of: the tests that use them.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from calls import events
from calls.callback import Callback, Leg, Origin, OriginKind, Reason, ReleasedBy, State, next_leg_id
from calls.cdr import LegRole
from calls.commands import Command
from calls.events import Event
from calls.limits import Limits
from calls.transitions import is_stale, step
from values.e164 import E164

T0 = datetime(2026, 5, 4, 12, tzinfo=UTC)
LIMITS = Limits()
CALLBACK_ID = "cb01jt0000000000000000000a"
A1, A2, A3, A4 = (f"{CALLBACK_ID}-a{n}" for n in (1, 2, 3, 4))
B1, B2, B3, B4 = (f"{CALLBACK_ID}-b{n}" for n in (1, 2, 3, 4))
N1 = E164("442079460101")
D1 = E164("61255500123")
D2 = E164("33199001234")
T1 = E164("12025550111")


def at(seconds: float) -> datetime:
    """That long after the callback was made; microseconds are kept."""
    return T0 + timedelta(seconds=seconds)


def requested(
    *,
    kind: OriginKind = OriginKind.RING,
    callback_id: str = CALLBACK_ID,
    attempts: int = 1,
    gaps: tuple[int, ...] = (),
    dial_at: datetime | None = None,
    destination: E164 | None = None,
) -> Callback:
    """A callback as the store first keeps it."""
    due = dial_at or T0
    return Callback(
        id=callback_id,
        state=State.REQUESTED,
        account_id="acc1",
        subscriber_id="sub1",
        plan_id="standard:1",
        currency="USD",
        origin=Origin(kind=kind, received_at=T0, did=T1 if kind is OriginKind.RING else None),
        number_a=N1,
        caller_id_a=T1,
        created_at=T0,
        expires_at=due + timedelta(seconds=LIMITS.request_worth_seconds),
        home_country="GB",
        destination=destination,
        dial_at=dial_at,
        deadline_at=at(LIMITS.trigger_ring_seconds + LIMITS.settle_seconds),
        attempts_max=attempts,
        retry_gaps_seconds=gaps,
    )


def leg_a(callback: Callback, *, ring_seconds: int = 45) -> Leg:
    """The next A-leg of that callback, not yet ordered."""
    return Leg(
        id=next_leg_id(callback, LegRole.A),
        role=LegRole.A,
        number=callback.number_a,
        trunk="alpha",
        caller_id_shown=callback.caller_id_a,
        price_rate_id="rate-a",
        cost_rate_id="cost-a",
        ring_seconds=ring_seconds,
    )


def legs_b(
    callback: Callback, *, routes: int = 2, number: E164 = D1, talk_seconds_max: int = 600
) -> tuple[Leg, ...]:
    """The next B-legs of that callback, one a route, not yet ordered."""
    legs: list[Leg] = []
    for index in range(routes):
        so_far = replace(callback, planned=tuple(legs))
        legs.append(
            Leg(
                id=next_leg_id(so_far, LegRole.B),
                role=LegRole.B,
                number=number,
                trunk=("alpha", "beta", "gamma")[index % 3],
                caller_id_shown=callback.number_a,
                price_rate_id="rate-b",
                cost_rate_id=f"cost-b{index}",
                ring_seconds=60,
                talk_seconds_max=talk_seconds_max,
            )
        )
    return tuple(legs)


# one function an event


def released(seconds: float = 5) -> Event:
    return events.TriggerReleased(at=at(seconds))


def dial_authorised(callback: Callback, seconds: float = 8) -> Event:
    return events.DialAuthorised(at=at(seconds), leg=leg_a(callback), hold_units=500)


def dial_refused(reason: Reason = Reason.NO_CREDIT, seconds: float = 8) -> Event:
    return events.DialRefused(at=at(seconds), reason=reason)


def dial_postponed(seconds: float = 8) -> Event:
    return events.DialPostponed(at=at(seconds), dial_at=at(seconds + 1))


def rang(leg_id: str = A1, seconds: float = 10) -> Event:
    return events.LegRang(at=at(seconds), leg_id=leg_id)


def answered(leg_id: str = A1, seconds: float = 15) -> Event:
    return events.LegAnswered(at=at(seconds), leg_id=leg_id)


def hung_up(
    leg_id: str = A1,
    cause: int = 16,
    seconds: float = 60,
    by: ReleasedBy = ReleasedBy.FAR,
    *,
    ringing_unseen: bool = False,
) -> Event:
    return events.LegHungUp(
        at=at(seconds), leg_id=leg_id, q850_cause=cause, released_by=by, ringing_unseen=ringing_unseen
    )


def accepted(leg_id: str = A1, seconds: float = 19) -> Event:
    return events.Accepted(at=at(seconds), leg_id=leg_id)


def keyed(number: E164 = D1, seconds: float = 25) -> Event:
    return events.DestinationKeyed(at=at(seconds), number=number)


def destination_authorised(callback: Callback, seconds: float = 25.1, *, routes: int = 2) -> Event:
    legs = legs_b(callback, routes=routes)
    return events.DestinationAuthorised(at=at(seconds), legs=legs, hold_units=48_000)


def destination_refused(reason: Reason = Reason.NO_RATE, seconds: float = 25.1) -> Event:
    return events.DestinationRefused(at=at(seconds), reason=reason)


def dialog_ended(reason: Reason = Reason.GAVE_UP, seconds: float = 55) -> Event:
    return events.DialogEnded(at=at(seconds), reason=reason)


def cancelled(seconds: float = 30, by: str = "api:acc1") -> Event:
    return events.Cancelled(at=at(seconds), by=by)


def vanished(reason: Reason = Reason.VANISHED, seconds: float = 100) -> Event:
    return events.LegsVanished(at=at(seconds), reason=reason)


def deadline_passed(seconds: float = 5_000) -> Event:
    return events.DeadlinePassed(at=at(seconds))


# what happens


def deliver(
    callback: Callback, event: Event, limits: Limits = LIMITS
) -> tuple[Callback, tuple[Command, ...]]:
    """One step as the conductor makes it: a stale event is dropped, another goes to the table."""
    if is_stale(callback, event):
        return callback, ()
    return step(callback, event, limits)


def after_all(callback: Callback, story: Iterable[Event]) -> Callback:
    """The callback after all of those events."""
    for event in story:
        callback, _commands = deliver(callback, event)
    return callback


def in_state(
    state: State, *, routes: int = 2, start: Callback | None = None, is_accepted: bool = True
) -> Callback:
    """A ring callback in that state, by the shortest way there."""
    if state in ASIDE:
        earlier, story = ASIDE[state]
        return after_all(in_state(earlier, start=start), story)
    callback = start if start is not None else requested()
    for reached in MAIN[: MAIN.index(state) + 1]:
        callback = after_all(callback, _way_to(reached, callback, routes, is_accepted=is_accepted))
    return callback


MAIN = (
    State.REQUESTED,
    State.DIALING_A,
    State.COLLECTING,
    State.AUTHORIZING,
    State.DIALING_B,
    State.TALKING,
    State.RELEASING,
    State.COMPLETED,
)
ASIDE = {
    State.CANCELLED: (State.REQUESTED, [cancelled()]),
    State.FAILED: (State.REQUESTED, [dial_refused()]),
    State.RETRY_WAIT: (State.DIALING_A, [hung_up(cause=17)]),
    State.UNANSWERED: (State.DIALING_A, [rang(), hung_up(cause=19)]),
    State.ABANDONED: (State.COLLECTING, [hung_up()]),
}


def _way_to(state: State, callback: Callback, routes: int, *, is_accepted: bool) -> list[Event]:
    return {
        State.REQUESTED: lambda: [released()],
        State.DIALING_A: lambda: [dial_authorised(callback)],
        State.COLLECTING: lambda: [rang(), answered(), *([accepted()] if is_accepted else [])],
        State.AUTHORIZING: lambda: [keyed()],
        State.DIALING_B: lambda: [destination_authorised(callback, routes=routes)],
        State.TALKING: lambda: [rang(B1, 28), answered(B1, 31)],
        State.RELEASING: lambda: [hung_up(A1, seconds=631)],
        State.COMPLETED: lambda: [hung_up(B1, seconds=631.5, by=ReleasedBy.US)],
    }[state]()

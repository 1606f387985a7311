"""Whatever is told to a callback, in whatever order and however often: its laws hold.

A script is drawn step by step. Most of it is what could happen next, as told by Asterisk, the dialog, the
books and the clock; the rest is anything at all: old news again, other legs, the wrong state.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from sample_callbacks import D1, D2, LIMITS, T0, after_all, deliver, leg_a, legs_b, requested

from calls import events
from calls.callback import Callback, OriginKind, Reason, ReleasedBy, State, cdr_of, next_leg_id
from calls.cdr import LegRole, raw_microseconds
from calls.commands import Command, DialB, HangUp, OriginateA, RunDialog, Settle
from calls.events import Event
from calls.transitions import TABLE, IllegalEventError, step

CAUSES = (0, 1, 3, 16, 17, 18, 19, 20, 21, 27, 34, 38, 41, 127, 999)
EVENTS_MAX = 30


class Follower:
    """A callback under a script, and all that was ordered for it so far."""

    def __init__(self, callback: Callback) -> None:
        self.callback = callback
        self.told: list[Event] = []
        self.states = {callback.state}
        self.originated: list[str] = []
        self.dialled: list[str] = []
        self.settled = 0

    def tell(self, event: Event) -> bool:
        """Tell as the conductor does; whether it moved. Laws are checked after every event."""
        before = self.callback
        self.told.append(event)
        try:
            after, orders = deliver(before, event)
        except IllegalEventError:
            assert self.callback == before
            return False
        self.callback = after
        self.states.add(after.state)
        self._note(orders)
        self._check(before, event, orders)
        return after != before

    def _note(self, orders: tuple[Command, ...]) -> None:
        self.originated += [order.leg.id for order in orders if isinstance(order, OriginateA)]
        self.dialled += [order.leg.id for order in orders if isinstance(order, DialB)]
        self.settled += sum(isinstance(order, Settle) for order in orders)

    def _check(self, before: Callback, event: Event, orders: tuple[Command, ...]) -> None:
        after = self.callback
        # law 5, and the deadline lies ahead
        assert (after.deadline_at is None) == after.state.is_end
        # an end is final and settles once
        if before.state.is_end:
            assert after == before
            assert orders == ()
        assert self.settled == int(after.state.is_end)
        if after.state.is_end:
            assert after.reason is not None
            assert after.ended_at is not None
            assert after.hold_units == 0
            assert not after.live_legs
            assert not after.planned
        # one id, one call
        assert len(set(self.originated)) == len(self.originated)
        assert len(set(self.dialled)) == len(self.dialled)
        ids = [leg.id for leg in (*after.legs, *after.planned)]
        assert len(set(ids)) == len(ids)
        assert {leg.id for leg in after.legs} == {*self.originated, *self.dialled}
        # at most one of each is live
        assert sum(leg.is_live for leg in after.legs if leg.role is LegRole.A) <= 1
        assert sum(leg.is_live for leg in after.legs_b) <= 1
        self._check_orders(before, orders)
        self._check_state()

    def _check_orders(self, before: Callback, orders: tuple[Command, ...]) -> None:
        after = self.callback
        for order in orders:
            match order:
                case DialB(leg=leg):  # F023, I14: never before acceptance, limit and hold
                    assert after.accepted_at is not None
                    assert after.leg_a is not None
                    assert after.leg_a.is_live
                    assert leg.talk_seconds_max > 0
                    assert after.hold_units > 0
                    assert not any(old.answered_at and old.is_live for old in after.legs_b)
                case OriginateA():
                    assert before.state in {State.REQUESTED, State.RETRY_WAIT}
                    assert not before.live_legs
                case RunDialog():
                    assert after.state is State.COLLECTING
                case HangUp(leg_id=leg_id):
                    assert any(leg.id == leg_id for leg in after.live_legs)
                case _:
                    pass
        if after.state is State.RELEASING and before.state is not State.RELEASING:
            told_to_go = {order.leg_id for order in orders if isinstance(order, HangUp)}
            assert told_to_go == {leg.id for leg in after.live_legs}

    def _check_state(self) -> None:
        callback = self.callback
        leg = callback.leg_a
        if callback.state in {State.COLLECTING, State.AUTHORIZING, State.DIALING_B, State.TALKING}:
            assert leg is not None
            assert leg.is_live
            assert leg.answered_at is not None
        live_b = [each for each in callback.legs_b if each.is_live]
        if callback.state in {State.DIALING_B, State.TALKING}:
            assert len(live_b) == 1
            assert (live_b[0].answered_at is not None) == (callback.state is State.TALKING)
        if callback.state in {State.COLLECTING, State.AUTHORIZING, State.REQUESTED, State.RETRY_WAIT}:
            assert not live_b
        if callback.state is State.RELEASING:
            assert callback.live_legs  # else nothing would ever end it


def anything(callback: Callback, at: datetime, draw: Callable[..., object]) -> Event:
    """Any event at all, of any leg."""
    known = [leg.id for leg in (*callback.legs, *callback.planned)]
    leg_ids = [*known, f"{callback.id}-a1", f"{callback.id}-b1", "cb99-a1", "-"]
    leg_id = str(draw(st.sampled_from(leg_ids)))
    reason = draw(st.sampled_from(list(Reason)))
    assert isinstance(reason, Reason)
    choices: list[Event] = [
        events.TriggerReleased(at=at),
        events.DialAuthorised(at=at, leg=leg_a(callback), hold_units=500),
        events.DialPostponed(at=at, dial_at=at),
        events.DialRefused(at=at, reason=reason),
        events.LegRang(at=at, leg_id=leg_id),
        events.LegAnswered(at=at, leg_id=leg_id),
        _hung_up(leg_id, at, draw),
        events.Accepted(at=at, leg_id=leg_id),
        events.DestinationKeyed(at=at, number=D2),
        events.DestinationAuthorised(at=at, legs=legs_b(callback, routes=2), hold_units=9_000),
        events.DestinationRefused(at=at, reason=reason),
        events.DialogEnded(at=at, reason=reason),
        events.Cancelled(at=at, by="staff"),
        events.LegsVanished(at=at, reason=reason),
        events.DeadlinePassed(at=at),
    ]
    event = draw(st.sampled_from(choices))
    assert isinstance(event, Event)
    return event


def likely(callback: Callback, at: datetime, draw: Callable[..., object]) -> Event:
    """Something that can well happen to it now."""
    choices: list[Event] = []
    match callback.state:
        case State.REQUESTED | State.RETRY_WAIT:
            choices = [
                events.TriggerReleased(at=at),
                events.DialAuthorised(at=at, leg=leg_a(callback), hold_units=500),
            ]
        case State.COLLECTING:
            assert callback.leg_a is not None
            choices = [
                events.Accepted(at=at, leg_id=callback.leg_a.id),
                events.DestinationKeyed(at=at, number=D1),
                events.DestinationKeyed(at=at, number=D1),
            ]
        case State.AUTHORIZING:
            routes = draw(st.integers(1, 3))
            assert isinstance(routes, int)
            choices = [
                events.DestinationAuthorised(at=at, legs=legs_b(callback, routes=routes), hold_units=9_000)
            ]
        case _:
            pass
    for leg in callback.live_legs:
        choices += [events.LegRang(at=at, leg_id=leg.id), events.LegAnswered(at=at, leg_id=leg.id)]
        choices += [_hung_up(leg.id, at, draw)]
    event = draw(st.sampled_from(choices)) if choices else anything(callback, at, draw)
    assert isinstance(event, Event)
    return event


def _hung_up(leg_id: str, at: datetime, draw: Callable[..., object]) -> Event:
    cause, by = draw(st.sampled_from(CAUSES)), draw(st.sampled_from(list(ReleasedBy)))
    assert isinstance(cause, int)
    assert isinstance(by, ReleasedBy)
    return events.LegHungUp(at=at, leg_id=leg_id, q850_cause=cause, released_by=by)


@st.composite
def followers(draw: Callable[..., object]) -> Follower:
    """A callback after a script."""
    kind, attempts = draw(st.sampled_from(list(OriginKind))), draw(st.integers(1, 5))
    gaps = draw(st.lists(st.integers(1, 600), max_size=5))
    assert isinstance(kind, OriginKind)
    assert isinstance(attempts, int)
    assert isinstance(gaps, list)
    follower = Follower(requested(kind=kind, attempts=attempts, gaps=tuple(gaps)))
    at = T0
    for _ in range(_number(draw, 0, EVENTS_MAX)):
        # Instants may run back a little: two sockets and a file tell of one clock in no fixed order.
        at += timedelta(microseconds=_number(draw, -2_000_000, 60_000_000))
        match _number(draw, 0, 9):
            case 0:
                event = anything(follower.callback, at, draw)
            case 1 if follower.told:
                old = draw(st.sampled_from(follower.told))
                assert isinstance(old, Event)
                event = old
            case _:
                event = likely(follower.callback, at, draw)
        follower.tell(event)
    return follower


def _number(draw: Callable[..., object], least: int, most: int) -> int:
    number = draw(st.integers(least, most))
    assert isinstance(number, int)
    return number


@settings(max_examples=200, deadline=None)
@given(followers())
def test_the_laws_hold_after_every_event_of_any_script(follower: Follower) -> None:
    assert follower.callback.id  # every law was checked on the way here


@settings(max_examples=100, deadline=None)
@given(followers())
def test_F120_a_callback_rings_no_oftener_than_its_attempts_and_one_quick_retry(follower: Follower) -> None:
    assert len(follower.originated) <= follower.callback.attempts_max + 1


@settings(max_examples=100, deadline=None)
@given(followers())
def test_every_leg_of_an_ended_callback_has_a_record_without_negative_time(follower: Follower) -> None:
    callback = follower.callback
    if not callback.state.is_end:
        return
    for leg in callback.legs:
        cdr = cdr_of(callback, leg)
        assert raw_microseconds(cdr) >= 0
        assert cdr.callback_id == callback.id


@settings(max_examples=100, deadline=None)
@given(followers())
def test_I11_a_callback_ends_when_only_deadlines_pass_and_channels_obey(follower: Follower) -> None:
    for _ in range(8):
        callback = follower.callback
        if callback.state.is_end:
            break
        assert callback.deadline_at is not None
        follower.tell(events.DeadlinePassed(at=callback.deadline_at))
        for leg in follower.callback.live_legs:
            assert follower.callback.deadline_at is not None
            gone = events.LegHungUp(
                at=follower.callback.deadline_at, leg_id=leg.id, q850_cause=16, released_by=ReleasedBy.US
            )
            follower.tell(gone)
    assert follower.callback.state.is_end


@settings(max_examples=100, deadline=None)
@given(followers(), st.data())
def test_the_table_alone_raises_nothing_but_an_illegal_event(follower: Follower, data: st.DataObject) -> None:
    event = anything(follower.callback, T0 + timedelta(hours=1), data.draw)
    try:
        step(follower.callback, event, LIMITS)
    except IllegalEventError:
        pass
    else:
        assert (follower.callback.state, type(event)) in TABLE


@settings(max_examples=100, deadline=None)
@given(followers())
def test_the_next_leg_id_was_never_used_before(follower: Follower) -> None:
    for role in LegRole:
        assert next_leg_id(follower.callback, role) not in {*follower.originated, *follower.dialled}


def test_scripts_reach_every_state() -> None:
    """Silence is no pass: the strategy above must come everywhere."""
    reached: set[State] = set()

    @settings(max_examples=700, deadline=None, database=None, derandomize=True)
    @given(followers())
    def collect(follower: Follower) -> None:
        reached.update(follower.states)

    collect()
    assert reached == set(State)


def test_an_order_carries_the_leg_as_it_is_stored() -> None:
    ready = after_all(requested(), [events.TriggerReleased(at=T0)])
    after, orders = deliver(ready, events.DialAuthorised(at=T0, leg=leg_a(ready), hold_units=1))
    assert orders == (OriginateA(leg=after.legs[0]),)

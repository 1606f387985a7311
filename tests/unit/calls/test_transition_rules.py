"""The rules behind the table: retries, routes, keys, instants and deadlines."""

import pytest
from sample_callbacks import (
    A1,
    B1,
    B2,
    LIMITS,
    accepted,
    after_all,
    at,
    cancelled,
    deadline_passed,
    deliver,
    destination_authorised,
    dial_authorised,
    hung_up,
    in_state,
    keyed,
    rang,
    released,
    requested,
    vanished,
)

from calls import events
from calls.callback import Callback, Reason, ReleasedBy, State, cdr_of, disposition_of
from calls.cdr import Disposition, raw_microseconds
from calls.commands import DialB, Opening, OriginateA, RunDialog, Settle
from calls.transitions import IllegalEventError, step

DA, RW, CO, AU, DB, TA, RE = (
    State.DIALING_A,
    State.RETRY_WAIT,
    State.COLLECTING,
    State.AUTHORIZING,
    State.DIALING_B,
    State.TALKING,
    State.RELEASING,
)


def test_F122_our_call_is_due_three_seconds_after_the_triggers_hang_up() -> None:
    after, _ = deliver(requested(), released(20))
    assert after.dial_at == at(23)
    assert after.expires_at == at(23 + LIMITS.request_worth_seconds)
    assert after.deadline_at == after.expires_at


def test_F122_the_quick_retry_is_due_five_seconds_later_and_there_is_only_one() -> None:
    waiting, orders = deliver(in_state(DA), hung_up(cause=17, seconds=20))
    assert orders == ()
    assert waiting.dial_at == at(25)
    again, _ = deliver(waiting, dial_authorised(waiting, 25))
    assert [leg.id for leg in again.live_legs] == [f"{again.id}-a2"]
    ended, orders = deliver(again, hung_up(f"{again.id}-a2", cause=17, seconds=30))
    assert (ended.state, ended.reason, orders) == (State.UNANSWERED, Reason.BUSY, (Settle(),))


def test_F122_the_hold_stays_through_a_retry_and_ends_at_the_end() -> None:
    waiting, _ = deliver(in_state(DA), hung_up(cause=17, seconds=20))
    assert waiting.hold_units == 500
    ended, orders = deliver(waiting, cancelled(21))
    assert (ended.hold_units, orders) == (0, (Settle(),))


def _attempts(callback: Callback, causes: list[int]) -> tuple[Callback, list[float]]:
    """The callback after attempts that ended so, and how many seconds after each hang-up the next was due."""
    callback = after_all(callback, [released()])
    seconds, gaps = 8.0, []
    for cause in causes:
        assert callback.dial_at is not None
        callback, orders = deliver(callback, dial_authorised(callback, seconds))
        assert [type(order) for order in orders] == [OriginateA]
        leg = callback.live_legs[0]
        story = [rang(leg.id, seconds + 2)] if cause == 19 else []
        callback = after_all(callback, [*story, hung_up(leg.id, cause=cause, seconds=seconds + 45)])
        seconds += 45
        if callback.state is State.RETRY_WAIT:
            assert callback.dial_at is not None
            gaps.append((callback.dial_at - at(seconds)).total_seconds())
            seconds += gaps[-1]
    return callback, gaps


def test_F025_three_attempts_60_and_300_seconds_apart_then_failed_each_under_its_own_id() -> None:
    ended, gaps = _attempts(requested(attempts=3, gaps=(60, 300)), [19, 19, 19])
    assert gaps == [60, 300]
    assert (ended.state, ended.reason) == (State.FAILED, Reason.NO_ANSWER)
    assert [leg.id for leg in ended.legs] == [f"{ended.id}-a1", f"{ended.id}-a2", f"{ended.id}-a3"]


def test_F025_the_last_gap_counts_for_all_later_attempts() -> None:
    _ended, gaps = _attempts(requested(attempts=5, gaps=(60, 300)), [19] * 5)
    assert gaps == [60, 300, 300, 300]


def test_F025_without_gaps_attempts_are_a_minute_apart() -> None:
    _ended, gaps = _attempts(requested(attempts=2), [19, 19])
    assert gaps == [60]


@pytest.mark.parametrize("busy_at", [0, 1, 2])
def test_F025_the_quick_retry_after_a_busy_is_not_counted_as_an_attempt(busy_at: int) -> None:
    causes = [19, 19, 19]
    causes.insert(busy_at, 17)
    ended, gaps = _attempts(requested(attempts=3, gaps=(60, 300)), causes)
    wanted: list[float] = [60, 300]
    wanted.insert(busy_at, LIMITS.quick_retry_seconds)
    assert gaps == wanted
    assert (ended.state, len(ended.legs)) == (State.FAILED, 4)


def test_F025_a_request_that_is_declined_is_not_tried_again() -> None:
    ended, gaps = _attempts(requested(attempts=3, gaps=(60,)), [21])
    assert (ended.state, ended.reason, gaps) == (State.FAILED, Reason.REJECTED, [])


def test_F023_a_ring_trigger_never_gets_a_second_ring_after_no_answer() -> None:
    ended, gaps = _attempts(requested(), [19])
    assert (ended.state, gaps, len(ended.legs)) == (State.UNANSWERED, [], 1)


def test_F023_a_keyed_destination_is_itself_an_acceptance_so_no_B_leg_precedes_one() -> None:
    collecting = in_state(CO, is_accepted=False)
    assert collecting.accepted_at is None
    authorizing, _ = deliver(collecting, keyed(seconds=25))
    assert authorizing.accepted_at == at(25)


def test_F121_the_first_key_counts_and_not_a_later_one() -> None:
    accepted_once = after_all(in_state(CO, is_accepted=False), [accepted(seconds=19)])
    assert after_all(accepted_once, [accepted(seconds=22), keyed(seconds=25)]).accepted_at == at(19)


@pytest.mark.parametrize("cause", [27, 34, 38, 41, 42, 44, 47, 58, 102, 127, 0, 99])
def test_F045_a_route_that_the_carrier_failed_is_followed_by_the_next_one(cause: int) -> None:
    second, orders = deliver(in_state(DB, routes=2), hung_up(B1, cause=cause, seconds=27))
    assert second.state is DB
    assert [order.leg.id for order in orders if isinstance(order, DialB)] == [B2]
    assert [leg.id for leg in second.live_legs] == [A1, B2]
    none_left, orders = deliver(second, hung_up(B2, cause=cause, seconds=29))
    assert none_left.state is CO
    assert orders == (RunDialog(opening=Opening.FOLLOW_ON, reason=Reason.CONGESTION),)
    assert none_left.planned == ()


@pytest.mark.parametrize(
    ("cause", "reason"),
    [
        (17, Reason.BUSY),
        (18, Reason.NO_ANSWER),
        (19, Reason.NO_ANSWER),
        (21, Reason.REJECTED),
        (1, Reason.UNOBTAINABLE),
        (22, Reason.UNOBTAINABLE),
        (28, Reason.UNOBTAINABLE),
    ],
)
def test_F045_the_destinations_own_word_is_final(cause: int, reason: Reason) -> None:
    rang_already = after_all(in_state(DB, routes=3), [rang(B1, 26)])
    after, orders = deliver(rang_already, hung_up(B1, cause=cause, seconds=86))
    assert after.state is CO
    assert orders == (RunDialog(opening=Opening.FOLLOW_ON, reason=reason),)
    assert after.planned == ()


def test_F045_a_carrier_that_says_nothing_at_all_is_followed_by_the_next_route() -> None:
    after, orders = deliver(in_state(DB, routes=2), hung_up(B1, cause=18, seconds=57))
    assert after.state is DB
    assert [order.leg.id for order in orders if isinstance(order, DialB)] == [B2]


def test_F120_a_carrier_that_says_nothing_of_the_A_leg_is_no_reason_to_ring_again() -> None:
    after, orders = deliver(in_state(DA), hung_up(A1, cause=18, seconds=40))
    assert (after.state, after.reason, orders) == (State.UNANSWERED, Reason.NO_ANSWER, (Settle(),))


def test_F039_the_in_call_key_while_the_destination_rings_asks_for_the_next_number() -> None:
    ringing = after_all(in_state(DB), [rang(B1, 26)])
    after, orders = deliver(ringing, hung_up(B1, cause=16, seconds=30, by=ReleasedBy.US))
    assert after.state is CO
    assert orders == (RunDialog(opening=Opening.NEXT_NUMBER),)
    assert after.planned == ()


@pytest.mark.parametrize("cause", [16, 34, 41, 102, 127, 0])
@pytest.mark.parametrize("by", list(ReleasedBy))
def test_F127_a_drop_after_the_answer_never_tries_another_route(cause: int, by: ReleasedBy) -> None:
    after, orders = deliver(in_state(TA, routes=3), hung_up(B1, cause=cause, seconds=40, by=by))
    assert after.state is CO
    assert not [order for order in orders if isinstance(order, DialB)]


def test_F049_a_destination_that_never_answered_leaves_no_answer_instant() -> None:
    after, _ = deliver(after_all(in_state(DB), [rang(B1, 26)]), hung_up(B1, cause=19, seconds=71))
    leg = after.leg(B1)
    assert leg is not None
    assert (leg.answered_at, leg.hung_up_at, leg.q850_cause) == (None, at(71), 19)
    assert not after.has_talked


def test_F129_a_second_number_after_a_busy_one_is_dialled_under_a_new_id_on_the_same_A_leg() -> None:
    after_busy = after_all(in_state(DB, routes=1), [hung_up(B1, cause=17, seconds=27), keyed(seconds=40)])
    second, orders = deliver(after_busy, destination_authorised(after_busy, 40.1, routes=1))
    assert [order.leg.id for order in orders if isinstance(order, DialB)] == [B2]
    assert [leg.id for leg in second.live_legs] == [A1, B2]


def test_F045_ids_of_routes_that_were_never_dialled_are_free_again() -> None:
    after_busy = after_all(in_state(DB, routes=3), [hung_up(B1, cause=17, seconds=27), keyed(seconds=40)])
    second = after_all(after_busy, [destination_authorised(after_busy, 40.1, routes=1)])
    assert [leg.id for leg in second.legs] == [A1, B1, B2]


# Asterisk stamps a BYE when it comes, and an answer when its channel's thread gets to run: so the instants
# of a call that was answered and ended in one breath may stand in the wrong order.


@pytest.mark.parametrize("seconds", [30.5, 30.999_999, 31])
def test_F046_who_answered_and_hung_up_was_there_though_the_hang_up_bears_the_earlier_instant(
    seconds: float,
) -> None:
    after, _ = deliver(in_state(TA), hung_up(B1, seconds=seconds))
    leg = after.leg(B1)
    assert leg is not None
    assert (leg.answered_at, leg.hung_up_at) == (at(31), at(31.000_001))
    assert raw_microseconds(cdr_of(after, leg)) == 1
    assert disposition_of(leg) is Disposition.ANSWERED


def test_F121_who_pressed_a_key_and_hung_up_had_accepted_though_the_hang_up_bears_the_earlier_instant() -> (
    None
):
    ended, _ = deliver(in_state(CO), hung_up(A1, seconds=18.9))
    leg = ended.leg(A1)
    assert leg is not None
    assert (leg.accepted_at, leg.hung_up_at) == (at(19), at(19.000_001))


def test_F046_one_microsecond_after_the_answer_is_an_end_like_any_other() -> None:
    after, _ = deliver(in_state(TA), hung_up(B1, seconds=31.000_002))
    leg = after.leg(B1)
    assert leg is not None
    assert leg.hung_up_at == at(31.000_002)


def test_F038_what_we_ended_in_the_very_instant_of_its_answer_lasted_no_time() -> None:
    after, _ = deliver(in_state(TA), hung_up(B1, seconds=31, by=ReleasedBy.US))
    leg = after.leg(B1)
    assert leg is not None
    assert leg.hung_up_at == leg.answered_at == at(31)


def test_F049_a_hang_up_before_any_answer_keeps_its_own_instant() -> None:
    after, _ = deliver(in_state(DB), hung_up(B1, seconds=27, cause=17))
    leg = after.leg(B1)
    assert leg is not None
    assert (leg.answered_at, leg.hung_up_at) == (None, at(27))


def test_F012_an_answer_and_an_end_that_are_read_afterwards_with_one_instant_lasted_no_time() -> None:
    after, _ = deliver(in_state(TA), hung_up(B1, seconds=31, ringing_unseen=True))
    leg = after.leg(B1)
    assert leg is not None
    assert leg.hung_up_at == leg.answered_at == at(31)


def test_an_end_that_is_only_estimated_adds_no_time() -> None:
    end = events.LegHungUp(at=at(30), leg_id=B1, q850_cause=0, released_by=ReleasedBy.FAR, estimated=True)
    after, _ = deliver(in_state(TA), end)
    leg = after.leg(B1)
    assert leg is not None
    assert leg.hung_up_at == leg.answered_at == at(31)


def test_legs_that_vanished_end_at_the_last_proof_of_life_and_are_estimated() -> None:
    ended, _ = deliver(in_state(TA), vanished(seconds=95))
    assert [(leg.hung_up_at, leg.estimated) for leg in ended.legs] == [(at(95), True), (at(95), True)]


def test_a_leg_that_vanished_is_never_billed_back_in_time() -> None:
    ended, _ = deliver(in_state(TA), vanished(seconds=20))
    b = ended.leg(B1)
    assert b is not None
    assert b.hung_up_at == b.answered_at


# deadlines


@pytest.mark.parametrize(
    ("state", "seconds"),
    [
        (DA, 8 + 45 + LIMITS.settle_seconds),
        (RW, 60 + LIMITS.quick_retry_seconds + LIMITS.request_worth_seconds),
        (CO, 19 + LIMITS.dialog_seconds),
        (AU, 25 + LIMITS.authorise_seconds),
        (DB, 25.1 + 60 + LIMITS.settle_seconds),
        (TA, 31 + 600 + LIMITS.talk_guard_seconds),
        (RE, 631 + LIMITS.release_seconds),
    ],
)
def test_each_state_has_its_deadline(state: State, seconds: float) -> None:
    assert in_state(state).deadline_at == at(seconds)


def test_a_trigger_that_still_rings_has_a_deadline_too() -> None:
    after, _ = deliver(requested(), deadline_passed(45))
    assert after.dial_at == at(45 + LIMITS.guard_seconds)
    assert after.deadline_at == after.expires_at


def test_a_ring_that_is_noted_late_does_not_put_off_the_deadline_beyond_the_ring_time() -> None:
    dialing = in_state(DA)
    after, _ = deliver(dialing, rang(seconds=40))
    assert after.deadline_at == dialing.deadline_at


def test_keys_do_not_put_off_the_deadline_of_a_state_that_goes_on() -> None:
    collecting = in_state(CO, is_accepted=False)
    after, _ = deliver(collecting, accepted(seconds=44))
    assert after.state is CO
    assert after.deadline_at is not None
    assert after.deadline_at <= at(44 + LIMITS.dialog_seconds)


# ids


def test_F120_an_authorisation_to_ring_told_twice_does_not_ring_twice_under_one_id() -> None:
    first = dial_authorised(requested())
    waiting = after_all(requested(), [released(), first, hung_up(cause=17)])
    with pytest.raises(IllegalEventError, match="without an id of their own"):
        step(waiting, first, LIMITS)


def test_an_authorised_destination_told_twice_does_not_overwrite_the_record_of_its_leg() -> None:
    authorizing = in_state(AU)
    first = destination_authorised(authorizing)
    again = after_all(authorizing, [first, hung_up(B1, cause=17, seconds=27), keyed(seconds=40)])
    with pytest.raises(IllegalEventError, match="without an id of their own"):
        step(again, first, LIMITS)


def test_an_authorised_destination_without_a_route_is_an_error() -> None:
    with pytest.raises(IllegalEventError):
        step(in_state(AU), events.DestinationAuthorised(at=at(26), legs=(), hold_units=1), LIMITS)

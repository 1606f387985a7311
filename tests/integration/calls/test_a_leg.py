"""The call to the subscriber: how often it is tried, in whose turn, and where it never goes."""

import itertools
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from callers import dials, town_of_its_own
from town import D1, Town, Traveller

from calls.callback import Reason, State
from pbx.installation import Installation
from store import callbacks
from world.lateness import Sleeper
from world.log import PhoneCall
from world.scripts import Answers, Forwards, HangsUp, NoAnswer, TalksUntilHungUp, Waits

pytestmark = pytest.mark.real_asterisk
A_RING_SECONDS = 4
PREMIUM = "+979123456789"


@pytest.fixture(scope="module")
def two_at_once(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    switch = {"a_ring_seconds": A_RING_SECONDS, "callbacks_max": 2}
    with town_of_its_own(installation, tmp_path_factory.mktemp("two-at-once"), switch=switch) as town:
        yield town


@pytest.fixture
def town(two_at_once: Town) -> Iterator[Town]:
    yield two_at_once
    two_at_once.wait_until_quiet()
    two_at_once.world.reset()


def answers_for_a_while(town: Town, traveller: Traveller, seconds: float = 4) -> None:
    town.world.phone(traveller.number, Answers(after=0.5), Waits(seconds), HangsUp())


def instant(at: datetime | None) -> datetime:
    assert at is not None
    return at


def test_F025_a_request_that_nobody_answers_is_tried_three_times_with_its_gaps(
    town: Town, sleeper: Sleeper
) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, NoAnswer())
    town.request(sam, attempts=3, retry_gaps_seconds=(3, 6))
    callback = town.wait_for_end(sam, seconds=60)
    assert (callback.state, callback.reason) == (State.FAILED, Reason.NO_ANSWER)
    tries = town.world.calls(sam.number, incoming=True)
    assert len(tries) == 3
    gaps = [
        (after.invited_at - instant(before.hung_up_at)).total_seconds()
        for before, after in itertools.pairwise(tries)
    ]
    # The switch's clock starts as it gives up the ring, the phone writes that down when it hears of it.
    apart = sleeper.clocks_apart_us / 1e6
    assert 3 - apart < gaps[0] < 4
    assert 6 - apart < gaps[1] < 7
    assert all(
        A_RING_SECONDS - 1 < (instant(each.hung_up_at) - each.invited_at).total_seconds() < A_RING_SECONDS + 1
        for each in tries
    )
    assert town.balance_of(sam) == 0


def test_F025_a_request_answered_at_its_second_try_is_not_tried_again(town: Town) -> None:
    sam = town.traveller()
    town.world.phone_in_turn(sam.number, [NoAnswer()], [Answers(after=0.5), Waits(1), HangsUp()])
    town.request(sam, attempts=3, retry_gaps_seconds=(1, 1))
    assert town.wait_for_end(sam).state is State.ABANDONED
    time.sleep(3)
    assert town.world.originations(sam.number) == 2


def test_F025_a_ring_of_the_trigger_is_tried_once_only(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, NoAnswer())
    town.ring(sam)
    callback = town.wait_for_end(sam)
    assert (callback.state, callback.reason) == (State.UNANSWERED, Reason.NO_ANSWER)
    time.sleep(3)
    assert town.world.originations(sam.number) == 1


def test_F027_the_third_of_three_triggers_waits_until_one_call_has_ended(town: Town) -> None:
    travellers = [town.traveller() for _ in range(3)]
    for each in travellers:
        answers_for_a_while(town, each)
    lines = [
        town.world.starts_ringing(did=each.did, caller=each.number, seconds=1, through="alpha")
        for each in travellers
    ]
    for line in lines:
        line.heard()
    for each in travellers:
        assert town.wait_for_end(each).state is State.ABANDONED
        assert town.world.originations(each.number) == 1
    first, second, third = (town.world.calls(each.number)[0] for each in travellers)
    ordered = sorted((first, second, third), key=lambda call: call.invited_at)
    waited = ordered[2].invited_at - min(instant(call.hung_up_at) for call in ordered[:2])
    assert timedelta(0) < waited < timedelta(seconds=1)


def test_F012_F027_of_eight_requests_under_the_cap_none_is_lost_and_none_rung_twice(town: Town) -> None:
    travellers = [town.traveller() for _ in range(8)]
    for each in travellers:
        answers_for_a_while(town, each, seconds=1)
        town.request(each)
    for each in travellers:
        assert town.wait_for_end(each, seconds=60).state is State.ABANDONED
    tried = [call for each in travellers for call in town.world.calls(each.number, incoming=True)]
    assert sorted(call.number for call in tried) == sorted(each.number.lstrip("+") for each in travellers)
    assert most_at_once(tried) == 2


def most_at_once(calls: list[PhoneCall]) -> int:
    """How many of these calls were up together."""
    starts = [call.invited_at for call in calls]
    return max(sum(call.invited_at <= at < instant(call.hung_up_at) for call in calls) for at in starts)


def test_F125_a_subscribers_phone_that_forwards_is_not_followed(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Forwards(PREMIUM))
    town.world.phone(PREMIUM, Answers(), TalksUntilHungUp())
    town.ring(sam)
    callback = town.wait_for_end(sam)
    assert callback.state in {State.UNANSWERED, State.FAILED}
    time.sleep(2)
    assert [call.number for call in town.world.calls(incoming=True)] == [sam.number.lstrip("+")]
    assert len(town.callbacks_of(sam)) == 1
    assert town.balance_of(sam) == 0


def test_F125_a_destination_that_forwards_is_not_followed(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(D1, Forwards(PREMIUM))
    town.world.phone(PREMIUM, Answers(), TalksUntilHungUp())
    dials(town, sam, D1, Waits(5), HangsUp())
    callback = town.wait_for_end(sam)
    assert callback.state is State.ABANDONED
    time.sleep(1)
    assert [call.number for call in town.world.calls(incoming=True)] == [
        sam.number.lstrip("+"),
        D1.lstrip("+"),
    ]
    assert len(town.callbacks_of(sam)) == 1


def test_a_request_cancelled_before_its_time_is_never_dialled(town: Town) -> None:
    sam = town.traveller()
    answers_for_a_while(town, sam)
    callback_id = town.request(sam, dial_at=datetime.now(UTC) + timedelta(seconds=3))
    town.database.call("cancel", callbacks.request_cancel, callback_id, "test")
    callback = town.wait_for_end(sam)
    assert (callback.state, callback.cancelled_by) == (State.CANCELLED, "test")
    assert callback.ended_at is not None
    assert callback.dial_at is not None
    assert callback.ended_at < callback.dial_at
    time.sleep(4)
    assert town.world.originations(sam.number) == 0


def test_a_request_cancelled_while_it_waits_its_turn_is_never_dialled(town: Town) -> None:
    first, second, third = (town.traveller() for _ in range(3))
    for each in (first, second, third):
        answers_for_a_while(town, each)
        town.request(each)
    town.wait_for_state(second, State.COLLECTING)
    town.database.call("cancel", callbacks.request_cancel, town.callback_of(third).id, "test")
    assert town.wait_for_end(third).state is State.CANCELLED
    for each in (first, second):
        assert town.wait_for_end(each).state is State.ABANDONED
    time.sleep(1)
    assert town.world.originations(third.number) == 0


def test_a_request_cancelled_while_the_phone_rings_stops_ringing_at_once(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, NoAnswer())
    callback_id = town.request(sam, attempts=3, retry_gaps_seconds=(1, 1))
    town.wait_for_state(sam, State.DIALING_A)
    town.world.wait_for(lambda: town.world.originations(sam.number) == 1, 5)
    town.database.call("cancel", callbacks.request_cancel, callback_id, "test")
    assert town.wait_for_end(sam).state is State.CANCELLED
    (call,) = town.world.calls(sam.number)
    assert instant(call.hung_up_at) - call.invited_at < timedelta(seconds=A_RING_SECONDS - 1)

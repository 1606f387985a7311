"""The conductor: save, then speak; one writer a callback; nothing rings twice."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from fake_switch import FakeSwitch
from sample_callbacks import (
    A1,
    A2,
    B1,
    CALLBACK_ID,
    LIMITS,
    after_all,
    at,
    cancelled,
    deadline_passed,
    destination_authorised,
    dialog_ended,
    in_state,
    keyed,
    released,
    requested,
)
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred

from calls import events
from calls.callback import Callback, Leg, Reason, ReleasedBy, State
from calls.commands import DialB, Opening, RunDialog
from calls.events import Event

IDS = ("cb1", "cb2", "cb3")


@pytest.fixture
def switch() -> FakeSwitch:
    return FakeSwitch()


@pytest.fixture(autouse=True)
def logs() -> Iterator[list]:
    with capture_logs() as entries:
        yield entries


def hang_up(switch: FakeSwitch, leg_id: str, cause: int = 16, by: ReleasedBy = ReleasedBy.FAR) -> None:
    callback_id = leg_id.rpartition("-")[0]
    event = events.LegHungUp(at=switch.wall(), leg_id=leg_id, q850_cause=cause, released_by=by)
    switch.asterisk.live = [live for live in switch.asterisk.live if live != leg_id]
    switch.tell(event, callback_id)


def answer(switch: FakeSwitch, leg_id: str) -> None:
    switch.tell(events.LegAnswered(at=switch.wall(), leg_id=leg_id), leg_id.rpartition("-")[0])


def to_talking(switch: FakeSwitch) -> None:
    """From a new request to a bridged call."""
    switch.take()
    answer(switch, A1)
    switch.tell(events.Accepted(at=switch.wall(), leg_id=A1))
    switch.tell(keyed())
    switch.asterisk.live.append(B1)
    answer(switch, B1)
    assert switch.state() == "talking"


def orders_in(switch: FakeSwitch, leg_id: str = A1) -> list[object]:
    """The orders waiting for that leg's session."""
    found: list[object] = []
    mailbox = switch.conductor.mailbox(leg_id)
    while True:
        got: list[object] = []
        mailbox.get().addCallback(got.append)
        if not got or got == [None]:
            return found
        found += got


# one ring, one settlement


def test_F120_an_accepted_request_rings_once_and_is_stored_before_it_rings(switch: FakeSwitch) -> None:
    stored_when_rung: list[str] = []
    originate = switch.asterisk.originate

    async def watched(callback: Callback, leg: Leg) -> None:
        stored_when_rung.append(switch.state())
        await originate(callback, leg)

    switch.asterisk.originate = watched  # type: ignore[method-assign, assignment]
    switch.take()
    switch.pass_time(10)
    assert switch.asterisk.originated == [A1]
    assert stored_when_rung == ["dialing_a"]


def test_F122_a_trigger_rings_back_three_seconds_after_its_release(switch: FakeSwitch) -> None:
    switch.conductor.follow(requested())
    switch.pass_time(5)
    switch.tell(released(5))
    switch.pass_time(2.5)
    assert switch.asterisk.originated == []
    switch.pass_time(0.5)
    assert switch.asterisk.originated == [A1]


def test_a_duplicate_hang_up_settles_once(switch: FakeSwitch) -> None:
    switch.take()
    hang_up(switch, A1, cause=19)
    hang_up(switch, A1, cause=19)
    assert switch.state() == "unanswered"
    assert switch.books.settled == {CALLBACK_ID: 1}
    assert not switch.conductor.knows(CALLBACK_ID)


def test_a_whole_call_gives_its_orders_in_order_and_leaves_nothing_behind(switch: FakeSwitch) -> None:
    to_talking(switch)
    welcome, dial = orders_in(switch)
    assert welcome == RunDialog(opening=Opening.WELCOME)
    assert isinstance(dial, DialB)
    assert dial.leg.id == B1
    hang_up(switch, A1)
    assert switch.asterisk.hung_up == [B1]
    hang_up(switch, B1, by=ReleasedBy.US)
    assert switch.state() == "completed"
    assert switch.books.settled == {CALLBACK_ID: 1}
    assert switch.conductor.in_progress == 0
    assert switch.clock.getDelayedCalls() == []


def test_a_reader_of_an_ended_callbacks_orders_is_told_that_there_are_no_more(switch: FakeSwitch) -> None:
    switch.take()
    answer(switch, A1)
    orders_in(switch)
    got: list[object] = []
    switch.conductor.mailbox(A1).get().addCallback(got.append)
    hang_up(switch, A1)
    assert got == [None]


def test_an_illegal_event_changes_nothing_and_is_logged(switch: FakeSwitch, logs: list) -> None:
    switch.take()
    before = switch.conductor.callback(CALLBACK_ID)
    switch.tell(keyed())
    assert switch.conductor.callback(CALLBACK_ID) == before
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["callback.illegal_event"]
    hang_up(switch, A1, cause=19)
    assert switch.state() == "unanswered"


def test_news_of_an_ended_or_foreign_callback_is_dropped_quietly(switch: FakeSwitch, logs: list) -> None:
    switch.take()
    hang_up(switch, A1, cause=19)
    hang_up(switch, "cb99-a1")
    switch.tell(dialog_ended())
    assert not [entry for entry in logs if entry["log_level"] in {"error", "warning"}]


# the store is away


def test_F008_while_the_store_is_away_a_fact_waits_and_then_counts(switch: FakeSwitch) -> None:
    switch.take()
    switch.books.is_away = True
    answer(switch, A1)
    switch.pass_time(3)
    assert switch.state() == "dialing_a"
    switch.books.is_away = False
    switch.pass_time(2)
    assert switch.state() == "collecting"
    assert orders_in(switch) == [RunDialog(opening=Opening.WELCOME)]


def test_while_the_store_is_away_nothing_rings_and_afterwards_it_rings_once(switch: FakeSwitch) -> None:
    switch.books.is_away = True
    switch.take()
    switch.pass_time(5)
    assert switch.asterisk.originated == []
    switch.books.is_away = False
    switch.pass_time(5)
    assert switch.asterisk.originated == [A1]


def test_facts_that_came_while_the_store_was_away_keep_their_order(switch: FakeSwitch) -> None:
    switch.take()
    switch.books.is_away = True
    answer(switch, A1)
    switch.tell(events.Accepted(at=switch.wall(), leg_id=A1))
    hang_up(switch, A1)
    switch.books.is_away = False
    switch.pass_time(5)
    assert switch.state() == "abandoned"
    assert switch.books.rows[CALLBACK_ID].reason is Reason.LEFT
    assert switch.books.settled == {CALLBACK_ID: 1}


def test_without_the_store_no_destination_is_dialled_and_the_subscriber_is_released(
    switch: FakeSwitch,
) -> None:
    switch.take()
    answer(switch, A1)
    switch.tell(events.Accepted(at=switch.wall(), leg_id=A1))
    advance = switch.books.advance

    def away_for_decisions(before: Callback, event: Event | None, gather: object) -> object:
        switch.books.is_away = gather is not None
        return advance(before, event, gather)  # type: ignore[arg-type]

    switch.books.advance = away_for_decisions  # type: ignore[method-assign, assignment]
    switch.tell(keyed())
    switch.pass_time(3)
    assert not [order for order in orders_in(switch) if isinstance(order, DialB)]
    assert A1 in switch.asterisk.hung_up


# turns


def test_F027_two_at_once_the_third_starts_when_one_ends_and_none_is_lost() -> None:
    switch = FakeSwitch(callbacks_max=2)
    for callback_id in IDS:
        switch.take(callback_id)
    switch.pass_time(5)
    assert switch.asterisk.originated == ["cb1-a1", "cb2-a1"]
    assert switch.conductor.in_progress == 2
    hang_up(switch, "cb1-a1", cause=19)
    assert switch.asterisk.originated == ["cb1-a1", "cb2-a1", "cb3-a1"]
    for leg_id in ("cb2-a1", "cb3-a1"):
        hang_up(switch, leg_id, cause=19)
    assert [switch.state(callback_id) for callback_id in IDS] == ["unanswered"] * 3
    assert switch.conductor.in_progress == 0


def test_F027_one_that_waits_for_its_retry_gives_its_place_away() -> None:
    switch = FakeSwitch(callbacks_max=1)
    switch.take("cb1")
    switch.take("cb2")
    hang_up(switch, "cb1-a1", cause=17)
    assert switch.state("cb1") == "retry_wait"
    assert switch.asterisk.originated == ["cb1-a1", "cb2-a1"]
    switch.pass_time(6)
    assert switch.asterisk.originated == ["cb1-a1", "cb2-a1"]
    hang_up(switch, "cb2-a1", cause=19)
    assert switch.asterisk.originated == ["cb1-a1", "cb2-a1", "cb1-a2"]


def test_F027_a_refused_one_gives_its_place_away() -> None:
    switch = FakeSwitch(callbacks_max=1)
    switch.take("cb1")
    switch.take("cb2")
    switch.books.refuses_a = Reason.NO_CREDIT
    hang_up(switch, "cb1-a1", cause=19)
    assert (switch.state("cb2"), switch.conductor.in_progress) == ("failed", 0)
    switch.books.refuses_a = None
    switch.take("cb3")
    assert switch.asterisk.originated[-1] == "cb3-a1"


def test_F027_F174_one_that_waits_for_its_turn_too_long_expires_unrung() -> None:
    switch = FakeSwitch(callbacks_max=1)
    switch.take("cb1")
    answer(switch, "cb1-a1")
    switch.take("cb2")
    switch.pass_time(LIMITS.request_worth_seconds + 1)
    assert switch.state("cb2") == "failed"
    assert switch.books.rows["cb2"].reason is Reason.EXPIRED
    hang_up(switch, "cb1-a1")
    assert switch.asterisk.originated == ["cb1-a1"]


def test_F088_one_cancelled_while_it_waits_for_its_turn_never_rings() -> None:
    switch = FakeSwitch(callbacks_max=1)
    switch.take("cb1")
    switch.take("cb2")
    switch.tell(cancelled(1), "cb2")
    hang_up(switch, "cb1-a1", cause=19)
    assert switch.state("cb2") == "cancelled"
    assert switch.asterisk.originated == ["cb1-a1"]


# what is too old, what cannot be sent


def test_F174_a_stale_request_expires_unrung(switch: FakeSwitch) -> None:
    old = requested(dial_at=at(-LIMITS.request_worth_seconds - 1))
    switch.conductor.follow(old)
    switch.pass_time(1)
    assert switch.state() == "failed"
    assert switch.books.rows[CALLBACK_ID].reason is Reason.EXPIRED
    assert switch.asterisk.originated == []


def test_F174_a_request_within_its_time_rings_when_Asterisk_is_back(switch: FakeSwitch) -> None:
    switch.asterisk.is_reachable = False
    switch.take()
    switch.pass_time(60)
    assert switch.asterisk.originated == []
    switch.asterisk.is_reachable = True
    switch.pass_time(2)
    assert switch.asterisk.originated == [A1]


def test_F174_a_request_expires_while_Asterisk_stays_away(switch: FakeSwitch) -> None:
    switch.asterisk.is_reachable = False
    switch.take()
    switch.pass_time(LIMITS.request_worth_seconds + 2)
    assert switch.state() == "failed"
    switch.asterisk.is_reachable = True
    switch.pass_time(5)
    assert switch.asterisk.originated == []


def test_F120_when_AMI_is_lost_during_the_order_it_never_rings_again(switch: FakeSwitch) -> None:
    switch.asterisk.is_lost_when_asked = True
    switch.take()
    assert switch.asterisk.originated == [A1]
    switch.asterisk.is_lost_when_asked = False
    switch.pass_time(600)
    assert switch.asterisk.originated == [A1]
    assert switch.state() == "failed"
    assert switch.books.rows[CALLBACK_ID].reason is Reason.NEVER_SEEN
    assert switch.books.settled == {CALLBACK_ID: 1}


def test_F120_when_AMI_was_lost_during_the_order_a_ring_that_did_go_out_is_adopted(
    switch: FakeSwitch,
) -> None:
    switch.asterisk.is_lost_when_asked = True
    switch.take()
    switch.asterisk.is_lost_when_asked = False
    switch.asterisk.live.append(A1)
    switch.pass_time(10)
    switch.conductor.spawn(switch.recovery.resync())
    assert switch.state() == "dialing_a"
    answer(switch, A1)
    assert switch.state() == "collecting"
    assert switch.asterisk.originated == [A1]


def test_an_order_that_Asterisk_refuses_rang_nobody_and_is_tried_once_more(switch: FakeSwitch) -> None:
    switch.asterisk.refuses = True
    switch.take()
    assert switch.state() == "retry_wait"
    switch.pass_time(LIMITS.quick_retry_seconds)
    assert switch.asterisk.originated == [A1, A2]
    assert switch.state() == "failed"
    switch.pass_time(60)
    assert switch.asterisk.originated == [A1, A2]
    legs = switch.books.rows[CALLBACK_ID].legs
    assert [leg.invited_at for leg in legs] == [None, None], "no carrier was asked, so none asks a fee"


# deadlines


def test_a_deadline_leads_to_a_look_up_before_anything_is_ended(switch: FakeSwitch) -> None:
    switch.take()
    switch.pass_time(45 + LIMITS.settle_seconds - 1)
    assert switch.asterisk.asked == 0
    switch.pass_time(1)
    assert switch.asterisk.asked == 1
    assert switch.state() == "releasing"  # it still rings, far over its time
    assert switch.asterisk.hung_up == [A1]


def test_what_the_look_up_finds_takes_the_place_of_the_deadline(switch: FakeSwitch) -> None:
    switch.take()
    switch.asterisk.live.clear()
    switch.pass_time(45 + LIMITS.settle_seconds)
    assert switch.state() == "failed"
    assert switch.books.rows[CALLBACK_ID].reason is Reason.NEVER_SEEN


def test_a_look_up_that_gets_no_answer_does_not_stop_the_deadline(switch: FakeSwitch) -> None:
    to_talking(switch)
    switch.asterisk.is_lost_when_asked = True
    switch.pass_time(600 + LIMITS.talk_guard_seconds + 1)
    assert switch.state() == "releasing"
    switch.asterisk.is_lost_when_asked = False
    switch.pass_time(LIMITS.release_seconds + 1)
    assert set(switch.asterisk.hung_up) == {A1, B1}


def test_F173_a_talk_over_its_limit_is_ended_by_our_own_clock(switch: FakeSwitch) -> None:
    to_talking(switch)
    switch.pass_time(600 + LIMITS.talk_guard_seconds - 0.5)
    assert switch.asterisk.hung_up == []
    switch.pass_time(0.5)
    assert set(switch.asterisk.hung_up) == {A1, B1}


def test_a_leg_that_will_not_go_is_told_again_until_it_does(switch: FakeSwitch) -> None:
    to_talking(switch)
    hang_up(switch, A1)
    switch.pass_time(3 * LIMITS.release_seconds)
    assert switch.asterisk.hung_up == [B1] * 4
    switch.asterisk.live.clear()
    switch.pass_time(LIMITS.release_seconds)
    assert switch.state() == "completed"
    assert switch.books.settled == {CALLBACK_ID: 1}


# crossing


def test_a_cancellation_that_crosses_an_authorisation_is_no_error(switch: FakeSwitch, logs: list) -> None:
    authorizing = replace(in_state(State.AUTHORIZING), deadline_at=at(60))
    switch.conductor.follow(authorizing)
    switch.tell(cancelled())
    switch.tell(destination_authorised(authorizing))
    assert switch.state() == "releasing"
    assert not [entry for entry in logs if entry["log_level"] == "error"]


# stopping


def test_F109_draining_starts_nothing_new(switch: FakeSwitch) -> None:
    switch.conductor.draining = True
    switch.take()
    switch.pass_time(30)
    assert switch.asterisk.originated == []


def test_F109_draining_finishes_what_is_under_way_and_then_is_idle(switch: FakeSwitch) -> None:
    to_talking(switch)
    switch.take("cb2", attempts=1)
    switch.conductor.draining = True
    idle: list[object] = []
    Deferred.fromCoroutine(switch.conductor.idle()).addCallback(idle.append)
    hang_up(switch, A1)
    hang_up(switch, B1)
    assert idle == []
    hang_up(switch, "cb2-a1", cause=17)
    assert switch.state("cb2") == "retry_wait"
    switch.pass_time(30)
    assert idle == [None]
    assert switch.asterisk.originated == [A1, "cb2-a1"]
    assert switch.books.settled[CALLBACK_ID] == 1


def test_F109_stopping_leaves_no_timer(switch: FakeSwitch) -> None:
    switch.take()
    switch.conductor.follow(requested(callback_id="cb2", dial_at=at(1000)))
    switch.conductor.stop()
    assert switch.clock.getDelayedCalls() == []


def test_F012_what_was_stored_before_a_restart_is_taken_up_again_and_rung_once(switch: FakeSwitch) -> None:
    due = after_all(requested(), [released()])
    switch.conductor.follow(due)
    switch.pass_time(20)
    assert switch.asterisk.originated == [A1]


def test_F012_what_was_being_rung_at_a_restart_is_looked_up_and_not_rung(switch: FakeSwitch) -> None:
    switch.pass_time(20)
    switch.conductor.follow(in_state(State.DIALING_A))
    assert switch.conductor.in_progress == 1
    switch.conductor.spawn(switch.recovery.resync())
    assert switch.state() == "failed"
    assert switch.asterisk.originated == []


def test_a_fault_in_one_callback_hurts_no_other(switch: FakeSwitch, logs: list) -> None:
    switch.take("cb1")
    switch.take("cb2")
    switch.books.rows["cb1"] = replace(switch.books.rows["cb1"], language="xx")  # the fake's own assert fails
    answer(switch, "cb1-a1")
    answer(switch, "cb2-a1")
    assert switch.state("cb2") == "collecting"
    assert [entry["event"] for entry in logs if entry["log_level"] == "error"] == ["conductor.task_failed"]


def test_a_deadline_event_told_twice_is_harmless(switch: FakeSwitch) -> None:
    to_talking(switch)
    switch.tell(deadline_passed(700))
    switch.tell(deadline_passed(700))
    assert switch.state() == "releasing"

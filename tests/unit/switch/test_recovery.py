"""What became of legs while either side was away (the fault table's F1, F3, F4 and F22)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fake_switch import FakeSwitch
from sample_callbacks import (
    A1,
    B1,
    CALLBACK_ID,
    after_all,
    at,
    cancelled,
    destination_authorised,
    hung_up,
    in_state,
    keyed,
    rang,
)
from structlog.testing import capture_logs

from calls import events
from calls.callback import Callback, Reason, ReleasedBy, State
from calls.events import Event
from switch.evidence import LegEvidence
from switch.legs import LegNews
from switch.orders import LiveChannel
from switch.recovery import ASKED_MAX, JUST_ORDERED, find_out

NOW = at(1000)


def live(*leg_ids: str) -> Mapping[str, LiveChannel]:
    return {leg_id: LiveChannel(leg_id=leg_id, channel=f"PJSIP/{leg_id}", is_up=True) for leg_id in leg_ids}


def proof(
    leg_id: str, *, answered: float | None = None, gone: float | None = None, cause: int = 16
) -> dict[str, LegEvidence]:
    evidence = LegEvidence(
        leg_id=leg_id,
        answered_at=None if answered is None else at(answered),
        hung_up_at=None if gone is None else at(gone),
        q850_cause=cause if gone is not None else 0,
    )
    return {leg_id: evidence}


def told(*found: Event) -> list[tuple[str, str, datetime]]:
    return [(type(event).__name__, getattr(event, "leg_id", ""), event.at) for event in found]


# find_out: each row of the table


@pytest.mark.parametrize("state", [State.DIALING_A, State.COLLECTING, State.AUTHORIZING])
def test_F1_a_live_A_leg_is_adopted_and_nothing_is_missed(state: State) -> None:
    findings = find_out(in_state(state), live(A1), {}, now=NOW)
    assert (findings.missed, findings.vanished, findings.some_live) == ((), frozenset(), True)


@pytest.mark.parametrize("state", [State.DIALING_B, State.TALKING])
def test_F1_both_live_legs_are_adopted(state: State) -> None:
    findings = find_out(in_state(state), live(A1, B1), {}, now=NOW)
    assert (findings.missed, findings.vanished, findings.some_live) == ((), frozenset(), True)


def test_F1_an_answer_that_was_missed_is_told_from_the_evidence_of_a_leg_that_lives() -> None:
    findings = find_out(in_state(State.DIALING_A), live(A1), proof(A1, answered=15), now=NOW)
    assert told(*findings.missed) == [("LegAnswered", A1, at(15))]


def test_F1_an_answer_that_is_known_is_not_told_again() -> None:
    assert find_out(in_state(State.COLLECTING), live(A1), proof(A1, answered=15), now=NOW).missed == ()


def test_F1_a_leg_never_seen_has_vanished() -> None:
    findings = find_out(in_state(State.DIALING_A), {}, {}, now=NOW)
    assert (findings.missed, findings.vanished, findings.some_live) == ((), frozenset({A1}), False)


def test_F120_an_order_that_was_just_given_may_still_be_on_its_way() -> None:
    callback = in_state(State.DIALING_A)
    assert callback.leg_a is not None
    assert callback.leg_a.ordered_at is not None
    young = find_out(callback, {}, {}, now=callback.leg_a.ordered_at + JUST_ORDERED)
    assert (young.missed, young.vanished) == ((), frozenset())


def test_F3_the_ends_of_both_legs_are_told_from_the_evidence_in_order_of_time() -> None:
    known = proof(A1, answered=15, gone=95.5) | proof(B1, answered=31, gone=95.25)
    findings = find_out(in_state(State.TALKING), {}, known, now=NOW)
    assert told(*findings.missed) == [("LegHungUp", B1, at(95.25)), ("LegHungUp", A1, at(95.5))]
    assert findings.vanished == frozenset()


def test_F3_a_whole_leg_that_was_missed_is_told_from_answer_to_end() -> None:
    known = proof(B1, answered=31, gone=36.896124)
    findings = find_out(in_state(State.DIALING_B), live(A1), known, now=NOW)
    assert told(*findings.missed) == [("LegAnswered", B1, at(31)), ("LegHungUp", B1, at(36.896124))]


def test_a_leg_that_lives_has_not_ended_whatever_the_file_says_of_an_earlier_one() -> None:
    findings = find_out(in_state(State.TALKING), live(A1, B1), proof(A1, answered=15, gone=20), now=NOW)
    assert findings.missed == ()


def test_F3_legs_without_channel_or_evidence_have_vanished() -> None:
    findings = find_out(in_state(State.TALKING), {}, {}, now=NOW)
    assert (findings.vanished, findings.some_live) == (frozenset({A1, B1}), False)


def test_F22_a_B_leg_may_vanish_while_A_lives() -> None:
    findings = find_out(in_state(State.TALKING), live(A1), {}, now=NOW)
    assert (findings.vanished, findings.some_live) == (frozenset({B1}), True)


@pytest.mark.parametrize("state", [State.REQUESTED, State.RETRY_WAIT])
def test_F1_a_request_that_waits_has_nothing_to_look_up(state: State) -> None:
    findings = find_out(in_state(state), {}, {}, now=NOW)
    assert (findings.missed, findings.vanished, findings.some_live) == ((), frozenset(), False)


@pytest.mark.parametrize("cause", [0, 16, 34, 38, 127])
def test_F120_what_is_found_afterwards_never_leads_to_a_second_ring(cause: int) -> None:
    findings = find_out(in_state(State.DIALING_A), {}, proof(A1, gone=20, cause=cause), now=NOW)
    (event,) = findings.missed
    assert isinstance(event, events.LegHungUp)
    assert event.ringing_unseen
    assert after_all(in_state(State.DIALING_A), [event]).state.is_end


# Recovery: with the conductor


@pytest.fixture
def cel_file(tmp_path: Path) -> Path:
    return tmp_path / "dialback.csv"


@pytest.fixture
def switch(cel_file: Path) -> FakeSwitch:
    made = FakeSwitch(cel_file=cel_file)
    made.pass_time(1000, 500)
    return made


def line(kind: str, seconds: float, leg_id: str, cause: int | None = None) -> str:
    micros = round((at(seconds) - at(0)).total_seconds() * 1_000_000) + round(at(0).timestamp()) * 1_000_000
    unique_id = leg_id if leg_id == A1 else "main-1777896031.2"
    extra = "" if cause is None else f'{{""hangupcause"":{cause}}}'
    instant = f"{micros // 1_000_000}.{micros % 1_000_000:06}"
    return f'"{kind}","{instant}","{unique_id}","{A1}","{leg_id}","PJSIP/x","s","dialback-ivr","","{extra}"\n'


def resync(switch: FakeSwitch, callback: Callback) -> Callback:
    """The stored callback after a restart of the switch in that state and a resync."""
    switch.books.rows[callback.id] = callback
    switch.conductor.follow(callback)
    with capture_logs():
        switch.conductor.spawn(switch.recovery.resync())
    return switch.books.rows[callback.id]


def test_F1_killed_while_talking_both_legs_are_adopted_and_billed_exactly_later(switch: FakeSwitch) -> None:
    switch.asterisk.live = [A1, B1]
    talking = in_state(State.TALKING)
    assert resync(switch, talking) == talking
    assert switch.asterisk.hung_up == []


def test_F1_killed_while_talking_and_the_call_ended_meanwhile_it_is_settled_from_the_evidence(
    switch: FakeSwitch, cel_file: Path
) -> None:
    cel_file.write_text(line("HANGUP", 95.250001, B1, 16) + line("HANGUP", 95.5, A1, 16))
    ended = resync(switch, in_state(State.TALKING))
    assert (ended.state, ended.reason) == (State.COMPLETED, Reason.TALKED)
    assert [(leg.hung_up_at, leg.estimated) for leg in ended.legs] == [
        (at(95.5), False),
        (at(95.250001), False),
    ]
    assert switch.books.settled[CALLBACK_ID] == 1


def test_F1_a_B_leg_answered_and_ended_while_nobody_listened_is_billed(
    switch: FakeSwitch, cel_file: Path
) -> None:
    cel_file.write_text(line("ANSWER", 31, B1) + line("HANGUP", 36, B1, 16) + line("HANGUP", 37, A1, 16))
    ended = resync(switch, in_state(State.DIALING_B))
    assert ended.state is State.COMPLETED
    b = ended.leg(B1)
    assert b is not None
    assert (b.answered_at, b.hung_up_at) == (at(31), at(36))


def test_F1_killed_while_ringing_and_never_seen_the_callback_fails_unrung(switch: FakeSwitch) -> None:
    ended = resync(switch, in_state(State.DIALING_A))
    assert (ended.state, ended.reason) == (State.FAILED, Reason.NEVER_SEEN)
    assert switch.asterisk.originated == []


def test_F3_Asterisk_killed_while_talking_bills_both_legs_to_the_last_proof_of_life(
    switch: FakeSwitch,
) -> None:
    switch.proof_of_life = at(97)
    ended = resync(switch, in_state(State.TALKING))
    assert (ended.state, ended.reason) == (State.FAILED, Reason.VANISHED)
    assert [(leg.hung_up_at, leg.estimated) for leg in ended.legs] == [(at(97), True)] * 2
    assert switch.books.settled[CALLBACK_ID] == 1


def test_F3_a_proof_of_life_older_than_the_answer_bills_nothing(switch: FakeSwitch) -> None:
    switch.proof_of_life = at(5)
    ended = resync(switch, in_state(State.COLLECTING))
    assert ended.legs[0].hung_up_at == ended.legs[0].answered_at


def test_F22_a_B_leg_that_vanished_is_closed_as_estimated_and_the_subscriber_goes_on(
    switch: FakeSwitch,
) -> None:
    switch.proof_of_life = at(97)
    switch.asterisk.live = [A1]
    after = resync(switch, in_state(State.TALKING))
    assert after.state is State.COLLECTING
    b = after.leg(B1)
    assert b is not None
    assert (b.hung_up_at, b.estimated) == (at(97), True)


def test_a_leg_that_was_never_dialled_does_not_fail_a_talk_that_was_had(switch: FakeSwitch) -> None:
    """The subscriber keyed a second number and left at that instant: no B-leg was dialled."""
    talked = after_all(in_state(State.TALKING), [hung_up(B1, seconds=91)])
    keyed_again = after_all(talked, [keyed(seconds=100)])
    again = after_all(keyed_again, [destination_authorised(keyed_again, 100.1)])
    left = after_all(again, [hung_up(A1, seconds=120)])
    assert left.state is State.RELEASING
    ended = resync(switch, left)
    assert (ended.state, ended.reason) == (State.COMPLETED, Reason.TALKED)


def test_a_cancelled_callback_whose_legs_vanish_stays_cancelled(switch: FakeSwitch) -> None:
    ended = resync(switch, after_all(in_state(State.TALKING), [cancelled(90)]))
    assert ended.state is State.CANCELLED


def test_I12_a_channel_that_belongs_to_no_callback_is_ended(switch: FakeSwitch) -> None:
    switch.asterisk.live = ["cb99-a1", A1]
    resync(switch, in_state(State.COLLECTING))
    assert switch.asterisk.hung_up == ["cb99-a1"]


def test_a_second_resync_changes_nothing(switch: FakeSwitch, cel_file: Path) -> None:
    cel_file.write_text(line("ANSWER", 15, A1))
    switch.asterisk.live = [A1]
    after = resync(switch, after_all(in_state(State.DIALING_A), [rang()]))
    assert after.state is State.COLLECTING
    switch.conductor.spawn(switch.recovery.resync())
    assert switch.books.rows[CALLBACK_ID] == after


def test_while_AMI_is_away_nothing_is_looked_up_and_nothing_is_believed_gone(switch: FakeSwitch) -> None:
    switch.asterisk.is_reachable = False
    talking = in_state(State.TALKING)
    switch.books.rows[CALLBACK_ID] = talking
    switch.conductor.follow(talking)
    switch.conductor.spawn(switch.recovery.look_up(talking))
    assert switch.asterisk.asked == 0
    assert switch.books.rows[CALLBACK_ID] == talking


def test_without_a_CEL_file_the_channels_alone_decide() -> None:
    switch = FakeSwitch(cel_file=None)
    switch.pass_time(1000, 500)
    switch.asterisk.live = [A1]
    after = resync(switch, in_state(State.TALKING))
    assert after.state is State.COLLECTING


def test_the_side_that_hung_up_is_taken_to_be_the_far_one_when_nobody_saw_it() -> None:
    findings = find_out(in_state(State.TALKING), live(A1), proof(B1, answered=31, gone=40), now=NOW)
    (event,) = findings.missed
    assert isinstance(event, events.LegHungUp)
    assert event.released_by is ReleasedBy.FAR


# what a resync must not take for proof


def test_F3_what_a_new_Asterisk_tells_does_not_prolong_the_calls_of_the_dead_one(
    switch: FakeSwitch,
) -> None:
    switch.proof_of_life = at(97)
    live_channels = switch.asterisk.live_channels

    async def and_an_event_comes() -> tuple[LiveChannel, ...]:
        switch.proof_of_life = at(1000)
        return await live_channels()

    switch.asterisk.live_channels = and_an_event_comes  # type: ignore[method-assign]
    ended = resync(switch, in_state(State.TALKING))
    assert [leg.hung_up_at for leg in ended.legs] == [at(97)] * 2


def test_F120_an_order_given_while_the_evidence_was_read_has_not_vanished(switch: FakeSwitch) -> None:
    callback = in_state(State.DIALING_A)
    ordered = callback.with_leg(replace(callback.legs[0], ordered_at=at(999)))
    ordered = replace(ordered, deadline_at=at(1060))
    read = switch.recovery._read

    def slowly(*arguments: Any) -> Any:
        switch.clock.advance(5)
        return read(*arguments)

    switch.recovery._read = slowly
    assert resync(switch, ordered).state is State.DIALING_A


def test_F120_a_phone_that_rings_at_the_resync_is_known_to_have_rung(switch: FakeSwitch) -> None:
    ringing = {A1: LiveChannel(leg_id=A1, channel="PJSIP/x", is_up=False, is_ringing=True)}
    (found,) = find_out(in_state(State.DIALING_A), ringing, {}, now=NOW).missed
    rung = after_all(in_state(State.DIALING_A), [found])
    assert after_all(rung, [hung_up(A1, cause=34, seconds=1001)]).state.is_end


def test_I12_a_leg_that_is_closed_in_the_books_has_no_channel_for_long(switch: FakeSwitch) -> None:
    switch.asterisk.live = [A1, B1]
    resync(switch, after_all(in_state(State.TALKING), [hung_up(B1, seconds=91)]))
    assert switch.asterisk.hung_up == [B1]


def test_a_list_that_does_not_come_in_time_is_asked_for_again_and_not_for_ever(switch: FakeSwitch) -> None:
    switch.asterisk.is_lost_when_asked = True
    talking = in_state(State.TALKING)
    assert resync(switch, talking) == talking
    assert switch.asterisk.asked == ASKED_MAX


def test_one_callback_that_cannot_be_saved_keeps_no_other_waiting(switch: FakeSwitch, cel_file: Path) -> None:
    other = replace(
        in_state(State.COLLECTING), id="cb2", legs=(replace(in_state(State.COLLECTING).legs[0], id="cb2-a1"),)
    )
    switch.conductor.follow(other)
    switch.books.rows["cb2"] = replace(other, language="xx")  # no step fits this row
    cel_file.write_text(line("HANGUP", 95.5, A1, 16) + line("HANGUP", 95.5, A1, 16).replace(A1, "cb2-a1"))
    assert resync(switch, in_state(State.COLLECTING)).state.is_end


# an end whose answer nobody heard


def ended_unheard(leg_id: str, seconds: float) -> LegNews:
    event = events.LegHungUp(
        at=at(seconds), leg_id=leg_id, q850_cause=16, released_by=ReleasedBy.FAR, answer_unseen=True
    )
    return LegNews(callback_id=CALLBACK_ID, event=event)


def test_F4_a_talk_answered_while_AMI_was_away_is_billed_though_it_ends_before_the_resync(
    switch: FakeSwitch, cel_file: Path
) -> None:
    dialing = in_state(State.DIALING_B)
    switch.books.rows[CALLBACK_ID] = dialing
    switch.conductor.follow(dialing)
    cel_file.write_text(line("ANSWER", 31, B1))
    switch.recovery.hear(ended_unheard(B1, 95))
    leg = switch.books.rows[CALLBACK_ID].leg(B1)
    assert leg is not None
    assert (leg.answered_at, leg.hung_up_at, leg.estimated) == (at(31), at(95), False)


def test_an_end_whose_answer_is_known_to_the_books_needs_no_evidence(switch: FakeSwitch) -> None:
    talking = in_state(State.TALKING)
    switch.books.rows[CALLBACK_ID] = talking
    switch.conductor.follow(talking)
    switch.recovery.hear(ended_unheard(B1, 95))
    leg = switch.books.rows[CALLBACK_ID].leg(B1)
    assert leg is not None
    assert leg.hung_up_at == at(95)


def test_F17_an_answer_that_is_told_after_the_subscriber_has_left_counts_by_its_own_instant(
    switch: FakeSwitch, cel_file: Path
) -> None:
    dialing = in_state(State.DIALING_B)
    switch.books.rows[CALLBACK_ID] = dialing
    switch.conductor.follow(dialing)
    switch.tell(hung_up(A1, seconds=95.045))
    cel_file.write_text(line("ANSWER", 31, B1))
    switch.recovery.hear(ended_unheard(B1, 95))
    ended = switch.books.rows[CALLBACK_ID]
    leg = ended.leg(B1)
    assert leg is not None
    assert (ended.state, leg.answered_at, leg.hung_up_at) == (State.COMPLETED, at(31), at(95))


# a channel that shows itself too late


def hear(switch: FakeSwitch, event: events.Event) -> None:
    switch.recovery.hear(LegNews(callback_id=CALLBACK_ID, event=event))


def test_I12_a_channel_that_shows_itself_after_its_leg_was_given_up_is_ended(switch: FakeSwitch) -> None:
    switch.take()
    switch.tell(switch.conductor.leg_failed(A1, 34))  # Asterisk had shown no channel of it in time
    assert switch.state() == "retry_wait"
    hear(switch, events.LegRang(at=switch.wall(), leg_id=A1))
    assert switch.asterisk.hung_up == [A1]
    assert switch.state() == "retry_wait"


def test_I12_a_channel_of_a_callback_that_is_over_is_ended(switch: FakeSwitch) -> None:
    switch.take()
    switch.tell(hung_up(A1, cause=19))
    hear(switch, events.LegAnswered(at=switch.wall(), leg_id=A1))
    assert switch.asterisk.hung_up == [A1]


def test_I12_an_orphan_that_cannot_be_ended_now_hurts_nobody(switch: FakeSwitch) -> None:
    switch.asterisk.is_lost_when_asked = True
    hear(switch, events.LegAnswered(at=switch.wall(), leg_id=A1))
    assert switch.asterisk.hung_up == []


def test_news_of_a_leg_that_lives_ends_nothing(switch: FakeSwitch) -> None:
    switch.take()
    for _ in range(2):
        hear(switch, events.LegRang(at=switch.wall(), leg_id=A1))
        hear(switch, events.LegAnswered(at=switch.wall(), leg_id=A1))
    assert switch.state() == "collecting"
    assert switch.asterisk.hung_up == []

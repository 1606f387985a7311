"""kill -9 of switch and Asterisk at every stage of a call: it ends, is billed once, rings nobody twice."""

import signal
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from town import D1, Town, Traveller, leaves, opened

from calls.callback import Reason, State
from calls.cdr import LegRole
from demo.stage import ROOT, SWITCH, Stage
from pbx.installation import Installation
from rating.plan import ALegPolicy
from store.cdrs import CallRecord
from world.scripts import (
    Answers,
    Awaits,
    HangsUp,
    Keys,
    NoAnswer,
    Rings,
    Step,
    Talks,
    TalksUntilHungUp,
    Waits,
)

pytestmark = pytest.mark.real_asterisk
TO_D1 = "0061255500123#"
LONG_ENOUGH_SECONDS = 100
"""For a command to start, be refused and end: a second, or many where all cores are busy with other tests."""


@pytest.fixture(scope="module")
def own_town(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder: Path = tmp_path_factory.mktemp("faults")
    stage = Stage(
        installation,
        folder,
        overrides={"switch": {"guard_seconds": 1, "quick_retry_seconds": 2, "a_ring_seconds": 20}},
    )
    town = opened(stage)
    with stage:
        yield town
    town.close()


@pytest.fixture
def town(own_town: Town) -> Iterator[Town]:
    """A system that this test may break; whatever it kills is started again, and nothing is left over."""
    yield own_town
    if own_town.stage.asterisk is not None and own_town.stage.asterisk.pid is None:
        own_town.stage.start_asterisk()
    if own_town.stage.switch_pid is None:
        own_town.stage.start_switch()
    own_town.wait_until_quiet(seconds=40)
    own_town.world.reset()


def talker(town: Town, *more: Step) -> Traveller:
    """A traveller who answers, calls D1 and stays until Town.leaves_after() is asked for."""
    sam = town.traveller(credit="5.00")
    town.world.phone(sam.number, Answers(after=1), Keys(TO_D1, after=1), *more, *leaves(sam))
    return sam


def b_leg(town: Town, traveller: Traveller) -> CallRecord:
    """The record of the traveller's only B-leg."""
    (record,) = (each for each in town.records_of(traveller) if each.cdr.role is LegRole.B)
    return record


def check_billed_once(town: Town, traveller: Traveller) -> None:
    """Every answered second is billed once, by the far phone's own clock, and no hold stays open."""
    charged = sum(record.charge.amount for record in town.records_of(traveller) if record.charge is not None)
    assert -town.balance_of(traveller) == charged
    assert not [line for line in town.leftovers() if line.startswith(("open hold", "unfinished"))]


def test_killed_while_the_subscriber_rings_the_call_is_adopted_and_nobody_is_rung_twice(town: Town) -> None:
    sam = town.traveller()
    back = "the switch is back"
    town.world.phone(sam.number, Rings(1), Awaits(back), Answers(), Keys(TO_D1, after=1), *leaves(sam))
    town.world.phone(D1, Answers(), Talks(seconds=2), HangsUp())
    town.ring(sam)
    town.wait_until(lambda: town.world.originations(sam.number) == 1)
    town.stage.kill_switch()
    town.stage.start_switch()
    town.world.gives(back)
    town.leaves_after(sam)
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    assert town.world.originations(sam.number) == 1
    check_billed_once(town, sam)


def test_killed_while_digits_are_keyed_the_subscriber_is_released_and_billed(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=1), Keys("0061", after=1), Waits(60))
    town.ring(sam)
    town.wait_until(lambda: town.callback_of(sam).accepted_at is not None)
    town.stage.kill_switch()
    town.stage.start_switch()
    callback = town.wait_for_end(sam, seconds=30)
    assert callback.state is State.ABANDONED
    (far,) = town.world.calls(sam.number)
    (leg,) = callback.legs
    assert leg.hung_up_at is not None
    assert far.hung_up_at is not None
    assert abs(leg.hung_up_at - far.hung_up_at) < timedelta(seconds=0.1)
    assert town.world.originations(sam.number) == 1
    check_billed_once(town, sam)


@pytest.mark.parametrize("moment", [State.DIALING_B, State.TALKING])
def test_killed_while_the_destination_rings_or_talks_the_call_goes_on_and_is_billed_by_the_far_phones_clock(
    town: Town, moment: State
) -> None:
    sam = talker(town)
    town.world.phone(D1, Answers(after=4), Talks(seconds=8), HangsUp())
    town.ring(sam)
    town.wait_for_state(sam, moment)
    town.wait_until(lambda: town.world.originations(D1) == 1)
    town.stage.kill_switch()
    time.sleep(1)
    town.stage.start_switch()
    town.leaves_after(sam)
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    (far,) = town.world.calls(D1)
    record = b_leg(town, sam)
    assert far.talk_microseconds is not None
    assert record.cdr.answered_at is not None
    talked = record.cdr.hung_up_at - record.cdr.answered_at
    assert abs(talked - timedelta(microseconds=far.talk_microseconds)) < timedelta(milliseconds=20)
    assert town.world.originations(sam.number) == town.world.originations(D1) == 1
    check_billed_once(town, sam)


def test_killed_for_the_whole_talk_the_evidence_bills_it_afterwards(town: Town) -> None:
    sam = talker(town)
    town.world.phone(D1, Answers(after=1), Talks(seconds=4), HangsUp())
    town.ring(sam)
    town.wait_for_state(sam, State.TALKING)
    town.stage.kill_switch()
    town.world.wait_for_call(sam.number, seconds=30)
    town.stage.start_switch()
    callback = town.wait_for_end(sam, seconds=30)
    assert callback.state is State.COMPLETED
    (far,) = town.world.calls(D1)
    record = b_leg(town, sam)
    assert record.cdr.answered_at is not None
    assert far.talk_microseconds is not None
    talked = record.cdr.hung_up_at - record.cdr.answered_at
    assert abs(talked - timedelta(microseconds=far.talk_microseconds)) < timedelta(milliseconds=20)
    assert not record.cdr.estimated
    check_billed_once(town, sam)


def test_the_limit_ends_a_talk_even_while_the_switch_is_dead(town: Town) -> None:
    # 0.24 a minute by the second is 0.004 a second: 0.0400 pays for 10 s.
    sam = town.traveller(
        credit="0.0400", a_leg_policy=ALegPolicy.FREE, first_increment_s=1, next_increment_s=1
    )
    town.world.phone(sam.number, Answers(after=1), Keys(TO_D1, after=1), TalksUntilHungUp())
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    town.ring(sam)
    limit = town.wait_for_state(sam, State.TALKING).legs_b[0].talk_seconds_max
    assert limit == 10
    town.stage.kill_switch()
    call = town.world.wait_for_call(D1, seconds=limit + 10)
    assert call.talk_microseconds is not None
    assert limit <= call.talk_microseconds / 1_000_000 < limit + 2
    town.stage.start_switch()
    town.wait_for_end(sam, seconds=30)
    # The tenth second is over when Asterisk hangs up: what runs beyond the credit is our loss.
    assert town.balance_of(sam) == Decimal("-0.0400")


def test_asterisk_killed_in_talk_is_billed_to_the_last_proof_of_life_and_flagged(town: Town) -> None:
    sam = talker(town)
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    town.ring(sam)
    town.wait_for_state(sam, State.TALKING)
    time.sleep(7)
    (up,) = town.world.calls(D1)
    assert up.answered_at is not None
    lived = time.time() - up.answered_at.timestamp()
    town.stage.kill_asterisk()
    town.stage.start_asterisk()
    callback = town.wait_for_end(sam, seconds=40)
    assert (callback.state, callback.reason) == (State.FAILED, Reason.VANISHED)
    record = b_leg(town, sam)
    assert record.cdr.estimated
    assert record.cdr.answered_at is not None
    billed = (record.cdr.hung_up_at - record.cdr.answered_at).total_seconds()
    assert lived - 6 < billed <= lived + 0.1
    assert town.world.originations(sam.number) == town.world.originations(D1) == 1
    check_billed_once(town, sam)


def test_asterisk_killed_while_the_subscriber_rings_costs_nothing_and_rings_nobody_again(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, NoAnswer())
    town.ring(sam)
    town.wait_for_state(sam, State.DIALING_A)
    town.wait_until(lambda: town.world.originations(sam.number) == 1)
    time.sleep(3)
    town.stage.kill_asterisk()
    town.stage.start_asterisk()
    assert town.wait_for_end(sam, seconds=40).state is State.FAILED
    assert town.world.originations(sam.number) == 1
    assert town.balance_of(sam) == 0


@pytest.mark.parametrize("moment", [State.COLLECTING, State.DIALING_B])
def test_asterisk_killed_before_the_talk_bills_the_subscribers_leg_to_the_last_proof_of_life(
    town: Town, moment: State
) -> None:
    sam = town.traveller()
    keys = "0061" if moment is State.COLLECTING else TO_D1
    town.world.phone(sam.number, Answers(after=1), Keys(keys, after=1), TalksUntilHungUp())
    town.world.phone(D1, NoAnswer())
    town.ring(sam)
    town.wait_until(lambda: town.wait_for_state(sam, moment).accepted_at is not None)
    time.sleep(4)
    killed_at = time.time()
    town.stage.kill_asterisk()
    town.stage.start_asterisk()
    callback = town.wait_for_end(sam, seconds=40)
    assert (callback.state, callback.reason) == (State.FAILED, Reason.VANISHED)
    leg_a = callback.leg_a
    assert leg_a is not None
    assert leg_a.hung_up_at is not None
    assert leg_a.estimated
    assert killed_at - 6 < leg_a.hung_up_at.timestamp() <= killed_at + 0.1
    assert all(leg.answered_at is None for leg in callback.legs_b)
    assert town.world.originations(sam.number) == 1
    check_billed_once(town, sam)


def test_F012_twenty_accepted_requests_survive_a_kill_and_are_each_dialled_once(town: Town) -> None:
    travellers = [town.traveller() for _ in range(20)]
    # Due after the kill: one that is being ordered at that very instant is looked up, and never rung blindly.
    due = datetime.now(UTC) + timedelta(seconds=8)
    for each in travellers:
        town.world.phone(each.number, Answers(after=1), Waits(1), HangsUp())
        town.request(each, dial_at=due)
    assert datetime.now(UTC) < due
    town.stage.kill_switch()
    town.stage.start_switch()
    for each in travellers:
        town.wait_for_end(each, seconds=60)
        assert town.world.originations(each.number) == 1


def test_F120_fifty_triggers_and_a_kill_make_one_originate_for_each_subscriber(town: Town) -> None:
    travellers = [town.traveller() for _ in range(5)]
    for each in travellers:
        town.world.phone(each.number, Answers(after=6), Waits(1), HangsUp())
    lines = [
        town.world.starts_ringing(did=each.did, caller=each.number, seconds=1 + ring / 10)
        for ring in range(10)
        for each in travellers
    ]
    town.wait_until(lambda: all(town.world.originations(each.number) for each in travellers))
    town.stage.kill_switch()
    for line in lines:
        line.hang_up()
    town.stage.start_switch()
    for each in travellers:
        town.wait_for_end(each, seconds=60)
        assert town.world.originations(each.number) == len(town.callbacks_of(each)) == 1


def test_F109_SIGTERM_takes_no_new_trigger_lets_calls_finish_and_refuses_a_second_instance(
    town: Town,
) -> None:
    sams = [talker(town), talker(town)]
    town.world.phone(D1, Answers(), Talks(seconds=6), HangsUp())
    for sam in sams:
        town.ring(sam)
    for sam in sams:
        town.wait_for_state(sam, State.TALKING)
    second = subprocess.run(
        [*SWITCH, "--config", str(town.stage.config), "serve", "--no-web"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_ENOUGH_SECONDS,
        check=False,
    )
    assert second.returncode == 5
    assert "another Dialback" in second.stderr
    late = town.traveller()
    town.world.phone(late.number, Answers())
    town.stage.signal_switch(signal.SIGTERM)
    time.sleep(0.5)
    town.ring(late)
    for sam in sams:
        town.leaves_after(sam)
    assert town.stage.wait_for_switch_to_end(60) == 0
    assert town.world.originations(late.number) == 0
    for sam in sams:
        assert town.callback_of(sam).state is State.COMPLETED
        check_billed_once(town, sam)


@pytest.mark.parametrize("how", ["a second signal", "the end of --drain-seconds"])
def test_F109_ended_before_the_calls_it_leaves_them_up_and_the_next_start_adopts_and_bills_them(
    town: Town, how: str
) -> None:
    town.stage.stop_switch()
    town.stage.start_switch("--drain-seconds", "30" if how == "a second signal" else "1")
    sam = talker(town)
    town.world.phone(D1, Answers(), Talks(seconds=9), HangsUp())
    town.ring(sam)
    town.wait_for_state(sam, State.TALKING)
    town.stage.signal_switch(signal.SIGTERM)
    if how == "a second signal":
        time.sleep(0.3)
        town.stage.signal_switch(signal.SIGTERM)
    assert town.stage.wait_for_switch_to_end(5) == 0
    assert [call.over for call in town.world.calls(D1)] == [False]
    town.stage.start_switch()
    town.leaves_after(sam)
    assert town.wait_for_end(sam).state is State.COMPLETED
    (far,) = town.world.calls(D1)
    record = b_leg(town, sam)
    assert far.talk_microseconds is not None
    assert record.cdr.answered_at is not None
    talked = record.cdr.hung_up_at - record.cdr.answered_at
    assert abs(talked - timedelta(microseconds=far.talk_microseconds)) < timedelta(milliseconds=20)
    check_billed_once(town, sam)


def starved_seconds(stage: Stage) -> float:
    """How long the switch was ready to run and the kernel gave it no core: other tests had them."""
    return int(Path(f"/proc/{stage.switch_pid}/schedstat").read_text().split()[1]) / 1e9


def test_F174_live_calls_are_adopted_within_10_seconds_of_a_restart(town: Town) -> None:
    sam = talker(town)
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    town.ring(sam)
    town.wait_for_state(sam, State.TALKING)
    town.stage.kill_switch()
    began = time.monotonic()
    town.stage.start_switch()
    assert time.monotonic() - began - starved_seconds(town.stage) < 10
    # Adopted: its end is heard by the switch that never saw its beginning.
    town.world.asterisk.command("channel request hangup all")
    assert town.wait_for_end(sam, seconds=10).state is State.COMPLETED
    check_billed_once(town, sam)


def test_F174_requests_that_have_grown_stale_are_not_rung(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers())
    town.stage.kill_switch()
    town.stage.kill_asterisk()
    callback_id = town.request(sam)
    town.expire(callback_id)
    town.stage.start_asterisk()
    town.stage.start_switch()
    callback = town.wait_for_end(sam)
    assert (callback.state, callback.reason) == (State.FAILED, Reason.EXPIRED)
    assert town.world.originations(sam.number) == 0


def test_F110_a_SIGTERM_before_it_is_ready_ends_it_within_5_seconds(town: Town) -> None:
    town.stage.stop_switch()
    town.stage.kill_asterisk()  # so it waits for AMI and is not ready
    town.stage.start_switch(wait=False)
    time.sleep(2)
    town.stage.signal_switch(signal.SIGTERM)
    town.stage.wait_for_switch_to_end(5)
    assert not (town.stage.folder / "ready").exists()


def test_F110_without_a_database_it_says_so_and_exits(town: Town, tmp_path: Path) -> None:
    text = town.stage.config.read_text().replace("sqlite:///dialback.db", "sqlite:///missing/none.db")
    config = tmp_path / "switch.toml"
    config.write_text(text)
    done = subprocess.run(
        [*SWITCH, "--config", str(config), "serve"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=LONG_ENOUGH_SECONDS,
        check=False,
    )
    assert done.returncode in {69, 78}
    assert "Traceback" not in done.stderr
    assert "database" in done.stderr


def test_F111_an_unknown_option_is_refused() -> None:
    done = subprocess.run(
        [*SWITCH, "serve", "--sideways"],
        cwd=ROOT,
        capture_output=True,
        timeout=LONG_ENOUGH_SECONDS,
        check=False,
    )
    assert done.returncode == 2

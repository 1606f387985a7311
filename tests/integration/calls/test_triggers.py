"""Rings of the trigger number: who is called back, who is not, and what is written down."""

import threading
import time
from datetime import timedelta

import pytest
from town import D1, Town, Traveller, leaves

from calls.callback import Reason, State
from calls.cdr import Disposition
from store import admissions, dids
from store.admissions import TriggerRecord
from world.scripts import Answers, Busy, HangsUp, Keys, NoAnswer, Talks, TalksUntilHungUp, Waits

pytestmark = pytest.mark.real_asterisk


def records(town: Town, did: str) -> list[TriggerRecord]:
    """The trigger records of that number, the oldest first."""
    found = town.database.read("triggers", admissions.list_triggers, last=1000)
    return [each for each in found if each.did_raw.lstrip("+") == did.lstrip("+")]


def declines(town: Town, traveller: Traveller) -> None:
    """The traveller's phone answers and hangs up: the shortest callback there is."""
    town.world.phone(traveller.number, Answers(after=0.5), Waits(0.5), HangsUp())


def test_F001_a_ring_that_hangs_up_is_called_back_exactly_once(town: Town) -> None:
    sam = town.traveller()
    declines(town, sam)
    heard = town.ring(sam, seconds=5)
    assert heard.rang
    assert town.wait_for_end(sam).state is State.ABANDONED
    assert town.world.originations(sam.number) == 1


def test_F010_a_second_trigger_while_the_phone_rings_makes_no_second_call(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=6), Waits(0.5), HangsUp())
    town.ring(sam)
    town.wait_for_state(sam, State.DIALING_A)
    town.ring(sam)
    town.wait_for_end(sam)
    assert town.world.originations(sam.number) == 1
    first, second = records(town, sam.did)
    assert (first.outcome, second.outcome, second.reason) == ("accepted", "refused", "duplicate")


def test_F011_five_triggers_within_a_second_on_one_number_give_five_callbacks(town: Town) -> None:
    travellers = [town.traveller() for _ in range(5)]
    for each in travellers:
        declines(town, each)
    lines = [
        town.world.starts_ringing(did=travellers[0].did, caller=each.number, seconds=2, through="alpha")
        for each in travellers
    ]
    for line in lines:
        assert not line.heard().answered
    for each in travellers:
        town.wait_for_end(each)
        assert town.world.originations(each.number) == 1


@pytest.mark.parametrize("country_code", ["44", "49"], ids=["mobile or landline at home", "abroad"])
def test_F013_any_line_that_takes_a_call_can_place_one_by_trigger_and_digits(
    town: Town, country_code: str
) -> None:
    sam = town.traveller(country_code=country_code)
    town.world.phone(sam.number, Answers(after=0.5), Keys("0061255500123#", after=1), *leaves(sam))
    town.world.phone(D1, Answers(), Talks(seconds=1), HangsUp())
    town.ring(sam)
    town.leaves_after(sam)
    assert town.wait_for_end(sam, seconds=60).state is State.COMPLETED


def test_F014_an_unknown_caller_leaves_a_record_and_nobody_is_rung(town: Town) -> None:
    sam = town.traveller()
    stranger = "+442079470999"
    town.world.phone(stranger, Answers())
    town.world.rings(did=sam.did, caller=stranger, seconds=1)
    (record,) = town.wait_until(lambda: records(town, sam.did))
    assert (record.outcome, record.reason) == ("refused", "unknown_caller")
    assert record.caller_raw.endswith("442079470999")
    time.sleep(3)
    assert town.world.originations(stranger) == 0


def test_F014_a_registered_number_that_is_not_verified_is_never_rung(town: Town) -> None:
    sam = town.traveller(verified=False)
    town.world.phone(sam.number, Answers())
    town.ring(sam)
    (record,) = town.wait_until(lambda: records(town, sam.did))
    assert record.reason == "not_verified"
    time.sleep(3)
    assert town.world.originations(sam.number) == 0


def test_F016_the_record_shows_by_which_trigger_the_call_came(town: Town) -> None:
    sam = town.traveller()
    declines(town, sam)
    town.ring(sam)
    assert town.wait_for_end(sam).origin.label == f"ring:{sam.did}"


def test_F026_the_subscriber_sees_the_trigger_number(town: Town) -> None:
    sam = town.traveller()
    declines(town, sam)
    town.ring(sam)
    town.wait_for_end(sam)
    (call,) = town.world.calls(sam.number)
    assert call.caller_id_seen == sam.did


def test_F079_ten_triggers_of_mixed_fate_leave_ten_records(town: Town) -> None:
    sam = town.traveller()
    stranger, unverified = "+442079470998", town.traveller(verified=False)
    declines(town, sam)
    callers = [sam.number] * 3 + [stranger] * 3 + [unverified.number] * 2 + [None] * 2
    lines = [town.world.starts_ringing(did=sam.did, caller=each, seconds=1) for each in callers]
    for line in lines:
        line.heard()
    town.wait_for_end(sam)
    town.wait_until(lambda: len(records(town, sam.did)) == 10)
    town.wait_until(lambda: all(each.released_at is not None for each in records(town, sam.did)))
    found = records(town, sam.did)
    assert sorted(each.reason or each.outcome for each in found) == sorted(
        ["accepted"] + ["duplicate"] * 2 + ["unknown_caller"] * 5 + ["not_verified"] * 2
    )


@pytest.mark.parametrize("country_code", ["63", "966"])
def test_F106_a_ring_from_a_country_where_it_is_denied_is_refused_with_the_reason(
    town: Town, country_code: str
) -> None:
    sam = town.traveller(country_code=country_code, home_country="PH")
    town.ring(sam)
    (record,) = town.wait_until(lambda: records(town, sam.did))
    assert record.reason == "country_denied"
    time.sleep(2)
    assert town.world.originations(sam.number) == 0


def test_F106_calls_to_a_country_where_callbacks_are_denied_go_through(town: Town) -> None:
    sam = town.traveller()
    friend = "+63281234567"
    town.world.phone(sam.number, Answers(after=0.5), Keys("0063281234567#", after=1), *leaves(sam))
    town.world.phone(friend, Answers(), Talks(seconds=1), HangsUp())
    town.ring(sam)
    town.leaves_after(sam)
    assert town.wait_for_end(sam, seconds=60).state is State.COMPLETED


def test_F122_a_busy_subscriber_gets_one_more_try_and_no_more(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Busy())
    town.ring(sam)
    callback = town.wait_for_end(sam)
    assert (callback.state, callback.reason) == (State.UNANSWERED, Reason.BUSY)
    assert town.world.originations(sam.number) == 2


def test_F123_a_withheld_number_on_a_personal_did_is_rung_back(town: Town) -> None:
    sam = town.traveller(kind=dids.PERSONAL)
    declines(town, sam)
    town.world.rings(did=sam.did, caller=None, seconds=1)
    town.wait_for_end(sam)
    assert town.world.originations(sam.number) == 1


def test_F123_a_direct_did_dials_its_fixed_destination_after_one_key(town: Town) -> None:
    sam = town.traveller(kind=dids.DIRECT, destination=D1)
    town.world.phone(sam.number, Answers(after=0.5), Keys("5", after=2), *leaves(sam))
    town.world.phone(D1, Answers(), Talks(seconds=1), HangsUp())
    town.ring(sam)
    town.leaves_after(sam)
    assert town.wait_for_end(sam, seconds=60).state is State.COMPLETED
    assert town.world.originations(D1) == 1


def test_F023_without_a_key_no_destination_is_dialled_even_if_it_is_fixed(town: Town) -> None:
    sam = town.traveller(kind=dids.DIRECT, destination=D1)
    town.world.phone(sam.number, Answers(after=0.5), TalksUntilHungUp())
    town.world.phone(D1, Answers())
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=60)
    assert (callback.state, callback.reason) == (State.ABANDONED, Reason.NOT_ACCEPTED)
    assert town.world.originations(D1) == 0


def test_F021_fifty_triggers_are_each_answered_by_a_call_within_10_seconds(town: Town) -> None:
    travellers = [town.traveller() for _ in range(50)]
    hung_up = {}

    def ring(traveller: Traveller) -> None:
        hung_up[traveller.number] = town.ring(traveller, seconds=1).hung_up_at

    for start in range(0, 50, 10):
        some = travellers[start : start + 10]
        for each in some:
            declines(town, each)
        threads = [threading.Thread(target=ring, args=(each,)) for each in some]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for each in some:
            town.wait_for_end(each)
            (call,) = town.world.calls(each.number)
            assert call.invited_at - hung_up[each.number] < timedelta(seconds=10)


def test_F024_both_sides_receive_a_call_that_we_placed(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=0.5), Keys("0061255500123#", after=1), *leaves(sam))
    town.world.phone(D1, Answers(), Talks(seconds=1), HangsUp())
    town.ring(sam)
    town.leaves_after(sam)
    town.wait_for_end(sam, seconds=60)
    assert [call.incoming for call in town.world.calls(sam.number)] == [True]
    assert [call.incoming for call in town.world.calls(D1)] == [True]


def test_F023_F049_a_subscriber_rung_for_45_s_costs_nothing_and_no_destination_is_rung(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, NoAnswer())
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=75)
    assert (callback.state, callback.reason) == (State.UNANSWERED, Reason.NO_ANSWER)
    assert town.balance_of(sam) == 0
    assert town.world.originations(sam.number) == 1
    (leg,) = callback.legs
    assert leg.rang_at is not None
    assert leg.hung_up_at is not None
    assert leg.answered_at is None
    assert 44 < (leg.hung_up_at - leg.rang_at).total_seconds() < 47
    (record,) = town.records_of(sam)
    assert (record.cdr.disposition, record.charge) == (Disposition.NO_ANSWER, None)

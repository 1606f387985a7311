"""The outbound leg: who is tried in which order, what is heard across, who ends it, and for how long."""

import csv
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from callers import dials, keyed, town_of_its_own
from town import CLERK, D1, D2, LONG_AGO, Town, Traveller, leaves

from calls.callback import Callback, State
from calls.cdr import Disposition, LegRole
from pbx.installation import Installation
from pbx.layout import Layout
from rating.deckfile import read_deck
from rating.plan import ALegPolicy
from store import decks, trunks
from store.cdrs import CallRecord
from store.database import Connection
from world.audio import stretches
from world.scripts import (
    Answers,
    Busy,
    Congestion,
    HangsUp,
    Keys,
    NoAnswer,
    Records,
    Rings,
    Step,
    Talks,
    TalksUntilHungUp,
    Tone,
    Unavailable,
    Waits,
)

pytestmark = pytest.mark.real_asterisk
B_RING_SECONDS = 36
"""Longer than SIP's Timer B of 32 s: only that tells a carrier that is silent from a phone that rings on."""
VOICE_A_HZ, VOICE_B_HZ = 440, 620
FREE_A: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE}
BY_THE_SECOND: dict[str, Any] = {**FREE_A, "first_increment_s": 1, "next_increment_s": 1}
HOME_COSTS = "prefix,destination,rate_per_min\n44,United Kingdom,0.01\n33,France,0.05\n"


@pytest.fixture(scope="module")
def three_carriers(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Subscribers are rung through `home`, so that alpha and beta can fail without them noticing."""
    folder = tmp_path_factory.mktemp("three-carriers")
    switch = {"b_ring_seconds": B_RING_SECONDS}
    with town_of_its_own(installation, folder, carriers=("alpha", "beta", "home"), switch=switch) as town:
        town.database.call("home carrier", add_home_carrier)
        yield town


def add_home_carrier(connection: Connection) -> None:
    decks.add_deck(connection, name="home-cost", kind=decks.COST, currency="USD", author=CLERK)
    rows = read_deck(HOME_COSTS.splitlines(), currency="USD", effective_at=LONG_AGO).accepted()
    decks.add_version(connection, deck_name="home-cost", new_rates=rows, effective_at=LONG_AGO, author=CLERK)
    trunks.add_trunk(connection, trunks.Trunk(name="home", carrier="home", cost_deck="home-cost"), CLERK)


@pytest.fixture
def town(three_carriers: Town) -> Iterator[Town]:
    yield three_carriers
    for carrier in ("alpha", "beta"):
        three_carriers.world.carrier(carrier).works()
    three_carriers.wait_until_quiet()
    three_carriers.world.reset()


def records_b(town: Town, account: Traveller) -> list[CallRecord]:
    """The B-legs of a traveller, in the order in which they were dialled."""
    return [each for each in town.records_of(account) if each.cdr.role is LegRole.B]


def trunks_tried(callback: Callback) -> list[str]:
    return [leg.trunk for leg in callback.legs_b]


def test_F037_both_sides_hear_each_other_within_a_second_of_the_answer(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(
        sam.number,
        Answers(after=0.5),
        Keys(keyed(D1), after=1),
        Records(),
        Tone(VOICE_A_HZ),
        *leaves(sam),
    )
    town.world.phone(
        D1, Answers(after=1), Records(), Talks(seconds=4, tone_hz=VOICE_B_HZ), Waits(1), HangsUp()
    )
    town.ring(sam)
    town.leaves_after(sam)
    callback = town.wait_for_end(sam)
    (far,) = town.world.calls(D1)
    (near,) = town.world.calls(sam.number)
    assert far.recording is not None
    assert near.recording is not None
    assert far.answered_at is not None
    voice_of_a = next(each for each in stretches(far.recording) if abs(each.frequency_hz - VOICE_A_HZ) < 15)
    assert voice_of_a.from_seconds < 1
    assert voice_of_a.seconds > 3.5
    voice_of_b = next(each for each in stretches(near.recording) if abs(each.frequency_hz - VOICE_B_HZ) < 15)
    assert voice_of_b.seconds > 3  # of its 4 s, at most the first one is lost
    assert callback.leg_b is not None
    assert bridged_at(town, callback.leg_b.id) - far.answered_at < timedelta(seconds=1)


def bridged_at(town: Town, leg_id: str) -> datetime:
    """When our Asterisk joined that leg to the other."""
    path = Layout(town.stage.settings.pbx.folder).events
    with path.open(newline="") as log:
        kinds_times_accounts = [(row[0], row[1], row[4]) for row in csv.reader(log)]
    at = next(at for kind, at, account in kinds_times_accounts if (kind, account) == ("BRIDGE_ENTER", leg_id))
    return datetime.fromtimestamp(float(at), UTC)


def test_F038_a_subscriber_who_hangs_up_in_talk_ends_the_call_and_the_charge(town: Town) -> None:
    sam = town.traveller(**BY_THE_SECOND)
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    dials(town, sam, D1, Waits(6), HangsUp())
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    (near,), (far,) = town.world.calls(sam.number), town.world.calls(D1)
    assert near.hung_up_at is not None
    assert far.hung_up_at is not None
    assert timedelta(0) <= far.hung_up_at - near.hung_up_at < timedelta(seconds=2)
    (record,) = records_b(town, sam)
    assert abs((record.cdr.hung_up_at - near.hung_up_at).total_seconds()) < 0.5
    assert record.charge is not None
    assert record.charge.billed_seconds == -(-far.talk_microseconds // 1_000_000)


def test_F038_a_destination_that_hangs_up_ends_its_charge_while_the_subscriber_stays(town: Town) -> None:
    sam = town.traveller(**BY_THE_SECOND)
    town.world.phone(D1, Answers(), Talks(seconds=2.5), HangsUp())
    dials(town, sam, D1, Waits(10), HangsUp())
    town.wait_for_end(sam)
    (near,), (far,) = town.world.calls(sam.number), town.world.calls(D1)
    assert near.hung_up_at is not None
    assert far.hung_up_at is not None
    assert near.hung_up_at - far.hung_up_at > timedelta(seconds=2)
    (record,) = records_b(town, sam)
    assert record.charge is not None
    assert record.charge.billed_seconds == 3
    assert town.balance_of(sam) == Decimal("-0.0120")


@pytest.mark.parametrize("fault", ["congested", "fails with 500", "dark"])
def test_F045_a_carrier_that_is_down_is_passed_over_with_both_attempts_recorded(
    town: Town, fault: str
) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Answers(), Talks(seconds=2), HangsUp())
    alpha = town.world.carrier("alpha")
    {"congested": alpha.congested, "fails with 500": lambda: alpha.fails(500), "dark": alpha.goes_dark}[
        fault
    ]()
    try:
        town.world.phone(
            sam.number,
            Answers(after=0.5),
            Keys(keyed(D1), after=1),
            Waits(32 + 6 if fault == "dark" else 6),
            HangsUp(),
        )
        town.ring(sam, through="beta")
        callback = town.wait_for_end(sam, seconds=90)
    finally:
        if fault == "dark":
            alpha.comes_back()
    assert callback.state is State.COMPLETED
    assert trunks_tried(callback) == ["alpha", "beta"]
    failed, answered = records_b(town, sam)
    assert (failed.cdr.trunk, failed.charge) == ("alpha", None)
    assert answered.charge is not None
    assert answered.charge.amount == Decimal("0.1200")
    assert town.balance_of(sam) == Decimal("-0.1200")
    if fault != "dark":
        assert failed.cdr.disposition is Disposition.CONGESTION
        assert answered.cdr.invited_at - failed.cdr.invited_at < timedelta(seconds=1)


def test_F045_when_every_carrier_is_down_each_is_tried_once_and_nothing_is_charged(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Answers(), Talks(seconds=2), HangsUp())
    town.world.carrier("alpha").congested()
    town.world.carrier("beta").congested()
    dials(town, sam, D1, Waits(5), HangsUp())
    callback = town.wait_for_end(sam)
    assert callback.state is State.ABANDONED
    assert trunks_tried(callback) == ["alpha", "beta"]
    assert town.world.originations(D1) == 2
    assert town.balance_of(sam) == 0


def test_F127_the_cheapest_carrier_of_each_destination_comes_first(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Busy())
    town.world.phone(D2, Congestion())
    dials(town, sam, D1, Waits(6), Keys(keyed(D2)), Waits(6), HangsUp())
    callback = town.wait_for_end(sam)
    # 61: alpha 0.05, beta 0.06. 33: home 0.05, alpha 0.10, beta 0.11.
    assert trunks_tried(callback) == ["alpha", "home", "alpha", "beta"]


@pytest.mark.parametrize(
    ("answer", "disposition"),
    [
        (Busy(), Disposition.BUSY),
        (NoAnswer(), Disposition.NO_ANSWER),
        (Unavailable(480), Disposition.NO_ANSWER),
        (Unavailable(404), Disposition.UNOBTAINABLE),
        (Unavailable(403), Disposition.REJECTED),
    ],
    ids=["busy", "no answer", "480", "404", "403"],
)
def test_F127_F049_the_destinations_own_word_is_final_and_costs_nothing(
    town: Town, answer: Step, disposition: Disposition
) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, answer)
    dials(town, sam, D1, Waits(B_RING_SECONDS + 3 if isinstance(answer, NoAnswer) else 4), HangsUp())
    callback = town.wait_for_end(sam, seconds=60)
    assert callback.state is State.ABANDONED
    assert trunks_tried(callback) == ["alpha"]
    assert town.world.originations(D1) == 1
    (record,) = records_b(town, sam)
    assert record.cdr.disposition is disposition
    assert record.cdr.answered_at is None
    assert (record.charge, record.cost) == (None, None)
    assert town.balance_of(sam) == 0
    if disposition is Disposition.NO_ANSWER and isinstance(answer, NoAnswer):
        assert record.cdr.rang_at is not None
        rang = (record.cdr.hung_up_at - record.cdr.rang_at).total_seconds()
        assert B_RING_SECONDS - 1 < rang < B_RING_SECONDS + 1


def test_F127_a_call_that_drops_after_its_answer_takes_no_other_route(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Rings(0.5), Answers(), Waits(1), HangsUp(cause=34))
    dials(town, sam, D1, Waits(6), HangsUp())
    callback = town.wait_for_end(sam)
    assert trunks_tried(callback) == ["alpha"]
    assert town.world.originations(D1) == 1


def test_the_talk_is_cut_when_the_credit_is_spent_and_the_balance_keeps_within_the_limit(town: Town) -> None:
    # 0.24 a minute by the second is 0.004 a second: 0.0200 pays for 5 s.
    sam = town.traveller(credit="0.0200", **BY_THE_SECOND)
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    dials(town, sam, D1, Waits(12), HangsUp())
    callback = town.wait_for_end(sam)
    (far,) = town.world.calls(D1)
    assert 5 <= far.talk_microseconds / 1e6 < 6
    assert not far.hung_up_by_phone
    assert callback.leg_b is not None
    assert callback.leg_b.talk_seconds_max == 5
    assert town.balance_of(sam) == Decimal("-0.0200")


def test_a_credit_that_pays_for_no_second_dials_nobody(town: Town) -> None:
    sam = town.traveller(credit="0.0039", **BY_THE_SECOND)
    town.world.phone(D1, Answers(), TalksUntilHungUp())
    dials(town, sam, D1, Waits(5), HangsUp())
    callback = town.wait_for_end(sam)
    assert callback.legs_b == ()
    assert town.world.originations(D1) == 0
    assert town.balance_of(sam) == 0


def test_the_destination_sees_the_subscribers_verified_number(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(D1, Answers(), Talks(seconds=1), HangsUp())
    dials(town, sam, D1, Waits(5), HangsUp())
    town.wait_for_end(sam)
    (far,) = town.world.calls(D1)
    assert far.caller_id_seen == sam.number
    assert not far.withheld

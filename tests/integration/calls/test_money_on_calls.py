"""What real calls cost: seconds and amounts against the phones' log, and books that agree with themselves."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from callers import at_once, dials
from town import Town, Traveller

from billing.holds import HoldState
from calls.callback import Callback, State
from calls.cdr import LegRole
from demo.stage import ROOT
from rating.plan import ALegPolicy
from store import ledger
from store.cdrs import CallRecord
from store.verify import verify
from values.money import decimal_from_units
from world.log import PhoneCall
from world.scripts import Answers, HangsUp, Rings, Talks, Waits

pytestmark = pytest.mark.real_asterisk
FREE_A: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE}
CLOCKS_AGREE_SECONDS = 0.2
"""Many calls end at once here; test_clock_trap.py holds the clock to 20 ms."""
VISIBLE_WITHIN = timedelta(seconds=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class TalkCase:
    """A talk whose seconds are rounded up to `talked`, and what it must cost."""

    talked: int
    billed: int
    amount: str
    terms: dict[str, Any] = field(default_factory=dict)


FREE_BELOW_30 = {"free_below_seconds": 30}
BY_THE_MINUTE = {"first_increment_s": 60, "next_increment_s": 60}
CASES = (
    TalkCase(talked=29, billed=30, amount="0.1200"),
    TalkCase(talked=30, billed=30, amount="0.1200"),
    TalkCase(talked=31, billed=31, amount="0.1240"),
    TalkCase(talked=29, billed=0, amount="0.0000", terms=FREE_BELOW_30),
    TalkCase(talked=30, billed=30, amount="0.1200", terms=FREE_BELOW_30),
    TalkCase(talked=31, billed=31, amount="0.1240", terms=FREE_BELOW_30),
    TalkCase(talked=61, billed=61, amount="0.2440"),
    TalkCase(talked=61, billed=120, amount="0.4800", terms=BY_THE_MINUTE),
    TalkCase(talked=90, billed=90, amount="0.3600"),
)


def destination(index: int) -> str:
    """One of many numbers in Australia."""
    return f"+6125550{1000 + index}"


def of_role(records: Sequence[CallRecord], role: LegRole) -> CallRecord:
    """The only record of that side."""
    (found,) = [each for each in records if each.cdr.role is role]
    return found


def talk_of(calls: Sequence[PhoneCall]) -> float:
    """The seconds of the only one of these calls, by the phone itself."""
    (call,) = calls
    return call.talk_microseconds / 1e6


@pytest.mark.timeout(240)
def test_F046_F047_F048_F065_talks_of_29_to_90_seconds_are_billed_by_their_plan(town: Town) -> None:
    travellers = [town.traveller(**FREE_A, **case.terms) for case in CASES]

    def talk(index: int) -> None:
        seconds = CASES[index].talked - 0.5
        town.world.phone(destination(index), Answers(), Talks(seconds=seconds), HangsUp())
        dials(town, travellers[index], destination(index), Waits(seconds + 6), HangsUp())

    at_once(range(len(CASES)), talk)
    for index, (sam, case) in enumerate(zip(travellers, CASES, strict=True)):
        town.wait_for_end(sam, seconds=150)
        record = of_role(town.records_of(sam), LegRole.B)
        assert record.charge is not None
        far = talk_of(town.world.calls(destination(index)))
        measured = (record.cdr.hung_up_at - (record.cdr.answered_at or record.cdr.hung_up_at)).total_seconds()
        assert abs(measured - far) < CLOCKS_AGREE_SECONDS
        got = (record.charge.talk_seconds, record.charge.billed_seconds, record.charge.amount)
        assert got == (case.talked, case.billed, Decimal(case.amount))
        assert town.balance_of(sam) == -Decimal(case.amount)
    printed = printed_records(town, travellers[-1])
    (row,) = (row for row in printed if row["role"] == "B")
    assert (row["length"], Decimal(row["amount"])) == ("00:01:30", Decimal("0.36"))
    assert town.database.read("verify", verify) == ()


def printed_records(town: Town, traveller: Traveller) -> Any:
    """What `dialback cdr` prints of an account."""
    command = [sys.executable, "-m", "cli", "--config", str(town.stage.config), "cdr"]
    done = subprocess.run(
        [*command, "--account", traveller.account_id, "--output", "json"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


@pytest.mark.timeout(180)
def test_F053_each_policy_charges_its_own_seconds_of_the_subscribers_leg(town: Town) -> None:
    policies = list(ALegPolicy)
    by_the_second: dict[str, Any] = {"first_increment_s": 1, "next_increment_s": 1}
    travellers = [town.traveller(a_leg_policy=policy, **by_the_second) for policy in policies]

    def talk(index: int) -> None:
        town.world.phone(destination(index), Rings(1), Answers(), Talks(seconds=5), HangsUp())
        dials(town, travellers[index], destination(index), Waits(11), HangsUp(), key_after=4)

    at_once(range(len(policies)), talk)
    for sam, policy in zip(travellers, policies, strict=True):
        callback = town.wait_for_end(sam, seconds=60)
        assert callback.state is State.COMPLETED
        record = of_role(town.records_of(sam), LegRole.A)
        assert record.charge is not None
        near = town.world.calls(sam.number)
        exact = chargeable_seconds(policy, callback, talk_of(near))
        assert record.charge.talk_seconds in rounded_up(exact)
        check_books(town, sam, callback)
    assert town.database.read("verify", verify) == ()


def chargeable_seconds(policy: ALegPolicy, callback: Callback, near_seconds: float) -> float:
    """The seconds of the A-leg that count, by the phones' own log where it tells."""
    leg_a, leg_b = callback.leg_a, callback.leg_b
    assert leg_a is not None
    assert leg_b is not None
    assert leg_a.answered_at is not None
    assert leg_a.accepted_at is not None
    # The first key was pressed 4 s after the answer, and held for 0.1 s.
    keyed_after = (leg_a.accepted_at - leg_a.answered_at).total_seconds()
    assert 4 <= keyed_after < 4.6
    assert leg_b.answered_at is not None
    assert leg_b.hung_up_at is not None
    match policy:
        case ALegPolicy.FROM_ANSWER | ALegPolicy.IF_B_ANSWERED:
            return near_seconds
        case ALegPolicy.FROM_ACCEPT:
            return near_seconds - keyed_after
        case ALegPolicy.WHILE_BRIDGED:
            return (leg_b.hung_up_at - leg_b.answered_at).total_seconds()
        case ALegPolicy.FREE:
            return 0.0


def rounded_up(seconds: float) -> set[int]:
    """The whole seconds that may come of it, the two clocks differing by a little."""
    if not seconds:
        return {0}
    return {-int(-(seconds + shift) // 1) for shift in (-CLOCKS_AGREE_SECONDS, CLOCKS_AGREE_SECONDS)}


def check_books(town: Town, traveller: Traveller, callback: Callback) -> None:
    """One entry that sums to zero, one hold that was posted once, and a balance that is what they say."""
    charged = sum(
        (each.charge.amount for each in town.records_of(traveller) if each.charge is not None), Decimal(0)
    )
    (entry,) = town.database.read("entries", ledger.list_entries, account_id=traveller.account_id)
    assert sum(posting.units for posting in entry.postings) == 0
    hold = town.database.read("hold", ledger.hold_of, callback.id)
    assert hold is not None
    assert hold.state is HoldState.POSTED
    assert decimal_from_units(hold.posted_units) == charged
    assert hold.posted_units <= hold.units
    assert town.balance_of(traveller) == -charged


def visible_within_seconds(town: Town, count: int) -> None:
    """So many short calls, ten at a time; each is in the records 5 s after its last hang-up."""
    travellers = [town.traveller(**FREE_A) for _ in range(count)]
    for start in range(0, count, 10):
        group = range(start, min(start + 10, count))

        def talk(index: int) -> None:
            town.world.phone(destination(index), Answers(), Talks(seconds=2), HangsUp())
            dials(town, travellers[index], destination(index), Waits(4), HangsUp())

        at_once(group, talk)
        seen = first_seen(town, [travellers[index] for index in group])
        for index in group:
            (near,) = town.world.calls(travellers[index].number)
            assert near.hung_up_at is not None
            assert seen[travellers[index].account_id] - near.hung_up_at < VISIBLE_WITHIN
    assert town.database.read("verify", verify) == ()


def first_seen(town: Town, travellers: Sequence[Traveller]) -> dict[str, datetime]:
    """When the rated record of each account could first be read."""
    seen: dict[str, datetime] = {}
    deadline = time.monotonic() + 60
    while len(seen) < len(travellers) and time.monotonic() < deadline:
        for each in travellers:
            if each.account_id not in seen and any(r.charge for r in town.records_of(each)):
                seen[each.account_id] = datetime.now(UTC)
        time.sleep(0.1)
    return seen


@pytest.mark.timeout(180)
def test_F066_twenty_rated_calls_can_be_seen_within_5_seconds(town: Town) -> None:
    visible_within_seconds(town, 20)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_F066_a_hundred_rated_calls_can_be_seen_within_5_seconds(town: Town) -> None:
    visible_within_seconds(town, 100)


def test_F066_dialback_cdr_last_shows_the_call_within_5_seconds(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(destination(0), Answers(), Talks(seconds=2), HangsUp())
    dials(town, sam, destination(0), Waits(5), HangsUp())
    near = town.world.wait_for_call(sam.number)
    assert near.hung_up_at is not None
    asked_at = datetime.now(UTC)
    while not (rows := printed_records(town, sam)):
        # The command itself takes a second, or many on a busy machine: what counts is when it looked.
        assert asked_at - near.hung_up_at < VISIBLE_WITHIN
        asked_at = datetime.now(UTC)
    assert [Decimal(row["amount"]) for row in rows if row["role"] == "B"] == [Decimal("0.12")]


def test_F049_a_callback_that_nobody_answers_costs_nothing_and_frees_its_hold(town: Town) -> None:
    sam = town.traveller()
    town.ring(sam)  # its phone knows no script: the network says that there is no such number
    callback = town.wait_for_end(sam)
    assert callback.state in {State.FAILED, State.UNANSWERED}
    hold = town.database.read("hold", ledger.hold_of, callback.id)
    assert hold is not None
    assert hold.state is HoldState.VOIDED
    assert town.database.read("entries", ledger.list_entries, account_id=sam.account_id) == ()
    assert town.balance_of(sam) == 0

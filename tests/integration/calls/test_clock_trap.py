"""The clock trap: in a callback Asterisk's own answered time runs from the subscriber's answer, not from B's.

AMI and CEL tell when each channel was answered and released; from these two instants of B alone its seconds
follow. ANSWEREDTIME is read here from the live channel, to show that whoever bills from it overcharges.
"""

import re
import time
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from callers import keyed
from town import D1, D2, Town

from calls.callback import Leg, State
from calls.cdr import LegRole
from rating.plan import ALegPolicy
from rating.price import billed_seconds
from store.cdrs import CallRecord
from world.lateness import Sleeper
from world.log import PhoneCall
from world.scripts import Answers, HangsUp, Keys, Talks, Waits

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(200)]
FREE_A: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE}
LISTENS_SECONDS = 20
FOLLOW_ON_SECONDS = 8
"""From the end of a destination until the subscriber keys the next one, or hangs up."""


def answered_time(town: Town, leg_a: Leg) -> int | None:
    """Asterisk's ANSWEREDTIME on the subscriber's channel now; None before any Dial has ended."""
    for line in town.stage.channels():
        channel = line.split("!")[0]
        shown = town.stage.asterisk.command(f"core show channel {channel}") if town.stage.asterisk else ""
        if f"UniqueID: {leg_a.id}" in shown:
            found = re.search(r"^ANSWEREDTIME=(\d+)$", shown, re.MULTILINE)
            return int(found[1]) if found else None
    return None


def answered_time_after_the_end_of(town: Town, traveller: Any, legs: int) -> int:
    """ANSWEREDTIME as Dial left it for the `legs`-th destination."""

    def ended() -> Leg | None:
        callback = town.callback_of(traveller)
        over = [leg for leg in callback.legs_b if leg.hung_up_at is not None]
        return callback.leg_a if len(over) == legs else None

    leg_a = town.wait_until(ended, 90, f"the end of destination {legs}")
    assert leg_a is not None
    time.sleep(0.5)  # Dial sets it as it returns
    seconds = answered_time(town, leg_a)
    assert seconds is not None
    return seconds


def check_against_the_phone(
    record: CallRecord, calls: Sequence[PhoneCall], seconds: int, *, apart_max_us: int
) -> None:
    """The record's own µs are the far phone's, and its talk is so many whole seconds."""
    (far,) = calls
    assert record.cdr.answered_at is not None
    measured = (record.cdr.hung_up_at - record.cdr.answered_at) // timedelta(microseconds=1)
    assert abs(measured - far.talk_microseconds) < apart_max_us
    assert record.charge is not None
    assert record.charge.talk_seconds == seconds


def test_F134_each_destination_is_billed_by_its_own_channel_and_not_by_answeredtime(
    town: Town, sleeper: Sleeper
) -> None:
    sam = town.traveller(**FREE_A)
    digits = keyed(D1)
    keying_ms = 10_000 // len(digits)
    town.world.phone(
        sam.number,
        Answers(after=0.5),
        Waits(LISTENS_SECONDS - 10),
        Keys(digits, digit_ms=100, gap_ms=keying_ms - 100),
        Waits(3 + FOLLOW_ON_SECONDS),
        Keys(keyed(D2)),
        Waits(35 + FOLLOW_ON_SECONDS),
        HangsUp(),
    )
    town.world.phone(D1, Answers(), Talks(seconds=2.7), HangsUp())
    town.world.phone(D2, Answers(), Talks(seconds=34.7), HangsUp())
    town.ring(sam)
    claimed = [answered_time_after_the_end_of(town, sam, legs) for legs in (1, 2)]
    callback = town.wait_for_end(sam, seconds=60)
    assert callback.state is State.COMPLETED

    first, second = (each for each in town.records_of(sam) if each.cdr.role is LegRole.B)
    check_against_the_phone(first, town.world.calls(D1), 3, apart_max_us=sleeper.clocks_apart_us)
    check_against_the_phone(second, town.world.calls(D2), 35, apart_max_us=sleeper.clocks_apart_us)
    assert first.charge is not None
    assert second.charge is not None
    assert (first.charge.billed_seconds, second.charge.billed_seconds) == (30, 35)
    # 0.24 a minute: 30 s and 0.60 a minute: 35 s.
    assert (first.charge.amount, second.charge.amount) == (Decimal("0.1200"), Decimal("0.3500"))
    assert town.balance_of(sam) == Decimal("-0.4700")

    # What a switch that bills from ANSWEREDTIME would have made of it.
    assert claimed[0] >= LISTENS_SECONDS + 2
    assert claimed[1] >= LISTENS_SECONDS + 3 + FOLLOW_ON_SECONDS + 34
    assert claimed[0] > first.charge.talk_seconds
    wrong = [billed_seconds(seconds, first=30, following=1) for seconds in claimed]
    assert wrong[1] > second.charge.billed_seconds
    assert sum(wrong) > first.charge.billed_seconds + second.charge.billed_seconds


def test_F134_thirty_seconds_of_keying_and_three_of_talk_are_three_seconds(
    town: Town, sleeper: Sleeper
) -> None:
    sam = town.traveller(**FREE_A)
    digits = keyed(D1)
    gap_ms = 24_000 // len(digits)
    town.world.phone(
        sam.number,
        Answers(after=0.5),
        Waits(6),
        Keys(digits, digit_ms=100, gap_ms=gap_ms - 100),
        Waits(3 + 5),
        HangsUp(),
    )
    town.world.phone(D1, Answers(), Talks(seconds=2.7), HangsUp())
    town.ring(sam)
    claimed = answered_time_after_the_end_of(town, sam, 1)
    town.wait_for_end(sam, seconds=60)
    (record,) = (each for each in town.records_of(sam) if each.cdr.role is LegRole.B)
    check_against_the_phone(record, town.world.calls(D1), 3, apart_max_us=sleeper.clocks_apart_us)
    assert record.charge is not None
    assert record.charge.billed_seconds == 30
    assert billed_seconds(claimed, first=30, following=1) > 30

"""A traveller's callback from one ring to its records, on a real Asterisk."""

from datetime import timedelta
from decimal import Decimal

import pytest
from town import D1, Town, leaves

from calls.callback import State
from calls.cdr import LegRole
from world.scripts import Answers, HangsUp, Keys, Talks

pytestmark = pytest.mark.real_asterisk


def test_F037_the_destination_is_bridged_and_both_legs_are_billed_by_their_own_clock(town: Town) -> None:
    sam = town.traveller()
    town.world.phone(sam.number, Answers(after=1), Keys(f"{D1}#".replace("+", "00"), after=1), *leaves(sam))
    town.world.phone(D1, Answers(after=1), Talks(seconds=4), HangsUp())
    town.ring(sam)
    town.leaves_after(sam)
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    leg_a, leg_b = town.records_of(sam)
    assert (leg_a.cdr.role, leg_b.cdr.role) == (LegRole.A, LegRole.B)
    (far,) = town.world.calls(D1)
    assert far.answered_at is not None
    assert far.hung_up_at is not None
    assert leg_b.cdr.answered_at is not None
    talked = leg_b.cdr.hung_up_at - leg_b.cdr.answered_at
    assert abs(talked - (far.hung_up_at - far.answered_at)) < timedelta(milliseconds=20)
    assert leg_b.charge is not None
    assert leg_b.charge.billed_seconds == 30
    assert leg_b.charge.amount == Decimal("0.1200")

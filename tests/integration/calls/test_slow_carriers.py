"""Carriers that let seconds pass before a phone rings: 100 Trying, and nothing else for a while."""

import pytest
from town import D1, Town

from calls.callback import State
from world.scripts import Answers, HangsUp, Keys, Talks, Waits

pytestmark = pytest.mark.real_asterisk
SILENT_SECONDS = 4
"""Longer than Asterisk could need to make a channel; usual on calls across the world."""


def test_F120_a_phone_that_rings_late_is_rung_once_and_connected(town: Town) -> None:
    sam = town.traveller()
    keys = Keys("0061255500123#", after=1)
    town.world.phone(sam.number, Waits(SILENT_SECONDS), Answers(after=1), keys, Waits(12), HangsUp())
    town.world.phone(D1, Waits(SILENT_SECONDS), Answers(after=1), Talks(seconds=2), HangsUp())
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=60)
    assert town.world.originations(sam.number) == town.world.originations(D1) == 1
    assert callback.state is State.COMPLETED

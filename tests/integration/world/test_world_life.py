"""A world starts quickly, and leaves nothing running."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pbx.installation import Installation
from world.network import World
from world.scripts import Answers, TalksUntilHungUp
from world.sip import Invitation, RingingLine

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(120)]


def test_two_worlds_live_side_by_side_and_end_without_a_trace(
    installation: Installation, tmp_path: Path
) -> None:
    with (
        World(installation, tmp_path / "one", switch_sip=("127.0.0.1", 9)) as one,
        World(installation, tmp_path / "two", switch_sip=("127.0.0.1", 9)) as two,
    ):
        pids = [one.asterisk.pid, two.asterisk.pid]
        two.phone("+442079460101", Answers(), TalksUntilHungUp())
        invitation = Invitation(number="+442079460101", caller="+12025550111")
        line = RingingLine(invitation, to=two.carrier("alpha").address, from_host="127.0.0.1", seconds=60)
        two.wait_for(lambda: any(call.answered_at for call in two.calls()), 10)
        assert one.calls() == []
    line.hang_up()
    assert line.heard().answered
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_reset_ends_calls_and_forgets_phones_failures_and_the_log(
    installation: Installation, tmp_path: Path
) -> None:
    with World(installation, tmp_path, switch_sip=("127.0.0.1", 9)) as world:
        world.phone("+442079460101", Answers(), TalksUntilHungUp())
        world.carrier("alpha").fails(503)
        world.carrier("alpha").works()
        invitation = Invitation(number="+442079460101", caller=None)
        line = RingingLine(invitation, to=world.carrier("alpha").address, from_host="127.0.0.1", seconds=60)
        world.wait_for(lambda: any(call.answered_at for call in world.calls()), 10)
        world.carrier("alpha").fails(503)
        world.reset()
        assert line.heard().hung_up_at is None
        assert world.calls() == []
        again = RingingLine(invitation, to=world.carrier("alpha").address, from_host="127.0.0.1", seconds=1)
        assert again.heard().final_code == 404

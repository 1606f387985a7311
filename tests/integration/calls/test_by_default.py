"""A switch of which nothing was set: its own waits, from the ring to the bridge.

The three callers ring at once, by a fixture; each test then reads its own call.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from callers import at_once
from town import D1, Town, Traveller, leaves, opened

from demo.stage import Stage
from pbx.installation import Installation
from world.scripts import Answers, HangsUp, Keys, Talks, Waits
from world.sip import Heard

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(150)]
TO_D1 = "0061255500123#"
GUARD = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rang:
    """Who rang, and what was heard."""

    sam: Traveller
    heard: Heard


@pytest.fixture(scope="module")
def town(installation: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    stage = Stage(installation, tmp_path_factory.mktemp("by-default"))
    town = opened(stage)
    with stage:
        yield town
        town.wait_until_quiet()
    town.close()


@pytest.fixture(scope="module")
def rang(town: Town) -> dict[str, Rang]:
    declines = (Answers(after=0.5), Waits(0.5), HangsUp())
    stays, holds, talks = (town.traveller() for _ in range(3))
    for each in (stays, holds):
        town.world.phone(each.number, *declines)
    digits = Keys(TO_D1, after=0.5, digit_ms=200, gap_ms=230)
    town.world.phone(talks.number, Answers(after=5), digits, *leaves(talks))
    town.world.phone(D1, Answers(after=5), Talks(seconds=1), HangsUp())
    found: dict[str, Rang] = {}

    def ring(who: str) -> None:
        sam, seconds = {"stays": (stays, 60), "holds": (holds, 20), "talks": (talks, 1)}[who]
        found[who] = Rang(sam=sam, heard=town.ring(sam, seconds=seconds))
        if sam is talks:
            town.leaves_after(sam, seconds=60)
        town.wait_for_end(sam)

    at_once(("stays", "holds", "talks"), ring)
    return found


def test_F002_a_trigger_that_rings_on_is_never_answered_and_rejected_at_30_seconds(
    town: Town, rang: dict[str, Rang]
) -> None:
    sam, heard = rang["stays"].sam, rang["stays"].heard
    assert not heard.answered
    assert not heard.early_media
    assert heard.final_code is not None
    assert heard.final_code >= 400
    assert 29 < (heard.ended_at - heard.invited_at).total_seconds() < 32
    # It is called back all the same.
    assert town.world.originations(sam.number) == 1


def test_F122_a_line_held_for_20_seconds_is_rung_3_seconds_after_its_hang_up(
    town: Town, rang: dict[str, Rang]
) -> None:
    heard = rang["holds"].heard
    assert heard.hung_up_at is not None
    assert heard.hung_up_at - heard.invited_at > timedelta(seconds=20)
    (call,) = town.world.calls(rang["holds"].sam.number)
    assert GUARD <= call.invited_at - heard.hung_up_at < GUARD + timedelta(seconds=1)


def test_F022_twelve_digits_in_six_seconds_ring_the_destination_before_25_seconds(
    town: Town, rang: dict[str, Rang]
) -> None:
    heard = rang["talks"].heard
    assert heard.hung_up_at is not None
    (call,) = town.world.calls(D1)
    assert call.answered_at is not None
    assert call.invited_at - heard.hung_up_at < timedelta(seconds=25)
    assert call.answered_at - heard.hung_up_at < timedelta(seconds=40)

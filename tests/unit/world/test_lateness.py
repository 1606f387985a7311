"""How far two clocks may be apart here and now."""

import sys
import time
from collections.abc import Iterator

import pytest

from world.lateness import CLOCKS_APART_US, ENDS, LATE_MAX_US, NAP_SECONDS, Sleeper


@pytest.fixture
def held_up() -> Iterator[None]:
    """Who holds the interpreter keeps it: nobody else is woken meanwhile."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(10)
    yield
    sys.setswitchinterval(usual)


def keep_everybody_waiting(seconds: float) -> None:
    over = time.monotonic() + seconds
    while time.monotonic() < over:
        pass


def test_a_sleeper_that_is_woken_late_tells_by_how_much_at_both_ends_of_a_length(held_up: None) -> None:
    with Sleeper() as sleeper:
        time.sleep(4 * NAP_SECONDS)
        keep_everybody_waiting(0.04)
        time.sleep(4 * NAP_SECONDS)
    assert sleeper.worst_us >= 40_000 - NAP_SECONDS * 1_000_000 - 1_000
    assert sleeper.clocks_apart_us == CLOCKS_APART_US + ENDS * sleeper.worst_us


def test_no_lateness_excuses_more_than_its_bound(held_up: None) -> None:
    with Sleeper() as sleeper:
        time.sleep(4 * NAP_SECONDS)
        keep_everybody_waiting(0.3)
        time.sleep(4 * NAP_SECONDS)
    assert sleeper.worst_us == LATE_MAX_US


def test_a_sleeper_that_is_never_late_allows_what_two_honest_clocks_need() -> None:
    assert Sleeper().clocks_apart_us == CLOCKS_APART_US

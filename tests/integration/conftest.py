"""What tests on a real Asterisk share."""

from collections.abc import Iterator

import pytest

from world.lateness import Sleeper


@pytest.fixture
def sleeper() -> Iterator[Sleeper]:
    """How far the clocks of two programs may be apart, as busy as the machine is during this test."""
    with Sleeper() as opened:
        yield opened

"""A large import leaves the database to others half of the time."""

from types import SimpleNamespace
from typing import Any

import pytest

from staff import deck


@pytest.mark.parametrize(("step", "pause"), [(0.0625, 0.0625), (0.0, 0.01), (9.0, 0.25)])
def test_a_pause_is_as_long_as_the_step_before_it_within_bounds(
    monkeypatch: pytest.MonkeyPatch, step: float, pause: float
) -> None:
    clock = iter([0.0, step, 100.0, 100.0 + step, 200.0])
    monkeypatch.setattr("staff.deck.time.monotonic", lambda: next(clock))
    waited: list[float] = []
    desk: Any = SimpleNamespace(pause=waited.append)
    pauses = deck._Pauses(desk)
    pauses()
    pauses()
    assert waited == [pause, pause]

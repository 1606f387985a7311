"""The reactor's clock does not follow the wall clock."""

import time
from datetime import UTC

import pytest
from twisted.internet.selectreactor import SelectReactor

from switch.clock import ClockSetTooLate, SystemClock, use_monotonic_clock


@pytest.fixture
def reactor() -> SelectReactor:
    """A real reactor of its own, never installed."""
    reactor = SelectReactor()
    for reader in reactor.removeAll():
        reader.connectionLost(None)  # the waker's sockets
    return reactor


def test_F18_a_step_of_the_wall_clock_fires_no_timer(
    reactor: SelectReactor, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_monotonic_clock(reactor)
    fired: list[str] = []
    timer = reactor.callLater(2, fired.append, "timer")
    step = time.time() + 3_600
    monkeypatch.setattr(time, "time", lambda: step)
    monkeypatch.setattr("twisted.python.runtime.seconds", lambda: step)
    monkeypatch.setattr("twisted.internet.base.runtimeSeconds", lambda: step)
    reactor.runUntilCurrent()
    assert fired == []
    now = time.monotonic()
    monkeypatch.setattr(reactor, "seconds", lambda: now + 2.1)
    reactor.runUntilCurrent()
    assert fired == ["timer"]
    assert not timer.active()


def test_the_stock_reactor_would_fire_it(reactor: SelectReactor, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails, Twisted has mended it and use_monotonic_clock can go."""
    fired: list[str] = []
    reactor.callLater(2, fired.append, "timer")
    monkeypatch.setattr(reactor, "seconds", lambda: time.time() + 3_600)
    reactor.runUntilCurrent()
    assert fired == ["timer"]
    assert SelectReactor.seconds is time.time


def test_the_clock_cannot_be_set_once_a_timer_runs(reactor: SelectReactor) -> None:
    timer = reactor.callLater(1, lambda: None)
    with pytest.raises(ClockSetTooLate):
        use_monotonic_clock(reactor)
    timer.cancel()


def test_the_system_clock_is_aware_and_monotonic() -> None:
    clock = SystemClock()
    assert clock.wall().tzinfo is UTC
    assert clock.monotonic() <= clock.monotonic()

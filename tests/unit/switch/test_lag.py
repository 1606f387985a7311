"""The reactor's lateness is told per period, and a stall weighs as long as it lasted."""

from __future__ import annotations

import pytest
import structlog
from structlog.testing import LogCapture
from twisted.internet.task import Clock

from switch.lag import TICK_SECONDS, LagMeter


@pytest.fixture
def lines() -> LogCapture:
    return LogCapture()


def meter(clock: Clock, lines: LogCapture) -> LagMeter:
    log = structlog.wrap_logger(structlog.PrintLogger(), processors=[lines])
    return LagMeter(reactor=clock, report_seconds=1, log=log)


def test_a_reactor_that_is_on_time_has_no_lag(lines: LogCapture) -> None:
    clock = Clock()
    meter(clock, lines).start()
    clock.pump([TICK_SECONDS] * 51)
    (line,) = lines.entries
    assert line["event"] == "reactor.lag"
    assert line["samples"] >= 49
    assert line["p99_ms"] < 0.01


def test_every_tick_that_a_stall_swallowed_counts(lines: LogCapture) -> None:
    clock = Clock()
    meter(clock, lines).start()
    clock.pump([TICK_SECONDS] * 25)
    clock.advance(0.5)
    (line,) = lines.entries
    assert line["samples"] >= 49
    assert line["worst_ms"] == pytest.approx(480, abs=1)
    assert line["p99_ms"] == pytest.approx(480, abs=1)
    assert line["p50_ms"] == pytest.approx(0, abs=21)


def test_what_is_left_is_told_at_the_end_and_nothing_runs_on(lines: LogCapture) -> None:
    clock = Clock()
    running = meter(clock, lines)
    running.start()
    clock.pump([TICK_SECONDS] * 10)
    running.stop()
    running.stop()
    assert [line["event"] for line in lines.entries] == ["reactor.lag"]
    assert clock.getDelayedCalls() == []

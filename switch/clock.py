"""Time for the switch: a reactor that no clock step can fool, and the clocks given to product code.

Reads: the system's wall clock and its monotonic clock.
Gives: use_monotonic_clock(reactor); Clock, SystemClock.
Knows nothing of: calls, time zones of accounts.

Twisted schedules by the wall clock: measured, a step of +1 h fires a 2 s timer at once.
"""

import time
from datetime import UTC, datetime
from typing import Protocol

from twisted.internet.base import ReactorBase


class Clock(Protocol):
    """What product code may know of time; tests give their own."""

    def wall(self) -> datetime:
        """Now, aware, in UTC: for records and people, never for measuring."""

    def monotonic(self) -> float:
        """Seconds since some instant; never runs back: for measuring and deadlines."""


class SystemClock:
    """The machine's clocks."""

    def wall(self) -> datetime:
        """Now, aware, in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that others are given

    def monotonic(self) -> float:
        """Seconds since some instant; the reactor's own clock after use_monotonic_clock."""
        return time.monotonic()


class ClockSetTooLate(Exception):
    """The reactor has timers already; they would be read by another clock than they were set by."""


def use_monotonic_clock(reactor: ReactorBase) -> None:
    """Make the reactor's timers follow the monotonic clock. Call it before anything is scheduled."""
    if reactor.getDelayedCalls():
        raise ClockSetTooLate("use_monotonic_clock must come before the first timer")
    reactor.seconds = time.monotonic

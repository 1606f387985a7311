"""How late the reactor is: everything that the switch does waits at least so long.

Reads: the reactor's clock.
Gives: a log line for each period, with the median, the 99th percentile and the worst lateness.
Knows nothing of: what keeps the reactor busy.
"""

from math import ceil

from structlog.typing import FilteringBoundLogger
from twisted.internet.interfaces import IDelayedCall, IReactorTime

TICK_SECONDS = 0.02


class LagMeter:
    """Asks to be called every 20 ms and notes by how much each call is late."""

    def __init__(self, *, reactor: IReactorTime, report_seconds: float, log: FilteringBoundLogger) -> None:
        self._reactor = reactor
        self._report_seconds = report_seconds
        self._log = log
        self._late: list[float] = []
        self._due = 0.0
        self._report_at = 0.0
        self._next: IDelayedCall | None = None

    def start(self) -> None:
        """Begin the first period."""
        now = self._reactor.seconds()
        self._report_at = now + self._report_seconds
        self._tick_at(now + TICK_SECONDS)

    def stop(self) -> None:
        """Report what has been seen of the last period."""
        if self._next is not None:
            self._next.cancel()
            self._next = None
            self._report()

    def _tick_at(self, due: float) -> None:
        self._due = due
        self._next = self._reactor.callLater(max(0.0, due - self._reactor.seconds()), self._tick)

    def _tick(self) -> None:
        now = self._reactor.seconds()
        # The ticks that a stall swallowed count as well, each by its own lateness: else the longest stall
        # would be a single sample among hundreds of good ones.
        while self._due <= now:
            self._late.append(now - self._due)
            self._due += TICK_SECONDS
        if now >= self._report_at:
            self._report()
            self._report_at = now + self._report_seconds
        self._tick_at(self._due)

    def _report(self) -> None:
        late, self._late = sorted(self._late), []
        if late:
            self._log.info(
                "reactor.lag",
                samples=len(late),
                p50_ms=_milliseconds(late, 0.50),
                p99_ms=_milliseconds(late, 0.99),
                worst_ms=_milliseconds(late, 1.0),
            )


def _milliseconds(ordered: list[float], share: float) -> float:
    """The least sample that is no smaller than that share of all."""
    return round(ordered[ceil(share * len(ordered)) - 1] * 1000, 2)

"""One timer a callback, set from instants that are rows in the store.

Reads: wall-clock instants; the reactor's monotonic clock.
Gives: a call when the instant is reached; an instant in the past is reached at once.
Knows nothing of: what the call does.

An instant is turned into a delay once, when it is set: a step of the wall clock afterwards moves nothing.
"""

from collections.abc import Callable
from datetime import datetime

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Timers:
    """At most one pending call a key."""

    def __init__(self, *, reactor: IReactorTime, wall: Callable[[], datetime]) -> None:
        """`wall` gives aware UTC datetimes."""
        self._reactor = reactor
        self._wall = wall
        self._calls: dict[str, IDelayedCall] = {}
        self._set_for: dict[str, tuple[datetime, Callable[[str], None]]] = {}

    def set(self, key: str, at: datetime, call: Callable[[str], None]) -> None:
        """Call `call(key)` at `at`, instead of whatever was set for the key before.

        Set again for the same instant it runs on: reckoned anew, a step of the wall clock would move it.
        """
        if self._set_for.get(key) == (at, call) and key in self._calls:
            return
        self.cancel(key)
        self._set_for[key] = (at, call)
        seconds = max(0.0, (at - self._wall()).total_seconds())
        self._calls[key] = self._reactor.callLater(seconds, self._fire, key, call)

    def cancel(self, key: str) -> None:
        """Forget the key's call, if there is one."""
        self._set_for.pop(key, None)
        pending = self._calls.pop(key, None)
        if pending is not None and pending.active():
            pending.cancel()

    def cancel_all(self) -> None:
        """Forget every call."""
        for key in list(self._calls):
            self.cancel(key)

    def __contains__(self, key: str) -> bool:
        """Whether the key has a call pending."""
        return key in self._calls

    def __len__(self) -> int:
        """How many calls are pending."""
        return len(self._calls)

    def _fire(self, key: str, call: Callable[[str], None]) -> None:
        self._calls.pop(key, None)
        self._set_for.pop(key, None)
        call(key)

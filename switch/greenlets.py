"""Greenlets that scripts run in, used again and again.

Reads: functions to run.
Gives: Greenlets.take(); wake(), the only way to switch into one.
Knows nothing of: calls, what the functions do.

A script reads as if it blocked. Whoever has what it waits for wakes it and becomes its parent for that
while, so it always gives control back to the one who woke it: a script may fire a Deferred that another
script waits for, as deep as they like.
"""

from collections.abc import Callable
from typing import Any

from greenlet import getcurrent, greenlet

GREENLETS_IDLE_MAX = 64
"""Calls that may begin in one moment without a new greenlet; each idle one keeps some 10 KiB."""


class Greenlets:
    """Those that are idle. To make a new one costs a tenth of a short call, mostly page faults."""

    def __init__(self) -> None:
        """None yet."""
        self._idle: list[greenlet] = []

    def __len__(self) -> int:
        """How many are idle."""
        return len(self._idle)

    def take(self) -> greenlet:
        """One that runs the function that it is woken with."""
        if self._idle:
            taken = self._idle.pop()
            taken.gr_context = None  # what one call has bound is nothing to the next
            return taken
        made = greenlet(self._serve)
        made.switch()  # to where it waits: arguments of a first switch would live as long as the greenlet
        return made

    def _serve(self) -> None:
        me: Any = getcurrent()
        while True:
            job: Callable[[], object] | None = me.parent.switch()
            assert job is not None
            job()
            job = None  # else the call that is over would live until the next
            if len(self._idle) >= GREENLETS_IDLE_MAX:
                return
            self._idle.append(me)


def wake(sleeper: greenlet | None, value: object = None) -> None:
    """Switch into a greenlet that waits; returns when it waits again, or is over."""
    assert sleeper is not None
    sleeper.parent = getcurrent()
    sleeper.switch(value)

"""Orders for the AGI session of one A-leg, in the order in which they were given.

Reads: commands from the conductor.
Gives: them, one by one, to the session's greenlet through Deferreds.
Knows nothing of: callbacks, Asterisk.
"""

from collections import deque
from collections.abc import Callable

from twisted.internet.defer import Deferred

from calls.commands import DialB, RunDialog

Order = RunDialog | DialB
ORDERS_MAX = 16
"""A callback never has more than two orders under way; more means that nobody is reading."""


class Mailbox:
    """A queue with one reader. After close() the reader gets None for ever."""

    def __init__(self) -> None:
        """An empty, open mailbox."""
        self._orders: deque[Order] = deque(maxlen=ORDERS_MAX)
        self._reader: Deferred[Order | None] | None = None
        self._closed = False
        self._unread: Callable[[Order], object] | None = None

    def put(self, order: Order) -> None:
        """Leave an order; after close() it is dropped, for the callback is over."""
        if self._closed:
            return
        if self._unread is not None:
            self._unread(order)
        elif self._reader is not None:
            reader, self._reader = self._reader, None
            reader.callback(order)
        else:
            self._orders.append(order)

    def get(self) -> "Deferred[Order | None]":
        """The next order, or None when there will be no more."""
        waiting: Deferred[Order | None] = Deferred()
        if self._orders:
            waiting.callback(self._orders.popleft())
        elif self._closed:
            waiting.callback(None)
        else:
            self._reader = waiting
        return waiting

    def abandon(self, unread: Callable[[Order], object]) -> None:
        """Its reader has gone: what was left unread, and what is put from now on, goes to `unread`."""
        if self._closed:
            return
        self._reader, self._unread = None, unread
        while self._orders:
            unread(self._orders.popleft())

    def close(self) -> None:
        """There will be no more orders."""
        self._closed = True
        if self._reader is not None:
            reader, self._reader = self._reader, None
            reader.callback(None)

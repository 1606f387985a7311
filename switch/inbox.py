"""Takes what other processes and the web have written for the conductor: new callbacks, cancellations.

Reads: the store's inbox, whenever the store says that somebody else has written.
Gives: callbacks to follow, Cancelled events.
Knows nothing of: who wrote.
"""

from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from calls import events
from store import callbacks
from store.database import Database
from store.errors import StoreUnavailable
from switch.conductor import Conductor

POLL_SECONDS = 0.1
"""The longest a request of another process lies unread; one look costs some 10 µs."""


class Inbox:
    """Polls the store."""

    def __init__(
        self,
        *,
        database: Database,
        conductor: Conductor,
        wall: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """Call look() every POLL_SECONDS, and at once when something was written in this process."""
        self._database = database
        self._conductor = conductor
        self._wall = wall
        self._log = log
        self._looking = False

    def look(self) -> None:
        """Take what is new, if anything is; also while draining, for a call under way may be cancelled."""
        if self._looking:
            return
        self._looking = True
        self._conductor.spawn(self._look())

    async def take(self) -> None:
        """Take everything that waits."""
        for wish in await self._database.run("take inbox", callbacks.take_inbox):
            if wish.is_cancel:
                # Not waited for: what is taken is off the list, so none may be lost over another's fault.
                cancelled = events.Cancelled(at=self._wall(), by=wish.cancelled_by)
                self._conductor.news(wish.callback.id, cancelled)
            elif not self._conductor.knows(wish.callback.id) and not wish.callback.state.is_end:
                self._conductor.follow(wish.callback)

    async def _look(self) -> None:
        try:
            if await self._database.beside(self._database.data_version):
                await self.take()
        except StoreUnavailable as error:
            self._log.warning("inbox.unavailable", error=str(error))
        finally:
            self._looking = False

"""Large decks brought into memory before a call needs them.

Reads: the store, every few seconds: which large versions are in force or soon will be.
Gives: those versions on the store's shelf, each as a whole; a log line for each.
Knows nothing of: calls, what stands in a deck.

It happens on a thread of the store, beside the transactions of calls. Until a version is there, its rows are
looked up in the table: so nobody waits for it, and nothing is priced by an older one.
"""

from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from store import decks
from store.database import Connection, Database
from store.errors import StoreUnavailable

LOOK_SECONDS = 5.0


class DeckShelf:
    """Looks every LOOK_SECONDS, one look at a time."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        database: Database,
        wall: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`wall` gives aware UTC datetimes."""
        self._database = database
        self._wall = wall
        self._log = log
        self._looking = LoopingCall(self.look)
        self._looking.clock = reactor

    def start(self) -> None:
        """Look now and from now on; who starts it does not wait."""
        self._looking.start(LOOK_SECONDS)

    def stop(self) -> None:
        """Look no more."""
        if self._looking.running:
            self._looking.stop()

    def look(self) -> "Deferred[None]":
        """Fill the shelf; the next look begins after this one."""
        looked = self._database.run_read("shelve decks", _fill, self._wall())
        return looked.addCallbacks(self._tell, self._unavailable)

    def _tell(self, names: tuple[str, ...]) -> None:
        for name in names:
            self._log.info("deck.shelved", deck=name)

    def _unavailable(self, failure: Failure) -> None:
        # What waits on the store tells already that it is away; the next look comes anyway.
        failure.trap(StoreUnavailable)


def _fill(connection: Connection, at: datetime) -> tuple[str, ...]:
    return tuple(decks.shelve(connection, version).id for version in decks.wanted_on_shelf(connection, at))

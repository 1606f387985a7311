"""Large decks brought into memory before a call needs them.

Reads: the store, every few seconds: which large versions are in force or soon will be.
Gives: those versions on the store's shelf, each as a whole; a log line for each.
Knows nothing of: calls, what stands in a deck, how one is read (switch/deckreader.py).

Until a version is there, its rows are looked up in the table: so nobody waits for it, and nothing is priced
by an older one.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from rating.ratetable import RateTable
from store import decks
from store.database import Database
from store.errors import StoreUnavailable
from switch.deckreader import DeckUnreadError

LOOK_SECONDS = 5.0


class Reader(Protocol):
    """Who reads a version as a whole (switch/deckreader.py)."""

    async def read(self, row_id: int, *, version_id: str, currency: str) -> RateTable:
        """Its table; DeckUnreadError, StoreUnavailable."""

    def stop(self) -> None:
        """Leave what is begun."""


class DeckShelf:
    """Looks every LOOK_SECONDS, one look at a time."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        database: Database,
        reader: Reader,
        wall: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`wall` gives aware UTC datetimes."""
        self._database = database
        self._reader = reader
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
        self._reader.stop()

    def look(self) -> "Deferred[None]":
        """Fill the shelf; the next look begins after this one."""
        return Deferred.fromCoroutine(self._fill())

    async def _fill(self) -> None:
        try:
            wanted = await self._database.run_read("look at shelf", decks.wanted_on_shelf, self._wall())
            for version in wanted:
                await self._shelve(version)
        except StoreUnavailable:
            return  # what waits on the store tells already that it is away; the next look comes anyway

    async def _shelve(self, version: decks.Version) -> None:
        name = f"{version.deck_name}:{version.version}"
        try:
            table = await self._reader.read(version.id, version_id=name, currency=version.currency)
        except DeckUnreadError as error:
            if self._looking.running:
                self._log.warning("deck.unread", deck=name, error=str(error))
            return
        await self._database.run_read("shelve deck", decks.shelve, version, table)
        self._log.info("deck.shelved", deck=name)

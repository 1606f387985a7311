"""Reads large versions of decks in processes of their own, so that no call waits for it.

Reads: the URL of a database, the row id of a version; what store/deckreader.py writes.
Gives: RateTables.
Knows nothing of: which version is wanted, when.

Read by a thread of the switch, a million rows would keep the interpreter busy for as long as it takes: on two
busy cores every step of a call waited its turn, and calls came a second late.
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import IO

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready
from twisted.internet.interfaces import IReactorProcess
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure

from rating.ratetable import RateTable
from store.database import Database

STDIN, STDOUT, STDERR = 0, 1, 2
COMPLAINT_BYTES_MAX = 2_000


class DeckUnreadError(Exception):
    """The process that was to read a version ended without it; the text is its last words."""


class DeckReader:
    """Starts a process for each version."""

    def __init__(self, *, reactor: IReactorProcess, database: Database) -> None:
        """Only the database's URL and its threads are used."""
        self._reactor = reactor
        self._database = database
        self._running: set[_Reading] = set()

    async def read(self, row_id: int, *, version_id: str, currency: str) -> RateTable:
        """The table of that version; DeckUnreadError if it could not be read."""
        # What the process writes goes into a file without a name: the reactor sees none of it.
        with tempfile.TemporaryFile() as packed:
            reading = _Reading(f"{self._database.url}\n{row_id}\n".encode())
            self._running.add(reading)
            try:
                self._spawn(reading, packed)
                await reading.ended
            finally:
                self._running.discard(reading)
            return await self._database.beside(_unpacked, packed, version_id, currency)

    def stop(self) -> None:
        """End those that are still at work."""
        for reading in tuple(self._running):
            reading.kill()

    def _spawn(self, reading: "_Reading", packed: IO[bytes]) -> None:
        try:
            self._reactor.spawnProcess(
                reading,
                sys.executable,
                [sys.executable, "-m", "store.deckreader"],
                env=dict(os.environ),
                path=str(Path(__file__).parents[1]),
                childFDs={STDIN: "w", STDOUT: packed.fileno(), STDERR: "r"},
            )
        except OSError as error:
            raise DeckUnreadError(f"no process could be started: {error}") from error


class _Reading(ProcessProtocol):
    """One process: is told what to read, ends well or complains."""

    def __init__(self, orders: bytes) -> None:
        self.ended: Deferred[None] = Deferred()
        self._orders = orders
        self._complaint = b""

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        assert self.transport is not None
        self.transport.write(self._orders)
        self.transport.closeStdin()

    def errReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        self._complaint = (self._complaint + data)[-COMPLAINT_BYTES_MAX:]

    def processEnded(self, reason: Failure) -> None:  # noqa: N802 - Twisted's name
        if reason.check(ProcessDone):
            self.ended.callback(None)
        else:
            words = self._complaint.decode(errors="replace").strip()
            self.ended.errback(DeckUnreadError(words or reason.getErrorMessage()))

    def kill(self) -> None:
        assert self.transport is not None
        try:
            self.transport.signalProcess("KILL")
        except ProcessExitedAlready:
            return


def _unpacked(packed: IO[bytes], version_id: str, currency: str) -> RateTable:
    packed.seek(0)
    try:
        return RateTable.unpacked(packed.read, version_id=version_id, currency=currency)
    except ValueError as error:
        raise DeckUnreadError(str(error)) from error

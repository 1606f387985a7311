"""The last instant at which Asterisk surely lived.

Reads: the AMI connection: its events and its pongs.
Gives: an instant, kept in the store while calls are up; a crash of Asterisk bills up to there.
Knows nothing of: calls.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from store import node as rows
from store.database import Database
from store.errors import StoreUnavailable
from switch.ami import AmiService

LOOK_SECONDS = 1.0
"""With AMI's own ping: a call that dies with Asterisk is billed short by 3 s at most."""
WRITE_SECONDS = 5.0
"""If both die, it is billed short by this much more; in the account's favour always."""


class ProofOfLife:
    """Remembers when Asterisk last said anything."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        wall: Callable[[], datetime],
        ami: AmiService,
        database: Database,
        node: str,
    ) -> None:
        """`node` names the row in the store."""
        self._wall = wall
        self._ami = ami
        self._database = database
        self._node = node
        self._seen_at: datetime | None = None
        self._looking = LoopingCall(self._look)
        self._writing = LoopingCall(self._write)
        self._looking.clock = self._writing.clock = reactor

    def begin_with(self, seen_at: datetime | None) -> None:
        """Take over what the process before this one knew."""
        self._seen_at = seen_at

    def seen(self) -> None:
        """Asterisk has just told something."""
        self._seen_at = self._wall()

    def last(self) -> datetime:
        """The last proof; now, if there never was one: then nothing was up that could be billed too long."""
        now = self._wall()
        return min(self._seen_at or now, now)  # a clock that was set back must not prolong a call

    def start(self) -> None:
        """Write it down from now on."""
        self._looking.start(LOOK_SECONDS, now=False)
        self._writing.start(WRITE_SECONDS, now=False)

    def stop(self) -> None:
        """Write no more."""
        for call in (self._looking, self._writing):
            if call.running:
                call.stop()

    def _look(self) -> None:
        if self._ami.logged_in:
            pong_at = self._wall() - timedelta(seconds=self._ami.pong_age_seconds())
            self._seen_at = max(self.last(), pong_at) if self._seen_at is not None else pong_at

    async def _write(self) -> None:
        self._look()
        if self._seen_at is not None:
            try:
                await self._database.run("note proof of life", rows.note_alive, self._node, self._seen_at)
            except StoreUnavailable:
                return  # it is written again in a few seconds; until then the older proof stands

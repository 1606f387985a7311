"""One life of the switch in virtual time: the objects of service.py, all real but for the sockets.

Reads: a database file, a VirtualPbx.
Gives: SwitchLife, which can start, be killed at any instant and be followed by another on the same file.
Knows nothing of: tables, expectations.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from agi_line import AgiLine
from sqlalchemy import event
from twisted.internet.defer import Deferred, fail, maybeDeferred
from twisted.internet.task import Clock, deferLater
from virtual_pbx import Headers, VirtualAmi, VirtualPbx
from virtual_town import Terms

from calls.limits import Limits
from store import callbacks, node
from store.database import Database
from store.errors import StoreUnavailable
from switch.books import Books, RingTimes
from switch.conductor import Conductor
from switch.conversation import Conversations
from switch.directories import Directories
from switch.fastagi import FastAgiFactory, Refused, Script
from switch.inbox import Inbox
from switch.legs import WATCHED_EVENTS, LegNews, LegWatch
from switch.orders import AsteriskOrders
from switch.proof import ProofOfLife
from switch.recovery import Recovery
from switch.trigger import Triggers
from switch.triggers import TriggerDesk
from wire.agi import Environment

LIMITS = Limits()
SITE_TOKEN = "site"
SECRET = "a secret of sixteen and more characters"
A_RING_SECONDS, ABSOLUTE_SECONDS = 45, 7200


class InPlaceDatabase(Database):
    """The real store, on no threads: what is asked is done at once, or exactly `seconds` later."""

    def __init__(self, url: str, clock: Clock) -> None:
        super().__init__(url)
        event.listen(self.engine, "connect", _hurry)
        self._clock = clock
        self.seconds = 0.0
        self.is_away = False
        self.is_dead = False

    def run(self, name: str, function: Any, /, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        """As Database.run."""
        return self._in_turn(partial(self.call, name, function, *args, **kwargs))

    def run_read(self, name: str, function: Any, /, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        """As Database.run_read."""
        return self._in_turn(partial(self.read, name, function, *args, **kwargs))

    def beside(self, function: Any, /, *args: Any) -> "Deferred[Any]":
        """As Database.beside."""
        return maybeDeferred(function, *args)

    def _in_turn(self, work: Callable[[], Any]) -> "Deferred[Any]":
        if self.is_dead:
            return Deferred()
        if self.is_away:
            return fail(StoreUnavailable("it is away"))
        if self.seconds:
            return deferLater(self._clock, self.seconds, work)
        return maybeDeferred(work)


class NoSounds:
    """Prompts that last no time, in English."""

    languages = ("en",)

    def seconds_of(self, sound: str, language: str) -> float:
        """No time at all."""
        return 0.0


class Voice:
    """The log of one life. The dead say nothing: what they had begun is swept up at any later time."""

    def __init__(self) -> None:
        self._log = structlog.get_logger()
        self.is_silent = False

    def __getattr__(self, level: str) -> Any:
        """The level's function, which does nothing once the voice is silent."""
        return _unheard if self.is_silent else getattr(self._log, level)


class SwitchLife:
    """The switch from a start to its death."""

    def __init__(
        self,
        *,
        url: str,
        wall: Callable[[], datetime],
        now: float,
        pbx: VirtualPbx,
        ids: "count[int]",
        ring_ids: "count[int]",
        terms: Terms,
    ) -> None:
        clock = self.clock = Clock()
        clock.advance(now)
        self._wall = wall
        self._pbx = pbx
        self._terms = terms
        log: Any = Voice()
        self._voice = log
        database = self.database = InPlaceDatabase(url, clock)
        self._lease: node.NodeLease | None = None
        self.watch = LegWatch(self._on_news)
        ami = self.ami = VirtualAmi(pbx, self._on_ami_event, self.watch.forget_all)
        self.orders = AsteriskOrders(
            reactor=clock,
            ami=ami,  # type: ignore[arg-type]
            watch=self.watch,
            forms={},
            secret=SECRET,
            absolute_seconds=ABSOLUTE_SECONDS,
        )
        ring_times = RingTimes(
            a_seconds=A_RING_SECONDS,
            b_seconds=terms.b_ring_seconds,
            absolute_seconds=ABSOLUTE_SECONDS,
        )
        books = Books(database=database, wall=wall, limits=LIMITS, ring_times=ring_times)
        self.conductor = Conductor(
            reactor=clock,
            wall=wall,
            books=books,
            asterisk=self.orders,
            limits=LIMITS,
            callbacks_max=terms.callbacks_max,
            log=log,
        )
        self.proof = ProofOfLife(reactor=clock, wall=wall, ami=ami, database=database, node="main")  # type: ignore[arg-type]
        self.recovery = Recovery(
            conductor=self.conductor,
            orders=self.orders,
            cel_file=pbx.cel_file,
            read=database.beside,
            wall=wall,
            proof_of_life=self.proof.last,
            log=log,
        )
        self.conductor.look_up_with(self.recovery.look_up)
        self._conversations = Conversations(
            reactor=clock,
            wall=wall,
            conductor=self.conductor,
            orders=self.orders,
            watch=self.watch,
            look_up=self.recovery.look_up,
            sounds=NoSounds(),
            directory=Directories(database=database, log=log).of,
        )
        self._triggers = Triggers(
            desk=TriggerDesk(
                database=database,
                conductor=self.conductor,
                limits=LIMITS,
                new_id=lambda: str(next(ids)),
                wall=wall,
                log=log,
            ),
            site_token=SITE_TOKEN,
            ring_seconds=LIMITS.trigger_ring_seconds,
            countries={"alpha": "GB", "beta": "GB"},
            new_id=lambda: str(next(ring_ids)),
            wall=wall,
        )
        self.agi = FastAgiFactory(clock, self._route)
        self.inbox = Inbox(database=database, conductor=self.conductor, wall=wall, log=log)

    # life

    async def start(self) -> None:
        """As Service.start(), up to the login; log_in() does the rest."""
        self._lease = node.claim(self.database, "main", self._wall())
        self.proof.begin_with(await self.database.run_read("last alive", node.last_alive_at, "main"))
        for callback in await self.database.run_read("load unfinished", callbacks.unfinished):
            self.conductor.follow(callback)
        self._pbx.connect = self._connect
        self._pbx.ami = self.ami
        if self._pbx.is_up:
            self.log_in()
        await self.inbox.take()
        self.proof.start()
        self.database.seconds = self._terms.store_seconds

    def log_in(self) -> None:
        """AMI is there."""
        self.ami.logged_in = True
        self.conductor.spawn(self.recovery.resync())

    def stop(self) -> None:
        """At the end of a scenario."""
        self.proof.stop()
        self.conductor.stop()
        self.database.stop()
        if self._lease is not None:
            self._lease.release()
        self._voice.is_silent = True

    def kill(self) -> None:
        """As kill -9 does: nothing is finished, nothing is said."""
        self._voice.is_silent = True
        self.database.is_dead = True
        self.database.close()
        for call in self.clock.getDelayedCalls():
            call.cancel()
        if self._lease is not None:
            self._lease.release()
        self.ami.logged_in = False
        self._pbx.switch_died()

    # what connects the objects

    def _connect(self, environment: bytes) -> AgiLine:
        line = AgiLine(self.agi)
        line.says(environment)
        return line

    def _route(self, environment: Environment) -> Script | Refused:
        if environment.script.startswith("trigger/"):
            return self._triggers.route(environment)
        return self._conversations.route(environment)

    def _on_ami_event(self, name: str, headers: Headers) -> None:
        assert name in WATCHED_EVENTS
        self.proof.seen()
        self.watch.on_event(name, headers)

    def _on_news(self, news: LegNews) -> None:
        self.recovery.hear(news)


def database_url(folder: Path) -> str:
    """Where a scenario keeps its rows."""
    return f"sqlite:///{folder / 'dialback.db'}"


def _unheard(*_told: object, **_more: object) -> None:
    """What a dead switch would have logged."""


def _hurry(connection: Any, _record: object) -> None:
    # The file is thrown away: nothing is to survive a power cut here.
    connection.execute("PRAGMA synchronous=OFF")

"""The composition root: every long-lived object of a running switch, made and wired on one screen.

Reads: Settings.
Gives: serve(), which runs a switch in the foreground until it is told to stop.
Knows nothing of: how anything works inside.
"""

import gc
import secrets
import signal
import sys
from collections.abc import Callable

import sdnotify
import structlog
from twisted.internet import reactor as installed_reactor
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall, deferLater
from twisted.python.failure import Failure

from pbx.dialplan import site_token
from pbx.layout import Layout
from pbx.sounds import Durations
from settings import Settings
from store import callbacks, node
from store.database import Database
from store.errors import NodeTaken, SchemaMismatch, StoreUnavailable
from switch.ami import AmiLoginRefused, AmiService
from switch.books import Books, RingTimes
from switch.clock import SystemClock, use_monotonic_clock
from switch.conductor import Conductor
from switch.conversation import Conversations
from switch.deckreader import DeckReader
from switch.directories import Directories
from switch.fastagi import FastAgiFactory, Refused, Script
from switch.inbox import POLL_SECONDS, Inbox
from switch.lag import LagMeter
from switch.legs import WATCHED_EVENTS, LegNews, LegWatch
from switch.orders import AsteriskOrders, TrunkForm
from switch.proof import ProofOfLife
from switch.recovery import Recovery
from switch.shelf import DeckShelf
from switch.trigger import Triggers
from switch.triggers import TriggerDesk
from values.ids import RANDOM_BYTES, sortable_id
from web.confirmations import House
from web.server import WebServer
from wire.agi import Environment
from wire.ami import Message

EXIT_ERROR, EXIT_UNAVAILABLE, EXIT_CONFIGURATION, EXIT_CONFLICT = 1, 69, 78, 5
AMI_EVENT_CLASSES = "call,dtmf"


class Service:
    """One switch: an AGI server, an AMI login, the conductor between them, and the web."""

    def __init__(self, settings: Settings, *, reactor: PosixReactorBase, with_web: bool) -> None:
        """Makes every object; nothing runs, listens or is read before start()."""
        self._settings = settings
        self._reactor = reactor
        self._log = structlog.get_logger("dialback")
        clock = SystemClock()
        wall = self._wall = clock.wall
        limits = settings.switch.limits()
        cel_file = settings.switch.cel_file or Layout(settings.pbx.folder).events

        def new_id() -> str:
            return sortable_id(wall(), secrets.token_bytes(RANDOM_BYTES))

        self.database = Database(settings.database.url, reactor=reactor)
        self._lease: node.NodeLease | None = None
        self.watch = LegWatch(self._on_news)
        self.ami = AmiService(
            reactor,
            TCP4ClientEndpoint(reactor, settings.ami.host, settings.ami.port, timeout=5),
            user=settings.ami.user,
            secret=settings.ami.secret.get_secret_value(),
            on_event=self._on_ami_event,
            on_connected=self._on_ami_connected,
            on_lost=self.watch.forget_all,
            subscribed=WATCHED_EVENTS,
            event_mask=AMI_EVENT_CLASSES,
        )
        self.orders = AsteriskOrders(
            reactor=reactor,
            ami=self.ami,
            watch=self.watch,
            forms={trunk.name: TrunkForm(prefix=trunk.prefix, plus=trunk.plus) for trunk in settings.trunks},
            secret=settings.agi.secret.get_secret_value(),
            absolute_seconds=settings.switch.absolute_seconds,
        )
        books = Books(
            database=self.database,
            wall=wall,
            limits=limits,
            ring_times=RingTimes(
                a_seconds=settings.switch.a_ring_seconds,
                b_seconds=settings.switch.b_ring_seconds,
                absolute_seconds=settings.switch.absolute_seconds,
            ),
        )
        self.conductor = Conductor(
            reactor=reactor,
            wall=wall,
            books=books,
            asterisk=self.orders,
            limits=limits,
            callbacks_max=settings.switch.callbacks_max,
            log=structlog.get_logger("switch.conductor"),
        )
        self.proof = ProofOfLife(
            reactor=reactor, wall=wall, ami=self.ami, database=self.database, node=settings.switch.node
        )
        self.recovery = Recovery(
            conductor=self.conductor,
            orders=self.orders,
            cel_file=cel_file,
            read=self.database.beside,
            wall=wall,
            proof_of_life=self.proof.last,
            log=structlog.get_logger("switch.recovery"),
        )
        self.conductor.look_up_with(self.recovery.look_up)
        self._conversations = Conversations(
            reactor=reactor,
            wall=wall,
            conductor=self.conductor,
            orders=self.orders,
            watch=self.watch,
            look_up=self.recovery.look_up,
            sounds=Durations(Layout(settings.pbx.folder).sounds),
            directory=Directories(database=self.database, log=structlog.get_logger("switch.directory")).of,
        )
        self._triggers = Triggers(
            desk=TriggerDesk(
                database=self.database,
                conductor=self.conductor,
                limits=limits,
                new_id=new_id,
                wall=wall,
                log=structlog.get_logger("switch.trigger"),
            ),
            site_token=site_token(settings.agi.secret.get_secret_value()),
            ring_seconds=settings.switch.trigger_ring_seconds,
            countries={trunk.name: trunk.country for trunk in settings.trunks},
            new_id=new_id,
            wall=wall,
        )
        self.agi = FastAgiFactory(reactor, self._route, allowed_peers=settings.agi.allow)
        self.inbox = Inbox(
            database=self.database,
            conductor=self.conductor,
            wall=wall,
            log=structlog.get_logger("switch.inbox"),
        )
        self._shelf = DeckShelf(
            reactor=reactor,
            database=self.database,
            reader=DeckReader(reactor=reactor, database=self.database),
            wall=wall,
            log=structlog.get_logger("switch.shelf"),
        )
        self._lag = LagMeter(
            reactor=reactor,
            report_seconds=settings.switch.lag_report_seconds,
            log=structlog.get_logger("switch.lag"),
        )
        self._polling = LoopingCall(self.inbox.look)
        self._polling.clock = reactor
        self._web = (
            WebServer(
                settings.web,
                reactor=reactor,
                database=self.database,
                limits=limits,
                house=House(
                    secret=settings.agi.secret.get_secret_value().encode(),
                    name=settings.seller.name,
                    email=settings.seller.email,
                ),
                new_id=new_id,
                wall=wall,
                notice=lambda: reactor.callFromThread(self.inbox.look),
                is_stopping=lambda: self.conductor.draining,
                is_ready=lambda: self.ami.logged_in,
            )
            if with_web
            else None
        )
        self._listening: list[IListeningPort] = []

    # life

    async def start(self) -> None:
        """Take the lease, take up what is unfinished, then open the doors; returns when ready."""
        self.database.start()
        name, wall = self._settings.switch.node, self._wall
        self._lease = await self.database.beside(node.claim, self.database, name, wall())
        self.proof.begin_with(await self.database.run_read("last alive", node.last_alive_at, name))
        for callback in await self.database.run_read("load unfinished", callbacks.unfinished):
            self.conductor.follow(callback)
        agi = self._settings.agi
        self._listening.append(self._reactor.listenTCP(agi.port, self.agi, interface=agi.host))
        self.ami.start()
        await self.ami.when_logged_in()
        await self.inbox.take()
        self._polling.start(POLL_SECONDS, now=False)
        self.proof.start()
        self._shelf.start()
        if self._settings.switch.lag_report_seconds:
            self._lag.start()
        if self._web is not None:
            self._listening.append(self._web.listen())

    def drain(self) -> None:
        """Take nothing new: triggers are refused, requests get 503, what waits is left for the next start."""
        self.conductor.draining = True

    async def stop(self) -> None:
        """Close everything; calls that are still up stay up, under the limits that Asterisk holds."""
        self.conductor.draining = True
        if self._polling.running:
            self._polling.stop()
        self._lag.stop()
        self._shelf.stop()
        self.proof.stop()
        await DeferredList([Deferred.fromCoroutine(_closed(port)) for port in self._listening])
        if self._web is not None:
            await self._web.stop()
        self.conductor.stop()
        self.agi.close_all()
        await self.ami.stop()
        self.database.stop()
        if self._lease is not None:
            self._lease.release()

    # what connects the objects

    def _route(self, environment: Environment) -> Script | Refused:
        match environment.script.partition("/")[0]:
            case "trigger":
                return self._triggers.route(environment)
            case "ivr":
                return self._conversations.route(environment)
            case _:
                return Refused(reason="it asks for no script of ours")

    def _on_ami_event(self, message: Message) -> None:
        self.proof.seen()
        self.watch.on_event(message.event, message.fields)

    def _on_news(self, news: LegNews) -> None:
        self.recovery.hear(news)

    def _on_ami_connected(self) -> None:
        self.conductor.spawn(self.recovery.resync())


def serve(settings: Settings, *, with_web: bool, drain_seconds: int, ready: Callable[[Service], None]) -> int:
    """Run a switch in the foreground until SIGTERM or SIGINT; the exit code.

    The first signal drains: running calls finish and are billed. A second one, or the end of
    `drain_seconds`, ends it at once; calls that are up stay up and are adopted at the next start.
    """
    reactor = installed_reactor
    assert isinstance(reactor, PosixReactorBase)
    use_monotonic_clock(reactor)
    service = Service(settings, reactor=reactor, with_web=with_web)
    running = _Running(service, reactor=reactor, drain_seconds=drain_seconds, ready=ready)

    def begin() -> None:
        # Twisted's own handlers are there by now. That of SIGCHLD stays: without it no process seems to end.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: reactor.callFromThread(running.told_to_stop))
        running.begin()

    reactor.callWhenRunning(begin)
    reactor.run()
    return running.exit_code


def keep_what_stays() -> None:
    """Spare the garbage collector what lives as long as the process: modules, tables, statements.

    Looked through on the reactor's thread, it would keep every call waiting for a tenth of a second.
    """
    gc.collect()
    gc.freeze()


class _Running:
    """A service's life between start and exit."""

    def __init__(
        self,
        service: Service,
        *,
        reactor: PosixReactorBase,
        drain_seconds: int,
        ready: Callable[[Service], None],
    ) -> None:
        self._service = service
        self._reactor = reactor
        self._drain_seconds = drain_seconds
        self._ready = ready
        self._log = structlog.get_logger("dialback")
        self._notify = sdnotify.SystemdNotifier()
        self._is_started = False
        self._is_draining = False
        self._is_ending = False
        self.exit_code = 0

    def begin(self) -> None:
        starting = Deferred.fromCoroutine(self._service.start())
        starting.addCallbacks(self._started, self._not_started)

    def told_to_stop(self) -> None:
        if self._is_draining or not self._is_started:
            self._end()
            return
        self._is_draining = True
        self._notify.notify("STOPPING=1")
        self._service.drain()
        self._log.info(
            "service.draining", callbacks=self._service.conductor.in_progress, seconds=self._drain_seconds
        )
        Deferred.fromCoroutine(self._service.conductor.idle()).addCallback(lambda _: self._end())
        deferLater(self._reactor, self._drain_seconds).addCallback(lambda _: self._end())

    def _started(self, _: None) -> None:
        if self._is_ending:
            return
        self._is_started = True
        keep_what_stays()
        self._notify.notify("READY=1")
        self._log.info("service.ready")
        self._ready(self._service)

    def _not_started(self, failure: Failure) -> None:
        if self._is_ending:
            return
        self.exit_code = _exit_code_of(failure)
        if self.exit_code == EXIT_ERROR:
            self._log.error("service.start_failed", failure=failure.getTraceback())
        sys.stderr.write(f"dialback: {failure.getErrorMessage()}\n")
        self._end()

    def _end(self) -> None:
        if self._is_ending:
            return
        self._is_ending = True
        stopping = Deferred.fromCoroutine(self._service.stop())
        stopping.addErrback(
            lambda failure: self._log.error("service.stop_failed", failure=failure.getTraceback())
        )
        stopping.addBoth(lambda _: self._reactor.stop())


def _exit_code_of(failure: Failure) -> int:
    if failure.check(NodeTaken):
        return EXIT_CONFLICT
    if failure.check(AmiLoginRefused, SchemaMismatch):
        return EXIT_CONFIGURATION
    if failure.check(StoreUnavailable, CannotListenError):
        return EXIT_UNAVAILABLE
    return EXIT_ERROR


async def _closed(port: IListeningPort) -> None:
    closing = port.stopListening()
    if closing is not None:
        await closing

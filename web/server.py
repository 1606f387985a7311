"""The web of a switch: the API on threads of its own, health on the reactor's.

Reads: settings, the database, the doors of the conductor.
Gives: WebServer, which listens and stops.
Knows nothing of: calls, who is asked.
"""

import threading
import time
from collections.abc import Callable
from datetime import datetime
from typing import Any

import structlog
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IListeningPort
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall
from twisted.python.threadpool import ThreadPool
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET, Request
from twisted.web.wsgi import WSGIResource

from calls.limits import Limits
from store import apikeys
from store.database import Database
from store.errors import StoreUnavailable
from web.api import make_app
from web.channel import BoundedSite
from web.confirmations import Confirmations, House
from web.problems import RETRY_SECONDS
from web.requests import Requests
from web.settings import WebSettings

FORGET_SECONDS = 3_600
BACKLOG = 512
"""Connections that wait to be accepted; with few, a flood makes others wait a second for their next try."""
READY_SECONDS_MAX = 2
"""A store that takes longer to say a number is not ready."""


class WebServer:
    """Listens for HTTP."""

    def __init__(
        self,
        settings: WebSettings,
        *,
        reactor: PosixReactorBase,
        database: Database,
        limits: Limits,
        house: House,
        new_id: Callable[[], str],
        wall: Callable[[], datetime],
        notice: Callable[[], object],
        is_stopping: Callable[[], bool],
        is_ready: Callable[[], bool] = lambda: True,
    ) -> None:
        """`notice` is called on a thread after each committed request; `is_ready` on the reactor's."""
        self._settings = settings
        self._reactor = reactor
        self._database = database
        self._pool = ThreadPool(1, settings.threads, name="web")
        self._wall = wall
        self._forgetting = LoopingCall(self._forget)
        self._forgetting.clock = reactor
        log = structlog.get_logger("web")
        requests = Requests(
            database=database,
            limits=limits,
            new_id=new_id,
            wall=wall,
            notice=notice,
            is_stopping=is_stopping,
            pause=threading.Event().wait,
            log=log,
        )
        confirmations = Confirmations(database=database, house=house, wall=wall)
        app = make_app(requests, confirmations, monotonic=time.monotonic, log=log)
        ready = _Ready(database, reactor=reactor, is_ready=lambda: is_ready() and not is_stopping())
        self.site = BoundedSite(
            _Root(WSGIResource(reactor, self._pool, app), ready),
            reactor=reactor,
            receive_seconds=settings.receive_seconds,
            connections_max=settings.connections_max,
            connections_per_peer_max=settings.connections_per_peer_max,
        )

    def listen(self) -> IListeningPort:
        """Open the port; CannotListenError if another has it."""
        port: IListeningPort = self._reactor.listenTCP(
            self._settings.port, self.site, backlog=BACKLOG, interface=self._settings.host
        )
        self._pool.start()
        self._forgetting.start(FORGET_SECONDS, now=True)
        return port

    async def stop(self) -> None:
        """Answer what was asked, end the threads, close the connections. The port is closed before."""
        if self._forgetting.running:
            self._forgetting.stop()
        if self._pool.started:
            # Beside the reactor: the threads need it to hand their answers over.
            await self._database.beside(self._pool.stop)
        self.site.close_all()

    async def _forget(self) -> None:
        """Let go of idempotency keys that nobody may repeat any more."""
        try:
            await self._database.run("forget requests", apikeys.forget_requests, self._wall())
        except StoreUnavailable:
            return  # tried again in an hour; keys kept longer than promised do no harm


class _Root(Resource):
    """Health on the reactor's thread, so that it is told while all others are busy; the rest is the API's."""

    def __init__(self, application: WSGIResource, ready: Resource) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Twisted's
        self._application = application
        self.putChild(b"healthz", _Alive())  # type: ignore[no-untyped-call] # Twisted's
        self.putChild(b"readyz", ready)

    def getChild(self, path: bytes, request: Request) -> Any:  # noqa: N802 - Twisted's name
        """The API, whatever the path."""
        # WSGI counts the path from its own place, which is here.
        assert request.prepath is not None
        assert request.postpath is not None
        request.prepath.pop()
        request.postpath.insert(0, path)
        return self._application


class _Alive(Resource):
    """The process answers."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def render_GET(self, request: Request) -> bytes:  # noqa: N802 - Twisted's name
        return _plain(request, 200, "alive")


class _Ready(Resource):
    """Requests are taken: the store answers, and nothing is being stopped."""

    isLeaf = True  # noqa: N815 - Twisted's name

    def __init__(
        self, database: Database, *, reactor: PosixReactorBase, is_ready: Callable[[], bool]
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # Twisted's
        self._database = database
        self._reactor = reactor
        self._is_ready = is_ready

    def render_GET(self, request: Request) -> bytes | int:  # noqa: N802 - Twisted's name
        if not self._is_ready():
            return _plain(request, 503, "not ready")
        asked = Deferred.fromCoroutine(self._answer(request))
        asked.addErrback(lambda failure: failure.trap(CancelledError))  # the asker has gone
        request.notifyFinish().addErrback(lambda _: asked.cancel())
        return NOT_DONE_YET

    async def _answer(self, request: Request) -> None:
        try:
            looked: Deferred[int] = self._database.beside(self._database.data_version)
            await looked.addTimeout(READY_SECONDS_MAX, self._reactor)
            text = _plain(request, 200, "ready")
        except (StoreUnavailable, TimeoutError):
            text = _plain(request, 503, "not ready: the store does not answer")
        request.write(text)
        request.finish()


def _plain(request: Request, status: int, text: str) -> bytes:
    request.setResponseCode(status)
    request.setHeader(b"content-type", b"text/plain; charset=utf-8")
    request.setHeader(b"cache-control", b"no-store")
    if status == 503:
        request.setHeader(b"retry-after", str(RETRY_SECONDS).encode())
    return f"{text}\n".encode()

"""A web server on a port of its own, on a reactor in a thread, with a client that speaks plain bytes."""

import itertools
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storeworld import LIMITS, NOW
from twisted.internet.defer import Deferred
from twisted.internet.epollreactor import EPollReactor
from twisted.internet.threads import blockingCallFromThread
from weboffice import HOUSE, SECRET

from store.database import Database
from web.server import WebServer
from web.settings import WebSettings

HOST = "127.0.0.1"
SECONDS_MAX = 20


@dataclass
class RunningWeb:
    """The server and what a test may turn on it."""

    reactor: EPollReactor
    database: Database
    port: int = 0
    is_stopping: bool = False
    notices: list[int] = field(default_factory=list)
    server: WebServer = field(init=False)

    def connect(self) -> socket.socket:
        return socket.create_connection((HOST, self.port), timeout=SECONDS_MAX)

    def say(self, *pieces: bytes) -> bytes:
        """Everything that is answered until the server closes; its close or reset ends the sending."""
        with self.connect() as line:
            try:
                for piece in pieces:
                    line.sendall(piece)
            except ConnectionError:
                pass
            return heard(line)

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str) -> bytes:
        """The whole answer to one request with Anna's key."""
        sent = b"" if body is None else json.dumps(body).encode()
        return self.say(request(method, path, sent, **headers))


def request(method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
    """A request as bytes, that asks for the connection to be closed after it."""
    lines = {
        "Host": "web.test",
        "Connection": "close",
        "X-API-Key": SECRET,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


def heard(line: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    pieces: list[bytes] = []
    while True:
        try:
            piece = line.recv(65_536)
        except ConnectionError:
            piece = b""
        if not piece:
            return b"".join(pieces)
        pieces.append(piece)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def members(answer: bytes) -> Any:
    return json.loads(answer.partition(b"\r\n\r\n")[2])


@contextmanager
def running_web(books: Path, **settings: Any) -> Iterator[RunningWeb]:
    """A server over these books; port 0 lets the system choose one."""
    reactor = EPollReactor()
    running = RunningWeb(reactor=reactor, database=Database(f"sqlite:///{books}", reactor=reactor))
    ids = itertools.count(1)
    turn = threading.Lock()

    def new_id() -> str:
        with turn:
            return f"{next(ids):026d}"

    running.server = WebServer(
        WebSettings.model_construct(**{**WebSettings().model_dump(), "port": 0, **settings}),
        reactor=reactor,
        database=running.database,
        limits=LIMITS,
        house=HOUSE,
        new_id=new_id,
        wall=lambda: NOW,
        notice=lambda: reactor.callFromThread(running.notices.append, 1),
        is_stopping=lambda: running.is_stopping,
    )
    thread = threading.Thread(target=reactor.run, kwargs={"installSignalHandlers": False})
    thread.start()
    try:
        running.database.start()
        port = in_reactor(reactor, running.server.listen)
        running.port = port.getHost().port
        yield running
        in_reactor(reactor, port.stopListening)
        in_reactor(reactor, lambda: Deferred.fromCoroutine(running.server.stop()))
        running.database.stop()
    finally:
        reactor.callFromThread(reactor.stop)
        thread.join(SECONDS_MAX)


def in_reactor(reactor: EPollReactor, function: Callable[[], Any]) -> Any:
    """The function's result, called on the reactor's thread."""
    return blockingCallFromThread(reactor, function)

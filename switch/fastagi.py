"""The FastAGI server: who may connect, for how long without saying why, and which script serves the call.

Reads: TCP connections from Asterisk.
Gives: FastAgiFactory, which runs route()'s script for each call in its own AgiSession.
Knows nothing of: what scripts do, callbacks.

FastAGI has no login, so until route() has accepted its environment a connection is *unproved*: such
connections are few, short-lived, and make room for newer ones. Asterisk sends its environment at once, so
it is the idlers that are pushed out.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import structlog
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.tcp import Connection
from twisted.python.failure import Failure

from switch.agisession import AgiSession, Script
from switch.greenlets import Greenlets
from wire.agi import Environment
from wire.errors import RemoteProtocolError

__all__ = ["AgiSession", "FastAgiFactory", "Refused", "Route", "Script"]

ENVIRONMENT_SECONDS = 5.0
"""Asterisk sends the environment right after connecting; 5 s allow for a stalled machine."""
UNPROVED_MAX = 256
"""More than Asterisk opens while the reactor is busy for a moment; at most so many sockets are idle."""
SESSIONS_MAX = 4_000
"""Far more calls than one Asterisk carries; keeps descriptors bounded."""
REFUSAL_LOG_SECONDS = 10.0
"""Strangers get one log line in this time, with their count: a scan must not fill the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Why a connection is not served; Asterisk's dialplan goes on to its Hangup()."""

    reason: str


Route = Callable[[Environment], Script | Refused]


class FastAgiProtocol(Protocol):
    """One connection: bytes between the transport and the session."""

    def __init__(self, factory: "FastAgiFactory", peer: str) -> None:
        """`factory` decides; `peer` is for the log."""
        self.peer = peer
        self._owner = factory

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Give Asterisk a few seconds to say what the call is."""
        transport = self._transport()
        write = transport.write
        if isinstance(transport, Connection):
            # No setTcpNoDelay: a command goes out when all before it are answered, so Nagle never waits.
            transport.setTcpKeepAlive(True)  # Dial is silent for hours: only the kernel can see a dead peer
            self._send: Callable[[bytes], int] = transport.getHandle().send
            write = self._write_now
        self.session = AgiSession(
            write=write, close=transport.loseConnection, begin=self._begin, log=self._owner.log
        )
        self._owner.entered(self)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Pass it on; a peer that breaks the protocol loses this call and no other."""
        try:
            self.session.feed(data)
        except RemoteProtocolError as error:
            self.give_up(str(error))

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802 - Twisted's name
        """Tell the script, which may be in the middle of a command."""
        self._owner.left(self)
        self.session.lost("the connection to Asterisk is gone")

    def give_up(self, reason: str) -> None:
        """Close at once and note why."""
        self._owner.refusals.note(reason, self.peer)
        self._owner.left(self)
        self._transport().abortConnection()
        self.session.lost(reason)

    def _begin(self, session: AgiSession) -> None:
        decision = self._owner.route(session.environment)
        if isinstance(decision, Refused):
            self.give_up(decision.reason)
            return
        self._owner.proved(self)
        session.run(decision, lambda: self._owner.ended(self), self._owner.greenlets)

    def _write_now(self, data: bytes) -> None:
        """Send without a further turn of the reactor, which costs more than the rest of a command.

        A command is only sent when all before it have been answered, so nothing waits in the transport.
        """
        try:
            sent = self._send(data)
        except OSError:  # full, which cannot be, or lost, which the ordinary way finds out properly
            sent = 0
        if sent < len(data):
            self._transport().write(data[sent:])

    def _transport(self) -> ITCPTransport:
        assert self.transport is not None
        return self.transport  # type: ignore[return-value] # abortConnection is ITCPTransport's


class FastAgiFactory(ServerFactory):
    """Listen with this; route() says which script serves a call."""

    noisy = False

    def __init__(
        self,
        reactor: IReactorTime,
        route: Route,
        *,
        allowed_peers: Collection[str] | None = None,
        unproved_max: int = UNPROVED_MAX,
        sessions_max: int = SESSIONS_MAX,
    ) -> None:
        """`allowed_peers` are addresses; None allows all, for an Asterisk behind the same loopback."""
        self.clock = reactor
        self.route = route
        self.log = structlog.get_logger("switch.agi")
        self.greenlets = Greenlets()
        self.refusals = RefusalLog(reactor, self.log)
        self._allowed_peers = None if allowed_peers is None else frozenset(allowed_peers)
        self._unproved_max = unproved_max
        self._sessions_max = sessions_max
        self._unproved: dict[FastAgiProtocol, float] = {}  # when it came; the first is the oldest
        self._deadline: IDelayedCall | None = None
        self._sessions: set[FastAgiProtocol] = set()
        self._idle_waiters: list[Deferred[None]] = []

    @property
    def session_count(self) -> int:
        """How many scripts run now."""
        return len(self._sessions)

    @property
    def unproved_count(self) -> int:
        """How many connections have not told yet what they are."""
        return len(self._unproved)

    def when_idle(self) -> "Deferred[None]":
        """Fires when no script runs; whether new calls come in the meantime is route()'s business."""
        if not self._sessions:
            return succeed(None)
        waiter: Deferred[None] = Deferred()
        self._idle_waiters.append(waiter)
        return waiter

    def close_all(self) -> None:
        """Cut every connection: scripts see a hang-up, Asterisk goes on in its dialplan."""
        for protocol in [*self._unproved, *self._sessions]:
            protocol.give_up("Dialback is stopping")

    def buildProtocol(self, addr: IAddress | None) -> FastAgiProtocol | None:  # noqa: N802 - Twisted's name
        """A protocol, or None: Twisted then closes the socket before a byte is read."""
        peer = str(getattr(addr, "host", addr))
        if self._allowed_peers is not None and peer not in self._allowed_peers:
            self.refusals.note("not an Asterisk of ours", peer)
            return None
        if len(self._sessions) >= self._sessions_max:
            self.refusals.note(f"{self._sessions_max} sessions are running", peer)
            return None
        return FastAgiProtocol(self, peer)

    # ---- told by the protocols ---------------------------------------------------------------------

    def entered(self, protocol: FastAgiProtocol) -> None:
        """A connection that has to prove itself; the longest unproved one makes room."""
        self._unproved[protocol] = self.clock.seconds()
        if self._deadline is None:
            self._deadline = self.clock.callLater(ENVIRONMENT_SECONDS, self._close_idlers)
        if len(self._unproved) > self._unproved_max:
            next(iter(self._unproved)).give_up("made room for a newer connection")

    def proved(self, protocol: FastAgiProtocol) -> None:
        """Its environment was accepted."""
        self._unproved.pop(protocol, None)
        self._sessions.add(protocol)

    def _close_idlers(self) -> None:
        """One timer for all: each call's own would be set and cancelled a thousand times a second."""
        self._deadline = None
        now = self.clock.seconds()
        for protocol, since in list(self._unproved.items()):
            remaining = since + ENVIRONMENT_SECONDS - now
            if remaining > 0:
                self._deadline = self.clock.callLater(remaining, self._close_idlers)
                return
            protocol.give_up("sent no environment in time")

    def left(self, protocol: FastAgiProtocol) -> None:
        """Its connection is gone; a script may still run."""
        self._unproved.pop(protocol, None)

    def ended(self, protocol: FastAgiProtocol) -> None:
        """Its script is over."""
        self._sessions.discard(protocol)
        if not self._sessions:
            waiters, self._idle_waiters = self._idle_waiters, []
            for waiter in waiters:
                waiter.callback(None)


class RefusalLog:
    """Notes refused connections, few lines for many of them."""

    def __init__(self, clock: IReactorTime, log: structlog.typing.FilteringBoundLogger) -> None:
        """Quiet so far."""
        self._clock = clock
        self._log = log
        self._unlogged = 0
        self._logged_at: float | None = None

    def note(self, reason: str, peer: str) -> None:
        """Count it, and log it unless something was logged a moment ago."""
        self._unlogged += 1
        now = self._clock.seconds()
        if self._logged_at is None or now - self._logged_at >= REFUSAL_LOG_SECONDS:
            self._log.warning("AGI connection closed", reason=reason, peer=peer, count=self._unlogged)
            self._unlogged = 0
            self._logged_at = now

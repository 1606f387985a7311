"""The manager interface in memory: the test plays Asterisk, message by message.

Reads: the actions that AmiService sends.
Gives: AmiNetwork, an endpoint, and AmiPeer, Asterisk's end of one connection.
Knows nothing of: sockets, what actions do.
"""

from hashlib import md5

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectError, ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from zope.interface import implementer

BANNER = b"Asterisk Call Manager/13.0.0\r\n"


class AmiPeer:
    """Asterisk's end of one connection."""

    def __init__(self, protocol: IProtocol) -> None:
        """Connected."""
        self.protocol: IProtocol | None = protocol
        self.transport = StringTransport()
        protocol.makeConnection(self.transport)

    @property
    def is_open(self) -> bool:
        """Whether Dialback still wants to talk."""
        return self.protocol is not None and not self.transport.disconnecting

    def says(self, data: bytes) -> None:
        """Send raw bytes."""
        assert self.protocol is not None
        self.protocol.dataReceived(data)
        self.settle()

    def tells(self, **headers: str) -> None:
        """Send one message."""
        self.says("".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\n")

    def answers(self, action: dict[str, str], response: str = "Success", **headers: str) -> None:
        """Answer one action."""
        self.tells(Response=response, ActionID=action["ActionID"], **headers)

    def heard(self) -> list[dict[str, str]]:
        """The actions that came since last asked."""
        blocks = self.transport.value().decode().split("\r\n\r\n")[:-1]
        self.transport.clear()
        return [dict(line.split(": ", 1) for line in block.split("\r\n")) for block in blocks]

    def hears(self, action: str) -> dict[str, str]:
        """The one action that came, which must be that."""
        (heard,) = self.heard()
        assert heard["Action"] == action, heard
        return heard

    def welcomes(self, secret: str = "secret", rights: tuple[str, ...] = ("Originate", "Hangup")) -> None:
        """A whole login."""
        self.says(BANNER)
        self.answers(self.hears("Challenge"), Challenge="4711")
        login = self.hears("Login")
        assert login["Key"] == md5(b"4711" + secret.encode()).hexdigest()
        self.answers(login, Message="Authentication accepted")
        self.answers(self.hears("ListCommands"), **dict.fromkeys(rights, "what it does  (Priv: x)"))
        self.answers(self.hears("Events"), Events="On")

    def cut(self) -> None:
        """The connection is gone."""
        assert self.protocol is not None
        protocol, self.protocol = self.protocol, None
        protocol.connectionLost(Failure(ConnectionDone()))

    def settle(self) -> None:
        """End as a real transport does if Dialback closed."""
        if self.protocol is not None and self.transport.disconnecting:
            self.cut()


@implementer(IStreamClientEndpoint)
class AmiNetwork:
    """An endpoint; every connection is an AmiPeer."""

    def __init__(self) -> None:
        """Reachable."""
        self.peers: list[AmiPeer] = []
        self.is_down = False
        self.tries = 0

    @property
    def peer(self) -> AmiPeer:
        """The newest connection."""
        return self.peers[-1]

    def connect(self, factory: IProtocolFactory) -> "Deferred[IProtocol]":
        """As an endpoint does."""
        self.tries += 1
        if self.is_down:
            return fail(ConnectError())
        protocol = factory.buildProtocol(IPv4Address("TCP", "127.0.0.1", 5038))
        assert protocol is not None
        self.peers.append(AmiPeer(protocol))
        return succeed(protocol)

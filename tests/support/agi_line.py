"""One FastAGI connection in memory: the test plays Asterisk, line by line.

Reads: a FastAgiFactory.
Gives: AgiLine, whose says() feeds bytes and whose heard() gives what the script sent.
Knows nothing of: sockets, scripts.
"""

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from switch.fastagi import FastAgiFactory, FastAgiProtocol


def environment(script: str = "ivr/cb1-a1", uniqueid: str = "cb1-a1", *arguments: str) -> bytes:
    """The block that Asterisk sends first."""
    lines = ["agi_network: yes", f"agi_network_script: {script}", f"agi_uniqueid: {uniqueid}"]
    lines += [f"agi_arg_{number}: {argument}" for number, argument in enumerate(arguments, 1)]
    return "\n".join([*lines, "", ""]).encode()


class AgiLine:
    """Asterisk's end of one connection."""

    def __init__(self, factory: FastAgiFactory, host: str = "127.0.0.1") -> None:
        """Connect."""
        self.transport = StringTransport()
        self.protocol: FastAgiProtocol | None = factory.buildProtocol(IPv4Address("TCP", host, 40_000))
        if self.protocol is not None:
            self.protocol.makeConnection(self.transport)  # type: ignore[no-untyped-call]

    @property
    def is_open(self) -> bool:
        """Whether Dialback still wants to talk."""
        return self.protocol is not None and not self.transport.disconnecting

    def says(self, data: bytes) -> None:
        """Send bytes, and let the transport end as a real one does if Dialback closed."""
        assert self.protocol is not None
        self.protocol.dataReceived(data)
        if self.transport.disconnecting:
            self.cut()

    def heard(self) -> str:
        """What came since last asked."""
        text: str = self.transport.value().decode()
        self.transport.clear()
        return text

    def cut(self) -> None:
        """The connection is gone."""
        assert self.protocol is not None
        protocol, self.protocol = self.protocol, None
        protocol.connectionLost(Failure(ConnectionDone()))

"""HTTP connections with a bound on everything a stranger can send.

Reads: bytes of HTTP/1.1.
Gives: BoundedSite, whose requests have a body of at most BODY_BYTES_MAX and came within a deadline.
Knows nothing of: what is asked.

Twisted caps lines and headers, but not bodies, and its time-out starts anew with every byte
(twisted/web/http.py, HTTPChannel.dataReceived): a peer that drips would stay for ever.
"""

from collections import Counter
from io import BytesIO
from typing import Any

from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.resource import IResource
from twisted.web.server import Request, Site

from web.body import BODY_BYTES_MAX

HEADERS_MAX = 64
HEADER_BYTES_MAX = 16_384
THROWN_AWAY_BYTES_MAX = 1_048_576
"""So much of a body that is refused is still read, so that its sender gets to see the refusal."""
TOO_LARGE = (
    b"HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nCache-Control: no-store\r\n"
    b"Content-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n%b"
)
TOO_LARGE_BODY = (
    b'{"type": "urn:dialback:problem:too_large", "title": "Content Too Large", "status": 413, '
    b'"detail": "The body is too large; nothing was done.", "errors": [{"field": "body", '
    b'"problem": "it is too large", "remedy": "send at most %d bytes"}]}' % BODY_BYTES_MAX
)


class BoundedRequest(Request):
    """A request whose body is refused as soon as it is known to be too large."""

    channel: Any
    content: Any

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call] # Twisted's
        self._bytes_received = 0
        self._is_refused = False

    def gotLength(self, length: int | None) -> None:  # noqa: N802 - Twisted's name
        """Take note of the announced length; None is a body in chunks."""
        self.content = BytesIO()
        if length is not None and length > BODY_BYTES_MAX:
            self._refuse()

    def handleContentChunk(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Keep what comes, within bounds."""
        self._bytes_received += len(data)
        if self._bytes_received > BODY_BYTES_MAX:
            self._refuse()
        if not self._is_refused:
            self.content.write(data)
        elif self._bytes_received > THROWN_AWAY_BYTES_MAX:
            self.channel.transport.abortConnection()

    def process(self) -> None:
        """Answer, unless that was done."""
        if self._is_refused:
            self.channel.loseConnection()
        else:
            # A body in chunks has its length now; WSGI would take it for empty without one.
            self.requestHeaders.removeHeader(b"transfer-encoding")
            self.requestHeaders.setRawHeaders(b"content-length", [b"%d" % self._bytes_received])
            super().process()  # type: ignore[no-untyped-call] # Twisted's

    def _refuse(self) -> None:
        if self._is_refused:
            return
        self._is_refused = True
        self.requestHeaders.removeHeader(b"expect")  # or the sender would be told to go on
        self.channel.transport.write(TOO_LARGE % (len(TOO_LARGE_BODY), TOO_LARGE_BODY))
        # Closed both ways with bytes unread, the kernel would reset the connection and lose the answer.
        self.channel.transport.loseWriteConnection()


class BoundedChannel(HTTPChannel):
    """A connection; a whole request must come within the time-out, busy or not."""

    maxHeaders = HEADERS_MAX  # noqa: N815 - Twisted's name
    totalHeadersSize = HEADER_BYTES_MAX  # noqa: N815 - Twisted's name
    site: "BoundedSite"
    peer = ""

    def resetTimeout(self) -> None:  # noqa: N802 - Twisted's name
        """Let the clock run: it starts with the connection, and after each answer."""

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802 - Twisted's name
        """Make room for another connection."""
        super().connectionLost(reason)  # type: ignore[no-untyped-call] # Twisted's
        self.site.closed(self)


class BoundedSite(Site):
    """A site with so many connections, and no access log of its own."""

    protocol = BoundedChannel  # type: ignore[assignment] # no HTTP/2, so no wrapper that chooses

    def __init__(
        self,
        resource: IResource,
        *,
        reactor: IReactorTime,
        receive_seconds: int,
        connections_max: int,
        connections_per_peer_max: int,
    ) -> None:
        """`receive_seconds` is also how long an idle connection stays."""
        super().__init__(  # type: ignore[no-untyped-call] # Twisted's
            resource, requestFactory=BoundedRequest, timeout=receive_seconds, reactor=reactor
        )
        self._connections_max = connections_max
        self._connections_per_peer_max = connections_per_peer_max
        self._channels: set[BoundedChannel] = set()
        self._peers: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: N802 - Twisted's name
        """A channel, or None, which closes the connection."""
        peer = str(getattr(addr, "host", ""))
        if (
            len(self._channels) >= self._connections_max
            or self._peers[peer] >= self._connections_per_peer_max
        ):
            return None
        channel: Any = super().buildProtocol(addr)  # type: ignore[no-untyped-call] # Twisted's
        channel.peer = peer
        self._channels.add(channel)
        self._peers[peer] += 1
        return channel

    def closed(self, channel: BoundedChannel) -> None:
        """Forget a connection."""
        if channel in self._channels:
            self._channels.remove(channel)
            self._peers[channel.peer] -= 1
            if not self._peers[channel.peer]:
                del self._peers[channel.peer]

    @property
    def connections(self) -> int:
        """How many connections there are."""
        return len(self._channels)

    def close_all(self) -> None:
        """Close every connection once what was written to it is sent."""
        for channel in tuple(self._channels):
            channel.loseConnection()  # type: ignore[no-untyped-call] # Twisted's

    def log(self, request: Any) -> None:
        """Leave the log to the application: a path is a stranger's own text."""

"""A caller's line made by hand: rings a number over bare UDP, with any bytes in it, and reports what came.

Reads: whom to ring, who rings, how long. Nothing is checked, since hostile bytes are the point.
Gives: every SIP response with its time; so "never answered, no early media" is seen, not believed.
Knows nothing of: Asterisk, sound (its SDP names a port where nobody listens).
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

T1_SECONDS = 0.5
"""RFC 3261 17.1.1.1: first retransmission of a request over UDP."""
RETRANSMISSIONS_MAX = 6
FINAL_SECONDS_MAX = 8.0
"""How long an answer to our CANCEL or BYE is waited for."""
RTP_NOWHERE = 9
"""The discard port: a refused trigger never gets to send sound."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One SIP response, as it came."""

    code: int
    reason: str
    at: datetime
    has_sdp: bool
    raw: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What the caller's line got for its INVITE."""

    responses: tuple[Response, ...]
    """Each code once, retransmissions left out."""
    invited_at: datetime
    hung_up_at: datetime | None
    """When CANCEL or BYE was sent; None if the other side ended it."""
    ended_at: datetime

    @property
    def codes(self) -> tuple[int, ...]:
        return tuple(response.code for response in self.responses)

    @property
    def final_code(self) -> int | None:
        """None: the network stayed silent."""
        return next((code for code in self.codes if code >= 200), None)

    @property
    def rang(self) -> bool:
        return 180 in self.codes

    @property
    def answered(self) -> bool:
        return any(200 <= code < 300 for code in self.codes)

    @property
    def early_media(self) -> bool:
        return any(response.has_sdp and 100 < response.code < 200 for response in self.responses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """The bytes of an INVITE that an author may choose. `str` is sent as UTF-8."""

    number: str | bytes
    """Of the request line."""
    caller: str | bytes | None
    """User part of From; None withholds it (RFC 3323)."""
    caller_name: str | bytes = b""
    """Put between quotes as it is: a quote in it ends the name, as on the wire of a careless carrier."""
    headers: tuple[bytes, ...] = ()
    """Further header lines, without their line end."""
    from_line: bytes | None = None
    """The whole From header instead of one made from caller and name."""
    body: bytes | None = None
    """Instead of a plain SDP offer."""


class RingingLine:
    """A line that rings until `seconds` are over, hang_up() is called, or the other side ends it."""

    def __init__(
        self, invitation: Invitation, *, to: tuple[str, int], from_host: str, seconds: float
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((from_host, 0))
        self._dialog = _Dialog(invitation, to=to, here=self._socket.getsockname())
        self._seconds = seconds
        self._enough = threading.Event()
        self._responses: list[Response] = []
        self._hung_up_at: datetime | None = None
        self._invited_at = self._ended_at = _now()
        self._thread = threading.Thread(target=self._ring, name="caller's line", daemon=True)
        self._thread.start()

    def hang_up(self) -> None:
        """Give up before the time is over."""
        self._enough.set()

    def heard(self) -> Heard:
        """Wait until the line is free again and return what it heard."""
        self._thread.join()
        return Heard(
            responses=tuple(self._responses),
            invited_at=self._invited_at,
            hung_up_at=self._hung_up_at,
            ended_at=self._ended_at,
        )

    def _ring(self) -> None:
        with self._socket:
            self._invited_at = _now()
            self._exchange(self._dialog.invite(), self._seconds)
            if self._final is None:
                self._end_with(self._dialog.cancel(), wait_for_final=True)
            elif 200 <= self._final < 300 and not self._dialog.ended_by_peer:
                self._listen(self._seconds - (_now() - self._invited_at).total_seconds())
                if not self._dialog.ended_by_peer:
                    self._end_with(self._dialog.bye(), wait_for_final=False)
            self._ended_at = _now()

    @property
    def _final(self) -> int | None:
        return next((response.code for response in self._responses if response.code >= 200), None)

    def _exchange(self, request: bytes, seconds: float) -> None:
        """Send the INVITE, again while nothing comes, until a final response or the end of time."""
        started = time.monotonic()
        sent, due = 0, started
        while not self._enough.is_set() and self._final is None:
            now = time.monotonic()
            if now - started >= seconds:
                return
            if not self._responses and sent <= RETRANSMISSIONS_MAX and now >= due:
                self._send(request)
                due = now + T1_SECONDS * 2**sent
                sent += 1
            self._receive(min(0.05, max(started + seconds - now, 0.001)))

    def _end_with(self, request: bytes, *, wait_for_final: bool) -> None:
        self._hung_up_at = _now()
        if wait_for_final and not self._responses:
            return  # RFC 3261 9.1: no CANCEL before a provisional response; nobody listens there
        deadline, due, pause = time.monotonic() + FINAL_SECONDS_MAX, 0.0, T1_SECONDS
        while time.monotonic() < deadline:
            if time.monotonic() >= due:
                self._send(request)
                due, pause = time.monotonic() + pause, pause * 2
            done = self._receive(0.05)
            if (self._final is not None) if wait_for_final else done == "BYE":
                break

    def _listen(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._enough.is_set() and not self._dialog.ended_by_peer:
            self._receive(0.05)

    def _receive(self, seconds: float) -> str:
        """Take one datagram; return the method that it answers, or nothing."""
        self._socket.settimeout(seconds)
        try:
            datagram, _ = self._socket.recvfrom(65535)
        except (TimeoutError, ConnectionError):
            return ""
        if not datagram.startswith(b"SIP/2.0 "):
            for reply in self._dialog.reply_to(datagram):
                self._send(reply)
            return ""
        code, method = _code(datagram), _method(datagram)
        if method == "INVITE":
            if all(response.code != code for response in self._responses):
                self._responses.append(
                    Response(
                        code=code,
                        reason=_reason(datagram),
                        at=_now(),
                        has_sdp=b"\r\nm=audio" in datagram,
                        raw=datagram,
                    )
                )
            if code >= 200:
                self._send(self._dialog.ack(datagram, code))
        return method

    def _send(self, datagram: bytes) -> None:
        try:
            self._socket.sendto(datagram, self._dialog.to)
        except OSError:
            self._enough.set()  # longer than a datagram can be: nothing was sent, nothing will come


def throw(datagram: bytes, *, to: tuple[str, int], from_host: str, seconds: float = 1.0) -> list[bytes]:
    """Send bytes that need not be SIP at all, and return the datagrams that came back within `seconds`."""
    replies: list[bytes] = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((from_host, 0))
        line.sendto(datagram, to)
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            line.settimeout(left)
            try:
                replies.append(line.recv(65535))
            except (TimeoutError, ConnectionError):
                break
    return replies


@dataclass(slots=True)
class _Dialog:
    """Writes the requests of one call."""

    invitation: Invitation
    to: tuple[str, int]
    here: tuple[str, int]
    call_id: str = field(default_factory=lambda: secrets.token_hex(12))
    tag: str = field(default_factory=lambda: secrets.token_hex(6))
    branch: str = field(default_factory=lambda: "z9hG4bK" + secrets.token_hex(8))
    target: bytes = b""
    to_line: bytes = b""
    ended_by_peer: bool = False

    def __post_init__(self) -> None:
        self.target = b"sip:%b@%b" % (_bytes(self.invitation.number), _at(self.to))
        self.to_line = b"To: <%b>" % self.target

    def invite(self) -> bytes:
        body = self.invitation.body if self.invitation.body is not None else self._offer()
        extra = list(self.invitation.headers)
        if self.invitation.caller is None:
            extra.append(b"Privacy: id")
        extra.append(b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS")
        extra.append(b"Content-Type: application/sdp")
        return self._request(b"INVITE", 1, self.branch, extra, body)

    def cancel(self) -> bytes:
        return self._request(b"CANCEL", 1, self.branch, [], b"")

    def ack(self, response: bytes, code: int) -> bytes:
        self.to_line = _line(response, b"To") or self.to_line
        if code >= 300:
            return self._request(b"ACK", 1, self.branch, [], b"")
        contact = _line(response, b"Contact")
        if b"<" in contact:
            self.target = contact.split(b"<", 1)[1].split(b">", 1)[0]
        return self._request(b"ACK", 1, self._new_branch(), [], b"")

    def bye(self) -> bytes:
        return self._request(b"BYE", 2, self._new_branch(), [], b"")

    def reply_to(self, request: bytes) -> list[bytes]:
        """Say 200 to whatever the other side asks inside the call."""
        if request.startswith(b"ACK ") or b"\r\n" not in request:
            return []
        if request.startswith(b"BYE "):
            self.ended_by_peer = True
        kept = [
            line
            for line in request.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]
            if line.split(b":", 1)[0].lower() in {b"via", b"from", b"to", b"call-id", b"cseq"}
        ]
        return [b"SIP/2.0 200 OK\r\n" + b"\r\n".join(kept) + b"\r\nContent-Length: 0\r\n\r\n"]

    def _request(self, method: bytes, number: int, branch: str, extra: list[bytes], body: bytes) -> bytes:
        lines = [
            b"%b %b SIP/2.0" % (method, self.target),
            b"Via: SIP/2.0/UDP %b;branch=%b;rport" % (_at(self.here), branch.encode()),
            b"Max-Forwards: 70",
            self._from_line(),
            self.to_line,
            b"Call-ID: %b" % self.call_id.encode(),
            b"CSeq: %d %b" % (number, method),
            b"Contact: <sip:line@%b>" % _at(self.here),
            *extra,
            b"Content-Length: %d" % len(body),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _from_line(self) -> bytes:
        call = self.invitation
        if call.from_line is not None:
            return call.from_line
        tag = b";tag=" + self.tag.encode()
        if call.caller is None:
            return b'From: "Anonymous" <sip:anonymous@anonymous.invalid>' + tag
        name = b'"%b" ' % _bytes(call.caller_name) if call.caller_name else b""
        return b"From: %b<sip:%b@%b>%b" % (name, _bytes(call.caller), self.here[0].encode(), tag)

    def _offer(self) -> bytes:
        host = self.here[0]
        return (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
            f"m=audio {RTP_NOWHERE} RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
            "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
        ).encode()

    def _new_branch(self) -> str:
        return "z9hG4bK" + secrets.token_hex(8)


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _at(address: tuple[str, int]) -> bytes:
    return f"{address[0]}:{address[1]}".encode()


def _line(message: bytes, name: bytes) -> bytes:
    """Return the whole header line `name`, or nothing."""
    for line in message.split(b"\r\n\r\n", 1)[0].split(b"\r\n")[1:]:
        if line.split(b":", 1)[0].strip().lower() == name.lower():
            return line
    return b""


def _code(response: bytes) -> int:
    digits = response[8:11]
    return int(digits) if digits.isdigit() else 0


def _reason(response: bytes) -> str:
    return response.split(b"\r\n", 1)[0][12:].decode(errors="replace")


def _method(response: bytes) -> str:
    return _line(response, b"CSeq").rpartition(b" ")[2].decode(errors="replace")


def _now() -> datetime:
    return datetime.now(UTC)

"""The SIP of a caller's line: its requests, written from any bytes, and the little that it reads.

Reads: an Invitation, responses and requests as they came.
Gives: INVITE, CANCEL, ACK, BYE and replies as bytes.
Knows nothing of: sockets, time, sound (its SDP names a port where nobody listens).
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.!~*'()+")
RTP_NOWHERE = 9
"""The discard port: a refused trigger never gets to send sound."""


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


@dataclass(slots=True)
class Dialog:
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


def escaped(raw: bytes) -> bytes:
    """Return `raw` as a SIP URI carries it (RFC 3261 25.1), so that any byte gets past the parser.

    pjproject drops an INVITE with bare quotes, line ends or bytes above 127 in From before anybody sees it;
    what is written %22 or %0A reaches the dialplan as the byte itself.
    """
    return b"".join(bytes([byte]) if byte in UNRESERVED else b"%%%02X" % byte for byte in raw)


def quoted(raw: bytes) -> bytes:
    """Return `raw` fit to stand between the quotes of a display name."""
    return raw.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def code_of(response: bytes) -> int:
    """Return the status code; 0 if there is none."""
    digits = response[8:11]
    return int(digits) if digits.isdigit() else 0


def reason_of(response: bytes) -> str:
    """Return the words behind the status code."""
    return response.split(b"\r\n", 1)[0][12:].decode(errors="replace")


def method_of(response: bytes) -> str:
    """Return the method that a response answers."""
    return _line(response, b"CSeq").rpartition(b" ")[2].decode(errors="replace")


def header_of(message: bytes, name: bytes) -> bytes:
    """Return what stands behind `name:`, or nothing."""
    return _line(message, name).partition(b":")[2].strip()


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

"""A caller's line made by hand: rings a number over bare UDP, with any bytes in it, and reports what came.

Reads: whom to ring, who rings, how long. Nothing is checked, since hostile bytes are the point.
Gives: every SIP response with its time; so "never answered, no early media" is seen, not believed.
Knows nothing of: Asterisk, sound.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from world.sipwriting import Dialog, Invitation, code_of, escaped, method_of, quoted, reason_of

__all__ = ["Heard", "Invitation", "Response", "RingingLine", "TooLong", "escaped", "quoted", "throw"]

T1_SECONDS = 0.5
"""RFC 3261 17.1.1.1: first retransmission of a request over UDP."""
RETRANSMISSIONS_MAX = 6
DATAGRAM_BYTES_MAX = 65_507
"""What UDP over IPv4 carries."""
SO_TIMESTAMPNS = 35
"""Linux notes with each datagram when it came (socket(7)): read late, it keeps its own time."""
_TIMESPEC = struct.Struct("@qq")
FINAL_SECONDS_MAX = 8.0
"""How long an answer to our CANCEL or BYE is waited for."""


class TooLong(ValueError):
    """The INVITE does not fit into a datagram, so nothing would be sent."""


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


class RingingLine:
    """A line that rings until `seconds` are over, hang_up() is called, or the other side ends it."""

    def __init__(
        self, invitation: Invitation, *, to: tuple[str, int], from_host: str, seconds: float
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.bind((from_host, 0))
        self._dialog = Dialog(invitation, to=to, here=self._socket.getsockname())
        size = len(self._dialog.invite())
        if size > DATAGRAM_BYTES_MAX:
            self._socket.close()
            raise TooLong(f"an INVITE of {size} bytes; a datagram holds {DATAGRAM_BYTES_MAX}")
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
            datagram, notes, _, _ = self._socket.recvmsg(65535, socket.CMSG_SPACE(_TIMESPEC.size))
        except (TimeoutError, ConnectionError):
            return ""
        if not datagram.startswith(b"SIP/2.0 "):
            for reply in self._dialog.reply_to(datagram):
                self._send(reply)
            return ""
        code, method = code_of(datagram), method_of(datagram)
        if method == "INVITE":
            if all(response.code != code for response in self._responses):
                self._responses.append(
                    Response(
                        code=code,
                        reason=reason_of(datagram),
                        at=_came_at(notes),
                        has_sdp=b"\r\nm=audio" in datagram,
                        raw=datagram,
                    )
                )
            if code >= 200:
                self._send(self._dialog.ack(datagram, code))
        return method

    def _send(self, datagram: bytes) -> None:
        self._socket.sendto(datagram, self._dialog.to)


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


def _now() -> datetime:
    return datetime.now(UTC)


def _came_at(notes: list[tuple[int, int, bytes]]) -> datetime:
    """When the kernel took the datagram."""
    for _, kind, said in notes:
        if kind == SO_TIMESTAMPNS:
            seconds, nanoseconds = _TIMESPEC.unpack(said)
            return datetime.fromtimestamp(seconds, UTC) + timedelta(microseconds=nanoseconds // 1000)
    return _now()

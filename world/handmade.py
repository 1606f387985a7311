"""A carrier made by hand: every answer it gives to a call, and when, is for a test's author to say.

Reads: INVITEs and what follows over UDP; for each number, what its phone does, as a function of the call.
Gives: calls, with the instants of this side: invited, answered, ended; the requests as they came.
Knows nothing of: Asterisk, Dialback.

The world's Asterisk speaks SIP as Asterisk does. This one speaks it as others do: 183 before 180, an answer
and a BYE in one breath, a 401 before anything else, keys in INFO, no sound at all.
"""

from __future__ import annotations

import re
import secrets
import socket
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from world.handwriting import SDP, Login, info_body, reply
from world.rtp import Sound
from world.sipwriting import Dialog, Invitation, code_of, header_of, method_of

POLL_SECONDS = 0.05
T1_SECONDS = 0.5
T2_SECONDS = 4.0
ASKED_AGAIN_SECONDS_MAX = 4.0
NO_KEYS = 127
"""Payload type of events towards a side that did not offer any."""


class HungUp(Exception):
    """The other side has ended the call: the phone's part is over."""


Part = Callable[["FarCall"], None]


class Handmade:
    """One carrier at one address. `with Handmade(host) as carrier: carrier.phone(number, part)`."""

    def __init__(self, host: str, *, login: Login | None = None, answers_options: bool = True) -> None:
        self.host = host
        self.login = login
        self.answers_options = answers_options
        self.calls: list[FarCall] = []
        self.options_heard = 0
        self._parts: dict[str, Part] = {}
        self._strays: list[bytes] = []
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, 0))
        self._socket.settimeout(POLL_SECONDS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="carrier", daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._socket.close()

    def phone(self, number: str, part: Part) -> None:
        """From its next call on, the phone at `number` (as this carrier is sent it) does that."""
        self._parts[number] = part

    def calls_to(self, number: str) -> list[FarCall]:
        """The calls for that number, refused ones too."""
        return [call for call in self.calls if call.number == number]

    def rings(self, invitation: Invitation, *, to: tuple[str, int], seconds: float = 1) -> list[int]:
        """Ring and hang up, from the very port that calls are sent to; the codes that came."""
        dialog = Dialog(invitation, to=to, here=(self.host, self.port))
        self.send(dialog.invite(), to)
        time.sleep(seconds)
        self.send(dialog.cancel(), to)
        time.sleep(T1_SECONDS)
        call_id = dialog.call_id.encode()
        heard = [each for each in self._strays if header_of(each, b"Call-ID") == call_id]
        answers = [each for each in heard if method_of(each) == "INVITE"]
        for each in answers:
            if code_of(each) >= 200:
                self.send(dialog.ack(each, code_of(each)), to)
        return [code_of(each) for each in answers]

    def send(self, datagram: bytes, to: tuple[str, int]) -> None:
        """Put it on the wire, from the port that this carrier is known by."""
        self._socket.sendto(datagram, to)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                datagram, source = self._socket.recvfrom(65535)
            except (TimeoutError, ConnectionError):
                continue
            self._take(datagram, source)

    def _take(self, datagram: bytes, source: tuple[str, int]) -> None:
        method = datagram.split(b" ", 1)[0].decode(errors="replace")
        call_id = header_of(datagram, b"Call-ID")
        call = next((each for each in self.calls if each.call_id == call_id), None)
        if call is not None:
            call.take(method, datagram)
        elif method == "INVITE":
            call = FarCall(self, datagram, source)
            self.calls.append(call)
            part = self._parts.get(call.number, lambda far: far.refuse(404))
            threading.Thread(target=call.play, args=(part,), daemon=True).start()
        elif method == "SIP/2.0":
            self._strays.append(datagram)
        elif method == "OPTIONS":
            self.options_heard += 1
            if self.answers_options:
                self.send(reply(datagram, 200, tag="o"), source)


class FarCall:
    """One call at a phone of this carrier. Its parts are what the author of a phone may say."""

    def __init__(self, carrier: Handmade, invite: bytes, source: tuple[str, int]) -> None:
        self.carrier = carrier
        self.source = source
        self.call_id = header_of(invite, b"Call-ID")
        self.invites = [invite]
        self.number = invite.split(b" ", 2)[1].decode().removeprefix("sip:").partition("@")[0]
        self.invited_at = datetime.now(UTC)
        self.answered_at: datetime | None = None
        self.ended_at: datetime | None = None
        self.requests: list[str] = []
        self.replies: list[tuple[int, str]] = []
        """Status and method of what the other side answered to our requests."""
        self.sound = Sound(carrier.host)
        self._tag = secrets.token_hex(6)
        self._last = b""
        self._number = 0
        self._ended = threading.Event()
        self._acknowledged = threading.Event()

    # --- what a phone may do ------------------------------------------------------------------------

    def says(self, code: int, *, sound: bool = False, headers: tuple[bytes, ...] = (), tag: str = "") -> None:
        """Answer the INVITE; `sound` adds our SDP, which in a 183 is early media; `tag`: of a fork."""
        body = self._sdp() if sound else b""
        self._last = reply(
            self.invites[-1], code, tag=tag or self._tag, headers=(self.contact, *headers), body=body
        )
        self.carrier.send(self._last, self.source)
        if sound:
            self.sound.start(self._their_sound(), self._event_type())

    def answers(
        self,
        *,
        silent: bool = False,
        events: bool = True,
        awaited: bool = True,
        headers: tuple[bytes, ...] = (),
    ) -> None:
        """200; `silent` sends no sound ever, without `events` keys were not agreed on.

        It is sent again until the ACK comes, unless that is not `awaited`.
        """
        body = self._sdp(events=events)
        self._last = reply(self.invites[-1], 200, tag=self._tag, headers=(self.contact, *headers), body=body)
        self.answered_at = datetime.now(UTC)
        self.carrier.send(self._last, self.source)
        if not silent:
            self.sound.start(self._their_sound(), self._event_type())
        due, pause = time.monotonic() + T1_SECONDS, T1_SECONDS
        while awaited and not self._acknowledged.wait(POLL_SECONDS) and not self._ended.is_set():
            if time.monotonic() >= due:
                pause = min(pause * 2, T2_SECONDS)
                due = time.monotonic() + pause
                self.carrier.send(self._last, self.source)

    def refuse(self, code: int, *headers: bytes) -> None:
        """Refuse the call."""
        self.says(code, headers=headers)
        self._end()

    def sends_back(self, code: int, *headers: bytes) -> None:
        """Refuse in such a way that the other side asks once more; returns when it has."""
        asked = len(self.invites)
        self.says(code, headers=headers)
        deadline = time.monotonic() + ASKED_AGAIN_SECONDS_MAX
        while len(self.invites) == asked:
            if time.monotonic() > deadline:
                self._end()
            self.waits(POLL_SECONDS)
        self._acknowledged.clear()

    def waits(self, seconds: float) -> None:
        """Stay on the line; HungUp if the other side leaves."""
        if self._ended.wait(seconds):
            raise HungUp

    def until_hung_up(self) -> None:
        self.waits(7200)

    def keys(self, digits: str, how: str = "rfc4733", *, milliseconds: int = 100, gap: int = 100) -> None:
        """Press keys: rfc4733, inband, both (at once), info (application/dtmf-relay) or info-short (dtmf)."""
        for key in digits:
            if how.startswith("info"):
                kind, body = info_body(key, how, milliseconds)
                self.asks("INFO", body=body, headers=(b"Content-Type: application/" + kind,))
                self.waits((milliseconds + gap) / 1000)
                continue
            event, audible = how in {"rfc4733", "both"}, how in {"inband", "both"}
            self.sound.press(key, milliseconds=milliseconds, gap=gap, event=event, audible=audible)
        while self.sound.is_pressing:
            self.waits(POLL_SECONDS)

    def asks(self, method: str, *, body: bytes = b"", headers: tuple[bytes, ...] = ()) -> None:
        """Send a request within the call."""
        self._number += 1
        self.carrier.send(self._request(method, self._number, headers, body), self.source)

    def changes_media(self, direction: str, headers: tuple[bytes, ...] = ()) -> None:
        """A re-INVITE: `sendonly` puts the other side on hold, `sendrecv` takes it off."""
        self.asks("INVITE", body=self._sdp(direction=direction), headers=(SDP, self.contact, *headers))

    def hangs_up(self) -> None:
        """BYE, and the call is over for this side."""
        self.asks("BYE")
        self._end()

    # --- how ----------------------------------------------------------------------------------------

    def play(self, part: Part) -> None:
        """Do the part, then hang up what is still up."""
        try:
            if self._is_welcome():
                self.says(100)
                part(self)
                if self.answered_at is not None and not self._ended.is_set():
                    self.hangs_up()
        except HungUp:
            pass
        finally:
            self._ended.wait(POLL_SECONDS)
            self.sound.stop()

    def take(self, method: str, datagram: bytes) -> None:
        """Take a datagram of this call."""
        if method == "SIP/2.0":
            self._take_reply(datagram)
            return
        if method == "INVITE":
            if header_of(datagram, b"CSeq") == header_of(self.invites[-1], b"CSeq"):
                if self._last:
                    self.carrier.send(self._last, self.source)
            else:
                self.invites.append(datagram)
            return
        self.requests.append(method)
        if method == "ACK":
            self._acknowledged.set()
            return
        self.carrier.send(reply(datagram, 200, tag=self._tag), self.source)
        if method == "CANCEL":
            self.says(487)
        if method in {"CANCEL", "BYE"}:
            self._end()

    def _take_reply(self, datagram: bytes) -> None:
        self.replies.append((code_of(datagram), method_of(datagram)))
        if method_of(datagram) == "INVITE" and code_of(datagram) >= 200:
            number = int(header_of(datagram, b"CSeq").split()[0])
            self.carrier.send(self._request("ACK", number, (), b""), self.source)

    def _is_welcome(self) -> bool:
        """Ask for the login, if there is one; whether it was shown."""
        login = self.carrier.login
        if login is None:
            return True
        nonce = secrets.token_hex(8)
        self.sends_back(login.code, login.challenge(nonce))
        if login.is_shown_in(self.invites[-1], nonce):
            return True
        self.refuse(403)
        return False

    def _end(self) -> None:
        self.ended_at = self.ended_at or datetime.now(UTC)
        self._ended.set()

    @property
    def contact(self) -> bytes:
        return f"Contact: <sip:far@{self.carrier.host}:{self.carrier.port}>".encode()

    def _request(self, method: str, number: int, headers: tuple[bytes, ...], body: bytes) -> bytes:
        invite = self.invites[-1]
        target = header_of(invite, b"Contact").split(b"<", 1)[1].split(b">", 1)[0]
        here = f"{self.carrier.host}:{self.carrier.port}"
        lines = [
            method.encode() + b" " + target + b" SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK{secrets.token_hex(8)};rport".encode(),
            b"Max-Forwards: 70",
            b"From: " + header_of(invite, b"To") + b";tag=" + self._tag.encode(),
            b"To: " + header_of(invite, b"From"),
            b"Call-ID: " + self.call_id,
            f"CSeq: {number} {method}".encode(),
            *headers,
            f"Content-Length: {len(body)}".encode(),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _their_sound(self) -> tuple[str, int]:
        text = self.invites[-1].decode(errors="replace")
        host = re.search(r"^c=IN IP4 (\S+)", text, re.MULTILINE)
        port = re.search(r"^m=audio (\d+)", text, re.MULTILINE)
        assert host is not None
        assert port is not None
        return host[1], int(port[1])

    def _event_type(self) -> int:
        found = re.search(rb"a=rtpmap:(\d+) telephone-event", self.invites[-1])
        return int(found[1]) if found else NO_KEYS

    def _sdp(self, *, events: bool = True, direction: str = "sendrecv") -> bytes:
        host, kind = self.carrier.host, self._event_type()
        lines = [
            f"v=0\r\no=- 1 {len(self.requests) + self._number + 1} IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}",
            f"t=0 0\r\nm=audio {self.sound.port} RTP/AVP 8{f' {kind}' if events else ''}",
            "a=rtpmap:8 PCMA/8000",
            *([f"a=rtpmap:{kind} telephone-event/8000\r\na=fmtp:{kind} 0-16"] if events else []),
            f"a=ptime:20\r\na={direction}\r\n",
        ]
        return "\r\n".join(lines).encode()

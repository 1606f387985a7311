"""The caller's line made by hand, against a network that a test plays on a bare socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from world.sip import Heard, Invitation, RingingLine, TooLong, escaped, quoted, throw
from world.sipwriting import code_of

HOST = "127.0.0.1"


class Network:
    """A socket that answers as a test says."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line
        self.address: tuple[str, int] = line.getsockname()
        self._caller = (HOST, 0)

    def hears(self) -> bytes:
        datagram, self._caller = self._line.recvfrom(65535)
        return datagram

    def says(self, code: str, request: bytes, *, body: bytes = b"") -> None:
        kept = [
            line
            for line in request.split(b"\r\n\r\n")[0].split(b"\r\n")
            if line.startswith((b"Via:", b"From:", b"To:", b"Call-ID:", b"CSeq:"))
        ]
        kept = [line + b";tag=t" if line.startswith(b"To:") and b"tag" not in line else line for line in kept]
        answer = b"SIP/2.0 " + code.encode() + b"\r\n" + b"\r\n".join(kept)
        contact = b"\r\nContact: <sip:there@%b:%d>" % (HOST.encode(), self.address[1])
        self.sends(answer + contact + b"\r\n\r\n" + body)

    def sends(self, datagram: bytes) -> None:
        self._line.sendto(datagram, self._caller)


@contextmanager
def network() -> Iterator[Network]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind((HOST, 0))
        line.settimeout(5)
        yield Network(line)


def ring(net: Network, *, seconds: float = 30, **fields: object) -> RingingLine:
    invitation = Invitation(**{"number": "+12025550111", "caller": "+442079460101", **fields})  # type: ignore[arg-type]
    return RingingLine(invitation, to=net.address, from_host=HOST, seconds=seconds)


def test_a_line_that_gives_up_sends_cancel_and_reports_all_it_heard() -> None:
    with network() as net:
        line = ring(net)
        invite = net.hears()
        net.says("100 Trying", invite)
        net.says("180 Ringing", invite)
        line.hang_up()
        cancel = net.hears()
        assert cancel.startswith(b"CANCEL sip:+12025550111@")
        net.says("200 OK", cancel)
        net.says("487 Request Terminated", invite)
        assert net.hears().startswith(b"ACK ")
        heard = line.heard()
    assert heard.codes == (100, 180, 487)
    assert heard.rang
    assert not heard.answered
    assert not heard.early_media
    assert heard.hung_up_at is not None


def test_a_response_that_is_read_late_has_the_time_at_which_it_came(monkeypatch: pytest.MonkeyPatch) -> None:
    gone_on = threading.Event()

    def busy(datagram: bytes) -> int:
        gone_on.wait(10)
        return code_of(datagram)

    monkeypatch.setattr("world.sip.code_of", busy)
    with network() as net:
        line = ring(net)
        net.says("486 Busy Here", net.hears())
        by_then = datetime.now(UTC)
        gone_on.set()
        (response,) = line.heard().responses
    assert response.at <= by_then


def test_a_refusal_ends_the_ring_and_is_acknowledged() -> None:
    with network() as net:
        line = ring(net)
        invite = net.hears()
        net.says("486 Busy Here", invite)
        assert net.hears().startswith(b"ACK ")
        heard = line.heard()
    assert heard.final_code == 486
    assert heard.hung_up_at is None


def test_an_answer_is_seen_acknowledged_and_hung_up() -> None:
    with network() as net:
        line = ring(net)
        invite = net.hears()
        net.says("200 OK", invite, body=b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n")
        ack = net.hears()
        assert ack.startswith(b"ACK sip:there@")
        line.hang_up()
        bye = net.hears()
        assert bye.startswith(b"BYE sip:there@")
        net.says("200 OK", bye)
        heard = line.heard()
    assert heard.answered


def test_the_other_side_may_hang_up_an_answered_call() -> None:
    with network() as net:
        line = ring(net)
        net.says("200 OK", net.hears())
        net.hears()
        net.sends(b"BYE sip:line@x SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nCall-ID: 1\r\nCSeq: 1 BYE\r\n\r\n")
        assert net.hears().startswith(b"SIP/2.0 200 OK\r\nVia:")
        assert line.heard().hung_up_at is None


def test_early_media_is_seen_by_its_sdp() -> None:
    with network() as net:
        line = ring(net)
        invite = net.hears()
        net.says("183 Session Progress", invite, body=b"v=0\r\nm=audio 4000 RTP/AVP 8\r\n")
        net.says("603 Decline", invite)
        assert line.heard().early_media


def test_a_silent_network_is_reported_as_such() -> None:
    with network() as net:
        heard: Heard = ring(net, seconds=0.1).heard()
        net.hears()
    assert heard.codes == ()
    assert heard.final_code is None


def test_a_withheld_caller_asks_for_privacy() -> None:
    with network() as net:
        line = ring(net, caller=None)
        invite = net.hears()
        net.says("404 Not Found", invite)
        line.heard()
    assert b"\r\nPrivacy: id\r\n" in invite
    assert b"anonymous@anonymous.invalid" in invite


def test_hostile_bytes_are_sent_as_they_are() -> None:
    nasty = b'a"\\%0A\r\n X: \x00\xff&${SHELL(id)}'
    with network() as net:
        line = ring(net, caller=nasty, caller_name=nasty, headers=(b"Diversion: " + nasty,))
        invite = net.hears()
        net.says("400 Bad Request", invite)
        line.heard()
    assert invite.count(nasty) == 3


def test_an_invite_longer_than_a_datagram_is_refused_not_lost() -> None:
    with network() as net, pytest.raises(TooLong, match="a datagram holds 65507"):
        ring(net, caller=b"9" * 70_000)


def test_what_is_no_sip_can_be_thrown_too() -> None:
    with network() as net:
        assert throw(b"\0" * 100, to=net.address, from_host=HOST, seconds=0.05) == []
        assert net.hears() == b"\0" * 100


def test_any_byte_can_be_escaped_past_a_parser() -> None:
    assert escaped(b'+44"\r\n\0\xff${X}&') == b"+44%22%0D%0A%00%FF%24%7BX%7D%26"
    assert quoted(b'a"b\\c') == b'a\\"b\\\\c'

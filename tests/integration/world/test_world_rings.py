"""Callers ring a real switch: what they hear is reported, and hostile bytes reach it as they are."""

from __future__ import annotations

import pytest

from world.network import World
from world.scripts import NoAnswer
from world.sip import Invitation, RingingLine, escaped, quoted, throw

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(120)]

N1 = "+442079460101"

HOSTILE = {
    "escaped line end": b"%0AX-Injected:1",
    "quotes": b'"+1"',
    "line end": b"+1\r\nX-Injected: 1",
    "variable": b"${SHELL(id)}",
    "ampersand": b"1&SIP/2",
    "64 KB": b"9" * 60_000,
    "not ASCII": "+\u0664\u0664\u00fc".encode(),
    "NUL": b"+44\x002079",
    "latin-1": b"\xff\xfe",
    "empty": b"",
}


def test_a_ring_that_is_not_answered_hears_180_and_ends_with_487(world: World) -> None:
    heard = world.rings(did="8000", caller=N1, seconds=1, through="alpha")
    assert heard.codes == (100, 180, 487)
    assert (heard.rang, heard.answered, heard.early_media) == (True, False, False)
    assert heard.hung_up_at is not None
    assert (heard.hung_up_at - heard.invited_at).total_seconds() == pytest.approx(1, abs=0.1)


def test_early_media_and_an_answer_are_told_apart(world: World) -> None:
    early = world.rings(did="8001", caller=N1, seconds=0.5)
    answered = world.rings(did="8002", caller=N1, seconds=0.5)
    assert (early.early_media, early.answered) == (True, False)
    assert (answered.early_media, answered.answered) == (False, True)


def test_a_line_may_hang_up_early(world: World) -> None:
    line = world.starts_ringing(did="8000", caller=None, seconds=60)
    line.hang_up()
    assert line.heard().final_code in {487, None}


def test_many_lines_ring_at_once(world: World) -> None:
    lines = [
        world.starts_ringing(did="8000", caller=f"+4420794601{index:02d}", seconds=1, through="beta")
        for index in range(25)
    ]
    assert [line.heard().final_code for line in lines] == [487] * 25


@pytest.mark.parametrize("caller", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_caller_numbers_are_sent_and_the_switch_lives_on(world: World, caller: bytes) -> None:
    world.rings(did="8000", caller=caller, name=caller[:3000], seconds=0.5)
    assert world.rings(did="8000", caller=N1, seconds=0.2).final_code == 487


def test_what_is_no_sip_at_all_can_be_thrown(world: World) -> None:
    for datagram in (b"\0" * 2000, b"INVITE", b"\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n"):
        throw(datagram, to=world.switch_sip, from_host=world.carrier("alpha").address[0], seconds=0.1)
    assert world.rings(did="8000", caller=N1, seconds=0.2).final_code == 487


@pytest.mark.parametrize(
    "caller",
    [b'"DROP', b"\r\nX-Injected: 1", b"${SHELL(id)}", b"1&SIP/2,3", "\u0664\u00fc".encode(), b"a|b(c)"],
    ids=["quote", "line end", "variable", "separators", "not ASCII", "others"],
)
def test_escaped_bytes_reach_the_far_end_and_come_out_of_the_log_as_they_were(
    world: World, caller: bytes
) -> None:
    world.phone(N1, NoAnswer())
    name = quoted(caller.replace(b"\r\n", b" "))
    line = RingingLine(
        Invitation(number=N1, caller=escaped(caller), caller_name=name),
        to=world.carrier("alpha").address,
        from_host="127.0.0.1",
        seconds=0.3,
    )
    assert line.heard().rang
    (call,) = world.calls(N1)
    assert call.caller_id_seen == caller.decode()
    assert call.caller_name_seen == name.decode()  # Asterisk keeps the backslash before a quote

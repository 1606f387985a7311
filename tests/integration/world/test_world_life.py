"""A world starts quickly, and leaves nothing running."""

from __future__ import annotations

import hashlib
import os
import re
import socket
from pathlib import Path

import pytest

from pbx.installation import Installation
from world.configuration import Carrier, Softphone
from world.network import World
from world.ports import free_port
from world.scripts import Answers, HangsUp, NoAnswer, Records, RingsSoftphone, TalksUntilHungUp, Waits
from world.sip import Invitation, RingingLine

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(120)]


def test_two_worlds_live_side_by_side_and_end_without_a_trace(
    installation: Installation, tmp_path: Path
) -> None:
    with (
        World(installation, tmp_path / "one", switch_sip=("127.0.0.1", 9)) as one,
        World(installation, tmp_path / "two", switch_sip=("127.0.0.1", 9)) as two,
    ):
        pids = [one.asterisk.pid, two.asterisk.pid]
        two.phone("+442079460101", Answers(), TalksUntilHungUp())
        invitation = Invitation(number="+442079460101", caller="+12025550111")
        line = RingingLine(invitation, to=two.carrier("alpha").address, from_host="127.0.0.1", seconds=60)
        two.wait_for(lambda: any(call.answered_at for call in two.calls()), 10)
        assert one.calls() == []
    line.hang_up()
    assert line.heard().answered
    for pid in pids:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_reset_ends_calls_and_forgets_phones_failures_and_the_log(
    installation: Installation, tmp_path: Path
) -> None:
    with World(installation, tmp_path, switch_sip=("127.0.0.1", 9)) as world:
        world.phone("+442079460101", Answers(), TalksUntilHungUp())
        world.carrier("alpha").fails(503)
        world.carrier("alpha").works()
        invitation = Invitation(number="+442079460101", caller=None)
        line = RingingLine(invitation, to=world.carrier("alpha").address, from_host="127.0.0.1", seconds=60)
        world.wait_for(lambda: any(call.answered_at for call in world.calls()), 10)
        world.carrier("alpha").fails(503)
        world.reset()
        assert line.heard().hung_up_at is None
        assert world.calls() == []
        again = RingingLine(invitation, to=world.carrier("alpha").address, from_host="127.0.0.1", seconds=1)
        assert again.heard().final_code == 404


def test_a_number_is_found_behind_the_prefix_that_a_carrier_wants(
    installation: Installation, tmp_path: Path
) -> None:
    carriers = [Carrier(name="alpha", prefix="9900")]
    with World(installation, tmp_path, switch_sip=("127.0.0.1", 9), carriers=carriers) as world:
        world.phone("+442079460101", NoAnswer())
        for number in ("9900+442079460101", "9900442079460101", "+442079460101"):
            line = RingingLine(
                Invitation(number=number, caller=None),
                to=world.carrier("alpha").address,
                from_host="127.0.0.1",
                seconds=0.3,
            )
            assert line.heard().rang
        assert world.originations("+442079460101") == 3


def test_a_person_may_register_a_softphone_and_be_rung(installation: Installation, tmp_path: Path) -> None:
    phone = Softphone(number="+442079460101", port=free_port(), password="secret1")
    with (
        World(installation, tmp_path, switch_sip=("127.0.0.1", 9), softphone=phone) as world,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as person,
    ):
        person.bind(("127.0.0.1", 0))
        person.settimeout(5)
        register(person, phone)
        world.phone(phone.number, RingsSoftphone())
        line = RingingLine(
            Invitation(number=phone.number, caller="+12025550111"),
            to=world.carrier("alpha").address,
            from_host="127.0.0.1",
            seconds=1,
        )
        assert person.recv(65535).startswith(b"INVITE sip:softphone@")
        line.heard()
        (call,) = world.calls()
        assert call.number == phone.number[1:]


def register(person: socket.socket, phone: Softphone) -> None:
    """Register as a softphone does: once without a password, once with it (RFC 3261 10, 22)."""
    host, port = person.getsockname()
    address = f"sip:{phone.host}:{phone.port}"
    login = answer = ""
    for number in (1, 2):
        request = (
            f"REGISTER {address} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch=z9hG4bK{number};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{phone.user}@{phone.host}>;tag=p\r\n"
            f"To: <sip:{phone.user}@{phone.host}>\r\nCall-ID: person\r\nCSeq: {number} REGISTER\r\n"
            f"Contact: <sip:{phone.user}@{host}:{port}>\r\nExpires: 60\r\n{login}Content-Length: 0\r\n\r\n"
        )
        person.sendto(request.encode(), (phone.host, phone.port))
        answer = person.recv(65535).decode()
        challenge = dict(re.findall(r'(realm|nonce|opaque)="([^"]*)"', answer))
        if number == 1:
            first = md5(f"{phone.user}:{challenge['realm']}:{phone.password}")
            proof = md5(f"{first}:{challenge['nonce']}:1:c:auth:{md5('REGISTER:' + address)}")
            login = (
                f'Authorization: Digest username="{phone.user}",realm="{challenge["realm"]}",'
                f'nonce="{challenge["nonce"]}",uri="{address}",response="{proof}",algorithm=MD5,'
                f'opaque="{challenge.get("opaque", "")}",qop=auth,nc=1,cnonce="c"\r\n'
            )
    assert answer.startswith("SIP/2.0 200 OK"), answer


def md5(text: str) -> str:
    """The digest that SIP registration uses."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def test_a_world_in_a_deep_folder_still_writes_its_log_and_recordings(
    installation: Installation, tmp_path: Path
) -> None:
    folder = tmp_path / ("d" * 60) / ("e" * 60)
    folder.mkdir(parents=True)
    with World(installation, folder, switch_sip=("127.0.0.1", 9)) as world:
        world.phone("+442079460101", Answers(), Records(), Waits(0.5), HangsUp())
        invitation = Invitation(number="+442079460101", caller=None)
        line = RingingLine(invitation, to=world.carrier("alpha").address, from_host="127.0.0.1", seconds=10)
        recording = world.wait_for_call("+442079460101", seconds=10).recording
        line.heard()
        assert recording is not None
        world.wait_for(recording.exists, 5, "the recording")

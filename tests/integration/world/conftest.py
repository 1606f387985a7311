"""Two Asterisks for the tests of the world: the world, and a plain one that only connects calls."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_switch import PlainSwitch

from pbx.installation import Installation, find_or_fetch
from world.configuration import Carrier
from world.network import World
from world.ports import free_port

CARRIERS = (
    Carrier(name="alpha", country_code="44"),
    Carrier(name="beta"),
    Carrier(name="gamma", dtmf="inband"),
    Carrier(name="nobody", reachable=False),
)

DIALPLAN = """
[from-carrier]
exten => _+X!,1,Dial(PJSIP/${EXTEN}@beta,30)
exten => _7X!,1,Dial(PJSIP/+${EXTEN:1}@gamma,30)
exten => 8000,1,Ringing()
 same => n,Wait(60)
exten => 8001,1,Progress()
 same => n,Wait(60)
exten => 8002,1,Answer()
 same => n,Wait(60)
exten => 8003,1,Answer()
 same => n,Read(DIGITS,,30,,1,3)
 same => n,Hangup()
"""


@pytest.fixture(scope="session")
def installation() -> Installation:
    return find_or_fetch()


@pytest.fixture(scope="package")
def both(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, PlainSwitch]]:
    folder: Path = tmp_path_factory.mktemp("world")
    port = free_port()
    world = World(installation, folder / "world", switch_sip=("127.0.0.1", port), carriers=CARRIERS)
    switch = PlainSwitch(
        installation,
        folder / "switch",
        port=port,
        carriers={line.carrier.name: (line.host, line.port) for line in world.lines},
        dialplan=DIALPLAN,
    )
    try:
        world.start()
        switch.start()
        yield world, switch
    finally:
        switch.stop()
        world.stop()


@pytest.fixture
def world(both: tuple[World, PlainSwitch]) -> Iterator[World]:
    world, switch = both
    yield world
    # Nothing may be left over: a call that a test forgot would be heard by the next one.
    world.reset()
    world.wait_for(
        lambda: "\n0 active channels" in "\n" + switch.asterisk.command("core show channels count"),
        5,
        "the end of every channel of the switch",
    )
    assert world.live_channels() == 0

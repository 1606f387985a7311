"""SIPp's callers, subscribers and destinations work with a real Asterisk between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from plain_switch import PlainSwitch

from pbx.installation import Installation
from world.ports import free_port
from world.sipp import Load, Sipp

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(120)]

CALLERS, DESTINATIONS = "127.0.9.1", "127.0.9.2"
CALLS = 20

DIALPLAN = """
[from-carrier]
exten => 8000,1,Ringing()
 same => n,Wait(60)
[callback]
exten => s,1,Answer()
 same => n,Read(DIGITS,,11,,1,9)
 same => n,Dial(PJSIP/${DIGITS}@destinations,30)
"""


@pytest.fixture
def lines() -> tuple[tuple[str, int], tuple[str, int]]:
    return (CALLERS, free_port(CALLERS)), (DESTINATIONS, free_port(DESTINATIONS))


@pytest.fixture
def switch(
    installation: Installation, tmp_path: Path, lines: tuple[tuple[str, int], tuple[str, int]]
) -> Iterator[PlainSwitch]:
    carriers = {"callers": lines[0], "destinations": lines[1]}
    switch = PlainSwitch(
        installation, tmp_path / "switch", port=free_port(), carriers=carriers, dialplan=DIALPLAN
    )
    switch.start()
    yield switch
    switch.stop()


def test_many_callers_ring_and_hang_up(
    switch: PlainSwitch, installation: Installation, tmp_path: Path
) -> None:
    rings = [(f"+44207946{index:04d}", "8000") for index in range(5)]
    load = Sipp(installation, tmp_path / "sipp").callers(
        rings, to=switch.address, host=CALLERS, ring_ms=300, per_second=40, count=60
    )
    tally = load.wait(30)
    assert (tally.started, tally.succeeded, tally.failed) == (60, 60, 0)
    moments = load.moments()
    assert len(moments) == 60
    assert {moment.number for moment in moments} == {caller[1:] for caller, _ in rings}


def test_subscribers_key_a_number_and_talk_to_the_destination(
    switch: PlainSwitch,
    installation: Installation,
    tmp_path: Path,
    lines: tuple[tuple[str, int], tuple[str, int]],
) -> None:
    sipp = Sipp(installation, tmp_path / "sipp")
    loads: list[Load] = []
    try:
        host, port = lines[0]
        subscribers = sipp.subscribers(host=host, port=port, digits="61255500123#", talk_ms=2500, count=CALLS)
        loads.append(subscribers)
        host, port = lines[1]
        destinations = sipp.destinations(host=host, port=port, count=CALLS)
        loads.append(destinations)
        for index in range(CALLS):
            number = f"+44207946{index:04d}"
            switch.asterisk.command(f"channel originate PJSIP/{number}@callers extension s@callback")
        tallies = [load.wait(40) for load in loads]
    finally:
        for load in loads:
            load.stop()
    assert [(tally.succeeded, tally.failed) for tally in tallies] == [(CALLS, 0), (CALLS, 0)]
    dialled = {moment.number for moment in destinations.moments() if moment.what == "INVITED"}
    assert dialled == {"61255500123"}
    assert sum(moment.what == "HUNG_UP" for moment in destinations.moments()) == CALLS

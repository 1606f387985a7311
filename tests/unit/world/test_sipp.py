"""Keys for SIPp's phones are RFC 4733 events, and its files are read back."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from world import sipp
from world.sipp import Load, Moment, Tally, keys_milliseconds, telephone_events

SCENARIOS = sorted((Path(sipp.__file__).parent / "sipp").glob("*.xml"))


def test_a_key_is_held_three_packets_released_and_followed_by_a_pause() -> None:
    packets = telephone_events("#")
    heads = [packets[at : at + 4].hex(" ") for at in range(0, len(packets), 50)]
    assert heads == [
        "0b 0a 00 f0",
        "0b 0a 01 e0",
        "0b 0a 02 d0",
        "0b 8a 02 d0",
        "63 0a 00 00",
        "63 0a 00 00",
    ]


def test_keys_take_as_long_as_their_packets() -> None:
    assert keys_milliseconds("12#") == len(telephone_events("12#")) // 50 * 30


def test_a_key_that_no_phone_has_is_refused() -> None:
    with pytest.raises(sipp.LoadRefused, match="a phone has no keys"):
        telephone_events("12x")


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_every_scenario_is_well_formed(path: Path) -> None:
    assert ET.parse(path).getroot().tag == "scenario"


def test_counts_and_moments_are_read_from_the_files_that_sipp_writes(tmp_path: Path) -> None:
    load = Load(["true"], tmp_path)
    assert load.tally() == Tally(started=0, succeeded=0, failed=0, live=0, retransmissions=0)
    assert load.moments() == []
    (tmp_path / "statistics.csv").write_text(
        "TotalCallCreated;CurrentCall;SuccessfulCall(C);FailedCall(C);Retransmissions(C)\n1;1;0;0;0\n9;2;6;1;3\n"
    )
    (tmp_path / "moments.log").write_text(
        "HUNG_UP +442079460101 2026-11-23\t10:16:12.983019\t1795428972.983019\nnonsense\n"
    )
    assert load.wait(5) == Tally(started=9, succeeded=6, failed=1, live=2, retransmissions=3)
    at = datetime(2026, 11, 23, 10, 16, 12, 983019, tzinfo=UTC)
    assert load.moments() == [Moment(what="HUNG_UP", number="442079460101", at=at)]


def test_a_load_that_takes_too_long_is_ended_and_said_so(tmp_path: Path) -> None:
    load = Load(["sleep", "60"], tmp_path)
    with pytest.raises(sipp.LoadFailed, match=r"took longer than 0\.1 s"):
        load.wait(0.1)
    assert not load.running


def test_a_load_that_cannot_start_says_why(tmp_path: Path) -> None:
    load = Load(["sh", "-c", "echo cannot bind; exit 254"], tmp_path)
    with pytest.raises(sipp.LoadFailed, match=r"ended with 254: cannot bind"):
        load.wait(5)

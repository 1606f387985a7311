"""What crosses from one side to the other: voices, a fax machine's tone, a whole page."""

from pathlib import Path
from typing import Any

import pytest
from callers import dials, keyed
from town import D1, Town

from calls.callback import State
from rating.plan import ALegPolicy
from world.audio import level_dbfs, measure_file, read_wav, stretches
from world.fax import size_of, write_page
from world.log import PhoneCall
from world.scripts import (
    Answers,
    HangsUp,
    Keys,
    Reads,
    ReceivesFax,
    Records,
    SendsFax,
    Talks,
    TalksUntilHungUp,
    Tone,
    Waits,
)

pytestmark = [pytest.mark.real_asterisk, pytest.mark.timeout(180)]
FREE_A: dict[str, Any] = {"a_leg_policy": ALegPolicy.FREE}
VOICE_A_HZ, VOICE_B_HZ = 440, 620
CALLING_TONE_HZ = 1100
SAME_HZ = 3
SENT_DBFS = -16.0
"""What Asterisk's tone generator sends."""


def recording_of(town: Town, number: str) -> Path:
    (call,) = town.world.calls(number)
    assert call.recording is not None
    return call.recording


def test_F037_each_side_hears_the_other_sides_tone_in_its_pitch_and_strength(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Answers(after=0.5), Records(), Talks(seconds=5, tone_hz=VOICE_B_HZ), HangsUp())
    dials(town, sam, D1, Records(), TalksUntilHungUp(tone_hz=VOICE_A_HZ))
    town.wait_for_state(sam, State.TALKING)
    town.wait_for_state(sam, State.COLLECTING)
    town.world.control.order("Hangup", {"Channel": "/^PJSIP/"})
    town.wait_for_end(sam)
    heard_by_b = measure_file(recording_of(town, D1), from_seconds=1, to_seconds=4)
    assert abs(heard_by_b.frequency_hz - VOICE_A_HZ) < SAME_HZ
    assert heard_by_b.purity > 0.95
    assert abs(heard_by_b.level_dbfs - SENT_DBFS) < 3
    near = recording_of(town, sam.number)
    voice = max(stretches(near), key=lambda stretch: stretch.seconds * (stretch.frequency_hz > 600))
    heard_by_a = measure_file(near, from_seconds=voice.from_seconds + 0.5, to_seconds=voice.to_seconds - 0.5)
    assert abs(heard_by_a.frequency_hz - VOICE_B_HZ) < SAME_HZ
    assert heard_by_a.purity > 0.95
    assert abs(heard_by_a.level_dbfs - SENT_DBFS) < 3


def test_F040_a_fax_machines_calling_tone_after_its_digits_reaches_the_far_end_uncut(town: Town) -> None:
    sam = town.traveller(**FREE_A)
    town.world.phone(D1, Answers(), Records(), Reads(digits_max=1, seconds=8), HangsUp())
    dials(town, sam, D1, Waits(3), Tone(CALLING_TONE_HZ), Waits(3), Tone(0), Waits(6), HangsUp())
    callback = town.wait_for_end(sam)
    assert callback.state is State.COMPLETED
    path = recording_of(town, D1)
    (tone,) = (each for each in stretches(path) if abs(each.frequency_hz - CALLING_TONE_HZ) < 15)
    assert 2.8 <= tone.seconds <= 3.2
    samples, rate = read_wav(path)
    begin, end = (round(at * rate) for at in (tone.from_seconds + 0.1, tone.to_seconds - 0.1))
    slices = [samples[start : start + rate // 50] for start in range(begin, end - rate // 50, rate // 50)]
    assert min(level_dbfs(each) for each in slices) > SENT_DBFS - 3  # not one packet is missing
    (far,) = town.world.calls(D1)
    assert far.digits_heard == ""
    assert len(callback.legs_b) == 1


@pytest.mark.parametrize("t38", [False, True], ids=["as sound", "T.38"])
def test_F040_a_fax_page_goes_through_whole(town: Town, tmp_path: Path, *, t38: bool) -> None:
    sam = town.traveller(**FREE_A)
    page = write_page(tmp_path / "page.tiff")
    town.world.phone(D1, Answers(after=0.5), ReceivesFax(t38=t38))
    town.world.phone(
        sam.number, Answers(after=0.5), Keys(keyed(D1), after=1), SendsFax(page=page, after=2, t38=t38)
    )
    town.ring(sam)
    callback = town.wait_for_end(sam, seconds=120)
    assert callback.state is State.COMPLETED
    (near,), (far,) = town.world.calls(sam.number), town.world.calls(D1)
    check_fax(near, far, mode="T38" if t38 else "audio")
    assert far.fax is not None
    assert far.fax.file is not None
    assert size_of(far.fax.file) == size_of(page)


def check_fax(near: PhoneCall, far: PhoneCall, *, mode: str) -> None:
    """Both machines say that one page went through."""
    assert near.fax is not None
    assert far.fax is not None
    assert (near.fax.status, far.fax.status) == ("SUCCESS", "SUCCESS")
    assert (near.fax.pages, far.fax.pages) == (1, 1)
    assert far.fax.mode == mode

"""A phone's steps become dialplan applications, or are refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from world.scripts import (
    Answers,
    Busy,
    Call,
    Does,
    EarlyMedia,
    HangsUp,
    Keys,
    NoAnswer,
    ReceivesFax,
    Records,
    Rings,
    ScriptRefused,
    SendsFax,
    Step,
    Talks,
    Unavailable,
    compile_script,
)

CALL = Call(recordings=Path("/recordings"))


def lines(*steps: Step) -> list[str]:
    return list(compile_script(steps, CALL))


def test_a_phone_that_answers_later_rings_first_and_writes_down_that_it_rang() -> None:
    assert lines(Answers(after=5)) == ["Ringing()", "CELGenUserEvent(RANG)", "Wait(5)", "Answer(,i)"]


def test_a_phone_that_answers_at_once_does_not_ring() -> None:
    assert lines(Answers()) == ["Answer(,i)"]


def test_rings_then_answers_is_one_ring() -> None:
    assert lines(Rings(2), Answers()) == ["Ringing()", "CELGenUserEvent(RANG)", "Wait(2)", "Answer(,i)"]


def test_keys_are_pressed_with_their_length_and_gap() -> None:
    assert lines(Keys("12#", after=0.5, digit_ms=60, gap_ms=40)) == ["Wait(0.5)", "SendDTMF(12#,40,60)"]


def test_in_band_keys_are_pairs_of_tones() -> None:
    assert lines(Keys("1#", digit_ms=80, gap_ms=20, in_band=True)) == [
        "PlayTones(!697+1209/80,!0/20,!941+1477/80,!0/20)",
        "Wait(0.2)",
        "StopPlayTones()",
    ]


@pytest.mark.parametrize("digits", ["", "12x", "1 2", "1,2", "\u0661"])
def test_a_key_that_no_phone_has_is_refused(digits: str) -> None:
    with pytest.raises(ScriptRefused, match="a phone has no keys"):
        lines(Keys(digits))


def test_talking_is_a_tone_for_so_long() -> None:
    assert lines(Talks(seconds=35, tone_hz=440)) == ["PlayTones(440)", "Wait(35)", "StopPlayTones()"]


def test_a_recording_is_named_after_the_call() -> None:
    assert lines(Records())[1] == "MixMonitor(,r(/recordings/${UNIQUEID}.wav))"


def test_refusals_become_the_causes_that_asterisk_turns_back_into_the_same_sip_codes() -> None:
    assert lines(Busy(), Unavailable(503), Unavailable(404), HangsUp(16)) == [
        "Hangup(17)",
        "Hangup(34)",
        "Hangup(1)",
        "Hangup(16)",
    ]


def test_a_sip_code_that_asterisk_cannot_send_is_refused_with_those_it_can() -> None:
    with pytest.raises(ScriptRefused, match=r"cannot be made to answer 603; it can: 403, 404"):
        lines(Unavailable(603))


def test_no_answer_rings_longer_than_any_caller_waits() -> None:
    assert lines(NoAnswer())[-1] == "Wait(7200)"


def test_early_media_comes_before_any_answer() -> None:
    assert lines(EarlyMedia(seconds=2))[0] == "Progress()"


def test_a_fax_goes_as_sound_unless_t38_is_asked_for() -> None:
    page = Path("/page.tiff")
    assert lines(SendsFax(page=page)) == ["Wait(1)", "SendFAX(/page.tiff,F)"]
    assert lines(SendsFax(page=page, after=0, t38=True)) == ["SendFAX(/page.tiff,z)"]
    assert lines(ReceivesFax()) == [
        "Set(FAX_FILE=/recordings/${UNIQUEID}.tiff)",
        "ReceiveFAX(/recordings/${UNIQUEID}.tiff,F)",
    ]


def test_a_step_cannot_smuggle_a_second_line() -> None:
    with pytest.raises(ScriptRefused, match="one line"):
        lines(Does("NoOp(a)\r\nAction: Originate"))

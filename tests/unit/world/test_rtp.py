"""The sound of a hand-made phone: its coding, its keys."""

import pytest

from world.rtp import END_PACKETS, FRAME_SAMPLES, a_law, event_packets, tone_frames


def linear(code: int) -> int:
    """ITU-T G.711: the 16-bit sample that an A-law byte stands for."""
    code ^= 0x55
    segment, step = (code & 0x70) >> 4, code & 0x0F
    size = (step << 4) + 8 if segment == 0 else ((step << 4) + 0x108) << (segment - 1)
    return size if code & 0x80 else -size


@pytest.mark.parametrize("sample", [0, 7, -8, 100, -100, 1000, -1000, 8000, -8000, 32767, -32768])
def test_a_sample_comes_back_within_its_step(sample: int) -> None:
    assert abs(linear(a_law(sample)) - sample) <= max(8, abs(sample) // 16)


def test_silence_is_the_byte_that_networks_send() -> None:
    assert a_law(0) == 0xD5


def test_an_event_grows_frame_by_frame_and_ends_three_times() -> None:
    first, second = event_packets("5", 2)
    assert first == (bytes([5, 0x0A, 0, FRAME_SAMPLES]),)
    assert second[1:] == (bytes([5, 0x8A, 1, 64]),) * END_PACKETS


def test_a_key_in_the_sound_is_as_long_as_it_is_held() -> None:
    assert [len(frame) for frame in tone_frames("#", 5)] == [FRAME_SAMPLES] * 5

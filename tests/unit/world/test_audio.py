"""Tones are found again in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from world.audio import (
    SILENCE_DBFS,
    hears,
    level_dbfs,
    measure,
    measure_file,
    read_wav,
    stretches,
    tone,
    write_wav,
)


@pytest.mark.parametrize("hz", [300, 440, 1004, 1100, 2100, 3300])
def test_the_frequency_of_a_tone_is_found_to_one_hertz(hz: int) -> None:
    assert measure(tone([hz], 1.0)).frequency_hz == pytest.approx(hz, abs=1)


def test_the_level_of_a_tone_is_found() -> None:
    assert measure(tone([440], 1.0, level_dbfs=-20)).level_dbfs == pytest.approx(-20, abs=0.1)


def test_a_lone_tone_is_pure_and_noise_is_not() -> None:
    noise = np.random.default_rng(1).normal(0, 0.1, 8000)
    assert measure(tone([440], 1.0)).purity > 0.99
    assert measure(noise).purity < 0.2


def test_silence_has_no_frequency() -> None:
    assert measure(np.zeros(8000)).frequency_hz == 0
    assert level_dbfs(np.zeros(8000)) == SILENCE_DBFS
    assert measure(np.zeros(0)).level_dbfs == SILENCE_DBFS


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    samples, rate = read_wav(write_wav(tmp_path / "a.wav", tone([440], 0.5)))
    assert rate == 8000
    assert np.abs(samples - tone([440], 0.5)).max() < 1 / 32768


def test_tones_in_turn_are_told_apart(tmp_path: Path) -> None:
    sound = np.concatenate([tone([440], 1.0), np.zeros(4000), tone([620], 2.0)])
    first, second = stretches(write_wav(tmp_path / "a.wav", sound))
    assert first.frequency_hz == pytest.approx(440, abs=2)
    assert second.frequency_hz == pytest.approx(620, abs=2)
    assert first.seconds == pytest.approx(1.0, abs=0.1)
    assert second.seconds == pytest.approx(2.0, abs=0.1)


def test_a_part_of_a_recording_is_measured(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.concatenate([tone([440], 1.0), tone([620], 1.0)]))
    assert measure_file(path, from_seconds=1.1, to_seconds=1.9).frequency_hz == pytest.approx(620, abs=1)


def test_a_tone_that_is_not_there_is_not_heard(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone([440], 1.0))
    assert hears(path, 440)
    assert not hears(path, 620)
    assert not hears(path, 440, seconds=2)

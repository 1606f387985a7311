"""Prompts from text: made once, renewed when the text changes, an operator's recording never touched."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import pytest

from pbx import voice
from pbx.bringup import prompt_texts
from pbx.errors import ConfigurationRefused
from pbx.layout import Layout


@pytest.fixture
def spoken(monkeypatch: pytest.MonkeyPatch) -> Any:
    said = []

    def speak(text: Any, target: Any, installation: Any) -> None:
        said.append(text)
        target.write_bytes(text.encode())

    monkeypatch.setattr(voice, "_speak", speak)
    return said


def lay_out(texts: Any, tmp_path: Path, language: Any = "en", folder: Any = "pbx") -> Any:
    return voice.speak_missing(
        texts,
        language=language,
        layout=Layout(tmp_path / folder),
        installation=None,  # type: ignore[arg-type] # nothing is run: speaking is replaced
        cache=tmp_path / "cache",
    )


def test_a_text_is_spoken_once_for_all_folders_and_again_when_it_changes(spoken: Any, tmp_path: Path) -> None:
    texts = {"goodbye": "Goodbye.", "busy": "Busy."}
    assert set(lay_out(texts, tmp_path)) == {"goodbye", "busy"}
    assert lay_out(texts, tmp_path) == ()
    assert set(lay_out(texts, tmp_path, folder="other")) == {"goodbye", "busy"}
    assert sorted(spoken) == ["Busy.", "Goodbye."]
    assert lay_out({**texts, "busy": "Engaged."}, tmp_path) == ("busy",)
    assert spoken[-1] == "Engaged."
    assert (tmp_path / "pbx/data/sounds/en/dialback/busy.wav").read_bytes() == b"Engaged."


def test_an_operators_recording_is_left_alone(spoken: Any, tmp_path: Path) -> None:
    folder = voice.prompt_folder(Layout(tmp_path / "pbx"), "en")
    folder.mkdir(parents=True)
    (folder / "goodbye.gsm").write_bytes(b"my own")
    assert lay_out({"goodbye": "Goodbye."}, tmp_path) == ()
    assert spoken == []
    assert voice.missing({"goodbye": "", "other": ""}, language="en", layout=Layout(tmp_path / "pbx")) == (
        "other",
    )


def test_a_language_that_the_voice_does_not_speak_gets_nothing(spoken: Any, tmp_path: Path) -> None:
    assert lay_out({"goodbye": "Auf Wiederhören."}, tmp_path, language="de") == ()
    assert spoken == []


@pytest.mark.parametrize(
    "line", ["Goodbye = 'x'", "good_bye = 'x'", "goodbye = 5", "goodbye = ' '", "goodbye = [", "[goodbye]"]
)
def test_a_wrong_prompt_file_is_refused_by_name(tmp_path: Path, line: Any) -> None:
    path = tmp_path / "en.toml"
    path.write_text(line)
    with pytest.raises(ConfigurationRefused, match=r"en\.toml"):
        voice.read_texts(path)


def test_our_own_prompt_file_is_right() -> None:
    assert "goodbye" in prompt_texts()["en"]


def test_the_line_rate_is_half_and_the_loudness_stays(tmp_path: Path) -> None:
    import numpy as np

    tone = (10_000 * np.sin(2 * np.pi * 1000 * np.arange(16_000) / 16_000)).astype("<i2")
    source = tmp_path / "source.wav"
    with wave.open(str(source), "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(16_000)
        writer.writeframes(tone.tobytes())
    voice._to_line_rate(source, tmp_path / "target.wav")
    with wave.open(str(tmp_path / "target.wav"), "rb") as reader:
        assert (reader.getframerate(), reader.getnframes()) == (8_000, 8_000)
        halved = np.frombuffer(reader.readframes(8_000), dtype="<i2")
    assert np.abs(halved[100:-100]).max() == pytest.approx(10_000, rel=0.02)
    assert np.abs(np.fft.rfft(halved)).argmax() == 1000


def test_a_socket_path_that_is_too_long_is_moved(tmp_path: Path) -> None:
    short, deep = Layout(Path("/srv/dialback")), Layout(tmp_path / ("x" * 120))
    assert short.run == Path("/srv/dialback/run")
    assert len(str(deep.run / "asterisk.ctl")) <= 107
    assert deep.run != Layout(tmp_path / ("y" * 120)).run

import wave
from pathlib import Path

from pbx.sounds import UNKNOWN_SECONDS, Durations


def test_the_length_of_a_sound_is_read_from_its_file_in_its_language(tmp_path: Path) -> None:
    for language, seconds in (("en", 2), ("fr", 3)):
        folder = tmp_path / language / "dialback"
        folder.mkdir(parents=True)
        with wave.open(str(folder / "welcome.wav"), "wb") as recording:
            recording.setparams((1, 2, 8_000, 0, "NONE", ""))
            recording.writeframes(bytes(2 * 8_000 * seconds))
    (tmp_path / "en" / "beep.gsm").write_bytes(bytes(33 * 25))
    sounds = Durations(tmp_path)
    assert sounds.languages == ("en", "fr")
    assert sounds.seconds_of("dialback/welcome", "en") == 2
    assert sounds.seconds_of("dialback/welcome", "fr") == 3
    assert sounds.seconds_of("beep", "en") == 0.5
    assert sounds.seconds_of("beep", "fr") == UNKNOWN_SECONDS

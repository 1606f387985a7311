"""How long recorded sounds last.

Reads: sound files in the folders where Asterisk looks for them.
Gives: seconds by sound name and language.
Knows nothing of: what is said in them.
"""

from __future__ import annotations

import wave
from functools import cached_property, lru_cache
from pathlib import Path

UNKNOWN_SECONDS = 3.0
"""A sound that is not on this machine: about as long as our longer prompts."""
GSM_BYTES_PER_SECOND = 33 * 50
ULAW_BYTES_PER_SECOND = 8_000
RAW_RATES = {".gsm": GSM_BYTES_PER_SECOND, ".ulaw": ULAW_BYTES_PER_SECOND, ".alaw": ULAW_BYTES_PER_SECOND}
WAVES = (".wav", ".wav16", ".WAV")


class Durations:
    """The lengths of the sounds below one folder, `<folder>/<language>/<name>.<format>`."""

    def __init__(self, folder: Path) -> None:
        """Nothing is read before a sound is asked for; each is read once."""
        self._folder = folder
        self._look_up = lru_cache(maxsize=4_096)(self._measure)

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages in which Dialback's own prompts are installed; looked up once."""
        return tuple(sorted(path.parent.name for path in self._folder.glob("*/dialback") if path.is_dir()))

    def seconds_of(self, sound: str, language: str) -> float:
        """The seconds that `sound` lasts; UNKNOWN_SECONDS if there is no such file here."""
        return self._look_up(sound, language)

    def _measure(self, sound: str, language: str) -> float:
        for suffix, rate in RAW_RATES.items():
            path = self._folder / language / f"{sound}{suffix}"
            if path.is_file():
                return path.stat().st_size / rate
        for suffix in WAVES:
            path = self._folder / language / f"{sound}{suffix}"
            if path.is_file():
                with wave.open(str(path), "rb") as recording:
                    return recording.getnframes() / recording.getframerate()
        return UNKNOWN_SECONDS

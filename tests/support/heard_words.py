"""What a phone heard: which of our prompts are in its recording, and when each began.

Reads: a recording of the world (what came to the phone), the folder of the prompts that were played.
Gives: the prompts in order of time, told by their own sound and by nothing that the switch says.
Knows nothing of: what should have been said.

A prompt is cut into pieces and each is laid over the recording at every instant; where both agree, it was
heard. Most of its pieces must be there and follow each other: sentences share words, and a packet that a busy
machine sends late shifts what comes after it a little.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from world.audio import AUDIBLE_DBFS, RATE_HZ, Samples, level_dbfs, read_wav

PIECE_SECONDS = 0.4
AGREES = 0.9
"""Correlation of a piece with itself behind G.711 is above 0.99."""
SHIFTED_SECONDS = 0.2
MOST = 0.75
SILENCE = 1e-6
"""The least power that a stretch is taken to have, so that nothing is divided by nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A prompt that was heard whole, from and to so many seconds after the beginning of the recording."""

    name: str
    from_seconds: float
    to_seconds: float
    pieces: int

    def overlaps(self, other: Said) -> bool:
        """Whether both cannot have been said."""
        return (
            self.from_seconds < other.to_seconds - SHIFTED_SECONDS
            and self.to_seconds > other.from_seconds + SHIFTED_SECONDS
        )


def heard(recording: Path, sounds: Path, names: Iterable[str]) -> list[Said]:
    """Those of the prompts that are in the recording, in order of time, as often as each was said.

    `names` are sound names such as `dialback/digit-4`, `sounds` is the folder of one language.
    """
    samples, rate = read_wav(recording)
    assert rate == RATE_HZ
    line = _Line(samples)
    everything = [said for name in sorted(set(names)) for said in _said(line, name, sounds / f"{name}.wav")]
    found: list[Said] = []
    for said in sorted(everything, key=lambda said: -said.pieces):
        # Of two sentences with the same words, the longer match is the one that was said.
        if not any(said.overlaps(each) for each in found):
            found.append(said)
    return sorted(found, key=lambda said: said.from_seconds)


class _Line:
    """A recording, made ready to have pieces laid over it."""

    def __init__(self, samples: Samples) -> None:
        self.samples = samples
        self.size = 1 << (len(samples) + round(PIECE_SECONDS * RATE_HZ)).bit_length()
        self.spectrum = np.fft.rfft(samples, self.size)
        self.power = np.concatenate(([0.0], np.cumsum(samples**2)))

    def places(self, piece: Samples) -> list[float]:
        """The seconds at which the piece agrees with the recording, the best of each neighbourhood."""
        places = len(self.samples) - len(piece) + 1
        if places < 1:
            return []
        overlap = np.fft.irfft(self.spectrum * np.fft.rfft(piece, self.size).conj(), self.size)[:places]
        power = np.maximum(self.power[len(piece) :] - self.power[:places], SILENCE)
        agreement = overlap / np.sqrt(power * np.sum(piece**2))
        found: list[float] = []
        while agreement[best := int(np.argmax(agreement))] > AGREES:
            found.append(best / RATE_HZ)
            agreement[max(best - len(piece) // 2, 0) : best + len(piece) // 2] = 0.0
        return found


def _said(line: _Line, name: str, prompt: Path) -> list[Said]:
    whole, _ = read_wav(prompt)
    pieces = _pieces(whole)
    needed = MOST * len(pieces)
    begins: list[float] = []
    for number, (offset, piece) in enumerate(pieces):
        begins += [at - offset for at in line.places(piece)]
        missed = number + 1 - len(begins)
        if len(pieces) - missed < needed:
            return []
    return [
        Said(name=name, from_seconds=group[0], to_seconds=group[0] + len(whole) / RATE_HZ, pieces=len(group))
        for group in _groups(sorted(begins))
        if len(group) >= needed
    ]


def _groups(begins: list[float]) -> Iterator[list[float]]:
    """What says the same beginning, but for packets that came late."""
    while begins:
        group = [begin for begin in begins if begin - begins[0] <= SHIFTED_SECONDS]
        yield group
        begins = begins[len(group) :]


def _pieces(whole: Samples) -> list[tuple[float, Samples]]:
    """The audible pieces, each with its offset in seconds; a short prompt is one piece."""
    size = min(round(PIECE_SECONDS * RATE_HZ), len(whole))
    starts = range(0, len(whole) - size + 1, size)
    pieces = [(start / RATE_HZ, whole[start : start + size]) for start in starts]
    return [(offset, piece) for offset, piece in pieces if level_dbfs(piece) > AUDIBLE_DBFS]

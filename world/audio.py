"""Sound in files: make it, and measure what a phone recorded.

Reads: WAV files (PCM, 16 bit, one channel, any rate), as Asterisk's MixMonitor writes them.
Gives: tones in files; the strongest frequency, the level, and when something was heard.
Knows nothing of: calls, phones.
"""

from __future__ import annotations

import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float64]

RATE_HZ = 8000
FULL_SCALE = 32768.0
SILENCE_DBFS = -120.0
WINDOW_SECONDS = 0.1
AUDIBLE_DBFS = -45.0
"""A tone of Asterisk's generator comes at about -16 dBFS, quantisation noise of G.711 below -60."""
SAME_TONE_HZ = 15.0
"""A window of 0.1 s resolves 10 Hz; G.711 shifts nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """The strongest tone of a stretch of sound."""

    frequency_hz: float
    level_dbfs: float
    purity: float
    """Share of the power that lies within 30 Hz of the frequency; near 1 for a lone tone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A while in which one tone was heard."""

    frequency_hz: float
    from_seconds: float
    to_seconds: float

    @property
    def seconds(self) -> float:
        return self.to_seconds - self.from_seconds


def read_wav(path: Path) -> tuple[Samples, int]:
    """Return samples between -1 and 1, and the rate in Hz."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise ValueError(f"{path}: not 16-bit mono")
        data = file.readframes(file.getnframes())
        rate = file.getframerate()
    return np.frombuffer(data, dtype="<i2").astype(np.float64) / FULL_SCALE, rate


def write_wav(path: Path, samples: Samples, rate_hz: int = RATE_HZ) -> Path:
    """Write samples between -1 and 1 as 16-bit PCM."""
    clipped = np.clip(np.rint(samples * FULL_SCALE), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(clipped.tobytes())
    return path


def tone(
    frequencies_hz: Sequence[float], seconds: float, *, level_dbfs: float = -16.0, rate_hz: int = RATE_HZ
) -> Samples:
    """Return one or more tones at once, each of that level (root mean square, full scale sine = -3)."""
    times = np.arange(round(seconds * rate_hz)) / rate_hz
    amplitude = 10 ** (level_dbfs / 20) * np.sqrt(2)
    total = np.zeros(len(times))
    for frequency in frequencies_hz:
        total += amplitude * np.sin(2 * np.pi * frequency * times)
    return total


def level_dbfs(samples: Samples) -> float:
    """Return the root-mean-square level; SILENCE_DBFS for nothing at all."""
    if len(samples) == 0:
        return SILENCE_DBFS
    power = float(np.mean(samples**2))
    return max(10 * float(np.log10(power)), SILENCE_DBFS) if power > 0 else SILENCE_DBFS


def measure(samples: Samples, rate_hz: int = RATE_HZ) -> Measured:
    """Return the strongest tone of `samples`, its frequency to a fraction of a Hz."""
    if len(samples) < rate_hz // 50:
        return Measured(frequency_hz=0.0, level_dbfs=SILENCE_DBFS, purity=0.0)
    size = max(1 << (len(samples) - 1).bit_length(), 1 << 13)  # padded, so that bins lie below 1 Hz
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), size)) ** 2
    hz_per_bin = rate_hz / size
    power[: round(50 / hz_per_bin)] = 0  # mains hum and DC are no tone
    peak = int(np.argmax(power))
    total = float(power.sum())
    if total <= 0:
        return Measured(frequency_hz=0.0, level_dbfs=SILENCE_DBFS, purity=0.0)
    reach = round(30 / hz_per_bin)
    near = float(power[max(peak - reach, 0) : peak + reach + 1].sum())
    return Measured(frequency_hz=peak * hz_per_bin, level_dbfs=level_dbfs(samples), purity=near / total)


def measure_file(path: Path, *, from_seconds: float = 0.0, to_seconds: float | None = None) -> Measured:
    """Return the strongest tone of a recording, or of a part of it."""
    samples, rate = read_wav(path)
    last = len(samples) if to_seconds is None else round(to_seconds * rate)
    return measure(samples[round(from_seconds * rate) : last], rate)


def stretches(path: Path) -> list[Stretch]:
    """Return the tones of a recording in turn; silence and what has no clear pitch are left out."""
    samples, rate = read_wav(path)
    window = round(WINDOW_SECONDS * rate)
    found: list[Stretch] = []
    for start in range(0, len(samples) - window + 1, window):
        heard = measure(samples[start : start + window], rate)
        if heard.level_dbfs < AUDIBLE_DBFS or heard.purity < 0.5:
            continue
        begin, end = start / rate, (start + window) / rate
        last = found[-1] if found else None
        joins = last is not None and begin - last.to_seconds < WINDOW_SECONDS * 1.5
        if last is not None and joins and abs(last.frequency_hz - heard.frequency_hz) < SAME_TONE_HZ:
            found[-1] = Stretch(
                frequency_hz=last.frequency_hz, from_seconds=last.from_seconds, to_seconds=end
            )
        else:
            found.append(Stretch(frequency_hz=heard.frequency_hz, from_seconds=begin, to_seconds=end))
    return found


def hears(path: Path, frequency_hz: float, *, seconds: float = 0.3) -> bool:
    """Return whether a tone of that frequency is in the recording for at least `seconds` in all."""
    total = sum(
        stretch.seconds
        for stretch in stretches(path)
        if abs(stretch.frequency_hz - frequency_hz) < SAME_TONE_HZ
    )
    return total >= seconds - 1e-9

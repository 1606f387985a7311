"""Whether a trunk's latest calls are good enough to send it more.

Reads: how many of the latest calls were tried and answered, and how long they lasted; a trunk's floors.
Gives: a sentence where they are below a floor, "" where they are not or too few to tell.
Knows nothing of: where calls are recorded.

Only calls of the last hour are looked at: a trunk that gets no calls has soon too few of them to be judged,
so it is tried again and shows whether it has mended.
"""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from values.money import half_up

WINDOW = timedelta(hours=1)
ATTEMPTS_MIN = 20
"""Of fewer calls, chance alone makes a good trunk look bad."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """ASR: answered calls in percent of all; ACD: seconds that an answered one lasts. 0 asks nothing."""

    asr_percent: int = 0
    acd_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Latest:
    """The calls of the window."""

    attempts: int
    answered: int
    talk_microseconds: int


def quality_problem(floors: Floors, latest: Latest) -> str:
    """Return what is wrong, as a sentence."""
    if latest.attempts < ATTEMPTS_MIN:
        return ""
    asr = Fraction(100 * latest.answered, latest.attempts)
    if asr < floors.asr_percent:
        share = f"{half_up(asr, 2)} % of its last {latest.attempts} calls were answered"
        return f"{share}, {floors.asr_percent} % are asked"
    if latest.answered:
        acd = Fraction(latest.talk_microseconds, 10**6 * latest.answered)
        if acd < floors.acd_seconds:
            return f"its last calls lasted {half_up(acd, 1)} s, {floors.acd_seconds} s are asked"
    return ""

"""Figures that tell how well a carrier, a destination or a day went: ASR, ACD, NER, PDD, percentiles.

Reads: counts of legs and sums of their times.
Gives: exact figures, rounded once; None where there is nothing to divide by.
Knows nothing of: where the counts come from, money.

Every attempt counts, the failed ones too: a carrier that refuses half of all calls must look so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from values.money import half_up

NER_CAUSES = frozenset({17, 18, 19, 21})
"""Q.850: busy, no answer (twice), rejected: the network did its part, the person took no call."""
_PLACES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What happened in a group of legs.

    `reached` are the answered ones and those that ended with a cause of the far person; `pdd_seen` are the
    legs whose post-dial delay is known, and `pdd_milliseconds` its sum.
    """

    attempts: int = 0
    answered: int = 0
    answered_seconds: int = 0
    reached: int = 0
    pdd_seen: int = 0
    pdd_milliseconds: int = 0

    @property
    def asr_percent(self) -> Decimal | None:
        """Answered of all attempts."""
        return _percent(self.answered, self.attempts)

    @property
    def acd_minutes(self) -> Decimal | None:
        """How long an answered leg lasted."""
        return _ratio(Fraction(self.answered_seconds, 60), self.answered)

    @property
    def ner_percent(self) -> Decimal | None:
        """Attempts that the network carried to the far person."""
        return _percent(self.reached, self.attempts)

    @property
    def pdd_seconds(self) -> Decimal | None:
        """From the order to dial to the first ringing or the refusal, on average."""
        return _ratio(Fraction(self.pdd_milliseconds, 1000), self.pdd_seen)

    def __add__(self, other: "Traffic") -> "Traffic":
        """Return both groups as one."""
        return Traffic(
            attempts=self.attempts + other.attempts,
            answered=self.answered + other.answered,
            answered_seconds=self.answered_seconds + other.answered_seconds,
            reached=self.reached + other.reached,
            pdd_seen=self.pdd_seen + other.pdd_seen,
            pdd_milliseconds=self.pdd_milliseconds + other.pdd_milliseconds,
        )


def total(several: Iterable[Traffic]) -> Traffic:
    """Return all groups as one."""
    return sum(several, Traffic())


def percent(part: int, whole: int) -> Decimal | None:
    """Return `part` of `whole` in percent with 2 decimals; None of nothing."""
    return _percent(part, whole)


def percentile(ascending: Sequence[int], hundredths: int) -> int | None:
    """Return the smallest value that at least so many percent do not exceed (nearest rank); None of none."""
    if not ascending:
        return None
    rank = -(-len(ascending) * hundredths // 100)
    return ascending[max(rank, 1) - 1]


def _percent(part: int, whole: int) -> Decimal | None:
    return _ratio(Fraction(part * 100), whole)


def _ratio(value: Fraction, parts: int) -> Decimal | None:
    return half_up(value / parts, _PLACES) if parts else None

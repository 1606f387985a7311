"""Answers that nobody gave: some carriers answer themselves, and bill the caller's waiting.

Reads: answered legs of one route, and of all others.
Gives: RouteScore: how many answers look made up, by which signs, and whether that is no accident.
Knows nothing of: carriers' names, prices, where legs are kept.

One sign alone is seen on honest routes too: voicemail answers at once, people hang up after three seconds,
some networks send no ringing. An answer is *suspect* with two signs. A route is flagged where its suspect
answers are too many for chance (exact binomial tail against the other routes), or where two signs by
themselves are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import comb

from calls.quality import percent
from values.money import half_up

CALLS_LOOKED_AT = 50
"""The latest answers of a route that are judged: what it does now, not what it did in spring."""
QUICK = timedelta(seconds=1)
SHORT = timedelta(seconds=6)
SIGNS_OF_A_SUSPECT = 2
CHANCE_MAX = Fraction(1, 100)
# What honest routes show at most, where there is no other route to compare with.
SUSPECT_USUAL = Fraction(2, 100)
UNRUNG_USUAL = Fraction(5, 100)
QUICK_USUAL = Fraction(10, 100)
SHORT_USUAL = Fraction(20, 100)
ACD_ANSWERS_MIN = 20
"""A mean of fewer answers says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answered leg; `rang_at` is None where neither 180 nor 183 was heard."""

    rang_at: datetime | None
    answered_at: datetime
    hung_up_at: datetime

    @property
    def is_unrung(self) -> bool:
        """Answered without any ringing."""
        return self.rang_at is None

    @property
    def is_quick(self) -> bool:
        """Answered in less than a second of ringing."""
        return self.rang_at is not None and self.answered_at - self.rang_at < QUICK

    @property
    def is_short(self) -> bool:
        """Over within six seconds."""
        return self.hung_up_at - self.answered_at <= SHORT

    @property
    def is_suspect(self) -> bool:
        """Whether it carries two signs."""
        return self.is_unrung + self.is_quick + self.is_short >= SIGNS_OF_A_SUSPECT


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The signs of a group of answers, counted."""

    answers: int = 0
    suspect: int = 0
    unrung: int = 0
    quick: int = 0
    short: int = 0
    seconds: Fraction = Fraction(0)

    @property
    def acd_seconds(self) -> Fraction:
        """How long an answer lasted on average; 0 of none."""
        return self.seconds / self.answers if self.answers else Fraction(0)

    def __add__(self, other: "Tally") -> "Tally":
        """Return both groups as one."""
        return Tally(
            answers=self.answers + other.answers,
            suspect=self.suspect + other.suspect,
            unrung=self.unrung + other.unrung,
            quick=self.quick + other.quick,
            short=self.short + other.short,
            seconds=self.seconds + other.seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteScore:
    """What a route's answers look like; `signs` name what is not chance."""

    tally: Tally
    signs: tuple[str, ...]
    is_flagged: bool

    @property
    def suspect_percent(self) -> Decimal | None:
        """The score: suspect answers in a hundred."""
        return percent(self.tally.suspect, self.tally.answers)

    @property
    def acd_seconds(self) -> Decimal:
        """How long an answer lasted on average."""
        return half_up(self.tally.acd_seconds, 2)


def tally(answers: Sequence[Answer]) -> Tally:
    """Return the counted signs of these answers."""
    microseconds = sum((each.hung_up_at - each.answered_at) // timedelta(microseconds=1) for each in answers)
    return Tally(
        answers=len(answers),
        suspect=sum(each.is_suspect for each in answers),
        unrung=sum(each.is_unrung for each in answers),
        quick=sum(each.is_quick for each in answers),
        short=sum(each.is_short for each in answers),
        seconds=Fraction(microseconds, 1_000_000),
    )


def score(route: Tally, others: Tally) -> RouteScore:
    """Return what one route's answers look like beside those of all other routes."""
    judged = (
        ("suspect", route.suspect, others.suspect, SUSPECT_USUAL),
        ("no ringing", route.unrung, others.unrung, UNRUNG_USUAL),
        ("answered at once", route.quick, others.quick, QUICK_USUAL),
        ("short", route.short, others.short, SHORT_USUAL),
    )
    signs = [
        name
        for name, seen, elsewhere, usual in judged
        if _chance(seen, route.answers, max(usual, _share(elsewhere, others.answers))) < CHANCE_MAX
    ]
    if min(route.answers, others.answers) >= ACD_ANSWERS_MIN and route.acd_seconds * 2 < others.acd_seconds:
        signs.append("short talks")
    is_flagged = "suspect" in signs or len(signs) >= SIGNS_OF_A_SUSPECT
    return RouteScore(tally=route, signs=tuple(signs), is_flagged=is_flagged)


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(0)


def _chance(seen: int, of: int, usual: Fraction) -> Fraction:
    """How probable so many or more are where each has the probability `usual`; exactly."""
    if seen == 0 or usual >= 1:
        return Fraction(1)
    up, whole = usual.numerator, usual.denominator
    rest = whole - up
    fewer = sum(comb(of, number) * up**number * rest ** (of - number) for number in range(seen))
    return 1 - Fraction(fewer, whole**of)

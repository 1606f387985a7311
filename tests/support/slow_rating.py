"""Rating once more, from its rules in words: slow, plain, in fractions, to be compared with rating/.

Reads: the fields of Rates and Plans.
Gives: which row, how many billed seconds, which amount, or why none.
Knows nothing of: the code of rating/ and values/; only StrEnum values are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from math import floor

from rating.plan import Plan
from rating.rate import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class SlowPrice:
    """`row` is the place of the row in the deck; `why` is "priced", or what stands in the way."""

    why: str
    row: int = -1
    billed: int = 0
    amount: Fraction = Fraction(0)


def slow_price(  # noqa: PLR0917 - what is known of a leg, in the order in which people say it
    rates: Sequence[Rate], plan: Plan, digits: str, at: datetime, role: str, talk: int
) -> SlowPrice:
    """Look at every row of the deck, then count the seconds one step at a time."""
    best, reason = -1, "no_prefix"
    for place, rate in enumerate(rates):
        if digits[: len(rate.prefix)] != rate.prefix:
            continue
        if best < 0:
            reason = "not_valid_then"
        if at < rate.valid_from or (rate.valid_till is not None and at >= rate.valid_till):
            continue
        if best < 0 or _is_better(rate, rates[best]):
            best = place
    if best < 0:
        return SlowPrice(why=reason)
    if rates[best].blocked:
        return SlowPrice(why="blocked", row=best)
    billed, amount = slow_charge(rates[best], plan, role, talk)
    return SlowPrice(why="priced", row=best, billed=billed, amount=amount)


def slow_charge(rate: Rate, plan: Plan, role: str, talk: int) -> tuple[int, Fraction]:
    """The billed seconds and the amount of a leg of so many whole seconds."""
    if talk == 0 or (role == "B" and talk < plan.free_below_seconds):
        return 0, Fraction(0)
    first = plan.first_increment_s if rate.first_increment_s is None else rate.first_increment_s
    step = plan.next_increment_s if rate.next_increment_s is None else rate.next_increment_s
    billed = first
    while billed < talk:
        billed += step
    a_second = Fraction(rate.per_minute) / 60
    later = a_second if rate.next_per_minute is None else Fraction(rate.next_per_minute) / 60
    exact = first * a_second + (billed - first) * later
    exact += Fraction(plan.connect_fee if rate.connect_fee is None else rate.connect_fee)
    return billed, _half_up(exact, 4)


def _is_better(one: Rate, other: Rate) -> bool:
    if len(one.prefix) != len(other.prefix):
        return len(one.prefix) > len(other.prefix)
    return one.valid_from > other.valid_from


def _half_up(exact: Fraction, places: int) -> Fraction:
    return Fraction(floor(exact * 10**places + Fraction(1, 2)), 10**places)

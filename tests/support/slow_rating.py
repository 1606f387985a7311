"""Rating once more, from its rules in words: slow, plain, in fractions, to be compared with rating/.

Reads: the fields of Rates and Plans.
Gives: which row, how many billed seconds, which amount, or why none.
Knows nothing of: the code of rating/ and values/; only StrEnum values are looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from typing import Any
from zoneinfo import ZoneInfo

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
    rates: Sequence[Rate],
    plan: Plan,
    digits: str,
    at: datetime,
    role: str,
    talk: int,
    **pins: Any,
) -> SlowPrice:
    """Look at every row of the deck, then count the seconds one step at a time."""
    best, reason = -1, "no_prefix"
    band = slow_band(plan, at)
    for place, rate in enumerate(rates):
        if digits[: len(rate.prefix)] != rate.prefix:
            continue
        if best < 0:
            reason = "not_valid_then"
        if at < rate.valid_from or (rate.valid_till is not None and at >= rate.valid_till):
            continue
        if rate.band not in {"", band}:
            continue
        if best < 0 or _is_better(rate, rates[best]):
            best = place
    if best < 0:
        return SlowPrice(why=reason)
    if rates[best].blocked:
        return SlowPrice(why="blocked", row=best)
    billed, amount = slow_charge(rates[best], plan, role, talk, **pins)
    return SlowPrice(why="priced", row=best, billed=billed, amount=amount)


def slow_charge(
    rate: Rate, plan: Plan, role: str, talk: int, *, origin: str = "", package: int | None = None
) -> tuple[int, Fraction]:
    """The billed seconds and the amount of a leg of so many whole seconds.

    `origin`: the class of the caller ID shown; `package`: seconds that a package promises to the leg.
    """
    attempt = Fraction(0 if rate.attempt_fee is None else rate.attempt_fee)
    if talk == 0 or (role == "B" and talk < plan.free_below_seconds):
        return 0, _half_up(attempt, plan.amount_places)
    first = plan.first_increment_s if rate.first_increment_s is None else rate.first_increment_s
    step = plan.next_increment_s if rate.next_increment_s is None else rate.next_increment_s
    billed = first
    while billed < talk:
        billed += step
    early = late = Fraction(rate.per_minute)
    if rate.next_per_minute is not None:
        late = Fraction(rate.next_per_minute)
    covered = 0
    if role == "B" and package is not None:
        covered = min(billed, package)
        if plan.overage_per_minute is not None:
            early = late = Fraction(plan.overage_per_minute)
    if covered == billed:
        return billed, _half_up(attempt, plan.amount_places)
    extra = Fraction(0)
    for each in rate.surcharges:
        if each.origin.value == origin:
            extra = Fraction(each.per_minute)
    exact = attempt + Fraction(plan.connect_fee if rate.connect_fee is None else rate.connect_fee)
    exact += max(first - covered, 0) * (early + extra) / 60
    exact += (billed - max(first, covered)) * (late + extra) / 60
    return billed, _bounded(_half_up(exact, plan.amount_places), plan)


def slow_band(plan: Plan, at: datetime) -> str:
    """The name of the time band, by walking from the band's start on each day around the instant."""
    wall = at.astimezone(ZoneInfo(plan.zone)).replace(tzinfo=None)
    for band in plan.bands:
        for days_ago in (0, 1):
            day = wall.date() - timedelta(days=days_ago)
            midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - the clock on the wall
            starts, ends = midnight + timedelta(minutes=band.starts), midnight + timedelta(minutes=band.ends)
            if ends <= starts:
                ends += timedelta(days=1)
            if day.weekday() in band.weekdays and starts <= wall < ends:
                return band.name
    return ""


def _is_better(one: Rate, other: Rate) -> bool:
    if len(one.prefix) != len(other.prefix):
        return len(one.prefix) > len(other.prefix)
    if bool(one.band) != bool(other.band):
        return bool(one.band)
    return one.valid_from > other.valid_from


def _bounded(amount: Fraction, plan: Plan) -> Fraction:
    if plan.call_price_min is not None:
        amount = max(amount, Fraction(plan.call_price_min))
    if plan.call_price_max is not None:
        amount = min(amount, Fraction(plan.call_price_max))
    return amount


def _half_up(exact: Fraction, places: int) -> Fraction:
    return Fraction(floor(exact * 10**places + Fraction(1, 2)), 10**places)

"""What decides the price of a leg besides its seconds, and the one sum that follows from it.

Reads: a Rate, a Plan, the Pins of a leg.
Gives: LegTerms, in whole numbers: billed seconds and an amount for any number of seconds.
Knows nothing of: sessions, sentences, where seconds come from.

A price never falls as seconds grow, whatever the terms: that is what the longest talk (rating/credit.py)
is bisected on. A property test holds it.
"""

from dataclasses import dataclass
from decimal import Decimal

from calls.callback import Leg
from calls.cdr import LegRole
from rating.plan import Plan
from rating.rate import Rate
from values.money import (
    AMOUNT_SCALE,
    UNITS_MAX,
    decimal_units,
    half_up_units,
    rate_from_units,
    rate_units,
)

# A rate in 10^-8 per 60 s, times seconds, becomes 10^-4 of the unit.
RATE_TO_AMOUNT = 60 * 10**4


@dataclass(frozen=True, slots=True, kw_only=True)
class Pins:
    """What besides row and plan was fixed for a leg at its authorisation; quoted, held and billed so.

    `surcharge_per_minute` is for the caller ID that is shown. `in_package`: the plan's package pays for talks
    to this number; `package_seconds` of it are promised to the leg, none where it is used up.
    """

    surcharge_per_minute: Decimal = Decimal(0)
    in_package: bool = False
    package_seconds: int = 0


NO_PINS = Pins()


def pins_of(leg: Leg, plan: Plan) -> Pins:
    """Return what was pinned for a leg of a callback on that plan."""
    return Pins(
        surcharge_per_minute=rate_from_units(leg.surcharge_per_minute),
        in_package=leg.role is LegRole.B and plan.covers(leg.number.digits),
        package_seconds=leg.package_seconds,
    )


def billed_seconds(seconds: int, *, first: int, following: int, free_below: int = 0) -> int:
    """Return the seconds that count: 0, the first increment, or that plus whole following increments."""
    if seconds <= 0 or seconds < free_below:
        return 0
    if seconds <= first:
        return first
    return first + -(-(seconds - first) // following) * following


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTerms:
    """The terms of one leg as integers: rates in 10^-8 for a minute, amounts in 10^-4 of the unit.

    `package`: so many billed seconds cost nothing. `step`: amounts are whole multiples of it, and so are
    `least` and `most`, between which the price of a leg lies. `attempt`: what trying alone costs.
    """

    first: int
    following: int
    free_below: int
    rate: int
    next_rate: int
    fee: int
    surcharge: int = 0
    package: int = 0
    step: int = 1
    least: int = 0
    most: int = UNITS_MAX
    attempt: int = 0

    @property
    def is_plain(self) -> bool:
        """Whether increments, rates and fee are all there is to it."""
        bounds = (self.step, self.least, self.most)
        return bounds == (1, 0, UNITS_MAX) and not (self.surcharge or self.package or self.attempt)

    def billed_seconds(self, seconds: int) -> int:
        """Return how many of the leg's seconds count."""
        return billed_seconds(seconds, first=self.first, following=self.following, free_below=self.free_below)

    def covered_seconds(self, seconds: int) -> int:
        """Return how many of the billed seconds the package pays for: the first ones."""
        return min(self.billed_seconds(seconds), self.package)

    def paid_seconds(self, seconds: int) -> tuple[int, int]:
        """Return the billed seconds that money pays for: those in the first increment, and the rest."""
        billed = self.billed_seconds(seconds)
        covered = min(billed, self.package)
        at_first = max(min(billed, self.first) - covered, 0)
        return at_first, billed - covered - at_first

    def amount_units(self, seconds: int) -> int:
        """Return the price of that many seconds in 10^-4 of the unit: rounded once, half-up."""
        at_first, rest = self.paid_seconds(seconds)
        if not at_first + rest:
            # Nothing counts, or the package pays for all of it: no fee either.
            return self._rounded(60 * self.attempt)
        exact = 60 * (self.fee + self.attempt) + at_first * self.rate + rest * self.next_rate
        exact += (at_first + rest) * self.surcharge
        return min(max(self._rounded(exact), self.least), self.most)

    def _rounded(self, exact: int) -> int:
        return half_up_units(exact, RATE_TO_AMOUNT * self.step) * self.step


def leg_terms(*, rate: Rate, plan: Plan, role: LegRole, pins: Pins = NO_PINS) -> LegTerms:
    """Return the terms of one leg: the row's own where it has them, else the plan's.

    `free_below_seconds` and the package look at B-legs only: an A-leg's seconds are decided by its policy.
    What the package pays for costs the plan's overage beyond it, where the plan names one.
    """
    if rate.currency != plan.currency:
        raise ValueError(f"rate {rate.id} is in {rate.currency}, plan {plan.name} in {plan.currency}")
    is_b = role is LegRole.B
    in_package = is_b and pins.in_package
    per_minute = rate.per_minute
    following = per_minute if rate.next_per_minute is None else rate.next_per_minute
    if in_package and plan.overage_per_minute is not None:
        per_minute = following = plan.overage_per_minute
    return LegTerms(
        first=plan.first_increment_s if rate.first_increment_s is None else rate.first_increment_s,
        following=plan.next_increment_s if rate.next_increment_s is None else rate.next_increment_s,
        free_below=plan.free_below_seconds if is_b else 0,
        rate=rate_units(per_minute),
        next_rate=rate_units(following),
        fee=rate_units(plan.connect_fee if rate.connect_fee is None else rate.connect_fee),
        surcharge=rate_units(pins.surcharge_per_minute),
        package=pins.package_seconds if in_package else 0,
        step=int(10 ** (AMOUNT_SCALE - plan.amount_places)),
        least=0 if plan.call_price_min is None else decimal_units(plan.call_price_min),
        most=UNITS_MAX if plan.call_price_max is None else decimal_units(plan.call_price_max),
        attempt=0 if rate.attempt_fee is None else rate_units(rate.attempt_fee),
    )

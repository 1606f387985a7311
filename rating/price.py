"""Price legs and sessions: seconds and rates become charges that explain themselves.

Reads: a Rate (rating/rate.py), a Plan (rating/plan.py), Cdrs (calls/cdr.py).
Gives: a Charge for each leg, a SessionPrice for a callback.
Knows nothing of: customers, databases, clocks.

The rules, each in one place and nowhere else:
1. `talk_seconds`: microseconds become whole seconds, upwards, once for each leg.
2. `billed_seconds`: the increments, for A and B, price and cost alike.
3. `LegTerms.amount_units`: the only rounding of money, half-up to 4 decimals, once for each charged leg.
4. `a_leg_seconds`: which seconds of the A-leg count under each policy; its minimum applies once.
The same functions with a carrier's deck and `carrier_terms` give our cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from calls.cdr import Cdr, LegRole
from rating.plan import ALegPolicy, Plan
from rating.rate import Rate
from values.money import (
    RATE_SCALE,
    decimal_from_units,
    half_up_units,
    plain_decimal,
    rate_from_units,
    rate_units,
)

_MICROSECOND = timedelta(microseconds=1)
_PER_SECOND = 10**6
# A rate in 10^-8 per 60 s, times seconds, becomes 10^-4 of the unit.
_RATE_TO_AMOUNT = 60 * 10**4


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What one leg costs and why; `amount` has 4 decimals and follows from the other fields.

    `package_seconds`: how many of the billed seconds a package covers, at 0.
    """

    talk_seconds: int
    billed_seconds: int
    per_minute: Decimal
    next_per_minute: Decimal
    connect_fee: Decimal
    first_increment_s: int
    next_increment_s: int
    amount: Decimal
    currency: str
    rate_id: str
    prefix: str
    destination: str
    steps: tuple[str, ...]
    package_seconds: int = 0
    surcharge_per_minute: Decimal = Decimal(0)
    band: str = ""

    @property
    def is_charged(self) -> bool:
        """Whether any second counts; a charged leg may still cost 0 where the rate is 0."""
        return self.billed_seconds > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPrice:
    """All legs of one callback, priced together. `b` is in the order of the legs given.

    `waived` is what the account does not pay because a limit acted late; it is our loss.
    """

    a: Charge | None
    b: tuple[Charge, ...]
    waived: Decimal
    currency: str

    @property
    def charges(self) -> tuple[Charge, ...]:
        """Return A's charge, if A was ever dialled, then those of the B-legs."""
        return (self.a, *self.b) if self.a is not None else self.b

    @property
    def gross(self) -> Decimal:
        """Return the sum of all charges."""
        return sum((charge.amount for charge in self.charges), decimal_from_units(0))

    @property
    def total(self) -> Decimal:
        """Return what the account pays."""
        return self.gross - self.waived


def talk_seconds(started_at: datetime | None, ended_at: datetime) -> int:
    """Return whole seconds from start to end, rounded up once; 0 if it never started."""
    return 0 if started_at is None else whole_seconds((ended_at - started_at) // _MICROSECOND)


def whole_seconds(microseconds: int) -> int:
    """Return microseconds as whole seconds, rounded up."""
    return -(-microseconds // _PER_SECOND)


def billed_seconds(seconds: int, *, first: int, following: int, free_below: int = 0) -> int:
    """Return the seconds that count: 0, the first increment, or that plus whole following increments."""
    if seconds <= 0 or seconds < free_below:
        return 0
    if seconds <= first:
        return first
    return first + -(-(seconds - first) // following) * following


@dataclass(frozen=True, slots=True, kw_only=True)
class LegTerms:
    """What decides the price of a leg besides its seconds, as integers: rates in 10^-8 for a minute."""

    first: int
    following: int
    free_below: int
    rate: int
    next_rate: int
    fee: int

    def billed_seconds(self, seconds: int) -> int:
        """Return how many of the leg's seconds count."""
        return billed_seconds(seconds, first=self.first, following=self.following, free_below=self.free_below)

    def amount_units(self, seconds: int) -> int:
        """Return the price of that many seconds in 10^-4 of the unit: rounded once, half-up."""
        billed = billed_seconds(
            seconds, first=self.first, following=self.following, free_below=self.free_below
        )
        if not billed:
            return 0
        at_first = min(billed, self.first)
        exact = 60 * self.fee + at_first * self.rate + (billed - at_first) * self.next_rate
        return half_up_units(exact, _RATE_TO_AMOUNT)


def leg_terms(*, rate: Rate, plan: Plan, role: LegRole) -> LegTerms:
    """Return the terms of one leg: the row's own where it has them, else the plan's.

    `free_below_seconds` looks at B-legs only: an A-leg's seconds are decided by its policy.
    """
    if rate.currency != plan.currency:
        raise ValueError(f"rate {rate.id} is in {rate.currency}, plan {plan.name} in {plan.currency}")
    return LegTerms(
        first=plan.first_increment_s if rate.first_increment_s is None else rate.first_increment_s,
        following=plan.next_increment_s if rate.next_increment_s is None else rate.next_increment_s,
        free_below=plan.free_below_seconds if role is LegRole.B else 0,
        rate=rate_units(rate.per_minute),
        next_rate=rate_units(rate.per_minute if rate.next_per_minute is None else rate.next_per_minute),
        fee=rate_units(plan.connect_fee if rate.connect_fee is None else rate.connect_fee),
    )


def price_leg(*, rate: Rate, plan: Plan, talk_seconds: int, role: LegRole) -> Charge:
    """Return the charge for a leg of that many chargeable seconds."""
    terms = leg_terms(rate=rate, plan=plan, role=role)
    billed = terms.billed_seconds(talk_seconds)
    fee = plan.connect_fee if rate.connect_fee is None else rate.connect_fee
    return Charge(
        talk_seconds=talk_seconds,
        billed_seconds=billed,
        per_minute=rate.per_minute,
        next_per_minute=rate.per_minute if rate.next_per_minute is None else rate.next_per_minute,
        connect_fee=fee if billed else Decimal(0),
        first_increment_s=terms.first,
        next_increment_s=terms.following,
        amount=decimal_from_units(terms.amount_units(talk_seconds)),
        currency=rate.currency,
        rate_id=rate.id,
        prefix=rate.prefix,
        destination=rate.destination,
        steps=_steps(rate, terms, role, talk_seconds),
    )


def price_session(
    *,
    plan: Plan,
    rate_a: Rate,
    cdr_a: Cdr | None,
    legs_b: Sequence[tuple[Cdr, Rate]],
    payable_max: Decimal | None = None,
) -> SessionPrice:
    """Return the price of all legs of a callback; also of legs that nobody answered, at 0.

    `payable_max` is what the account can pay for this callback at most (its hold and what is available
    besides): what a late limit lets run over it is waived, never charged.
    """
    b = tuple(
        price_leg(
            rate=rate, plan=plan, talk_seconds=talk_seconds(cdr.answered_at, cdr.hung_up_at), role=LegRole.B
        )
        for cdr, rate in legs_b
    )
    a = None
    if cdr_a is not None:
        counted = [cdr for (cdr, _), charge in zip(legs_b, b, strict=True) if charge.is_charged]
        seconds = a_leg_seconds(policy=plan.a_leg_policy, cdr_a=cdr_a, counted_b=counted)
        a = price_leg(rate=rate_a, plan=plan, talk_seconds=seconds, role=LegRole.A)
    gross = SessionPrice(a=a, b=b, waived=decimal_from_units(0), currency=plan.currency)
    if payable_max is None or gross.gross <= payable_max:
        return gross
    return replace(gross, waived=gross.gross - max(payable_max, decimal_from_units(0)))


def a_leg_seconds(*, policy: ALegPolicy, cdr_a: Cdr, counted_b: Sequence[Cdr]) -> int:
    """Return the seconds of the A-leg that the account pays; `counted_b` are the B-legs that are charged."""
    match policy:
        case ALegPolicy.FROM_ANSWER:
            return talk_seconds(cdr_a.answered_at, cdr_a.hung_up_at)
        case ALegPolicy.FROM_ACCEPT:
            return talk_seconds(cdr_a.accepted_at, cdr_a.hung_up_at)
        case ALegPolicy.IF_B_ANSWERED:
            return talk_seconds(cdr_a.answered_at, cdr_a.hung_up_at) if counted_b else 0
        case ALegPolicy.WHILE_BRIDGED:
            return whole_seconds(sum(_bridged_microseconds(cdr_a, counted_b)))
        case ALegPolicy.FREE:
            return 0


def _bridged_microseconds(cdr_a: Cdr, counted_b: Iterable[Cdr]) -> Iterable[int]:
    # B may outlive A by the moments that its release takes; nobody is connected then.
    for cdr in counted_b:
        if cdr.answered_at is not None:
            yield max(min(cdr.hung_up_at, cdr_a.hung_up_at) - cdr.answered_at, timedelta(0)) // _MICROSECOND


def _steps(rate: Rate, terms: LegTerms, role: LegRole, seconds: int) -> tuple[str, ...]:
    """Return how the amount came about, one sentence a step."""
    steps = [f"{role} leg: prefix {rate.prefix} ({rate.destination}), row {rate.id}"]
    billed = terms.billed_seconds(seconds)
    if not billed:
        why = (
            f"{seconds} s is below {terms.free_below} s, which is free"
            if seconds
            else "nothing is chargeable"
        )
        return (*steps, f"{why}: {rate.currency} 0.0000")
    steps.append(f"{seconds} s by {terms.first}/{terms.following}: billed {billed} s")
    at_first = min(billed, terms.first)
    rest = billed - at_first
    if rest and terms.rate != terms.next_rate:
        steps.append(f"{at_first} s at {_price(terms.rate)} a minute")
        steps.append(f"{rest} s at {_price(terms.next_rate)} a minute")
    else:
        steps.append(f"{billed} s at {_price(terms.rate)} a minute")
    if terms.fee:
        steps.append(f"connect fee {_price(terms.fee)}")
    amount = decimal_from_units(terms.amount_units(seconds))
    return (*steps, f"rounded half-up to 4 decimals: {rate.currency} {plain_decimal(amount)}")


def _price(units: int) -> str:
    """Return a rate with its own decimals, at least 4."""
    text = plain_decimal(rate_from_units(units), RATE_SCALE)
    return text[:-4] + text[-4:].rstrip("0")

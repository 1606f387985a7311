"""Price legs and sessions: seconds and rates become charges that explain themselves.

Reads: a Rate (rating/rate.py), a Plan (rating/plan.py), Cdrs (calls/cdr.py).
Gives: a Charge for each leg, a SessionPrice for a callback.
Knows nothing of: customers, databases, clocks.

The rules, each in one place and nowhere else:
1. `talk_seconds`: microseconds become whole seconds, upwards, once for each leg.
2. `billed_seconds` (rating/terms.py): the increments, for A and B, price and cost alike.
3. `LegTerms.amount_units` (rating/terms.py): the only rounding of money, half-up, once for each charged leg.
4. `a_leg_seconds`: which seconds of the A-leg count under each policy; its minimum applies once.
The same functions with a carrier's deck and `carrier_terms` give our cost.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType

from calls.cdr import Cdr, LegRole
from rating.plan import ALegPolicy, Plan
from rating.rate import Rate
from rating.steps import steps_of
from rating.terms import NO_PINS, LegTerms, Pins, billed_seconds, leg_terms
from values.money import decimal_from_units, rate_from_units

__all__ = [
    "NO_PINS",
    "Charge",
    "LegTerms",
    "Pins",
    "SessionPrice",
    "a_leg_seconds",
    "billed_seconds",
    "leg_terms",
    "price_leg",
    "price_session",
    "talk_seconds",
    "whole_seconds",
]

_MICROSECOND = timedelta(microseconds=1)
_PER_SECOND = 10**6
NOTHING_PINNED: Mapping[str, Pins] = MappingProxyType({})


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


def price_leg(*, rate: Rate, plan: Plan, talk_seconds: int, role: LegRole, pins: Pins = NO_PINS) -> Charge:
    """Return the charge for a leg of that many chargeable seconds."""
    terms = leg_terms(rate=rate, plan=plan, role=role, pins=pins)
    has_price = sum(terms.paid_seconds(talk_seconds)) > 0
    return Charge(
        talk_seconds=talk_seconds,
        billed_seconds=terms.billed_seconds(talk_seconds),
        per_minute=rate_from_units(terms.rate),
        next_per_minute=rate_from_units(terms.next_rate),
        connect_fee=rate_from_units(terms.fee) if has_price else Decimal(0),
        first_increment_s=terms.first,
        next_increment_s=terms.following,
        amount=decimal_from_units(terms.amount_units(talk_seconds)),
        currency=rate.currency,
        rate_id=rate.id,
        prefix=rate.prefix,
        destination=rate.destination,
        steps=steps_of(rate, terms, role, talk_seconds),
        package_seconds=terms.covered_seconds(talk_seconds),
        surcharge_per_minute=pins.surcharge_per_minute,
        band=rate.band,
    )


def price_session(
    *,
    plan: Plan,
    rate_a: Rate,
    cdr_a: Cdr | None,
    legs_b: Sequence[tuple[Cdr, Rate]],
    payable_max: Decimal | None = None,
    pins: Mapping[str, Pins] = NOTHING_PINNED,
) -> SessionPrice:
    """Return the price of all legs of a callback; also of legs that nobody answered, at 0.

    `pins` are by leg id; a leg that is not in there has none.
    `payable_max` is what the account can pay for this callback at most (its hold and what is available
    besides): what a late limit lets run over it is waived, never charged.
    """
    b = tuple(
        price_leg(
            rate=rate,
            plan=plan,
            talk_seconds=talk_seconds(cdr.answered_at, cdr.hung_up_at),
            role=LegRole.B,
            pins=pins.get(cdr.leg_id, NO_PINS),
        )
        for cdr, rate in legs_b
    )
    a = None
    if cdr_a is not None:
        counted = [cdr for (cdr, _), charge in zip(legs_b, b, strict=True) if charge.is_charged]
        seconds = a_leg_seconds(policy=plan.a_leg_policy, cdr_a=cdr_a, counted_b=counted)
        a = price_leg(
            rate=rate_a,
            plan=plan,
            talk_seconds=seconds,
            role=LegRole.A,
            pins=pins.get(cdr_a.leg_id, NO_PINS),
        )
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

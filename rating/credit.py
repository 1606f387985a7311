"""The longest talk that a credit pays for, and what is held for it.

Reads: an available amount, a Plan, the Rates of both legs, when A answered and accepted.
Gives: LongestTalk (whole seconds and their cost) or Shortfall, before anything is dialled.
Knows nothing of: holds, accounts, Asterisk.

Both legs run while B talks, each with its own minimum, increments and rounding, so there is no closed
formula: charges only grow with the seconds, so the answer is bisected over the very function that bills.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from calls.cdr import LegRole
from rating.plan import ALegPolicy, Plan
from rating.price import talk_seconds, whole_seconds
from rating.rate import Rate
from rating.terms import NO_PINS, LegTerms, Pins, leg_terms
from values.money import decimal_from_units, decimal_units


@dataclass(frozen=True, slots=True, kw_only=True)
class LongestTalk:
    """So many seconds may be talked; `cost` is that of the whole callback then, the amount to hold.

    `package_seconds` of the package are then used by B, to be promised to it.
    """

    seconds: int
    cost: Decimal
    package_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Not even the shortest call is paid for: `amount` is missing from the `needed` one."""

    amount: Decimal
    needed: Decimal


def longest_talk(
    *,
    available: Decimal,
    plan: Plan,
    rate_a: Rate,
    rate_b: Rate,
    a_seconds_at_b_answer: int,
    earlier_cost: Decimal = Decimal(0),
    seconds_max: int | None = None,
    pins_a: Pins = NO_PINS,
    pins_b: Pins = NO_PINS,
) -> LongestTalk | Shortfall:
    """Return the largest whole t with charge_A(a0 + t) + charge_B(t) within `available`, capped.

    `available` is for the whole callback: what is free, plus what is held for it already. `earlier_cost` is
    that of its B-legs that ended; A's charge starts from its first second in any case. The cap is the
    plan's, or `seconds_max` (what is left of the A-leg's absolute time-out) if that is less.
    """
    terms_a = leg_terms(rate=rate_a, plan=plan, role=LegRole.A, pins=pins_a)
    terms_b = leg_terms(rate=rate_b, plan=plan, role=LegRole.B, pins=pins_b)
    earlier = decimal_units(earlier_cost)

    def cost(seconds: int) -> int:
        a_seconds = _a_seconds(plan.a_leg_policy, terms_b, a_seconds_at_b_answer, seconds)
        return earlier + terms_a.amount_units(a_seconds) + terms_b.amount_units(seconds)

    least = plan.connected_seconds_min
    most = plan.talk_seconds_max if seconds_max is None else min(plan.talk_seconds_max, seconds_max)
    payable = decimal_units(available)
    if most < least:
        return Shortfall(amount=decimal_from_units(0), needed=decimal_from_units(cost(least)))
    if cost(least) > payable:
        missing = decimal_from_units(cost(least) - payable)
        return Shortfall(amount=missing, needed=decimal_from_units(cost(least)))
    paid, unpaid = least, most + 1
    while unpaid - paid > 1:
        middle = (paid + unpaid) // 2
        if cost(middle) <= payable:
            paid = middle
        else:
            unpaid = middle
    covered = terms_b.covered_seconds(paid)
    return LongestTalk(seconds=paid, cost=decimal_from_units(cost(paid)), package_seconds=covered)


def a_seconds_at_b_answer(
    *,
    plan: Plan,
    answered_at: datetime,
    accepted_at: datetime | None,
    dial_b_at: datetime,
    ring_seconds: int,
    earlier_bridged_microseconds: int = 0,
) -> int:
    """Return the chargeable A seconds at B's answer, taken as if B rings to its time-out.

    `if_b_answered` counts as `from_answer`: B will have answered. Without a key yet, it comes now at the
    latest.
    """
    at_b_answer = dial_b_at + timedelta(seconds=ring_seconds)
    match plan.a_leg_policy:
        case ALegPolicy.FROM_ANSWER | ALegPolicy.IF_B_ANSWERED:
            return talk_seconds(answered_at, at_b_answer)
        case ALegPolicy.FROM_ACCEPT:
            return talk_seconds(dial_b_at if accepted_at is None else accepted_at, at_b_answer)
        case ALegPolicy.WHILE_BRIDGED:
            return whole_seconds(earlier_bridged_microseconds)
        case ALegPolicy.FREE:
            return 0


def first_hold(*, plan: Plan, rate_a: Rate, pins_a: Pins = NO_PINS) -> Decimal:
    """Return what is held before A is rung: its first increment, nothing where A is free."""
    if plan.a_leg_policy is ALegPolicy.FREE:
        return decimal_from_units(0)
    return decimal_from_units(leg_terms(rate=rate_a, plan=plan, role=LegRole.A, pins=pins_a).amount_units(1))


def _a_seconds(policy: ALegPolicy, terms_b: LegTerms, a0: int, seconds: int) -> int:
    match policy:
        case ALegPolicy.FREE:
            return 0
        case ALegPolicy.WHILE_BRIDGED if seconds < terms_b.free_below:
            return a0
        case _:
            return a0 + seconds

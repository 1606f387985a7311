"""Prices: they never fall, and a slow oracle that shares no code with the product agrees."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from priced import RATE_A, RATE_B, LegRole, a_plan, a_rate, leg_a, leg_b

from rating.plan import ALegPolicy, Plan
from rating.price import price_leg, price_session, whole_seconds
from rating.rate import Rate
from values.money import rate_from_units

SECONDS = st.integers(0, 7300)
INCREMENT = st.integers(1, 120)
PRICES = st.integers(0, 10 * 10**8).map(rate_from_units)
PLANS = st.builds(
    lambda first, following, free, fee, policy: a_plan(
        f"{first}/{following}", free_below_seconds=free, connect_fee=fee, a_leg_policy=policy
    ),
    INCREMENT,
    INCREMENT,
    st.integers(0, 60),
    PRICES,
    st.sampled_from(ALegPolicy),
)
RATES: st.SearchStrategy[Rate] = st.builds(
    lambda price, following, fee: a_rate(str(price), next_per_minute=following, connect_fee=fee),
    PRICES.map(lambda price: f"{price:f}"),
    st.none() | PRICES,
    st.none() | PRICES,
)


@dataclass
class Oracle:
    """The rules once more, written from their text: loops and fractions, no integers of scale."""

    plan: Plan

    def billed(self, seconds: int, role: LegRole) -> int:
        if seconds == 0 or (role is LegRole.B and seconds < self.plan.free_below_seconds):
            return 0
        billed = self.plan.first_increment_s
        while billed < seconds:
            billed += self.plan.next_increment_s
        return billed

    def amount(self, rate: Rate, seconds: int, role: LegRole) -> Decimal:
        billed = self.billed(seconds, role)
        exact = Fraction(0)
        for second in range(billed):
            later = second >= self.plan.first_increment_s and rate.next_per_minute is not None
            exact += Fraction(rate.next_per_minute if later else rate.per_minute) / 60  # type: ignore[arg-type]
        if billed:
            exact += Fraction(self.plan.connect_fee if rate.connect_fee is None else rate.connect_fee)
        return Decimal(math.floor(exact * 10_000 + Fraction(1, 2))) / 10_000


@given(PLANS, RATES, st.integers(0, 900), st.sampled_from(LegRole))
def test_the_slow_oracle_agrees_on_every_leg(plan: Plan, rate: Rate, seconds: int, role: LegRole) -> None:
    charge = price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=role)
    oracle = Oracle(plan)
    assert charge.billed_seconds == oracle.billed(seconds, role)
    assert charge.amount == oracle.amount(rate, seconds, role)


@given(PLANS, RATES, SECONDS, SECONDS, st.sampled_from(LegRole))
def test_a_price_never_falls_as_seconds_grow(
    plan: Plan, rate: Rate, one: int, other: int, role: LegRole
) -> None:
    def amount(seconds: int) -> Decimal:
        return price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=role).amount

    assert amount(min(one, other)) <= amount(max(one, other))


@given(PLANS, RATES, SECONDS)
def test_no_chargeable_second_is_lost(plan: Plan, rate: Rate, seconds: int) -> None:
    charge = price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=LegRole.B)
    assert charge.billed_seconds >= seconds or not charge.is_charged
    assert charge.billed_seconds < seconds + charge.first_increment_s + charge.next_increment_s


@given(st.integers(0, 10**13))
def test_microseconds_are_rounded_up_by_less_than_a_second(microseconds: int) -> None:
    assert 0 <= whole_seconds(microseconds) * 10**6 - microseconds < 10**6


@given(PLANS, st.integers(1, 600), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 300)), max_size=4))
def test_a_session_is_the_sum_of_its_legs_and_A_s_minimum_applies_once(
    plan: Plan, key: int, talks: list[tuple[int, int]]
) -> None:
    clock, legs = key, []
    for index, (gap, talk) in enumerate(talks, start=1):
        legs.append(leg_b(clock + gap, clock + gap + talk, index))
        clock += gap + talk
    session = price_session(
        plan=plan, rate_a=RATE_A, cdr_a=leg_a(clock + 1, accepted=key), legs_b=[(leg, RATE_B) for leg in legs]
    )
    oracle = Oracle(plan)
    parts = [oracle.amount(RATE_B, talk, LegRole.B) for _, talk in talks]
    counted = [talk for _, talk in talks if oracle.billed(talk, LegRole.B)]
    a_seconds: dict[ALegPolicy, Callable[[], int]] = {
        ALegPolicy.FROM_ANSWER: lambda: clock + 1,
        ALegPolicy.FROM_ACCEPT: lambda: clock + 1 - key,
        ALegPolicy.IF_B_ANSWERED: lambda: clock + 1 if counted else 0,
        ALegPolicy.WHILE_BRIDGED: lambda: sum(counted),
        ALegPolicy.FREE: lambda: 0,
    }
    assert session.total == sum(parts) + oracle.amount(RATE_A, a_seconds[plan.a_leg_policy](), LegRole.A)

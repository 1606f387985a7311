"""The longest talk is paid for, and one second more is not."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from priced import a_plan, a_rate, leg_a, leg_b

from rating.credit import LongestTalk, Shortfall, longest_talk
from rating.plan import ALegPolicy, Plan
from rating.price import price_session
from rating.rate import Rate
from values.money import decimal_from_units, rate_from_units

PLANS = st.builds(
    lambda first, following, free, policy: a_plan(
        f"{first}/{following}", free_below_seconds=free, a_leg_policy=policy
    ),
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(0, 45),
    st.sampled_from(ALegPolicy),
)
RATES = st.integers(0, 3 * 10**8).map(lambda units: f"{rate_from_units(units):f}")
CREDIT = st.integers(-10_000, 10**6).map(decimal_from_units)


def billed(plan: Plan, rate_a: Rate, rate_b: Rate, a0: int, seconds: int) -> Decimal:
    """Return what the very biller takes for a callback in which B talked that long."""
    answered = 10 + a0
    accepted = 10 if plan.a_leg_policy is ALegPolicy.FROM_ACCEPT else 11
    cdr_a = leg_a(answered + seconds, answered=10, accepted=accepted)
    legs_b = [(leg_b(answered, answered + seconds), rate_b)]
    return price_session(plan=plan, rate_a=rate_a, cdr_a=cdr_a, legs_b=legs_b).total


@given(PLANS, RATES, RATES, CREDIT, st.integers(0, 120))
def test_R12_price_of_the_longest_talk_is_within_credit_and_of_a_second_more_is_not(
    plan: Plan, per_minute_a: str, per_minute_b: str, credit: Decimal, a0: int
) -> None:
    rate_a, rate_b = a_rate(per_minute_a, "44"), a_rate(per_minute_b, "1")
    if plan.a_leg_policy in {ALegPolicy.WHILE_BRIDGED, ALegPolicy.FREE}:
        a0 = 0
    result = longest_talk(available=credit, plan=plan, rate_a=rate_a, rate_b=rate_b, a_seconds_at_b_answer=a0)
    if isinstance(result, LongestTalk):
        assert billed(plan, rate_a, rate_b, a0, result.seconds) == result.cost <= credit
        assert plan.connected_seconds_min <= result.seconds <= plan.talk_seconds_max
        if result.seconds < plan.talk_seconds_max:
            assert billed(plan, rate_a, rate_b, a0, result.seconds + 1) > credit
    else:
        least = billed(plan, rate_a, rate_b, a0, plan.connected_seconds_min)
        assert result == Shortfall(amount=least - credit, needed=least)
        assert result.amount > 0


@given(PLANS, RATES, RATES, st.integers(0, 120), st.lists(CREDIT, min_size=2, max_size=4))
def test_more_credit_never_shortens_the_talk(
    plan: Plan, per_minute_a: str, per_minute_b: str, a0: int, credits_: list[Decimal]
) -> None:
    rate_a, rate_b = a_rate(per_minute_a, "44"), a_rate(per_minute_b, "1")

    def seconds(available: Decimal) -> int:
        result = longest_talk(
            available=available, plan=plan, rate_a=rate_a, rate_b=rate_b, a_seconds_at_b_answer=a0
        )
        return result.seconds if isinstance(result, LongestTalk) else 0

    lengths = [seconds(credit) for credit in sorted(credits_)]
    assert lengths == sorted(lengths)

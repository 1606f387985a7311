"""Whatever a plan and a row say: prices never fall, explain themselves, and credit pays the longest talk."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from priced import LegRole, a_plan, a_rate, leg_a, leg_b
from recomputed import recomputed, seconds_told

from rating.credit import LongestTalk, longest_talk
from rating.plan import ALegPolicy, Plan
from rating.price import Pins, price_leg, price_session
from rating.rate import Rate
from values.money import decimal_from_units, rate_from_units

INCREMENT = st.integers(1, 90)
PRICES = st.integers(0, 3 * 10**8).map(rate_from_units)
SECONDS = st.integers(0, 7200)
PINS = st.builds(
    Pins,
    surcharge_per_minute=st.just(Decimal(0)) | PRICES,
    in_package=st.booleans(),
    package_seconds=st.integers(0, 4000),
)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    places = draw(st.integers(2, 4))
    bounds = sorted(draw(st.lists(st.integers(0, 300), min_size=2, max_size=2)))
    least, most = (Decimal(bound).scaleb(-2) for bound in bounds)
    terms: dict[str, Any] = {
        "first_increment_s": draw(INCREMENT),
        "next_increment_s": draw(INCREMENT),
        "free_below_seconds": draw(st.integers(0, 45)),
        "a_leg_policy": draw(st.sampled_from(ALegPolicy)),
        "amount_places": places,
        "call_price_min": draw(st.sampled_from([None, least])),
        "call_price_max": draw(st.sampled_from([None, most])),
        "package_seconds": 4000,
        "overage_per_minute": draw(st.none() | PRICES),
        "connect_fee": draw(st.just(Decimal(0)) | PRICES),
    }
    return a_plan(**terms)


RATES: st.SearchStrategy[Rate] = st.builds(
    lambda price, following, fee, first: a_rate(
        f"{price:f}", next_per_minute=following, connect_fee=fee, first_increment_s=first
    ),
    PRICES,
    st.none() | PRICES,
    st.none() | PRICES,
    st.none() | INCREMENT,
)


@given(plans(), RATES, PINS, SECONDS, SECONDS, st.sampled_from(LegRole))
def test_a_price_never_falls_as_seconds_grow_under_any_terms(  # noqa: PLR0917
    plan: Plan, rate: Rate, pins: Pins, one: int, other: int, role: LegRole
) -> None:
    shorter, longer = (
        price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=role, pins=pins)
        for seconds in sorted((one, other))
    )
    assert shorter.amount <= longer.amount
    assert shorter.package_seconds <= longer.package_seconds


@given(plans(), RATES, PINS, SECONDS, st.integers(0, 4000))
def test_R17_more_of_the_package_never_makes_a_call_dearer(
    plan: Plan, rate: Rate, pins: Pins, seconds: int, more: int
) -> None:
    def amount(package: int) -> Decimal:
        held = Pins(surcharge_per_minute=pins.surcharge_per_minute, in_package=True, package_seconds=package)
        return price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=LegRole.B, pins=held).amount

    assert amount(pins.package_seconds + more) <= amount(pins.package_seconds)


@given(plans(), RATES, PINS, SECONDS, st.sampled_from(LegRole))
def test_F143_the_steps_of_any_charge_recompute_its_amount(
    plan: Plan, rate: Rate, pins: Pins, seconds: int, role: LegRole
) -> None:
    charge = price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=role, pins=pins)
    assert recomputed(charge.steps) == charge.amount
    assert seconds_told(charge.steps) == (charge.billed_seconds, charge.package_seconds)
    assert rate.id in charge.steps[0]


@given(plans(), RATES, RATES, PINS, PINS, st.integers(0, 10**6).map(decimal_from_units), st.integers(0, 120))
def test_R12_the_longest_talk_is_exact_under_any_terms(  # noqa: PLR0917
    plan: Plan, rate_a: Rate, rate_b: Rate, pins_a: Pins, pins_b: Pins, credit: Decimal, a0: int
) -> None:
    if plan.a_leg_policy in {ALegPolicy.WHILE_BRIDGED, ALegPolicy.FREE}:
        a0 = 0

    def billed(seconds: int) -> Decimal:
        answered = 10 + a0
        cdr_a = leg_a(
            answered + seconds,
            answered=10,
            accepted=10 if plan.a_leg_policy is ALegPolicy.FROM_ACCEPT else 11,
        )
        cdr_b = leg_b(answered, answered + seconds)
        return price_session(
            plan=plan,
            rate_a=rate_a,
            cdr_a=cdr_a,
            legs_b=[(cdr_b, rate_b)],
            pins={cdr_a.leg_id: pins_a, cdr_b.leg_id: pins_b},
        ).total

    found = longest_talk(
        available=credit,
        plan=plan,
        rate_a=rate_a,
        rate_b=rate_b,
        a_seconds_at_b_answer=a0,
        pins_a=pins_a,
        pins_b=pins_b,
    )
    if isinstance(found, LongestTalk):
        assert billed(found.seconds) == found.cost <= credit
        assert found.package_seconds <= pins_b.package_seconds
        if found.seconds < plan.talk_seconds_max:
            assert billed(found.seconds + 1) > credit
    else:
        assert billed(plan.connected_seconds_min) == found.needed > credit

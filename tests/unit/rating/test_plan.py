"""A plan is sound, or says which field is not."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from priced import a_plan

from rating.bands import Band
from rating.plan import ALegPolicy, PlanRefused

PEAK = Band(name="peak", weekdays=(0,), starts=480, ends=1200)


def test_the_default_is_30_1_from_the_first_key() -> None:
    plan = a_plan()
    assert (plan.first_increment_s, plan.next_increment_s, plan.free_below_seconds) == (30, 1, 0)
    assert plan.a_leg_policy is ALegPolicy.FROM_ACCEPT
    assert (plan.follow_on_key, plan.in_call_key, plan.talk_seconds_max) == ("#", "##", 7200)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("first_increment_s", 0),
        ("first_increment_s", 3601),
        ("next_increment_s", 0),
        ("next_increment_s", True),
        ("next_increment_s", 1.0),
        ("free_below_seconds", -1),
        ("talk_seconds_max", 0),
        ("talk_seconds_max", 7201),
        ("connect_fee", Decimal(-1)),
        ("connect_fee", Decimal("NaN")),
        ("connect_fee", 0.1),
        ("connect_fee", Decimal("0.000000001")),
        ("currency", "usd"),
        ("follow_on_key", "*"),
        ("in_call_key", "####"),
        ("a_leg_policy", "sometimes"),
        ("margin_floor_percent", Decimal(101)),
        ("margin_floor_percent", Decimal("0.001")),
        ("margin_floor_per_minute", Decimal("0.000000001")),
        ("zone", "Europe/Atlantis"),
        ("zone", "../etc/passwd"),
        ("zone", ""),
        ("bands", (PEAK, replace(PEAK, name="busy"))),
        ("call_price_min", Decimal(-1)),
        ("call_price_min", Decimal("0.00001")),
        ("call_price_max", 1.5),
        ("amount_places", 1),
        ("amount_places", 5),
        ("monthly_fee", Decimal("-0.01")),
        ("monthly_fee_waived_from", Decimal("0.00001")),
        ("package_seconds", -1),
        ("package_seconds", 10**9),
        ("package_rolls_over", True),
        ("package_prefixes", ("44",)),
        ("overage_per_minute", Decimal("0.20")),
        ("name", " "),
        ("version", 0),
    ],
)
def test_a_field_that_cannot_be_meant_is_named_with_its_remedy(field: str, value: Any) -> None:
    with pytest.raises(PlanRefused, match=rf"^{field}: ") as refused:
        a_plan(**dict[str, Any]({field: value}))
    assert refused.value.field == field
    assert refused.value.remedy


def test_bounds_of_a_call_s_price_are_as_fine_as_its_amounts_and_in_order() -> None:
    with pytest.raises(PlanRefused, match="call_price_min"):
        a_plan(amount_places=2, call_price_min=Decimal("0.005"))
    with pytest.raises(PlanRefused, match=r"call_price_max: '0\.4' is refused: write at least the minimum"):
        a_plan(call_price_min=Decimal("0.5"), call_price_max=Decimal("0.4"))
    assert a_plan(call_price_min=Decimal("0.5"), call_price_max=Decimal("0.5")).call_price_max


@pytest.mark.parametrize("prefix", ["", "+44", "4 4", "x", "1" * 16, "\N{ARABIC-INDIC DIGIT FOUR}"])
def test_a_package_names_prefixes_as_digits(prefix: str) -> None:
    with pytest.raises(PlanRefused, match="package_prefixes"):
        a_plan(package_seconds=60, package_prefixes=(prefix,))


def test_a_package_covers_all_destinations_or_those_it_names() -> None:
    assert a_plan(package_seconds=60).covers("442079460123")
    named = a_plan(package_seconds=60, package_prefixes=("44", "1212"))
    assert [named.covers(digits) for digits in ("442079460123", "12125550100", "13105550100")] == [
        True,
        True,
        False,
    ]
    assert not a_plan().covers("442079460123")


def test_a_call_may_last_at_least_as_long_as_one_that_is_charged() -> None:
    with pytest.raises(PlanRefused, match="talk_seconds_max"):
        a_plan(free_below_seconds=60, talk_seconds_max=59)


@pytest.mark.parametrize("policy", ALegPolicy)
def test_R07_every_policy_is_printed_in_words(policy: ALegPolicy) -> None:
    assert policy.printed.startswith("The call to you is ")

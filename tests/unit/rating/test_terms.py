"""Bands, surcharges, packages, bounds and rounding of a leg's price."""

from decimal import Decimal
from typing import Any

import pytest
from priced import LegRole, a_plan, a_rate

from rating.origin import OriginClass
from rating.plan import Plan
from rating.price import Charge, Pins, price_leg
from rating.rate import Rate, Surcharge


def charge(seconds: int, *, plan: Plan, rate: Rate, **pins: Any) -> Charge:
    return price_leg(rate=rate, plan=plan, talk_seconds=seconds, role=LegRole.B, pins=Pins(**pins))


def packaged(seconds: int, left: int, overage: str | None = None, **row: Any) -> Charge:
    plan = a_plan(package_seconds=18_000, overage_per_minute=None if overage is None else Decimal(overage))
    return charge(seconds, plan=plan, rate=a_rate("0.60", **row), in_package=True, package_seconds=left)


# surcharges


def test_W45_F139_R38_a_surcharge_is_added_to_each_paid_second() -> None:
    plan, rate = a_plan("1/1"), a_rate("0.02")
    assert charge(300, plan=plan, rate=rate).amount == Decimal("0.1000")
    dear = charge(300, plan=plan, rate=rate, surcharge_per_minute=Decimal("0.25"))
    assert (dear.amount, dear.surcharge_per_minute) == (Decimal("1.3500"), Decimal("0.25"))
    assert "300 s at 0.2500 a minute for the caller ID shown" in dear.steps


def test_F139_a_row_names_its_surcharge_by_class_and_none_where_it_has_none() -> None:
    row = a_rate(surcharges=(Surcharge(origin=OriginClass.NON_EEA, per_minute=Decimal("0.25")),))
    assert row.surcharge(OriginClass.NON_EEA) == Decimal("0.25")
    assert row.surcharge(OriginClass.EEA) == 0


# bounds and rounding


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "0"), (1, "0.20"), (30, "0.20"), (60, "0.25"), (240, "1.00"), (600, "1.50")]
)
def test_a_charged_leg_costs_at_least_and_at_most_what_the_plan_says(seconds: int, expected: str) -> None:
    plan = a_plan("1/1", call_price_min=Decimal("0.20"), call_price_max=Decimal("1.50"))
    assert charge(seconds, plan=plan, rate=a_rate("0.25")).amount == Decimal(expected)


def test_the_bounds_hold_for_the_a_leg_too_and_are_told() -> None:
    plan = a_plan(call_price_min=Decimal("0.20"), call_price_max=Decimal("1.50"))
    priced = price_leg(rate=a_rate("0.10"), plan=plan, talk_seconds=5, role=LegRole.A)
    assert priced.amount == Decimal("0.2000")
    assert priced.steps[-3:] == (
        "at least 0.2000",
        "at most 1.5000",
        "rounded half-up to 4 decimals: USD 0.2000",
    )


@pytest.mark.parametrize(("places", "expected"), [(4, "0.0439"), (3, "0.0440"), (2, "0.0400")])
def test_W42_how_fine_amounts_are_is_a_term_of_the_plan(places: int, expected: str) -> None:
    priced = charge(31, plan=a_plan(amount_places=places), rate=a_rate("0.0850"))
    assert priced.amount == Decimal(expected)
    assert priced.steps[-1] == f"rounded half-up to {places} decimals: USD {expected}"


def test_half_a_unit_is_rounded_up_at_every_fineness() -> None:
    # 60 s at 0.0050, 0.0005 and 0.00005 a minute: exactly half a unit.
    for places, half, up in ((2, "0.005", "0.01"), (3, "0.0005", "0.001"), (4, "0.00005", "0.0001")):
        assert charge(60, plan=a_plan(amount_places=places), rate=a_rate(half)).amount == Decimal(up)


def test_W42_a_thousand_calls_by_plans_of_two_and_four_decimals() -> None:
    fine = charge(31, plan=a_plan(), rate=a_rate("0.0850")).amount * 1000
    coarse = charge(31, plan=a_plan(amount_places=2), rate=a_rate("0.0850")).amount * 1000
    assert (fine, coarse) == (Decimal("43.9000"), Decimal("40.0000"))


# packages


def test_R17_F055_the_package_pays_before_money_and_a_covered_call_costs_nothing() -> None:
    covered = packaged(100, 18_000, connect_fee=Decimal("0.05"))
    assert (covered.billed_seconds, covered.package_seconds) == (100, 100)
    assert (covered.amount, covered.connect_fee) == (Decimal("0.0000"), Decimal(0))
    assert covered.steps[-2:] == ("100 s of the package: 0.00", "the package pays for all of it: USD 0.0000")
    assert covered.is_charged


def test_F055_what_the_package_does_not_pay_for_costs_the_deck_s_rate() -> None:
    # 100 s, of which 40 s are covered: 60 s at 0.60 a minute, and now the fee.
    partly = packaged(100, 40, connect_fee=Decimal("0.05"))
    assert (partly.package_seconds, partly.amount) == (40, Decimal("0.6500"))


def test_V19_4_beyond_the_package_a_minute_costs_the_overage() -> None:
    assert packaged(600, 0, "7").amount == Decimal("70.0000")
    assert packaged(660, 600, "7").amount == Decimal("7.0000")
    assert packaged(600, 600, "7").amount == Decimal("0.0000")


def test_F056_the_minute_after_the_included_ones_is_charged_at_overage() -> None:
    charges = [packaged(60, left, "0.80").amount for left in (60, 0)]
    assert charges == [Decimal("0.0000"), Decimal("0.8000")]


def test_the_package_covers_the_dear_first_increment_first() -> None:
    # First minute 0.60, then 0.30; 90 s, the package pays 70 s: 20 s at 0.30.
    two_step = packaged(90, 70, next_per_minute=Decimal("0.30"), first_increment_s=60)
    assert two_step.amount == Decimal("0.1000")
    # It pays 45 s: 15 s at 0.60 and 30 s at 0.30.
    inside = packaged(90, 45, next_per_minute=Decimal("0.30"), first_increment_s=60)
    assert inside.amount == Decimal("0.3000")
    assert inside.steps[3:5] == ("15 s at 0.6000 a minute", "30 s at 0.3000 a minute")


def test_covered_seconds_bear_neither_surcharge_nor_minimum() -> None:
    plan = a_plan(package_seconds=600, call_price_min=Decimal("0.50"))
    dear = {"in_package": True, "surcharge_per_minute": Decimal("0.25")}
    covered = charge(60, plan=plan, rate=a_rate("0.60"), package_seconds=60, **dear)
    assert covered.amount == 0
    # 30 s are paid: 0.30 and 0.125 for the caller ID, raised to the minimum.
    partly = charge(60, plan=plan, rate=a_rate("0.60"), package_seconds=30, **dear)
    assert partly.amount == Decimal("0.5000")


def test_the_minimum_of_the_increment_counts_in_the_package_as_it_does_in_money() -> None:
    assert packaged(1, 18_000).package_seconds == 30


def test_a_leg_to_ourselves_is_never_paid_by_the_package() -> None:
    plan = a_plan(package_seconds=600)
    pins = Pins(in_package=True, package_seconds=600)
    priced = price_leg(rate=a_rate("0.60"), plan=plan, talk_seconds=60, role=LegRole.A, pins=pins)
    assert (priced.package_seconds, priced.amount) == (0, Decimal("0.6000"))


def test_a_call_free_by_its_length_uses_no_package() -> None:
    plan = a_plan(package_seconds=600, free_below_seconds=30)
    priced = charge(29, plan=plan, rate=a_rate("0.60"), in_package=True, package_seconds=600)
    assert (priced.package_seconds, priced.billed_seconds, priced.amount) == (0, 0, Decimal("0.0000"))


# what a carrier asks


def test_an_attempt_costs_us_its_fee_answered_or_not() -> None:
    rate = a_rate("0.60", attempt_fee=Decimal("0.0125"))
    assert [charge(seconds, plan=a_plan("1/1"), rate=rate).amount for seconds in (0, 60)] == [
        Decimal("0.0125"),
        Decimal("0.6125"),
    ]

"""Vectors of single legs: increments, minimum, fee, rounding. A ✗ value is one that others print wrongly."""

from decimal import Decimal
from typing import Any

import pytest
from priced import LegRole, a_plan, a_rate

from rating.plan import ALegPolicy
from rating.price import Charge, billed_seconds, price_leg, whole_seconds


def charge(
    per_minute: str, increments: str, seconds: int, *, free_below_seconds: int = 0, **row: Any
) -> Charge:
    plan = a_plan(increments, free_below_seconds=free_below_seconds)
    return price_leg(rate=a_rate(per_minute, **row), plan=plan, talk_seconds=seconds, role=LegRole.B)


def priced(per_minute: str, increments: str, seconds: int, **fields: Any) -> tuple[int, str]:
    result = charge(per_minute, increments, seconds, **fields)
    return result.billed_seconds, str(result.amount)


def billed(increments: str, seconds: int, free_below: int = 0) -> int:
    first, following = (int(text) for text in increments.split("/"))
    return billed_seconds(seconds, first=first, following=following, free_below=free_below)


def test_W01_32_seconds_at_30_6() -> None:
    assert priced("0.006", "30/6", 32) == (36, "0.0036")


def test_W02_W03_57_and_75_seconds_at_30_6() -> None:
    assert priced("0.006", "30/6", 57) == (60, "0.0060")
    assert priced("0.006", "30/6", 75) == (78, "0.0078")
    assert "0.0030" not in priced("0.006", "30/6", 57)  # ✗
    assert "0.0060" not in priced("0.006", "30/6", 75)  # ✗


def test_W04_price_has_its_minimum_and_cost_its_own_increments() -> None:
    assert priced("0.64", "30/1", 22) == (30, "0.3200")
    assert priced("0.25", "1/1", 22) == (22, "0.0917")


@pytest.mark.parametrize(
    ("increments", "amount"), [("1/1", "0.2500"), ("10/10", "0.3333"), ("20/20", "0.3333")]
)
def test_W05_15_seconds_at_1_00(increments: str, amount: str) -> None:
    assert priced("1.00", increments, 15)[1] == amount


def test_W06_a_first_increment_shorter_than_the_next() -> None:
    assert (billed("10/1", 5), billed("10/1", 25)) == (10, 25)
    assert billed("10/30", 5) == 10
    assert billed("10/30", 5) != 30  # ✗


@pytest.mark.parametrize(
    ("increments", "seconds", "expected"),
    [("30/6", 10, 30), ("30/6", 31, 36), ("30/6", 32, 36), ("30/1", 20, 30), ("30/1", 21, 30)],
)
def test_W07_W08_W25_the_minimum_then_steps(increments: str, seconds: int, expected: int) -> None:
    assert billed(increments, seconds) == expected


def test_W09_steps_of_six_from_the_start() -> None:
    assert (billed("6/6", 10), billed("6/6", 15)) == (12, 18)


def test_W10_whole_minutes_and_steps_of_six() -> None:
    assert priced("0.01", "60/60", 5)[1] == "0.0100"
    assert priced("0.01", "60/60", 50)[1] == "0.0100"
    assert priced("0.01", "6/6", 5)[1] == "0.0010"


def test_W11_W12_fee_and_a_cheaper_rate_after_the_first_minute() -> None:
    two_step: dict[str, Any] = {"connect_fee": Decimal("0.4"), "next_per_minute": Decimal("0.1")}
    assert priced("0.2", "60/1", 20, **two_step)[1] == "0.6000"
    assert priced("0.2", "60/1", 85, **two_step)[1] == "0.6417"
    assert priced("0.2", "60/1", 85, **two_step)[1] != "0.6418"  # ✗


def test_W14_a_whole_price_has_no_dust() -> None:
    assert priced("0.1", "30/1", 180)[1] == "0.3000"
    assert priced("0.1", "30/1", 180)[1] not in {"0.3001", "0.30006"}  # ✗


def test_W15_one_a_second() -> None:
    assert priced("60", "1/1", 90) == (90, "90.0000")
    assert priced("60", "1/1", 0) == (0, "0.0000")


def test_W16_W17_W20_odd_increments_rounded_half_up() -> None:
    assert priced("0.0001", "60/11", 560) == (566, "0.0009")
    assert priced("1.0", "12/13", 560) == (571, "9.5167")
    assert priced("1.0", "12/13", 560)[1] != "9.5166"  # ✗
    assert priced("0.0001", "60/11", 560)[1] not in {"0.0010", "0.0011"}  # ✗


def test_W18_W19_amounts_are_rounded_neither_up_nor_down() -> None:
    assert priced("0.0001", "60/11", 560)[1] == "0.0009"  # up would be 0.0010
    assert priced("1.0", "12/13", 560)[1] == "9.5167"  # down would be 9.5166


def test_W21_a_bridged_minute_costs_both_rates() -> None:
    assert Decimal(priced("0.08", "1/1", 60)[1]) + Decimal(priced("0.20", "1/1", 60)[1]) == Decimal("0.28")


def test_W22_a_grace_of_three_seconds_is_free_below_four() -> None:
    assert [billed("60/1", seconds, free_below=4) for seconds in (1, 3, 4)] == [0, 0, 60]
    assert billed("60/1", 1, free_below=4) != 60  # ✗


@pytest.mark.parametrize(
    ("increments", "seconds", "expected", "wrong"),
    [
        ("30/60", 31, 90, 60),
        ("20/60", 21, 80, 60),
        ("20/60", 61, 80, 120),
        ("10/30", 61, 70, 90),
        ("60/11", 61, 71, 66),
        ("1/6", 7, 7, 12),
    ],
)
def test_W28_steps_count_from_the_end_of_the_first_increment(
    increments: str, seconds: int, expected: int, wrong: int
) -> None:
    assert billed(increments, seconds) == expected
    assert billed(increments, seconds) != wrong  # ✗ rounds the whole duration to a multiple of the step


@pytest.mark.parametrize(
    ("microseconds", "expected"),
    [(0, 0), (1, 30), (29_000_001, 30), (30_000_000, 30), (30_000_001, 31), (31_000_000, 31)],
)
def test_W29_microseconds_are_rounded_up_once(microseconds: int, expected: int) -> None:
    assert billed("30/1", whole_seconds(microseconds)) == expected


W27 = {
    "30/1": "0.0425 0.0425 0.0425 0.0439 0.0836 0.0864 0.1686 5.0986",
    "30/6": "0.0425 0.0425 0.0425 0.0510 0.0850 0.0935 0.1700 5.1000",
    "60/1": "0.0850 0.0850 0.0850 0.0850 0.0850 0.0864 0.1686 5.0986",
    "60/60": "0.0850 0.0850 0.0850 0.0850 0.0850 0.1700 0.1700 5.1000",
    "1/1": "0.0014 0.0411 0.0425 0.0439 0.0836 0.0864 0.1686 5.0986",
}


@pytest.mark.parametrize("increments", W27)
def test_W27_the_table_at_0_0850(increments: str) -> None:
    seconds = (1, 29, 30, 31, 59, 61, 119, 3599)
    assert [priced("0.0850", increments, talk)[1] for talk in seconds] == W27[increments].split()


def test_W42_a_thousand_calls_of_31_seconds_lose_nothing_to_rounding() -> None:
    total = 1000 * charge("0.0850", "30/1", 31).amount
    assert total == Decimal("43.9000")
    assert total not in {Decimal(40), Decimal(50)}  # ✗ two decimals a leg


def test_W46_a_connect_fee_is_added_once() -> None:
    assert priced("0.24", "30/1", 60, connect_fee=Decimal("0.05"))[1] == "0.2900"
    assert priced("0.24", "30/1", 0, connect_fee=Decimal("0.05"))[1] == "0.0000"


V19_2_SECONDS = (0, 1, 29, 30, 31, 60, 61, 90, 3600)


def test_V19_2_the_minimum_and_whole_minutes() -> None:
    amounts = [charge("0.24", "30/1", seconds).amount for seconds in V19_2_SECONDS]
    assert amounts == [
        Decimal(text) for text in ["0", ".12", ".12", ".12", ".124", ".24", ".244", ".36", "14.4"]
    ]
    amounts = [charge("0.24", "60/60", seconds).amount for seconds in V19_2_SECONDS]
    assert amounts == [
        Decimal(text) for text in ["0", ".24", ".24", ".24", ".24", ".24", ".48", ".48", "14.4"]
    ]


def test_V19_2_free_below_thirty_seconds() -> None:
    amounts = [charge("0.24", "30/1", seconds, free_below_seconds=30).amount for seconds in V19_2_SECONDS]
    assert amounts == [Decimal(text) for text in ["0", "0", "0", ".12", ".124", ".24", ".244", ".36", "14.4"]]


def test_F046_a_call_of_31_seconds_is_billed_31_seconds() -> None:
    assert priced("0.24", "30/1", 31) == (31, "0.1240")


def test_F047_the_thirty_second_rule_in_its_two_forms() -> None:
    assert [priced("0.24", "30/1", seconds)[1] for seconds in (29, 30, 31)] == ["0.1200", "0.1200", "0.1240"]
    free = [priced("0.24", "30/1", seconds, free_below_seconds=30)[1] for seconds in (29, 30, 31)]
    assert free == ["0.0000", "0.1200", "0.1240"]


def test_F048_the_rounding_rule_is_the_plan_s() -> None:
    assert priced("0.24", "30/1", 61)[1] == "0.2440"
    assert priced("0.24", "60/60", 61)[1] == "0.4800"


def test_F049_an_unanswered_call_costs_nothing() -> None:
    assert priced("0.24", "30/1", 0) == (0, "0.0000")


def test_F051_a_connect_fee() -> None:
    assert priced("0.24", "30/1", 60, connect_fee=Decimal("0.05"))[1] == "0.2900"


def test_F065_ninety_seconds_cost_0_36() -> None:
    assert priced("0.24", "30/1", 90)[1] == "0.3600"


def test_free_below_does_not_look_at_an_a_leg() -> None:
    plan = a_plan(free_below_seconds=30, a_leg_policy=ALegPolicy.FROM_ANSWER)
    assert price_leg(rate=a_rate("0.24"), plan=plan, talk_seconds=5, role=LegRole.A).billed_seconds == 30


def test_a_row_s_own_increments_and_fee_stand_before_the_plan_s() -> None:
    plan = a_plan("30/1", connect_fee=Decimal("0.10"))
    own = a_rate("0.60", first_increment_s=60, next_increment_s=6, connect_fee=Decimal(0))
    assert price_leg(rate=own, plan=plan, talk_seconds=61, role=LegRole.B).amount == Decimal("0.6600")
    assert price_leg(rate=a_rate("0.60"), plan=plan, talk_seconds=61, role=LegRole.B).amount == Decimal(
        "0.7100"
    )


def test_a_charge_explains_itself_step_by_step() -> None:
    two_step: dict[str, Any] = {"connect_fee": Decimal("0.4"), "next_per_minute": Decimal("0.1")}
    assert charge("0.2", "60/1", 85, **two_step).steps == (
        "B leg: prefix 1 (United States), row row-1",
        "85 s by 60/1: billed 85 s",
        "60 s at 0.2000 a minute",
        "25 s at 0.1000 a minute",
        "connect fee 0.4000",
        "rounded half-up to 4 decimals: USD 0.6417",
    )


def test_a_free_leg_says_why() -> None:
    assert "12 s is below 30 s, which is free" in charge("0.24", "30/1", 12, free_below_seconds=30).steps[-1]
    assert "no second is chargeable" in charge("0.24", "30/1", 0).steps[-1]


def test_a_rate_in_another_currency_than_the_plan_is_an_error() -> None:
    with pytest.raises(ValueError, match="EUR"):
        price_leg(rate=a_rate("0.24", currency="EUR"), plan=a_plan(), talk_seconds=1, role=LegRole.B)

"""Vectors of the longest talk: W-30 to W-34, W-43, W-49."""

from decimal import Decimal

import pytest
from priced import RATE_A, RATE_B, a_plan, a_rate, at

from rating.credit import LongestTalk, Shortfall, a_seconds_at_b_answer, first_hold, longest_talk
from rating.plan import ALegPolicy, Plan


def longest(available: str, plan: Plan, a0: int = 31, **fields: object) -> LongestTalk | Shortfall:
    given = {"rate_a": RATE_A, "rate_b": RATE_B, **fields}
    return longest_talk(available=Decimal(available), plan=plan, a_seconds_at_b_answer=a0, **given)  # type: ignore[arg-type]


def from_answer(increments: str = "30/1", **fields: object) -> Plan:
    return a_plan(increments, **({"a_leg_policy": ALegPolicy.FROM_ANSWER} | fields))


def talk(seconds: int, cost: str) -> LongestTalk:
    return LongestTalk(seconds=seconds, cost=Decimal(cost))


def test_W30_five_dollars_pay_for_848_seconds() -> None:
    assert longest("5.00", from_answer()) == talk(848, "4.9983")
    assert longest("5.00", from_answer()) != talk(685, "4.9983")  # ✗
    assert longest("5.0041", from_answer()) == talk(848, "4.9983")
    assert longest("5.0042", from_answer()) == talk(849, "5.0042")


def test_W31_the_same_in_steps_of_six() -> None:
    assert longest("5.00", from_answer("30/6")) == talk(846, "4.9950")
    assert longest("5.0199", from_answer("30/6")) == talk(846, "4.9950")
    assert longest("5.0200", from_answer("30/6")) == talk(851, "5.0200")  # 847 to 851 cost the same


def test_W32_the_same_in_whole_minutes() -> None:
    # At t = 840 s the A-leg stands at 871 s, so 15 whole minutes; B has talked 14.
    assert longest("5.00", from_answer("60/60")) == talk(840, "5.0000")
    assert longest("5.2499", from_answer("60/60")) == talk(840, "5.0000")
    assert isinstance(result := longest("5.2500", from_answer("60/60")), LongestTalk)
    assert result.seconds > 840


def test_W33_R12_twenty_cents_pay_for_fourteen_seconds() -> None:
    assert longest("0.20", from_answer()) == talk(14, "0.2000")
    assert longest("0.20", from_answer()) != talk(17, "0.2050")  # ✗


def test_W34_too_little_for_one_second_is_refused_with_the_shortfall() -> None:
    assert longest("0.17", from_answer()) == Shortfall(amount=Decimal("0.0083"), needed=Decimal("0.1783"))


def test_W43_the_other_policies() -> None:
    from_accept = longest("5.00", a_plan(a_leg_policy=ALegPolicy.FROM_ACCEPT), a0=27)
    bridged = longest("5.00", a_plan(a_leg_policy=ALegPolicy.WHILE_BRIDGED), a0=0)
    free = longest("5.00", a_plan(a_leg_policy=ALegPolicy.FREE), a0=0)
    assert [result.seconds for result in (from_accept, bridged, free) if isinstance(result, LongestTalk)] == [
        849,
        857,
        1200,
    ]


def test_W49_a_prepaid_dollar_lasts_250_seconds() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE)
    assert longest("1.00", plan, a0=0, rate_b=a_rate("0.24")) == talk(250, "1.0000")


def test_if_b_answered_counts_as_from_answer() -> None:
    assert longest("5.00", a_plan(a_leg_policy=ALegPolicy.IF_B_ANSWERED)) == talk(848, "4.9983")


def test_below_free_below_seconds_nothing_is_dialled() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE, free_below_seconds=60)
    assert longest("0.2499", plan, a0=0) == Shortfall(amount=Decimal("0.0001"), needed=Decimal("0.2500"))
    assert longest("0.2500", plan, a0=0) == talk(60, "0.2500")


def test_the_plan_s_maximum_caps_a_free_call() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE, talk_seconds_max=3600)
    assert longest("0.00", plan, a0=0, rate_b=a_rate("0")) == talk(3600, "0.0000")
    assert longest("0.00", plan, a0=0, rate_b=a_rate("0"), seconds_max=90) == talk(90, "0.0000")


def test_no_time_left_is_no_talk() -> None:
    assert isinstance(longest("5.00", from_answer(), seconds_max=0), Shortfall)


def test_earlier_B_legs_of_the_callback_are_paid_first() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE)
    assert longest("5.00", plan, a0=0, earlier_cost=Decimal("2.5000")) == talk(600, "5.0000")


def test_negative_credit_is_a_shortfall() -> None:
    assert longest("-1.00", from_answer()) == Shortfall(amount=Decimal("1.1783"), needed=Decimal("0.1783"))


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        (ALegPolicy.FROM_ANSWER, 31),
        (ALegPolicy.FROM_ACCEPT, 27),
        (ALegPolicy.IF_B_ANSWERED, 31),
        (ALegPolicy.WHILE_BRIDGED, 13),
        (ALegPolicy.FREE, 0),
    ],
)
def test_W43_A_s_seconds_at_B_s_answer_take_the_longest_ring(policy: ALegPolicy, seconds: int) -> None:
    a0 = a_seconds_at_b_answer(
        plan=a_plan(a_leg_policy=policy),
        answered_at=at(0),
        accepted_at=at(4),
        dial_b_at=at("0.5"),
        ring_seconds=30,
        earlier_bridged_microseconds=12_000_001,
    )
    assert a0 == seconds


def test_without_a_key_acceptance_is_taken_to_come_now() -> None:
    a0 = a_seconds_at_b_answer(
        plan=a_plan(), answered_at=at(0), accepted_at=None, dial_b_at=at(8), ring_seconds=30
    )
    assert a0 == 30


def test_the_first_hold_is_A_s_first_increment_and_nothing_where_A_is_free() -> None:
    assert first_hold(plan=a_plan(), rate_a=RATE_A) == Decimal("0.0500")
    assert first_hold(plan=a_plan(a_leg_policy=ALegPolicy.FREE), rate_a=RATE_A) == 0

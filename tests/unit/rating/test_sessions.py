"""Vectors of whole callbacks: both legs, the five A-leg policies, and the clock trap."""

from decimal import Decimal

import pytest
from priced import RATE_A, RATE_B, a_plan, a_rate, leg_a, leg_b

from calls.cdr import Cdr
from rating.plan import ALegPolicy, carrier_terms
from rating.price import SessionPrice, price_session, talk_seconds

IN_ORDER = (
    ALegPolicy.FROM_ANSWER,
    ALegPolicy.FROM_ACCEPT,
    ALegPolicy.IF_B_ANSWERED,
    ALegPolicy.WHILE_BRIDGED,
    ALegPolicy.FREE,
)


def price(
    a: Cdr | None, *legs_b: Cdr, policy: ALegPolicy = ALegPolicy.FROM_ANSWER, free: int = 0
) -> SessionPrice:
    plan = a_plan(a_leg_policy=policy, free_below_seconds=free)
    return price_session(plan=plan, rate_a=RATE_A, cdr_a=a, legs_b=[(cdr, RATE_B) for cdr in legs_b])


def a_amounts(a: Cdr, *legs_b: Cdr, free: int = 0) -> list[str]:
    prices = [price(a, *legs_b, policy=policy, free=free).a for policy in IN_ORDER]
    return [str(charge.amount) for charge in prices if charge is not None]


def test_W35_F053_ten_minutes_of_talk_price_both_legs() -> None:
    session = price(leg_a(631), leg_b(31, 631))
    assert session.a is not None
    assert (session.a.billed_seconds, str(session.a.amount)) == (631, "1.0517")
    assert str(session.b[0].amount) == "2.5000"
    assert str(session.total) == "3.5517"


def test_W36_B_is_never_priced_from_the_calling_channel_s_clock() -> None:
    from_b = price(leg_a(631), leg_b(31, 631)).b[0]
    # What Asterisk's ANSWEREDTIME would say: the A-leg's up time, prompts and ringing too.
    from_answeredtime = price(leg_a(631), leg_b(0, 631)).b[0]
    assert str(from_answeredtime.amount) == "2.6292"  # ✗
    assert str(from_b.amount) == "2.5000"


def test_W37_thirty_seconds_of_keying_are_not_talk() -> None:
    plan = a_plan("1/1", a_leg_policy=ALegPolicy.FREE)
    right = price_session(plan=plan, rate_a=RATE_A, cdr_a=leg_a(33), legs_b=[(leg_b(30, 33), RATE_B)])
    trapped = price_session(plan=plan, rate_a=RATE_A, cdr_a=leg_a(33), legs_b=[(leg_b(0, 33), RATE_B)])
    assert str(right.total) == "0.0125"
    assert str(trapped.total) == "0.1375"  # ✗


def test_R01_three_seconds_after_thirty_of_keying_are_billed_thirty_not_thirty_three() -> None:
    assert price(leg_a(33), leg_b(30, 33)).b[0].billed_seconds == 30


def test_W38_F053_the_five_policies_when_B_talks() -> None:
    assert a_amounts(leg_a(631), leg_b(31, 631)) == ["1.0517", "1.0450", "1.0517", "1.0000", "0.0000"]


def test_W39_the_five_policies_when_B_never_answers() -> None:
    assert a_amounts(leg_a(45), leg_b(None, 44)) == ["0.0750", "0.0683", "0.0000", "0.0000", "0.0000"]


def test_W40_R05_the_five_policies_when_voicemail_answers() -> None:
    assert a_amounts(leg_a(30, accepted=None)) == ["0.0500", "0.0000", "0.0000", "0.0000", "0.0000"]


def test_W41_the_minimum_of_A_applies_once_however_many_B_legs_follow() -> None:
    legs = (leg_a(80), leg_b(20, 30), leg_b(50, 62, index=2))
    session = price(*legs, policy=ALegPolicy.FROM_ACCEPT)
    assert session.a is not None
    assert [str(charge.amount) for charge in session.b] == ["0.1250", "0.1250"]
    assert (session.a.billed_seconds, str(session.a.amount)) == (76, "0.1267")
    bridged = price(*legs, policy=ALegPolicy.WHILE_BRIDGED).a
    assert bridged is not None
    assert (bridged.talk_seconds, bridged.billed_seconds, str(bridged.amount)) == (22, 30, "0.0500")


def test_while_bridged_rounds_up_the_sum_and_not_each_part() -> None:
    bridged = price(leg_a(200), leg_b(20, "40.4"), leg_b(50, "70.4", 2), policy=ALegPolicy.WHILE_BRIDGED).a
    assert bridged is not None
    assert bridged.talk_seconds == 41


def test_while_bridged_ends_with_the_A_leg() -> None:
    bridged = price(leg_a(90), leg_b(30, "91.2"), policy=ALegPolicy.WHILE_BRIDGED).a
    assert bridged is not None
    assert bridged.talk_seconds == 60


def test_a_free_B_leg_counts_neither_for_if_b_answered_nor_for_while_bridged() -> None:
    assert a_amounts(leg_a(100), leg_b(40, 60), free=30) == ["0.1667", "0.1600", "0.0000", "0.0000", "0.0000"]
    legs = (leg_b(40, 60), leg_b(65, 98, 2))
    assert a_amounts(leg_a(100), *legs, free=30) == ["0.1667", "0.1600", "0.1667", "0.0550", "0.0000"]


def test_F047_free_below_looks_at_whole_seconds_after_the_round_up() -> None:
    assert price(leg_a(100), leg_b(40, "69.0"), free=30).b[0].billed_seconds == 0
    assert price(leg_a(100), leg_b(40, "69.1"), free=30).b[0].billed_seconds == 30


def test_R06_a_declined_mobile_s_short_answer_is_free_below_three_seconds() -> None:
    assert str(price(leg_a(60), leg_b(31, 33), free=3).b[0].amount) == "0.0000"


def test_R09_the_answer_decides_and_not_the_cause() -> None:
    assert talk_seconds(leg_b(30, 102).answered_at, leg_b(30, 102).hung_up_at) == 72


def test_a_callback_whose_A_leg_was_never_dialled_costs_nothing() -> None:
    session = price(None)
    assert session.a is None
    assert session.charges == ()
    assert str(session.total) == "0.0000"


def test_an_unanswered_A_leg_costs_nothing_under_any_policy() -> None:
    assert a_amounts(leg_a(45, answered=None, accepted=None)) == ["0.0000"] * 5


def test_W04_our_cost_comes_from_the_same_functions_and_the_carrier_s_deck() -> None:
    terms = carrier_terms(deck_id="c1", currency="USD")
    cost = price_session(
        plan=terms,
        rate_a=a_rate("0.02", "44"),
        cdr_a=leg_a(30, accepted=None),
        legs_b=[(leg_b(3, 25), a_rate("0.25"))],
    )
    assert [str(charge.amount) for charge in cost.charges] == ["0.0100", "0.0917"]


def test_what_a_late_limit_lets_run_over_is_waived() -> None:
    session = price_session(
        plan=a_plan(a_leg_policy=ALegPolicy.FREE),
        rate_a=RATE_A,
        cdr_a=leg_a(90),
        legs_b=[(leg_b(30, "90.004"), RATE_B)],
        payable_max=Decimal("0.2500"),
    )
    assert (str(session.gross), str(session.waived), str(session.total)) == ("0.2542", "0.0042", "0.2500")


@pytest.mark.parametrize("payable", ["0.2542", "9.0000"])
def test_nothing_is_waived_within_what_can_be_paid(payable: str) -> None:
    session = price_session(
        plan=a_plan(a_leg_policy=ALegPolicy.FREE),
        rate_a=RATE_A,
        cdr_a=leg_a(91),
        legs_b=[(leg_b(30, 91), RATE_B)],
        payable_max=Decimal(payable),
    )
    assert str(session.waived) == "0.0000"

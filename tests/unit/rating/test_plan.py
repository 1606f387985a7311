"""A plan is sound, or says which field is not."""

from decimal import Decimal
from typing import Any

import pytest
from priced import a_plan

from rating.plan import ALegPolicy, PlanRefused


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
        ("name", " "),
        ("version", 0),
    ],
)
def test_a_field_that_cannot_be_meant_is_named_with_its_remedy(field: str, value: Any) -> None:
    with pytest.raises(PlanRefused, match=rf"^{field}: ") as refused:
        a_plan(**dict[str, Any]({field: value}))
    assert refused.value.field == field
    assert refused.value.remedy


def test_a_call_may_last_at_least_as_long_as_one_that_is_charged() -> None:
    with pytest.raises(PlanRefused, match="talk_seconds_max"):
        a_plan(free_below_seconds=60, talk_seconds_max=59)


@pytest.mark.parametrize("policy", ALegPolicy)
def test_R07_every_policy_is_printed_in_words(policy: ALegPolicy) -> None:
    assert policy.printed.startswith("The call to you is ")

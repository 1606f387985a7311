import pytest

from billing.alerts import AlertKind, AlertRule

NINETY = AlertRule(kind=AlertKind.CREDIT_USED, threshold=90)
LOW = AlertRule(kind=AlertKind.LOW_BALANCE, threshold=2_0000)


@pytest.mark.parametrize(
    ("owed_units", "speaks"),
    [(0, False), (44_9900, False), (44_9999, False), (45_0000, True), (60_0000, True)],
)
def test_W48_F058_of_a_limit_of_50_a_rule_of_90_percent_speaks_at_45(owed_units: int, speaks: bool) -> None:
    assert NINETY.speaks(posted_units=-owed_units, credit_limit_units=50_0000) is speaks


def test_an_account_with_credit_or_without_a_limit_has_used_nothing() -> None:
    assert not NINETY.speaks(posted_units=10_0000, credit_limit_units=50_0000)
    assert not NINETY.speaks(posted_units=-10_0000, credit_limit_units=0)


@pytest.mark.parametrize(("left_units", "speaks"), [(2_0000, False), (1_9999, True), (-1, True)])
def test_F058_a_balance_is_low_below_its_amount(left_units: int, speaks: bool) -> None:
    assert LOW.speaks(posted_units=left_units, credit_limit_units=0) is speaks
    assert LOW.speaks(posted_units=left_units - 5_0000, credit_limit_units=5_0000) is speaks

"""A package used by calls in their order: what is left lapses or rolls over as the months come."""

from datetime import UTC, datetime

import pytest
from priced import a_plan

from rating.packages import Meter


def at(month: int, day: int = 5) -> datetime:
    return datetime(2026, month, day, tzinfo=UTC)


@pytest.mark.parametrize(("rolls_over", "left"), [(True, 350), (False, 300)])
def test_F055_what_is_left_rolls_over_or_lapses(rolls_over: bool, left: int) -> None:
    meter = Meter(a_plan(package_seconds=300, package_rolls_over=rolls_over), "UTC")
    assert [meter.take(250, at(3)), meter.take(1_000, at(4))] == [250, left]


def test_months_without_a_call_roll_over_too_and_an_earlier_one_is_granted_plainly() -> None:
    meter = Meter(a_plan(package_seconds=300, package_rolls_over=True), "UTC")
    assert meter.take(100, at(3)) == 100
    assert meter.take(5_000, at(6)) == 200 + 3 * 300
    assert meter.take(5_000, at(2)) == 300
    assert meter.take(5_000, at(6)) == 0


def test_a_month_is_that_of_the_zone() -> None:
    meter = Meter(a_plan(package_seconds=300), "Europe/Berlin")
    before, after = datetime(2026, 3, 31, 21, 59, 59, 999_999, UTC), datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert [meter.take(300, before), meter.take(300, before), meter.take(300, after)] == [300, 0, 300]

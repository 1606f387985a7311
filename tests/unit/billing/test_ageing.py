"""How late what is owed is: payments settle what was due first."""

from datetime import date

import pytest

from billing.ageing import Asked, age, days_late

FRESH = Asked(units=100)


def test_what_is_owed_is_owed_on_what_is_due_last() -> None:
    asked = [FRESH, Asked(units=50, days_late=10), Asked(units=30, days_late=70)]
    assert age(180, asked).open_units == (100, 50, 0, 30, 0)
    assert age(120, asked).open_units == (100, 20, 0, 0, 0)  # the oldest is paid, and part of the next
    assert age(90, asked).open_units == (90, 0, 0, 0, 0)


def test_what_is_owed_beyond_all_that_was_asked_for_is_not_due() -> None:
    late = age(200, [FRESH, Asked(units=50, days_late=31)])
    assert (late.open_units, late.owed_units) == ((150, 0, 50, 0, 0), 200)
    assert age(20, [Asked(units=0, days_late=31)]).open_units == (20, 0, 0, 0, 0)
    assert age(120, [FRESH]).open_units == (120, 0, 0, 0, 0)


def test_what_is_paid_beyond_is_credit() -> None:
    paid = age(-25, [FRESH])
    assert (paid.open_units, paid.credit_units, paid.owed_units) == ((0, 0, 0, 0, 0), 25, -25)


def test_an_invoice_in_the_accounts_favour_asks_for_nothing() -> None:
    asked = [Asked(units=-40, days_late=5), Asked(units=50, days_late=95)]
    assert age(50, asked).open_units == (0, 0, 0, 0, 50)


@pytest.mark.parametrize(
    ("days", "column"), [(0, 0), (1, 1), (30, 1), (31, 2), (60, 2), (61, 3), (90, 3), (91, 4), (400, 4)]
)
def test_each_day_late_has_its_column(days: int, column: int) -> None:
    assert age(7, [Asked(units=7, days_late=days)]).open_units[column] == 7


def test_W26_the_day_on_which_it_is_due_is_the_first_day_late() -> None:
    due = date(2026, 6, 16)
    assert [days_late(due, date(2026, 6, day)) for day in (1, 15, 16, 17)] == [0, 0, 1, 2]

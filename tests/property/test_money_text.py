"""Amounts survive every form they take."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from values.money import (
    UNITS_MAX,
    AmountRefused,
    amount_units,
    decimal_number,
    from_units,
    half_up,
    money,
    plain,
    rate_from_units,
    rate_units,
)

UNITS = st.integers(-UNITS_MAX, UNITS_MAX)


@given(UNITS)
def test_units_survive_money_and_text(units: int) -> None:
    amount = from_units(units, "USD")
    assert amount_units(amount) == units
    assert amount_units(money(plain(amount), "USD")) == units


@given(st.integers(0, UNITS_MAX))
def test_rates_survive_decimal(units: int) -> None:
    assert rate_units(rate_from_units(units)) == units


@given(st.text(max_size=30))
def test_any_text_is_an_exact_number_or_is_refused(text: str) -> None:
    try:
        number = decimal_number(text, places=8, field="rate")
    except AmountRefused:
        return
    assert text.isascii()
    assert number == Decimal(text)


@given(st.fractions(max_denominator=10**9), st.integers(0, 8))
def test_rounding_is_at_most_half_a_unit_off_and_odd(value: Fraction, places: int) -> None:
    rounded = Fraction(half_up(value, places))
    assert abs(rounded - value) * 2 * 10**places <= 1
    assert half_up(-value, places) == half_up(value, places).copy_negate()  # `-` would round to 28 digits

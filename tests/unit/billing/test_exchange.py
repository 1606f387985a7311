from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moneyed import Money

from billing.exchange import ExchangeRate, convert, shortest

MARCH = date(2026, 3, 1)


def rate(text: str = "1.10", base: str = "EUR", quote: str = "USD") -> ExchangeRate:
    return ExchangeRate(base=base, quote=quote, rate=Decimal(text), on=MARCH)


def test_W47_F059_three_dollars_sixty_are_three_euros_twenty_seven_with_rate_and_date() -> None:
    made = convert(Money("3.60", "USD"), "EUR", rate())
    assert made.credited == Money("3.27", "EUR")
    assert str(made) == "3.60 USD at 1 EUR = 1.10 USD of 2026-03-01"


def test_a_rate_serves_in_both_directions() -> None:
    assert convert(Money("3.27", "EUR"), "USD", rate()).credited == Money("3.60", "USD")


def test_a_conversion_ends_in_whole_units_of_a_currency_without_cents() -> None:
    made = convert(Money("10", "EUR"), "JPY", rate("161.235", quote="JPY"))
    assert made.credited == Money("1612", "JPY")
    assert str(made) == "10.00 EUR at 1 EUR = 161.235 JPY of 2026-03-01"


def test_a_half_is_rounded_up_once() -> None:
    assert convert(Money("0.01", "USD"), "EUR", rate("2", base="EUR")).credited == Money("0.01", "EUR")


def test_a_rate_of_other_currencies_converts_nothing() -> None:
    with pytest.raises(ValueError, match="no rate between GBP and EUR"):
        convert(Money("1", "GBP"), "EUR", rate())


@pytest.mark.parametrize("text", ["0", "-1.1"])
def test_a_rate_is_more_than_zero(text: str) -> None:
    with pytest.raises(ValueError, match="not more than zero"):
        rate(text)


def test_a_currency_has_no_rate_with_itself() -> None:
    with pytest.raises(ValueError, match="its own base"):
        rate(quote="EUR")


@pytest.mark.parametrize(("number", "text"), [("1.1", "1.10"), ("1", "1.00"), ("0.00012345", "0.00012345")])
def test_a_rate_is_printed_without_useless_zeros(number: str, text: str) -> None:
    assert shortest(Decimal(number)) == text


@given(
    cents=st.integers(1, 10**9),
    rate_units=st.integers(10**5, 10**11),
    backwards=st.booleans(),
)
def test_a_conversion_is_within_half_a_cent_of_the_exact_value(
    cents: int, rate_units: int, backwards: bool
) -> None:
    by = ExchangeRate(base="EUR", quote="USD", rate=Decimal(rate_units).scaleb(-8), on=MARCH)
    code, to = ("USD", "EUR") if backwards else ("EUR", "USD")
    made = convert(Money(Decimal(cents).scaleb(-2), code), to, by)
    got = int(made.credited.amount * 100)
    # cents * rate / 10^8, or cents * 10^8 / rate, in whole numbers: |2 got - 2 exact| <= 1
    if backwards:
        assert abs(2 * got * rate_units - 2 * cents * 10**8) <= rate_units
    else:
        assert abs(2 * got * 10**8 - 2 * cents * rate_units) <= 10**8

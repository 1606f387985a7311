"""Exact amounts: the grammar, the scales, the one rounding."""

from decimal import Decimal, getcontext, localcontext
from fractions import Fraction

import pytest
from moneyed import Money

from values.money import (
    AmountRefused,
    amount_units,
    currency_code,
    decimal_number,
    from_units,
    half_up,
    minor_digits,
    money,
    plain,
    plain_decimal,
    rate_from_units,
    rate_units,
)


@pytest.mark.parametrize("text", ["0", "0.0001", "12", "1234.5678", "-3.5", "007.10", "100000000000000"])
def test_plain_digits_are_an_amount(text: str) -> None:
    assert money(text, "USD") == Money(Decimal(text), "USD")


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "1 ",
            " 1",
            "+1",
            "1.",
            ".5",
            "1,5",
            "1_000",
            "1e3",
            "1E-3",
            "NaN",
            "sNaN",
            "Infinity",
            "-inf",
        ),
        *(
            "0x10",
            "1.00001",
            "--1",
            "\u0661\u0662",
            "1\u066b5",
            "²",
            "1\n",
            "9" * 16,
            "1'000",
            "$1",
            "1" * 50_000,
        ),
    ],
)
def test_everything_else_is_refused_with_field_and_remedy(text: str) -> None:
    with pytest.raises(AmountRefused, match=r"^credit limit: .{1,80} is refused: ") as refused:
        money(text, "USD", field="credit limit")
    assert refused.value.field == "credit limit"
    assert refused.value.remedy


@pytest.mark.parametrize(
    "value", [0.5, 1.0, float("nan"), True, None, Decimal("NaN"), Decimal("Infinity"), b"1"]
)
def test_a_float_and_its_kin_are_refused_whatever_they_hold(value: object) -> None:
    with pytest.raises(AmountRefused, match="a float is not exact"):
        money(value, "USD")  # type: ignore[arg-type]


def test_a_decimal_with_an_exponent_inside_is_read_by_its_value() -> None:
    assert decimal_number(Decimal("1e2"), places=4, field="amount") == Decimal(100)


def test_a_minus_sign_needs_permission() -> None:
    with pytest.raises(AmountRefused, match="zero or more"):
        decimal_number("-1", places=8, field="rate")


def test_minus_zero_is_zero() -> None:
    assert str(money("-0", "USD").amount) == "0"


@pytest.mark.parametrize("code", ["usd", "US", "USDX", "XQX", "", "U$D", None])
def test_a_currency_is_one_that_iso_4217_lists(code: str) -> None:
    with pytest.raises(AmountRefused, match="currency"):
        currency_code(code)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XAU", "XBA"])
def test_what_iso_4217_lists_besides_money_is_no_currency(code: str) -> None:
    with pytest.raises(AmountRefused, match="no money that people pay in"):
        currency_code(code)


@pytest.mark.parametrize(("code", "digits"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("MGA", 2), ("KRW", 0)])
def test_minor_digits_are_those_of_iso_4217(code: str, digits: int) -> None:
    assert minor_digits(code) == digits


def test_R15_an_amount_round_trips_through_units_and_text() -> None:
    amount = money("1234.5678", "USD")
    assert amount_units(amount) == 12_345_678
    assert from_units(12_345_678, "USD") == amount
    assert plain(amount) == "1234.5678"


def test_a_finer_amount_is_an_error_and_never_rounded() -> None:
    with pytest.raises(AmountRefused, match="at most 4 decimals"):
        amount_units(Money(Decimal("0.00001"), "USD"))
    with pytest.raises(AmountRefused, match="at most 2 decimals"):
        plain(money("0.0010", "USD"), 2)


def test_units_of_money_that_holds_a_nan_are_refused() -> None:
    with pytest.raises(AmountRefused):
        amount_units(Money(Decimal("NaN"), "USD"))


def test_rates_have_eight_decimals() -> None:
    assert rate_units(Decimal("0.00000001")) == 1
    assert rate_from_units(8_500_000) == Decimal("0.085")
    with pytest.raises(AmountRefused, match="at most 8 decimals"):
        rate_units(Decimal("0.000000001"))


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Decimal("0.00005"), 4, "0.0001"),
        (Decimal("0.00004999"), 4, "0.0000"),
        (Decimal("-0.00005"), 4, "-0.0001"),
        (Fraction(1, 3), 4, "0.3333"),
        (Fraction(2, 3), 4, "0.6667"),
        (Decimal("2.5"), 0, "3"),
        (Decimal("0.125"), 2, "0.13"),
        (Decimal("0.135"), 2, "0.14"),
    ],
)
def test_a_half_is_rounded_away_from_zero(value: Fraction | Decimal, places: int, rounded: str) -> None:
    assert str(half_up(value, places)) == rounded


def test_rounding_does_not_depend_on_the_thread_s_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert half_up(Decimal("1234.56785"), 4) == Decimal("1234.5679")
        assert plain_decimal(Decimal("1234.5678")) == "1234.5678"
    assert getcontext().prec == 28


@pytest.mark.parametrize(
    ("amount", "places", "text"),
    [
        ("0", 4, "0.0000"),
        ("0.12", 4, "0.1200"),
        ("-0.0001", 4, "-0.0001"),
        ("1E+3", 2, "1000.00"),
        ("7", 0, "7"),
    ],
)
def test_plain_digits_never_use_an_exponent(amount: str, places: int, text: str) -> None:
    assert plain_decimal(Decimal(amount), places) == text

"""Exact amounts: text or whole units in, Money or Decimal out, and one rounding.

Reads: text from people and files, scaled integers from the database.
Gives: moneyed.Money (at most 4 decimals), Decimal rates (at most 8), scaled integers.
Knows nothing of: plans, accounts, locales, display.

No float comes near an amount: a float is refused, also one that looks harmless. `str(Money)` and
`round(Money)` of the library round for display, so nothing here uses them.
"""

import re
from decimal import Decimal
from fractions import Fraction

from moneyed import CurrencyDoesNotExist, Money, get_currency

AMOUNT_SCALE = 4
"""Amounts are whole multiples of 10^-4 of the currency's unit."""
RATE_SCALE = 8
"""Prices in a rate row are whole multiples of 10^-8 of the currency's unit."""
UNITS_MAX = 10**18
"""Largest scaled integer accepted; it fits a signed 64-bit column with room for sums."""

# [0-9] and not \d: \d also takes Arabic-Indic and other digits, which a reader may take for others.
_NUMBER = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_LONG = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CURRENCY = re.compile(r"[A-Z]{3}")
_TEXT_SHOWN_MAX = 40
# ISO 4217 lists these too: no currency, a code for tests, metals, units of accounts among banks.
_NO_MONEY = frozenset({"XXX", "XTS", "XAU", "XAG", "XPT", "XPD", "XBA", "XBB", "XBC", "XBD"})
# The library gives Ariary and Ouguiya their historic fifths; ISO 4217 prints both with 2 decimals.
_FIFTHS = 5


class AmountRefused(ValueError):
    """This is not an amount: the field, what was read and the remedy are named."""

    def __init__(self, field: str, text: object, remedy: str) -> None:
        """Keep the parts apart for callers that print a row and a column of their own."""
        shown = repr(text)
        if len(shown) > _TEXT_SHOWN_MAX:
            shown = f"{shown[:_TEXT_SHOWN_MAX]}…"
        super().__init__(f"{field}: {shown} is refused: {remedy}")
        self.field = field
        self.remedy = remedy


def money(text: str | Decimal | int, currency: str, *, field: str = "amount") -> Money:
    """Return the exact Money that `text` says; at most 4 decimals, may be negative."""
    code = currency_code(currency)
    return Money(decimal_number(text, places=AMOUNT_SCALE, field=field, signed=True), code)


def decimal_number(text: str | Decimal | int, *, places: int, field: str, signed: bool = False) -> Decimal:
    """Return the exact Decimal of plain digits with at most `places` decimals.

    Refused: floats, NaN, infinity, exponents, `_`, thousands separators, a decimal comma, blanks, a plus
    sign, digits that are not ASCII; a minus sign unless `signed`.
    """
    plain_text = _plain_text(text, field)
    if not _NUMBER.fullmatch(plain_text):
        if _LONG.fullmatch(plain_text):
            raise AmountRefused(field, text, "write at most 18 digits before the point and 18 after it")
        raise AmountRefused(field, text, "write ASCII digits with an optional decimal point, such as 0.0850")
    if plain_text.startswith("-") and not signed:
        raise AmountRefused(field, text, "write a number that is zero or more")
    _, _, decimals = plain_text.partition(".")
    if len(decimals.rstrip("0")) > places:
        raise AmountRefused(field, text, f"write at most {places} decimals")
    number = Decimal(plain_text)
    if abs(_scaled(number, places, field)) > UNITS_MAX:
        raise AmountRefused(field, text, f"write a number up to {UNITS_MAX // 10**places}")
    return number.copy_abs() if number.is_zero() else number  # "-0" becomes "0"


def currency_code(text: str, *, field: str = "currency") -> str:
    """Return `text` if it is an ISO 4217 code in capitals."""
    if not isinstance(text, str) or not _CURRENCY.fullmatch(text):
        raise AmountRefused(field, text, "write an ISO 4217 code of three capitals, such as USD")
    if text in _NO_MONEY:
        raise AmountRefused(field, text, "it is no money that people pay in; write a currency, such as USD")
    try:
        return get_currency(text).code
    except CurrencyDoesNotExist:
        raise AmountRefused(field, text, "write a currency that ISO 4217 lists, such as USD") from None


def minor_digits(currency: str) -> int:
    """Return how many decimals the currency is paid in: 2 for USD, 0 for JPY, 3 for KWD."""
    sub_unit = get_currency(currency_code(currency)).sub_unit
    return 2 if sub_unit == _FIFTHS else len(str(sub_unit)) - 1


def amount_units(amount: Money) -> int:
    """Return the amount in 10^-4 of its unit; an amount that is finer is an error, never rounded."""
    return _scaled(amount.amount, AMOUNT_SCALE, "amount")


def from_units(units: int, currency: str) -> Money:
    """Return the Money of an amount in 10^-4 of its unit."""
    return Money(decimal_from_units(units), currency_code(currency))


def decimal_units(amount: Decimal) -> int:
    """Return a bare amount in 10^-4 units; finer is an error."""
    return _scaled(amount, AMOUNT_SCALE, "amount")


def decimal_from_units(units: int) -> Decimal:
    """Return 10^-4 units as a Decimal with 4 decimals."""
    return _unscaled(units, AMOUNT_SCALE)


def rate_units(rate: Decimal) -> int:
    """Return a rate in 10^-8 of its unit; finer is an error, never rounded."""
    return _scaled(rate, RATE_SCALE, "rate")


def rate_from_units(units: int) -> Decimal:
    """Return the Decimal of a rate in 10^-8 of its unit."""
    return _unscaled(units, RATE_SCALE)


def half_up(value: Fraction | Decimal, places: int) -> Decimal:
    """Return the value rounded once to `places` decimals; a half goes away from zero."""
    exact = Fraction(value)
    units = half_up_units(abs(exact.numerator) * 10**places, exact.denominator)
    return _unscaled(-units if exact < 0 else units, places)


def half_up_units(numerator: int, denominator: int) -> int:
    """Return numerator / denominator (both positive or 0) as the nearest integer, a half upwards."""
    return (2 * numerator + denominator) // (2 * denominator)


def plain(amount: Money, places: int = AMOUNT_SCALE) -> str:
    """Return the digits of an amount, such as "0.1200": no exponent, no separators, no symbol.

    Fewer places than the amount has are an error: rounding is the caller's decision.
    """
    return plain_decimal(amount.amount, places)


def plain_decimal(amount: Decimal, places: int = AMOUNT_SCALE) -> str:
    """Return a bare amount as digits with exactly `places` decimals; never rounds."""
    units = _scaled(amount, places, "amount")
    sign = "-" if units < 0 else ""
    digits = f"{abs(units):0{places + 1}d}"
    return sign + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _plain_text(text: object, field: str) -> str:
    if isinstance(text, str):
        return text
    if isinstance(text, Decimal) and text.is_finite():
        return f"{text:f}"
    if isinstance(text, int) and not isinstance(text, bool):
        return str(text)
    raise AmountRefused(field, text, "give text, a finite Decimal or an int; a float is not exact")


def _scaled(value: Decimal, places: int, field: str) -> int:
    if not isinstance(value, Decimal) or not value.is_finite():
        raise AmountRefused(field, value, "give a finite Decimal; a float is not exact")
    numerator, denominator = value.as_integer_ratio()
    units, rest = divmod(numerator * int(10**places), denominator)
    if rest:
        raise AmountRefused(field, value, f"give at most {places} decimals, or round it first")
    return units


def _unscaled(units: int, places: int) -> Decimal:
    # From text, because Decimal's arithmetic rounds to the precision of the thread's context.
    return Decimal(f"{units}E-{places}")

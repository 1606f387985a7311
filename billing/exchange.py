"""Money of one currency as money of another, by a dated rate.

Reads: an amount, the ExchangeRate in force on its day.
Gives: a Conversion: what was paid, what it comes to, and the rate and its date, to be printed with it.
Knows nothing of: where rates are kept, which day it is.

Rounded once, half-up to the minor unit of the currency that is credited: 3.60 USD at 1 EUR = 1.10 USD
are 3.27 EUR (exactly 3.2727…).
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from moneyed import Money

from values.money import RATE_SCALE, currency_code, half_up, minor_digits, plain_decimal, rate_units


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRate:
    """From `on` until the next rate: one unit of `base` is `rate` units of `quote`."""

    base: str
    quote: str
    rate: Decimal
    on: date

    def __post_init__(self) -> None:
        """Refuse a rate of nothing, or of a currency with itself."""
        currency_code(self.base, field="base")
        currency_code(self.quote, field="quote")
        if self.base == self.quote:
            raise ValueError(f"quote: {self.quote} is its own base; name two currencies")
        if rate_units(self.rate) <= 0:
            raise ValueError(f"rate: {self.rate} is not more than zero")

    def __str__(self) -> str:
        """Return it as it is printed: 1 EUR = 1.10 USD of 2026-03-01."""
        return f"1 {self.base} = {shortest(self.rate)} {self.quote} of {self.on.isoformat()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """One amount in two currencies, with the rate between them."""

    paid: Money
    credited: Money
    by: ExchangeRate

    def __str__(self) -> str:
        """Return it as it is printed: 3.60 USD at 1 EUR = 1.10 USD of 2026-03-01."""
        code = self.paid.currency.code
        return f"{shortest(self.paid.amount, minor_digits(code))} {code} at {self.by}"


def convert(paid: Money, to: str, by: ExchangeRate) -> Conversion:
    """Return `paid` in the currency `to`; the rate serves in both directions."""
    exact = Fraction(paid.amount)
    match (by.base, by.quote):
        case (base, quote) if (base, quote) == (paid.currency.code, to):
            exact *= Fraction(by.rate)
        case (base, quote) if (quote, base) == (paid.currency.code, to):
            exact /= Fraction(by.rate)
        case _:
            raise ValueError(f"{by} is no rate between {paid.currency.code} and {to}")
    return Conversion(paid=paid, credited=Money(half_up(exact, minor_digits(to)), to), by=by)


def shortest(number: Decimal, least: int = 2) -> str:
    """Return a rate or an amount with at least `least` decimals and no more zeros than that."""
    whole, _, decimals = plain_decimal(number, RATE_SCALE).partition(".")
    kept = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{kept}" if kept else whole

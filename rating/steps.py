"""How an amount came about, in sentences from which a reader can work it out again.

Reads: a Rate, the LegTerms of a leg, its seconds.
Gives: one sentence a step; the last one says the amount.
Knows nothing of: how the amount is computed (rating/terms.py).
"""

from calls.cdr import LegRole
from rating.rate import Rate
from rating.terms import LegTerms
from values.money import (
    AMOUNT_SCALE,
    RATE_SCALE,
    UNITS_MAX,
    decimal_from_units,
    plain_decimal,
    rate_from_units,
)


def steps_of(rate: Rate, terms: LegTerms, role: LegRole, seconds: int) -> tuple[str, ...]:
    """Return the steps from the row to the amount."""
    band = f", band {rate.band}" if rate.band else ""
    row = f"{role} leg: prefix {rate.prefix} ({rate.destination}){band}, row {rate.id}"
    billed = terms.billed_seconds(seconds)
    if not billed:
        return (row, *_attempt(terms), _nothing(terms, rate, seconds))
    covered = terms.covered_seconds(seconds)
    steps = [row, f"{seconds} s by {terms.first}/{terms.following}: billed {billed} s"]
    if covered:
        steps.append(f"{covered} s of the package: 0.00")
    steps += _attempt(terms)
    if covered == billed:
        return (*steps, f"the package pays for all of it: {_amount(terms, rate, seconds)}")
    return (*steps, *_paid(terms, seconds), _rounded(terms, rate, seconds))


def _nothing(terms: LegTerms, rate: Rate, seconds: int) -> str:
    free = f"{seconds} s is below {terms.free_below} s, which is free"
    return f"{free if seconds else 'no second is chargeable'}: {_amount(terms, rate, seconds)}"


def _attempt(terms: LegTerms) -> list[str]:
    return [f"attempt fee {_price(terms.attempt)}"] if terms.attempt else []


def _paid(terms: LegTerms, seconds: int) -> list[str]:
    at_first, rest = terms.paid_seconds(seconds)
    if at_first and rest and terms.rate != terms.next_rate:
        steps = [
            f"{at_first} s at {_price(terms.rate)} a minute",
            f"{rest} s at {_price(terms.next_rate)} a minute",
        ]
    else:
        steps = [f"{at_first + rest} s at {_price(terms.rate if at_first else terms.next_rate)} a minute"]
    if terms.surcharge:
        steps.append(f"{at_first + rest} s at {_price(terms.surcharge)} a minute for the caller ID shown")
    if terms.fee:
        steps.append(f"connect fee {_price(terms.fee)}")
    if terms.least:
        steps.append(f"at least {plain_decimal(decimal_from_units(terms.least))}")
    if terms.most != UNITS_MAX:
        steps.append(f"at most {plain_decimal(decimal_from_units(terms.most))}")
    return steps


def _rounded(terms: LegTerms, rate: Rate, seconds: int) -> str:
    places = AMOUNT_SCALE + 1 - len(str(terms.step))
    return f"rounded half-up to {places} decimals: {_amount(terms, rate, seconds)}"


def _amount(terms: LegTerms, rate: Rate, seconds: int) -> str:
    return f"{rate.currency} {plain_decimal(decimal_from_units(terms.amount_units(seconds)))}"


def _price(units: int) -> str:
    """Return a rate with its own decimals, at least 4."""
    text = plain_decimal(rate_from_units(units), RATE_SCALE)
    return text[:-4] + text[-4:].rstrip("0")

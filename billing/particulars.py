"""What an invoice is made from: both sides, rated callbacks, payments, a tax.

Reads: nothing.
Gives: Party, RatedSession with its RatedLegs, Payment, TaxGroup, as values.
Knows nothing of: periods, totals, where these are kept.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from calls.cdr import LegRole
from rating.price import Charge
from values.money import decimal_from_units

ZERO = decimal_from_units(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side of the invoice as the law wants it named. Empty texts are not printed."""

    name: str
    address: tuple[str, ...] = ()
    tax_id: str = ""
    registration: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    bank: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedLeg:
    """One leg with its charge, as the store kept them."""

    leg_id: str
    role: LegRole
    number: str
    answered_at: datetime | None
    charge: Charge


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedSession:
    """One callback that ended, with its rated legs: A first, then each B in the order of dialling."""

    callback_id: str
    requested_at: datetime
    ended_at: datetime
    subscriber: str
    legs: tuple[RatedLeg, ...]
    waived: Decimal = ZERO
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that came in during the period."""

    at: datetime
    reference: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxGroup:
    """What is taxed alike: a printed label and a rate in percent."""

    label: str
    percent: Decimal

"""What an invoice is made from: both sides, rated callbacks, recurring items, movements of money.

Reads: nothing.
Gives: Party, RatedSession with its RatedLegs, Item, Payment, as values.
Knows nothing of: periods, totals, where these are kept.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from billing.tax import STANDARD
from billing.tax import TaxGroup as TaxGroup  # noqa: PLC0414 - callers that build invoices take it from here
from calls.cdr import LegRole
from rating.price import Charge
from values.money import decimal_from_units

ZERO = decimal_from_units(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """One side of the invoice as the law wants it named. Empty texts are not printed.

    `country` is two capitals: the electronic form asks for it.
    """

    name: str
    address: tuple[str, ...] = ()
    country: str = ""
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
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallCredit:
    """What a credit note gave back of a callback, or of one leg of it, before the callback was invoiced."""

    number: str
    leg_id: str
    amount: Decimal
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedSession:
    """One callback that ended, with its rated legs: A first, then each B in the order of dialling."""

    callback_id: str
    requested_at: datetime
    ended_at: datetime
    subscriber: str
    legs: tuple[RatedLeg, ...]
    waived: Decimal = ZERO
    credits: tuple[CallCredit, ...] = ()
    reference: str = ""
    tag: str = ""


class ItemKind(StrEnum):
    """Why something is charged besides calls."""

    FEE = "fee"
    PACKAGE = "package"
    OPTION = "option"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What recurs: a plan's fee, a package, an option; the amount is in the currency's minor unit."""

    kind: ItemKind
    name: str
    amount: Decimal
    tax_group: str = STANDARD
    first_day: date | None = None
    end_day: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that moved during the period besides what is charged here; positive favours the account."""

    at: datetime
    reference: str
    amount: Decimal
    kind: str = "payment"

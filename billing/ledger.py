"""The books: entries whose postings sum to zero in each currency.

Reads: session prices and costs (rating/price.py), payments, corrections.
Gives: Entry: a balanced set of Postings, never edited afterwards.
Knows nothing of: where entries are kept, who may make them, clocks.

Laws:
1. In an entry the postings of each currency sum to zero, or it cannot exist.
2. One sign: a positive posting favours the ledger account. A payment is positive on the account's
   receivable and negative on cash (we hold it for somebody); a charge is negative there and positive on
   revenue; what a carrier has earned is positive on its payable and negative on carrier cost.
3. A mistake is mended by a further entry.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from moneyed import Money

from rating.price import SessionPrice
from values.money import UNITS_MAX, amount_units, currency_code, decimal_units


class LedgerAccountKind(StrEnum):
    """What a column in the books stands for; the first two groups have an owner each."""

    RECEIVABLE = "receivable"
    CARRIER_PAYABLE = "carrier_payable"
    REVENUE = "revenue"
    CARRIER_COST = "carrier_cost"
    CASH = "cash"
    ROUNDING = "rounding"
    TAX = "tax"
    LOSS = "loss"
    FEES = "fees"
    VOUCHER = "voucher"
    EXCHANGE = "exchange"
    DEFERRED = "deferred"
    WRITE_OFF = "write_off"


_OWNED = frozenset({LedgerAccountKind.RECEIVABLE, LedgerAccountKind.CARRIER_PAYABLE})


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAccount:
    """A column in the books: our own, or that of one account or carrier."""

    kind: LedgerAccountKind
    owner: str = ""

    def __post_init__(self) -> None:
        """Refuse a receivable of nobody and a revenue of somebody."""
        if (self.kind in _OWNED) != bool(self.owner):
            remedy = "it is the house's own, name no owner" if self.owner else "name its owner"
            raise ValueError(f"ledger account {self.kind}: {remedy}")

    def __str__(self) -> str:
        """Return the name it has in listings."""
        return f"{self.kind}:{self.owner}" if self.owner else str(self.kind)


class EntryKind(StrEnum):
    """Why an entry was made."""

    CHARGE = "charge"
    ATTEMPTS = "attempts"
    PAYMENT = "payment"
    TOP_UP = "top_up"
    VOUCHER = "voucher"
    REFUND = "refund"
    CREDIT_NOTE = "credit_note"
    CALL_CREDIT = "call_credit"
    FEE = "fee"
    TAX = "tax"
    RERATE = "rerate"
    WRITE_OFF = "write_off"
    REVERSAL = "reversal"
    ADJUSTMENT = "adjustment"
    ROUNDING = "rounding"


OF_CALLS = frozenset({EntryKind.CHARGE, EntryKind.RERATE, EntryKind.CALL_CREDIT})
"""What a call came to, a new price of it, what was given back of it before it was invoiced: all bear the
instant at which the callback ended, and the invoice of that month has them as its calls."""


class UnbalancedEntry(ValueError):
    """The postings of this entry do not sum to zero, so money would appear or vanish."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """One side of an entry: `units` of 10^-4 of the currency's unit; positive favours the ledger account."""

    ledger_account: LedgerAccount
    units: int
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no whole number of units, or no currency."""
        if not isinstance(self.units, int) or isinstance(self.units, bool) or abs(self.units) > UNITS_MAX:
            raise ValueError(
                f"posting to {self.ledger_account}: units are a whole number within ±{UNITS_MAX}"
            )
        currency_code(self.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event in the books. `reference` names its cause: a callback id, a payment reference."""

    id: str
    kind: EntryKind
    at: datetime
    reference: str
    postings: tuple[Posting, ...]
    reason: str = ""

    def __post_init__(self) -> None:
        """Refuse an entry that is empty, without zone, or not balanced."""
        if self.at.tzinfo is None:
            raise ValueError(f"entry {self.id}: `at` needs a time zone")
        if not self.postings:
            raise UnbalancedEntry(f"entry {self.id} has no posting")
        for currency, units in sums(self.postings).items():
            if units:
                raise UnbalancedEntry(f"entry {self.id}: {currency} postings sum to {units} units, not to 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierCost:
    """What a carrier earned with legs of one callback; the currency is the cost deck's."""

    carrier: str
    amount: Decimal
    currency: str


def charge_entry(
    *,
    id: str,  # noqa: A002 - the field it fills is called so
    at: datetime,
    account_id: str,
    callback_id: str,
    price: SessionPrice,
    costs: Sequence[CarrierCost] = (),
) -> Entry:
    """Return the one entry of a callback: all legs' price and all carriers' cost, together or not at all.

    Price postings are there also at 0, so that each priced callback is found in the books. Revenue is the
    sum of the charges; what was waived because a limit acted late is our loss, not the account's.
    """
    gross, waived = decimal_units(price.gross), decimal_units(price.waived)
    postings = [
        _posting(LedgerAccountKind.RECEIVABLE, waived - gross, price.currency, account_id),
        _posting(LedgerAccountKind.REVENUE, gross, price.currency),
    ]
    if waived:
        postings.append(_posting(LedgerAccountKind.LOSS, -waived, price.currency))
    postings += _cost_postings(costs)
    return Entry(id=id, kind=EntryKind.CHARGE, at=at, reference=callback_id, postings=tuple(postings))


def attempts_entry(
    *,
    id: str,  # noqa: A002
    at: datetime,
    callback_id: str,
    costs: Sequence[CarrierCost],
) -> Entry:
    """Return what carriers ask for legs of a callback that nobody answered: our cost, no account's price."""
    return Entry(
        id=id, kind=EntryKind.ATTEMPTS, at=at, reference=callback_id, postings=tuple(_cost_postings(costs))
    )


def payment_entry(
    *,
    id: str,  # noqa: A002
    at: datetime,
    account_id: str,
    reference: str,
    amount: Money,
) -> Entry:
    """Return the entry of money received; `reference` is the bank's or the provider's."""
    units = amount_units(amount)
    if units <= 0:
        raise ValueError("amount: a payment is more than zero; give money back by a refund")
    currency = amount.currency.code
    postings = (
        _posting(LedgerAccountKind.RECEIVABLE, units, currency, account_id),
        _posting(LedgerAccountKind.CASH, -units, currency),
    )
    return Entry(id=id, kind=EntryKind.PAYMENT, at=at, reference=reference, postings=postings)


def adjustment_entry(
    *,
    id: str,  # noqa: A002
    at: datetime,
    account_id: str,
    reference: str,
    amount: Money,
    reason: str,
) -> Entry:
    """Return a correction: a positive amount is given to the account out of revenue, a negative one taken."""
    units = amount_units(amount)
    if not units:
        raise ValueError("amount: an adjustment is not zero")
    if not reason.strip():
        raise ValueError("reason: say why; the account reads it on the invoice")
    currency = amount.currency.code
    postings = (
        _posting(LedgerAccountKind.RECEIVABLE, units, currency, account_id),
        _posting(LedgerAccountKind.REVENUE, -units, currency),
    )
    return Entry(
        id=id, kind=EntryKind.ADJUSTMENT, at=at, reference=reference, postings=postings, reason=reason.strip()
    )


def rounding_entry(
    *,
    id: str,  # noqa: A002
    at: datetime,
    account_id: str,
    invoice_number: str,
    rounding: Money,
) -> Entry:
    """Return the entry of an invoice's rounding: its total in whole cents less the sum of its lines.

    Rounding up takes from the account.
    """
    units = amount_units(rounding)
    currency = rounding.currency.code
    postings = (
        _posting(LedgerAccountKind.RECEIVABLE, -units, currency, account_id),
        _posting(LedgerAccountKind.ROUNDING, units, currency),
    )
    return Entry(id=id, kind=EntryKind.ROUNDING, at=at, reference=invoice_number, postings=postings)


def sums(postings: Iterable[Posting]) -> dict[str, int]:
    """Return the sum of the units by currency."""
    by_currency: Counter[str] = Counter()
    for posting in postings:
        by_currency[posting.currency] += posting.units
    return dict(by_currency)


def balance_units(entries: Iterable[Entry], ledger_account: LedgerAccount, currency: str) -> int:
    """Return the posted balance of a ledger account; positive is in its favour."""
    return sum(
        posting.units
        for entry in entries
        for posting in entry.postings
        if posting.ledger_account == ledger_account and posting.currency == currency
    )


def _posting(kind: LedgerAccountKind, units: int, currency: str, owner: str = "") -> Posting:
    return Posting(ledger_account=LedgerAccount(kind=kind, owner=owner), units=units, currency=currency)


def _cost_postings(costs: Iterable[CarrierCost]) -> list[Posting]:
    postings = []
    for (carrier, currency), units in sorted(_costs_by_carrier(costs).items()):
        postings.append(_posting(LedgerAccountKind.CARRIER_PAYABLE, units, currency, carrier))
        postings.append(_posting(LedgerAccountKind.CARRIER_COST, -units, currency))
    return postings


def _costs_by_carrier(costs: Iterable[CarrierCost]) -> dict[tuple[str, str], int]:
    units: Counter[tuple[str, str]] = Counter()
    for cost in costs:
        units[cost.carrier, cost.currency] += decimal_units(cost.amount)
    return {key: value for key, value in units.items() if value}

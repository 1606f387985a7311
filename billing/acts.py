"""What accounts staff do with money, as entries: money in and out, credit notes, fees, write-offs.

Reads: an Act (who did what to which account, under which reference, and why), an amount.
Gives: the Entry of it. A positive posting on the receivable favours the account.
Knows nothing of: whether it may be done (store/), where it is kept, clocks.
"""

from dataclasses import dataclass
from datetime import datetime

from moneyed import Money

from billing.exchange import Conversion
from billing.ledger import Entry, EntryKind, LedgerAccount, LedgerAccountKind, Posting
from values.money import amount_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing done to one account's money. `reference` names it once and for all."""

    account_id: str
    at: datetime
    reference: str
    reason: str = ""

    def entry_id(self, kind: EntryKind) -> str:
        """Return the id of its entry: the reference is in it, so the same act told twice meets itself."""
        return f"{kind}-{self.account_id}-{self.reference}"


def received(act: Act, amount: Money, kind: EntryKind = EntryKind.PAYMENT) -> Entry:
    """Return the entry of money that came in: we keep it for the account."""
    return _moved(act, kind, _positive(amount), LedgerAccountKind.CASH)


def received_abroad(act: Act, conversion: Conversion, kind: EntryKind = EntryKind.PAYMENT) -> Entry:
    """Return the entry of money that came in another currency: each currency sums to zero by itself."""
    paid, credited = _positive(conversion.paid), _positive(conversion.credited)
    told = f"{act.reason or act.reference}: {conversion}"
    postings = (
        *_pair(act, credited, LedgerAccountKind.EXCHANGE),
        _house(LedgerAccountKind.EXCHANGE, amount_units(paid), paid.currency.code),
        _house(LedgerAccountKind.CASH, -amount_units(paid), paid.currency.code),
    )
    return _entry(act, kind, postings, told)


def refunded(act: Act, amount: Money) -> Entry:
    """Return the entry of money given back to the account's holder."""
    return _moved(act, EntryKind.REFUND, -_positive(amount), LedgerAccountKind.CASH)


def voucher_redeemed(act: Act, amount: Money) -> Entry:
    """Return the entry of a voucher's value: owed to whoever held the voucher, now to this account."""
    return _moved(act, EntryKind.VOUCHER, _positive(amount), LedgerAccountKind.VOUCHER)


def credited(
    act: Act, net: Money, tax: Money, rounding: Money, kind: EntryKind = EntryKind.CREDIT_NOTE
) -> Entry:
    """Return the entry of a credit note: revenue is given back, the tax on it, and what rounding adds."""
    units, tax_units = amount_units(_positive(net)), amount_units(tax)
    rounding_units = amount_units(rounding)
    code = net.currency.code
    postings = [
        _account(act, units + tax_units + rounding_units, code),
        _house(LedgerAccountKind.REVENUE, -units, code),
    ]
    if tax_units:
        postings.append(_house(LedgerAccountKind.TAX, -tax_units, code))
    if rounding_units:
        postings.append(_house(LedgerAccountKind.ROUNDING, -rounding_units, code))
    return _entry(act, kind, tuple(postings), act.reason)


def fee_charged(act: Act, amount: Money) -> Entry:
    """Return the entry of a fee that the account owes, such as one for paying late."""
    return _moved(act, EntryKind.FEE, -_positive(amount), LedgerAccountKind.FEES)


def written_off(act: Act, amount: Money) -> Entry:
    """Return the entry of a debt that is no longer asked for."""
    return _moved(act, EntryKind.WRITE_OFF, _positive(amount), LedgerAccountKind.WRITE_OFF)


def reversed_of(act: Act, made: Entry) -> Entry:
    """Return the entry that takes back another one, posting by posting."""
    postings = tuple(
        Posting(ledger_account=posting.ledger_account, units=-posting.units, currency=posting.currency)
        for posting in made.postings
    )
    return _entry(act, EntryKind.REVERSAL, postings, act.reason)


def _moved(act: Act, kind: EntryKind, amount: Money, against: LedgerAccountKind) -> Entry:
    return _entry(act, kind, _pair(act, amount, against), act.reason)


def _entry(act: Act, kind: EntryKind, postings: tuple[Posting, ...], reason: str) -> Entry:
    return Entry(
        id=act.entry_id(kind),
        kind=kind,
        at=act.at,
        reference=act.reference,
        postings=postings,
        reason=reason,
    )


def _pair(act: Act, amount: Money, against: LedgerAccountKind) -> tuple[Posting, Posting]:
    units, code = amount_units(amount), amount.currency.code
    return _account(act, units, code), _house(against, -units, code)


def _account(act: Act, units: int, currency: str) -> Posting:
    receivable = LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner=act.account_id)
    return Posting(ledger_account=receivable, units=units, currency=currency)


def _house(kind: LedgerAccountKind, units: int, currency: str) -> Posting:
    return Posting(ledger_account=LedgerAccount(kind=kind), units=units, currency=currency)


def _positive(amount: Money) -> Money:
    if amount_units(amount) <= 0:
        raise ValueError("amount: write more than zero; each act has its own direction")
    return amount

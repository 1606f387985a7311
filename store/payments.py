"""Payments, top-ups, refunds, corrections and write-offs: what may be done, and how it is written down.

Reads: an amount, an Author; the account's standing under its lock.
Gives: Outcomes (store/acts.py); Forbidden where a rule of the house says no.
Knows nothing of: double entry (billing/acts.py), the words of commands.

Rules:
1. Money in another currency is converted by the rate of its day in the account's zone; the rate is kept.
2. A refund is never more than the account has to its credit, holds of running calls set aside, and never
   more than was paid in and not yet given back: credit that was given is no money.
3. A payment that never was is taken back once, by an entry of its own.
4. Only what is owed can be written off.
5. Money came in on a day that is over or today, and not before the account was opened.
"""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from moneyed import Money
from sqlalchemy import Connection, insert

from billing import acts as entries_of
from billing.exchange import Conversion, convert
from billing.ledger import Entry, EntryKind, adjustment_entry
from calls.admission import AccountState
from store import checks, dunning, exchange, ledger
from store.accounts import Account, account
from store.acts import Outcome, act_of, perform
from store.audit import Author
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.schema import conversions
from values.money import amount_units, decimal_from_units, plain_decimal, rate_units

PAID_IN = (EntryKind.PAYMENT, EntryKind.TOP_UP, EntryKind.REVERSAL)
"""Real money of the account's; reversals take back payments only."""
_ACTIONS = {EntryKind.PAYMENT: "payment.add", EntryKind.TOP_UP: "top-up.add"}


def receive(
    connection: Connection,
    account_id: str,
    paid: Money,
    reference: str,
    author: Author,
    *,
    kind: EntryKind = EntryKind.PAYMENT,
    at: datetime | None = None,
) -> Outcome:
    """Write down money that came in, in the account's currency or another that has a rate."""
    owner = account(connection, account_id)
    _more_than_nothing(paid)
    if kind is EntryKind.TOP_UP and owner.state is AccountState.CLOSED:
        raise Forbidden("account", f"{account_id!r} is closed", "top up an open account")
    if at is not None:
        _while_open(owner, at, author)
    act = act_of(account_id, reference, author, at=at)
    code = paid.currency.code
    conversion: list[Conversion] = []

    def make() -> Entry:
        if code == owner.currency:
            return entries_of.received(act, paid, kind)
        day = act.at.astimezone(ZoneInfo(owner.zone)).date()
        rate = exchange.rate_between(connection, code, owner.currency, day)
        made = convert(paid, owner.currency, rate)
        if amount_units(made.credited) <= 0:
            problem = f"{made} is nothing once it is rounded to what {owner.currency} is paid in"
            raise Invalid("amount", problem, "write it down together with more")
        checks.amount("amount", amount_units(made.credited), owner.currency)
        conversion.append(made)
        return entries_of.received_abroad(act, conversion[0], kind)

    said = {"currency": code, "units": amount_units(paid)}
    outcome = perform(connection, act, make, action=_ACTIONS[kind], said=said, author=author)
    if outcome.is_new and conversion:
        _keep(connection, outcome.entry.id, conversion[0])
    dunning.relieve(connection, account_id, author)
    return outcome


def refund(connection: Connection, account_id: str, amount: Money, reference: str, author: Author) -> Outcome:
    """Give money back; Forbidden beyond the account's credit or beyond what was paid in."""
    owner = _own_currency(connection, account_id, amount)
    act = act_of(account_id, reference, author)
    units = _more_than_nothing(amount)

    def make() -> Entry:
        credit, paid_in = _left(connection, account_id)
        most = max(min(credit, paid_in), 0)
        if units > most:
            why = "to its credit" if credit <= paid_in else "paid in and not yet given back"
            problem = f"{_shown(units)} is more than the {_shown(most)} {owner.currency} {why}"
            raise Forbidden("amount", problem, "refund less")
        return entries_of.refunded(act, amount)

    return perform(connection, act, make, action="refund.add", said=_said(amount), author=author)


def refundable_units(connection: Connection, account_id: str) -> int:
    """How much may be given back: what the account has to its credit and paid in."""
    return max(min(_left(connection, account_id)), 0)


def reverse_payment(
    connection: Connection, account_id: str, payment_reference: str, reference: str, author: Author
) -> Outcome:
    """Take back a payment or top-up that never was, such as one that bounced or was mistyped."""
    account(connection, account_id)
    act = act_of(account_id, reference, author)

    def make() -> Entry:
        mistaken = _payment(connection, account_id, payment_reference)
        made = replace(entries_of.reversed_of(act, mistaken), id=f"reversal-{mistaken.id}")
        if any(each.id == made.id for each in _reversals(connection, account_id)):
            raise Conflict(
                "payment", f"{payment_reference!r} was taken back already", "see `dialback ledger show`"
            )
        return made

    return perform(
        connection, act, make, action="payment.reverse", said={"of": payment_reference}, author=author
    )


def adjust(connection: Connection, account_id: str, amount: Money, reference: str, author: Author) -> Outcome:
    """Correct a balance by a further entry: more than zero is given to the account, less is taken."""
    _own_currency(connection, account_id, amount)
    act = act_of(account_id, reference, author)
    if not amount_units(amount):
        raise Invalid("amount", "it is zero", "write what is given, or with a minus what is taken")

    def make() -> Entry:
        return adjustment_entry(
            id=act.entry_id(EntryKind.ADJUSTMENT),
            at=act.at,
            account_id=account_id,
            reference=act.reference,
            amount=amount,
            reason=act.reason,
        )

    outcome = perform(connection, act, make, action="ledger.adjust", said=_said(amount), author=author)
    dunning.relieve(connection, account_id, author)
    return outcome


def write_off(
    connection: Connection,
    account_id: str,
    amount: Money,
    reference: str,
    author: Author,
    *,
    to_come_units: int = 0,
) -> Outcome:
    """Ask no longer for a debt; Forbidden beyond what the account owes, and will owe by its last invoice."""
    owner = _own_currency(connection, account_id, amount)
    act = act_of(account_id, reference, author)
    units = _more_than_nothing(amount)

    def make() -> Entry:
        owed = to_come_units - ledger.standing(connection, account_id).posted_units
        if units > owed:
            problem = f"{_shown(units)} is more than the {_shown(max(owed, 0))} {owner.currency} owed"
            raise Forbidden("amount", problem, "write off less")
        return entries_of.written_off(act, amount)

    outcome = perform(connection, act, make, action="write-off.add", said=_said(amount), author=author)
    dunning.relieve(connection, account_id, author)
    return outcome


def _while_open(owner: Account, at: datetime, author: Author) -> None:
    """Refuse money of a day to come, or of one before there was the account."""
    if at > author.at:
        raise Invalid("at", f"{at.isoformat()} is still to come", "write it down when the money is there")
    zone = ZoneInfo(owner.zone)
    opened = None if owner.created_at is None else owner.created_at.astimezone(zone).date()
    if opened is not None and at.astimezone(zone).date() < opened:
        problem = f"{at.isoformat()} is before account {owner.id!r} was opened"
        raise Invalid("at", problem, f"name {opened} or a later day")


def _left(connection: Connection, account_id: str) -> tuple[int, int]:
    """The account's credit with holds set aside, and what of it was paid in and not yet given back."""
    stand = ledger.standing(connection, account_id)
    paid_in = ledger.moved_units(connection, account_id, (*PAID_IN, EntryKind.REFUND))
    return stand.posted_units - stand.pending_units, paid_in


def _keep(connection: Connection, entry_id: str, made: Conversion) -> None:
    connection.execute(
        insert(conversions),
        {
            "entry_id": entry_id,
            "paid_currency": made.paid.currency.code,
            "paid_units": amount_units(made.paid),
            "currency": made.credited.currency.code,
            "units": amount_units(made.credited),
            "base": made.by.base,
            "quote": made.by.quote,
            "rate": rate_units(made.by.rate),
            "rate_on": made.by.on,
        },
    )


def _payment(connection: Connection, account_id: str, reference: str) -> Entry:
    for kind in (EntryKind.PAYMENT, EntryKind.TOP_UP):
        for each in ledger.list_entries(connection, account_id=account_id, kind=kind):
            if each.reference == reference:
                return each
    remedy = f"see `dialback payment list --account {account_id}`"
    raise NotFound("payment", f"{account_id!r} has no payment {reference!r}", remedy)


def _reversals(connection: Connection, account_id: str) -> tuple[Entry, ...]:
    return ledger.list_entries(connection, account_id=account_id, kind=EntryKind.REVERSAL)


def _own_currency(connection: Connection, account_id: str, amount: Money) -> Account:
    owner = account(connection, account_id)
    if amount.currency.code != owner.currency:
        problem = f"account {account_id!r} keeps its books in {owner.currency}"
        raise Invalid("currency", problem, f"write the amount in {owner.currency}")
    return owner


def _more_than_nothing(amount: Money) -> int:
    units = amount_units(amount)
    if units <= 0:
        raise Invalid("amount", f"{plain_decimal(amount.amount)} is not more than zero", "write what moved")
    return units


def _said(amount: Money) -> dict[str, object]:
    return {"currency": amount.currency.code, "units": amount_units(amount)}


def _shown(units: int) -> str:
    return plain_decimal(decimal_from_units(units))

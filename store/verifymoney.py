"""What `ledger verify` compares about money that people moved: acts, conversions.

Reads: money_acts, conversions and the entries they led to.
Gives: CHECKS: a sentence, and the rows that it is true of; and conversions reckoned anew.
Knows nothing of: calls.
"""

from collections.abc import Iterator

from moneyed import Money
from sqlalchemy import Connection, Select, and_, func, or_, select

from billing.exchange import ExchangeRate, convert
from billing.ledger import EntryKind
from store.schema import conversions, entries, money_acts, postings
from values.money import amount_units, decimal_from_units, rate_from_units

_Rows = Select[*tuple[object, ...]]

BY_PEOPLE = (
    EntryKind.PAYMENT,
    EntryKind.TOP_UP,
    EntryKind.VOUCHER,
    EntryKind.REFUND,
    EntryKind.CREDIT_NOTE,
    EntryKind.WRITE_OFF,
    EntryKind.REVERSAL,
)
"""Entries that only a person makes: each has its act, and with it a reference and a line in the audit log."""

_moved = (
    select(postings.c.entry_id, postings.c.ledger_account_id, postings.c.currency, postings.c.units)
    .where(postings.c.ledger_account_id.like("receivable:%"))
    .subquery()
)
_swapped = select(postings.c.entry_id).where(postings.c.ledger_account_id == "exchange").distinct().subquery()

CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "{action} {reference} of account {account_id}: there is no entry {entry_id}",
        select(money_acts.c.action, money_acts.c.reference, money_acts.c.account_id, money_acts.c.entry_id)
        .outerjoin(entries, entries.c.id == money_acts.c.entry_id)
        .where(entries.c.id.is_(None)),
    ),
    (
        "{action} {reference} of account {account_id} moved {units} {currency}, its entry {entry_id} did not",
        select(
            money_acts.c.action,
            money_acts.c.reference,
            money_acts.c.account_id,
            money_acts.c.units,
            money_acts.c.currency,
            money_acts.c.entry_id,
        )
        .join(entries, entries.c.id == money_acts.c.entry_id)
        .outerjoin(
            _moved,
            and_(
                _moved.c.entry_id == money_acts.c.entry_id,
                _moved.c.ledger_account_id == "receivable:" + money_acts.c.account_id,
                _moved.c.currency == money_acts.c.currency,
            ),
        )
        .where(
            or_(
                func.coalesce(_moved.c.units, 0) != money_acts.c.units,
                entries.c.at != money_acts.c.at,
                entries.c.reference != money_acts.c.reference,
            )
        ),
    ),
    (
        "entry {id} is a {kind} that nobody is known to have made",
        select(entries.c.id, entries.c.kind)
        .outerjoin(money_acts, money_acts.c.entry_id == entries.c.id)
        .where(entries.c.kind.in_([kind.value for kind in BY_PEOPLE]), money_acts.c.entry_id.is_(None)),
    ),
    (
        "entry {entry_id} is in two currencies and no exchange rate is kept with it",
        select(_swapped.c.entry_id)
        .join(entries, entries.c.id == _swapped.c.entry_id)
        .outerjoin(conversions, conversions.c.entry_id == _swapped.c.entry_id)
        .where(conversions.c.entry_id.is_(None), entries.c.kind != EntryKind.REVERSAL.value),
    ),
    (
        "entry {entry_id}: {units} {currency} was converted, and the entry says another amount",
        select(conversions.c.entry_id, conversions.c.units, conversions.c.currency)
        .outerjoin(
            _moved,
            and_(_moved.c.entry_id == conversions.c.entry_id, _moved.c.currency == conversions.c.currency),
        )
        .where(func.coalesce(_moved.c.units, 0) != conversions.c.units),
    ),
)


def conversions_reckoned(connection: Connection) -> Iterator[str]:
    """A sentence for each conversion that its own rate does not lead to."""
    for row in connection.execute(select(conversions)).mappings():
        try:
            by = ExchangeRate(
                base=row["base"], quote=row["quote"], rate=rate_from_units(row["rate"]), on=row["rate_on"]
            )
            paid = Money(decimal_from_units(row["paid_units"]), row["paid_currency"])
            units = amount_units(convert(paid, row["currency"], by).credited)
        except ValueError as error:
            yield f"entry {row['entry_id']}: its conversion cannot be meant: {error}"
            continue
        if units != row["units"]:
            yield f"entry {row['entry_id']}: by {by} it is {units} {row['currency']}, not {row['units']}"

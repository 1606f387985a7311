"""What `ledger verify` compares about money that people moved: acts, conversions, credit notes, vouchers.

Reads: money_acts, conversions, credit_notes, disputes, vouchers and the entries they led to.
Gives: CHECKS: a sentence, and the rows that it is true of; and conversions reckoned anew.
Knows nothing of: calls.
"""

from collections.abc import Iterator

from moneyed import Money
from sqlalchemy import Connection, Select, and_, func, not_, or_, select

from billing.exchange import ExchangeRate, convert
from billing.ledger import EntryKind
from store.callcredits import IS_CALL_CREDIT
from store.invoicetables import invoices
from store.moneytables import credit_notes, disputes, voucher_batches, vouchers
from store.schema import cdrs, charges, conversions, entries, money_acts, postings, settlements
from values.money import amount_units, decimal_from_units, rate_from_units

_Rows = Select[*tuple[object, ...]]

OF_NOTES = (EntryKind.CREDIT_NOTE, EntryKind.CALL_CREDIT)
BY_PEOPLE = (
    EntryKind.PAYMENT,
    EntryKind.TOP_UP,
    EntryKind.VOUCHER,
    EntryKind.REFUND,
    *OF_NOTES,
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


_credited = (
    select(credit_notes.c.callback_id, func.sum(credit_notes.c.units).label("units"))
    .group_by(credit_notes.c.callback_id)
    .subquery()
)
_highest = (
    select(charges.c.leg_id, func.max(charges.c.amount_units).label("units"))
    .group_by(charges.c.leg_id)
    .subquery()
)
_charged = (
    select(cdrs.c.callback_id, func.sum(_highest.c.units).label("units"))
    .join(_highest, _highest.c.leg_id == cdrs.c.leg_id)
    .group_by(cdrs.c.callback_id)
    .subquery()
)
_owner = "receivable:" + credit_notes.c.account_id
_batch_made = select(vouchers.c.batch_id, func.count().label("made")).group_by(vouchers.c.batch_id).subquery()

PAPER_CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "credit note {number} gives {units} and {tax_units} tax, its entry {entry_id} another amount",
        select(credit_notes.c.number, credit_notes.c.units, credit_notes.c.tax_units, credit_notes.c.entry_id)
        .outerjoin(
            _moved,
            and_(
                _moved.c.entry_id == credit_notes.c.entry_id,
                _moved.c.ledger_account_id == _owner,
                _moved.c.currency == credit_notes.c.currency,
            ),
        )
        .outerjoin(invoices, invoices.c.number == credit_notes.c.number)
        # Notes older than their papers were not rounded.
        .where(
            func.coalesce(_moved.c.units, 0)
            != credit_notes.c.units + credit_notes.c.tax_units + func.coalesce(invoices.c.rounding_units, 0)
        ),
    ),
    (
        "credit note {number} gives {units} and {tax_units} tax, its paper {charges_units}, or other tax",
        select(
            credit_notes.c.number, credit_notes.c.units, credit_notes.c.tax_units, invoices.c.charges_units
        )
        .join(invoices, invoices.c.number == credit_notes.c.number)
        .where(
            or_(
                invoices.c.charges_units != credit_notes.c.units,
                invoices.c.tax_units != credit_notes.c.tax_units,
            )
        ),
    ),
    (
        "entry {id} is a credit note and no document of it is kept",
        select(entries.c.id)
        .outerjoin(credit_notes, credit_notes.c.entry_id == entries.c.id)
        .where(entries.c.kind.in_(OF_NOTES), credit_notes.c.entry_id.is_(None)),
    ),
    (
        "credit note {number} came before its callback's invoice, and is not dated, taxed or printed so",
        select(credit_notes.c.number)
        .join(entries, entries.c.id == credit_notes.c.entry_id)
        .join(settlements, settlements.c.callback_id == credit_notes.c.callback_id)
        .join(invoices, invoices.c.number == credit_notes.c.number)
        .where(or_(IS_CALL_CREDIT, entries.c.kind == EntryKind.CALL_CREDIT.value))
        .where(
            or_(
                entries.c.kind != EntryKind.CALL_CREDIT.value,
                not_(IS_CALL_CREDIT),
                entries.c.at != settlements.c.ended_at,
                credit_notes.c.tax_units != 0,
                invoices.c.corrects != "",
            )
        ),
    ),
    (
        "credit notes are numbered up to {newest} and there are {count}: one is missing",
        select(func.max(credit_notes.c.sequence).label("newest"), func.count().label("count")).having(
            func.coalesce(func.max(credit_notes.c.sequence), 0) != func.count()
        ),
    ),
    (
        "callback {callback_id}: {units} was given back and {charged} was charged at most",
        select(
            _credited.c.callback_id,
            _credited.c.units,
            func.coalesce(_charged.c.units, 0).label("charged"),
        )
        .outerjoin(_charged, _charged.c.callback_id == _credited.c.callback_id)
        .where(_credited.c.units > func.coalesce(_charged.c.units, 0)),
    ),
    (
        "dispute {id} is {state} and its credit note {credit_note} is not there, or is of another leg",
        select(disputes.c.id, disputes.c.state, disputes.c.credit_note)
        .outerjoin(
            credit_notes,
            and_(credit_notes.c.number == disputes.c.credit_note, credit_notes.c.leg_id == disputes.c.leg_id),
        )
        .where((disputes.c.state == "accepted") != credit_notes.c.number.is_not(None)),
    ),
    (
        "voucher {serial} is {state} and its entry {entry_id} says another amount, account, or is not there",
        select(vouchers.c.serial, vouchers.c.state, vouchers.c.entry_id)
        .join(voucher_batches, voucher_batches.c.id == vouchers.c.batch_id)
        .outerjoin(
            _moved,
            and_(
                _moved.c.entry_id == vouchers.c.entry_id,
                _moved.c.ledger_account_id == "receivable:" + vouchers.c.account_id,
                _moved.c.currency == voucher_batches.c.currency,
                _moved.c.units == voucher_batches.c.units,
            ),
        )
        .where((vouchers.c.state == "redeemed") != _moved.c.entry_id.is_not(None)),
    ),
    (
        "entry {id} is of a voucher that says nothing of it",
        select(entries.c.id)
        .outerjoin(vouchers, vouchers.c.entry_id == entries.c.id)
        .where(entries.c.kind == EntryKind.VOUCHER.value, vouchers.c.serial.is_(None)),
    ),
    (
        "voucher batch {id} was made of {count} vouchers and has {made}",
        select(
            voucher_batches.c.id,
            voucher_batches.c.count,
            func.coalesce(_batch_made.c.made, 0).label("made"),
        )
        .outerjoin(_batch_made, _batch_made.c.batch_id == voucher_batches.c.id)
        .where(voucher_batches.c.count != func.coalesce(_batch_made.c.made, 0)),
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

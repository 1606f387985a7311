"""Whether invoices agree with the books: what was issued is derived again and compared (law I7).

Reads: invoices, their callbacks and papers, charges, entries, settlements.
Gives: statements whose rows are disagreements, each with its sentence; papers whose bytes changed.
Knows nothing of: how to mend it; what was issued is corrected by a credit note.
"""

import hashlib
import zlib
from collections.abc import Iterator

from sqlalchemy import Connection, Select, and_, func, or_, select

from billing.ledger import EntryKind, LedgerAccountKind
from store.callcredits import IS_CALL_CREDIT
from store.cdrs import NEWEST_CHARGE
from store.invoicetables import invoice_documents, invoice_sessions, invoices, number_series
from store.moneytables import credit_notes
from store.outcomes import WAIVED_UNITS
from store.schema import cdrs, charges, entries, postings, settlements

_Rows = Select[*tuple[object, ...]]
PAPERS_AT_ONCE = 50
RECEIVABLE = f"{LedgerAccountKind.RECEIVABLE}:"

_is_invoice = invoices.c.kind == "invoice"
_called = (
    select(invoice_sessions.c.number, func.sum(charges.c.amount_units).label("units"))
    .select_from(
        invoice_sessions.join(cdrs, cdrs.c.callback_id == invoice_sessions.c.callback_id).join(
            charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE)
        )
    )
    .group_by(invoice_sessions.c.number)
    .subquery()
)
_waived = (
    select(invoice_sessions.c.number, func.sum(WAIVED_UNITS).label("units"))
    .join(settlements, settlements.c.callback_id == invoice_sessions.c.callback_id)
    .group_by(invoice_sessions.c.number)
    .subquery()
)
_given = (
    select(invoice_sessions.c.number, func.sum(credit_notes.c.units).label("units"))
    .join(credit_notes, credit_notes.c.callback_id == invoice_sessions.c.callback_id)
    .where(IS_CALL_CREDIT)
    .group_by(invoice_sessions.c.number)
    .subquery()
)
_called_units, _waived_units, _given_units = (
    func.coalesce(each.c.units, 0) for each in (_called, _waived, _given)
)
_own_kinds = (EntryKind.FEE, EntryKind.TAX, EntryKind.ROUNDING)
_posted = (
    select(invoices.c.number, func.sum(-postings.c.units).label("units"))
    .join(entries, or_(*(entries.c.id == f"{kind}-" + invoices.c.number for kind in _own_kinds)))
    .join(
        postings,
        and_(
            postings.c.entry_id == entries.c.id,
            postings.c.ledger_account_id == "receivable:" + invoices.c.account_id,
        ),
    )
    .where(_is_invoice)
    .group_by(invoices.c.number)
    .subquery()
)
_asked = invoices.c.previous_units - invoices.c.payments_units + invoices.c.total_units
_paid = invoices.c.payments_units - invoices.c.total_units
_added = invoices.c.items_units + invoices.c.tax_units + invoices.c.rounding_units
_is_of_account = and_(
    # The id is cut out, not put together: so the invoices' own index finds it.
    invoices.c.account_id == func.substr(postings.c.ledger_account_id, len(RECEIVABLE) + 1),
    invoices.c.currency == postings.c.currency,
    _is_invoice,
)
_of_accounts = postings.c.ledger_account_id.like(f"{RECEIVABLE}%")
_moved = (
    select(invoices.c.number, func.sum(postings.c.units).label("units"))
    .select_from(postings.join(entries, entries.c.id == postings.c.entry_id).join(invoices, _is_of_account))
    .where(_of_accounts, entries.c.at >= invoices.c.starts_at, entries.c.at < invoices.c.ends_at)
    .group_by(invoices.c.number)
    .subquery()
)
_earlier = invoices.alias("earlier")
_first = (
    select(invoices.c.account_id, func.min(invoices.c.starts_at).label("starts_at"))
    .where(_is_invoice)
    .group_by(invoices.c.account_id)
    .subquery()
)
_moved_before = (
    select(_first.c.account_id, func.sum(postings.c.units).label("units"))
    .select_from(
        postings.join(entries, entries.c.id == postings.c.entry_id).join(
            _first, _first.c.account_id == func.substr(postings.c.ledger_account_id, len(RECEIVABLE) + 1)
        )
    )
    .where(_of_accounts, entries.c.at < _first.c.starts_at)
    .group_by(_first.c.account_id)
    .subquery()
)
_series = (
    select(invoices.c.series, func.count().label("many"), func.max(invoices.c.count).label("highest"))
    .group_by(invoices.c.series)
    .subquery()
)

CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "invoice {number}: its calls come to {units} less {waived} and {given}, it says {charges_units}",
        select(
            invoices.c.number,
            invoices.c.charges_units,
            _called_units.label("units"),
            _waived_units.label("waived"),
            _given_units.label("given"),
        )
        .outerjoin(_called, _called.c.number == invoices.c.number)
        .outerjoin(_waived, _waived.c.number == invoices.c.number)
        .outerjoin(_given, _given.c.number == invoices.c.number)
        .where(_is_invoice, invoices.c.charges_units != _called_units - _waived_units - _given_units),
    ),
    (
        "invoice {number}: fees, tax and rounding come to {added}, its entries took {units}",
        select(invoices.c.number, _added.label("added"), func.coalesce(_posted.c.units, 0).label("units"))
        .outerjoin(_posted, _posted.c.number == invoices.c.number)
        .where(_is_invoice, _added != func.coalesce(_posted.c.units, 0)),
    ),
    (
        "invoice {number}: its total is {total_units}, its parts sum to {units}",
        select(
            invoices.c.number, invoices.c.total_units, (invoices.c.charges_units + _added).label("units")
        ).where(invoices.c.total_units != invoices.c.charges_units + _added),
    ),
    (
        "invoice {number}: owed before, less payments, and its total come to {units}, it asks for {due}",
        select(invoices.c.number, _asked.label("units"), invoices.c.due_units.label("due")).where(
            _is_invoice, invoices.c.due_units != _asked
        ),
    ),
    (
        "invoice {number}: its payments less its total are {said}, the entries of its period sum to {units}",
        select(invoices.c.number, _paid.label("said"), func.coalesce(_moved.c.units, 0).label("units"))
        .outerjoin(_moved, _moved.c.number == invoices.c.number)
        .where(_is_invoice, _paid != func.coalesce(_moved.c.units, 0)),
    ),
    (
        "invoice {number} says that {owed} was owed before, invoice {earlier} asked for {due}",
        select(
            invoices.c.number,
            invoices.c.previous_units.label("owed"),
            _earlier.c.number.label("earlier"),
            _earlier.c.due_units.label("due"),
        )
        .join(
            _earlier,
            and_(
                _earlier.c.account_id == invoices.c.account_id,
                _earlier.c.ends_at == invoices.c.starts_at,
                _earlier.c.kind == "invoice",
            ),
        )
        .where(_is_invoice, invoices.c.previous_units != _earlier.c.due_units),
    ),
    (
        "invoice {number}, the first of its account, says that {owed} was owed before; entries took {units}",
        select(
            invoices.c.number,
            invoices.c.previous_units.label("owed"),
            func.coalesce(-_moved_before.c.units, 0).label("units"),
        )
        .join(
            _first,
            and_(_first.c.account_id == invoices.c.account_id, _first.c.starts_at == invoices.c.starts_at),
        )
        .outerjoin(_moved_before, _moved_before.c.account_id == invoices.c.account_id)
        .where(_is_invoice, invoices.c.previous_units != func.coalesce(-_moved_before.c.units, 0)),
    ),
    (
        "series {series}: {many} numbers are given, the highest is {highest}, the last is said to be {last}",
        select(_series.c.series, _series.c.many, _series.c.highest, number_series.c.last)
        .join(number_series, number_series.c.series == _series.c.series)
        .where(or_(_series.c.many != _series.c.highest, _series.c.highest != number_series.c.last)),
    ),
    (
        "callback {callback_id} ended in the period of invoice {number} and is not on it",
        select(settlements.c.callback_id, invoices.c.number)
        .join(
            invoices,
            and_(
                invoices.c.account_id == settlements.c.account_id,
                invoices.c.starts_at <= settlements.c.ended_at,
                invoices.c.ends_at > settlements.c.ended_at,
                _is_invoice,
            ),
        )
        .outerjoin(invoice_sessions, invoice_sessions.c.callback_id == settlements.c.callback_id)
        .where(or_(invoice_sessions.c.number.is_(None), invoice_sessions.c.number != invoices.c.number)),
    ),
)


def papers_changed(connection: Connection) -> Iterator[str]:
    """A sentence for each paper whose bytes are not those that were written."""
    wanted = select(
        invoice_documents.c.number,
        invoice_documents.c.form,
        invoice_documents.c.body,
        invoice_documents.c.sha256,
    ).execution_options(yield_per=PAPERS_AT_ONCE)
    for row in connection.execute(wanted):
        if _sha256(row.body) != row.sha256:
            yield f"invoice {row.number}: its {row.form} is not what was issued"


def _sha256(deflated: bytes) -> str:
    try:
        return hashlib.sha256(zlib.decompress(deflated)).hexdigest()
    except zlib.error:
        return ""

"""Whether the books agree with themselves: everything that is kept twice is derived again and compared.

Reads: entries, postings, balances, holds, records, charges, settlements, callbacks.
Gives: one sentence for each disagreement; none is the proof.
Knows nothing of: how to mend it; that takes a person and a further entry.
"""

from sqlalchemy import Connection, Select, func, select

from calls.callback import ENDS
from store.cdrs import NEWEST_CHARGE
from store.schema import callbacks, cdrs, charges, entries, holds, ledger_accounts, postings, settlements

SHOWN_MAX = 1_000
"""More sentences of one kind help nobody."""


def verify(connection: Connection) -> tuple[str, ...]:
    """Every disagreement, in a sentence that names the row."""
    return tuple(
        sentence.format(**row)
        for sentence, wanted in CHECKS
        for row in connection.execute(wanted.limit(SHOWN_MAX)).mappings()
    )


def count_entries(connection: Connection) -> int:
    """How many entries there are."""
    return connection.execute(select(func.count()).select_from(entries)).scalar_one()


_ended = callbacks.c.state.in_(sorted(state.value for state in ENDS))
_derived = (
    select(postings.c.ledger_account_id, postings.c.currency, func.sum(postings.c.units).label("units"))
    .group_by(postings.c.ledger_account_id, postings.c.currency)
    .subquery()
)
_charged = (
    select(cdrs.c.callback_id, func.sum(charges.c.amount_units).label("units"))
    .select_from(
        cdrs.join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
    )
    .group_by(cdrs.c.callback_id)
    .subquery()
)
_taken = (
    select(
        entries.c.id.label("entry_id"),
        func.sum(-postings.c.units).label("units"),
    )
    .select_from(entries.join(postings, postings.c.entry_id == entries.c.id))
    .where(postings.c.ledger_account_id.like("receivable:%"))
    .group_by(entries.c.id)
    .subquery()
)

_Rows = Select[*tuple[object, ...]]
CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "entry {entry_id}: its {currency} postings sum to {units}, not to 0",
        select(postings.c.entry_id, postings.c.currency, func.sum(postings.c.units).label("units"))
        .group_by(postings.c.entry_id, postings.c.currency)
        .having(func.sum(postings.c.units) != 0),
    ),
    (
        "entry {id} has no postings",
        select(entries.c.id).where(
            ~select(postings.c.entry_id).where(postings.c.entry_id == entries.c.id).exists()
        ),
    ),
    (
        "{id} in {currency}: the balance kept is {kept}, its postings sum to {units}",
        select(
            ledger_accounts.c.id,
            ledger_accounts.c.currency,
            ledger_accounts.c.balance_units.label("kept"),
            func.coalesce(_derived.c.units, 0).label("units"),
        )
        .select_from(
            ledger_accounts.outerjoin(
                _derived,
                (_derived.c.ledger_account_id == ledger_accounts.c.id)
                & (_derived.c.currency == ledger_accounts.c.currency),
            )
        )
        .where(ledger_accounts.c.balance_units != func.coalesce(_derived.c.units, 0)),
    ),
    (
        "callback {id} has ended and its books are not closed",
        select(callbacks.c.id)
        .outerjoin(settlements, settlements.c.callback_id == callbacks.c.id)
        .where(_ended, settlements.c.callback_id.is_(None)),
    ),
    (
        "the hold of callback {id} is open and the callback has ended",
        select(holds.c.id)
        .join(callbacks, callbacks.c.id == holds.c.id)
        .where(_ended, holds.c.state == "open"),
    ),
    (
        "leg {leg_id} was answered and has no charge",
        select(cdrs.c.leg_id)
        .outerjoin(charges, charges.c.leg_id == cdrs.c.leg_id)
        .where(cdrs.c.answered_at.is_not(None), charges.c.leg_id.is_(None)),
    ),
    (
        "callback {callback_id}: its legs' charges sum to {units}, its settlement says {gross_units}",
        select(settlements.c.callback_id, settlements.c.gross_units, _charged.c.units)
        .join(_charged, _charged.c.callback_id == settlements.c.callback_id)
        .where(settlements.c.gross_units != _charged.c.units),
    ),
    (
        "callback {callback_id}: {units} was taken, its settlement says {gross_units} less {waived_units}",
        select(
            settlements.c.callback_id, settlements.c.gross_units, settlements.c.waived_units, _taken.c.units
        )
        .join(_taken, _taken.c.entry_id == settlements.c.entry_id)
        .where(settlements.c.gross_units - settlements.c.waived_units != _taken.c.units),
    ),
)

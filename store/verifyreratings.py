"""Whether re-ratings agree with the books: charges, outcomes and entries say the same.

Reads: reratings, settlements, charges, records, entries.
Gives: CHECKS: a sentence and what it would be said of.
Knows nothing of: the other checks (store/verify.py).
"""

from sqlalchemy import Select, func, select

from store.cdrs import NEWEST_CHARGE
from store.reratingtables import reratings
from store.schema import cdrs, charges, entries, postings, settlements

_priced = (
    select(cdrs.c.callback_id, charges.c.revision, func.sum(charges.c.amount_units).label("units"))
    .select_from(cdrs.join(charges, charges.c.leg_id == cdrs.c.leg_id))
    .group_by(cdrs.c.callback_id, charges.c.revision)
    .subquery()
)
_taken = (
    select(postings.c.entry_id, func.sum(-postings.c.units).label("units"))
    .where(postings.c.ledger_account_id.like("receivable:%"))
    .group_by(postings.c.entry_id)
    .subquery()
)
_other = reratings.alias("other")
_before = func.coalesce(
    select(_other.c.gross_units - _other.c.waived_units)
    .where(_other.c.callback_id == reratings.c.callback_id, _other.c.revision == reratings.c.revision - 1)
    .correlate(reratings)
    .scalar_subquery(),
    settlements.c.gross_units - settlements.c.waived_units,
)
_last = (
    select(func.coalesce(func.max(_other.c.revision), 0))
    .where(_other.c.callback_id == cdrs.c.callback_id)
    .correlate(cdrs)
    .scalar_subquery()
)

_Rows = Select[*tuple[object, ...]]
CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "callback {callback_id}: charges of revision {revision} sum to {units}, re-rated to {gross_units}",
        select(reratings.c.callback_id, reratings.c.revision, reratings.c.gross_units, _priced.c.units)
        .select_from(
            reratings.outerjoin(
                _priced,
                (_priced.c.callback_id == reratings.c.callback_id)
                & (_priced.c.revision == reratings.c.revision),
            )
        )
        .where(func.coalesce(_priced.c.units, -1) != reratings.c.gross_units),
    ),
    (
        "leg {leg_id}: the charge in effect is revision {revision}, its callback was re-rated {last} times",
        select(cdrs.c.leg_id, charges.c.revision, _last.label("last"))
        .select_from(
            cdrs.join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
        )
        .where(charges.c.revision != _last),
    ),
    (
        "callback {callback_id}: re-rating {revision} took {units}, not {gross_units} less {waived_units}",
        select(
            reratings.c.callback_id,
            reratings.c.revision,
            _taken.c.units,
            reratings.c.gross_units,
            reratings.c.waived_units,
        )
        .select_from(reratings.outerjoin(_taken, _taken.c.entry_id == reratings.c.entry_id))
        .where(func.coalesce(_taken.c.units, -1) != reratings.c.gross_units - reratings.c.waived_units),
    ),
    (
        "callback {callback_id}: re-rating {revision} gave {units} back of {total_units}",
        select(
            reratings.c.callback_id,
            reratings.c.revision,
            (-_taken.c.units).label("units"),
            _before.label("total_units"),
        )
        .select_from(
            reratings.join(settlements, settlements.c.callback_id == reratings.c.callback_id).outerjoin(
                _taken, _taken.c.entry_id == reratings.c.reversal_id
            )
        )
        .where(func.coalesce(-_taken.c.units, -1) != _before),
    ),
    (
        "entry {id} re-rates callback {reference}, of which no re-rating tells",
        select(entries.c.id, entries.c.reference)
        .outerjoin(
            reratings,
            (reratings.c.callback_id == entries.c.reference)
            & entries.c.id.in_([reratings.c.entry_id, reratings.c.reversal_id]),
        )
        .where(entries.c.kind == "rerate", reratings.c.callback_id.is_(None)),
    ),
)

"""Whether what attempts cost is in the books: each is reckoned anew from the row that was pinned for it.

Reads: attempt_costs, records, legs, settlements, the entries they led to.
Gives: CHECKS: a sentence and what it would be said of; and attempts reckoned anew.
Knows nothing of: the other checks (store/verify.py).
"""

from collections.abc import Iterator

from sqlalchemy import Connection, Select, func, or_, select

from billing.ledger import EntryKind
from store.attempts import attempts_costs
from store.callbackrows import leg_of
from store.schema import attempt_costs, cdrs, entries, legs, postings, settlements
from values.money import decimal_units

LEGS_AT_ONCE = 2_000
"""Reckoned together: their rows are looked up by one statement for each deck."""

_asked = (
    select(
        attempt_costs.c.entry_id,
        attempt_costs.c.cost_currency.label("currency"),
        func.sum(attempt_costs.c.cost_units).label("units"),
    )
    .group_by(attempt_costs.c.entry_id, attempt_costs.c.cost_currency)
    .subquery()
)
_earned = (
    select(postings.c.entry_id, postings.c.currency, func.sum(postings.c.units).label("units"))
    .where(postings.c.ledger_account_id.like("carrier_payable:%"))
    .group_by(postings.c.entry_id, postings.c.currency)
    .subquery()
)

_Rows = Select[*tuple[object, ...]]
CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "leg {leg_id} was answered, and is booked as an attempt in vain",
        select(cdrs.c.leg_id)
        .join(attempt_costs, attempt_costs.c.leg_id == cdrs.c.leg_id)
        .where(cdrs.c.answered_at.is_not(None)),
    ),
    (
        "entry {entry_id}: its attempts cost {units} {currency}, its carriers were credited {earned}",
        select(
            _asked.c.entry_id,
            _asked.c.currency,
            _asked.c.units,
            func.coalesce(_earned.c.units, 0).label("earned"),
        )
        .outerjoin(
            _earned, (_earned.c.entry_id == _asked.c.entry_id) & (_earned.c.currency == _asked.c.currency)
        )
        .where(_asked.c.units != func.coalesce(_earned.c.units, 0)),
    ),
    (
        "entry {id} books attempts of callback {reference}, of which none is known",
        select(entries.c.id, entries.c.reference)
        .outerjoin(attempt_costs, attempt_costs.c.entry_id == entries.c.id)
        .where(entries.c.kind == EntryKind.ATTEMPTS.value, attempt_costs.c.leg_id.is_(None)),
    ),
    (
        "leg {leg_id}: its attempt is in entry {entry_id}, which is of another callback or instant",
        select(attempt_costs.c.leg_id, attempt_costs.c.entry_id)
        .join(cdrs, cdrs.c.leg_id == attempt_costs.c.leg_id)
        .join(settlements, settlements.c.callback_id == cdrs.c.callback_id)
        .outerjoin(entries, entries.c.id == attempt_costs.c.entry_id)
        .where(
            or_(
                entries.c.id.is_(None),
                entries.c.kind != EntryKind.ATTEMPTS.value,
                entries.c.reference != settlements.c.callback_id,
                entries.c.at != settlements.c.ended_at,
            )
        ),
    ),
)


def attempts_reckoned(connection: Connection) -> Iterator[str]:
    """A sentence for each leg whose attempt costs another amount by its pinned row, or is not booked."""
    for rows in connection.execute(TRIED).mappings().partitions(LEGS_AT_ONCE):
        tried = [leg_of(row) for row in rows]
        fees = {cost.leg.id: cost.charge for cost in attempts_costs(connection, tried)}
        for row in rows:
            charge = fees.get(row["id"])
            asked = (0, "") if charge is None else (decimal_units(charge.amount), charge.currency)
            booked = (row["cost_units"] or 0, row["cost_currency"] or "")
            if asked != booked:
                told = f"by its row the attempt costs {_said(*asked)}, and {_said(*booked)} is booked"
                yield f"leg {row['id']}: {told}"


TRIED = (
    select(legs, attempt_costs.c.cost_units, attempt_costs.c.cost_currency)
    .select_from(
        legs.join(cdrs, cdrs.c.leg_id == legs.c.id).outerjoin(
            attempt_costs, attempt_costs.c.leg_id == legs.c.id
        )
    )
    .where(cdrs.c.answered_at.is_(None))
    .order_by(legs.c.id)
)


def _said(units: int, currency: str) -> str:
    return f"{units} {currency}" if units else "nothing"

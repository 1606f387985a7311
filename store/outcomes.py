"""What a callback came to as of today: by its settlement, or by its last re-rating, and what was given back.

Reads: rows of `settlements`, `reratings` and `credit_notes`.
Gives: GROSS_UNITS, WAIVED_UNITS, TOTAL_UNITS, to be selected beside a row of `settlements`; a Total.
Knows nothing of: why a price is another, or why it was given back.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, Table, bindparam, func, select

from store.moneytables import credit_notes
from store.reratingtables import reratings
from store.schema import settlements


def _newest(units: Callable[[Table], ColumnElement[int]]) -> ColumnElement[int]:
    last = (
        select(units(reratings))
        .where(reratings.c.callback_id == settlements.c.callback_id)
        .order_by(reratings.c.revision.desc())
        .limit(1)
        .correlate(settlements)
        .scalar_subquery()
    )
    return func.coalesce(last, units(settlements))


GROSS_UNITS = _newest(lambda outcome: outcome.c.gross_units).label("gross_units")
WAIVED_UNITS = _newest(lambda outcome: outcome.c.waived_units).label("waived_units")
TOTAL_UNITS = _newest(lambda outcome: outcome.c.gross_units - outcome.c.waived_units).label("total_units")


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a callback came to, in 10^-4 of its currency's unit and before tax.

    `units` is the charge, `waived_units` taken off; `credited_units` is what credit notes gave back of it.
    """

    currency: str
    units: int
    waived_units: int
    credited_units: int

    @property
    def net_units(self) -> int:
        """What it costs its account."""
        return self.units - self.credited_units


def total_of(connection: Connection, callback_id: str) -> Total | None:
    """What a callback came to; None until its books are closed."""
    row = connection.execute(TOTAL, {"callback_id": callback_id}).one_or_none()
    if row is None:
        return None
    return Total(
        currency=row.currency,
        units=row.total_units,
        waived_units=row.waived_units,
        credited_units=int(row.credited_units),
    )


_CREDITED = select(func.coalesce(func.sum(credit_notes.c.units), 0)).where(
    credit_notes.c.callback_id == bindparam("callback_id")
)
TOTAL = select(
    settlements.c.currency, TOTAL_UNITS, WAIVED_UNITS, _CREDITED.scalar_subquery().label("credited_units")
).where(settlements.c.callback_id == bindparam("callback_id"))

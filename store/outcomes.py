"""What a callback came to as of today: by its settlement, or by its last re-rating.

Reads: rows of `settlements` and `reratings`.
Gives: GROSS_UNITS, WAIVED_UNITS and TOTAL_UNITS, to be selected beside a row of `settlements`.
Knows nothing of: why a price is another.
"""

from collections.abc import Callable

from sqlalchemy import ColumnElement, Table, func, select

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

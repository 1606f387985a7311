"""What a callback came to as of today: by its settlement, or by its last re-rating.

Reads: rows of `settlements` and `reratings`.
Gives: GROSS_UNITS and WAIVED_UNITS, to be selected beside a row of `settlements`.
Knows nothing of: why a price is another.
"""

from sqlalchemy import ColumnElement, func, select

from store.reratingtables import reratings
from store.schema import settlements


def _newest(name: str) -> ColumnElement[int]:
    last = (
        select(reratings.c[name])
        .where(reratings.c.callback_id == settlements.c.callback_id)
        .order_by(reratings.c.revision.desc())
        .limit(1)
        .correlate(settlements)
        .scalar_subquery()
    )
    return func.coalesce(last, settlements.c[name]).label(name)


GROSS_UNITS = _newest("gross_units")
WAIVED_UNITS = _newest("waived_units")

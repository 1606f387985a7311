"""Our side of a carrier's bill: the legs it is paid for, as they are laid beside its own records.

Reads: records on the carrier's trunks, the cost in effect of each.
Gives: CallsSeen.
Knows nothing of: the carrier's file (billing/carrierfile.py), pairs (billing/reconcile.py).
"""

from datetime import timedelta

from sqlalchemy import Connection, func, select

from billing.reconcile import CallSeen
from billing.span import Span
from store.cdrs import NEWEST_CHARGE
from store.columns import UtcMicros
from store.errors import NotFound
from store.grouping import seconds_between
from store.schema import attempt_costs, cdrs, charges, trunks
from values.money import decimal_from_units

ANSWERED, STARTED = "answered", "started"
TALKED, BILLED = "talked", "billed"


def our_calls(
    connection: Connection,
    carrier: str,
    span: Span,
    *,
    beyond: timedelta,
    at: str = ANSWERED,
    seconds: str = TALKED,
) -> tuple[CallSeen, ...]:
    """The answered legs of the range; those up to `beyond` outside of it do not count, but may be partners.

    An attempt that nobody answered is among them, with 0 seconds, if the carrier asks a fee for it.
    `at`: whether the carrier writes down the answer or the start. `seconds`: the talk, or what its increments
    make of it.
    """
    names = tuple(connection.execute(select(trunks.c.name).where(trunks.c.carrier == carrier)).scalars())
    if not names:
        raise NotFound("carrier", f"no trunk is of carrier {carrier!r}", "see `dialback trunk list`")
    answered_at = func.coalesce(cdrs.c.answered_at, cdrs.c.invited_at, type_=UtcMicros())
    moment = answered_at if at == ANSWERED else cdrs.c.invited_at
    # A charge's own talk may start later, at the acceptance; a carrier counts from the answer.
    talked = seconds_between(cdrs.c.answered_at, cdrs.c.hung_up_at)
    length = talked if seconds == TALKED else charges.c.cost_seconds
    cost = func.coalesce(charges.c.cost_units, attempt_costs.c.cost_units)
    query = (
        select(
            cdrs.c.leg_id,
            cdrs.c.number,
            moment.label("at"),
            func.coalesce(length, 0).label("seconds"),
            cost.label("cost_units"),
        )
        .select_from(
            cdrs.outerjoin(
                charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE)
            ).outerjoin(attempt_costs, attempt_costs.c.leg_id == cdrs.c.leg_id)
        )
        .where(cdrs.c.trunk.in_(names), cost.is_not(None))
        # Every leg hangs up after it started: the index on trunk and hang-up finds the first of them.
        .where(cdrs.c.hung_up_at >= span.starts_at - beyond)
        .where(moment >= span.starts_at - beyond, moment < span.ends_at + beyond)
    )
    return tuple(
        CallSeen(
            key=row.leg_id,
            number=row.number.removeprefix("+"),
            at=row.at,
            seconds=row.seconds,
            cost=decimal_from_units(row.cost_units),
            counts=span.starts_at <= row.at < span.ends_at,
        )
        for row in connection.execute(query)
    )

"""By what a report is grouped, and over which legs it goes: the part that all reports share.

Reads: `cdrs` with what they are joined to.
Gives: the tables to select from, the columns of a group's key, and the key as text once it is read.
Knows nothing of: what a report sums.

A leg belongs to the day on which its callback ended, as on the invoice. Local days are named by integers
alone: the instant plus the zone's offset then, divided by a day; so no engine needs to know zones.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    case,
    func,
    literal_column,
    null,
    select,
    type_coerce,
)

from billing.span import Span, day_of
from store.cdrs import NEWEST_CHARGE
from store.decks import pinned_rates
from store.errors import NotFound
from store.schema import accounts, callbacks, cdrs, charges, legs, trunks
from values.instants import micros

SECOND_MICROS = 1_000_000
DAY_MICROS = 86_400 * SECOND_MICROS
RATES_AT_ONCE = 5_000
NOBODY = "-"
"""What stands where a leg has no tag, or rang no number of ours."""


class By(StrEnum):
    """What the lines of a report are."""

    DAY = "day"
    DESTINATION = "destination"
    CARRIER = "carrier"
    ACCOUNT = "account"
    SUBSCRIBER = "subscriber"
    TAG = "tag"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The legs that a report goes over."""

    by: By
    span: Span
    account_id: str | None = None
    carrier: str | None = None


def instant_number(column: ColumnElement[Any]) -> ColumnElement[int]:
    """The instant of a column as what it is on disk, whole microseconds."""
    return type_coerce(column, BigInteger())


def local_day(column: ColumnElement[Any], span: Span) -> ColumnElement[int]:
    """The number of the day, from 1970-01-01, on which that instant fell in the span's zone."""
    instant = instant_number(column)
    first, *later = span.offsets()
    offset: ColumnElement[int] = _whole(first.seconds * SECOND_MICROS)
    if later:
        pieces = [
            (instant >= _whole(micros(each.from_at)), _whole(each.seconds * SECOND_MICROS))
            for each in reversed(later)
        ]
        offset = case(*pieces, else_=offset)
    return (instant + offset) // _whole(DAY_MICROS)


def legs_of(wanted: Wanted) -> FromClause:
    """`cdrs` with the charge in effect, and the tables that the group's key needs."""
    newest = (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE)
    found: FromClause = cdrs.join(accounts, accounts.c.id == cdrs.c.account_id)
    found = found.outerjoin(charges, newest)
    if wanted.by in {By.SUBSCRIBER, By.TRIGGER}:
        found = found.join(callbacks, callbacks.c.id == cdrs.c.callback_id)
    if wanted.by is By.CARRIER or wanted.carrier is not None:
        found = found.outerjoin(trunks, trunks.c.name == cdrs.c.trunk)
    if wanted.by is By.DESTINATION:
        found = found.join(legs, legs.c.id == cdrs.c.leg_id)
    return found


def keys_of(wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    """The columns by which the legs are grouped; `name_keys` tells what they say."""
    match wanted.by:
        case By.DAY:
            return (local_day(cdrs.c.session_ended_at, wanted.span),)
        case By.DESTINATION:
            # Nobody answered: no charge, but the rate is pinned, and it knows its destination.
            pinned = case((charges.c.leg_id.is_(None), legs.c.price_rate_id), else_=null())
            return (charges.c.destination, pinned)
        case By.CARRIER:
            return (func.coalesce(trunks.c.carrier, cdrs.c.trunk),)
        case By.ACCOUNT:
            return (cdrs.c.account_id,)
        case By.SUBSCRIBER:
            return (cdrs.c.account_id, callbacks.c.subscriber_id)
        case By.TAG:
            return (cdrs.c.account_id, cdrs.c.tag)
        case By.TRIGGER:
            return (trigger_key(),)


def trigger_key() -> ColumnElement[str]:
    """Our number that was rung; for a request, the door it came in by."""
    return func.coalesce(callbacks.c.did, callbacks.c.origin_kind)


def within(wanted: Wanted, query: Select[Any]) -> Select[Any]:
    """The query, over the wanted legs alone."""
    ended = cdrs.c.session_ended_at
    query = query.where(ended >= wanted.span.starts_at, ended < wanted.span.ends_at)
    if wanted.account_id is not None:
        query = query.where(cdrs.c.account_id == wanted.account_id)
    if wanted.carrier is not None:
        query = query.where(func.coalesce(trunks.c.carrier, cdrs.c.trunk) == wanted.carrier)
    return query


def name_keys(connection: Connection, by: By, rows: Sequence[Any]) -> list[str]:
    """The name of each row's group; several rows may have one."""
    match by:
        case By.DAY:
            return [day_of(row[0]).isoformat() for row in rows]
        case By.DESTINATION:
            pinned = destinations(connection, (row[1] for row in rows if row[1] is not None))
            return [row[0] if row[1] is None else pinned.get(row[1], NOBODY) for row in rows]
        case By.TAG:
            return [f"{row[0]}/{row[1] or NOBODY}" for row in rows]
        case By.SUBSCRIBER:
            return [f"{row[0]}/{row[1]}" for row in rows]
        case _:
            return [row[0] for row in rows]


def destinations(connection: Connection, rate_ids: Iterable[str]) -> dict[str, str]:
    """The destination of each pinned rate."""
    wanted = sorted({each for each in rate_ids if each})
    found = {}
    for start in range(0, len(wanted), RATES_AT_ONCE):
        some = pinned_rates(connection, wanted[start : start + RATES_AT_ONCE])
        found.update({rate_id: rate.destination for rate_id, rate in some.items()})
    return found


def check_carrier(connection: Connection, carrier: str) -> None:
    """Return if calls can have gone over it; NotFound otherwise. A trunk without a carrier counts as one."""
    if carrier_trunks(connection, carrier):
        return
    if connection.execute(select(cdrs.c.leg_id).where(cdrs.c.trunk == carrier).limit(1)).first() is None:
        raise NotFound("carrier", f"no trunk is of carrier {carrier!r}", "see `dialback trunk list`")


def carrier_trunks(connection: Connection, carrier: str) -> tuple[str, ...]:
    """The trunks of a carrier, by name."""
    wanted = select(trunks.c.name).where(trunks.c.carrier == carrier).order_by(trunks.c.name)
    return tuple(connection.execute(wanted).scalars())


def seconds_between(start: ColumnElement[Any], end: ColumnElement[Any]) -> ColumnElement[int]:
    """Whole seconds between two instants, each that was begun counted."""
    apart = instant_number(end) - instant_number(start)
    return (apart + _whole(SECOND_MICROS - 1)) // _whole(SECOND_MICROS)


def _whole(number: int) -> ColumnElement[int]:
    # Written out and not bound: PostgreSQL must see that a key selected and a key grouped by are the same.
    return literal_column(str(number), BigInteger())

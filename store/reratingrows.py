"""What a re-rating reads: ended callbacks and their answered legs, a chunk at a time.

Reads: rows of `settlements`, `reratings`, `cdrs`, `charges`, `legs`.
Gives: Wish, Session, and ChunkRows, in the order in which the callbacks ended.
Knows nothing of: prices.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import BigInteger, Connection, Row, Select, func, select, tuple_, type_coerce

from billing.rerating import Outcome
from rating.bulk import NO_ORIGIN, NO_PACKAGE, ORIGINS, number_column
from rating.bulksessions import NEVER, SessionLegs
from store.cdrs import NEWEST_CHARGE
from store.reratingtables import reratings
from store.schema import callbacks, cdrs, charges, legs, settlements


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which callbacks, by when they ended, and what they are to be priced by; "" is what they were priced by.

    `plan` and `deck` are a name, for the version that was in force then, or `name:version`.
    """

    since: datetime
    until: datetime
    account_id: str = ""
    on_plan: str = ""
    plan: str = ""
    deck: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The last callback of a chunk; the next chunk begins behind it."""

    ended_at: datetime
    callback_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A callback as the books have it; `revision` counts its re-ratings.

    `payable_max_units`: what the account had for it, where its credit ended before the call; else None.
    """

    callback_id: str
    account_id: str
    plan_id: str
    currency: str
    received_at: datetime
    ended_at: datetime
    revision: int
    outcome: Outcome
    payable_max_units: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRows:
    """Callbacks, and their answered legs in one order as rows and as columns."""

    sessions: Sequence[Session]
    legs: Sequence[Row[Any]]
    columns: SessionLegs

    @property
    def last(self) -> Mark | None:
        """Return where the next chunk begins; None if there was nothing any more."""
        if not self.sessions:
            return None
        return Mark(ended_at=self.sessions[-1].ended_at, callback_id=self.sessions[-1].callback_id)


def read_chunk(connection: Connection, wish: Wish, after: Mark | None, sessions_max: int) -> ChunkRows:
    """The next callbacks behind `after` that were answered, at most so many."""
    wanted = _wished(SESSIONS, wish).order_by(*ORDER).limit(sessions_max)
    if after is not None:
        wanted = wanted.where((after.ended_at, after.callback_id) < PLACE)
    sessions = [_session_of(row) for row in connection.execute(wanted)]
    if not sessions:
        return ChunkRows(sessions=(), legs=(), columns=_columns((), {}))
    first, last = sessions[0], sessions[-1]
    found = connection.execute(
        _wished(LEGS, wish)
        .where((first.ended_at, first.callback_id) <= PLACE, (last.ended_at, last.callback_id) >= PLACE)
        .order_by(*ORDER, cdrs.c.role, cdrs.c.invited_at, cdrs.c.leg_id)
    ).all()
    places = {session.callback_id: place for place, session in enumerate(sessions)}
    # A callback may have been closed between the two statements; its turn comes with the next wish.
    rows = [row for row in found if row.callback_id in places]
    return ChunkRows(sessions=sessions, legs=rows, columns=_columns(rows, places))


def _wished(select_: Select[Any], wish: Wish) -> Select[Any]:
    wanted = select_.where(
        settlements.c.entry_id.is_not(None),
        settlements.c.ended_at >= wish.since,
        settlements.c.ended_at < wish.until,
    )
    if wish.account_id:
        wanted = wanted.where(settlements.c.account_id == wish.account_id)
    if wish.on_plan:
        wanted = wanted.where(settlements.c.plan_id.startswith(f"{wish.on_plan}:", autoescape=True))
    return wanted


PLACE = tuple_(settlements.c.ended_at, settlements.c.callback_id)
ORDER = (settlements.c.ended_at, settlements.c.callback_id)
_earlier = reratings.alias("earlier")
_NEWEST = (
    select(func.max(_earlier.c.revision))
    .where(_earlier.c.callback_id == settlements.c.callback_id)
    .correlate(settlements)
    .scalar_subquery()
)
SESSIONS = select(
    settlements.c.callback_id,
    settlements.c.account_id,
    settlements.c.plan_id,
    settlements.c.currency,
    callbacks.c.received_at,
    settlements.c.ended_at,
    func.coalesce(reratings.c.revision, 0).label("revision"),
    settlements.c.gross_units.label("first_gross_units"),
    settlements.c.waived_units.label("first_waived_units"),
    func.coalesce(reratings.c.gross_units, settlements.c.gross_units).label("gross_units"),
    func.coalesce(reratings.c.waived_units, settlements.c.waived_units).label("waived_units"),
).select_from(
    settlements.join(callbacks, callbacks.c.id == settlements.c.callback_id).outerjoin(
        reratings,
        (reratings.c.callback_id == settlements.c.callback_id) & (reratings.c.revision == _NEWEST),
    )
)


def _micros(column: Any) -> Any:
    """The instant as it is stored: whole callbacks are compared without making a datetime of each."""
    return type_coerce(column, BigInteger)


LEGS = select(
    cdrs.c.callback_id,
    cdrs.c.leg_id,
    cdrs.c.role,
    cdrs.c.number,
    _micros(cdrs.c.answered_at).label("answered"),
    _micros(cdrs.c.accepted_at).label("accepted"),
    _micros(cdrs.c.hung_up_at).label("ended"),
    # Of older legs only the order is known: later than their price where another carrier had failed before.
    _micros(func.coalesce(legs.c.authorised_at, legs.c.ordered_at, cdrs.c.invited_at)).label("authorised"),
    func.coalesce(legs.c.origin_class, "").label("origin_class"),
    func.coalesce(legs.c.package_seconds, 0).label("promised_seconds"),
    charges.c.billed_seconds,
    charges.c.amount_units,
    charges.c.cost_rate_id,
    charges.c.cost_currency,
    charges.c.cost_seconds,
    charges.c.cost_units,
    charges.c.cost_steps,
).select_from(
    settlements.join(cdrs, cdrs.c.callback_id == settlements.c.callback_id)
    .join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
    .outerjoin(legs, legs.c.id == cdrs.c.leg_id)
)


_ORIGINS = {origin.value: place for place, origin in enumerate(ORIGINS)}


def _session_of(row: Row[Any]) -> Session:
    return Session(
        callback_id=row.callback_id,
        account_id=row.account_id,
        plan_id=row.plan_id,
        currency=row.currency,
        received_at=row.received_at,
        ended_at=row.ended_at,
        revision=row.revision,
        outcome=Outcome(gross_units=row.gross_units, waived_units=row.waived_units),
        payable_max_units=row.first_gross_units - row.first_waived_units if row.first_waived_units else None,
    )


def _columns(rows: Sequence[Row[Any]], places: dict[str, int]) -> SessionLegs:
    def column(values: list[int]) -> np.ndarray[Any, np.dtype[np.int64]]:
        return np.array(values, dtype=np.int64)

    return SessionLegs(
        session=column([places[row.callback_id] for row in rows]),
        numbers=number_column([_digits(row.number) for row in rows]),
        is_a=np.array([row.role == "A" for row in rows], dtype=np.bool_),
        authorised=column([row.authorised for row in rows]),
        answered=column([row.answered for row in rows]),
        accepted=column([NEVER if row.accepted is None else row.accepted for row in rows]),
        ended=column([row.ended for row in rows]),
        origins=column([_ORIGINS.get(row.origin_class, NO_ORIGIN) for row in rows]),
        package_seconds=np.full(len(rows), NO_PACKAGE, dtype=np.int64),  # the plan says which it pays for
    )


def _digits(number: str) -> str:
    """The digits of a number; of one that was masked since, a digit that no prefix begins with."""
    digits = number[1:]
    return digits if digits.isascii() and digits.isdecimal() else "0"

"""Spending caps: what an account, or one of its subscribers, may spend in a day, a week or a month.

Reads: rows of `spend_caps`; what the callbacks of the period come to as of today; open holds.
Gives: how much room is left; caps set and taken away; how many callbacks of an account are live.
Knows nothing of: credit (store/ledger.py), who is refused (calls/admission.py, switch/books.py).

A callback counts as what its account pays for it now: a new price in the place of the old one, less what
was given back of it. What live callbacks may still cost counts as well: however many ring at once, the cap is
not passed. A session counts where it ends, in the account's time zone; a week begins on Monday.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, insert, literal_column, select

from calls.callback import State
from store import checks
from store.accounts import account
from store.alerts import note_cap
from store.audit import Author, note
from store.columns import UtcMicros
from store.customertables import spend_caps
from store.errors import Conflict, NotFound
from store.moneytables import credit_notes
from store.outcomes import TOTAL_UNITS
from store.schema import accounts, callbacks, holds, settlements
from store.subscribers import subscriber
from values.money import UNITS_MAX


class CapPeriod(StrEnum):
    """In what time a cap may be spent."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCap:
    """`subscriber_id` is empty where it is the whole account's."""

    account_id: str
    subscriber_id: str
    period: CapPeriod
    cap_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CapStanding:
    """A cap, and what is spent and held of it now."""

    cap: SpendCap
    spent_units: int
    held_units: int

    @property
    def room_units(self) -> int:
        """What may still be spent."""
        return max(self.cap.cap_units - self.spent_units - self.held_units, 0)


def room_units(
    connection: Connection, *, account_id: str, subscriber_id: str, at: datetime, callback_id: str = ""
) -> int:
    """The least room under any cap of that account and subscriber, UNITS_MAX where there is none.

    What `callback_id` holds itself is not counted against it.
    """
    found = _standings(connection, account_id, subscriber_id, at, callback_id)
    return min((each.room_units for each in found), default=UNITS_MAX)


def note_caps_reached(
    connection: Connection, *, account_id: str, subscriber_id: str, at: datetime, needed_units: int
) -> None:
    """Leave an alert for each cap that has less room than was needed; once a month each."""
    for each in _standings(connection, account_id, subscriber_id, at, ""):
        if each.room_units < needed_units:
            note_cap(connection, account_id, each.cap.cap_units, at)


def has_free_line(connection: Connection, account_id: str, soon: datetime) -> bool:
    """Whether the account may have one more callback; those due later than `soon` are not counted yet."""
    most: int = connection.execute(MOST, {"account_id": account_id}).scalar_one()
    if not most:
        return True
    return connection.execute(LIVE, {"account_id": account_id, "soon": soon}).scalar_one() < most


def is_over_its_lines(connection: Connection, account_id: str, callback_id: str) -> bool:
    """Whether as many other callbacks of the account are rung or up as it may have."""
    most: int = connection.execute(MOST, {"account_id": account_id}).scalar_one()
    if not most:
        return False
    named = {"account_id": account_id, "callback_id": callback_id}
    return connection.execute(UP, named).scalar_one() >= most


def set_cap(connection: Connection, wish: SpendCap, author: Author) -> SpendCap:
    """Set a cap, in the place of an earlier one for the same period; the next callback has it."""
    owner = account(connection, wish.account_id)
    if wish.subscriber_id and subscriber(connection, wish.subscriber_id).account_id != wish.account_id:
        problem = f"{wish.subscriber_id!r} is of another account"
        raise Conflict("subscriber", problem, "name one of this account")
    checks.amount("amount", wish.cap_units, owner.currency)
    before = next(iter(_caps_like(connection, wish)), None)
    connection.execute(delete(spend_caps).where(_is(wish)))
    connection.execute(insert(spend_caps), _row(wish))
    was = {"cap_units": None if before is None else before.cap_units}
    note(
        connection,
        author,
        "cap.set",
        wish.account_id,
        before=was,
        after=_row(wish),
        currency=owner.currency,
    )
    return wish


def remove_cap(connection: Connection, wish: SpendCap, author: Author) -> None:
    """Take a cap away, whatever its amount."""
    known = _caps_like(connection, wish)
    if not known:
        raise NotFound("cap", f"there is none by the {wish.period}", "see `dialback cap list`")
    connection.execute(delete(spend_caps).where(_is(wish)))
    currency = account(connection, wish.account_id).currency
    note(connection, author, "cap.remove", wish.account_id, before=_row(known[0]), currency=currency)


def cap_standings(connection: Connection, account_id: str, at: datetime) -> tuple[CapStanding, ...]:
    """Every cap of an account and its subscribers, with what is spent and held of it."""
    rows = connection.execute(
        select(spend_caps)
        .where(spend_caps.c.account_id == account_id)
        .order_by(spend_caps.c.subscriber_id, spend_caps.c.period)
    ).mappings()
    caps = [SpendCap(**{**row, "period": CapPeriod(row["period"])}) for row in rows]
    return tuple(_standing(connection, cap, at, "") for cap in caps)


def period_start(period: CapPeriod, zone: str, at: datetime) -> datetime:
    """When the day, week or month of `at` began in that zone."""
    day = at.astimezone(ZoneInfo(zone)).date()
    if period is CapPeriod.WEEK:
        day -= timedelta(days=day.weekday())
    elif period is CapPeriod.MONTH:
        day = day.replace(day=1)
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


APPLYING = (
    select(spend_caps)
    .where(spend_caps.c.account_id == bindparam("account_id"))
    .where((spend_caps.c.subscriber_id == "") | (spend_caps.c.subscriber_id == bindparam("subscriber_id")))
)
ZONE = select(accounts.c.zone).where(accounts.c.id == bindparam("account_id"))
MOST = select(accounts.c.callbacks_max).where(accounts.c.id == bindparam("account_id"))
_OF_ACCOUNT = (
    select(func.count())
    .select_from(callbacks)
    .where(callbacks.c.account_id == bindparam("account_id"), callbacks.c.ended_at.is_(None))
)
LIVE = _OF_ACCOUNT.where(
    (callbacks.c.state != State.REQUESTED.value)
    | callbacks.c.dial_at.is_(None)
    | (callbacks.c.dial_at < bindparam("soon", type_=UtcMicros()))
)
UP = _OF_ACCOUNT.where(
    callbacks.c.id != bindparam("callback_id"),
    callbacks.c.state.not_in([State.REQUESTED.value, State.RETRY_WAIT.value]),
)


def _standings(
    connection: Connection, account_id: str, subscriber_id: str, at: datetime, callback_id: str
) -> tuple[CapStanding, ...]:
    named = {"account_id": account_id, "subscriber_id": subscriber_id}
    rows = connection.execute(APPLYING, named).mappings().all()
    caps = [SpendCap(**{**row, "period": CapPeriod(row["period"])}) for row in rows]
    return tuple(_standing(connection, cap, at, callback_id) for cap in caps)


def _standing(connection: Connection, cap: SpendCap, at: datetime, callback_id: str) -> CapStanding:
    zone: str = connection.execute(ZONE, {"account_id": cap.account_id}).scalar_one()
    since = period_start(cap.period, zone, at)
    charged = select(func.coalesce(func.sum(TOTAL_UNITS), 0)).where(
        settlements.c.account_id == cap.account_id, settlements.c.ended_at >= since
    )
    given = (
        select(func.coalesce(func.sum(credit_notes.c.units), 0))
        .join(settlements, settlements.c.callback_id == credit_notes.c.callback_id)
        .where(credit_notes.c.account_id == cap.account_id, settlements.c.ended_at >= since)
    )
    # `state` is written out so that both engines see that the partial index of open holds fits.
    held = select(func.coalesce(func.sum(holds.c.units), 0)).where(
        holds.c.account_id == cap.account_id,
        holds.c.state == literal_column("'open'"),
        holds.c.id != callback_id,
    )
    if cap.subscriber_id:
        theirs = callbacks.c.subscriber_id == cap.subscriber_id
        charged = charged.join(callbacks, callbacks.c.id == settlements.c.callback_id).where(theirs)
        given = given.join(callbacks, callbacks.c.id == settlements.c.callback_id).where(theirs)
        held = held.join(callbacks, callbacks.c.id == holds.c.id).where(theirs)
    sums = [int(connection.execute(each).scalar_one()) for each in (charged, given, held)]
    return CapStanding(cap=cap, spent_units=sums[0] - sums[1], held_units=sums[2])


def _caps_like(connection: Connection, wish: SpendCap) -> list[SpendCap]:
    rows = connection.execute(select(spend_caps).where(_is(wish))).mappings()
    return [SpendCap(**{**row, "period": CapPeriod(row["period"])}) for row in rows]


def _is(wish: SpendCap) -> ColumnElement[bool]:
    return (
        (spend_caps.c.account_id == wish.account_id)
        & (spend_caps.c.subscriber_id == wish.subscriber_id)
        & (spend_caps.c.period == wish.period.value)
    )


def _row(wish: SpendCap) -> dict[str, object]:
    return {
        "account_id": wish.account_id,
        "subscriber_id": wish.subscriber_id,
        "period": wish.period.value,
        "cap_units": wish.cap_units,
    }

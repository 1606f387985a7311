"""The rows of callbacks: made once, moved by steps, found again.

Reads: calls.callback values, the event and the commands of a step.
Gives: Callbacks; the ids of committed orders; who wants what cancelled.
Knows nothing of: which step is right (calls/transitions.py) and what it costs (store/settlement.py).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from calls.callback import Callback, Leg, State
from calls.commands import Command
from calls.events import Event
from store import outbox as orders
from store.callbackrows import (
    CHANGING,
    LEG_CHANGING,
    callback_of,
    callback_values,
    changing_values,
    leg_values,
)
from store.columns import UtcMicros
from store.errors import Conflict, NotFound, StaleStep
from store.schema import callback_log, callbacks, inbox, legs
from values.e164 import E164

LISTED_MAX = 10_000


def insert_callback(connection: Connection, callback: Callback, *, announce: bool = True) -> None:
    """Write a new callback down.

    `announce` puts it in the inbox, from which the conductor takes it; not needed where the conductor
    itself makes it.
    """
    connection.execute(INSERT, callback_values(callback))
    rows = leg_values(callback)
    if rows:
        connection.execute(INSERT_LEG, [{"callback_id": callback.id, **row} for row in rows.values()])
    detail = {"origin": callback.origin.label}
    log(connection, callback.id, state=callback.state, event="Created", at=callback.created_at, detail=detail)
    if announce:
        connection.execute(INSERT_INBOX, {"callback_id": callback.id, "kind": "created", "by": ""})


def save_step(
    connection: Connection,
    before: Callback,
    after: Callback,
    commands: Sequence[Command],
    event: Event,
    *,
    done: Sequence[int] = (),
) -> tuple[int, ...]:
    """Write what a step changed; the ids of its orders, without bookkeeping, in their order.

    `done` are orders of earlier steps that were performed meanwhile: noted here, they cost no commit of
    their own. StaleStep if the row is not in the state that `before` has; a step that was committed already
    (the answer to the commit was lost) is recognised and changes nothing.
    """
    was, now = changing_values(before), changing_values(after)
    if was != now:
        moved = connection.execute(SAVE, {"callback_id": before.id, "was": before.state.value, **now})
        if moved.rowcount != 1:
            return _saved_before(connection, after)
    if before.legs is not after.legs or before.planned is not after.planned:
        _save_legs(connection, before, after)
    log(
        connection,
        after.id,
        state=after.state,
        event=type(event).__name__,
        at=event.at,
        detail=detail_of(event),
    )
    orders.commands_done(connection, done, event.at)
    if after.state.is_end:
        orders.close(connection, after.id, event.at)
    return orders.put(connection, after.id, commands, event.at)


def load(connection: Connection, callback_id: str) -> Callback:
    """The callback of that id; NotFound if there is none."""
    row = connection.execute(LOAD, {"callback_id": callback_id}).mappings().one_or_none()
    if row is None:
        remedy = "see `dialback callback list` for those that exist"
        raise NotFound("callback", f"there is no callback {callback_id!r}", remedy)
    return callback_of(row, connection.execute(LOAD_LEGS, {"callback_id": callback_id}).mappings())


def unfinished(connection: Connection) -> tuple[Callback, ...]:
    """Every callback that has not ended, the oldest first."""
    return _with_legs(connection, connection.execute(UNFINISHED).mappings().all())


def due(connection: Connection, now: datetime) -> tuple[Callback, ...]:
    """The waiting callbacks whose time to dial has come, the longest waiting first."""
    return _with_legs(connection, connection.execute(DUE, {"now": now}).mappings().all())


def commands_done(connection: Connection, ids: Sequence[int], at: datetime) -> None:
    """Write down that these orders were performed."""
    orders.commands_done(connection, ids, at)


def undone_commands(connection: Connection) -> tuple[orders.UndoneCommand, ...]:
    """The orders of unfinished callbacks that may not have been performed, in the order they were given."""
    return orders.undone(connection, unfinished(connection))


# wishes of other processes


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackWish:
    """Something asked of the conductor: follow this new callback, or (`cancelled_by`) cancel it."""

    callback: Callback
    cancelled_by: str = ""

    @property
    def is_cancel(self) -> bool:
        """Whether it is to be cancelled."""
        return bool(self.cancelled_by)


def request_cancel(connection: Connection, callback_id: str, by: str) -> Callback:
    """Ask the conductor to cancel it; the callback as it stands now. Conflict if it has ended."""
    callback = load(connection, callback_id)
    if callback.state.is_end:
        problem = f"callback {callback_id} has ended already ({callback.state})"
        raise Conflict("callback", problem, "nothing is left to cancel")
    connection.execute(WANT_CANCEL, {"callback_id": callback_id, "who": by})
    connection.execute(INSERT_INBOX, {"callback_id": callback_id, "kind": "cancel", "by": by})
    return callback


def cancel_requested_by(connection: Connection, callback_id: str) -> str:
    """Who asked for this callback to be cancelled; empty if nobody did."""
    return connection.execute(WHO_CANCELS, {"callback_id": callback_id}).scalar_one_or_none() or ""


def is_subscriber_engaged(connection: Connection, callback: Callback) -> bool:
    """Whether another callback of this subscriber is being rung or is up."""
    named = {"subscriber_id": callback.subscriber_id, "callback_id": callback.id}
    return connection.execute(ENGAGED, named).first() is not None


def take_inbox(connection: Connection) -> tuple[CallbackWish, ...]:
    """What was asked since the last time, in order; it is the taker's to do now, so take it in `run`."""
    rows = connection.execute(INBOX).mappings().all()
    if not rows:
        return ()
    connection.execute(TAKEN, [{"row_id": row["id"]} for row in rows])
    return tuple(
        CallbackWish(callback=load(connection, row["callback_id"]), cancelled_by=row["by"]) for row in rows
    )


# lists


def list_callbacks(
    connection: Connection,
    *,
    account_id: str | None = None,
    subscriber_id: str | None = None,
    states: Iterable[State] = (),
    since: datetime | None = None,
    until: datetime | None = None,
    number: E164 | None = None,
    limit: int = 100,
) -> tuple[Callback, ...]:
    """Callbacks that fit every filter given, the newest first; `until` is exclusive."""
    wanted = select(callbacks).order_by(callbacks.c.created_at.desc(), callbacks.c.id.desc())
    if account_id is not None:
        wanted = wanted.where(callbacks.c.account_id == account_id)
    if subscriber_id is not None:
        wanted = wanted.where(callbacks.c.subscriber_id == subscriber_id)
    if states := tuple(states):
        wanted = wanted.where(callbacks.c.state.in_([state.value for state in states]))
    if since is not None:
        wanted = wanted.where(callbacks.c.created_at >= since)
    if until is not None:
        wanted = wanted.where(callbacks.c.created_at < until)
    if number is not None:
        on_a_leg = select(legs.c.callback_id).where(legs.c.number == str(number))
        wanted = wanted.where((callbacks.c.number_a == str(number)) | callbacks.c.id.in_(on_a_leg))
    wanted = wanted.limit(min(limit, LISTED_MAX))
    return _with_legs(connection, connection.execute(wanted).mappings().all())


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of a callback's history: what was told, and the state it led to."""

    id: int
    at: datetime
    state: State
    event: str
    detail: Mapping[str, Any]


def trace(connection: Connection, callback_id: str) -> tuple[LogLine, ...]:
    """The history of a callback in the order in which it was written; NotFound if there is none."""
    rows = connection.execute(TRACE, {"callback_id": callback_id}).mappings().all()
    if not rows:
        load(connection, callback_id)
    return tuple(
        LogLine(
            id=row["id"],
            at=row["at"],
            state=State(row["state"]),
            event=row["event"],
            detail=json.loads(row["detail"]),
        )
        for row in rows
    )


def log(
    connection: Connection,
    callback_id: str,
    *,
    state: State,
    event: str,
    at: datetime,
    detail: Mapping[str, Any],
) -> None:
    """Add a line to a callback's history."""
    row = {"callback_id": callback_id, "at": at, "state": state.value, "event": event}
    connection.execute(INSERT_LOG, {**row, "detail": json.dumps(detail)})


def detail_of(event: Event) -> dict[str, Any]:
    """What an event says besides its instant, in plain words for the history."""
    return {field.name: _plain(getattr(event, field.name)) for field in fields(event) if field.name != "at"}


# how

INSERT = insert(callbacks)
INSERT_LEG = insert(legs)
INSERT_LOG = insert(callback_log)
INSERT_INBOX = insert(inbox)
SAVE = (
    update(callbacks)
    .where(callbacks.c.id == bindparam("callback_id"), callbacks.c.state == bindparam("was"))
    .values({name: bindparam(name, type_=callbacks.c[name].type) for name in CHANGING})
)
SAVE_LEG = (
    update(legs)
    .where(legs.c.id == bindparam("leg_id"))
    .values({name: bindparam(name, type_=legs.c[name].type) for name in LEG_CHANGING})
)
DELETE_LEG = delete(legs).where(legs.c.id == bindparam("leg_id"), legs.c.planned)
LOAD = select(callbacks).where(callbacks.c.id == bindparam("callback_id"))
LOAD_LEGS = select(legs).where(legs.c.callback_id == bindparam("callback_id")).order_by(legs.c.position)
UNFINISHED = select(callbacks).where(callbacks.c.ended_at.is_(None)).order_by(callbacks.c.created_at)
DUE = (
    select(callbacks)
    .where(
        callbacks.c.ended_at.is_(None), callbacks.c.state.in_([State.REQUESTED.value, State.RETRY_WAIT.value])
    )
    .where(callbacks.c.dial_at <= bindparam("now", type_=UtcMicros()))
    .order_by(callbacks.c.dial_at)
)
WANT_CANCEL = (
    update(callbacks)
    .where(callbacks.c.id == bindparam("callback_id"))
    .values(cancel_requested_by=bindparam("who"))
)
# Locked until the step is committed: whoever asks to cancel meanwhile waits, and then finds it dialled.
WHO_CANCELS = (
    select(callbacks.c.cancel_requested_by)
    .where(callbacks.c.id == bindparam("callback_id"))
    .with_for_update()
)
ENGAGED = (
    select(callbacks.c.id)
    .where(
        callbacks.c.subscriber_id == bindparam("subscriber_id"),
        callbacks.c.ended_at.is_(None),
        callbacks.c.id != bindparam("callback_id"),
        callbacks.c.state.not_in([State.REQUESTED.value, State.RETRY_WAIT.value]),
    )
    .limit(1)
)
INBOX = select(inbox).order_by(inbox.c.id)
TAKEN = delete(inbox).where(inbox.c.id == bindparam("row_id"))
TRACE = (
    select(callback_log)
    .where(callback_log.c.callback_id == bindparam("callback_id"))
    .order_by(callback_log.c.id)
)
LEGS_AT_ONCE = 500
"""SQLite takes a bounded number of parameters in one statement (32,766; older ones 999)."""


def _save_legs(connection: Connection, before: Callback, after: Callback) -> None:
    was, now = leg_values(before), leg_values(after)
    for leg_id, row in now.items():
        if leg_id not in was:
            connection.execute(INSERT_LEG, {"callback_id": after.id, **row})
        elif row != was[leg_id]:
            connection.execute(SAVE_LEG, {"leg_id": leg_id, **{name: row[name] for name in LEG_CHANGING}})
    for leg_id in was.keys() - now.keys():
        connection.execute(DELETE_LEG, {"leg_id": leg_id})


def _saved_before(connection: Connection, after: Callback) -> tuple[int, ...]:
    found = load(connection, after.id)
    if found != after:
        raise StaleStep(f"callback {after.id} is {found.state} in the store; it was changed by somebody else")
    return tuple(each.id for each in orders.undone(connection, [found]))


def _with_legs(connection: Connection, rows: Sequence[RowMapping]) -> tuple[Callback, ...]:
    by_callback: dict[str, list[RowMapping]] = {row["id"]: [] for row in rows}
    ids = list(by_callback)
    for start in range(0, len(ids), LEGS_AT_ONCE):
        wanted = select(legs).where(legs.c.callback_id.in_(ids[start : start + LEGS_AT_ONCE]))
        for leg in connection.execute(wanted.order_by(legs.c.position)).mappings():
            by_callback[leg["callback_id"]].append(leg)
    return tuple(callback_of(row, by_callback[row["id"]]) for row in rows)


def _plain(value: object) -> object:
    match value:
        case Leg():
            return {
                "id": value.id,
                "number": str(value.number),
                "trunk": value.trunk,
                "limit": value.talk_seconds_max,
            }
        case tuple():
            return [_plain(each) for each in value]
        case E164() | datetime():
            return str(value)
        case Enum():
            return value.value
        case _:
            return value

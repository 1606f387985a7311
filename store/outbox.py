"""Orders that were committed and wait to be performed: the to-do list that a crash leaves.

Reads: calls.commands values.
Gives: rows of `outbox`, and the commands again.
Knows nothing of: who performs them.

Settle is done inside the transaction that commits it, so it is never listed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from calls.callback import Callback, Reason
from calls.commands import Authorise, Command, DialB, HangUp, Opening, OriginateA, RunDialog, Settle
from store.columns import UtcMicros
from store.schema import outbox
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoneCommand:
    """A committed order of which nobody wrote that it was performed."""

    id: int
    callback_id: str
    committed_at: datetime
    command: Command


def put(
    connection: Connection, callback_id: str, commands: Iterable[Command], at: datetime
) -> tuple[int, ...]:
    """Commit these orders with the step; their row ids, Settle left out."""
    rows = [
        {"callback_id": callback_id, "sequence": sequence, **_row(command), "committed_at": at}
        for sequence, command in enumerate(commands)
        if not isinstance(command, Settle)
    ]
    return tuple(connection.execute(INSERT, row).scalar_one() for row in rows)


def commands_done(connection: Connection, ids: Sequence[int], at: datetime) -> None:
    """Write down that these orders were performed."""
    if ids:
        connection.execute(DONE, [{"row_id": row_id, "at": at} for row_id in ids])


def close(connection: Connection, callback_id: str, at: datetime) -> None:
    """Take every order of a callback that has ended off the list: nothing more is sent for it."""
    connection.execute(CLOSE, {"of_callback": callback_id, "at": at})


def undone(connection: Connection, callbacks: Iterable[Callback]) -> tuple[UndoneCommand, ...]:
    """The orders of these callbacks that may not have been performed, as they were given."""
    found = []
    for callback in callbacks:
        rows = connection.execute(UNDONE, {"callback_id": callback.id}).mappings()
        for row in rows:
            command = _command(row["kind"], json.loads(row["body"]), callback)
            found.append(
                UndoneCommand(
                    id=row["id"],
                    callback_id=callback.id,
                    committed_at=row["committed_at"],
                    command=command,
                )
            )
    return tuple(sorted(found, key=lambda each: each.id))


INSERT = insert(outbox).returning(outbox.c.id)
DONE = (
    update(outbox)
    .where(outbox.c.id == bindparam("row_id"))
    .values(done_at=bindparam("at", type_=UtcMicros()))
)
CLOSE = (
    update(outbox)
    .where(outbox.c.callback_id == bindparam("of_callback"), outbox.c.done_at.is_(None))
    .values(done_at=bindparam("at", type_=UtcMicros()))
)
UNDONE = (
    select(outbox)
    .where(outbox.c.callback_id == bindparam("callback_id"), outbox.c.done_at.is_(None))
    .order_by(outbox.c.id)
)


def _row(command: Command) -> dict[str, str]:
    match command:
        case OriginateA(leg=leg) | DialB(leg=leg):
            body = {"leg": leg.id}
        case HangUp(leg_id=leg_id):
            body = {"leg": leg_id}
        case RunDialog(opening=opening, reason=reason):
            body = {"opening": opening.value, "reason": reason.value if reason is not None else ""}
        case Authorise(number=number, tag=tag):
            body = {"number": str(number), "tag": tag}
        case _:
            body = {}
    return {"kind": type(command).__name__, "body": json.dumps(body)}


def _command(kind: str, body: dict[str, str], callback: Callback) -> Command:
    match kind:
        case "OriginateA" | "DialB":
            leg = callback.leg(body["leg"])
            if leg is None:
                raise ValueError(f"the outbox names leg {body['leg']}, which callback {callback.id} has not")
            return OriginateA(leg=leg) if kind == "OriginateA" else DialB(leg=leg)
        case "HangUp":
            return HangUp(leg_id=body["leg"])
        case "RunDialog":
            reason = Reason(body["reason"]) if body["reason"] else None
            return RunDialog(opening=Opening(body["opening"]), reason=reason)
        case "Authorise":
            return Authorise(number=E164.parse(body["number"]), tag=body.get("tag", ""))
        case _:
            raise ValueError(f"the outbox holds an order of an unknown kind, {kind}")

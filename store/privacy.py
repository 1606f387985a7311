"""What is forgotten: numbers of old calls are masked, persons are erased on request.

Reads: callbacks that ended and triggers that came in before a day; one subscriber's rows.
Gives: the same rows with masked numbers, in small transactions; a row of `privacy_runs` for each run.
Knows nothing of: who asks. The books keep every amount and second. Issued invoices stay as they were issued:
they are documents that the law wants kept, and their papers are never made from masked rows.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, or_, select, update

from store.audit import Author, note
from store.customertables import number_codes, speed_dials
from store.errors import Conflict
from store.invoicetables import invoice_documents, invoice_sessions
from store.numbers import list_numbers
from store.schema import (
    audit_log,
    callback_log,
    callbacks,
    cdrs,
    dids,
    legs,
    numbers,
    outbox,
    privacy_runs,
    subscribers,
    triggers,
)
from store.subscribers import subscriber
from values.masked import MASK, MASKED_DIGITS, mask_all

RETENTION, ERASURE = "retention", "erasure"
AT_ONCE = 500
"""So many callbacks a transaction: the switch writes in between."""
ERASED = "erased"
AUDITED = ("subject", "before", "after")


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Until when numbers are old: everywhere, and where a country has its own rule."""

    everywhere: datetime
    by_country: Mapping[str, datetime]


def mask_callbacks(connection: Connection, before: Before, at: datetime) -> int:
    """Mask the next callbacks that ended too long ago; how many, 0 when there is none left."""
    found = connection.execute(
        select(callbacks.c.id)
        .where(callbacks.c.masked_at.is_(None), _is_old(before), ~_awaits_its_paper())
        .order_by(callbacks.c.ended_at)
        .limit(AT_ONCE)
    )
    ids = list(found.scalars())
    _mask(connection, ids, at)
    return len(ids)


def mask_triggers(connection: Connection, before: datetime, at: datetime) -> int:
    """Mask the next triggers that came in too long ago; how many, 0 when there is none left."""
    found = connection.execute(
        select(triggers.c.id)
        .where(triggers.c.masked_at.is_(None), triggers.c.received_at < before)
        .order_by(triggers.c.received_at)
        .limit(AT_ONCE)
    )
    ids = list(found.scalars())
    _mask_triggers(connection, triggers.c.id.in_(ids), at)
    return len(ids)


def count_old(connection: Connection, before: Before) -> tuple[int, int]:
    """How many callbacks and triggers a run would mask."""
    of_callbacks = select(func.count()).where(
        callbacks.c.masked_at.is_(None), _is_old(before), ~_awaits_its_paper()
    )
    of_triggers = select(func.count()).where(
        triggers.c.masked_at.is_(None), triggers.c.received_at < before.everywhere
    )
    return connection.execute(of_callbacks).scalar_one(), connection.execute(of_triggers).scalar_one()


def note_run(connection: Connection, author: Author, *, callbacks_masked: int, triggers_masked: int) -> None:
    """Write a finished run of retention down."""
    row = _run(RETENTION, "", author, callbacks=callbacks_masked, triggers=triggers_masked)
    connection.execute(insert(privacy_runs), {**row, "finished_at": author.at})


def erase(connection: Connection, subscriber_id: str, author: Author) -> int:
    """Forget a person: name, registered numbers, speed dials, the numbers of every call; how many callbacks.

    All in one transaction. Conflict while a callback is under way. Doing it again changes nothing more.
    """
    subscriber(connection, subscriber_id)
    mine = callbacks.c.subscriber_id == subscriber_id
    if connection.execute(select(callbacks.c.id).where(mine, callbacks.c.ended_at.is_(None))).first():
        problem = f"a callback of {subscriber_id!r} is under way"
        raise Conflict("subscriber", problem, "wait until it has ended, or cancel it")
    waiting = select(callbacks.c.id).where(mine, _awaits_its_paper())
    if connection.execute(waiting).first():
        problem = f"an invoice with calls of {subscriber_id!r} is issued and has no papers yet"
        raise Conflict("subscriber", problem, "run `dialback invoice run` again, then erase")
    run_id = connection.execute(
        insert(privacy_runs).returning(privacy_runs.c.id), _run(ERASURE, subscriber_id, author)
    ).scalar_one()
    ids = list(connection.execute(select(callbacks.c.id).where(mine)).scalars())
    for start in range(0, len(ids), AT_ONCE):
        some = ids[start : start + AT_ONCE]
        _mask(connection, some, author.at)
        _mask_triggers(connection, triggers.c.callback_id.in_(some), author.at)
    _forget(connection, subscriber_id)
    note(connection, author, "privacy.erase", subscriber_id, after={"callbacks": len(ids)})
    finished = {"callbacks": len(ids), "finished_at": author.at}
    connection.execute(update(privacy_runs).where(privacy_runs.c.id == run_id), finished)
    return len(ids)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What was masked, when and for whom."""

    at: datetime
    kind: str
    subject: str
    actor: str
    reason: str
    callbacks: int
    triggers: int


def list_runs(connection: Connection) -> tuple[Run, ...]:
    """All runs, the oldest first."""
    columns = [privacy_runs.c[name] for name in Run.__dataclass_fields__]
    return tuple(
        Run(**row) for row in connection.execute(select(*columns).order_by(privacy_runs.c.id)).mappings()
    )


def _is_old(before: Before) -> ColumnElement[bool]:
    home, ended = callbacks.c.home_country, callbacks.c.ended_at
    rules = [(home == country) & (ended < day) for country, day in before.by_country.items()]
    return or_(home.not_in(list(before.by_country)) & (ended < before.everywhere), *rules)


def _awaits_its_paper() -> ColumnElement[bool]:
    """Issued, and the papers, which show its numbers, are not written yet."""
    written = select(invoice_documents.c.number).where(
        invoice_documents.c.number == invoice_sessions.c.number
    )
    return (
        select(invoice_sessions.c.callback_id)
        .where(invoice_sessions.c.callback_id == callbacks.c.id, ~written.exists())
        .exists()
    )


def _mask(connection: Connection, ids: Sequence[str], at: datetime) -> None:
    if not ids:
        return
    connection.execute(
        update(callbacks)
        .where(callbacks.c.id.in_(ids))
        .values(
            number_a=_masked(callbacks.c.number_a),
            caller_number=_masked(callbacks.c.caller_number),
            destination=_masked(callbacks.c.destination),
            caller_number_raw="",
            remote_address="",
            masked_at=at,
        )
    )
    connection.execute(update(legs).where(legs.c.callback_id.in_(ids)).values(number=_masked(legs.c.number)))
    connection.execute(update(cdrs).where(cdrs.c.callback_id.in_(ids)).values(number=_masked(cdrs.c.number)))
    connection.execute(
        update(number_codes)
        .where(number_codes.c.callback_id.in_(ids))
        .values(number=_masked(number_codes.c.number))
    )
    # What was ordered long ago is told by the history; its numbers are in there once more.
    connection.execute(delete(outbox).where(outbox.c.callback_id.in_(ids)))
    history = select(callback_log.c.id, callback_log.c.detail).where(callback_log.c.callback_id.in_(ids))
    for row_id, detail in connection.execute(history).all():
        masked = json.dumps(_without_numbers(json.loads(detail)))
        if masked != detail:
            connection.execute(update(callback_log).where(callback_log.c.id == row_id).values(detail=masked))


def _mask_triggers(connection: Connection, wanted: ColumnElement[bool], at: datetime) -> None:
    values = {"caller": _masked(triggers.c.caller), "caller_raw": "", "caller_name_raw": "", "masked_at": at}
    connection.execute(update(triggers).where(wanted).values(values))


def _masked(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as values.masked.mask() has it; of a masked one nothing more is taken."""
    kept = func.substr(column, 1, func.length(column) - MASKED_DIGITS)
    return case((column.like(f"%{MASK}"), column), else_=kept + MASK * MASKED_DIGITS)


def _without_numbers(value: Any) -> Any:
    match value:
        case str():
            return mask_all(value)
        case dict():
            return {name: _without_numbers(each) for name, each in value.items()}
        case list():
            return [_without_numbers(each) for each in value]
        case _:
            return value


def _forget(connection: Connection, subscriber_id: str) -> None:
    """Take away what tells who it was, in the audit log as well."""
    known = subscriber(connection, subscriber_id)
    told = {str(each.number) for each in list_numbers(connection, subscriber_id)}
    connection.execute(
        update(subscribers).where(subscribers.c.id == subscriber_id).values(name=ERASED, callback_number=None)
    )
    connection.execute(
        update(dids)
        .where(dids.c.subscriber_id == subscriber_id, dids.c.destination.is_not(None))
        .values(destination=_masked(dids.c.destination))
    )
    connection.execute(delete(numbers).where(numbers.c.subscriber_id == subscriber_id))
    connection.execute(delete(speed_dials).where(speed_dials.c.subscriber_id == subscriber_id))
    about = or_(
        audit_log.c.subject == subscriber_id,
        *(audit_log.c[column].contains(number) for number in told for column in AUDITED),
    )
    rows = connection.execute(
        select(audit_log.c.id, *(audit_log.c[column] for column in AUDITED)).where(about)
    )
    for row_id, *words in rows.all():
        masked = [mask_all(word).replace(known.name, ERASED) for word in words]
        if masked != words:
            values = dict(zip(AUDITED, masked, strict=True))
            connection.execute(update(audit_log).where(audit_log.c.id == row_id).values(values))


def _run(
    kind: str, subject: str, author: Author, *, callbacks: int = 0, triggers: int = 0
) -> dict[str, object]:
    return {
        "kind": kind,
        "subject": subject,
        "at": author.at,
        "actor": author.name,
        "reason": author.reason,
        "callbacks": callbacks,
        "triggers": triggers,
    }

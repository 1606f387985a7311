"""The numbers on which subscribers are rung.

Reads: what the clerk or the web asks for; rows of `numbers`.
Gives: RegisteredNumber; refusals that name the field and the remedy.
Knows nothing of: how a number is verified.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from calls.callback import Callback
from store.audit import Author, note
from store.dids import is_own_did
from store.errors import Conflict, NotFound
from store.schema import numbers
from store.subscribers import Subscriber, save_subscriber, subscriber
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredNumber:
    """A number of a subscriber; it is rung only once it is verified."""

    number: E164
    account_id: str
    subscriber_id: str
    registered_at: datetime
    verified_at: datetime | None
    verified_by: str


def add_number(
    connection: Connection, *, subscriber_id: str, number: E164, author: Author, verified: bool = False
) -> RegisteredNumber:
    """Register a number for a subscriber; Conflict if anybody has it already.

    `verified` is for a clerk who has checked it; else it is rung only after `verify_number`.
    """
    owner = subscriber(connection, subscriber_id)
    taken = connection.execute(FIND, {"number": str(number)}).first()
    if taken is not None:
        whose = "this account" if taken.account_id == owner.account_id else "another account"
        raise Conflict("number", f"{number} is registered with {whose} already", "remove it there first")
    if is_own_did(connection, number):
        raise Conflict(
            "number", f"{number} is one of our own trigger numbers", "register the phone's own number"
        )
    made = RegisteredNumber(
        number=number,
        account_id=owner.account_id,
        subscriber_id=subscriber_id,
        registered_at=author.at,
        verified_at=author.at if verified else None,
        verified_by=author.name if verified else "",
    )
    connection.execute(insert(numbers), _number_row(made))
    note(connection, author, "number.add", subscriber_id, after=_number_row(made))
    return made


def verify_number(connection: Connection, number: E164, author: Author) -> RegisteredNumber:
    """Write down that the subscriber was reached on this number; from now on it is rung."""
    before = _number(connection, number)
    after = replace(before, verified_at=author.at, verified_by=author.name)
    connection.execute(update(numbers).where(numbers.c.e164 == str(number)), _number_row(after))
    note(
        connection,
        author,
        "number.verify",
        before.subscriber_id,
        before=_number_row(before),
        after=_number_row(after),
    )
    return after


def choose_number(
    connection: Connection, subscriber_id: str, number: E164 | None, author: Author
) -> Subscriber:
    """Set the number on which this subscriber is rung; None: the one that triggers."""
    before = subscriber(connection, subscriber_id)
    if number is not None and _number(connection, number).subscriber_id != subscriber_id:
        raise Conflict(
            "number", f"{number} belongs to another subscriber", "choose one of this subscriber's numbers"
        )
    after = replace(before, callback_number=number)
    save_subscriber(connection, before, after, author)
    return after


def remove_number(connection: Connection, number: E164, author: Author) -> None:
    """Take a number away: it is rung no more."""
    before = _number(connection, number)
    owner = subscriber(connection, before.subscriber_id)
    if owner.callback_number == number:
        choose_number(connection, owner.id, None, author)
    connection.execute(delete(numbers).where(numbers.c.e164 == str(number)))
    note(connection, author, "number.remove", before.subscriber_id, before=_number_row(before))


def list_numbers(connection: Connection, subscriber_id: str | None = None) -> tuple[RegisteredNumber, ...]:
    """The numbers of a subscriber, or all, the longest registered first."""
    wanted = select(numbers).order_by(numbers.c.registered_at, numbers.c.e164)
    if subscriber_id is not None:
        wanted = wanted.where(numbers.c.subscriber_id == subscriber_id)
    return tuple(_number_of(row) for row in connection.execute(wanted).mappings())


def caller_id_for(connection: Connection, callback: Callback) -> E164 | None:
    """What a destination may be shown: the subscriber's own number if it is verified, else nothing."""
    return callback.number_a if is_verified_for(connection, callback) else None


def is_verified_for(connection: Connection, callback: Callback) -> bool:
    """Whether the number that a callback rings is still its subscriber's, and verified."""
    row = connection.execute(FIND, {"number": str(callback.number_a)}).first()
    return row is not None and row.subscriber_id == callback.subscriber_id and row.verified_at is not None


FIND = select(numbers).where(numbers.c.e164 == bindparam("number"))


def _number(connection: Connection, number: E164) -> RegisteredNumber:
    row = connection.execute(FIND, {"number": str(number)}).mappings().first()
    if row is None:
        raise NotFound("number", f"{number} is not registered", "add it with `dialback number add`")
    return _number_of(row)


def _number_row(record: RegisteredNumber) -> dict[str, Any]:
    return {
        "e164": str(record.number),
        "account_id": record.account_id,
        "subscriber_id": record.subscriber_id,
        "registered_at": record.registered_at,
        "verified_at": record.verified_at,
        "verified_by": record.verified_by,
    }


def _number_of(row: RowMapping) -> RegisteredNumber:
    return RegisteredNumber(
        number=E164.parse(row["e164"]),
        account_id=row["account_id"],
        subscriber_id=row["subscriber_id"],
        registered_at=row["registered_at"],
        verified_at=row["verified_at"],
        verified_by=row["verified_by"],
    )

"""The numbers on which subscribers are rung.

Reads: what the clerk or the web asks for; rows of `numbers`.
Gives: RegisteredNumber; refusals that name the field and the remedy.
Knows nothing of: how a number is verified.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select, update

from calls.admission import AccountState
from calls.callback import Callback
from store.accounts import account
from store.audit import Author, note
from store.dids import is_own_did
from store.errors import Conflict, Invalid, NotFound
from store.schema import numbers
from store.subscribers import Subscriber, save_subscriber, subscriber
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredNumber:
    """A number of a subscriber; it is rung only once it is verified.

    `rung_until` is the end of a traveller's number: until then it is rung before any other, from then on
    it is nobody's. None: it stays.
    """

    number: E164
    account_id: str
    subscriber_id: str
    registered_at: datetime
    verified_at: datetime | None
    verified_by: str
    rung_until: datetime | None = None

    def has_ended(self, at: datetime) -> bool:
        """Whether it was a traveller's number and its time is over."""
        return self.rung_until is not None and self.rung_until <= at


def add_number(
    connection: Connection,
    *,
    subscriber_id: str,
    number: E164,
    author: Author,
    verified: bool = False,
    rung_until: datetime | None = None,
) -> RegisteredNumber:
    """Register a number for a subscriber; Conflict if anybody has it already.

    `verified` is for a clerk who has checked it; else it is rung only after `verify_number`.
    """
    owner = subscriber(connection, subscriber_id)
    if account(connection, owner.account_id).state is AccountState.CLOSED:
        raise Conflict("account", f"{owner.account_id!r} is closed", "open a new account")
    if rung_until is not None and rung_until <= author.at:
        raise Invalid("until", f"{rung_until:%Y-%m-%dT%H:%M:%SZ} is past", "write a time to come")
    taken = connection.execute(FIND, {"number": str(number)}).mappings().first()
    if taken is not None and _number_of(taken).has_ended(author.at):
        # Last month's hotel: its next guest may be anybody's.
        remove_number(connection, number, author)
        taken = None
    if taken is not None and taken["subscriber_id"] == subscriber_id:
        remedy = "there is nothing to add; `dialback number verify` proves that it is theirs"
        raise Conflict("number", f"{number} is registered with {subscriber_id!r} already", remedy)
    if taken is not None:
        whose = "this account" if taken["account_id"] == owner.account_id else "another account"
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
        rung_until=rung_until,
    )
    connection.execute(insert(numbers), _number_row(made))
    note(connection, author, "number.add", subscriber_id, after=_number_row(made))
    return made


def verify_number(connection: Connection, number: E164, author: Author, *, by: str = "") -> RegisteredNumber:
    """Write down that the subscriber was reached on this number; from now on it is rung.

    `by` is what proved it, if it was not the author alone.
    """
    before = _number(connection, number)
    after = replace(before, verified_at=author.at, verified_by=by or author.name)
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
    if number is not None:
        chosen = _number(connection, number)
        if chosen.subscriber_id != subscriber_id:
            remedy = "choose one of this subscriber's numbers"
            raise Conflict("number", f"{number} belongs to another subscriber", remedy)
        if chosen.rung_until is not None:
            remedy = "it is rung by itself until then; choose a number that stays"
            raise Conflict("number", f"{number} ends at {chosen.rung_until:%Y-%m-%dT%H:%M:%SZ}", remedy)
    after = replace(before, callback_number=number)
    save_subscriber(connection, before, after, author)
    return after


def registered_number(connection: Connection, number: E164) -> RegisteredNumber:
    """The number with whose it is; NotFound if nobody has it."""
    return _number(connection, number)


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


def caller_id_for(connection: Connection, callback: Callback, at: datetime) -> E164 | None:
    """What a destination may be shown: the subscriber's own number if it is verified, else nothing."""
    return callback.number_a if is_verified_for(connection, callback, at) else None


def is_verified_for(connection: Connection, callback: Callback, at: datetime) -> bool:
    """Whether the number that a callback rings is still its subscriber's, and verified."""
    known = registered_to(connection, callback, at)
    return known is not None and known.verified_at is not None


def registered_to(connection: Connection, callback: Callback, at: datetime) -> RegisteredNumber | None:
    """The number that a callback rings; None if it is its subscriber's no more."""
    row = connection.execute(FIND, {"number": str(callback.number_a)}).mappings().first()
    known = None if row is None else _number_of(row)
    is_theirs = known is not None and known.subscriber_id == callback.subscriber_id
    return known if known is not None and is_theirs and not known.has_ended(at) else None


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
        "rung_until": record.rung_until,
    }


def _number_of(row: RowMapping) -> RegisteredNumber:
    return RegisteredNumber(
        number=E164.parse(row["e164"]),
        account_id=row["account_id"],
        subscriber_id=row["subscriber_id"],
        registered_at=row["registered_at"],
        verified_at=row["verified_at"],
        verified_by=row["verified_by"],
        rung_until=row["rung_until"],
    )

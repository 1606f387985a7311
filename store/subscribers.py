"""Subscribers: the persons and lines of accounts.

Reads: what the clerk asks for; rows of `subscribers`.
Gives: Subscriber; refusals that name the field and the remedy.
Knows nothing of: their numbers, except the one they chose (store/numbers.py).
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from calls.admission import AccountState
from store import checks
from store.accounts import account
from store.audit import Author, note
from store.errors import Conflict, NotFound
from store.schema import subscribers
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person or line of an account. `callback_number` is the one to ring; None: the one that triggers.

    `tag` is what their calls are booked under where nothing more exact is known.
    """

    id: str
    account_id: str
    name: str
    home_country: str
    language: str = "en"
    callback_number: E164 | None = None
    tag: str = ""
    created_at: datetime | None = None


def add_subscriber(connection: Connection, wish: Subscriber, author: Author) -> Subscriber:
    """Add a person or line to an account."""
    _check(wish)
    if account(connection, wish.account_id).state is AccountState.CLOSED:
        raise Conflict("account", f"{wish.account_id!r} is closed", "open a new account")
    if connection.execute(select(subscribers.c.id).where(subscribers.c.id == wish.id)).first() is not None:
        raise Conflict("subscriber", f"{wish.id!r} exists already", "take another id")
    tag = checks.tag("tag", wish.tag)
    made = replace(wish, callback_number=None, tag=tag, created_at=author.at)
    connection.execute(insert(subscribers), _row(made))
    note(connection, author, "subscriber.add", made.id, after=_row(made))
    return made


def subscriber(connection: Connection, subscriber_id: str) -> Subscriber:
    """The subscriber of that id; NotFound if there is none."""
    row = connection.execute(select(subscribers).where(subscribers.c.id == subscriber_id)).mappings().first()
    if row is None:
        raise NotFound(
            "subscriber", f"there is no subscriber {subscriber_id!r}", "see `dialback subscriber list`"
        )
    return _subscriber_of(row)


def list_subscribers(connection: Connection, account_id: str | None = None) -> tuple[Subscriber, ...]:
    """The subscribers of an account, or all, by id."""
    wanted = select(subscribers).order_by(subscribers.c.id)
    if account_id is not None:
        wanted = wanted.where(subscribers.c.account_id == account_id)
    return tuple(_subscriber_of(row) for row in connection.execute(wanted).mappings())


def change_subscriber(connection: Connection, wish: Subscriber, author: Author) -> Subscriber:
    """Bring a subscriber to what `wish` says; account and chosen number stay as they are."""
    before = subscriber(connection, wish.id)
    _check(wish)
    after = replace(
        before,
        name=wish.name.strip(),
        home_country=wish.home_country,
        language=wish.language,
        tag=checks.tag("tag", wish.tag),
    )
    save_subscriber(connection, before, after, author)
    return after


def save_subscriber(connection: Connection, before: Subscriber, after: Subscriber, author: Author) -> None:
    """Write what has changed, and who changed it."""
    connection.execute(update(subscribers).where(subscribers.c.id == after.id), _row(after))
    note(connection, author, "subscriber.change", after.id, before=_row(before), after=_row(after))


def _check(wish: Subscriber) -> None:
    checks.slug("subscriber", wish.id)
    checks.line("name", wish.name)
    checks.country("home_country", wish.home_country)
    checks.language("language", wish.language)


def _row(record: Subscriber) -> dict[str, Any]:
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    chosen = record.callback_number
    return row | {"callback_number": None if chosen is None else str(chosen)}


def _subscriber_of(row: RowMapping) -> Subscriber:
    chosen = row["callback_number"]
    return Subscriber(**{**row, "callback_number": None if chosen is None else E164.parse(chosen)})

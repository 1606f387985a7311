"""Accounts, their subscribers and the numbers these are rung on.

Reads: what the clerk or the web asks for; rows of `accounts`, `subscribers`, `numbers`.
Gives: Account, Subscriber, RegisteredNumber; refusals that name the field and the remedy.
Knows nothing of: prices, calls.

What the conductor asks about a customer is gathered here too: `plan`, `country_policy` and `is_own_did` come
from their own modules.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from calls.admission import AccountState
from calls.callback import Callback
from store import checks
from store.audit import Author, note
from store.dids import is_own_did
from store.errors import Conflict, Invalid, NotFound
from store.plans import plan, plan_in_force
from store.policies import country_policy
from store.schema import accounts, numbers, subscribers
from values.e164 import E164
from values.money import UNITS_MAX

__all__ = [
    "Account",
    "RegisteredNumber",
    "Subscriber",
    "account",
    "account_state",
    "add_account",
    "add_number",
    "add_subscriber",
    "caller_id_for",
    "change_account",
    "choose_number",
    "country_policy",
    "is_own_did",
    "list_accounts",
    "list_numbers",
    "list_subscribers",
    "plan",
    "plan_in_force",
    "remove_number",
    "set_account_state",
    "subscriber",
    "verify_number",
]

POSTPAID, PREPAID = "postpaid", "prepaid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays. `credit_limit_units` is how far the balance may fall below 0, in 10^-4 of the unit."""

    id: str
    name: str
    currency: str
    zone: str
    plan_name: str
    kind: str = POSTPAID
    credit_limit_units: int = 0
    state: AccountState = AccountState.OPEN
    billing_address: str = ""
    billing_email: str = ""
    tax_id: str = ""
    tax_place: str = ""
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscriber:
    """A person or line of an account. `callback_number` is the one to ring; None: the one that triggers."""

    id: str
    account_id: str
    name: str
    home_country: str
    language: str = "en"
    callback_number: E164 | None = None
    created_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredNumber:
    """A number of a subscriber; it is rung only once it is verified."""

    number: E164
    account_id: str
    subscriber_id: str
    registered_at: datetime
    verified_at: datetime | None
    verified_by: str


# accounts


def add_account(connection: Connection, wish: Account, author: Author) -> Account:
    """Open an account; its plan must exist in its currency."""
    _check_account(connection, wish, author.at)
    if connection.execute(select(accounts.c.id).where(accounts.c.id == wish.id)).first() is not None:
        raise Conflict("account", f"{wish.id!r} exists already", "take another id")
    made = replace(wish, state=AccountState.OPEN, created_at=author.at)
    connection.execute(insert(accounts), _row(made))
    note(connection, author, "account.add", made.id, after=_row(made))
    return made


def account(connection: Connection, account_id: str) -> Account:
    """The account of that id; NotFound if there is none."""
    row = connection.execute(select(accounts).where(accounts.c.id == account_id)).mappings().first()
    if row is None:
        raise NotFound("account", f"there is no account {account_id!r}", "see `dialback account list`")
    return _account_of(row)


def list_accounts(connection: Connection) -> tuple[Account, ...]:
    """All accounts by id."""
    return tuple(
        _account_of(row) for row in connection.execute(select(accounts).order_by(accounts.c.id)).mappings()
    )


def change_account(connection: Connection, wish: Account, author: Author) -> Account:
    """Bring an account to what `wish` says; its currency and state stay as they are."""
    before = account(connection, wish.id)
    if wish.currency != before.currency:
        problem = f"account {wish.id!r} keeps its books in {before.currency}"
        raise Conflict("currency", problem, "open another account for another currency")
    after = replace(wish, state=before.state, created_at=before.created_at)
    _check_account(connection, after, author.at)
    connection.execute(update(accounts).where(accounts.c.id == wish.id), _row(after))
    note(connection, author, "account.change", wish.id, before=_row(before), after=_row(after))
    return after


def set_account_state(
    connection: Connection, account_id: str, state: AccountState, author: Author
) -> Account:
    """Suspend, resume or close an account; a closed one stays closed."""
    before = account(connection, account_id)
    if before.state is AccountState.CLOSED and state is not AccountState.CLOSED:
        raise Conflict("account", f"{account_id!r} is closed", "open a new account")
    connection.execute(update(accounts).where(accounts.c.id == account_id), {"state": state.value})
    after = replace(before, state=state)
    note(connection, author, "account.state", account_id, before=_row(before), after=_row(after))
    return after


def account_state(connection: Connection, account_id: str) -> AccountState:
    """Whether an account may call."""
    return account(connection, account_id).state


# subscribers


def add_subscriber(connection: Connection, wish: Subscriber, author: Author) -> Subscriber:
    """Add a person or line to an account."""
    checks.slug("subscriber", wish.id)
    checks.line("name", wish.name)
    checks.country("home_country", wish.home_country)
    checks.language("language", wish.language)
    account(connection, wish.account_id)
    if connection.execute(select(subscribers.c.id).where(subscribers.c.id == wish.id)).first() is not None:
        raise Conflict("subscriber", f"{wish.id!r} exists already", "take another id")
    made = replace(wish, callback_number=None, created_at=author.at)
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


# numbers


def add_number(
    connection: Connection, *, subscriber_id: str, number: E164, author: Author, verified: bool = False
) -> RegisteredNumber:
    """Register a number for a subscriber; Conflict if anybody has it already.

    `verified` is for a clerk who has checked it; else it is rung only after `verify_number`.
    """
    owner = subscriber(connection, subscriber_id)
    taken = connection.execute(select(numbers.c.account_id).where(numbers.c.e164 == str(number))).first()
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
    connection.execute(update(subscribers).where(subscribers.c.id == subscriber_id), _row(after))
    note(connection, author, "subscriber.number", subscriber_id, before=_row(before), after=_row(after))
    return after


def remove_number(connection: Connection, number: E164, author: Author) -> None:
    """Take a number away: it is rung no more."""
    before = _number(connection, number)
    owner = subscriber(connection, before.subscriber_id)
    if owner.callback_number == number:
        choose_number(connection, owner.id, None, author)
    connection.execute(numbers.delete().where(numbers.c.e164 == str(number)))
    note(connection, author, "number.remove", before.subscriber_id, before=_number_row(before))


def list_numbers(connection: Connection, subscriber_id: str | None = None) -> tuple[RegisteredNumber, ...]:
    """The numbers of a subscriber, or all, the longest registered first."""
    wanted = select(numbers).order_by(numbers.c.registered_at, numbers.c.e164)
    if subscriber_id is not None:
        wanted = wanted.where(numbers.c.subscriber_id == subscriber_id)
    return tuple(_number_of(row) for row in connection.execute(wanted).mappings())


def caller_id_for(connection: Connection, callback: Callback) -> E164 | None:
    """What a destination may be shown: the subscriber's own number if it is verified, else nothing."""
    row = connection.execute(
        select(numbers.c.verified_at).where(numbers.c.e164 == str(callback.number_a))
    ).first()
    return callback.number_a if row is not None and row.verified_at is not None else None


# how


def _check_account(connection: Connection, wish: Account, at: datetime) -> None:
    checks.slug("account", wish.id)
    checks.line("name", wish.name)
    checks.currency("currency", wish.currency)
    checks.zone("zone", wish.zone)
    checks.one_of("kind", wish.kind, (POSTPAID, PREPAID))
    checks.whole("credit_limit", wish.credit_limit_units, 0, UNITS_MAX)
    if wish.kind == PREPAID and wish.credit_limit_units:
        raise Invalid("credit_limit", "a prepaid account has no credit", "leave it 0, or make it postpaid")
    for field in ("billing_address", "billing_email", "tax_id", "tax_place"):
        checks.line(field, getattr(wish, field), optional=True)
    terms = plan_in_force(connection, wish.plan_name, at)
    if terms.currency != wish.currency:
        problem = f"plan {wish.plan_name!r} is in {terms.currency}, the account in {wish.currency}"
        raise Conflict("plan", problem, "choose a plan in the account's currency")


def _number(connection: Connection, number: E164) -> RegisteredNumber:
    row = connection.execute(select(numbers).where(numbers.c.e164 == str(number))).mappings().first()
    if row is None:
        raise NotFound("number", f"{number} is not registered", "add it with `dialback number add`")
    return _number_of(row)


def _row(record: Account | Subscriber) -> dict[str, Any]:
    """A record's fields as column values: they have the same names."""
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    if isinstance(record, Account):
        row["state"] = record.state.value
    elif record.callback_number is not None:
        row["callback_number"] = str(record.callback_number)
    return row


def _account_of(row: RowMapping) -> Account:
    return Account(**{**row, "state": AccountState(row["state"])})


def _subscriber_of(row: RowMapping) -> Subscriber:
    chosen = row["callback_number"]
    return Subscriber(**{**row, "callback_number": None if chosen is None else E164.parse(chosen)})


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

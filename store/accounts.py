"""Accounts: who pays.

Reads: what the clerk asks for; rows of `accounts`.
Gives: Account; refusals that name the field and the remedy.
Knows nothing of: their balance (store/ledger.py), their calls.
"""

from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from calls.admission import AccountState
from store import checks
from store.audit import Author, note
from store.errors import Conflict, Invalid, NotFound
from store.plans import plan_in_force
from store.schema import accounts
from values.money import UNITS_MAX

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
    row = connection.execute(FIND, {"account_id": account_id}).mappings().first()
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


FIND = select(accounts).where(accounts.c.id == bindparam("account_id"))


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


def _row(record: Account) -> dict[str, Any]:
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    return row | {"state": record.state.value}


def _account_of(row: RowMapping) -> Account:
    return Account(**{**row, "state": AccountState(row["state"])})

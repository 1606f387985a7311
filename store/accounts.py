"""Accounts: who pays.

Reads: what the clerk asks for; rows of `accounts`.
Gives: Account; refusals that name the field and the remedy.
Knows nothing of: their balance (store/ledger.py), their calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from calls.admission import AccountState
from store import accountplans, checks
from store.audit import Author, note
from store.errors import Conflict, Invalid, NotFound
from store.plans import plan_in_force
from store.schema import accounts

POSTPAID, PREPAID = "postpaid", "prepaid"
MONTHLY, ON_DEMAND = "monthly", "on-demand"
"""Billed by the run of the month, or only when somebody asks for that account's invoice."""
CALLBACKS_MOST = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who pays. `credit_limit_units` is how far the balance may fall below 0, in 10^-4 of the unit.

    `plan_name` is the plan it was opened with; which one holds at an instant tells store/accountplans.py.
    `callbacks_max` 0 is no limit.
    """

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
    bill_cycle: str = MONTHLY
    masks_numbers: bool = False
    asks_tag: bool = False
    callbacks_max: int = 0
    created_at: datetime | None = None
    closed_at: datetime | None = None


def add_account(connection: Connection, wish: Account, author: Author) -> Account:
    """Open an account; its plan must exist in its currency."""
    checked = _checked(wish)
    _check_plan(connection, checked, author.at)
    if connection.execute(select(accounts.c.id).where(accounts.c.id == wish.id)).first() is not None:
        raise Conflict("account", f"{wish.id!r} exists already", "take another id")
    made = replace(checked, state=AccountState.OPEN, created_at=author.at)
    connection.execute(insert(accounts), _row(made))
    note(connection, author, "account.add", made.id, after=_row(made))
    first = {"account_id": made.id, "plan_name": made.plan_name, "effective_at": author.at}
    connection.execute(accountplans.INSERT, {**first, "decided_at": author.at, "decided_by": author.name})
    return made


def account(connection: Connection, account_id: str) -> Account:
    """The account of that id; NotFound if there is none."""
    row = connection.execute(FIND, {"account_id": account_id}).mappings().first()
    if row is None:
        raise NotFound("account", f"there is no account {account_id!r}", "see `dialback account list`")
    return _account_of(row)


def list_accounts(connection: Connection, only: Sequence[str] | None = None) -> tuple[Account, ...]:
    """All accounts by id, or only those of these ids."""
    wanted = select(accounts).order_by(accounts.c.id)
    if only is not None:
        wanted = wanted.where(accounts.c.id.in_(only))
    return tuple(_account_of(row) for row in connection.execute(wanted).mappings())


def change_account(connection: Connection, wish: Account, author: Author) -> Account:
    """Bring an account to what `wish` says; its currency, plan and state stay as they are."""
    before = _not_closed(connection, wish.id)
    if wish.currency != before.currency:
        problem = f"account {wish.id!r} keeps its books in {before.currency}"
        raise Conflict("currency", problem, "open another account for another currency")
    kept = replace(
        wish,
        plan_name=before.plan_name,
        state=before.state,
        created_at=before.created_at,
        closed_at=before.closed_at,
    )
    after = _checked(kept)
    if after != before:
        connection.execute(update(accounts).where(accounts.c.id == wish.id), _row(after))
        note(connection, author, "account.change", wish.id, before=_row(before), after=_row(after))
    return after


def change_account_plan(
    connection: Connection, account_id: str, plan_name: str, *, effective_at: datetime, author: Author
) -> None:
    """Let an account pay by another plan from `effective_at` on; callbacks admitted before keep theirs."""
    known = _not_closed(connection, account_id)
    _check_plan(connection, replace(known, plan_name=plan_name), effective_at)
    accountplans.change_plan(connection, account_id, plan_name, effective_at=effective_at, author=author)


def set_account_state(
    connection: Connection, account_id: str, state: AccountState, author: Author
) -> Account:
    """Suspend or resume an account, or close it, if store/closing.py lets it; closed it stays."""
    before = account(connection, account_id)
    if before.state is AccountState.CLOSED and state is not AccountState.CLOSED:
        raise Conflict("account", f"{account_id!r} is closed", "open a new account")
    after = replace(before, state=state)
    if state is AccountState.CLOSED and before.closed_at is None:
        after = replace(after, closed_at=author.at)
    changed = {"state": state.value, "closed_at": after.closed_at}
    connection.execute(update(accounts).where(accounts.c.id == account_id), changed)
    note(connection, author, "account.state", account_id, before=_row(before), after=_row(after))
    return after


def account_state(connection: Connection, account_id: str) -> AccountState:
    """Whether an account may call."""
    return account(connection, account_id).state


FIND = select(accounts).where(accounts.c.id == bindparam("account_id"))


def _checked(wish: Account) -> Account:
    """The account in the form in which it is written; Invalid names the first field that cannot be meant."""
    checks.slug("account", wish.id)
    checks.currency("currency", wish.currency)
    checks.zone("zone", wish.zone)
    checks.one_of("kind", wish.kind, (POSTPAID, PREPAID))
    checks.one_of("bill_cycle", wish.bill_cycle, (MONTHLY, ON_DEMAND))
    checks.amount("credit_limit", wish.credit_limit_units, wish.currency)
    checks.whole("callbacks_max", wish.callbacks_max, 0, CALLBACKS_MOST)
    if wish.kind == PREPAID and wish.credit_limit_units:
        raise Invalid("credit_limit", "a prepaid account has no credit", "leave it 0, or make it postpaid")
    place = checks.tax_place("tax_place", wish.tax_place)
    return replace(
        wish,
        name=checks.line("name", wish.name),
        billing_address=checks.line("billing_address", wish.billing_address, optional=True),
        billing_email=checks.email("billing_email", wish.billing_email),
        tax_place=place,
        tax_id=checks.tax_id("tax_id", wish.tax_id, place),
    )


def _not_closed(connection: Connection, account_id: str) -> Account:
    known = account(connection, account_id)
    if known.state is AccountState.CLOSED:
        raise Conflict("account", f"{account_id!r} is closed", "open a new account")
    return known


def _check_plan(connection: Connection, wish: Account, at: datetime) -> None:
    terms = plan_in_force(connection, wish.plan_name, at)
    if terms.currency != wish.currency:
        problem = f"plan {wish.plan_name!r} is in {terms.currency}, the account in {wish.currency}"
        raise Conflict("plan", problem, "choose a plan in the account's currency")


def _row(record: Account) -> dict[str, Any]:
    row = {field.name: getattr(record, field.name) for field in fields(record)}
    return row | {"state": record.state.value}


def _account_of(row: RowMapping) -> Account:
    return Account(**{**row, "state": AccountState(row["state"])})

"""Fees that come back every month: options of an account, such as a second number.

Reads: what the clerk asks for; rows of `account_options`.
Gives: Option; those that a month has to bill.
Knows nothing of: invoices, tax rates, a plan's own monthly fee (that is in the plan).

An option is owed whole for every month of the account's calendar in which it held on at least one day:
nothing is prorated. What is added today stands on the next invoice. Months that are invoiced are over: no
option begins in one of them, for nobody would ask for it, and none is ended before one that has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, insert, select, update

from calls.admission import AccountState
from store import checks
from store.accounts import account
from store.audit import Author, note
from store.customertables import account_options
from store.errors import Conflict, Invalid, NotFound
from store.invoicetables import invoices

DEFAULT_TAX_GROUP = "standard"
ADJUST = "dialback ledger adjust"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """`monthly_units` (10^-4 of the account's unit) a month from `starts_on` to before `ends_on`."""

    id: str
    account_id: str
    name: str
    monthly_units: int
    currency: str
    starts_on: date
    ends_on: date | None = None
    tax_group: str = DEFAULT_TAX_GROUP
    created_at: datetime | None = None

    def holds_in(self, first: date, end: date) -> bool:
        """Whether it holds on a day from `first` to before `end`."""
        last = self.ends_on
        return self.starts_on < end and (last is None or (last > first and last > self.starts_on))


def add_option(connection: Connection, wish: Option, author: Author) -> Option:
    """Let an account have an option; asked twice under one id, the second time changes nothing.

    Conflict if that id is another option.
    """
    owner = account(connection, wish.account_id)
    made = _checked(replace(wish, currency=owner.currency, created_at=author.at))
    known = _find(connection, made.id)
    if known is not None:
        if replace(known, created_at=author.at, ends_on=made.ends_on) != made:
            raise Conflict("option", f"{made.id!r} is another option already", "take another id")
        return known
    if owner.state is AccountState.CLOSED:
        raise Conflict("account", f"{owner.id!r} is closed", "open a new account")
    billed = _billed(connection, owner.id)
    if billed and made.starts_on < billed[-1].end_day:
        problem = f"account {owner.id!r} is invoiced up to {billed[-1].end_day}"
        remedy = f"let it begin then or later; ask for the time before by `{ADJUST} {owner.id} -AMOUNT`"
        raise Conflict("from", problem, remedy)
    connection.execute(insert(account_options), _row(made))
    note(connection, author, "option.add", owner.id, after=_row(made))
    return made


def end_option(connection: Connection, option_id: str, ends_on: date, author: Author) -> Option:
    """End an option: `ends_on` is the first day without it."""
    before = option(connection, option_id)
    if ends_on < before.starts_on:
        raise Invalid("on", f"{ends_on} is before {before.starts_on}, its first day", "write a later day")
    after = replace(before, ends_on=ends_on)
    if after != before:
        for month in _billed(connection, before.account_id):
            if before.holds_in(*month) and not after.holds_in(*month):
                problem = f"the invoice of {month.first_day:%Y-%m} has {option_id!r}"
                remedy = f"end it later, and give back what it cost by `{ADJUST} {before.account_id} AMOUNT`"
                raise Conflict("on", problem, remedy)
        connection.execute(
            update(account_options).where(account_options.c.id == option_id), {"ends_on": ends_on}
        )
        note(connection, author, "option.end", before.account_id, before=_row(before), after=_row(after))
    return after


def option(connection: Connection, option_id: str) -> Option:
    """The option of that id; NotFound if there is none."""
    found = _find(connection, option_id)
    if found is None:
        raise NotFound("option", f"there is no option {option_id!r}", "see `dialback option list`")
    return found


def list_options(connection: Connection, account_id: str | None = None) -> tuple[Option, ...]:
    """The options of an account, or all, past and to come, by their first day."""
    wanted = select(account_options).order_by(
        account_options.c.account_id, account_options.c.starts_on, account_options.c.id
    )
    if account_id is not None:
        wanted = wanted.where(account_options.c.account_id == account_id)
    return tuple(_option_of(row) for row in connection.execute(wanted).mappings())


def options_in(connection: Connection, account_id: str, first: date, end: date) -> tuple[Option, ...]:
    """What an account owes for the month from `first` to before `end`, days of its own calendar."""
    return tuple(each for each in list_options(connection, account_id) if each.holds_in(first, end))


def _billed(connection: Connection, account_id: str) -> Sequence[Row[date, date]]:
    """The first day of each month of which the account has its invoice, and of the month after it."""
    wanted = (
        select(invoices.c.first_day, invoices.c.end_day)
        .where(invoices.c.account_id == account_id, invoices.c.kind == "invoice")
        .order_by(invoices.c.first_day)
    )
    return connection.execute(wanted).all()


def _checked(wish: Option) -> Option:
    checks.slug("option", wish.id)
    checks.amount("monthly", wish.monthly_units, wish.currency)
    if wish.ends_on is not None and wish.ends_on < wish.starts_on:
        raise Invalid("ends_on", f"{wish.ends_on} is before {wish.starts_on}", "write a later day")
    name, group = checks.line("name", wish.name), checks.slug("tax_group", wish.tax_group)
    return replace(wish, name=name, tax_group=group)


def _find(connection: Connection, option_id: str) -> Option | None:
    wanted = select(account_options).where(account_options.c.id == option_id)
    row = connection.execute(wanted).mappings().first()
    return None if row is None else _option_of(row)


def _row(record: Option) -> dict[str, Any]:
    names = ("id", "account_id", "name", "monthly_units", "currency", "tax_group", "starts_on", "ends_on")
    return {name: getattr(record, name) for name in names} | {"created_at": record.created_at}


def _option_of(row: RowMapping) -> Option:
    return Option(**row)

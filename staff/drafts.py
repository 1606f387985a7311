"""Invoices of a month that is not closed yet, made from what the store holds now.

Reads: store rows; the seller of switch.toml.
Gives: Invoices without a number; what `dialback invoice` shows before they are issued.
Knows nothing of: SQL, totals (billing/totals.py).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.invoice import Invoice, completed
from billing.monthly import monthly_head
from billing.particulars import Party
from billing.period import month as month_of
from store import accounts, invoices
from store.accounts import Account
from store.database import Connection
from store.errors import NotFound
from store.taxes import tax_rows

DUE_DAYS = 14
MonthOf = tuple[int, int]


def draft(
    connection: Connection,
    account_id: str,
    *,
    month: MonthOf | None,
    now: datetime,
    seller: Party,
    due_days: int = DUE_DAYS,
) -> Invoice:
    """An account's invoice of a month (None: this one); NotFound if the account had no plan then."""
    owner = accounts.account(connection, account_id)
    return _draft(connection, owner, month=month, now=now, seller=seller, due_days=due_days)


def drafts(
    connection: Connection, *, month: MonthOf | None, now: datetime, seller: Party, due_days: int = DUE_DAYS
) -> tuple[Invoice, ...]:
    """The invoices of all accounts that had a plan in that month."""
    made = []
    for owner in accounts.list_accounts(connection):
        try:
            made.append(_draft(connection, owner, month=month, now=now, seller=seller, due_days=due_days))
        except NotFound:
            continue  # older than its plan: nothing can have been sold to it then
    return tuple(made)


def _draft(
    connection: Connection,
    owner: Account,
    *,
    month: MonthOf | None,
    now: datetime,
    seller: Party,
    due_days: int,
) -> Invoice:
    today = now.astimezone(ZoneInfo(owner.zone)).date()
    year, number = month or (today.year, today.month)
    facts = invoices.gather(connection, owner.id, month_of(year, number, owner.zone))
    head = monthly_head(
        facts.month,
        number="",
        seller=seller,
        taxes=tax_rows(connection),
        issued_on=today,
        due_on=today + timedelta(days=due_days),
    )
    return completed(head, facts.sessions)

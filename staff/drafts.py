"""Draft invoices: what the store gathered of a month, built by billing.

Reads: store.invoices, accounts.
Gives: Invoices without a number.
Knows nothing of: SQL, totals (billing/invoice.py).
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing.invoice import Invoice, build_invoice
from billing.particulars import Party
from billing.period import month as month_of
from store import accounts, invoices
from store.accounts import Account
from store.database import Connection
from store.errors import NotFound

DUE_DAYS = 14
MonthOf = tuple[int, int]


def draft(
    connection: Connection, account_id: str, *, month: MonthOf | None, now: datetime, seller: Party
) -> Invoice:
    """An account's invoice of a month (None: this one); NotFound if the account had no plan then."""
    return _draft(connection, accounts.account(connection, account_id), month=month, now=now, seller=seller)


def drafts(
    connection: Connection, *, month: MonthOf | None, now: datetime, seller: Party
) -> tuple[Invoice, ...]:
    """The invoices of all accounts that had a plan in that month."""
    made = []
    for account in accounts.list_accounts(connection):
        try:
            made.append(_draft(connection, account, month=month, now=now, seller=seller))
        except NotFound:
            continue  # older than its plan: nothing can have been sold to it then
    return tuple(made)


def _draft(
    connection: Connection, account: Account, *, month: MonthOf | None, now: datetime, seller: Party
) -> Invoice:
    today = now.astimezone(ZoneInfo(account.zone)).date()
    year, number = month or (today.year, today.month)
    period = month_of(year, number, account.zone)
    facts = invoices.gather(connection, account.id, period)
    return build_invoice(
        number="",
        seller=seller,
        buyer=facts.buyer,
        account_id=account.id,
        plan=facts.plan,
        period=period,
        issued_on=today,
        due_on=today + timedelta(days=DUE_DAYS),
        sessions=facts.sessions,
        previous_owed=facts.previous_owed,
        payments=facts.payments,
    )

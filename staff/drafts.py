"""Invoices of a month that is not closed yet, made from what the store holds now; and all of any month.

Reads: store rows; the seller of switch.toml.
Gives: Invoices without a number; what `dialback invoice` shows: drafts, and what was issued as it was issued.
Knows nothing of: SQL, totals (billing/totals.py).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from billing import render
from billing.invoice import Invoice, completed
from billing.monthly import monthly_head
from billing.particulars import Party
from billing.period import month as month_of
from billing.tax import TaxRefused
from store import accounts, invoices, papers
from store.accounts import Account
from store.database import Connection
from store.errors import NotFound
from store.taxes import tax_rows

DUE_DAYS = 14
MonthOf = tuple[int, int]
FORMS: Mapping[str, Callable[[Invoice], str]] = {
    "txt": render.to_table,
    "json": render.to_json,
    "csv": render.to_csv,
}
"""The forms that several invoices can be shown in together."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class OfMonth:
    """All invoices of a month in one form, each with its account; and who has none, with the reason."""

    papers: tuple[tuple[str, str], ...]
    held: tuple[tuple[str, str], ...]


def all_of_month(
    connection: Connection,
    form: str,
    *,
    month: MonthOf | None,
    now: datetime,
    seller: Party,
    due_days: int = DUE_DAYS,
    drafts_alone: bool = False,
) -> OfMonth:
    """The invoices of all accounts that had a plan in that month: as issued, or drafts. `form`: one of FORMS.

    `drafts_alone` leaves out what was issued: a draft of a closed month would have what closed it among the
    payments, and take its tax twice.
    """
    made: list[tuple[str, str]] = []
    held: list[tuple[str, str]] = []
    for owner in accounts.list_accounts(connection):
        today = now.astimezone(ZoneInfo(owner.zone)).date()
        number = papers.number_of_month(connection, owner.id, date(*(month or (today.year, today.month)), 1))
        if number and drafts_alone:
            continue
        try:
            if number:
                made.append((owner.id, _issued(connection, number, form)))
            else:
                found = _draft(connection, owner, month=month, now=now, seller=seller, due_days=due_days)
                made.append((owner.id, FORMS[form](found)))
        except NotFound:
            continue  # older than its plan: nothing can have been sold to it then
        except TaxRefused as refused:
            held.append((owner.id, str(refused)))
    return OfMonth(papers=tuple(made), held=tuple(held))


def _issued(connection: Connection, number: str, form: str) -> str:
    """The paper as it was issued; made now where none is written yet."""
    if papers.is_unwritten(connection, number):
        return FORMS[form](papers.invoice_of(connection, number))
    return papers.paper(connection, number, form).decode()


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

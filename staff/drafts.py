"""Draft invoices: what the store knows of a month becomes billing's particulars.

Reads: accounts, call records, ledger entries.
Gives: Invoices without a number.
Knows nothing of: SQL, totals (billing/invoice.py).
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from billing import ledger as books
from billing.invoice import Invoice, build_invoice
from billing.particulars import ZERO, Party, Payment, RatedLeg, RatedSession
from billing.period import Period
from billing.period import month as month_of
from rating.plan import Plan
from store import cdrs, customers, ledger, plans
from store.cdrs import CallRecord
from store.customers import Account
from store.database import Connection
from store.errors import NotFound
from values.money import decimal_from_units

DUE_DAYS = 14


def drafts(
    connection: Connection,
    account_id: str | None,
    *,
    month: tuple[int, int] | None,
    now: datetime,
    seller: Party,
) -> tuple[Invoice, ...]:
    """The invoices of a month (None: this one) of one account or of all; NotFound without such an account."""
    accounts = (
        customers.list_accounts(connection)
        if account_id is None
        else (customers.account(connection, account_id),)
    )
    return tuple(_draft(connection, each, month=month, now=now, seller=seller) for each in accounts)


def _draft(
    connection: Connection, account: Account, *, month: tuple[int, int] | None, now: datetime, seller: Party
) -> Invoice:
    today = now.astimezone(ZoneInfo(account.zone)).date()
    year, number = month or (today.year, today.month)
    period = month_of(year, number, account.zone)
    entries = ledger.list_entries(connection, account_id=account.id, until=period.ends_at)
    before = [entry for entry in entries if entry.at < period.starts_at]
    inside = [entry for entry in entries if entry.at >= period.starts_at]
    column = ledger.receivable(account.id)
    owed_units = -books.balance_units(before, column, account.currency)
    records = cdrs.list_cdrs(connection, account_id=account.id, since=period.starts_at, until=period.ends_at)
    names = {each.id: each.name for each in customers.list_subscribers(connection, account.id)}
    return build_invoice(
        number="",
        seller=seller,
        buyer=_buyer(account),
        account_id=account.id,
        plan=_plan_of(connection, account, period, now),
        period=period,
        issued_on=today,
        due_on=today + timedelta(days=DUE_DAYS),
        sessions=_sessions(records, names, _waived(inside)),
        previous_owed=decimal_from_units(owed_units),
        payments=_payments(inside, column),
    )


def _buyer(account: Account) -> Party:
    return Party(
        name=account.name,
        address=tuple(line for line in account.billing_address.split("\n") if line.strip()),
        tax_id=account.tax_id,
        email=account.billing_email,
    )


def _plan_of(connection: Connection, account: Account, period: Period, now: datetime) -> Plan:
    """The account's plan at the end of the period; today's if it had none then."""
    try:
        return plans.plan_in_force(connection, account.plan_name, min(period.ends_at, now))
    except NotFound:
        return plans.plan_in_force(connection, account.plan_name, now)


def _sessions(
    records: Sequence[CallRecord], names: dict[str, str], waived: dict[str, int]
) -> list[RatedSession]:
    by_callback: dict[str, list[CallRecord]] = {}
    for record in records:
        by_callback.setdefault(record.cdr.callback_id, []).append(record)
    return [
        RatedSession(
            callback_id=callback_id,
            requested_at=legs[0].requested_at,
            ended_at=legs[0].session_ended_at,
            subscriber=names.get(legs[0].subscriber_id, legs[0].subscriber_id),
            legs=tuple(_leg(record) for record in legs if record.charge is not None),
            waived=decimal_from_units(waived[callback_id]) if waived.get(callback_id) else ZERO,
            reference=legs[0].reference,
        )
        for callback_id, legs in by_callback.items()
    ]


def _leg(record: CallRecord) -> RatedLeg:
    assert record.charge is not None
    return RatedLeg(
        leg_id=record.cdr.leg_id,
        role=record.cdr.role,
        number=str(record.cdr.number),
        answered_at=record.cdr.answered_at,
        charge=record.charge,
    )


def _waived(entries: Sequence[books.Entry]) -> dict[str, int]:
    """What each callback was not charged because a limit acted late: it is our loss in its entry."""
    return {
        entry.reference: -posting.units
        for entry in entries
        if entry.kind is books.EntryKind.CHARGE
        for posting in entry.postings
        if posting.ledger_account.kind is books.LedgerAccountKind.LOSS
    }


def _payments(entries: Sequence[books.Entry], column: books.LedgerAccount) -> tuple[Payment, ...]:
    return tuple(
        Payment(
            at=entry.at,
            reference=entry.reference,
            amount=decimal_from_units(
                sum(posting.units for posting in entry.postings if posting.ledger_account == column)
            ),
        )
        for entry in entries
        if entry.kind is books.EntryKind.PAYMENT
    )

"""What accounts owe, by age, and what is on no invoice yet.

Reads: postings on receivables; settled callbacks.
Gives: Ageing of each account; Unbilled calls of each.
Knows nothing of: how payments settle charges (billing/ageing.py).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, case, func, select

from billing.ageing import EDGES_DAYS, Ageing, age
from billing.ledger import LedgerAccountKind
from store.invoicetables import invoice_sessions
from store.schema import entries, postings, settlements

PREFIX = f"{LedgerAccountKind.RECEIVABLE}:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """What an account owes in its currency."""

    account_id: str
    currency: str
    ageing: Ageing


def receivables(
    connection: Connection, on: datetime, *, account_id: str | None = None
) -> tuple[Receivable, ...]:
    """What each account owed at that instant, by the age of its charges; who owes nothing is left out.

    A charge is as old as its entry. What is neither charge nor payment counts by its sign.
    """
    edges = [on - timedelta(days=days) for days in EDGES_DAYS]
    bounds = [(edges[0], on), *zip(edges[1:], edges[:-1], strict=True), (None, edges[-1])]
    debit = postings.c.units < 0
    columns = []
    for since, until in bounds:
        fits = debit & (entries.c.at < until)
        if since is not None:
            fits &= entries.c.at >= since
        columns.append(func.sum(case((fits, -postings.c.units), else_=0)))
    credit = func.sum(case((postings.c.units > 0, postings.c.units), else_=0))
    query = (
        select(postings.c.ledger_account_id, postings.c.currency, credit, *columns)
        .select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
        .where(entries.c.at < on)
        .group_by(postings.c.ledger_account_id, postings.c.currency)
        .order_by(postings.c.ledger_account_id, postings.c.currency)
    )
    if account_id is None:
        # A range of the index, and no LIKE: `;` follows `:`.
        query = query.where(
            postings.c.ledger_account_id >= PREFIX, postings.c.ledger_account_id < f"{PREFIX[:-1]};"
        )
    else:
        query = query.where(postings.c.ledger_account_id == f"{PREFIX}{account_id}")
    found = [
        Receivable(
            account_id=name.removeprefix(PREFIX),
            currency=currency,
            ageing=age([int(each) for each in charged], int(credited)),
        )
        for name, currency, credited, *charged in connection.execute(query)
    ]
    return tuple(each for each in found if any(each.ageing.open_units) or each.ageing.credit_units)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbilled:
    """Calls of an account that are on no invoice; `units` is their price before tax and rounding."""

    account_id: str
    currency: str
    callbacks: int
    units: int
    first_at: datetime
    last_at: datetime


def unbilled(connection: Connection, *, account_id: str | None = None) -> tuple[Unbilled, ...]:
    """What each account has talked for and was never invoiced, up to this moment."""
    is_billed = invoice_sessions.c.callback_id == settlements.c.callback_id
    query = (
        select(
            settlements.c.account_id,
            settlements.c.currency,
            func.count().label("callbacks"),
            func.sum(settlements.c.gross_units - settlements.c.waived_units).label("units"),
            func.min(settlements.c.ended_at).label("first_at"),
            func.max(settlements.c.ended_at).label("last_at"),
        )
        .select_from(settlements.outerjoin(invoice_sessions, is_billed))
        .where(invoice_sessions.c.callback_id.is_(None), settlements.c.entry_id.is_not(None))
        .group_by(settlements.c.account_id, settlements.c.currency)
        .order_by(settlements.c.account_id, settlements.c.currency)
    )
    if account_id is not None:
        query = query.where(settlements.c.account_id == account_id)
    return tuple(
        Unbilled(
            account_id=row.account_id,
            currency=row.currency,
            callbacks=row.callbacks,
            units=int(row.units),
            first_at=row.first_at,
            last_at=row.last_at,
        )
        for row in connection.execute(query)
    )

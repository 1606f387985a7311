"""What accounts owe, by how late it is, and what is on no invoice yet.

Reads: the ledger, issued invoices; settled callbacks.
Gives: Ageing of each account; what is open of each invoice; Unbilled calls of each.
Knows nothing of: how payments settle what was asked for (billing/ageing.py).
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, exists, func, select

from billing.ageing import Ageing, Asked, age, days_late, still_asked, unpaid
from billing.ledger import OF_CALLS, EntryKind, LedgerAccountKind
from store.callcredits import GIVEN_UNITS
from store.invoicetables import invoice_sessions, invoices
from store.outcomes import GROSS_UNITS, WAIVED_UNITS
from store.schema import entries, ledger_accounts, money_acts, postings, settlements

PREFIX = f"{LedgerAccountKind.RECEIVABLE}:"
BY_ITSELF = (*OF_CALLS, EntryKind.FEE, EntryKind.TAX, EntryKind.ROUNDING)
"""What is asked for without a person's act. A fee may be either: an invoice's own, or one for paying late."""
BY_HAND = (EntryKind.FEE, EntryKind.ADJUSTMENT)
"""What people ask an account for, or take back: the next invoice lists it beside its total."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Receivable:
    """What an account owes in its currency."""

    account_id: str
    currency: str
    ageing: Ageing


def receivables(
    connection: Connection, on: datetime, *, account_id: str | None = None
) -> tuple[Receivable, ...]:
    """What each account owed at that instant, by how late it was; who owes nothing is left out.

    A sum is due with the invoice that asks for it. What no invoice had asked for by then is not due.
    """
    owed = _owed(connection, on, account_id)
    claims = _claims(connection, on, account_id)
    return tuple(
        Receivable(
            account_id=name,
            currency=currency,
            ageing=age(units, [_asked(each, on) for each in claims.get(name, ())]),
        )
        for (name, currency), units in sorted(owed.items())
        if units
    )


def open_units(connection: Connection, account_id: str, owed_units: int) -> dict[str, int]:
    """What is open of each invoice of an account that owes so much; paid ones are left out."""
    claims = _claims(connection, None, account_id).get(account_id, [])
    still_open = unpaid(owed_units, [each.units for each in claims])
    found = [(each.invoice, units) for each, units in zip(claims, still_open, strict=True)]
    return {invoice.number: units for invoice, units in reversed(found) if invoice is not None and units}


def still_due_units(connection: Connection, account_id: str, number: str, owed_units: int) -> int:
    """What is open of that invoice and of all before it, of an account that owes so much."""
    still_open = open_units(connection, account_id, owed_units)
    numbers = list(still_open)  # the oldest first; where it is paid, so are those before it
    upto = numbers.index(number) + 1 if number in still_open else 0
    return sum(still_open[each] for each in numbers[:upto])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claim:
    """A sum that is to be paid: with an invoice, or asked for by none, as this month's calls."""

    units: int
    invoice: Row[*tuple[Any, ...]] | None = None


def _asked(claim: _Claim, on: datetime) -> Asked:
    if claim.invoice is None:
        return Asked(units=claim.units)
    today = on.astimezone(ZoneInfo(claim.invoice.zone)).date()
    return Asked(units=claim.units, days_late=days_late(claim.invoice.due_on, today))


def _claims(connection: Connection, on: datetime | None, account_id: str | None) -> dict[str, list[_Claim]]:
    """What each account was to pay before that instant, or up to now; the newest first.

    A refund took what was left over, so it opens none that was asked for before.
    """
    issued = _issued(connection, on, account_id)
    by_hand = _acts(connection, BY_HAND, on, account_id)
    refunds = _acts(connection, (EntryKind.REFUND,), on, account_id)
    fresh = _not_invoiced(connection, on, account_id)
    claims: dict[str, list[_Claim]] = {}
    for name in issued.keys() | by_hand.keys() | refunds.keys() | fresh.keys():
        rows = issued.get(name, [])
        *listed, unlisted = _beside(rows, by_hand.get(name, ()))
        dated = [
            (row.issued_at, row.ends_at, _Claim(units=row.total_units + units, invoice=row))
            for row, units in zip(rows, listed, strict=True)
        ]
        dated += [(at, at, _Claim(units=units)) for at, units in refunds.get(name, ())]
        newest = _Claim(units=fresh.get(name, 0) + unlisted)
        claims[name] = [
            newest,
            *(each for *_, each in sorted(dated, key=lambda each: each[:2], reverse=True)),
        ]
    return claims


def _owed(connection: Connection, on: datetime, account_id: str | None) -> dict[tuple[str, str], int]:
    """What each account owed: what it owes now, less what was booked on later days."""
    now = select(ledger_accounts.c.id, ledger_accounts.c.currency, -ledger_accounts.c.balance_units).where(
        _columns(ledger_accounts.c.id, account_id)
    )
    mine = _columns(postings.c.ledger_account_id, account_id)
    if account_id is None:
        # No range of an index: the later entries are few, and lead to their postings.
        mine = postings.c.ledger_account_id.like(f"{PREFIX}%")
    later = (
        select(postings.c.ledger_account_id, postings.c.currency, func.sum(postings.c.units))
        .where(postings.c.entry_id.in_(select(entries.c.id).where(entries.c.at >= on)), mine)
        .group_by(postings.c.ledger_account_id, postings.c.currency)
    )
    owed: dict[tuple[str, str], int] = defaultdict(int)
    for wanted in (now, later):
        for name, currency, units in connection.execute(wanted):
            owed[name.removeprefix(PREFIX), currency] += int(units)
    return owed


def _not_invoiced(connection: Connection, on: datetime | None, account_id: str | None) -> dict[str, int]:
    """What each account's calls came to since the end of its last invoice of that day, and what closed it."""
    newest = (
        select(invoices.c.account_id, func.max(invoices.c.ends_at).label("ends_at"))
        .where(invoices.c.kind == "invoice")
        .group_by(invoices.c.account_id)
    )
    name = func.substr(postings.c.ledger_account_id, len(PREFIX) + 1)
    wanted = (
        select(postings.c.ledger_account_id, func.sum(-postings.c.units))
        .where(_columns(postings.c.ledger_account_id, account_id))
        .where(entries.c.kind.in_(sorted(BY_ITSELF)))
        .where((entries.c.kind != EntryKind.FEE) | ~exists().where(money_acts.c.entry_id == entries.c.id))
        .group_by(postings.c.ledger_account_id)
    )
    if on is not None:
        newest = newest.where(invoices.c.issued_at < on)
        wanted = wanted.where(entries.c.at < on)
    if account_id is not None:
        newest = newest.where(invoices.c.account_id == account_id)
    last = newest.subquery()
    wanted = wanted.select_from(
        postings.join(entries, entries.c.id == postings.c.entry_id).outerjoin(last, last.c.account_id == name)
    ).where(last.c.ends_at.is_(None) | (entries.c.at >= last.c.ends_at))
    return {column.removeprefix(PREFIX): int(units) for column, units in connection.execute(wanted)}


def _issued(
    connection: Connection, on: datetime | None, account_id: str | None
) -> dict[str, list[Row[*tuple[Any, ...]]]]:
    """The invoices of each account in the order of their months."""
    wanted = (
        select(
            invoices.c.account_id,
            invoices.c.number,
            invoices.c.issued_at,
            invoices.c.ends_at,
            invoices.c.due_on,
            invoices.c.zone,
            invoices.c.total_units,
        )
        .where(invoices.c.kind == "invoice")
        .order_by(invoices.c.account_id, invoices.c.ends_at)
    )
    if on is not None:
        wanted = wanted.where(invoices.c.issued_at < on)
    if account_id is not None:
        wanted = wanted.where(invoices.c.account_id == account_id)
    found: dict[str, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in connection.execute(wanted):
        found[row.account_id].append(row)
    return found


def _beside(issued: Sequence[Row[*tuple[Any, ...]]], acts: Iterable[tuple[datetime, int]]) -> list[int]:
    """What each of an account's invoices asks for beside its total; at the end, what none of them lists.

    `issued` goes by `ends_at`. A correction in the account's favour takes back what was asked for before it
    and is listed with it; beyond that it is money, which pays the oldest.
    """
    ends = [row.ends_at for row in issued]
    listed: list[list[int]] = [[] for _ in (*ends, None)]
    for at, units in acts:
        listed[bisect_right(ends, at)].append(units)
    return [still_asked(units) for units in listed]


def _acts(
    connection: Connection, kinds: Sequence[EntryKind], on: datetime | None, account_id: str | None
) -> dict[str, list[tuple[datetime, int]]]:
    """What people's acts of those kinds took from each account, in order; below zero what they gave."""
    wanted = (
        select(money_acts.c.account_id, money_acts.c.at, money_acts.c.units)
        .join(entries, entries.c.id == money_acts.c.entry_id)
        .where(entries.c.kind.in_(kinds))
        .order_by(money_acts.c.at, money_acts.c.units)
    )
    if on is not None:
        wanted = wanted.where(money_acts.c.at < on)
    if account_id is not None:
        wanted = wanted.where(money_acts.c.account_id == account_id)
    found: dict[str, list[tuple[datetime, int]]] = defaultdict(list)
    for name, at, units in connection.execute(wanted):
        found[name].append((at, -units))
    return found


def _columns(column: ColumnElement[str], account_id: str | None) -> ColumnElement[bool]:
    """Whether it is an account's column in the books, or that account's."""
    if account_id is not None:
        return column == f"{PREFIX}{account_id}"
    # A range of the index, and no LIKE: `;` follows `:`.
    return (column >= PREFIX) & (column < f"{PREFIX[:-1]};")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbilled:
    """Calls of an account that are on no invoice; `units` is what they come to before tax and rounding."""

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
            func.sum(GROSS_UNITS - WAIVED_UNITS - GIVEN_UNITS).label("units"),
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

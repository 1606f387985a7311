"""The close of a month: invoices are numbered, their entries posted, their callbacks marked; once.

Reads: accounts, their month (store/monthfacts.py), the tax table, what is still open.
Gives: for each account its new invoice, or why it has none (Held, already there, nothing to say).
Knows nothing of: papers (store/papers.py), who runs it.

Laws:
1. A month is closed when it is over in the account's zone and nothing that ended in it is unsettled: no
   callback that was begun before its end is still under way. What is to be dialled only later is not begun.
2. Months of an account are closed in order, without a gap; the first is that of its first call, or the first
   with a fee or an option of which others were billed.
3. Number, entries, callbacks and the invoice's own facts are written in one transaction, or none of them.
4. What is closed stays: a second run finds it and changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from billing.invoice import InvoiceHead, PaperKind
from billing.monthly import MonthFacts, closing_entries, monthly_head
from billing.numbering import number_of, series_of
from billing.particulars import Party
from billing.period import Period, month
from billing.tax import TaxRefused, TaxRow
from calls.callback import State
from store import ledger
from store.accounts import MONTHLY, Account, list_accounts
from store.audit import Author, note
from store.facts import IssuedFacts, facts_text
from store.invoicetables import invoice_sessions, invoices, number_series
from store.monthfacts import LastInvoice, earlier_months, facts_of, last_invoices
from store.schema import accounts, callbacks, settlements, subscribers
from store.taxes import tax_rows
from values.money import decimal_units

MonthOf = tuple[int, int]
ACCOUNTS_AT_ONCE = 200
"""So many are closed in one transaction: it keeps the one writer of SQLite for a fraction of a second."""
OPEN_SHOWN_MAX = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the house decides about its invoices."""

    seller: Party
    pattern: str
    due_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """This account's month cannot be closed yet, or not so; `reason` names what is open."""

    account_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """What became of some accounts. The heads of a dry run have no number."""

    heads: tuple[InvoiceHead, ...] = ()
    already: tuple[str, ...] = ()
    held: tuple[Held, ...] = ()
    idle: tuple[str, ...] = ()


def accounts_to_bill(connection: Connection) -> tuple[str, ...]:
    """The ids of all accounts that a run looks at: those billed each month, not on demand."""
    return tuple(owner.id for owner in list_accounts(connection) if owner.bill_cycle == MONTHLY)


def survey(
    connection: Connection, account_ids: Sequence[str], *, month_of: MonthOf, now: datetime, terms: Terms
) -> Closing:
    """What `close` would do now, with nothing written."""
    return _prepared(connection, account_ids, month_of=month_of, now=now, terms=terms)


def close(
    connection: Connection,
    account_ids: Sequence[str],
    *,
    month_of: MonthOf,
    terms: Terms,
    author: Author,
) -> Closing:
    """Close the month of these accounts, all of them in this transaction."""
    series = series_of(terms.pattern, author.at.year)
    last = _lock(connection, series, account_ids)
    found = _prepared(connection, account_ids, month_of=month_of, now=author.at, terms=terms)
    heads = tuple(
        replace(head, number=number_of(terms.pattern, author.at.year, last + index))
        for index, head in enumerate(found.heads, 1)
    )
    if heads:
        _write(connection, heads, series=series, after=last, author=author)
    return replace(found, heads=heads)


def _prepared(
    connection: Connection, account_ids: Sequence[str], *, month_of: MonthOf, now: datetime, terms: Terms
) -> Closing:
    owners = list_accounts(connection, account_ids)
    periods = {zone: month(*month_of, zone) for zone in {owner.zone for owner in owners}}
    first_day = month(*month_of, "UTC").first_day
    done = select(invoices.c.account_id).where(
        invoices.c.account_id.in_(account_ids),
        invoices.c.first_day == first_day,
        invoices.c.kind == "invoice",
    )
    already = set(connection.execute(done).scalars())
    waiting = [owner for owner in owners if owner.id not in already]
    held = _held(connection, waiting, periods, now)
    billable = [owner for owner in waiting if owner.id not in held]
    taxes = tax_rows(connection)
    heads: list[InvoiceHead] = []
    idle: list[str] = []
    for period in periods.values():
        together = [owner for owner in billable if owner.zone == period.zone]
        facts = {each.account_id: each for each in facts_of(connection, together, period)}
        for owner in together:
            known = facts.get(owner.id)
            # Not yet opened, or closed: what happened all the same is billed.
            if known is None or (known.is_idle and not known.is_active):
                idle.append(owner.id)
                continue
            head = _head(known, owner, taxes, now, terms)
            if isinstance(head, Held):
                held[owner.id] = head.reason
            else:
                heads.append(head)
    return Closing(
        heads=tuple(sorted(heads, key=lambda head: head.account_id)),
        already=tuple(sorted(already)),
        held=tuple(Held(account_id=name, reason=reason) for name, reason in sorted(held.items())),
        idle=tuple(sorted(idle)),
    )


def _head(
    known: MonthFacts, owner: Account, taxes: tuple[TaxRow, ...], now: datetime, terms: Terms
) -> InvoiceHead | Held:
    issued_on = now.astimezone(ZoneInfo(owner.zone)).date()
    try:
        return monthly_head(
            known,
            number="",
            seller=terms.seller,
            taxes=taxes,
            issued_on=issued_on,
            due_on=issued_on + timedelta(days=terms.due_days),
        )
    except TaxRefused as refused:
        return Held(account_id=owner.id, reason=str(refused))


# what is open


def _held(
    connection: Connection, owners: Sequence[Account], periods: Mapping[str, Period], now: datetime
) -> dict[str, str]:
    held: dict[str, str] = {}
    for zone, period in periods.items():
        ids = [owner.id for owner in owners if owner.zone == zone]
        if now < period.ends_at:
            told = f"the month is not over in {zone}: it ends at {period.ends_at:%Y-%m-%dT%H:%M:%SZ}"
            held |= dict.fromkeys(ids, told)
            continue
        last = last_invoices(connection, ids, before=period.end_day)
        held |= _gaps(connection, ids, period, last)
        fresh = [owner for owner in owners if owner.zone == zone and owner.id not in last]
        held |= _left_out(connection, fresh, period)
        held |= _open(connection, ids, period)
        held |= _later(connection, ids, period)
    return held


def _open(connection: Connection, ids: Sequence[str], period: Period) -> dict[str, str]:
    """Callbacks begun before the period's end that are under way, or ended in it and are not settled."""
    wanted = (
        select(callbacks.c.account_id, callbacks.c.id, callbacks.c.state, callbacks.c.ended_at)
        .outerjoin(settlements, settlements.c.callback_id == callbacks.c.id)
        .where(callbacks.c.account_id.in_(ids), callbacks.c.created_at < period.ends_at)
        .where(settlements.c.callback_id.is_(None))
        .where(callbacks.c.ended_at.is_(None) | (callbacks.c.ended_at < period.ends_at))
        # Asked for in the month, for a day after it: nothing is dialled yet, so it cannot end before then.
        .where(
            (callbacks.c.state != State.REQUESTED)
            | callbacks.c.dial_at.is_(None)
            | (callbacks.c.dial_at < period.ends_at)
        )
        .order_by(callbacks.c.created_at, callbacks.c.id)
    )
    found: dict[str, list[str]] = {}
    for row in connection.execute(wanted):
        if row.ended_at is not None:
            state = "has ended and is not settled"
        elif row.state == State.REQUESTED:
            state = "waits for a switch: `dialback serve` rings it, or cancels it if that was asked"
        else:
            state = "is under way"
        found.setdefault(row.account_id, []).append(f"{row.id} {state}")
    return {account_id: _some(told) for account_id, told in found.items()}


def _some(told: Sequence[str]) -> str:
    more = len(told) - OPEN_SHOWN_MAX
    shown = ", ".join(told[:OPEN_SHOWN_MAX])
    return f"callback {shown}" + (f" and {more} more" if more > 0 else "")


def _gaps(
    connection: Connection, ids: Sequence[str], period: Period, last: Mapping[str, LastInvoice]
) -> dict[str, str]:
    """Accounts with an earlier month that was not closed: billed before, or with callbacks on no invoice."""
    held = {}
    for account_id, known in last.items():
        if known.end_day != period.first_day:
            held[account_id] = f"{known.end_day:%Y-%m} is not closed yet; run that month first"
    fresh = [account_id for account_id in ids if account_id not in last]
    earliest = (
        select(settlements.c.account_id, func.min(settlements.c.ended_at))
        .where(settlements.c.account_id.in_(fresh), settlements.c.ended_at < period.starts_at)
        .where(settlements.c.entry_id.is_not(None))
        .group_by(settlements.c.account_id)
    )
    zone = ZoneInfo(period.zone)
    for account_id, ended_at in connection.execute(earliest):
        local = ended_at.astimezone(zone)
        held[account_id] = f"callbacks of {local:%Y-%m} are on no invoice; run that month first"
    return held


def _left_out(connection: Connection, fresh: Sequence[Account], period: Period) -> dict[str, str]:
    """Accounts without any invoice that owe the fee or an option of an earlier month that was run for others.

    One that was held then, and had no call, would never be asked for it: months are closed in order.
    """
    held: dict[str, str] = {}
    opened = [owner.created_at for owner in fresh if owner.created_at is not None]
    for each in earlier_months(connection, min(opened), period) if opened else ():
        waiting = [owner for owner in fresh if owner.id not in held]
        for facts in facts_of(connection, waiting, each):
            if facts.has_items:
                held[facts.account_id] = f"{each.first_day:%Y-%m} is not closed yet; run that month first"
    return held


def _later(connection: Connection, ids: Sequence[str], period: Period) -> dict[str, str]:
    """Accounts of which a later month is closed: what comes before it cannot be added."""
    wanted = (
        select(invoices.c.account_id, func.min(invoices.c.number))
        .where(invoices.c.account_id.in_(ids), invoices.c.kind == "invoice")
        .where(invoices.c.first_day > period.first_day)
        .group_by(invoices.c.account_id)
    )
    return {
        account_id: f"a later month is closed by invoice {number}"
        for account_id, number in connection.execute(wanted)
    }


# writing


def _lock(connection: Connection, series: str, account_ids: Sequence[str]) -> int:
    """The last number of the series, which nobody else may move until the end; nor these accounts' money."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    fresh = dialect.insert(number_series).values(series=series, last=0)
    connection.execute(fresh.on_conflict_do_nothing(index_elements=["series"]))
    mine = select(number_series.c.last).where(number_series.c.series == series)
    last: int = connection.execute(mine.with_for_update()).scalar_one()
    ids = select(accounts.c.id).where(accounts.c.id.in_(account_ids)).order_by(accounts.c.id)
    connection.execute(ids.with_for_update()).all()
    return last


def _write(
    connection: Connection, heads: Sequence[InvoiceHead], *, series: str, after: int, author: Author
) -> None:
    moved = update(number_series).where(number_series.c.series == series)
    connection.execute(moved, {"last": after + len(heads)})
    names = _subscribers(connection, [head.account_id for head in heads])
    rows = [
        _row(head, series, count, names.get(head.account_id, ()), author)
        for count, head in enumerate(heads, after + 1)
    ]
    connection.execute(insert(invoices), rows)
    ledger.post_all(connection, [entry for head in heads for entry in closing_entries(head)])
    numbers = [head.number for head in heads]
    ended = (
        select(settlements.c.callback_id, invoices.c.number)
        .join(invoices, invoices.c.account_id == settlements.c.account_id)
        .where(invoices.c.number.in_(numbers))
        .where(settlements.c.ended_at >= invoices.c.starts_at, settlements.c.ended_at < invoices.c.ends_at)
    )
    connection.execute(insert(invoice_sessions).from_select(["callback_id", "number"], ended))
    told = numbers[0] if len(numbers) == 1 else f"{numbers[0]} to {numbers[-1]}"
    note(connection, author, "invoice.issue", told, after={"invoices": len(numbers), "total": _totals(heads)})


def _totals(heads: Sequence[InvoiceHead]) -> str:
    """What they come to in each currency, for the audit log."""
    sums: dict[str, Decimal] = {}
    for head in heads:
        sums[head.currency] = sums.get(head.currency, Decimal(0)) + head.totals.total
    return ", ".join(f"{total:f} {currency}" for currency, total in sorted(sums.items()))


def _subscribers(
    connection: Connection, account_ids: Sequence[str]
) -> dict[str, tuple[tuple[str, str], ...]]:
    """The subscribers' names, kept with the invoice: a paper written later shows those of today."""
    wanted = (
        select(subscribers.c.account_id, subscribers.c.id, subscribers.c.name)
        .where(subscribers.c.account_id.in_(account_ids))
        .order_by(subscribers.c.id)
    )
    names: dict[str, tuple[tuple[str, str], ...]] = {}
    for account_id, subscriber_id, name in connection.execute(wanted):
        names[account_id] = (*names.get(account_id, ()), (subscriber_id, name))
    return names


def _row(
    head: InvoiceHead,
    series: str,
    count: int,
    names: tuple[tuple[str, str], ...],
    author: Author,
) -> dict[str, object]:
    totals = head.totals
    return {
        "number": head.number,
        "kind": PaperKind.INVOICE.value,
        "series": series,
        "count": count,
        "account_id": head.account_id,
        "first_day": head.period.first_day,
        "end_day": head.period.end_day,
        "zone": head.period.zone,
        "starts_at": head.period.starts_at,
        "ends_at": head.period.ends_at,
        "issued_on": head.issued_on,
        "due_on": head.due_on,
        "currency": head.currency,
        "charges_units": decimal_units(totals.charges),
        "items_units": decimal_units(totals.items),
        "rounding_units": decimal_units(totals.rounding),
        "tax_units": decimal_units(totals.tax),
        "total_units": decimal_units(totals.total),
        "previous_units": decimal_units(totals.previous_owed),
        "payments_units": decimal_units(totals.payments),
        "due_units": decimal_units(totals.amount_due),
        "corrects": "",
        "facts": facts_text(IssuedFacts(head=head, subscribers=names)),
        "issued_at": author.at,
        "issued_by": author.name,
    }

"""What a month's invoices say besides their calls, for many accounts at once.

Reads: accounts, plans, options, settlements and charges, entries, the last invoice of each account.
Gives: MonthFacts (billing/monthly.py), one for each account, by a handful of statements for all together.
Knows nothing of: totals, tax, numbers.

A callback belongs to the period in which it ended: `settlements.ended_at`, written once. What an account
owed when the period began is what its last invoice said, and what was charged and moved since then; without
an invoice it is all that was ever charged and moved before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import chain
from zoneinfo import ZoneInfo

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    and_,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from billing.ledger import OF_CALLS, LedgerAccountKind
from billing.monthly import MonthFacts
from billing.particulars import Item, ItemKind, Party, Payment
from billing.period import Period, month
from billing.tax import country_of
from billing.totals import total_digits
from calls.admission import AccountState
from rating.plan import Plan
from store import callcredits
from store.accountplans import OF_OWNER
from store.accounts import Account
from store.cdrs import NEWEST_CHARGE
from store.customertables import account_options
from store.errors import NotFound
from store.invoicetables import invoices
from store.ledger import receivable
from store.moneytables import credit_notes
from store.options import Option
from store.outcomes import WAIVED_UNITS
from store.plans import plan_in_force, plan_versions_of
from store.schema import accounts, cdrs, charges, entries, postings, settlements
from values.instants import micros
from values.money import decimal_from_units, half_up

MICROSECOND = timedelta(microseconds=1)
_IS_OF_CALLS = entries.c.kind.in_(sorted(OF_CALLS))
"""They are counted by their callback, not by their date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastInvoice:
    """Where the books of an account were closed."""

    number: str
    first_day: date
    end_day: date
    ends_at: datetime
    due: Decimal


def facts_of(connection: Connection, owners: Sequence[Account], period: Period) -> tuple[MonthFacts, ...]:
    """The facts of each account that had a plan, in the order given; the others are left out.

    An account whose last invoice ended at another instant than the period begins goes on from there.
    """
    last = last_invoices(connection, [owner.id for owner in owners], before=period.end_day)
    plans = _plans(connection, owners, period)
    by_start: dict[datetime, list[Account]] = defaultdict(list)
    for owner in owners:
        if owner.id in plans:
            by_start[_starts_at(last.get(owner.id), period)].append(owner)
    made: dict[str, MonthFacts] = {}
    for starts_at, together in by_start.items():
        same = period if starts_at == period.starts_at else replace(period, began_at=starts_at)
        made |= _facts_together(connection, together, same, plans, last)
    return tuple(made[owner.id] for owner in owners if owner.id in made)


def last_invoices(
    connection: Connection, account_ids: Sequence[str], *, before: date
) -> dict[str, LastInvoice]:
    """The last invoice of each account whose period ended before that day."""
    newest = (
        select(invoices.c.account_id, func.max(invoices.c.ends_at).label("ends_at"))
        .where(invoices.c.account_id.in_(account_ids), invoices.c.kind == "invoice")
        .where(invoices.c.end_day < before)
        .group_by(invoices.c.account_id)
        .subquery()
    )
    wanted = (
        select(
            invoices.c.account_id,
            invoices.c.number,
            invoices.c.first_day,
            invoices.c.end_day,
            invoices.c.ends_at,
            invoices.c.due_units,
        )
        .join(
            newest, (newest.c.account_id == invoices.c.account_id) & (newest.c.ends_at == invoices.c.ends_at)
        )
        .where(invoices.c.kind == "invoice")
    )
    return {
        row.account_id: LastInvoice(
            number=row.number,
            first_day=row.first_day,
            end_day=row.end_day,
            ends_at=row.ends_at,
            due=decimal_from_units(row.due_units),
        )
        for row in connection.execute(wanted)
    }


def earlier_months(connection: Connection, opened_at: datetime, period: Period) -> Iterator[Period]:
    """The months before that one, from the one that holds `opened_at`, that were run for anybody."""
    opened = opened_at.astimezone(ZoneInfo(period.zone))
    each = month(opened.year, opened.month, period.zone)
    while each.first_day < period.first_day:
        # Written out, as in the index of periods, which alone is read then: one row of it is enough.
        is_invoice = invoices.c.kind == literal_column("'invoice'")
        wanted = select(invoices.c.first_day).where(is_invoice, invoices.c.first_day == each.first_day)
        if connection.execute(wanted.limit(1)).first() is not None:
            yield each
        each = month(each.end_day.year, each.end_day.month, period.zone)


def _starts_at(last: LastInvoice | None, period: Period) -> datetime:
    follows = last is not None and last.end_day == period.first_day
    return last.ends_at if last is not None and follows else period.starts_at


def _plans(connection: Connection, owners: Sequence[Account], period: Period) -> dict[str, Plan]:
    """The plan of each account at the period's end; those that had none are left out."""
    at = period.ends_at - MICROSECOND
    # Before its first dated plan an account had the one that it was opened with.
    held = func.coalesce(OF_OWNER, accounts.c.plan_name)
    wanted = select(accounts.c.id, held.label("name")).where(
        accounts.c.id.in_([owner.id for owner in owners])
    )
    names = {row.id: row.name for row in connection.execute(wanted, {"at": at})}
    plans = {name: _plan(connection, name, at) for name in sorted({name for name in names.values() if name})}
    return {owner_id: plan for owner_id, name in names.items() if (plan := plans.get(name)) is not None}


def _plan(connection: Connection, name: str, at: datetime) -> Plan | None:
    try:
        return plan_in_force(connection, name, at)
    except NotFound:
        return None  # older than its plan: nothing can have been sold to it then


def _facts_together(
    connection: Connection,
    owners: Sequence[Account],
    period: Period,
    plans: Mapping[str, Plan],
    last: Mapping[str, LastInvoice],
) -> dict[str, MonthFacts]:
    ids = [owner.id for owner in owners]
    charged, used = _charged(connection, ids, period.starts_at, period.ends_at)
    versions = plan_versions_of(connection, chain.from_iterable(used.values()))
    payments = _payments(connection, owners, period)
    owed = _owed_before(connection, owners, period, last)
    options = _options(connection, owners, period)
    return {
        owner.id: MonthFacts(
            account_id=owner.id,
            buyer=party_of(owner),
            plan=plans[owner.id],
            period=period,
            charges=decimal_from_units(charged.get(owner.id, 0)),
            previous_owed=decimal_from_units(owed.get(owner.id, 0)),
            payments=tuple(payments.get(owner.id, ())),
            options=tuple(options.get(owner.id, ())),
            plans_used=tuple(dict.fromkeys(versions[plan_id] for plan_id in used.get(owner.id, ()))),
            is_active=_is_active(owner, period),
            tax_place=owner.tax_place,
            numbers_masked=owner.masks_numbers,
        )
        for owner in owners
    }


def _is_active(owner: Account, period: Period) -> bool:
    """Whether the account was open at the period's end, whatever became of it since."""
    was_opened = owner.created_at is None or owner.created_at < period.ends_at
    if owner.closed_at is None:
        return was_opened and owner.state is not AccountState.CLOSED
    return was_opened and owner.closed_at >= period.ends_at


def party_of(owner: Account) -> Party:
    """The account's holder as invoices name it."""
    return Party(
        name=owner.name,
        address=tuple(owner.billing_address.splitlines()),
        country=country_of(owner.tax_place),
        tax_id=owner.tax_id,
        email=owner.billing_email,
    )


def _charged(
    connection: Connection, ids: Sequence[str], since: datetime | None, until: datetime
) -> tuple[dict[str, int], dict[str, list[str]]]:
    """What the calls of each account come to: their charges in effect, less what was waived or given back.

    Beside it, for each account, the plan versions that these charges are by, the one used first first.
    """
    mine = [settlements.c.account_id.in_(ids), settlements.c.ended_at < until]
    if since is not None:
        mine.append(settlements.c.ended_at >= since)
    # A record of a call has the end of its callback's settlement, written with it.
    legs = [cdrs.c.account_id.in_(ids), cdrs.c.session_ended_at < until]
    if since is not None:
        legs.append(cdrs.c.session_ended_at >= since)
    gross = (
        select(cdrs.c.account_id, charges.c.plan_id, func.sum(charges.c.amount_units))
        .join_from(cdrs, charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
        .where(*legs)
        .group_by(cdrs.c.account_id, charges.c.plan_id)
        .order_by(cdrs.c.account_id, func.min(cdrs.c.session_ended_at), charges.c.plan_id)
    )
    waived = (
        select(settlements.c.account_id, func.sum(WAIVED_UNITS))
        .where(*mine, settlements.c.waived_units != 0)
        .group_by(settlements.c.account_id)
    )
    sums: dict[str, int] = defaultdict(int)
    used: dict[str, list[str]] = defaultdict(list)
    for account_id, plan_id, units in connection.execute(gross):
        sums[account_id] += int(units)
        used[account_id].append(plan_id)
    for account_id, units in connection.execute(waived):
        sums[account_id] -= int(units)
    for account_id, units in callcredits.given_by_account(connection, ids, since, until).items():
        sums[account_id] -= units
    return sums, used


def _owed_before(
    connection: Connection, owners: Sequence[Account], period: Period, last: Mapping[str, LastInvoice]
) -> dict[str, int]:
    """What each account owed when the period began, in units; negative where it was owed something."""
    fresh = [owner for owner in owners if owner.id not in last]
    owed: dict[str, int] = defaultdict(int)
    if fresh:
        ids = [owner.id for owner in fresh]
        before, _ = _charged(connection, ids, None, period.starts_at)
        for account_id, units in before.items():
            owed[account_id] += units
        moved = _moved(connection, fresh, entries.c.at < period.starts_at)
        for account_id, units in moved.items():
            owed[account_id] -= units
    by_end: dict[datetime, list[Account]] = defaultdict(list)
    for owner in owners:
        if owner.id in last:
            owed[owner.id] += int(last[owner.id].due * 10_000)
            by_end[last[owner.id].ends_at].append(owner)
    for ends_at, together in by_end.items():
        if ends_at >= period.starts_at:
            continue
        # A month in between that is not closed: its calls are owed, though nobody has asked for them yet.
        called, _ = _charged(connection, [owner.id for owner in together], ends_at, period.starts_at)
        for account_id, units in called.items():
            owed[account_id] += units
        between = (entries.c.at >= ends_at) & (entries.c.at < period.starts_at)
        for account_id, units in _moved(connection, together, between).items():
            owed[account_id] -= units
    return owed


def _moved(connection: Connection, owners: Sequence[Account], when: ColumnElement[bool]) -> dict[str, int]:
    wanted = (
        select(postings.c.ledger_account_id, func.sum(postings.c.units))
        .select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
        .where(_columns_of(owners), when, ~_IS_OF_CALLS)
        .group_by(postings.c.ledger_account_id)
    )
    return {_owner(name): int(units) for name, units in connection.execute(wanted)}


def _payments(connection: Connection, owners: Sequence[Account], period: Period) -> dict[str, list[Payment]]:
    """Whatever moved the balance in the period besides calls: money, credits, fees of ours, corrections."""
    # Reckoned with, so that no index of instants is used: it would lead through the entries of all accounts
    # for each batch of them, and the run would grow by the square of the month.
    at = type_coerce(entries.c.at, BigInteger) + literal_column("0", BigInteger)
    wanted = (
        select(
            postings.c.ledger_account_id,
            entries.c.at,
            entries.c.kind,
            entries.c.reference,
            entries.c.reason,
            func.sum(postings.c.units).label("units"),
            func.max(credit_notes.c.number).label("note"),
        )
        .select_from(
            postings.join(entries, entries.c.id == postings.c.entry_id).outerjoin(
                credit_notes, credit_notes.c.entry_id == entries.c.id
            )
        )
        .where(_columns_of(owners), ~_IS_OF_CALLS)
        .where(at >= micros(period.starts_at), at < micros(period.ends_at))
        .group_by(entries.c.id, postings.c.ledger_account_id)
        .order_by(entries.c.at, entries.c.id)
    )
    found: dict[str, list[Payment]] = defaultdict(list)
    for row in connection.execute(wanted):
        found[_owner(row.ledger_account_id)].append(_payment(row))
    return found


def _payment(row: "Row[*tuple[str, datetime, str, str, str, int, str | None]]") -> Payment:
    told = row.reason or row.reference
    return Payment(
        at=row.at,
        reference=f"{row.note}: {told}" if row.note else told,
        amount=decimal_from_units(int(row.units)),
        kind=row.kind,
    )


def _columns_of(owners: Iterable[Account]) -> ColumnElement[bool]:
    """Postings to the accounts' own columns, each in the account's currency."""
    named: dict[str, list[str]] = defaultdict(list)
    for owner in owners:
        named[owner.currency].append(str(receivable(owner.id)))
    return or_(
        *(
            and_(postings.c.ledger_account_id.in_(names), postings.c.currency == currency)
            for currency, names in named.items()
        )
    )


def _owner(name: str) -> str:
    return name.removeprefix(f"{LedgerAccountKind.RECEIVABLE}:")


def _options(connection: Connection, owners: Sequence[Account], period: Period) -> dict[str, list[Item]]:
    wanted = (
        select(account_options)
        .where(account_options.c.account_id.in_([owner.id for owner in owners]))
        .order_by(account_options.c.account_id, account_options.c.starts_on, account_options.c.id)
    )
    found: dict[str, list[Item]] = defaultdict(list)
    for row in connection.execute(wanted).mappings():
        option = Option(**row)
        if option.holds_in(period.first_day, period.end_day):
            found[option.account_id].append(_item(option, period))
    return found


def _item(option: Option, period: Period) -> Item:
    ends_on = option.ends_on
    return Item(
        kind=ItemKind.OPTION,
        name=option.name,
        amount=half_up(decimal_from_units(option.monthly_units), total_digits(option.currency)),
        tax_group=option.tax_group,
        first_day=max(option.starts_on, period.first_day),
        end_day=min(ends_on, period.end_day) if ends_on is not None else period.end_day,
    )

"""The end of an account: nothing owed on either side, nobody on the telephone, nothing left that opens it.

Reads: the account, its books, what is under way; the invoices that are still to come, reckoned as drafts are.
Gives: Closed; refusals that say what is still open and what to do about it.
Knows nothing of: how credit is given back, but for the commands that do it.

What counts is the balance after the last invoice: its tax, its items and its rounding are not in the books
before the month is closed, and the account must not owe them when nobody looks any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from moneyed import Money
from sqlalchemy import Connection, func, select

from billing.monthly import MonthFacts, monthly_head
from billing.particulars import Party
from billing.period import Period, month
from billing.tax import TaxRefused
from calls.admission import AccountState
from store import ledger
from store.accounts import Account, account, set_account_state
from store.audit import Author
from store.disputes import DisputeState, list_disputes
from store.errors import Conflict
from store.leaving import let_go
from store.monthfacts import earlier_months, facts_of, last_invoices
from store.payments import refundable_units, write_off
from store.schema import callbacks, settlements
from store.taxes import tax_rows
from values.money import AMOUNT_SCALE, decimal_from_units, decimal_units, minor_digits, plain_decimal

_ACT = "--reference YOURS --reason WHY"
"""What a person has to add to those commands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCome:
    """An invoice that is not issued yet: calls in the books already, and what it adds to them."""

    first_day: date
    charges_units: int
    added_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A closed account, and its invoices that are still to come: with them its balance is 0."""

    account: Account
    to_come: tuple[ToCome, ...]


def close_account(
    connection: Connection, account_id: str, author: Author, *, seller: Party, write_off_as: str | None = None
) -> Closed:
    """Close an account that owes nothing after its last invoice: its numbers are free, its keys open nothing.

    With `write_off_as`, a reference, what it will owe is written off, in the same transaction. `seller` is
    our own side, as invoices name it. Its books, records and invoices stay. Its personal DIDs stay in service
    and ring for nobody.
    """
    ledger.lock(connection, account_id)
    known = account(connection, account_id)
    if known.state is AccountState.CLOSED:
        let_go(connection, known, author)
        return Closed(account=known, to_come=_to_come(connection, known, seller, author.at))
    if _is_busy(connection, account_id) or ledger.standing(connection, account_id).pending_units:
        problem = f"{account_id!r} has callbacks under way"
        raise Conflict("account", problem, "suspend it, and close it when they have ended")
    for each in list_disputes(connection, account_id=account_id, state=DisputeState.OPEN):
        problem = f"{account_id!r} disputes {each.leg_id!r}"
        remedy = f"decide it first: `dialback dispute accept {each.id}`, or `dispute reject {each.id}`"
        raise Conflict("account", problem, remedy)
    let_go(connection, known, author)
    # First it is closed, for its last invoice bears what that of a closed account bears; a refusal undoes it.
    closed = set_account_state(connection, account_id, AccountState.CLOSED, author)
    to_come = _to_come(connection, closed, seller, author.at)
    added = sum(each.added_units for each in to_come)
    owed = added - ledger.standing(connection, account_id).posted_units
    if write_off_as is not None and owed > 0:
        amount = Money(decimal_from_units(owed), known.currency)
        write_off(connection, account_id, amount, write_off_as, author, to_come_units=added)
    elif owed:
        raise _refusal(connection, known, owed, to_come)
    return Closed(account=closed, to_come=to_come)


# what is still to come


def _to_come(connection: Connection, owner: Account, seller: Party, now: datetime) -> tuple[ToCome, ...]:
    taxes = tax_rows(connection)
    found: list[ToCome] = []
    for period in _not_invoiced(connection, owner, now):
        for facts in facts_of(connection, [owner], period):
            try:
                head = monthly_head(
                    facts,
                    number="",
                    seller=seller,
                    taxes=taxes if _bears_tax(facts) else (),
                    issued_on=period.end_day,
                    due_on=period.end_day,
                )
            except TaxRefused as refused:
                problem = f"the invoice of {period.first_day:%Y-%m} cannot be made: {refused}"
                raise Conflict("account", problem, "then close it") from None
            totals = head.totals
            charges_units = decimal_units(totals.charges)
            added_units = decimal_units(totals.items + totals.rounding + totals.tax)
            if charges_units or added_units:
                found.append(
                    ToCome(first_day=period.first_day, charges_units=charges_units, added_units=added_units)
                )
    return tuple(found)


def _not_invoiced(connection: Connection, owner: Account, now: datetime) -> Iterator[Period]:
    """The months of which no invoice was issued yet, up to the present one.

    They follow on the last invoice. Without any they begin with the first call, with the first month that was
    run for others, or else with last month: for earlier ones nobody is asked for anything. The first counts
    also if it begins only tomorrow: an account that moved to another zone may have had calls of it already.
    """
    today = now.astimezone(ZoneInfo(owner.zone)).date()
    last = last_invoices(connection, [owner.id], before=date.max).get(owner.id)
    if last is not None:
        first = last.end_day
    else:
        wanted = select(func.min(settlements.c.ended_at)).where(
            settlements.c.account_id == owner.id, settlements.c.entry_id.is_not(None)
        )
        called = connection.execute(wanted).scalar_one()
        starts = [today.replace(day=1) - timedelta(days=1)]
        if called is not None:
            starts.append(called.astimezone(ZoneInfo(owner.zone)).date())
        if owner.created_at is not None:
            present = month(today.year, today.month, owner.zone)
            billed = next(earlier_months(connection, owner.created_at, present), present)
            starts.append(billed.first_day)
        first = min(starts)
    while True:
        period = month(first.year, first.month, owner.zone)
        yield period
        first = period.end_day
        if first > today:
            return


def _bears_tax(facts: MonthFacts) -> bool:
    return bool(facts.charges or facts.has_items)


# what stands against it


def _refusal(connection: Connection, known: Account, owed: int, to_come: tuple[ToCome, ...]) -> Conflict:
    told = f"{decimal_from_units(abs(owed)):f} {known.currency}"
    asking = [each for each in to_come if each.added_units]
    if asking:
        added = decimal_from_units(sum(each.added_units for each in asking))
        months = ", ".join(f"{each.first_day:%Y-%m}" for each in asking)
        told += f", reckoned with the invoice to come of {months}, which adds {added:f}"
    if owed > 0:
        return Conflict("balance", f"{known.id!r} owes {told}", "take the payment, or write it off")
    return Conflict("balance", f"{known.id!r} is owed {told}", _given_back_by(connection, known, -owed))


def _given_back_by(connection: Connection, known: Account, credit: int) -> str:
    """The commands that bring the balance to 0: money goes back, credit that was given lapses."""
    digits = minor_digits(known.currency)
    cent = 10 ** (AMOUNT_SCALE - digits)  # nobody is paid a part of one
    refunded = min(refundable_units(connection, known.id), credit) // cent * cent
    told: list[str] = []
    if refunded:
        amount = plain_decimal(decimal_from_units(refunded), digits)
        told.append(f"give it back: `dialback refund add {known.id} {amount} {_ACT}`")
    if credit > refunded:
        amount = plain_decimal(decimal_from_units(credit - refunded))
        lapses = "let what was given and never paid in lapse: `dialback ledger adjust"
        told.append(f"{lapses} {known.id} -{amount} {_ACT}`")
    return "; ".join(told)


def _is_busy(connection: Connection, account_id: str) -> bool:
    live = select(callbacks.c.id).where(callbacks.c.account_id == account_id, callbacks.c.ended_at.is_(None))
    return connection.execute(live.limit(1)).first() is not None

"""What was used and what was earned, summed by the database: one line a group and currency.

Reads: records, the charge in effect of each, what was waived or given back of callbacks before their invoice.
Gives: UsageLines and TakingsLines, sorted by group; their sums are the books' own.
Knows nothing of: how they are printed, fees and taxes, which stand on invoices.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, repeat
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from billing.takings import Takings
from calls.cdr import LegRole
from store import callcredits
from store.grouping import (
    NOBODY,
    By,
    Wanted,
    destinations,
    keys_of,
    legs_of,
    local_day,
    name_keys,
    seconds_between,
    trigger_key,
    within,
)
from store.moneytables import credit_notes
from store.outcomes import WAIVED_UNITS
from store.schema import accounts, attempt_costs, callbacks, cdrs, charges, settlements

WAIVED, GIVEN_BACK = "(waived)", "(given back)"
"""A call may cost more than its hold; what is beyond is waived for the call, and belongs to no leg of it. Nor
does what was given back of it before its invoice, though it may have been for one leg."""
LEG_KEYS = frozenset({By.DESTINATION, By.CARRIER})
ROWS_AT_ONCE = 5_000
# A callback's waiver is booked where its A-leg is, as on the invoice; each attempt of it bears the same tag.
_TAG_OF_A = (
    select(func.max(cdrs.c.tag))
    .where(cdrs.c.callback_id == settlements.c.callback_id, cdrs.c.role == LegRole.A.value)
    .correlate(settlements)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageLine:
    """A group's use. `amount_units` is what accounts pay for it."""

    group: str
    currency: str
    callbacks: int
    legs: int
    answered: int
    talk_seconds: int
    billed_seconds: int
    amount_units: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakingsLine:
    """A group's takings."""

    group: str
    takings: Takings


def usage(connection: Connection, wanted: Wanted) -> tuple[UsageLine, ...]:
    """Every leg of the range, the unanswered ones too."""
    keys = keys_of(wanted)
    answered = cdrs.c.answered_at.is_not(None)
    talked = case((answered, seconds_between(cdrs.c.answered_at, cdrs.c.hung_up_at)), else_=0)
    query = (
        select(
            *keys,
            accounts.c.currency,
            func.count(cdrs.c.callback_id.distinct()).label("callbacks"),
            func.count().label("legs"),
            _count(answered).label("answered"),
            func.sum(talked).label("talked"),
            func.coalesce(func.sum(charges.c.billed_seconds), 0).label("billed"),
            func.coalesce(func.sum(charges.c.amount_units), 0).label("units"),
        )
        .select_from(legs_of(wanted))
        .group_by(*keys, accounts.c.currency)
    )
    rows = connection.execute(within(wanted, query)).all()
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 6)
    for name, row in zip(name_keys(connection, wanted.by, rows), rows, strict=True):
        into = sums[name, row.currency]
        for place, value in enumerate(row[len(keys) + 1 :]):
            into[place] += int(value)
    if wanted.by is By.DESTINATION:
        for counted in _counted_again(connection, wanted, (row[1] for row in rows)):
            sums[counted][0] -= 1
    for (name, currency), units in _not_paid(connection, wanted):
        sums[name, currency][5] -= units
    return tuple(
        UsageLine(
            group=name,
            currency=currency,
            callbacks=numbers[0],
            legs=numbers[1],
            answered=numbers[2],
            talk_seconds=numbers[3],
            billed_seconds=numbers[4],
            amount_units=numbers[5],
        )
        for (name, currency), numbers in sorted(sums.items())
    )


def takings(connection: Connection, wanted: Wanted) -> tuple[TakingsLine, ...]:
    """Price less both legs' costs, attempts in vain included; a line for each pair of currencies."""
    keys = keys_of(wanted)
    # A leg has a charge, or, if nobody answered, at most the cost of its attempt.
    sold_in = func.coalesce(charges.c.currency, accounts.c.currency)
    bought_in = func.coalesce(charges.c.cost_currency, attempt_costs.c.cost_currency)
    cost = func.coalesce(charges.c.cost_units, attempt_costs.c.cost_units)
    query = (
        select(
            *keys,
            sold_in.label("currency"),
            bought_in.label("cost_currency"),
            func.coalesce(func.sum(charges.c.amount_units), 0).label("price"),
            func.sum(case((cdrs.c.role == LegRole.A.value, cost), else_=0)).label("cost_a"),
            func.sum(case((cdrs.c.role == LegRole.B.value, cost), else_=0)).label("cost_b"),
        )
        .select_from(legs_of(wanted).outerjoin(attempt_costs, attempt_costs.c.leg_id == cdrs.c.leg_id))
        .where(cost.is_not(None))
        .group_by(*keys, sold_in, bought_in)
    )
    rows = connection.execute(within(wanted, query)).all()
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0] * 3)
    for name, row in zip(name_keys(connection, wanted.by, rows), rows, strict=True):
        into = sums[name, row.currency, row.cost_currency]
        for place, value in enumerate((row.price, row.cost_a, row.cost_b)):
            into[place] += int(value)
    for (name, currency), units in _not_paid(connection, wanted):
        sums[name, currency, currency][0] -= units
    return tuple(
        TakingsLine(
            group=name,
            takings=Takings(
                currency=currency,
                cost_currency=cost_currency,
                price_units=numbers[0],
                cost_a_units=numbers[1],
                cost_b_units=numbers[2],
            ),
        )
        for (name, currency, cost_currency), numbers in sorted(sums.items())
    )


def total_takings(lines: Iterable[TakingsLine]) -> tuple[Takings, ...]:
    """The sum of all lines, for each pair of currencies."""
    sums: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0] * 3)
    for line in lines:
        each = line.takings
        into = sums[each.currency, each.cost_currency]
        for place, units in enumerate((each.price_units, each.cost_a_units, each.cost_b_units)):
            into[place] += units
    return tuple(
        Takings(
            currency=currency,
            cost_currency=cost_currency,
            price_units=numbers[0],
            cost_a_units=numbers[1],
            cost_b_units=numbers[2],
        )
        for (currency, cost_currency), numbers in sorted(sums.items())
    )


def _count(condition: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((condition, 1), else_=0))


def _counted_again(
    connection: Connection, wanted: Wanted, rate_ids: Iterable[str | None]
) -> Iterator[tuple[str, str]]:
    """Each time that a callback was counted once more for its destination and currency.

    A destination is known by its charges, and by the rate of each leg that nobody answered: whoever was busy
    and rung again was counted by both.
    """
    names = destinations(connection, (each for each in rate_ids if each))
    tried = cdrs.alias()
    in_vain = select(tried.c.leg_id).where(
        tried.c.callback_id == cdrs.c.callback_id, tried.c.answered_at.is_(None)
    )
    query = (
        select(cdrs.c.callback_id, *keys_of(wanted), accounts.c.currency)
        .select_from(legs_of(wanted))
        .where(in_vain.correlate(cdrs).exists())
        .distinct()
        .order_by(cdrs.c.callback_id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    for _, legs in groupby(connection.execute(within(wanted, query)), key=itemgetter(0)):
        found = Counter(
            (name if rate_id is None else names.get(rate_id, NOBODY), code) for _, name, rate_id, code in legs
        )
        for group, times in found.items():
            yield from repeat(group, times - 1)


def _not_paid(connection: Connection, wanted: Wanted) -> Iterator[tuple[tuple[str, str], int]]:
    """What was waived, and what was given back before the invoice: group, currency and amount of each."""
    if wanted.carrier is not None:
        return  # of one carrier's legs no share of it can be told
    # Both are rare: the partial index has only the waived ones, and of credit notes there are few.
    waived = _by_session(wanted, WAIVED_UNITS).where(settlements.c.waived_units > 0)
    given = _by_session(wanted, credit_notes.c.units).where(callcredits.IS_CALL_CREDIT)
    given = given.join(credit_notes, credit_notes.c.callback_id == settlements.c.callback_id)
    for label, query in ((WAIVED, waived), (GIVEN_BACK, given)):
        rows = connection.execute(query).all()
        names = [label] * len(rows) if wanted.by in LEG_KEYS else name_keys(connection, wanted.by, rows)
        for name, row in zip(names, rows, strict=True):
            yield (name, row.currency), int(row.units)


def _by_session(wanted: Wanted, units: ColumnElement[int]) -> Select[Any]:
    keys = _session_keys(wanted)
    ended = settlements.c.ended_at
    query = (
        select(*keys, settlements.c.currency, func.sum(units).label("units"))
        .select_from(settlements.join(callbacks, callbacks.c.id == settlements.c.callback_id))
        .where(ended >= wanted.span.starts_at, ended < wanted.span.ends_at)
        .group_by(*keys, settlements.c.currency)
    )
    if wanted.account_id is not None:
        query = query.where(settlements.c.account_id == wanted.account_id)
    return query


def _session_keys(wanted: Wanted) -> tuple[ColumnElement[Any], ...]:
    match wanted.by:
        case By.DAY:
            return (local_day(settlements.c.ended_at, wanted.span),)
        case By.ACCOUNT:
            return (settlements.c.account_id,)
        case By.SUBSCRIBER:
            return (settlements.c.account_id, callbacks.c.subscriber_id)
        case By.TAG:
            return (settlements.c.account_id, _TAG_OF_A.label("tag"))
        case By.TRIGGER:
            return (trigger_key(),)
        case By.DESTINATION | By.CARRIER:
            return ()

"""Callbacks counted by how far they came, and by how they ended.

Reads: triggers, callbacks, their legs and history.
Gives: Funnels, and results, by what FunnelBy names; all are counts of records.
Knows nothing of: ratios (calls/funnel.py), printing.

A trigger or callback belongs to the day on which it came in. It stands for one carrier, the last that was
to ring the subscriber; for one destination, the last that was dialled; and for the tag of its A-leg.
"""

from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Select, case, func, select

from billing.span import Span, day_of
from calls.callback import OriginKind, State
from calls.cdr import LegRole
from calls.events import DestinationKeyed
from calls.funnel import Funnel
from store.admissions import REFUSED
from store.grouping import NOBODY, destinations, instant_number, local_day
from store.schema import callback_log, callbacks, cdrs, legs, triggers, trunks
from values.e164 import country_of
from values.masked import MaskedNumber, stored_number

MILLISECOND_MICROS = 1000
LATEST = legs.alias("latest")


class FunnelBy(StrEnum):
    """What the lines of the funnel are."""

    DAY = "day"
    COUNTRY = "country"
    CARRIER = "carrier"
    ACCOUNT = "account"
    SUBSCRIBER = "subscriber"
    TAG = "tag"
    DESTINATION = "destination"
    TRIGGER = "trigger"


@dataclass(slots=True, kw_only=True)
class _Sums:
    counts: list[int] = field(default_factory=lambda: [0] * 7)
    delays: "array[int]" = field(default_factory=lambda: array("q"))


def funnels(
    connection: Connection, span: Span, by: FunnelBy, *, account_id: str | None = None
) -> Mapping[str, Funnel]:
    """The funnel of each group, in the order of their names."""
    sums: dict[str, _Sums] = defaultdict(_Sums)
    counted = connection.execute(_callback_counts(by, span, account_id)).all()
    name = _names(connection, by, [row.key for row in counted])
    for key, number in connection.execute(_refused_triggers(by, span, account_id)):
        sums[name(key)].counts[0] += number
    for key, *numbers in counted:
        into = sums[name(key)].counts
        # An admitted trigger has one callback, a request that was refused leaves no record.
        into[0] += numbers[0]
        for place, number in enumerate(numbers, 1):
            into[place] += int(number)
    for key, delay in connection.execute(_delays(by, span, account_id)):
        sums[name(key)].delays.append(delay // MILLISECOND_MICROS)
    return {
        group: Funnel(
            wishes=each.counts[0],
            authorised=each.counts[1],
            originated=each.counts[2],
            a_answered=each.counts[3],
            accepted=each.counts[4],
            keyed=each.counts[5],
            b_answered=each.counts[6],
            ring_milliseconds=sorted(each.delays),
        )
        for group, each in sorted(sums.items())
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DayResults:
    """A day's callbacks by how they ended; `attempted` were ordered, `answered` by the subscriber."""

    group: str
    results: Mapping[str, int]
    attempted: int
    answered: int

    @property
    def callbacks(self) -> int:
        """All of them."""
        return sum(self.results.values())


def results(
    connection: Connection, span: Span, by: FunnelBy, *, account_id: str | None = None
) -> tuple[DayResults, ...]:
    """How callbacks ended, or where they stand, by group."""
    steps = _steps(by, span, account_id)
    query = select(
        steps.c.key,
        steps.c.state,
        func.count(),
        func.sum(steps.c.originated),
        func.sum(steps.c.a_answered),
    ).group_by(steps.c.key, steps.c.state)
    counted = connection.execute(query).all()
    name = _names(connection, by, [row.key for row in counted])
    found: dict[str, tuple[dict[str, int], list[int]]] = defaultdict(lambda: (defaultdict(int), [0, 0]))
    for key, state, number, attempted, answered in counted:
        states, sums = found[name(key)]
        states[state if State(state).is_end else "under way"] += number
        sums[0] += int(attempted)
        sums[1] += int(answered)
    return tuple(
        DayResults(group=group, results=dict(states), attempted=sums[0], answered=sums[1])
        for group, (states, sums) in sorted(found.items())
    )


def _refused_triggers(by: FunnelBy, span: Span, account_id: str | None) -> Select[Any]:
    key = _trigger_key(by, span)
    query = select(key, func.count()).where(triggers.c.outcome == REFUSED).group_by(key)
    return _within(query, triggers, triggers.c.received_at, span, account_id)


def _callback_counts(by: FunnelBy, span: Span, account_id: str | None) -> Select[Any]:
    steps = _steps(by, span, account_id, with_keyed=True)
    return select(
        steps.c.key,
        func.count(),
        func.sum(steps.c.originated),
        func.sum(steps.c.a_answered),
        func.sum(steps.c.accepted),
        func.sum(steps.c.keyed),
        func.sum(steps.c.b_answered),
    ).group_by(steps.c.key)


def _steps(by: FunnelBy, span: Span, account_id: str | None, *, with_keyed: bool = False) -> Any:
    """One row for each callback: 1 for each step that it reached."""
    is_a, is_b = legs.c.role == LegRole.A.value, legs.c.role == LegRole.B.value
    reached = {
        "originated": is_a & legs.c.ordered_at.is_not(None),
        "a_answered": is_a & legs.c.answered_at.is_not(None),
        "accepted": is_a & legs.c.accepted_at.is_not(None),
        "b_answered": is_b & legs.c.answered_at.is_not(None),
    }
    # Asked leg by leg, and not joined and grouped: to group by callbacks SQLite goes through all of them.
    mine = select(legs.c.id).where(legs.c.callback_id == callbacks.c.id).correlate(callbacks)
    columns = [
        case((mine.where(condition).exists(), 1), else_=0).label(step) for step, condition in reached.items()
    ]
    if with_keyed:
        named = select(callback_log.c.id).where(
            callback_log.c.callback_id == callbacks.c.id, callback_log.c.event == DestinationKeyed.__name__
        )
        columns.append(case((named.exists(), 1), else_=0).label("keyed"))
    key = _callback_key(by, span).label("key")
    query = select(key, callbacks.c.state, *columns).select_from(_joined(by, callbacks))
    return _within(query, callbacks, callbacks.c.created_at, span, account_id).subquery()


def _delays(by: FunnelBy, span: Span, account_id: str | None) -> Select[Any]:
    """From the ring of each trigger to the first ringing of its A-leg, in microseconds."""
    first = (
        select(func.min(instant_number(legs.c.rang_at)))
        .where(legs.c.callback_id == callbacks.c.id, legs.c.role == LegRole.A.value)
        .correlate(callbacks)
        .scalar_subquery()
    )
    inner = (
        select(
            _callback_key(by, span).label("key"),
            instant_number(callbacks.c.received_at).label("came"),
            first.label("rang"),
        )
        .select_from(_joined(by, callbacks))
        .where(callbacks.c.origin_kind == OriginKind.RING.value)
    )
    found = _within(inner, callbacks, callbacks.c.created_at, span, account_id).subquery()
    return select(found.c.key, found.c.rang - found.c.came).where(found.c.rang.is_not(None))


def _joined(by: FunnelBy, start: FromClause) -> FromClause:
    match by:
        case FunnelBy.CARRIER:
            return _with_latest(start, LegRole.A).outerjoin(trunks, trunks.c.name == LATEST.c.trunk)
        case FunnelBy.DESTINATION:
            return _with_latest(start, LegRole.B)
        case _:
            return start


def _with_latest(start: FromClause, role: LegRole) -> FromClause:
    """Each callback with the latest of its legs of that role that was ordered."""
    other = legs.alias("other")
    last = (
        select(func.max(other.c.position))
        .where(
            other.c.callback_id == callbacks.c.id,
            other.c.role == role.value,
            other.c.ordered_at.is_not(None),
        )
        .correlate(callbacks)
        .scalar_subquery()
    )
    return start.outerjoin(LATEST, (LATEST.c.callback_id == callbacks.c.id) & (LATEST.c.position == last))


def _callback_key(by: FunnelBy, span: Span) -> ColumnElement[Any]:
    match by:
        case FunnelBy.DAY:
            return local_day(callbacks.c.created_at, span)
        case FunnelBy.COUNTRY:
            return callbacks.c.number_a
        case FunnelBy.CARRIER:
            return trunks.c.carrier
        case FunnelBy.ACCOUNT:
            return callbacks.c.account_id
        case FunnelBy.SUBSCRIBER:
            return callbacks.c.account_id + "/" + callbacks.c.subscriber_id
        case FunnelBy.TAG:
            return callbacks.c.account_id + "/" + _tag()
        case FunnelBy.DESTINATION:
            return LATEST.c.price_rate_id
        case FunnelBy.TRIGGER:
            return func.coalesce(callbacks.c.did, callbacks.c.origin_kind)


def _trigger_key(by: FunnelBy, span: Span) -> ColumnElement[Any]:
    """A refused trigger has no leg: no carrier and destination, and of a country only its caller's."""
    match by:
        case FunnelBy.DAY:
            return local_day(triggers.c.received_at, span)
        case FunnelBy.COUNTRY:
            return triggers.c.caller
        case FunnelBy.CARRIER | FunnelBy.DESTINATION:
            return triggers.c.callback_id  # which a refused one has not
        case FunnelBy.ACCOUNT:
            return triggers.c.account_id
        case FunnelBy.SUBSCRIBER | FunnelBy.TAG:
            return triggers.c.account_id + f"/{NOBODY}"
        case FunnelBy.TRIGGER:
            return func.coalesce(triggers.c.did, triggers.c.did_raw)


def _tag() -> ColumnElement[str]:
    """The tag under which the A-leg is booked, or would be; NOBODY for none."""
    booked = (
        select(func.max(cdrs.c.tag))
        .where(cdrs.c.callback_id == callbacks.c.id, cdrs.c.role == LegRole.A.value)
        .correlate(callbacks)
        .scalar_subquery()
    )
    return func.coalesce(func.nullif(func.coalesce(booked, callbacks.c.tag), ""), NOBODY)


def _within(
    query: Select[Any], table: Any, at: ColumnElement[Any], span: Span, account_id: str | None
) -> Select[Any]:
    query = query.where(at >= span.starts_at, at < span.ends_at)
    return query if account_id is None else query.where(table.c.account_id == account_id)


def _names(connection: Connection, by: FunnelBy, keys: Iterable[Any]) -> Callable[[Any], str]:
    """What a key is called; `keys` are all that there may be."""
    match by:
        case FunnelBy.DAY:
            return lambda key: day_of(key).isoformat()
        case FunnelBy.COUNTRY:
            return cache(_country)
        case FunnelBy.DESTINATION:
            known = destinations(connection, filter(None, keys))
            return lambda key: known.get(key, NOBODY)
        case _:
            return lambda key: key or NOBODY


def _country(number: str | None) -> str:
    if not number:
        return NOBODY
    known = stored_number(number)
    return country_of(known.likely if isinstance(known, MaskedNumber) else known)

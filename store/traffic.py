"""How traffic went, counted by the database: quality of legs, trunks that fail, the answers of each route.

Reads: records.
Gives: Traffic by group, trunks that fail in a row, the latest answers of each route.
Knows nothing of: ratios (calls/quality.py, calls/falseanswers.py), printing.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, case, func, select

from calls.cdr import Disposition, LegRole
from calls.falseanswers import Answer
from calls.quality import Traffic
from store.grouping import Wanted, instant_number, keys_of, legs_of, name_keys, seconds_between, within
from store.schema import cdrs, trunks

PERSONS_OWN = (
    Disposition.ANSWERED,
    Disposition.NOT_ACCEPTED,
    Disposition.BUSY,
    Disposition.NO_ANSWER,
    Disposition.REJECTED,
    Disposition.CANCELLED,
)
"""Ends that say nothing against the trunk."""


def traffic(
    connection: Connection, wanted: Wanted, *, ner_causes: Collection[int], role: LegRole | None = None
) -> Mapping[str, Traffic]:
    """The traffic of each group; every attempt is in it."""
    keys = keys_of(wanted)
    answered = cdrs.c.answered_at.is_not(None)
    rang = cdrs.c.rang_at.is_not(None)
    refused = ~answered & ~rang & (cdrs.c.disposition != Disposition.CANCELLED.value)
    until = case((rang, instant_number(cdrs.c.rang_at)), (refused, instant_number(cdrs.c.hung_up_at)))
    delay = (until - instant_number(cdrs.c.invited_at)) / 1000
    query = (
        select(
            *keys,
            cdrs.c.q850_cause,
            answered.label("is_answered"),
            func.count().label("attempts"),
            func.sum(case((answered, seconds_between(cdrs.c.answered_at, cdrs.c.hung_up_at)), else_=0)).label(
                "seconds"
            ),
            func.count(delay).label("pdd_seen"),
            func.coalesce(func.sum(delay), 0).label("pdd"),
        )
        .select_from(legs_of(wanted))
        .group_by(*keys, cdrs.c.q850_cause, answered)
    )
    if role is not None:
        query = query.where(cdrs.c.role == role.value)
    rows = connection.execute(within(wanted, query)).all()
    found: dict[str, Traffic] = defaultdict(Traffic)
    for name, row in zip(name_keys(connection, wanted.by, rows), rows, strict=True):
        reached = bool(row.is_answered) or row.q850_cause in ner_causes
        found[name] += Traffic(
            attempts=row.attempts,
            answered=row.attempts if row.is_answered else 0,
            answered_seconds=int(row.seconds),
            reached=row.attempts if reached else 0,
            pdd_seen=row.pdd_seen,
            pdd_milliseconds=int(row.pdd),
        )
    return dict(sorted(found.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class FailingTrunk:
    """A trunk whose last calls failed, one after another, by its own fault."""

    trunk: str
    carrier: str
    failures: int
    first_at: datetime
    last_at: datetime
    last_cause: int


def failures_in_a_row(connection: Connection, at_least: int) -> tuple[FailingTrunk, ...]:
    """The trunks whose latest calls all failed, so many or more; the worst first."""
    last_good = (
        select(func.max(instant_number(cdrs.c.hung_up_at)))
        .where(cdrs.c.trunk == trunks.c.name, cdrs.c.disposition.in_([each.value for each in PERSONS_OWN]))
        .correlate(trunks)
        .scalar_subquery()
    )
    goods = select(trunks.c.name, trunks.c.carrier, last_good.label("good_at")).subquery()
    since = instant_number(cdrs.c.hung_up_at) > func.coalesce(goods.c.good_at, 0)
    query = (
        select(
            goods.c.name,
            goods.c.carrier,
            func.count().label("failures"),
            func.min(cdrs.c.hung_up_at).label("first_at"),
            func.max(cdrs.c.hung_up_at).label("last_at"),
        )
        .select_from(goods.join(cdrs, (cdrs.c.trunk == goods.c.name) & since))
        .group_by(goods.c.name, goods.c.carrier)
        .having(func.count() >= at_least)
        .order_by(func.count().desc(), goods.c.name)
    )
    return tuple(
        FailingTrunk(
            trunk=row.name,
            carrier=row.carrier,
            failures=row.failures,
            first_at=row.first_at,
            last_at=row.last_at,
            last_cause=_cause_at(connection, row.name, row.last_at),
        )
        for row in connection.execute(query)
    )


def latest_answers(
    connection: Connection, wanted: Wanted, *, latest: int, role: LegRole
) -> Mapping[str, list[Answer]]:
    """The latest answers of each group on legs of that role, the newest first; at most so many of each."""
    keys = keys_of(wanted)
    named = [key.label(f"key_{place}") for place, key in enumerate(keys)]
    rank = func.row_number().over(partition_by=keys, order_by=(cdrs.c.hung_up_at.desc(), cdrs.c.leg_id))
    query = (
        select(*named, cdrs.c.rang_at, cdrs.c.answered_at, cdrs.c.hung_up_at, rank.label("place"))
        .select_from(legs_of(wanted))
        .where(cdrs.c.answered_at.is_not(None), cdrs.c.role == role.value)
    )
    ranked = within(wanted, query).subquery()
    rows = connection.execute(select(ranked).where(ranked.c.place <= latest).order_by(ranked.c.place)).all()
    found: dict[str, list[Answer]] = defaultdict(list)
    for name, row in zip(name_keys(connection, wanted.by, rows), rows, strict=True):
        found[name].append(
            Answer(rang_at=row.rang_at, answered_at=row.answered_at, hung_up_at=row.hung_up_at)
        )
    return dict(sorted(found.items()))


def _cause_at(connection: Connection, trunk: str, at: datetime) -> int:
    wanted = select(cdrs.c.q850_cause).where(cdrs.c.trunk == trunk, cdrs.c.hung_up_at == at).limit(1)
    return int(connection.execute(wanted).scalar_one())

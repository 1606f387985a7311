"""Packages of minutes over months: what a renewal gives, what calls use, what is promised."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from storeworld import CLERK, LONG_AGO, callback, leg, plan_of, play, seconds, story

from calls.callback import Callback, State
from calls.cdr import LegRole
from calls.events import DestinationAuthorised, Event
from rating.packages import Package
from rating.plan import Plan
from store import callbacks, packages
from store.database import Database
from store.plans import add_plan

MARCH = datetime(2026, 3, 10, 12, tzinfo=UTC)
MINUTES_300 = 300 * 60


def plan(company: Database, *, since: datetime = LONG_AGO, **terms: Any) -> Plan:
    return company.call("plan", add_plan, plan_of(**terms), effective_at=since, author=CLERK)


def package(company: Database, of: Plan, at: datetime, besides: str = "") -> Package:
    return company.read("package", packages.package, "acme", of, at, besides=besides)


def used(company: Database, of: Plan, leg_id: str, amount: int, at: datetime) -> None:
    """A callback with that leg has ended, and used so many seconds."""

    def write(connection: Connection) -> None:
        first = callback(leg_id.partition("-")[0], plan_id=of.id)
        play(connection, first, story(first))
        packages.take(
            connection, callback_id=first.id, account_id="acme", plan=of, used={leg_id: amount}, at=at
        )

    company.call("use", write)


@pytest.mark.parametrize(("rolls_over", "left"), [(True, 350), (False, 300)])
def test_F055_what_is_left_rolls_over_or_lapses_on_renewal(
    company: Database, rolls_over: bool, left: int
) -> None:
    of = plan(company, since=MARCH, package_seconds=MINUTES_300, package_rolls_over=rolls_over)
    used(company, of, "cb1-b1", 250 * 60, MARCH)
    assert package(company, of, MARCH).left == 50 * 60
    april = datetime(2026, 4, 1, 8, tzinfo=UTC)
    assert package(company, of, april).left == left * 60


def test_F055_a_month_is_that_of_the_account_s_zone(company: Database) -> None:
    # London is an hour ahead of UTC since 29 March: 23:30 UTC on the 31st is April there.
    of = plan(company, since=MARCH, package_seconds=600)
    used(company, of, "cb1-b1", 600, datetime(2026, 3, 31, 22, 59, tzinfo=UTC))
    assert package(company, of, datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC)).left == 0
    assert package(company, of, datetime(2026, 3, 31, 23, 0, tzinfo=UTC)).left == 600


def test_months_in_which_nobody_called_roll_over_too(company: Database) -> None:
    of = plan(company, since=MARCH, package_seconds=600, package_rolls_over=True)
    used(company, of, "cb1-b1", 100, MARCH)
    june = datetime(2026, 6, 15, tzinfo=UTC)
    # March 500 left, April and May 600 each, June's own 600.
    before = package(company, of, june)
    assert (before.month, before.granted, before.carried) == ("2026-06", 600, 500 + 600 + 600)
    used(company, of, "cb2-b1", 10, june)
    after = package(company, of, june)
    assert (after.granted, after.carried, after.used) == (600, 1700, 10)
    count = "SELECT count(*) FROM packages"
    assert company.read("rows", lambda connection: connection.execute(text(count)).scalar_one()) == 4


def test_a_change_of_the_plan_grants_from_the_next_renewal(company: Database) -> None:
    small = plan(company, since=MARCH, package_seconds=600)
    used(company, small, "cb1-b1", 100, MARCH)
    large = plan(company, since=MARCH.replace(day=12), package_seconds=6000)
    assert package(company, large, MARCH.replace(day=20)).left == 500
    assert package(company, large, datetime(2026, 4, 2, tzinfo=UTC)).left == 6000


def test_a_promise_counts_until_the_callback_is_settled(company: Database) -> None:
    of = plan(company, package_seconds=900)
    first = callback(plan_id=of.id)

    def promise(connection: Connection, amount: int) -> None:
        packages.promise(
            connection, callback_id=first.id, account_id="acme", plan=of, seconds=amount, at=MARCH
        )

    company.call("insert", callbacks.insert_callback, first, announce=False)
    company.call("promise", promise, 600)
    company.call("promise", promise, 400)
    assert package(company, of, MARCH).left == 500
    assert package(company, of, MARCH, besides=first.id).left == 900
    company.call("promise", promise, 0)
    assert package(company, of, MARCH).left == 900


def test_R17_the_settlement_takes_what_was_promised_to_the_leg_and_no_more(company: Database) -> None:
    of = plan(company, package_seconds=900)
    first = callback(plan_id=of.id)
    company.call("play", play, first, _with_promise(first, 20))
    found = package(company, of, seconds(100))
    assert (found.used, found.promised) == (20, 0)
    with pytest.raises(DBAPIError, match="append-only"):
        company.call("edit", lambda connection: connection.execute(text("DELETE FROM package_uses")))


def _with_promise(first: Callback, amount: int) -> list[Event]:
    told = list(story(first))
    promised = replace(leg(first, LegRole.B), package_seconds=amount)
    return [
        replace(event, legs=(promised,)) if isinstance(event, DestinationAuthorised) else event
        for event in told
    ]


def test_what_nobody_uses_is_written_nowhere(company: Database) -> None:
    of = plan(company, package_seconds=900)
    first = callback(plan_id=of.id)
    ended = company.call("play", play, first, story(first))
    assert ended.state is State.COMPLETED
    assert package(company, of, seconds(100)).used == 0

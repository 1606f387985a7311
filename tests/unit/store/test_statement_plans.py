"""How SQLite would go about the work in books of a million legs: no statement goes through all that there is.

The planner is told how many rows there are (`sqlite_stat1`, as ANALYZE leaves it); the rows are not made.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert, select
from storeworld import NOW, callback, play, story

from billing.particulars import Party
from billing.span import Span
from calls.quality import NER_CAUSES
from store import billruns, caps, funnels, receivables, reports, traffic
from store.audit import Author
from store.caps import CapPeriod, SpendCap
from store.database import Database
from store.funnels import FunnelBy
from store.grouping import By, Wanted
from store.schema import accounts, legs

MILLION = (
    ("accounts", "sqlite_autoindex_accounts_1", "10000 1"),
    ("callbacks", "ix_callbacks_account", "500000 50 1"),
    ("callbacks", "ix_callbacks_created", "500000 1"),
    ("callbacks", "sqlite_autoindex_callbacks_1", "500000 1"),
    ("cdrs", "ix_cdrs_account", "1000000 100 2 1"),
    ("cdrs", "ix_cdrs_callback_id", "1000000 2"),
    ("cdrs", "ix_cdrs_ended", "1000000 2"),
    ("cdrs", "sqlite_autoindex_cdrs_1", "1000000 1"),
    ("charges", "sqlite_autoindex_charges_1", "1000000 1 1"),
    ("entries", "ix_entries_at", "500000 1"),
    ("entries", "ix_entries_kind", "500000 500000 1"),
    ("entries", "ix_entries_reference", "500000 1 1"),
    ("entries", "sqlite_autoindex_entries_1", "500000 1"),
    ("postings", "ix_postings_ledger_account", "1000000 100 100"),
    ("postings", "sqlite_autoindex_postings_1", "1000000 2 1"),
    ("settlements", "ix_settlements_account", "500000 50 1"),
    ("settlements", "ix_settlements_ended", "500000 1 1"),
    ("settlements", "sqlite_autoindex_settlements_1", "500000 1"),
)
OTHERS = [f"other-{number}" for number in range(billruns.ACCOUNTS_AT_ONCE - 1)]
LARGE = sorted({table for table, _, _ in MILLION} - {"accounts"} | {"legs"})
DAY = Span(starts_at=NOW, ends_at=NOW + timedelta(days=1), zone="UTC")
LATER = datetime(2026, 4, 2, 9, tzinfo=UTC)
TERMS = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)


@pytest.fixture(params=["counted", "never counted"])
def large(request: pytest.FixtureRequest, templates: Any, tmp_path: Path) -> Iterator[Database]:
    """The company and others like it, in books that are said to be large, or of which nothing is known."""
    database = Database(templates.new("sqlite", "company", tmp_path))
    database.call("play", play, callback(), story(callback()))
    with database.engine.begin() as connection:
        first = connection.execute(select(accounts)).mappings().one()
        connection.execute(insert(accounts), [{**first, "id": name} for name in OTHERS])
        if request.param == "counted":
            connection.exec_driver_sql("ANALYZE")
            connection.exec_driver_sql("DELETE FROM sqlite_stat1")
            connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", list(MILLION))
    database.close()  # what is known of the rows is read when the file is opened
    yield database
    database.close()


class Explaining:
    """SQLite's driver for a QuickConnection: it gets the statements of which SQLAlchemy hears nothing."""

    def __init__(self, driver: sqlite3.Connection, explain: Callable[[str, Any], None]) -> None:
        self._driver = driver
        self._explain = explain

    def execute(self, text: str, values: Any = ()) -> sqlite3.Cursor:
        self._explain(text, values)
        return self._driver.execute(text, values)

    def executemany(self, text: str, values: Sequence[Any]) -> sqlite3.Cursor:
        self._explain(text, values[0])
        return self._driver.executemany(text, values)


def plans_of(database: Database, work: Callable[[Connection], object]) -> list[str]:
    """Each step of each statement of that work, whichever way it goes to SQLite."""
    found: list[str] = []

    def watched(connection: Any) -> None:
        driver = connection.connection.driver_connection

        def explain(text: str, values: Any) -> None:
            if text.startswith(("SELECT", "INSERT INTO invoice_sessions")):
                found.extend(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {text}", values))

        def hear(_connection: Any, _cursor: Any, text: str, values: Any, *_: Any) -> None:
            explain(text, values)

        event.listen(database.engine, "before_cursor_execute", hear)
        connection._driver = Explaining(driver, explain)
        try:
            work(connection)
        finally:
            connection._driver = driver
            event.remove(database.engine, "before_cursor_execute", hear)

    database.call("work", watched)
    assert found
    return found


def scans(plans: list[str]) -> list[str]:
    return [step for step in plans if step.startswith(tuple(f"SCAN {table}" for table in LARGE))]


def test_a_statement_that_is_remembered_is_watched_too(large: Database) -> None:
    everything = select(legs)

    def read(connection: Connection) -> object:
        return connection.execute(everything).all()

    times = [plans_of(large, read) for _ in range(3)]
    assert times == [["SCAN legs"]] * 3
    ordinary: list[str] = []
    event.listen(large.engine, "before_cursor_execute", lambda *told: ordinary.append(told[2]))
    large.call("read", read)
    assert ordinary == []  # by now it goes straight to the driver


def test_F150_a_batch_of_accounts_is_closed_from_its_own_rows_and_not_by_going_through_the_month(
    large: Database,
) -> None:
    author = Author(at=LATER, name="clerk")

    def close(connection: Connection) -> None:
        names = ["acme", *OTHERS]
        closing = billruns.close(connection, names, month_of=(2026, 3), terms=TERMS, author=author)
        assert len(closing.heads) == len(names)

    plans = plans_of(large, close)
    assert scans(plans) == []
    assert [step for step in plans if "ix_entries_at" in step or "ix_entries_kind" in step] == []
    # The records themselves lie all over the file: what the sum needs of them stands in the index.
    assert any(step.startswith("SEARCH cdrs USING COVERING INDEX ix_cdrs_account") for step in plans)
    assert [step for step in plans if step.startswith("SEARCH cdrs USING INDEX")] == []


@pytest.mark.parametrize("by", list(By))
def test_a_report_of_a_day_reads_that_day(large: Database, by: By) -> None:
    wanted = Wanted(by=by, span=DAY)
    for report in (reports.usage, reports.takings):
        assert scans(plans_of(large, lambda connection, report=report: report(connection, wanted))) == []  # type: ignore[misc]
    quality = plans_of(large, lambda connection: traffic.traffic(connection, wanted, ner_causes=NER_CAUSES))
    assert scans(quality) == []


@pytest.mark.parametrize("by", list(FunnelBy))
def test_the_funnel_of_a_day_reads_that_day(large: Database, by: FunnelBy) -> None:
    assert scans(plans_of(large, lambda connection: funnels.funnels(connection, DAY, by))) == []
    assert scans(plans_of(large, lambda connection: funnels.results(connection, DAY, by))) == []


def test_what_one_account_owes_is_read_from_its_own_rows(large: Database) -> None:
    for report in (
        lambda connection: receivables.receivables(connection, LATER, account_id="acme"),
        lambda connection: receivables.unbilled(connection, account_id="acme"),
    ):
        assert scans(plans_of(large, report)) == []


@pytest.mark.parametrize("subscriber_id", ["", "anna"])
@pytest.mark.parametrize("period", list(CapPeriod))
def test_what_is_left_of_a_cap_is_read_from_the_accounts_own_calls_of_the_period(
    large: Database, period: CapPeriod, subscriber_id: str
) -> None:
    cap = SpendCap(account_id="acme", subscriber_id=subscriber_id, period=period, cap_units=25_0000)
    large.call("cap", caps.set_cap, cap, Author(at=NOW, name="clerk"))
    whose = {"account_id": "acme", "subscriber_id": "anna", "at": NOW}
    plans = plans_of(large, lambda connection: caps.room_units(connection, **whose))  # type: ignore[arg-type]
    assert scans(plans) == []
    assert [step for step in plans if step.startswith(("SCAN reratings", "SCAN credit_notes"))] == []


def test_what_was_booked_after_the_day_of_an_ageing_is_found_by_its_instant(large: Database) -> None:
    plans = plans_of(large, lambda connection: receivables.receivables(connection, LATER))
    assert any("ix_entries_at (at>?)" in step for step in plans)

import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
from storeworld import NOW, seconds
from waiting_reactor import WaitingReactor

from store import decks, mails, node, plans
from store.columns import metadata
from store.database import Database, is_collision
from store.errors import NodeTaken, SchemaMismatch, StoreUnavailable
from store.upgrade import NEWEST, check, revision, upgrade


def count_rows(connection: Connection) -> int:
    return int(connection.execute(text("SELECT count(*) FROM node")).scalar_one())


def add_row(connection: Connection, name: str) -> None:
    connection.execute(text("INSERT INTO node VALUES (:name, 1, 0, 0)"), {"name": name})


def add_row_and_fail(connection: Connection, name: str) -> None:
    add_row(connection, name)
    raise LookupError(name)


@pytest.fixture
def threaded(database: Database) -> Iterator[tuple[Database, WaitingReactor]]:
    reactor = WaitingReactor()
    other = Database(database.url, reactor=reactor)
    other.start()
    yield other, reactor
    other.stop()


def test_what_a_function_did_before_it_failed_is_taken_back(database: Database) -> None:
    with pytest.raises(LookupError):
        database.call("fail", add_row_and_fail, "one")
    assert database.read("count", count_rows) == 0


def test_transactions_of_the_reactor_answer_with_deferreds(threaded: tuple[Database, WaitingReactor]) -> None:
    database, reactor = threaded
    reactor.result(database.run("add", add_row, "one"))
    assert reactor.result(database.run_read("count", count_rows)) == 1
    assert reactor.result(database.beside(len, "four")) == 4


def test_of_many_transactions_at_once_only_the_failing_ones_are_taken_back(
    threaded: tuple[Database, WaitingReactor],
) -> None:
    database, reactor = threaded
    good = [database.run("add", add_row, f"good{number}") for number in range(20)]
    bad = [database.run("fail", add_row_and_fail, f"bad{number}") for number in range(20)]
    twice = database.run("add", add_row, "good1")
    for answer in good:
        reactor.result(answer)
    for answer in bad:
        with pytest.raises(LookupError):
            reactor.result(answer)
    with pytest.raises(Exception, match=r"(?i)unique"):
        reactor.result(twice)
    assert reactor.result(database.run_read("count", count_rows)) == 20


def test_a_transaction_that_meets_a_locked_file_waits_for_it(tmp_path: Path) -> None:
    path = tmp_path / "dialback.db"
    upgrade(f"sqlite:///{path}")
    database = Database(f"sqlite:///{path}")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(0.1, lambda: other.execute("COMMIT"))
    release.start()
    database.call("add", add_row, "one")
    release.join()
    other.close()
    assert database.read("count", count_rows) == 1
    database.close()


def test_a_collision_is_tried_again_and_a_wrong_statement_is_not(database: Database) -> None:
    runs = []

    def collide_once(connection: Connection) -> None:
        runs.append(1)
        if len(runs) == 1:
            raise OperationalError("", {}, _sqlite_error(sqlite3.SQLITE_BUSY))
        add_row(connection, "one")

    database.call("collide", collide_once)
    assert len(runs) == 2
    with pytest.raises((OperationalError, ProgrammingError, StoreUnavailable)):
        database.call("wrong", lambda connection: connection.execute(text("SELECT * FROM nowhere")))


def test_only_collisions_are_collisions() -> None:
    assert is_collision(OperationalError("", {}, _sqlite_error(sqlite3.SQLITE_LOCKED)))
    assert not is_collision(OperationalError("", {}, _sqlite_error(sqlite3.SQLITE_FULL)))
    assert not is_collision(ValueError())


def test_a_database_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'no' / 'such' / 'folder' / 'x.db'}")
    with pytest.raises(StoreUnavailable):
        database.read("count", count_rows)


def test_a_server_that_is_away_is_unavailable(tmp_path: Path) -> None:
    database = Database(f"postgresql://x@/x?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        database.read("count", count_rows)


def test_a_database_without_a_reactor_says_so(database: Database) -> None:
    with pytest.raises(RuntimeError, match="without a reactor"):
        database.run("add", add_row, "one")


def test_every_transaction_is_told_to_the_observer_by_name(database: Database) -> None:
    told: list[str] = []
    watched = Database(database.url, observe=lambda name, _seconds: told.append(name))
    watched.call("add", add_row, "one")
    watched.close()
    assert told == ["add"]


# the tables


def test_tables_that_were_never_made_are_named_with_the_remedy(empty_url: str) -> None:
    database = Database(empty_url)
    with pytest.raises(SchemaMismatch, match="db upgrade"):
        check(database)
    database.close()


def test_tables_of_another_revision_are_refused(database: Database) -> None:
    check(database)

    def set_revision(connection: Connection, found: str) -> None:
        connection.execute(text("UPDATE alembic_version SET version_num = :found"), {"found": found})

    for other, said in (("0000", "is needed"), ("9999", "newer")):
        database.call("set", set_revision, other)
        with pytest.raises(SchemaMismatch, match=said):
            check(database)


def test_upgrading_twice_changes_nothing(empty_url: str) -> None:
    assert upgrade(empty_url) == NEWEST
    assert upgrade(empty_url) == NEWEST


def test_the_migrations_make_just_the_tables_of_the_schema(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from store.schema import accounts

    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, accounts.metadata))

    assert database.read("compare", differences) == []
    assert database.read("revision", revision) == NEWEST


BOOKS = (
    "audit_log",
    "callback_log",
    "cdrs",
    "charges",
    "entries",
    "package_uses",
    "packages",
    "postings",
    "settlements",
)


@pytest.mark.parametrize("table", BOOKS)
def test_a_trigger_guards_every_column_of_the_books(database: Database, table: str) -> None:
    """A trigger names its columns: one that a later revision adds must be covered too."""
    may_be_masked = {"cdrs": {"number"}, "callback_log": {"detail"}}.get(table, set())

    def guarded(connection: Connection) -> set[str]:
        of_sqlite = "SELECT sql FROM sqlite_master WHERE name IN (:update, :rewording)"
        of_postgresql = "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgname IN (:update, :rewording)"
        made = text(of_sqlite if connection.dialect.name == "sqlite" else of_postgresql)
        # The audit log's words have a trigger of their own, which opens in an erasure alone.
        names = {"update": f"{table}_no_update", "rewording": f"{table}_no_rewording"}
        return {
            column
            for found in connection.execute(made, names).scalars()
            for column in found.partition("UPDATE OF ")[2].partition(" ON ")[0].replace('"', "").split(", ")
        }

    columns = set(metadata.tables[table].columns.keys())
    assert database.read("triggers", guarded) == columns - may_be_masked


def test_a_filled_database_of_the_first_revision_is_upgraded_and_keeps_its_prices(empty_url: str) -> None:
    _upgrade_to(empty_url, "0001")
    database = Database(empty_url)
    database.call("fill", _fill_of_0001)
    database.close()
    assert upgrade(empty_url) == NEWEST
    database = Database(empty_url)
    plan = database.read("plan", plans.plan, "old:1")
    assert (plan.zone, plan.bands, plan.amount_places, plan.package_seconds) == ("UTC", (), 4, 0)
    assert (plan.call_price_min, plan.call_price_max, plan.overage_per_minute) == (None, None, None)
    rate = database.read("rate", decks.rate, "old:1:1")
    assert (rate.band, rate.surcharges, rate.per_minute) == ("", (), Decimal("0.085"))
    database.close()


def test_mails_that_waited_before_they_could_carry_links_wait_afterwards(empty_url: str) -> None:
    _upgrade_to(empty_url, "0017")
    database = Database(empty_url)
    database.call("fill", _mail_of_0017)
    database.close()
    assert upgrade(empty_url) == NEWEST
    database = Database(empty_url)
    (mail,) = database.read("mails", mails.list_mails)
    assert (mail.number, mail.link_id, mail.recipient, mail.state) == (
        "INV-1",
        None,
        "ap@x.example",
        "queued",
    )
    for nothing_or_both in ("NULL, NULL", "'INV-1', 1"):
        columns = "(number, link_id, recipient, state, attempts, queued_at, due_at)"
        with pytest.raises(IntegrityError):
            database.call(
                "insert",
                _execute,
                f"INSERT INTO mails {columns} VALUES ({nothing_or_both}, 'a@b.example', 'queued', 0, 0, 0)",
            )
    with pytest.raises(IntegrityError):
        database.call("state", _execute, "UPDATE mails SET state = 'lost'")
    database.close()


def _mail_of_0017(connection: Connection) -> None:
    units = ", ".join(f"{name}_units" for name in
        ("charges", "items", "rounding", "tax", "total", "previous", "payments", "due"))  # fmt: skip
    for statement in (
        "INSERT INTO plans (name, created_at) VALUES ('old', 0)",
        (
            "INSERT INTO accounts (id, name, kind, state, currency, zone, plan_name, credit_limit_units,"
            " created_at) VALUES ('x', 'X', 'postpaid', 'open', 'EUR', 'UTC', 'old', 0, 0)"
        ),
        (
            "INSERT INTO invoices (number, kind, series, count, account_id, first_day, end_day, zone,"
            f" starts_at, ends_at, issued_on, due_on, currency, {units}, facts, issued_at, issued_by)"
            " VALUES ('INV-1', 'invoice', 'INV', 1, 'x', '2026-03-01', '2026-04-01', 'UTC', 0, 1,"
            " '2026-04-01', '2026-04-15', 'EUR', 0, 0, 0, 0, 0, 0, 0, 0, '{}', 1, 'clerk')"
        ),
        (
            "INSERT INTO mails (number, recipient, state, attempts, queued_at, due_at)"
            " VALUES ('INV-1', 'ap@x.example', 'queued', 0, 0, 0)"
        ),
    ):
        _execute(connection, statement)


def _execute(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def _upgrade_to(url: str, revision: str) -> None:
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(node.__file__).parent / "migrations"))
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()
    database.close()


def _fill_of_0001(connection: Connection) -> None:
    rate = "(version_id, row, prefix, destination, per_minute, valid_from, blocked)"
    for table, values in (
        ("decks", "'old', 'sell', 'USD', 0"),
        ("deck_versions", "1, 'old', 1, 0, 0, '', 1"),
        (f"rates {rate}", "1, 1, '44', 'United Kingdom', 8500000, 0, FALSE"),
        ("plans", "'old', 0"),
        ("plan_versions", "'old:1', 'old', 1, 0, 'USD', 'old', 30, 1, 0, 'free', 0, '#', '##', 7200, 0, 0"),
    ):
        connection.execute(text(f"INSERT INTO {table} VALUES ({values})"))


# the lease


def test_a_second_node_is_refused_while_the_first_lives(database: Database) -> None:
    lease = node.claim(database, "main", NOW)
    other = Database(database.url)
    with pytest.raises(NodeTaken, match="stop it first"):
        node.claim(other, "main", NOW)
    with pytest.raises(NodeTaken):
        node.claim(other, "another", NOW)
    lease.release()
    again = node.claim(other, "main", seconds(1))
    assert (lease.token, again.token) == (1, 2)
    again.release()
    other.close()


def test_a_killed_node_leaves_its_lease(database: Database) -> None:
    program = (
        "import sys; from datetime import datetime, UTC\n"
        "from store import node; from store.database import Database\n"
        "lease = node.claim(Database(sys.argv[1]), 'main', datetime.now(UTC)); print('has it', flush=True)\n"
        "sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", program, database.url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "has it\n"
        with pytest.raises(NodeTaken):
            node.claim(database, "main", NOW)
        holder.kill()
    lease = _claim_within_seconds(database, 5)
    assert lease.token == 2
    lease.release()


def test_a_node_leaves_the_last_sign_of_its_life(database: Database) -> None:
    assert database.read("alive", node.last_alive_at, "main") is None
    node.claim(database, "main", NOW).release()
    database.call("alive", node.note_alive, "main", seconds(5))
    node.claim(database, "main", seconds(60)).release()
    assert database.read("alive", node.last_alive_at, "main") == seconds(5)


def _claim_within_seconds(database: Database, most: int) -> node.NodeLease:
    # A server notices a dead client a moment later than the kernel does.
    import time

    deadline = time.monotonic() + most
    while True:
        try:
            return node.claim(database, "main", NOW)
        except NodeTaken:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _sqlite_error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("told by a test")
    error.sqlite_errorcode = code
    return error


def test_asking_for_the_tables_of_a_mistyped_path_makes_no_file_there(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'mistyped.db'}")
    with pytest.raises(SchemaMismatch, match="no tables yet"):
        check(database)
    database.close()
    assert list(tmp_path.iterdir()) == []

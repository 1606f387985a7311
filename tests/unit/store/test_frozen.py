"""I1: no update, no delete, no replacing, no truncating of the books; held by the database itself."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from filled_books import fill_books
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from storeworld import fill
from throwaway_postgresql import Server

from store import acts, migrations
from store.database import Database
from store.upgrade import upgrade

FROZEN = {
    "entries": "reference",
    "postings": "units",
    "charges": "amount_units",
    "attempt_costs": "cost_units",
    "settlements": "gross_units",
    "audit_log": "actor",
    "cdrs": "trunk",
    "callback_log": "event",
    "money_acts": "units",
    "exchange_rates": "rate",
    "conversions": "units",
    "credit_notes": "units",
    "disputes": "reason",
    "voucher_batches": "units",
    "vouchers": "secret_hash",
    "voucher_tries": "at",
    "alerts": "at",
    "late_fees": "units",
    "dunning_steps": "stage",
    "email_links": "email",
    "email_confirmations": "email",
}
SAYS_NO = "append-only"
OLD_PAYMENT = (
    "INSERT INTO ledger_accounts VALUES ('receivable:acme', 'EUR', 200000), ('cash', 'EUR', -200000)",
    "INSERT INTO entries VALUES ('payment-acme-bank 1', 'payment', 0, 'bank 1', '')",
    "INSERT INTO postings VALUES ('payment-acme-bank 1', 0, 'receivable:acme', 'EUR', 200000)",
    "INSERT INTO postings VALUES ('payment-acme-bank 1', 1, 'cash', 'EUR', -200000)",
)
"""As a payment was written down before references were kept."""
SQLITE_ONLY = (
    "INSERT OR REPLACE INTO {table} SELECT * FROM {table} LIMIT 1",
    # SQLite's own row number serves as well to put a row in the place of another.
    (
        "INSERT OR REPLACE INTO postings (rowid, entry_id, position, ledger_account_id, currency, units)"
        " SELECT rowid, entry_id, 99, 'cash', 'EUR', 1 FROM postings LIMIT 1"
    ),
)
POSTGRESQL_ONLY = (
    "TRUNCATE {table} CASCADE",
    "TRUNCATE accounts, ledger_accounts CASCADE",
)


@pytest.fixture
def books(company: Database) -> Database:
    """Books with a row in every table."""
    company.call("fill books", fill_books)
    return company


def execute(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def count(connection: Connection, table: str) -> int:
    return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_I1_no_row_of_the_books_is_changed_or_deleted(books: Database) -> None:
    for table, column in FROZEN.items():
        assert books.read("count", count, table) > 0
        for statement in (f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"):
            with pytest.raises(DBAPIError, match=SAYS_NO):
                books.call("tamper", execute, statement)


def test_I1_no_row_of_the_books_is_replaced_and_no_table_emptied(books: Database) -> None:
    for table in FROZEN:
        for statement in SQLITE_ONLY if books.is_sqlite else POSTGRESQL_ONLY:
            with pytest.raises(DBAPIError, match=SAYS_NO):
                books.call("tamper", execute, statement.format(table=table))


@pytest.fixture
def owned(postgresql: Server) -> Iterator[str]:
    """The URL of a database as its owner sees it, who is no superuser: as in an ordinary installation."""
    url = postgresql.new_database()
    name = url.partition("@/")[2].partition("?")[0]
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE ROLE keeper_{name} LOGIN".encode())
        server.execute(f"ALTER DATABASE {name} OWNER TO keeper_{name}".encode())
        server.execute(f"ALTER SCHEMA public OWNER TO keeper_{name}".encode())
    yield url.replace("dialback@", f"keeper_{name}@")
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"REASSIGN OWNED BY keeper_{name} TO dialback".encode())
        server.execute(f"DROP OWNED BY keeper_{name}".encode())
        server.execute(f"DROP ROLE keeper_{name}".encode())


@pytest.mark.postgres
def test_I1_on_postgresql_the_owner_has_no_right_to_delete_or_truncate_books(owned: str) -> None:
    upgrade(owned)
    database = Database(owned)
    database.call("fill", fill)
    database.call("fill books", fill_books)
    for table, column in FROZEN.items():
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(DBAPIError, match="permission denied"):
                database.call("tamper", execute, statement)
        with pytest.raises(DBAPIError, match=SAYS_NO):
            database.call("tamper", execute, f"UPDATE {table} SET {column} = {column}")
    database.close()


def test_payments_made_before_references_were_kept_are_found_by_theirs_after_the_upgrade(
    tmp_path: Path,
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}"
    database = Database(url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with database.engine.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO plans VALUES ('standard', 0)")
        connection.exec_driver_sql(
            "INSERT INTO accounts VALUES ('acme', 'Acme', 'postpaid', 'open', 'EUR', 'UTC', 'standard', 0,"
            " '', '', '', '', 0)"
        )
        for statement in OLD_PAYMENT:
            connection.exec_driver_sql(statement)
        connection.commit()
    upgrade(url)
    done = database.read("done", acts.done, "acme", "bank 1")
    assert done is not None
    assert (done.units, done.entry_id, done.action) == (20_0000, "payment-acme-bank 1", "payment.add")
    database.close()

"""Corrupts the books as somebody would who owns the machine: locks off, then the deed; undone afterwards.

Reads: a Database, SQL.
Gives: what a function finds in books that were tampered with.
Knows nothing of: what `ledger verify` says of it.
"""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from store.database import Database

Found = TypeVar("Found")


def found_after(
    database: Database, statements: tuple[str, ...], look: Callable[[Connection], Found]
) -> Found:
    """What `look` finds after the statements, which neither trigger nor foreign key could stop."""
    with database.engine.connect() as connection:
        if database.is_sqlite:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            named = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").all()
            for (name,) in named:
                connection.exec_driver_sql(f"DROP TRIGGER {name}")
        else:
            connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        for statement in statements:
            done = connection.exec_driver_sql(statement)
            assert done.rowcount != 0, statement
        found = look(connection)
        connection.rollback()
        return found

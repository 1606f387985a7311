"""Triggers that keep a table as it was written; for revisions to use.

Reads: a table's name and the columns that may still change.
Gives: triggers that refuse UPDATE, DELETE and what amounts to them: on PostgreSQL TRUNCATE, on SQLite
INSERT OR REPLACE, which deletes the row in its way and fires no trigger for that.
Knows nothing of: which tables are books.

Revisions that were released call this, so it only ever grows.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

SAYS_NO = "the books are append-only: correct a mistake by a further entry"


def freeze(table: str, free: Sequence[str] = ()) -> None:
    """Refuse to change or delete rows of `table`, but for the columns `free`. Made anew if it was before."""
    thaw(table)
    columns = (column["name"] for column in sa.inspect(op.get_bind()).get_columns(table))
    kept = ", ".join(f'"{column}"' for column in columns if column not in free)
    for verb, event in _forbidden(kept):
        op.execute(f"CREATE TRIGGER {table}_no_{verb} BEFORE {event} ON {table} {_answer()}")
    if _is_sqlite():
        is_there = f"EXISTS (SELECT 1 FROM {table} WHERE {_same_row(table)})"  # noqa: S608 - names of ours
        op.execute(f"CREATE TRIGGER {table}_no_replace BEFORE INSERT ON {table} WHEN {is_there} {_answer()}")


def thaw(table: str) -> None:
    """Take the triggers off, for the length of a revision that changes the table's columns."""
    suffix = "" if _is_sqlite() else f" ON {table}"
    for verb in ("update", "delete", "replace" if _is_sqlite() else "truncate"):
        op.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}{suffix}")


def revoke(*tables: str) -> None:
    """On PostgreSQL: take the right to delete and truncate from everybody, the owner included.

    Not the right to update: a foreign key's check locks the row it points to, which needs it.
    """
    if not _is_sqlite():
        for table in tables:
            op.execute(f"REVOKE DELETE, TRUNCATE ON {table} FROM PUBLIC, CURRENT_USER")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _forbidden(columns: str) -> list[tuple[str, str]]:
    both = [("update", f"UPDATE OF {columns}"), ("delete", "DELETE")]
    return both if _is_sqlite() else [*both, ("truncate", "TRUNCATE")]


def _same_row(table: str) -> str:
    """Whether a row is in the way of the new one, by its key or by SQLite's own row number."""
    key = sa.inspect(op.get_bind()).get_pk_constraint(table)["constrained_columns"]
    same = " AND ".join(f'"{name}" = NEW."{name}"' for name in key)
    return f"({same}) OR rowid = NEW.rowid"


def _answer() -> str:
    if _is_sqlite():
        return f"BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END"
    return "FOR EACH STATEMENT EXECUTE FUNCTION dialback_append_only()"

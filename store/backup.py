"""Copies of the whole database: a backup is one SQLite file, whichever engine it came from.

Reads: a Database, or a backup.
Gives: a consistent copy made while the switch runs; the same rows again in a database that is empty.
Knows nothing of: single tables; it takes all that store/schema.py has.

SQLite is copied page by page by its own backup interface. PostgreSQL is read in one transaction, every row as
it stands, into a file of the same tables. So a backup also moves a switch from one engine to the other.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Table, func, insert, inspect, select

from store import node
from store.columns import metadata
from store.database import Database
from store.errors import Conflict, Invalid, NotFound, StoreUnavailable
from store.schema import accounts
from store.upgrade import upgrade

ROWS_AT_ONCE = 5_000
PAGES_AT_ONCE = 2_000
"""Between two parts the switch may write; SQLite then begins anew what it has changed."""
SHIPPED = frozenset({"country_policy", "node"})
"""A database that has just been made has rows in these already."""


def back_up(database: Database, file: Path) -> None:
    """Write a consistent copy of the database; a file that is there is never overwritten."""
    if file.exists():
        raise Conflict("file", f"{file} is there already", "name another, or move it away")
    part = file.with_name(f"{file.name}.part")
    part.unlink(missing_ok=True)
    try:
        part.touch(mode=0o600)
        if database.is_sqlite:
            _copy_pages(Path(str(database.engine.url.database)), part)
        else:
            _copy_to_file(database, part)
        check_file(part)
        part.rename(file)
    finally:
        for leftover in (part, Path(f"{part}-wal"), Path(f"{part}-shm")):
            leftover.unlink(missing_ok=True)


def restore(file: Path, url: str, *, aside: Path | None = None) -> str:
    """Bring the backup's rows into a database without accounts; the revision it is at then.

    The backup may be of an older program: it is upgraded on the way. Conflict if the database has accounts,
    except that a file of SQLite is put `aside` where this names a place. NodeTaken while a switch serves it.
    """
    if not file.exists():
        raise NotFound("file", f"there is no {file}", "name a file that `dialback db backup` made")
    check_file(file)
    target = Database(url)
    try:
        with closing(node.lock(target)):
            if target.is_sqlite:
                _restore_pages(file, target, aside)
            else:
                _restore_rows(file, target)
            return upgrade(url)
    finally:
        target.close()


def is_filled(database: Database) -> bool:
    """Whether somebody has worked with this database: there is an account."""
    return database.read("look for accounts", _has_accounts)


def check_file(file: Path) -> None:
    """Return if the file is a whole backup; Invalid says what it is instead."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as opened:
            (found,) = opened.execute("PRAGMA integrity_check(1)").fetchone()
            known = opened.execute("SELECT name FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
    except sqlite3.DatabaseError as error:
        raise Invalid("file", f"{file} is no backup ({error})", "name one that `db backup` made") from None
    if found != "ok":
        raise Invalid("file", f"{file} is damaged ({found})", "take another backup")
    if known is None:
        raise Invalid("file", f"{file} has none of our tables", "name one that `db backup` made")


def _copy_pages(source: Path, target: Path) -> None:
    try:
        with closing(sqlite3.connect(source)) as read, closing(sqlite3.connect(target)) as written:
            read.backup(written, pages=PAGES_AT_ONCE)
            # One file and no other beside it.
            written.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.OperationalError as error:
        raise StoreUnavailable(f"backup: {error}") from error


def _copy_to_file(source: Database, target: Path) -> None:
    url = f"sqlite:///{target}"
    upgrade(url)
    copy = Database(url)
    try:
        source.read("back up", _copy_rows, copy)
    finally:
        copy.close()
    with closing(sqlite3.connect(target)) as written:
        written.execute("PRAGMA journal_mode=DELETE")


def _restore_pages(file: Path, target: Database, aside: Path | None) -> None:
    path = Path(str(target.engine.url.database))
    if aside is None:
        _refuse_filled(target)
    target.close()
    if aside is not None and path.exists():
        _copy_pages(path, aside)
    for old in (path, Path(f"{path}-wal"), Path(f"{path}-shm")):
        old.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    _copy_pages(file, path)


def _restore_rows(file: Path, target: Database) -> None:
    with _upgraded(file) as source:
        upgrade(target.url)
        _refuse_filled(target)
        source.read("restore", lambda read: target.call("restore", _take_rows, read))


@contextmanager
def _upgraded(file: Path) -> Iterator[Database]:
    """The backup, brought to this program's tables in a copy beside it."""
    copy = file.with_name(f"{file.name}.upgraded")
    _copy_pages(file, copy)
    try:
        upgrade(f"sqlite:///{copy}")
        source = Database(f"sqlite:///{copy}")
        try:
            yield source
        finally:
            source.close()
    finally:
        for leftover in (copy, Path(f"{copy}-wal"), Path(f"{copy}-shm")):
            leftover.unlink(missing_ok=True)


def _refuse_filled(target: Database) -> None:
    if is_filled(target):
        raise Conflict(
            "database",
            "there are accounts in it, and a backup replaces everything",
            "name an empty database in [database] url, or give --yes to put a file of SQLite aside",
        )


def _copy_rows(read: Connection, target: Database) -> None:
    target.call("copy", _take_rows, read)


def _take_rows(written: Connection, read: Connection) -> None:
    for table in metadata.sorted_tables:
        if table.name in SHIPPED:
            written.execute(table.delete())
        rows = read.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table)).mappings()
        for some in rows.partitions():
            written.execute(insert(table), [dict(row) for row in some])
        _set_serial(written, table)


def _set_serial(connection: Connection, table: Table) -> None:
    """Let the database count on from the highest number that came in."""
    column = table.autoincrement_column
    if connection.dialect.name == "sqlite" or column is None or column.name != "id":
        return
    highest = connection.execute(select(func.max(column))).scalar()
    if highest is not None:
        sequence = func.pg_get_serial_sequence(table.name, column.name)
        connection.execute(select(func.setval(sequence, highest)))


def _has_accounts(connection: Connection) -> bool:
    if not inspect(connection).has_table(accounts.name):
        return False
    return connection.execute(select(accounts.c.id).limit(1)).first() is not None

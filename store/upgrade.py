"""Brings a database's tables to what this program needs.

Reads: the revisions in store/migrations.
Gives: an upgraded database; SchemaMismatch, with the order to give, where nobody upgraded.
Knows nothing of: what is in the tables.
"""

from pathlib import Path

import sqlalchemy
from sqlalchemy import Connection, inspect, select
from sqlalchemy.exc import DBAPIError

from store.database import Database
from store.errors import SchemaMismatch, StoreUnavailable

NEWEST = "0019"
"""The revision that store/schema.py describes; a test holds it against store/migrations."""


def upgrade(url: str) -> str:
    """Create or upgrade the tables; the revision they are at now. Doing it again changes nothing."""
    # Alembic takes 0.2 s to import, and only this function needs it.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    database = Database(url)
    _make_folder(database)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    try:
        with database.engine.connect() as connection:
            if database.is_sqlite:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            _refuse_newer(revision(connection))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
            return revision(connection) or ""
    except DBAPIError as error:
        raise StoreUnavailable(" ".join(str(error.orig).split())) from error
    finally:
        database.close()


def check(database: Database) -> None:
    """Return if the tables fit this program; SchemaMismatch says what to do if not."""
    # Asked first: SQLite would make an empty file of a path that was mistyped.
    try:
        found = database.read("read revision", revision) if _is_there(database) else None
    except DBAPIError as error:
        problem = " ".join(str(error.orig).split())
        raise SchemaMismatch(
            f"the database cannot be read ({problem}); see that [database] url is right"
        ) from None
    if found is None:
        raise SchemaMismatch("the database has no tables yet: run `dialback db upgrade`")
    if found < NEWEST:
        raise SchemaMismatch(
            f"the tables are at revision {found}, {NEWEST} is needed: run `dialback db upgrade`"
        )
    _refuse_newer(found)


def _refuse_newer(found: str | None) -> None:
    if found is not None and found > NEWEST:
        raise SchemaMismatch(
            f"the tables are at revision {found}, newer than this program's {NEWEST}: update the program"
        )


def revision(connection: Connection) -> str | None:
    """The revision of the tables; None without tables."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    table = sqlalchemy.table("alembic_version", sqlalchemy.column("version_num"))
    found: str | None = connection.execute(select(table.c.version_num)).scalar_one_or_none()
    return found


def _is_there(database: Database) -> bool:
    path = _file_of(database)
    return path is None or path.exists()


def _make_folder(database: Database) -> None:
    path = _file_of(database)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)


def _file_of(database: Database) -> Path | None:
    """SQLite's file; None for a server or a database in memory."""
    path = database.engine.url.database
    return Path(path) if database.is_sqlite and path and path != ":memory:" else None

"""Which process serves this database, and when it was last surely alive.

Reads: the database's own locks.
Gives: NodeLease while this process is the one; the last sign of life of the one before.
Knows nothing of: callbacks.

The lease is a lock that the operating system (SQLite) or the server (PostgreSQL) takes back by itself when
the process dies, kill -9 included: nothing has to expire and nothing can be left behind.
"""

import fcntl
import threading
import zlib
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TextIO

from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy import text as sql
from sqlalchemy.exc import DBAPIError

from store.columns import UtcMicros
from store.database import Database
from store.errors import NodeTaken, StoreUnavailable
from store.schema import node

LOCK_TRIES = 20
LOCK_PAUSE_SECONDS = 0.1
"""The server notices within milliseconds that a client on its own machine was killed."""


class NodeLease:
    """The right to be the conductor; `token` grows with every claim, so that a late writer is recognised."""

    def __init__(self, *, token: int, release: Callable[[], None]) -> None:
        """Made by claim()."""
        self.token = token
        self.release = release


def claim(database: Database, name: str, at: datetime) -> NodeLease:
    """Become the one process that conducts; NodeTaken if another one is at it."""
    # One lock for the whole database, whatever the node is called: two that conduct would ring twice.
    release = _lock_file(database) if database.is_sqlite else _lock_server(database)
    try:
        token = database.call("claim node", _next_token, name, at)
    except BaseException:
        release()
        raise
    return NodeLease(token=token, release=release)


class Lock:
    """No switch conducts on this database until it is closed."""

    def __init__(self, release: Callable[[], None]) -> None:
        """Made by lock()."""
        self.close = release


def lock(database: Database) -> Lock:
    """Keep every switch away without becoming one; NodeTaken if one is at it."""
    if database.is_sqlite:
        Path(str(database.engine.url.database)).parent.mkdir(parents=True, exist_ok=True)
    return Lock(_lock_file(database) if database.is_sqlite else _lock_server(database))


def note_alive(connection: Connection, name: str, at: datetime) -> None:
    """Write down that the node lives now: after a crash, calls are billed up to here at most."""
    connection.execute(ALIVE, {"node_name": name, "at": at})


def last_alive_at(connection: Connection, name: str) -> datetime | None:
    """The last sign of life of that node; None if it never lived."""
    found: datetime | None = connection.execute(
        select(node.c.last_alive_at).where(node.c.name == name)
    ).scalar_one_or_none()
    return found


ALIVE = (
    update(node)
    .where(node.c.name == bindparam("node_name"))
    .values(last_alive_at=bindparam("at", type_=UtcMicros()))
)


def _next_token(connection: Connection, name: str, at: datetime) -> int:
    known: int | None = connection.execute(
        select(node.c.token).where(node.c.name == name).with_for_update()
    ).scalar_one_or_none()
    if known is None:
        # `last_alive_at` is the predecessor's until note_alive(): recovery reads it first.
        row = {"name": name, "token": 1, "started_at": at, "last_alive_at": at}
        connection.execute(insert(node), row)
        return 1
    connection.execute(update(node).where(node.c.name == name), {"token": known + 1, "started_at": at})
    return known + 1


def _lock_file(database: Database) -> Callable[[], None]:
    path = Path(f"{database.engine.url.database}.lock")
    try:
        file: TextIO = path.open("w", encoding="ascii")
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        raise NodeTaken(f"another Dialback serves {database.engine.url.database}; stop it first") from None
    return file.close


def _lock_server(database: Database) -> Callable[[], None]:
    named = {"key": zlib.crc32(b"dialback conductor")}
    try:
        connection = database.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        granted = _granted(connection, named)
    except DBAPIError as error:
        raise StoreUnavailable(" ".join(str(error.orig).split())) from error
    if not granted:
        connection.close()
        address = database.engine.url.render_as_string(hide_password=True)
        raise NodeTaken(f"another Dialback serves {address}; stop it first")

    def release() -> None:
        # Given back by name, for the server hears of a closed connection only some moments later; and
        # closed, for a connection that went back into the pool would keep it.
        with suppress(DBAPIError):
            connection.execute(sql("SELECT pg_advisory_unlock(:key)"), named)
        connection.invalidate()
        connection.close()

    return release


def _granted(connection: Connection, named: dict[str, int]) -> bool:
    """Whether the lock is ours; one whose holder was killed is free once the server has noticed."""
    pause = threading.Event()
    for _ in range(LOCK_TRIES):
        if connection.execute(sql("SELECT pg_try_advisory_lock(:key)"), named).scalar_one():
            return True
        pause.wait(LOCK_PAUSE_SECONDS)
    return False

"""The database as the rest of Dialback meets it: named transactions, on threads of their own.

Reads: a URL, sqlite:///… or postgresql://…; functions that take a connection.
Gives: their results, directly (`call`, `read`) or as Deferreds (`run`, `run_read`, `beside`).
Knows nothing of: tables, except the inbox that it watches.

SQLite has one writer: every writing transaction takes its turn at a lock in this process and then starts
with BEGIN IMMEDIATE, so that two never collide half-way; those given to `run` share their commits
(store/groups.py). On PostgreSQL the rows that matter are locked by the functions themselves, FOR UPDATE.
"""

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Concatenate, ParamSpec, TypeVar

import sqlalchemy
from sqlalchemy import Connection as Connection  # noqa: PLC0414 - a connection is part of what this module gives
from sqlalchemy import Engine, event, make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.threads import deferToThreadPool  # noqa: TID251 - this is the one place
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from rating.portability import Answers
from store.decks import SHELF
from store.errors import StoreUnavailable
from store.groups import CommitQueue, Job, caught, in_savepoint
from store.offers import ANSWERS
from store.quick import Known, QuickConnection

__all__ = ["Connection", "Database", "Transaction", "is_collision", "is_temporary", "normal_url"]

Result = TypeVar("Result")
Args = ParamSpec("Args")
Transaction = Callable[Concatenate[Connection, Args], Result]
Observe = Callable[[str, float], None]

BUSY_TIMEOUT_MILLISECONDS = 5_000
"""How long SQLite itself waits for another process's transaction."""
RETRY_SECONDS_MAX = 5.0
"""A transaction that collides is begun anew for so long; then the store counts as away."""
RETRY_PAUSE_SECONDS = 0.02
POSTGRESQL_CONNECTIONS_MAX = 12
POSTGRESQL_WRITERS = 4
READERS = 2
STATEMENTS_CACHED_MAX = 1_000
CACHE_KIBIBYTES = 65_536
"""SQLite's own cache where no reactor is: a command may go through all of the books, and with the usual 2 MiB
most of its time would go into reading pages again. Calls touch few pages."""
INBOX_NEWEST = "SELECT coalesce(max(id), 0) FROM inbox"
# PostgreSQL: serialization_failure, deadlock_detected, lock_not_available.
RETRY_SQLSTATES = frozenset({"40001", "40P01", "55P03"})


class Database:
    """One database. Given a reactor, it also answers with Deferreds; `start` and `stop` its threads then."""

    def __init__(
        self,
        url: str,
        *,
        reactor: IReactorFromThreads | None = None,
        observe: Observe | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`observe` is told each transaction's name and its seconds, on the thread that ran it."""
        self.url = normal_url(url)
        self._reactor = reactor
        self._observe = observe
        self._monotonic = monotonic
        self.is_sqlite = self.url.startswith("sqlite")
        self.engine = _engine(self.url, cache_kibibytes=None if reactor else CACHE_KIBIBYTES)
        self._known = Known()
        self._writer: QuickConnection | None = None
        self._turn: AbstractContextManager[Any] = threading.Lock() if self.is_sqlite else nullcontext()
        self._pause = threading.Event()
        self._writers = ThreadPool(1, 1 if self.is_sqlite else POSTGRESQL_WRITERS, name="store-write")
        self._readers = ThreadPool(1, READERS, name="store-read")
        self._queue: CommitQueue | None = None
        self._watch: Connection | None = None
        self._watch_turn = threading.Lock()

    # life

    def start(self) -> None:
        """Start the threads; needed for `run`, `run_read` and `beside` only."""
        self._writers.start()
        self._readers.start()

    def stop(self) -> None:
        """Finish what is queued, end the threads and close every connection."""
        for pool in (self._writers, self._readers):
            if pool.started:
                pool.stop()
        self.close()

    def close(self) -> None:
        """Close every connection."""
        with self._turn:
            self._let_writer_go()
        with self._watch_turn:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self.engine.dispose()

    # transactions

    def call(
        self, name: str, function: "Transaction[Args, Result]", /, *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """The function's result, from one writing transaction; all of it is committed or none.

        StoreUnavailable if the database is away or stays busy. The function may run more than once.
        """
        return self._retry(name, function, args, kwargs, writes=True)

    def read(
        self, name: str, function: "Transaction[Args, Result]", /, *args: Args.args, **kwargs: Args.kwargs
    ) -> Result:
        """The function's result, from one consistent view; on SQLite it waits for no writer."""
        return self._retry(name, function, args, kwargs, writes=False)

    def run(
        self, name: str, function: "Transaction[Args, Result]", /, *args: Args.args, **kwargs: Args.kwargs
    ) -> "Deferred[Result]":
        """As `call`, on a thread of the store; transactions of one process are begun in the order given."""
        if self.is_sqlite:
            job = Job(name=name, work=lambda connection: function(connection, *args, **kwargs))
            return self._commits.put(job)
        return deferToThreadPool(
            self._threads_reactor, self._writers, self._retry, name, function, args, kwargs, writes=True
        )

    def run_read(
        self, name: str, function: "Transaction[Args, Result]", /, *args: Args.args, **kwargs: Args.kwargs
    ) -> "Deferred[Result]":
        """As `read`, on a thread of the store."""
        return deferToThreadPool(
            self._threads_reactor, self._readers, self._retry, name, function, args, kwargs, writes=False
        )

    def beside(self, function: Callable[..., Result], /, *args: Any) -> "Deferred[Result]":
        """The result of a slow function without a transaction, such as reading a file."""
        return deferToThreadPool(self._threads_reactor, self._readers, function, *args)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to one consistent view, for reads so long that others should write meanwhile."""
        with self._transaction(writes=False) as connection:
            yield connection

    # news

    def data_version(self) -> int:
        """The newest wish in the inbox, by number; 0 while there is none.

        Cheap enough to ask every tenth of a second, and no transaction is begun for it.
        """
        with self._watch_turn:
            try:
                if self._watch is None:
                    self._watch = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
                return int(self._watch.exec_driver_sql(INBOX_NEWEST).scalar_one())
            except DBAPIError as error:
                watch, self._watch = self._watch, None
                if watch is not None:
                    watch.invalidate()
                raise StoreUnavailable(_sentence(error)) from error

    # how

    @property
    def _threads_reactor(self) -> IReactorFromThreads:
        if self._reactor is None:
            raise RuntimeError("this Database was made without a reactor: use call() and read()")
        return self._reactor

    @property
    def _commits(self) -> CommitQueue:
        if self._queue is None:
            self._queue = CommitQueue(
                reactor=self._threads_reactor,
                pool=self._writers,
                alone=lambda job: self._retry(job.name, job.work, (), {}, writes=True),
                together=self._commit_together,
            )
        return self._queue

    def _commit_together(self, jobs: Sequence[Job]) -> Sequence[Any]:
        started = self._monotonic()
        with self._transaction(writes=True) as connection:
            outcomes = [caught(in_savepoint, connection, job) for job in jobs]
            for outcome in outcomes:
                if isinstance(outcome, Failure) and isinstance(outcome.value, DBAPIError):
                    raise outcome.value  # perhaps the database's fault: each job is to try for itself
            _commit(connection)
        if self._observe is not None:
            for job in jobs:
                self._observe(job.name, self._monotonic() - started)
        return outcomes

    def _retry(
        self,
        name: str,
        function: Callable[..., Result],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        writes: bool,
    ) -> Result:
        started = self._monotonic()
        while True:
            try:
                with self._transaction(writes=writes) as connection:
                    result = function(connection, *args, **kwargs)
                    _commit(connection)
                if self._observe is not None:
                    self._observe(name, self._monotonic() - started)
                return result
            except (DBAPIError, PoolTimeout) as error:
                spent = self._monotonic() - started
                if not (is_collision(error) and spent < RETRY_SECONDS_MAX):
                    if is_temporary(error):
                        raise StoreUnavailable(f"{name}: {_sentence(error)}") from error
                    raise
            self._pause.wait(RETRY_PAUSE_SECONDS)

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Connection]:
        if not self.is_sqlite:
            with self.engine.connect() as connection:
                if not writes:
                    # READ COMMITTED would show each statement another moment.
                    connection.execution_options(isolation_level="REPEATABLE READ")
                yield connection
        elif writes:
            with self._turn:
                # Always the same one: what SQLite keeps of the pages is good until another one writes.
                writer = self._writer = self._writer or QuickConnection(self.engine, self._known)
                try:
                    writer.begin_by("BEGIN IMMEDIATE")
                    yield writer
                except BaseException:
                    self._let_writer_go()
                    raise
        else:
            reader = QuickConnection(self.engine, self._known)
            with reader:
                reader.begin_by("BEGIN")
                yield reader

    def _let_writer_go(self) -> None:
        """Close the writing connection, which takes back what it has not committed; the next one is fresh."""
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()


def normal_url(url: str) -> str:
    """The URL with the driver named: postgresql://… is spoken by psycopg."""
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    return parsed.render_as_string(hide_password=False)


def is_collision(error: Exception) -> bool:
    """Whether another transaction was in the way, so that a fresh one may succeed."""
    if getattr(error, "connection_invalidated", False):
        return True  # the server went away before the commit: nothing was done
    original = getattr(error, "orig", None)
    if isinstance(original, sqlite3.OperationalError):
        code = getattr(original, "sqlite_errorcode", None)
        # The low byte is the primary code; the rest says more (sqlite.org/rescode.html).
        return code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
    return getattr(original, "sqlstate", None) in RETRY_SQLSTATES


def is_temporary(error: Exception) -> bool:
    """Whether the database, and not the statement, is at fault."""
    if isinstance(error, PoolTimeout | InterfaceError | OperationalError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _commit(connection: Connection) -> None:
    """Commit; a connection lost now leaves it open whether it was done, so it is never begun anew here."""
    try:
        connection.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StoreUnavailable(f"the connection was lost while committing: {_sentence(error)}") from error
        raise


def _sentence(error: Exception) -> str:
    original = getattr(error, "orig", None) or error
    return " ".join(str(original).split())


def _engine(url: str, *, cache_kibibytes: int | None) -> Engine:
    if not url.startswith("sqlite"):
        return sqlalchemy.create_engine(
            url,
            query_cache_size=STATEMENTS_CACHED_MAX,
            hide_parameters=True,  # they hold telephone numbers and names, and errors are logged
            execution_options={SHELF: {}, ANSWERS: Answers()},
            pool_size=POSTGRESQL_CONNECTIONS_MAX,
            connect_args={"connect_timeout": 5},
        )
    engine = sqlalchemy.create_engine(
        url,
        query_cache_size=STATEMENTS_CACHED_MAX,
        hide_parameters=True,
        execution_options={SHELF: {}, ANSWERS: Answers()},
        pool_size=POSTGRESQL_CONNECTIONS_MAX,
        connect_args={"timeout": BUSY_TIMEOUT_MILLISECONDS / 1000},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # sqlite3 would begin a transaction by itself, and later than we want it: we say BEGIN.
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        if cache_kibibytes is not None:
            connection.execute(f"PRAGMA cache_size=-{cache_kibibytes}")

    return engine

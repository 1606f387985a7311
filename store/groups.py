"""One commit for all transactions that wait at the same moment.

Reads: jobs, each a function of a connection, in the order in which they are given.
Gives: their results as Deferreds, fired on the reactor's thread after their commit and not before.
Knows nothing of: what the jobs do; how a commit is made durable.

A durable commit waits for the disk, and SQLite has one writer: commits in a row are what limits the calls a
second. While one commit waits, the next jobs gather; they run one after another, each in a savepoint of its
own, and share the next commit. A job that fails takes back what it did, and only that. A lone job never
waits for company.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, cast

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError
from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from twisted.python.threadpool import ThreadPool

from store.errors import StoreUnavailable
from store.quick import QuickConnection

TOGETHER_MAX = 64
"""More in one commit gains nothing, and the first of them waits for the last."""

Work = Callable[[Connection], Any]


@dataclass(slots=True, kw_only=True, eq=False)
class Job:
    """A function to run in a transaction, and where its result goes."""

    name: str
    work: Work
    answer: "Deferred[Any]" = field(default_factory=Deferred)


class CommitQueue:
    """Runs jobs on one thread of `pool`."""

    def __init__(
        self,
        *,
        reactor: IReactorFromThreads,
        pool: ThreadPool,
        alone: Callable[[Job], Any],
        together: Callable[[Sequence[Job]], Sequence[Any]],
    ) -> None:
        """`alone` runs a job with all retries; `together` runs several and commits once, or raises.

        `together` gives for each job its result or a Failure.
        """
        self._reactor = reactor
        self._pool = pool
        self._alone = alone
        self._together = together
        self._waiting: deque[Job] = deque()
        self._turn = Lock()
        self._running = False

    def put(self, job: Job) -> "Deferred[Any]":
        """The job's result, once it is committed."""
        with self._turn:
            self._waiting.append(job)
            starts, self._running = not self._running, True
        if starts:
            self._pool.callInThread(self._work_off)
        return job.answer

    def _work_off(self) -> None:
        while jobs := self._next():
            for job, outcome in zip(jobs, self._outcomes(jobs), strict=True):
                self._reactor.callFromThread(_answer, job.answer, outcome)

    def _next(self) -> list[Job]:
        with self._turn:
            jobs = [self._waiting.popleft() for _ in range(min(len(self._waiting), TOGETHER_MAX))]
            self._running = bool(jobs)
            return jobs

    def _outcomes(self, jobs: Sequence[Job]) -> Sequence[Any]:
        if len(jobs) > 1:
            shared = caught(self._together, jobs)
            if not isinstance(shared, Failure):
                return cast(Sequence[Any], shared)
            if shared.check(SQLAlchemyError, StoreUnavailable) is None:
                return [shared] * len(jobs)  # a fault of ours: whoever waits is told, and the queue goes on
            # Nothing of it was committed: each for itself now, so that each meets its own fate.
        return [caught(self._alone, job) for job in jobs]


def in_savepoint(connection: QuickConnection, job: Job) -> Any:
    """The job's result; if it raises, what it did is taken back and the transaction goes on."""
    connection.say("SAVEPOINT job")
    try:
        result = job.work(connection)
    except BaseException:
        connection.say("ROLLBACK TO SAVEPOINT job")
        raise
    finally:
        connection.say("RELEASE SAVEPOINT job")
    return result


def caught(function: Callable[..., Any], *args: Any) -> Any:
    """The function's result, or a Failure with what it raised."""
    outcomes: list[Any] = []
    execute(function, *args).addBoth(outcomes.append)
    return outcomes[0]


def _answer(answer: "Deferred[Any]", outcome: Any) -> None:
    if isinstance(outcome, Failure):
        answer.errback(outcome)
    else:
        answer.callback(outcome)

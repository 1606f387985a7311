"""The queue of commits: whatever happens to a shared commit, everybody who waits is answered."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout
from twisted.internet.defer import Deferred

from store.groups import CommitQueue, Job


class AtOnce:
    """A thread pool and a reactor that do everything at once, when they are told to."""

    def __init__(self) -> None:
        self.work: list[Any] = []

    def callInThread(self, function: Any) -> None:
        self.work.append(function)

    def callFromThread(self, function: Any, *args: Any) -> None:
        function(*args)


def queue_of(at_once: AtOnce, error: Exception) -> CommitQueue:
    def together(_jobs: Sequence[Job]) -> Sequence[Any]:
        raise error

    return CommitQueue(
        reactor=at_once,  # type: ignore[arg-type]
        pool=at_once,  # type: ignore[arg-type]
        alone=lambda job: f"{job.name} alone",
        together=together,
    )


def put(queue: CommitQueue, *names: str) -> list["Deferred[Any]"]:
    return [queue.put(Job(name=name, work=lambda connection: None)) for name in names]


def results(answers: list["Deferred[Any]"]) -> list[Any]:
    found: list[Any] = []
    for answer in answers:
        answer.addBoth(found.append)
    return found


@pytest.mark.parametrize("error", [PoolTimeout("no connection"), ZeroDivisionError("a fault of ours")])
def test_when_a_shared_commit_cannot_begin_everybody_is_answered_and_the_queue_goes_on(
    error: Exception,
) -> None:
    at_once = AtOnce()
    queue = queue_of(at_once, error)
    first = put(queue, "one", "two")
    at_once.work.pop()()
    assert len(results(first)) == 2
    later = put(queue, "three")
    at_once.work.pop()()
    assert results(later) == ["three alone"]


def test_jobs_whose_shared_commit_failed_are_each_done_alone() -> None:
    at_once = AtOnce()
    answers = put(queue_of(at_once, PoolTimeout("no connection")), "one", "two")
    at_once.work.pop()()
    assert results(answers) == ["one alone", "two alone"]

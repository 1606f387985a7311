"""The part of a reactor that a thread pool needs: what threads hand over is run while a test waits."""

from collections.abc import Callable
from queue import Queue
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFromThreads
from twisted.python.failure import Failure
from zope.interface import implementer

SECONDS_MAX = 20


@implementer(IReactorFromThreads)
class WaitingReactor:
    """Runs what threads hand over, on the thread of the test, while that waits for a result."""

    def __init__(self) -> None:
        self._handed_over: Queue[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = Queue()

    def callFromThread(self, callable: Callable[..., Any], *args: Any, **kwargs: Any) -> None:  # noqa: A002
        self._handed_over.put((callable, args, kwargs))

    def result(self, answer: "Deferred[Any]") -> Any:
        """The Deferred's result; raises what it failed with."""
        outcomes: list[Any] = []
        answer.addBoth(outcomes.append)
        while not outcomes:
            function, args, kwargs = self._handed_over.get(timeout=SECONDS_MAX)
            function(*args, **kwargs)
        if isinstance(outcomes[0], Failure):
            outcomes[0].raiseException()
        return outcomes[0]

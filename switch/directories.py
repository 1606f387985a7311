"""Short codes and tag codes for the dialog, read when it begins.

Reads: the store.
Gives: a Directory; an empty one while the store is away, for whole numbers can be keyed all the same.
Knows nothing of: what is said and keyed.
"""

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from calls.callback import Callback
from calls.directory import EMPTY, Directory
from store.database import Database
from store.directories import directory_of
from store.errors import StoreUnavailable


class Directories:
    """The store as the dialog asks it."""

    def __init__(self, *, database: Database, log: FilteringBoundLogger) -> None:
        self._database = database
        self._log = log

    def of(self, callback: Callback) -> "Deferred[Directory]":
        """What the subscriber of that callback may key now: an entry made a moment ago counts."""
        found = self._database.run_read("read directory", directory_of, callback)
        return found.addErrback(self._do_without, callback)

    def _do_without(self, failure: Failure, callback: Callback) -> Directory:
        failure.trap(StoreUnavailable)
        self._log.warning("directory.unavailable", callback=callback.id, error=failure.getErrorMessage())
        return EMPTY

"""What the store says no with. The first line of each docstring is what an operator is told.

Reads: nothing.
Gives: refusals that name the field and the remedy, and the one temporary failure.
Knows nothing of: exit codes, status codes.
"""


class StoreError(Exception):
    """The store says no."""


class StoreUnavailable(StoreError):
    """The database cannot be reached or is busy; try again shortly."""


class SchemaMismatch(StoreError):
    """The database has another version of the tables than this program."""


class NodeTaken(StoreError):
    """Another Dialback serves this database already; stop it first."""


class StaleStep(StoreError):
    """The callback has moved since it was read; nothing was changed."""


class Refused(StoreError):
    """The wish cannot be granted: `field` is what is wrong, `remedy` is what to do instead."""

    def __init__(self, field: str, problem: str, remedy: str) -> None:
        """`problem` is a sentence without a full stop, `remedy` an order."""
        super().__init__(f"{field}: {problem}; {remedy}")
        self.field = field
        self.problem = problem
        self.remedy = remedy


class NotFound(Refused):
    """There is no such row."""


class Conflict(Refused):
    """It stands against something that is there already."""


class Invalid(Refused):
    """The value cannot be meant."""


class Forbidden(Refused):
    """A rule of the house forbids it."""

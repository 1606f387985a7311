"""Statements are compiled once for each worker, and not once for each database that a test opens.

Reads: SQLAlchemy's keys of statements.
Gives: compile_once(): from then on all connections of this process share what was compiled.
Knows nothing of: tests, tables.

Most tests have a database of their own, and so an engine that knows no statement yet: up to a quarter of
their time went into compiling the same ones again. Two engines of ours differ by their dialect's name only,
so that is what the key keeps.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

STATEMENTS_MAX = 5_000


class _OfAllEngines(LRUCache[Any, Any]):
    """SQLAlchemy's cache; in the key the dialect's name stands for the dialect of one engine."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_shared(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_shared(key), value)


def compile_once() -> None:
    """Let all connections share one cache."""
    cache = _OfAllEngines(STATEMENTS_MAX)

    def share(connection: Connection) -> None:
        connection.execution_options(compiled_cache=cache)

    event.listen(Engine, "engine_connect", share)


def _shared(key: tuple[Any, ...]) -> tuple[Any, ...]:
    dialect, *rest = key
    return (dialect.name, *rest)

"""A store with one small telephone company in it, on each engine."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from storeworld import fill
from throwaway_postgresql import Server, server_binaries

from store.database import Database
from store.upgrade import upgrade


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server(tmp_path_factory.mktemp("postgresql")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without tables."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'dialback.db'}"
    server: Server = request.getfixturevalue("postgresql")
    return server.new_database()


@pytest.fixture
def database(empty_url: str) -> Iterator[Database]:
    """A database with the tables, and nothing in them."""
    upgrade(empty_url)
    database = Database(empty_url)
    yield database
    database.close()


@pytest.fixture
def company(database: Database) -> Database:
    """The same, with the rows of tests/support/storeworld.py."""
    database.call("fill", fill)
    return database

"""A store with one small telephone company in it, on each engine.

Tables are made once for each engine and copied for each test: making them takes longer than most tests.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from storeworld import fill
from throwaway_postgresql import Server, server_binaries

from store.database import Database
from store.upgrade import upgrade

ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as server:
        yield server


class Templates:
    """Databases to copy from."""

    def __init__(self, request: pytest.FixtureRequest, folder: Path) -> None:
        self._request = request
        self._folder = folder
        self._made: set[str] = set()

    def new(self, engine: str, content: str, folder: Path) -> str:
        """The URL of a new database: "empty", with "tables", or a whole "company"."""
        key = f"{engine}_{content}"
        if key not in self._made:
            self._make(engine, content, self._url(engine, key))
            self._made.add(key)
        if engine == "sqlite":
            target = folder / "dialback.db"
            if content != "empty":
                shutil.copyfile(self._folder / f"{key}.db", target)
            return f"sqlite:///{target}"
        server: Server = self._request.getfixturevalue("postgresql")
        return server.new_database(template=key)

    def done_with(self, url: str) -> None:
        """Let go of a database that a test had; a file goes with its folder."""
        if not url.startswith("sqlite"):
            server: Server = self._request.getfixturevalue("postgresql")
            server.drop(url)

    def _url(self, engine: str, key: str) -> str:
        if engine == "sqlite":
            return f"sqlite:///{self._folder / key}.db"
        server: Server = self._request.getfixturevalue("postgresql")
        return server.new_database(name=key)

    def _make(self, engine: str, content: str, url: str) -> None:
        if content == "empty":
            return
        upgrade(url)
        if content == "company":
            database = Database(url)
            database.call("fill", fill)
            if engine == "sqlite":
                # The file alone is copied, so all of it must be in there.
                with database.engine.connect() as connection:
                    connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()


@pytest.fixture(scope="session")
def templates(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates(request, tmp_path_factory.mktemp("templates"))


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(engine: str, templates: Templates, tmp_path: Path) -> Iterator[str]:
    """A database without tables."""
    url = templates.new(engine, "empty", tmp_path)
    yield url
    templates.done_with(url)


@pytest.fixture
def database(engine: str, templates: Templates, tmp_path: Path) -> Iterator[Database]:
    """A database with the tables, and nothing in them."""
    url = templates.new(engine, "tables", tmp_path)
    database = Database(url)
    yield database
    database.close()
    templates.done_with(url)


@pytest.fixture
def company(engine: str, templates: Templates, tmp_path: Path) -> Iterator[Database]:
    """The same, with the rows of tests/support/storeworld.py."""
    url = templates.new(engine, "company", tmp_path)
    database = Database(url)
    yield database
    database.close()
    templates.done_with(url)

"""Tables, made once for each worker."""

from pathlib import Path

import pytest

from store.upgrade import upgrade


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file to copy: with the tables, and nothing in them."""
    path = tmp_path_factory.mktemp("tables") / "tables.db"
    upgrade(f"sqlite:///{path}")
    return path

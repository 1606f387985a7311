"""The empty database that every scenario begins with."""

from pathlib import Path

import pytest

from store.upgrade import upgrade


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and nothing in them."""
    file = tmp_path_factory.mktemp("scenarios") / "empty.db"
    upgrade(f"sqlite:///{file}")
    return file

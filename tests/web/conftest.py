"""A running web server over new books."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_web import RunningWeb, running_web
from weboffice import make_books


@pytest.fixture(scope="session")
def clean_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_books(tmp_path_factory.mktemp("books"))


@pytest.fixture
def books(clean_books: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(clean_books, tmp_path))


@pytest.fixture
def web(books: Path) -> Iterator[RunningWeb]:
    with running_web(books, receive_seconds=2, connections_max=20, connections_per_peer_max=20) as running:
        yield running

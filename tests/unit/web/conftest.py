"""The API of tests/support/weboffice.py, with new books for each test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from weboffice import Office, make_books, open_office


@pytest.fixture(scope="session")
def clean_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_books(tmp_path_factory.mktemp("books"))


@pytest.fixture
def office(clean_books: Path, tmp_path: Path) -> Iterator[Office]:
    with open_office(Path(shutil.copy(clean_books, tmp_path))) as opened:
        yield opened

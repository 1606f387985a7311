"""A re-rating that is killed -9 at any moment, and asked for again: the books of one that nothing stopped."""

import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from killed_run import SETTINGS
from sqlalchemy import Connection, text
from storeworld import CLERK, LONG_AGO, callback, play, rate, story

from store.database import Database
from store.decks import add_version
from store.verify import verify

ROOT = Path(__file__).parents[3]
WISH = (
    "--month",
    "2026-03",
    "--deck",
    "retail:2",
    "--apply",
    "--reason",
    "a wrong sheet",
    "--reference",
    "fix 7",
)
TALKS = (31, 45, 60, 61, 90, 200, 600)
BOOKS = (
    *("entries", "postings", "ledger_accounts", "settlements", "charges", "reratings", "rerating_runs"),
    *("package_uses", "audit_log"),
)
Books = dict[str, list[tuple[Any, ...]]]


def fill(connection: Connection) -> None:
    """Seven callbacks, and the sheet that should have been there from the start."""
    for number, talk in enumerate(TALKS, start=1):
        first = callback(f"cb{number}")
        play(connection, first, story(first, talk))
    rows = [rate("44", "0.11"), rate("1", "0.50")]
    add_version(connection, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK)


class Site:
    """A folder with the calls in a database of its own."""

    def __init__(self, templates: Any, folder: Path) -> None:
        folder.mkdir()
        self.database = Database(templates.new("sqlite", "company", folder))
        self.database.call("fill", fill)
        self.config = folder / "switch.toml"
        self.config.write_text(SETTINGS.format(url=self.database.url, secret="s" * 32))

    def rerate(self, statement: str = "-") -> "subprocess.CompletedProcess[str]":
        script = ROOT / "tests" / "support" / "killed_rerate.py"
        return subprocess.run(
            [sys.executable, str(script), str(self.config), statement, *WISH],
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests' / 'support'}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            check=False,
            text=True,
            timeout=100,
        )

    def finish(self) -> int:
        """Re-rate undisturbed; how many things the database was told."""
        done = self.rerate()
        assert done.returncode == 0, done.stderr
        return int(done.stderr.splitlines()[-1])

    def is_killed(self, statement: int) -> bool:
        """Whether it got that far: the more is done already, the less is told to the database."""
        code = self.rerate(str(statement)).returncode
        assert code in {0, -signal.SIGKILL}
        return code != 0

    def books(self) -> Books:
        assert self.database.read("verify", verify) == ()
        return {table: self.database.read("rows", rows, table) for table in BOOKS}


def rows(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    found = connection.execute(text(f"SELECT * FROM {table}"))
    return sorted((tuple(row) for row in found), key=repr)


@pytest.fixture(scope="module")
def whole(templates: Any, tmp_path_factory: pytest.TempPathFactory) -> tuple[Books, int]:
    """The books after a re-rating that nothing stopped, and how much was told to the database."""
    site = Site(templates, tmp_path_factory.mktemp("rerate") / "whole")
    told = site.finish()
    books = site.books()
    assert len(books["reratings"]) == len(TALKS)
    site.database.close()
    return books, told


# A killed program takes seconds: one is killed at three moments always, more are tried slowly.
@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 5))])
def test_R30_killed_at_any_moment_and_asked_again_gives_the_same_books(
    templates: Any, tmp_path: Path, whole: tuple[Books, int], seed: int
) -> None:
    books, told = whole
    site = Site(templates, tmp_path / "killed")
    moments = random.Random(seed).sample(range(2, told), 3)
    killed = [site.is_killed(moment) for moment in moments]
    assert killed[0]
    assert site.database.read("verify", verify) == ()
    site.finish()
    assert site.books() == books, moments
    site.finish()
    assert site.books() == books, "once more changes nothing"
    site.database.close()

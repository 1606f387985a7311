"""An office of accounts staff: a folder with switch.toml and its database, and commands run there.

Reads: nothing.
Gives: Office, called with a command's words; Outcome, what the command said; ON_BOTH, for both engines.
Knows nothing of: which company works there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from json import loads
from pathlib import Path
from typing import Any

import pytest

import cli
from settings import load
from store.database import Database

ON_BOTH = pytest.mark.parametrize(
    "office", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)
"""For a test of commands that is to hold on both engines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it said as JSON."""
        return loads(self.out)


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """A folder with switch.toml and its database, and the way to run commands there."""

    folder: Path
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Outcome:
        """Run a command here; only its own words are returned."""
        self.capsys.readouterr()
        code = cli.run(["--config", str(self.folder / "switch.toml"), *words])
        said = self.capsys.readouterr()
        return Outcome(code=code, out=said.out, err=said.err)

    def done(self, *words: str) -> Outcome:
        """Run a command that must succeed."""
        outcome = self(*words)
        assert outcome.code == 0, outcome.err
        return outcome

    def store(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """The function's result from one transaction in this office's database."""
        database = Database(load(self.folder / "switch.toml").database.url)
        try:
            return database.call("test", function, *args, **kwargs)
        finally:
            database.close()

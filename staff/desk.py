"""What every command works at: the settings, the database, the clock, and who is asking.

Reads: switch.toml, once a command needs it.
Gives: Desk, which runs named transactions and closes the database when the command ends.
Knows nothing of: single commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click
from click.core import ParameterSource

if TYPE_CHECKING:  # a command that prints its help needs none of these
    from settings import Settings
    from store.audit import Author
    from store.database import Connection, Database

Result = TypeVar("Result")
Args = ParamSpec("Args")


class Desk:
    """Made by the door for one command."""

    def __init__(
        self,
        *,
        now: Callable[[], datetime],
        chance: Callable[[int], bytes],
        pause: Callable[[float], object],
        serve: Callable[..., int],
        who: str,
    ) -> None:
        """`chance` draws so many random bytes, `pause` waits so many seconds, `serve` runs a switch."""
        self.now = now
        self.chance = chance
        self.pause = pause
        self.serve = serve
        self.who = who
        self.config = Path("switch.toml")
        self.debug = False

    @cached_property
    def settings(self) -> Settings:
        """The whole of switch.toml; BadSettings if it is missing or wrong."""
        from settings import load

        return load(self.config)

    @cached_property
    def database(self) -> Database:
        """The database of the settings, its tables surely of this program's version."""
        from store.database import Database
        from store.upgrade import check

        database = Database(self.settings.database.url)
        try:
            check(database)
        except BaseException:
            database.close()
            raise
        return database

    def check_database(self) -> None:
        """Return if the database is there and has this program's tables; it is closed again."""
        self.database.close()
        del self.database

    def check_unserved(self) -> None:
        """Return if the database is as above and no switch runs on it; NodeTaken if one does."""
        from store.node import lock

        lock(self.database).close()
        self.check_database()

    def read(
        self,
        name: str,
        function: Callable[Concatenate[Connection, Args], Result],
        *args: Args.args,
        **kwargs: Args.kwargs,
    ) -> Result:
        """The function's result from one consistent view."""
        return self.database.read(name, function, *args, **kwargs)

    def change(
        self,
        name: str,
        function: Callable[Concatenate[Connection, Args], Result],
        *args: Args.args,
        **kwargs: Args.kwargs,
    ) -> Result:
        """The function's result from one transaction: all of it or nothing."""
        return self.database.call(name, function, *args, **kwargs)

    def author(self, reason: str = "") -> Author:
        """Who makes the change, now."""
        from store.audit import Author

        return Author(at=self.now(), name=self.who, reason=reason)

    def check_account(self, account_id: str | None) -> None:
        """Return if no account is named or it is there: a wrong name is an error, not an empty list."""
        from store.accounts import account

        if account_id is not None:
            self.read("read account", account, account_id)

    def new_id(self) -> str:
        """An id that nobody has."""
        from values.ids import RANDOM_BYTES, sortable_id

        return sortable_id(self.now(), self.chance(RANDOM_BYTES))

    def confirm(self, question: str, *, yes: bool) -> None:
        """Return if a person agrees, or did so by --yes; where nobody can be asked it is refused."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise click.UsageError("this cannot be undone: give --yes where nobody can be asked")
        click.confirm(question, abort=True, err=True)

    def close(self) -> None:
        """Close the database, if it was ever opened."""
        opened: Any = self.__dict__.get("database")
        if opened is not None:
            opened.close()


pass_desk = click.make_pass_decorator(Desk)


def is_called_alone() -> bool:
    """Whether no subcommand follows the group that runs; if one does, the group's options would be lost."""
    context = click.get_current_context()
    if context.invoked_subcommand is None:
        return True
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source not in {None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP}:
            raise click.UsageError(f"write {parameter.opts[0]} after {context.invoked_subcommand!r}", context)
    return False


def say(text: str) -> None:
    """Tell the person something that is no data."""
    click.echo(text, err=True)

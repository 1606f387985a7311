"""`dialback db …`: the database's tables.

Reads: [database] of switch.toml, etc/country_policy.csv.
Gives: the click group `db`; the first contents of a new database.
Knows nothing of: SQL, migrations (store/upgrade.py).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.exits import ERROR, Stop

if TYPE_CHECKING:
    from calls.policy import PolicyRow
    from store.audit import Author
    from store.database import Connection

COUNTRY_POLICY = Path(__file__).resolve().parents[1] / "etc" / "country_policy.csv"


@click.group()
def db() -> None:
    """The database: make, upgrade and check its tables."""


@db.command(epilog="Example: dialback db upgrade")
@pass_desk
def upgrade(desk: Desk) -> None:
    """Make the tables or bring them up to date; a new database gets the shipped country policy."""
    revision, rows = prepare(desk)
    click.echo(f"tables are at revision {revision}")
    if rows:
        click.echo(f"{rows} rows of country policy put in")


@db.command(epilog="Example: dialback db check")
@pass_desk
def check(desk: Desk) -> None:
    """Say whether the tables fit this program; exit code 78 if not, 69 if the database is away."""
    from store.upgrade import revision

    click.echo(f"tables are at revision {desk.read('read revision', revision)}, as needed")


def prepare(desk: Desk) -> tuple[str, int]:
    """Make or upgrade the tables; their revision, and how many rows of country policy were put in."""
    from store import upgrade as tables

    # Who called whom is in there: a new file is its owner's alone, and SQLite's other files follow it.
    before = os.umask(0o077)
    try:
        revision = tables.upgrade(desk.settings.database.url)
    finally:
        os.umask(before)
    return revision, desk.change("ship policy", _ship, _shipped_policy(), desk.author("as shipped"))


def _ship(connection: Connection, rows: Sequence[PolicyRow], author: Author) -> int:
    from store import policies

    # Once there are rows they are the operator's: nothing of theirs is ever replaced unasked.
    if policies.country_policy(connection):
        return 0
    return policies.replace_country_policy(connection, rows, author)


def _shipped_policy() -> tuple[PolicyRow, ...]:
    from calls.policy import read_policy

    with COUNTRY_POLICY.open(encoding="utf-8", newline="") as stream:
        found = read_policy(stream)
    if found.errors:
        first = found.errors[0]
        raise Stop(f"{COUNTRY_POLICY}: line {first.line}, column {first.column}: {first.remedy}", ERROR)
    return found.rows

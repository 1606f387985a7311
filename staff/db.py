"""`dialback db …`: the database's tables.

Reads: [database] of switch.toml, etc/country_policy.csv.
Gives: the click group `db`; the first contents of a new database.
Knows nothing of: SQL, migrations (store/upgrade.py).
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop

if TYPE_CHECKING:
    from calls.policy import PolicyRow
    from store.audit import Author
    from store.database import Connection

COUNTRY_POLICY = Path(__file__).resolve().parents[1] / "etc" / "country_policy.csv"


@click.group()
def db() -> None:
    """The database: make, upgrade, check, back up, restore, export."""


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


@db.command(epilog="Example: dialback db backup dialback-2026-03-01.backup")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@pass_desk
def backup(desk: Desk, file: Path) -> None:
    """Copy the whole database into one file, also while the switch runs; a file is never overwritten.

    The copy holds everything about customers, calls and money: keep it as safe as the database. It can be
    restored into SQLite and into PostgreSQL, whichever it came from.
    """
    from store.backup import back_up

    desk.check_database()
    back_up(desk.database, file)
    click.echo(f"{file} written, {file.stat().st_size} bytes")


@db.command(epilog="Example: dialback db restore dialback-2026-03-01.backup")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--yes", is_flag=True, help="Though there are accounts: put the present file aside, and say where."
)
@pass_desk
def restore(desk: Desk, file: Path, *, yes: bool) -> None:
    """Bring a backup into an empty database, and derive its books anew; exit code 1 if they disagree.

    A database with accounts is refused (exit code 5); with --yes a file of SQLite is kept beside under
    another name. Stop the switch first. A backup of an older program is upgraded.
    """
    from store import backup as backups
    from store.database import Database

    url = desk.settings.database.url
    target = Database(url)
    path = Path(str(target.engine.url.database)) if target.is_sqlite else None
    filled = path is not None and path.exists() and backups.is_filled(target)
    target.close()
    stamp = f"{desk.now():%Y%m%dT%H%M%SZ}"
    aside = path.with_name(f"{path.name}.before-{stamp}") if yes and filled and path is not None else None
    before = os.umask(0o077)
    try:
        revision = backups.restore(file, url, aside=aside)
    finally:
        os.umask(before)
    if aside is not None:
        say(f"what was there before is kept in {aside}")
    _verify(desk)
    click.echo(f"{file} restored; tables are at revision {revision}")


@db.command(epilog="Example: dialback db export --account acme --file acme.json")
@click.option("--account", "account_id", required=True, metavar="ACCOUNT", help="Whose data.")
@click.option(
    "--file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it there, as JSON."
)
@pass_desk
def export(desk: Desk, account_id: str, file: Path | None) -> None:
    """All that is known of an account, for its holder: one JSON object with a list for each table.

    Secrets, carriers and what calls cost us are left out. The export is noted in the audit log.
    """
    from store import portability
    from store.audit import note

    def take(connection: Connection) -> dict[str, portability.Rows]:
        note(connection, desk.author("data export"), "account.export", account_id)
        return portability.of_account(connection, account_id)

    text = json.dumps(desk.change("export account", take), indent=2, ensure_ascii=False)
    if file is None:
        click.echo(text)
        return
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(f"{text}\n")
    say(f"{file} written")


def _verify(desk: Desk) -> None:
    from store.verify import verify

    faults = desk.read("verify the books", verify)
    for fault in faults:
        click.echo(fault)
    if faults:
        raise Stop("the restored books disagree with themselves; keep the backup, and ask for help", ERROR)


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

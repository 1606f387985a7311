"""`dialback speed-dial …`: numbers behind one or two digits.

Reads: words of the command line; speed dials in the store.
Gives: the click group `speed_dial`.
Knows nothing of: SQL, how they are keyed (ivr/dialog.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import home_country_option, output_option, reason_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.database import Connection
    from store.directories import SpeedDialEntry

LISTED = ("account", "subscriber", "code", "number", "name")
subscriber_option = click.option(
    "--subscriber", "subscriber_id", default="", metavar="SUBSCRIBER", help="For this one only, not for all."
)


@click.group("speed-dial")
def speed_dial() -> None:
    """Speed dials: numbers behind one or two digits, keyed with # at their end."""


@speed_dial.command(epilog="Example: dialback speed-dial add acme 7 '+49 30 123456' --name 'Berlin office'")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("code")
@click.argument("text", metavar="NUMBER")
@subscriber_option
@click.option("--name", default="", help="Whose number it is.")
@home_country_option
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk, /, account_id: str, code: str, text: str, reason: str, output: str, **words: str | None
) -> None:
    """Put a number behind a code, 1 to 99; the next call can key it."""
    made = desk.change("add speed dial", _add, account_id, code, text, words, desk.author(reason))
    show_record(_line(made), output)


@speed_dial.command(epilog="Example: dialback speed-dial remove acme 7")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("code")
@subscriber_option
@reason_option
@pass_desk
def remove(desk: Desk, account_id: str, code: str, subscriber_id: str, reason: str) -> None:
    """Take the number behind a code away."""
    from store.directories import remove_speed_dial

    desk.change(
        "remove speed dial",
        remove_speed_dial,
        account_id=account_id,
        subscriber_id=subscriber_id,
        code=code,
        author=desk.author(reason),
    )
    say(f"Code {code} stands for no number any more.")


@speed_dial.command("list", epilog="Example: dialback speed-dial list --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str | None, output: str) -> None:
    """List speed dials."""
    rows = desk.read("list speed dials", _all, account_id)
    show_rows(rows, LISTED, output, none="There is no speed dial.")


def _add(
    connection: Connection,
    account_id: str,
    code: str,
    text: str,
    words: dict[str, str | None],
    author: Author,
) -> SpeedDialEntry:
    from staff.dialled import destination_number
    from store import customers
    from store.directories import SpeedDialEntry, add_speed_dial

    subscriber_id, home = words["subscriber_id"] or "", words["home_country"]
    if subscriber_id and home is None:
        home = customers.subscriber(connection, subscriber_id).home_country
    wish = SpeedDialEntry(
        account_id=account_id,
        subscriber_id=subscriber_id,
        code=code,
        number=destination_number("number", text, home),
        name=words["name"] or "",
    )
    return add_speed_dial(connection, wish, author)


def _all(connection: Connection, account_id: str | None) -> list[Row]:
    from store import customers
    from store.directories import list_speed_dials

    if account_id is not None:
        customers.account(connection, account_id)
    return [_line(each) for each in list_speed_dials(connection, account_id)]


def _line(entry: SpeedDialEntry) -> Row:
    return {
        "account": entry.account_id,
        "subscriber": entry.subscriber_id,
        "code": entry.code,
        "number": entry.number,
        "name": entry.name,
    }

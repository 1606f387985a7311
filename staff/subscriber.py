"""`dialback subscriber …`: the people and lines of an account.

Reads: words of the command line; subscribers in the store.
Gives: the click group `subscriber`.
Knows nothing of: SQL, who is rung when.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import Country, output_option, reason_option, rows_output_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.customers import Subscriber
    from store.database import Connection

LISTED = ("id", "account", "name", "home_country", "language", "callback_number", "tag", "numbers")
SPARE = ("language", "tag")


@click.group()
def subscriber() -> None:
    """Subscribers: who is called back."""


@subscriber.command(
    epilog='Example: dialback subscriber add anna --account acme --name "Anna Berg" --home-country GB'
)
@click.argument("subscriber_id", metavar="ID")
@click.option("--account", "account_id", required=True, metavar="ACCOUNT", help="Who pays for the calls.")
@click.option("--name", required=True, help="What the person or line is called.")
@click.option(
    "--home-country",
    type=Country(),
    required=True,
    metavar="CC",
    help="How keyed national numbers are meant, such as GB.",
)
@click.option("--language", default="en", show_default=True, help="Of the prompts, if they are installed.")
@click.option("--tag", default="", help="What their calls are booked under, where nothing tells more.")
@reason_option
@output_option
@pass_desk
def add(desk: Desk, /, subscriber_id: str, account_id: str, reason: str, output: str, **words: str) -> None:
    """Add a subscriber to an account."""
    from store import customers

    wish = customers.Subscriber(
        id=subscriber_id,
        account_id=account_id,
        name=words["name"],
        home_country=words["home_country"],
        language=words["language"],
        tag=words["tag"],
    )
    desk.change("add subscriber", customers.add_subscriber, wish, desk.author(reason))
    _show(desk, subscriber_id, output)


@subscriber.command(epilog="Example: dialback subscriber show anna")
@click.argument("subscriber_id", metavar="ID")
@output_option
@pass_desk
def show(desk: Desk, subscriber_id: str, output: str) -> None:
    """Show a subscriber with all numbers."""
    _show(desk, subscriber_id, output)


@subscriber.command("list", epilog="Example: dialback subscriber list --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@rows_output_option
@pass_desk
def list_(desk: Desk, account_id: str | None, output: str) -> None:
    """List subscribers."""
    rows = desk.read("list subscribers", _all, account_id)
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no subscriber.")


@subscriber.command(epilog="Example: dialback subscriber change anna --callback-number +447700900123")
@click.argument("subscriber_id", metavar="ID")
@click.option(
    "--callback-number", metavar="NUMBER", help="The number to ring; '' for the one that triggered."
)
@click.option("--name", help="What the person or line is called.")
@click.option(
    "--home-country",
    type=Country(),
    metavar="CC",
    help="How national numbers are meant: two capitals, such as GB.",
)
@click.option("--language", help="In which we speak to them, such as en.")
@click.option("--tag", help="What their calls are booked under, where nothing tells more; '' for none.")
@reason_option
@output_option
@pass_desk
def change(desk: Desk, /, subscriber_id: str, reason: str, output: str, **words: str | None) -> None:
    """Change what is named; the rest stays."""
    given = {name: word for name, word in words.items() if word is not None}
    if not given:
        raise click.UsageError("nothing to change: name at least one option")
    desk.change("change subscriber", _change, subscriber_id, given, desk.author(reason))
    _show(desk, subscriber_id, output)


def _show(desk: Desk, subscriber_id: str, output: str) -> None:
    show_record(desk.read("show subscriber", _record, subscriber_id), output)


def _record(connection: Connection, subscriber_id: str) -> Row:
    from store import customers

    known = customers.subscriber(connection, subscriber_id)
    return {**_line(connection, known), "created_at": known.created_at}


def _all(connection: Connection, account_id: str | None) -> list[Row]:
    from store import customers

    if account_id is not None:
        customers.account(connection, account_id)
    return [_line(connection, each) for each in customers.list_subscribers(connection, account_id)]


def _line(connection: Connection, known: Subscriber) -> dict[str, object]:
    from store import customers

    return {
        "id": known.id,
        "account": known.account_id,
        "name": known.name,
        "home_country": known.home_country,
        "language": known.language,
        "callback_number": known.callback_number,
        "tag": known.tag,
        "numbers": [
            f"{each.number}{'' if each.verified_at else ' (not verified)'}"
            for each in customers.list_numbers(connection, known.id)
        ],
    }


def _change(connection: Connection, subscriber_id: str, given: Mapping[str, str], author: Author) -> None:
    from store import checks, customers

    before = customers.subscriber(connection, subscriber_id)
    after = replace(
        before,
        name=given.get("name", before.name),
        home_country=given.get("home_country", before.home_country),
        language=given.get("language", before.language),
        tag=given.get("tag", before.tag),
    )
    if after != before:
        customers.change_subscriber(connection, after, author)
    if "callback_number" in given:
        text = given["callback_number"]
        number = checks.number("callback_number", text, after.home_country) if text else None
        customers.choose_number(connection, subscriber_id, number, author)

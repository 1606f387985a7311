"""`dialback account evidence …`: what shows in which country a consumer lives.

Reads: words of the command line; evidence in the store.
Gives: the click group `evidence`, which the group `account` takes in.
Knows nothing of: SQL, tax rates.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Country, output_option, reason_option
from staff.listing import Row, show_rows

if TYPE_CHECKING:
    from store.database import Connection

LISTED = ("kind", "country", "detail", "seen_at", "seen_by")


@click.group()
def evidence() -> None:
    """Evidence of the country where a consumer lives: two kinds that agree."""


@evidence.command(
    epilog="Example: dialback account evidence add anna-berg --kind bank --country DE"
    " --detail 'IBAN begins DE89, seen on the transfer of 1 March'"
)
@click.argument("account_id", metavar="ACCOUNT")
@click.option(
    "--kind",
    type=click.Choice(["address", "bank", "ip", "sim", "fixed_line"]),
    required=True,
    help="What was seen.",
)
@click.option(
    "--country", type=Country(), required=True, metavar="CC", help="The country that it speaks for."
)
@click.option("--detail", required=True, help="What you saw; an auditor reads it.")
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk, *, account_id: str, kind: str, country: str, detail: str, reason: str, output: str
) -> None:
    """Write down a piece of evidence; the newest of a kind counts."""
    from store.taxevidence import add_evidence

    author = desk.author(reason)
    desk.change(
        "add evidence", add_evidence, account_id, kind=kind, country=country, detail=detail, author=author
    )
    _show(desk, account_id, output)


@evidence.command("list", epilog="Example: dialback account evidence list anna-berg")
@click.argument("account_id", metavar="ACCOUNT")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str, output: str) -> None:
    """List all evidence, and say what it shows."""
    _show(desk, account_id, output)


def _show(desk: Desk, account_id: str, output: str) -> None:
    rows, told = desk.read("list evidence", _all, account_id)
    show_rows(rows, LISTED, output, none="There is no evidence.")
    say(f"Residence: {told}.")


def _all(connection: Connection, account_id: str) -> tuple[list[Row], str]:
    from store import customers
    from store.taxevidence import list_evidence, residence

    customers.account(connection, account_id)
    pieces = list_evidence(connection, account_id)
    rows: list[Row] = [{name: getattr(each, name) for name in LISTED} for each in pieces]
    return rows, residence(pieces).sentence

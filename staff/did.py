"""`dialback did …`: our own numbers that subscribers ring.

Reads: words of the command line; DIDs in the store.
Gives: the click group `did`.
Knows nothing of: SQL, what a ring leads to.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import home_country_option, output_option, reason_option, required_reason_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.database import Connection
    from store.dids import Did

LISTED = ("number", "kind", "subscriber", "destination", "country")


@click.group()
def did() -> None:
    """DIDs: our own numbers that subscribers ring to be called back."""


@did.command(
    epilog="Example: dialback did add +12025550111 --shared"
    "\n\nExample: dialback did add +12025550112 --personal anna"
    "\n\nExample: dialback did add +12025550113 --direct anna +493012345678"
)
@click.argument("text", metavar="NUMBER")
@click.option("--shared", is_flag=True, help="For all subscribers, who are known by their caller number.")
@click.option(
    "--personal", metavar="SUBSCRIBER", help="For one subscriber; works with a withheld caller number."
)
@click.option(
    "--direct",
    nargs=2,
    metavar="SUBSCRIBER DESTINATION",
    help="For one subscriber and one destination, which one key connects.",
)
@home_country_option
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk,
    text: str,
    *,
    shared: bool,
    personal: str | None,
    direct: tuple[str, str] | None,
    home_country: str | None,
    reason: str,
    output: str,
) -> None:
    """Put a trigger number into service."""
    if (kinds := sum((shared, personal is not None, direct is not None))) != 1:
        told = "more than one is given" if kinds else "none is given"
        raise click.UsageError(f"--shared, --personal or --direct: {told}; say one of them")
    owner, destination = direct or (personal, None)
    made = desk.change(
        "add did",
        _add,
        text,
        owner=owner,
        destination=destination,
        home_country=home_country,
        author=desk.author(reason),
    )
    show_record(_line(made), output)


@did.command("list", epilog="Example: dialback did list --output json")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List the trigger numbers in service."""
    from store import dids

    rows = [_line(each) for each in desk.read("list dids", dids.list_dids)]
    show_rows(rows, LISTED, output, none="No trigger number is in service.")


@did.command(epilog="Example: dialback did remove +12025550111 --reason 'given back to the carrier'")
@click.argument("text", metavar="NUMBER")
@home_country_option
@required_reason_option
@pass_desk
def remove(desk: Desk, text: str, home_country: str | None, reason: str) -> None:
    """Take a trigger number out of service."""
    from store import checks, dids

    written = checks.number("did", text, home_country)
    desk.change("remove did", dids.remove_did, written, desk.author(reason))
    say(f"{written} is out of service.")


def _add(
    connection: Connection,
    text: str,
    *,
    owner: str | None,
    destination: str | None,
    home_country: str | None,
    author: Author,
) -> Did:
    from staff.dialled import destination_number
    from store import checks, customers, dids

    kind, written_destination = dids.SHARED, None
    if owner is not None:
        home = customers.subscriber(connection, owner).home_country
        kind = dids.PERSONAL
        if destination is not None:
            kind = dids.DIRECT
            written_destination = destination_number("destination", destination, home)
    wish = dids.Did(
        number=checks.number("did", text, home_country),
        kind=kind,
        subscriber_id=owner,
        destination=written_destination,
    )
    return dids.add_did(connection, wish, author)


def _line(known: Did) -> Row:
    return {
        "number": known.number,
        "kind": known.kind,
        "subscriber": known.subscriber_id,
        "destination": known.destination,
        "country": known.country,
    }

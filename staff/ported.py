"""`dialback ported …`: in which network a number is, from when on.

Reads: words of the command line; ported numbers in the store.
Gives: the click group `ported`.
Knows nothing of: SQL, what a network costs.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import Instant, home_country_option, output_option, reason_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from store.portednumbers import PortedNumber

LISTED = ("number", "valid_from", "routing_code")


@click.group()
def ported() -> None:
    """Ported numbers: the price goes by the prefix that is dialled, the cost by the network of today."""


@ported.command(
    "set",
    epilog="Example: dialback ported set +447700900123 447400 --from 2026-03-01"
    '\n\nExample: dialback ported set +447700900123 "" --from 2026-09-01',
)
@click.argument("number")
@click.argument("code")
@click.option("--from", "valid_from", type=Instant(), metavar="TIME", help="From when.  [default: now]")
@home_country_option
@reason_option
@output_option
@pass_desk
def set_(
    desk: Desk,
    number: str,
    code: str,
    valid_from: datetime | None,
    home_country: str | None,
    reason: str,
    output: str,
) -> None:
    """Say in which network NUMBER is; CODE is a prefix by which cost decks know it, "" for its own."""
    from store import checks, portednumbers

    wish = portednumbers.PortedNumber(
        number=checks.number("number", number, home_country),
        routing_code=code,
        valid_from=valid_from or desk.now(),
    )
    made = desk.change("set ported", portednumbers.set_ported, wish, desk.author(reason))
    show_record(_line(made), output)


@ported.command("list", epilog="Example: dialback ported list --output csv")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List what is known of ported numbers."""
    from store import portednumbers

    rows = [_line(each) for each in desk.read("list ported", portednumbers.list_ported)]
    show_rows(rows, LISTED, output, none="No number is known as ported.")


def _line(known: PortedNumber) -> Row:
    return {
        "number": str(known.number),
        "valid_from": known.valid_from,
        "routing_code": known.routing_code,
    }

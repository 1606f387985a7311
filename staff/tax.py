"""`dialback tax …`: the rates that invoices take.

Reads: words of the command line; the tax table in the store.
Gives: the click group `tax`.
Knows nothing of: SQL, who bears which rate (billing/tax.py).
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import output_option, reason_option
from staff.listing import show_record, show_rows

if TYPE_CHECKING:
    from billing.tax import TaxRow

COLUMNS = ("place", "group", "valid_from", "percent", "label", "category", "reverse_charge", "text")


@click.group()
def tax() -> None:
    """Tax: a rate for each place and group, from a day on."""


@tax.command("set", epilog="Example: dialback tax set DE standard 19 --from 2026-01-01 --reverse-charge")
@click.argument("place")
@click.argument("group")
@click.argument("percent")
@click.option(
    "--from", "since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", required=True, help="The first day."
)
@click.option("--label", default="VAT", show_default=True, help="What the tax is called on the invoice.")
@click.option(
    "--category",
    type=click.Choice(["S", "Z", "E", "G", "O"]),
    help="S standard, Z zero, E exempt, G export, O untaxed.  [default: S, or Z for 0 percent]",
)
@click.option(
    "--reverse-charge", is_flag=True, help="A firm of another country with a tax id owes it itself."
)
@click.option("--text", default="", help="The ground that is printed where no tax is due.")
@reason_option
@output_option
@pass_desk
def set_rate(
    desk: Desk,
    *,
    place: str,
    group: str,
    percent: str,
    since: datetime,
    label: str,
    category: str | None,
    reverse_charge: bool,
    text: str,
    reason: str,
    output: str,
) -> None:
    """Set the rate of a PLACE, such as DE or US-NY, for a GROUP: `calls`, or `standard` for all others."""
    from billing.tax import PERCENT_PLACES, TaxCategory, TaxRow
    from store.taxes import set_tax
    from values.money import decimal_number

    rate = decimal_number(percent, places=PERCENT_PLACES, field="percent")
    wish = TaxRow(
        place=place.strip().upper(),
        group=group,
        valid_from=since.date(),
        percent=rate,
        label=label,
        category=TaxCategory(category or ("S" if rate else "Z")),
        reverse_charge=reverse_charge,
        text=text,
    )
    show_record(_row(desk.change("set tax", set_tax, wish, desk.author(reason))), output)


@tax.command("list", epilog="Example: dialback tax list --output csv")
@output_option
@pass_desk
def list_rates(desk: Desk, output: str) -> None:
    """List every rate, past and to come."""
    from store.taxes import tax_rows

    rows = [_row(row) for row in desk.read("list taxes", tax_rows)]
    show_rows(rows, COLUMNS, output, none="No tax is set, so none is taken.")


def _row(row: TaxRow) -> dict[str, str | date | bool]:
    from billing.printed import percent

    return {
        "place": row.place,
        "group": row.group,
        "valid_from": row.valid_from,
        "percent": percent(row.percent),
        "label": row.label,
        "category": row.category.value,
        "reverse_charge": row.reverse_charge,
        "text": row.text,
    }

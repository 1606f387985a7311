"""`dialback option …`: fees that come back every month.

Reads: words of the command line; options in the store.
Gives: the click group `option`.
Knows nothing of: SQL, invoices.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import output_option, required_reason_option, rows_output_option
from staff.listing import Row, amount, show_record, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.database import Connection
    from store.options import Option

LISTED = ("id", "account", "name", "monthly", "currency", "tax_group", "starts_on", "ends_on")
SPARE = ("tax_group",)
DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def option() -> None:
    """Options: fees that an account pays every month, such as a second number."""


@option.command(
    epilog="Example: dialback option add acme second-number-acme --name 'Second number' --monthly 2.50"
    " --reason 'their call of 3 March'"
)
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("option_id", metavar="ID")
@click.option("--name", required=True, help="As it stands on invoices.")
@click.option("--monthly", required=True, metavar="AMOUNT", help="Before tax, in the account's currency.")
@click.option("--from", "starts_on", type=DAY, metavar="DAY", help="Its first day.  [default: today]")
@click.option("--till", "ends_on", type=DAY, metavar="DAY", help="The first day without it.")
@click.option("--tax-group", default="standard", show_default=True, help="Which tax applies to it.")
@required_reason_option
@output_option
@pass_desk
def add(
    desk: Desk,
    *,
    account_id: str,
    option_id: str,
    name: str,
    monthly: str,
    starts_on: datetime | None,
    ends_on: datetime | None,
    tax_group: str,
    reason: str,
    output: str,
) -> None:
    """Add an option: the next invoice bills it, whole for each month in which it holds on a day."""

    def do(connection: Connection) -> Option:
        from store import customers, options
        from store.errors import Invalid
        from values.money import amount_units, money

        owner = customers.account(connection, account_id)
        fee = money(monthly, owner.currency, field="monthly")
        if fee.amount < 0:
            raise Invalid("monthly", f"{monthly} is below zero", "write what it costs a month")
        wish = options.Option(
            id=option_id,
            account_id=account_id,
            name=name,
            monthly_units=amount_units(fee),
            currency=owner.currency,
            starts_on=_today(desk, owner.zone) if starts_on is None else starts_on.date(),
            ends_on=None if ends_on is None else ends_on.date(),
            tax_group=tax_group,
        )
        return options.add_option(connection, wish, desk.author(reason))

    show_record(_line(desk.change("add option", do)), output)


@option.command(epilog="Example: dialback option end second-number-acme --on 2026-04-01 --reason 'cancelled'")
@click.argument("option_id", metavar="ID")
@click.option("--on", "ends_on", type=DAY, metavar="DAY", help="The first day without it.  [default: today]")
@required_reason_option
@output_option
@pass_desk
def end(desk: Desk, *, option_id: str, ends_on: datetime | None, reason: str, output: str) -> None:
    """End an option; the months in which it held are still owed."""
    made = desk.change(
        "end option", _end, option_id, None if ends_on is None else ends_on.date(), desk, desk.author(reason)
    )
    show_record(_line(made), output)


@option.command("list", epilog="Example: dialback option list --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@rows_output_option
@pass_desk
def list_(desk: Desk, account_id: str | None, output: str) -> None:
    """List options, past ones too."""
    rows = desk.read("list options", lines, account_id)
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no option.")


def _end(connection: Connection, option_id: str, ends_on: date | None, desk: Desk, author: Author) -> Option:
    from store import customers, options

    known = options.option(connection, option_id)
    day = ends_on or _today(desk, customers.account(connection, known.account_id).zone)
    return options.end_option(connection, option_id, day, author)


def lines(connection: Connection, account_id: str | None) -> list[Row]:
    """The options of an account, or all, as rows."""
    from store import customers, options

    if account_id is not None:
        customers.account(connection, account_id)
    return [_line(each) for each in options.list_options(connection, account_id)]


def _today(desk: Desk, zone: str) -> date:
    """The day that it is in the account's calendar."""
    return desk.now().astimezone(ZoneInfo(zone)).date()


def _line(known: Option) -> Row:
    return {
        "id": known.id,
        "account": known.account_id,
        "name": known.name,
        "monthly": amount(known.monthly_units, known.currency),
        "currency": known.currency,
        "tax_group": known.tax_group,
        "starts_on": known.starts_on,
        "ends_on": known.ends_on,
    }

"""`dialback cap …`: what an account may spend in a day, a week or a month.

Reads: words of the command line; caps in the store.
Gives: the click group `cap`.
Knows nothing of: SQL, what counts as spent (store/caps.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, reason_option, required_reason_option
from staff.listing import Row, amount, show_rows

if TYPE_CHECKING:
    from store.audit import Author
    from store.caps import CapStanding
    from store.database import Connection

LISTED = ("account", "subscriber", "period", "cap", "spent", "held", "room", "currency")
PERIOD = click.Choice(["day", "week", "month"])
subscriber_option = click.option(
    "--subscriber", "subscriber_id", default="", metavar="SUBSCRIBER", help="This one's, not the account's."
)


@click.group()
def cap() -> None:
    """Caps: what an account or a subscriber may spend in a day, a week or a month, live calls counted."""


@cap.command("set", epilog="Example: dialback cap set acme day 25 --reason 'their wish of 3 March'")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("period", type=PERIOD)
@click.argument("text", metavar="AMOUNT")
@subscriber_option
@required_reason_option
@output_option
@pass_desk
def set_(
    desk: Desk, *, account_id: str, period: str, text: str, subscriber_id: str, reason: str, output: str
) -> None:
    """Set a cap; the next callback has it. Days and months are those of the account's time zone."""
    desk.change("set cap", _set, account_id, period, text, subscriber_id, desk.author(reason))
    _show(desk, account_id, output)


@cap.command(epilog="Example: dialback cap remove acme day --reason 'their wish of 3 March'")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("period", type=PERIOD)
@subscriber_option
@reason_option
@pass_desk
def remove(desk: Desk, *, account_id: str, period: str, subscriber_id: str, reason: str) -> None:
    """Take a cap away."""
    from store.caps import CapPeriod, SpendCap, remove_cap

    wish = SpendCap(account_id=account_id, subscriber_id=subscriber_id, period=CapPeriod(period), cap_units=0)
    desk.change("remove cap", remove_cap, wish, desk.author(reason))
    say(f"There is no cap by the {period} any more.")


@cap.command("list", epilog="Example: dialback cap list acme")
@click.argument("account_id", metavar="ACCOUNT")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str, output: str) -> None:
    """List the caps of an account and its subscribers, and what is left of each."""
    _show(desk, account_id, output)


def lines(connection: Connection, account_id: str, now: datetime) -> list[Row]:
    """Every cap of the account as a row."""
    from store import customers
    from store.caps import cap_standings

    currency = customers.account(connection, account_id).currency
    return [_line(each, currency) for each in cap_standings(connection, account_id, now)]


def _show(desk: Desk, account_id: str, output: str) -> None:
    rows = desk.read("list caps", lines, account_id, desk.now())
    show_rows(rows, LISTED, output, none="There is no cap.")


def _set(
    connection: Connection, account_id: str, period: str, text: str, subscriber_id: str, author: Author
) -> None:
    from store import customers
    from store.caps import CapPeriod, SpendCap, set_cap
    from store.errors import Invalid
    from values.money import amount_units, money

    cap_money = money(text, customers.account(connection, account_id).currency)
    if cap_money.amount < 0:
        raise Invalid("amount", f"{text} is below zero", "write what may be spent; 0 is nothing at all")
    wish = SpendCap(
        account_id=account_id,
        subscriber_id=subscriber_id,
        period=CapPeriod(period),
        cap_units=amount_units(cap_money),
    )
    set_cap(connection, wish, author)


def _line(standing: CapStanding, currency: str) -> Row:
    return {
        "account": standing.cap.account_id,
        "subscriber": standing.cap.subscriber_id,
        "period": standing.cap.period,
        "cap": amount(standing.cap.cap_units, currency),
        "spent": amount(standing.spent_units, currency),
        "held": amount(standing.held_units, currency),
        "room": amount(standing.room_units, currency),
        "currency": currency,
    }

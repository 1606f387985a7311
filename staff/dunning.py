"""`dialback dunning …`: what is done about invoices that are not paid.

Reads: words of the command line; open invoices and steps in the store.
Gives: the click group `dunning`.
Knows nothing of: SQL, on which days a step is due (billing/dunning.py).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Instant, output_option, required_reason_option
from staff.listing import amount, show_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from store.audit import Author
    from store.database import Connection
    from store.dunning import Dunned

LISTED = ("done_at", "account", "invoice", "stage", "due_on", "open", "currency", "told")
OPEN = ("account", "invoice", "due_on", "total", "open", "currency")

FARTHEST_EAST = timedelta(hours=14)
"""Where it is tomorrow first."""


@click.group()
def dunning() -> None:
    """Dunning: what is done about invoices that are not paid. A payment ends it at once."""


@dunning.command(epilog="Example: dialback dunning run --on 2026-07-15")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this one's.")
@click.option(
    "--on",
    type=Instant(),
    metavar="DATE",
    help="As on that day; one to come with --dry-run only.  [default: today in each zone]",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@output_option
@pass_desk
def run(desk: Desk, *, account_id: str | None, on: datetime | None, dry_run: bool, output: str) -> None:
    """Take the step that is due of each invoice: resend, late fee, limit, suspend, close.

    Each is taken once and after those before it, at most one in a run; where one came late the next waits as
    long after it as it always does. While a mail with the invoice is in the queue its steps wait.
    """
    from store import dunning as steps

    day, author = None if on is None else on.date(), desk.author("dunning")
    if day is not None and not dry_run and day > (desk.now() + FARTHEST_EAST).date():
        raise click.UsageError(f"--on {day} is a day to come: add --dry-run to see what would be done")

    def take(connection: Connection) -> list[dict[str, object]]:
        if account_id is None:
            taken = steps.run_all(connection, author, on=day)
        else:
            taken = steps.run(connection, account_id, author, on=day)
        rows = _rows(connection, taken)
        if dry_run:
            connection.rollback()
        return rows

    rows = desk.change("dunning", take)
    if dry_run:
        say("Nothing was done: this is what would be.")
    show_rows(rows, LISTED, output, none="Nothing is due.")


@dunning.command("list", epilog="Example: dialback dunning list --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this one's.")
@output_option
@pass_desk
def list_(desk: Desk, account_id: str | None, output: str) -> None:
    """List the steps that were taken, and where a payment lifted them."""
    from store import dunning as steps

    def read(connection: Connection) -> list[dict[str, object]]:
        return _rows(connection, steps.list_steps(connection, account_id))

    desk.check_account(account_id)
    show_rows(desk.read("list dunning", read), LISTED, output, none="Nobody was dunned.")


@dunning.command("open", epilog="Example: dialback dunning open --account acme")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this one's.")
@output_option
@pass_desk
def open_(desk: Desk, account_id: str | None, output: str) -> None:
    """List invoices of which something is owed; money pays the oldest first."""

    def read(connection: Connection) -> list[dict[str, object]]:
        from store import accounts
        from store import dunning as steps

        owners = (
            accounts.list_accounts(connection)
            if account_id is None
            else [accounts.account(connection, account_id)]
        )
        return [
            {
                "account": owner.id,
                "invoice": each.number,
                "due_on": each.due_on,
                "total": amount(each.total_units, each.currency),
                "open": amount(each.open_units, each.currency),
                "currency": each.currency,
            }
            for owner in owners
            for each in steps.open_invoices(connection, owner)
        ]

    show_rows(desk.read("list open invoices", read), OPEN, output, none="Every invoice is paid.")


@dunning.command(epilog="Example: dialback dunning fee standard 2.00 --from 2026-05-01 --reason 'May list'")
@click.argument("plan_name", metavar="PLAN")
@click.argument("text", metavar="AMOUNT")
@click.option("--from", "since", type=Instant(), required=True, metavar="DATE", help="When it was printed.")
@required_reason_option
@pass_desk
def fee(desk: Desk, *, plan_name: str, text: str, since: datetime, reason: str) -> None:
    """Write down a late fee of a plan. Only who bought after it was printed ever owes it."""

    def put(connection: Connection, author: Author) -> bool:
        from billing.dunning import LateFee
        from store import customers
        from store import dunning as steps
        from values.money import amount_units, money

        currency = customers.plan_in_force(connection, plan_name, since).currency
        wanted = LateFee(units=amount_units(money(text, currency)), printed_on=since.date())
        return steps.print_fee(connection, plan_name, wanted, author)

    if not desk.change("print late fee", put, desk.author(reason)):
        say("It stands there already; nothing was changed.")


def _rows(connection: Connection, taken: Sequence[Dunned]) -> list[dict[str, object]]:
    from store import customers

    currencies = {each.account_id: customers.account(connection, each.account_id).currency for each in taken}
    return [
        {
            "done_at": each.done_at,
            "account": each.account_id,
            "invoice": each.number,
            "stage": each.stage,
            "due_on": each.due_on,
            "open": amount(each.open_units, currencies[each.account_id]),
            "currency": currencies[each.account_id],
            "told": each.told,
        }
        for each in taken
    ]

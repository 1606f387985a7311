"""`dialback payment …`, `top-up`, `refund`, `write-off`: money in and out, and debts given up.

Reads: words of the command line; the books in the store.
Gives: a click group for each.
Knows nothing of: SQL, double entry (billing/), what is allowed (store/payments.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import (
    LocalInstant,
    output_option,
    reason_option,
    required_reason_option,
    rows_output_option,
    together,
)
from staff.listing import amount, show_rows
from staff.money import own_money, paid_money, reference_option, show_outcome
from staff.ranges import aware, ends_from, ends_options

if TYPE_CHECKING:
    from billing.ledger import EntryKind
    from store.acts import Outcome
    from store.audit import Author
    from store.database import Connection

LISTED = ("at", "account", "what", "reference", "amount", "currency", "entry")
SPARE = ("entry",)
MONEY_IN = ("payment.add", "top-up.add", "payment.reverse", "refund.add", "voucher.redeem")
money_arguments = together(
    click.argument("account_id", metavar="ACCOUNT"), click.argument("text", metavar="AMOUNT")
)
money_in = together(
    money_arguments,
    click.option(
        "--currency",
        metavar="CODE",
        help="Of the amount; converted by the day's rate.  [default: the account's]",
    ),
    reference_option,
    reason_option,
    click.option(
        "--at",
        type=LocalInstant("the account's zone"),
        metavar="TIME",
        help="When it came in; a day or a time without an offset is the account's.  [default: now]",
    ),
    output_option,
)
money_out = together(money_arguments, reference_option, required_reason_option, output_option)


@click.group()
def payment() -> None:
    """Payments: money that came in, each by its reference once."""


@click.group("top-up")
def top_up() -> None:
    """Top-ups: money paid in advance."""


@click.group()
def refund() -> None:
    """Refunds: money given back, never more than was paid in."""


@click.group("write-off")
def write_off() -> None:
    """Write-offs: debts that are no longer asked for."""


@payment.command(epilog="Example: dialback payment add acme 100 --reference bank-2026-03-01-77")
@money_in
@pass_desk
def add(desk: Desk, /, account_id: str, output: str, **words: Any) -> None:
    """Write down a payment."""
    from billing.ledger import EntryKind

    _receive(desk, account_id, output, kind=EntryKind.PAYMENT, **words)


@top_up.command(
    "add", epilog="Example: dialback top-up add acme 20 --reference card-7781 --reason 'by telephone'"
)
@money_in
@pass_desk
def add_top_up(desk: Desk, /, account_id: str, output: str, **words: Any) -> None:
    """Write down money paid in advance; a prepaid account may call at once."""
    from billing.ledger import EntryKind

    _receive(desk, account_id, output, kind=EntryKind.TOP_UP, **words)


@payment.command(
    epilog="Example: dialback payment reverse acme bank-77 --reference bounce-77 --reason 'it bounced'"
)
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("payment_reference", metavar="PAYMENT")
@reference_option
@required_reason_option
@output_option
@pass_desk
def reverse(
    desk: Desk, *, account_id: str, payment_reference: str, reference: str, reason: str, output: str
) -> None:
    """Take back a payment or top-up that never was, by an entry of its own."""
    from store import payments

    words = (account_id, payment_reference, reference, desk.author(reason))
    show_outcome(desk, account_id, desk.change("reverse payment", payments.reverse_payment, *words), output)


@payment.command("list", epilog="Example: dialback payment list --account acme --from 2026-03-01")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@ends_options()
@rows_output_option
@pass_desk
def list_(
    desk: Desk,
    *,
    account_id: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    output: str,
) -> None:
    """List what came in and went out: payments, top-ups, vouchers, refunds, and payments taken back."""
    from store import acts

    since, until = ends_from(desk, since, until, zone, account_id)
    found = desk.read(
        "list payments", acts.list_done, account_id=account_id, actions=MONEY_IN, since=since, until=until
    )
    rows = [
        {
            "at": each.at,
            "account": each.account_id,
            "what": each.action.removesuffix(".add"),
            "reference": each.reference,
            "amount": amount(each.units, each.currency),
            "currency": each.currency,
            "entry": each.entry_id,
        }
        for each in found
    ]
    show_rows(rows, LISTED, output, spare=SPARE, none="Nothing was paid.")


@refund.command(
    "add", epilog="Example: dialback refund add acme 12.50 --reference bank-out-9 --reason 'account closed'"
)
@money_out
@pass_desk
def add_refund(desk: Desk, *, account_id: str, text: str, reference: str, reason: str, output: str) -> None:
    """Write down money given back; at most what is to the account's credit and was paid in."""

    def give(connection: Connection, author: Author) -> Outcome:
        from store import payments

        return payments.refund(
            connection, account_id, paid_money(connection, account_id, text), reference, author
        )

    show_outcome(desk, account_id, desk.change("refund", give, desk.author(reason)), output)


@write_off.command(
    "add", epilog="Example: dialback write-off add acme 3.10 --reference wo-2026-7 --reason 'insolvent'"
)
@money_out
@pass_desk
def add_write_off(
    desk: Desk, *, account_id: str, text: str, reference: str, reason: str, output: str
) -> None:
    """Give up a debt; at most what is owed."""

    def give_up(connection: Connection, author: Author) -> Outcome:
        from store import payments

        owed = own_money(connection, account_id, text)
        return payments.write_off(connection, account_id, owed, reference, author)

    show_outcome(desk, account_id, desk.change("write off", give_up, desk.author(reason)), output)


def _receive(
    desk: Desk,
    account_id: str,
    output: str,
    *,
    kind: EntryKind,
    text: str,
    currency: str | None,
    reference: str,
    reason: str,
    at: datetime | None,
) -> None:
    def take(connection: Connection, author: Author) -> Outcome:
        from store import accounts, payments

        paid = paid_money(connection, account_id, text, currency)
        came_in = None if at is None else aware(at, accounts.account(connection, account_id).zone)
        return payments.receive(connection, account_id, paid, reference, author, kind=kind, at=came_in)

    show_outcome(desk, account_id, desk.change("receive payment", take, desk.author(reason)), output)

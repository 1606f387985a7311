"""`dialback account …`: who pays.

Reads: words of the command line; accounts and their books in the store.
Gives: the click group `account`.
Knows nothing of: SQL, how a balance comes about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, reason_option, required_reason_option
from staff.listing import Row, amount, show_record, show_rows

if TYPE_CHECKING:
    from calls.admission import AccountState
    from store.audit import Author
    from store.customers import Account
    from store.database import Connection

LISTED = (
    "id",
    "name",
    "state",
    "kind",
    "currency",
    "plan",
    "balance",
    "on_hold",
    "credit_limit",
    "available",
)


@click.group()
def account() -> None:
    """Accounts: who pays, on which plan, with how much credit."""


@account.command(
    epilog='Example: dialback account add acme --name "Acme Ltd" --currency USD --plan standard'
    " --zone Europe/London --credit-limit 50"
)
@click.argument("account_id", metavar="ID")
@click.option("--name", required=True, help="As it stands on invoices.")
@click.option("--currency", required=True, metavar="CODE", help="ISO 4217, such as USD; it stays for ever.")
@click.option("--plan", required=True, metavar="PLAN", help="Price terms, in the account's currency.")
@click.option("--zone", default="UTC", show_default=True, help="IANA time zone of its days and months.")
@click.option("--kind", type=click.Choice(["postpaid", "prepaid"]), default="postpaid", show_default=True)
@click.option(
    "--credit-limit",
    default="0",
    show_default=True,
    metavar="AMOUNT",
    help="How far the balance may fall below 0.",
)
@click.option("--address", default="", help="Postal address for invoices; \\n between its lines.")
@click.option("--email", default="", help="Where invoices go.")
@click.option("--tax-id", default="")
@click.option("--tax-place", default="", help="Country or region that taxes it.")
@reason_option
@output_option
@pass_desk
def add(desk: Desk, /, account_id: str, reason: str, output: str, **words: str) -> None:
    """Open an account."""
    from store import customers

    wish = customers.Account(
        id=account_id,
        name=words["name"],
        currency=words["currency"].upper(),
        zone=words["zone"],
        plan_name=words["plan"],
        kind=words["kind"],
        credit_limit_units=_limit(words["credit_limit"], words["currency"].upper()),
        billing_address=_lines(words["address"]),
        billing_email=words["email"],
        tax_id=words["tax_id"],
        tax_place=words["tax_place"],
    )
    desk.change("add account", customers.add_account, wish, desk.author(reason))
    _show(desk, account_id, output)


@account.command(epilog="Example: dialback account show acme --output json")
@click.argument("account_id", metavar="ID")
@output_option
@pass_desk
def show(desk: Desk, account_id: str, output: str) -> None:
    """Show an account, its balance, what is on hold and what may still be spent."""
    _show(desk, account_id, output)


@account.command("list", epilog="Example: dialback account list --output csv")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List all accounts with their balances."""
    show_rows(desk.read("list accounts", _all), LISTED, output, none="There is no account yet.")


@account.command(
    epilog="Example: dialback account change acme --credit-limit 200 --reason 'their order of 1 March'"
)
@click.argument("account_id", metavar="ID")
@click.option("--name")
@click.option("--plan", metavar="PLAN", help="Holds from the next callback on; running ones keep theirs.")
@click.option("--zone")
@click.option("--kind", type=click.Choice(["postpaid", "prepaid"]))
@click.option("--credit-limit", metavar="AMOUNT")
@click.option("--address")
@click.option("--email")
@click.option("--tax-id")
@click.option("--tax-place")
@reason_option
@output_option
@pass_desk
def change(desk: Desk, /, account_id: str, reason: str, output: str, **words: str | None) -> None:
    """Change what is named; the rest stays."""
    given = {name: word for name, word in words.items() if word is not None}
    if not given:
        raise click.UsageError("nothing to change: name at least one option")
    desk.change("change account", _change, account_id, given, desk.author(reason))
    _show(desk, account_id, output)


@account.command(epilog="Example: dialback account suspend acme --reason 'invoice of March unpaid'")
@click.argument("account_id", metavar="ID")
@required_reason_option
@pass_desk
def suspend(desk: Desk, account_id: str, reason: str) -> None:
    """Let an account make no new callbacks; running calls go on."""
    from calls.admission import AccountState

    _set_state(desk, account_id, AccountState.SUSPENDED, reason)


@account.command(epilog="Example: dialback account resume acme --reason 'paid'")
@click.argument("account_id", metavar="ID")
@required_reason_option
@pass_desk
def resume(desk: Desk, account_id: str, reason: str) -> None:
    """Let a suspended account call again."""
    from calls.admission import AccountState

    _set_state(desk, account_id, AccountState.OPEN, reason)


def _set_state(desk: Desk, account_id: str, state: AccountState, reason: str) -> None:
    from store import customers

    desk.change("set account state", customers.set_account_state, account_id, state, desk.author(reason))
    say(f"Account {account_id} is {state}.")


def _show(desk: Desk, account_id: str, output: str) -> None:
    show_record(desk.read("show account", _record, account_id), output)


def _record(connection: Connection, account_id: str) -> Row:
    from store import customers

    known = customers.account(connection, account_id)
    return {
        **_line(connection, known),
        "zone": known.zone,
        "billing_address": known.billing_address,
        "billing_email": known.billing_email,
        "tax_id": known.tax_id,
        "tax_place": known.tax_place,
        "created_at": known.created_at,
    }


def _all(connection: Connection) -> list[Row]:
    from store import customers

    return [_line(connection, each) for each in customers.list_accounts(connection)]


def _line(connection: Connection, known: Account) -> dict[str, object]:
    from store.ledger import standing

    stand = standing(connection, known.id)
    return {
        "id": known.id,
        "name": known.name,
        "state": known.state,
        "kind": known.kind,
        "currency": known.currency,
        "plan": known.plan_name,
        "balance": amount(stand.posted_units, known.currency),
        "on_hold": amount(stand.pending_units, known.currency),
        "credit_limit": amount(known.credit_limit_units, known.currency),
        "available": amount(stand.available_units, known.currency),
    }


def _change(connection: Connection, account_id: str, given: Mapping[str, str], author: Author) -> Account:
    from store import customers

    before = customers.account(connection, account_id)
    limit = given.get("credit_limit")
    wish = replace(
        before,
        name=given.get("name", before.name),
        plan_name=given.get("plan", before.plan_name),
        zone=given.get("zone", before.zone),
        kind=given.get("kind", before.kind),
        credit_limit_units=before.credit_limit_units if limit is None else _limit(limit, before.currency),
        billing_address=_lines(given.get("address", before.billing_address)),
        billing_email=given.get("email", before.billing_email),
        tax_id=given.get("tax_id", before.tax_id),
        tax_place=given.get("tax_place", before.tax_place),
    )
    return customers.change_account(connection, wish, author)


def _limit(text: str, currency: str) -> int:
    from store.errors import Invalid
    from values.money import amount_units, money

    limit = money(text, currency, field="credit_limit")
    if limit.amount < 0:
        raise Invalid("credit_limit", f"{text} is below zero", "write how far the balance may fall below 0")
    return amount_units(limit)


def _lines(text: str) -> str:
    # A shell makes it hard to type a line break: these two characters stand for one.
    return text.replace("\\n", "\n")

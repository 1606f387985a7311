"""`dialback account …`: who pays.

Reads: words of the command line; accounts and their books in the store.
Gives: the click group `account`.
Knows nothing of: SQL, how a balance comes about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.confirmation import ask, confirm_email
from staff.desk import Desk, pass_desk, say
from staff.evidence import evidence
from staff.inputs import (
    Count,
    Instant,
    output_option,
    reason_option,
    required_reason_option,
    rows_output_option,
)
from staff.listing import JSON, TABLE, Row, amount, moment, show_record, show_rows

if TYPE_CHECKING:
    from calls.admission import AccountState
    from settings import Settings
    from staff.accountview import Section
    from store.audit import Author
    from store.closing import ToCome
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
    "email_confirmed",
)
SPARE = ("email_confirmed", "kind", "on_hold", "state")


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
@click.option(
    "--kind",
    type=click.Choice(["postpaid", "prepaid"]),
    default="postpaid",
    show_default=True,
    help="Whether it pays later, up to its credit limit, or before.",
)
@click.option(
    "--credit-limit",
    default="0",
    show_default=True,
    metavar="AMOUNT",
    help="How far the balance may fall below 0.",
)
@click.option("--address", default="", help="Postal address for invoices; \\n between its lines.")
@click.option("--email", default="", help="Where invoices go.")
@click.option("--tax-id", default="", help="As the tax office writes it, such as DE123456789.")
@click.option("--tax-place", default="", metavar="CC", help="Whose taxes it bears: DE, or US-NY.")
@click.option(
    "--bill-cycle",
    type=click.Choice(["monthly", "on-demand"]),
    default="monthly",
    show_default=True,
    help="on-demand: left out of the run of the month.",
)
@click.option(
    "--mask-numbers/--show-numbers", "masks_numbers", help="Whether invoices show called numbers whole."
)
@click.option("--ask-tag/--no-ask-tag", "asks_tag", help="Ask callers for a cost code after the number.")
@click.option("--callbacks-max", type=Count(0), default=0, help="How many callbacks at once; 0 sets no cap.")
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk,
    /,
    account_id: str,
    reason: str,
    output: str,
    *,
    masks_numbers: bool,
    asks_tag: bool,
    callbacks_max: int,
    **words: str,
) -> None:
    """Open an account; it may call at once."""
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
        bill_cycle=words["bill_cycle"],
        masks_numbers=masks_numbers,
        asks_tag=asks_tag,
        callbacks_max=callbacks_max,
    )

    def put(connection: Connection, author: Author) -> str:
        return ask(connection, customers.add_account(connection, wish, author), desk.settings, author)

    _say(desk.change("add account", put, desk.author(reason)))
    _show(desk, account_id, output)


@account.command(epilog="Example: dialback account show acme --output json")
@click.argument("account_id", metavar="ID")
@output_option
@pass_desk
def show(desk: Desk, account_id: str, output: str) -> None:
    """Show all there is to an account: money, plan, billing data, caps, options, numbers, last calls."""
    from staff.accountview import sections
    from staff.discretion import seen

    def whole(connection: Connection) -> tuple[Row, tuple[Section, ...]]:
        now = desk.now()
        return _record(connection, account_id, now), sections(connection, account_id, now)

    record, parts = desk.read("show account", whole)
    rows = {
        each.key: seen(desk, each.rows, action="account.read", subject=account_id) if each.rows else []
        for each in parts
    }
    if output != TABLE:
        show_record({**record, **rows} if output == JSON else record, output)
        return
    show_record({name: value for name, value in record.items() if value not in (None, "", [])}, output)
    for each in parts:
        if rows[each.key]:
            click.echo(f"\n{each.title}")
            show_rows(rows[each.key], each.columns, output)


@account.command("list", epilog="Example: dialback account list --output csv")
@rows_output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List all accounts with their balances."""
    show_rows(
        desk.read("list accounts", _all, desk.now()),
        LISTED,
        output,
        spare=SPARE,
        none="There is no account yet.",
    )


@account.command(
    epilog="Example: dialback account change acme --plan gold --effective 2026-12-01T00:00:00Z"
    " --reason 'their order of 20 November'"
)
@click.argument("account_id", metavar="ID")
@click.option("--name", help="What it is called on invoices.")
@click.option("--plan", metavar="PLAN", help="For callbacks admitted from then on; running ones keep theirs.")
@click.option("--effective", type=Instant(), metavar="TIME", help="When --plan begins.  [default: now]")
@click.option("--zone", help="Whose days and months its invoices have.")
@click.option(
    "--kind",
    type=click.Choice(["postpaid", "prepaid"]),
    help="Whether it pays later, up to its credit limit, or before.",
)
@click.option("--credit-limit", metavar="AMOUNT", help="How much it may owe.")
@click.option("--address", help="Billing address; a line break is \\n.")
@click.option("--email", help="Where invoices are sent.")
@click.option("--tax-id", help="VAT number and the like.")
@click.option("--tax-place", metavar="CC", help="Whose taxes it bears: DE, or US-NY.")
@click.option(
    "--bill-cycle",
    type=click.Choice(["monthly", "on-demand"]),
    help="on-demand: left out of the run of the month.",
)
@click.option(
    "--mask-numbers/--show-numbers",
    "masks_numbers",
    default=None,
    help="Whether invoices show called numbers whole.",
)
@click.option(
    "--ask-tag/--no-ask-tag",
    "asks_tag",
    default=None,
    help="Whether a cost tag is asked for after the number.",
)
@click.option("--callbacks-max", type=Count(0), help="How many callbacks at once; 0 sets no cap.")
@reason_option
@output_option
@pass_desk
def change(
    desk: Desk,
    /,
    account_id: str,
    plan: str | None,
    effective: datetime | None,
    reason: str,
    output: str,
    **words: object,
) -> None:
    """Change what is named; the rest stays. The next callback and the next invoice have it, no restart."""
    given = {name: word for name, word in words.items() if word is not None}
    if not given and plan is None:
        raise click.UsageError("nothing to change: name at least one option")
    if effective is not None and (plan is None or given):
        raise click.UsageError("--effective is for --plan alone; what else you name holds from now on")
    author, settings = desk.author(reason), desk.settings
    _say(
        desk.change(
            "change account", _change, account_id, given, plan, effective or author.at, author, settings
        )
    )
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


@account.command(epilog="Example: dialback account close acme --reason 'their letter of 3 March'")
@click.argument("account_id", metavar="ID")
@click.option(
    "--write-off", "write_off_as", metavar="REFERENCE", help="Ask no longer for what it owes; yours, once."
)
@required_reason_option
@pass_desk
def close(desk: Desk, account_id: str, write_off_as: str | None, reason: str) -> None:
    """Close an account for ever; its balance must be 0, once its last invoice is reckoned in.

    Tax, options and rounding of calls that are on no invoice yet are asked for before it is closed. Its
    numbers are free for others, its books stay.
    """
    from store.closing import close_account

    closed = desk.change(
        "close account",
        close_account,
        account_id,
        desk.author(reason),
        seller=desk.settings.seller.party(),
        write_off_as=write_off_as,
    )
    say(f"Account {account_id} is closed.")
    for each in closed.to_come:
        _tell_to_come(closed.account, each)


account.add_command(confirm_email)
account.add_command(evidence)


def _say(sentence: str) -> None:
    if sentence:
        say(sentence)


def _tell_to_come(closed: Account, invoice: ToCome) -> None:
    month, code = f"{invoice.first_day:%Y-%m}", closed.currency
    calls, added = amount(invoice.charges_units, code), amount(invoice.added_units, code)
    say(f"Its invoice of {month} is still to come: {calls} {code} of calls, {added} of tax, fees, rounding.")
    say(f"When that month is over: `dialback invoice run --month {month} --account {closed.id}`.")


def _set_state(desk: Desk, account_id: str, state: AccountState, reason: str) -> None:
    from store import customers

    desk.change("set account state", customers.set_account_state, account_id, state, desk.author(reason))
    say(f"Account {account_id} is {state}.")


def _show(desk: Desk, account_id: str, output: str) -> None:
    show_record(desk.read("show account", _record, account_id, desk.now()), output)


def _record(connection: Connection, account_id: str, now: datetime) -> Row:
    from store import customers
    from store.accountplans import plan_changes
    from store.confirmations import confirmed_at
    from store.taxevidence import list_evidence, residence

    known = customers.account(connection, account_id)
    email_confirmed_at = confirmed_at(connection, known.id, known.billing_email)
    to_come = [each for each in plan_changes(connection, account_id) if each.effective_at > now]
    return {
        **_line(connection, known, now, is_confirmed=email_confirmed_at is not None),
        "plan_to_come": [f"{each.plan_name} from {moment(each.effective_at)}" for each in to_come],
        "zone": known.zone,
        "billing_address": known.billing_address,
        "billing_email": known.billing_email,
        "email_confirmed_at": email_confirmed_at,
        "tax_id": known.tax_id,
        "tax_place": known.tax_place,
        "residence": residence(list_evidence(connection, account_id)).sentence,
        "bill_cycle": known.bill_cycle,
        "masks_numbers": known.masks_numbers,
        "asks_tag": known.asks_tag,
        "callbacks_max": known.callbacks_max or None,
        "created_at": known.created_at,
    }


def _all(connection: Connection, now: datetime) -> list[Row]:
    from store import customers
    from store.confirmations import unconfirmed

    waits = unconfirmed(connection)
    return [
        _line(connection, each, now, is_confirmed=each.id not in waits)
        for each in customers.list_accounts(connection)
    ]


def _line(connection: Connection, known: Account, now: datetime, *, is_confirmed: bool) -> dict[str, object]:
    from store.accountplans import plan_name_at
    from store.ledger import standing

    stand = standing(connection, known.id)
    return {
        "id": known.id,
        "name": known.name,
        "state": known.state,
        "kind": known.kind,
        "currency": known.currency,
        "plan": plan_name_at(connection, known.id, now),
        "balance": amount(stand.posted_units, known.currency),
        "on_hold": amount(stand.pending_units, known.currency),
        "credit_limit": amount(known.credit_limit_units, known.currency),
        "available": amount(stand.available_units, known.currency),
        "email_confirmed": is_confirmed if known.billing_email else None,
    }


def _change(
    connection: Connection,
    account_id: str,
    given: Mapping[str, object],
    plan: str | None,
    effective_at: datetime,
    author: Author,
    settings: Settings,
) -> str:
    """What the clerk is told of it, or nothing."""
    from store import customers

    before = customers.account(connection, account_id)
    if plan is not None:
        customers.change_account_plan(connection, account_id, plan, effective_at=effective_at, author=author)
    if not given:
        return ""
    wish: dict[str, Any] = dict(given)
    if "credit_limit" in wish:
        wish["credit_limit_units"] = _limit(wish.pop("credit_limit"), before.currency)
    if "address" in wish:
        wish["billing_address"] = _lines(wish.pop("address"))
    if "email" in wish:
        wish["billing_email"] = wish.pop("email")
    after = customers.change_account(connection, replace(before, **wish), author)
    return "" if after.billing_email == before.billing_email else ask(connection, after, settings, author)


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

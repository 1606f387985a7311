"""`dialback ledger …`: the books.

Reads: entries, balances and holds in the store.
Gives: the click group `ledger`.
Knows nothing of: SQL, why an entry was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop
from staff.inputs import output_option, rows_output_option, said
from staff.listing import amount, show_rows
from staff.money import own_money, reference_option, show_outcome
from staff.ranges import ends_from, ends_options

if TYPE_CHECKING:
    from store.acts import Outcome
    from store.audit import Author
    from store.database import Connection

# As billing.ledger.EntryKind has them, which `--help` need not load; a test compares.
KINDS = (
    *("charge", "attempts", "payment", "top_up", "voucher", "refund", "credit_note", "call_credit"),
    *("fee", "tax", "rerate", "write_off", "reversal", "adjustment", "rounding"),
)
LISTED = ("at", "kind", "reference", "amount", "currency", "balance", "reason", "ledger_account", "entry")
SPARE = ("entry", "ledger_account", "reason", "currency")
BALANCES = ("ledger_account", "currency", "balance")


@click.group()
def ledger() -> None:
    """The books: what was charged, paid and held."""


@ledger.command(epilog="Example: dialback ledger show acme --from 2026-03-01")
@click.argument("account_id", metavar="[ACCOUNT]", required=False)
@click.option(
    "--in",
    "column",
    metavar="COLUMN",
    help="A column of the books, such as revenue or carrier_payable:north.",
)
@click.option("--kind", type=click.Choice(KINDS), help="Why it was posted.")
@click.option("--reference", metavar="TEXT", help="A callback, a payment's reference, an invoice.")
@click.option("--currency", metavar="CODE", help="Only what is in this currency.")
@ends_options()
@rows_output_option
@pass_desk
def show(
    desk: Desk,
    *,
    account_id: str | None,
    column: str | None,
    kind: str | None,
    reference: str | None,
    currency: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    output: str,
) -> None:
    """Show postings with the balance of their column after each.

    With ACCOUNT only what moved its balance; what it owes counts negative. Without, every column.
    """
    if account_id is not None and column is not None:
        raise click.UsageError("ACCOUNT is a column already; leave out one of the two")
    since, until = ends_from(desk, since, until, zone, account_id)
    rows = desk.read(
        "read ledger",
        _lines,
        account_id,
        column,
        {"kind": kind, "reference": reference, "currency": currency, "since": since, "until": until},
    )
    show_rows(rows, LISTED, output, spare=SPARE, none="Nothing was posted.")


@ledger.command(epilog="Example: dialback ledger balances --output csv")
@output_option
@pass_desk
def balances(desk: Desk, output: str) -> None:
    """Show the balance of every column; in each currency they sum to zero."""
    from store import ledgerlines

    rows = [
        {"ledger_account": name, "currency": currency, "balance": amount(units, currency)}
        for name, currency, units in desk.read("read balances", ledgerlines.list_balances)
    ]
    show_rows(rows, BALANCES, output, none="Nothing was posted.")


@ledger.command(
    context_settings={"ignore_unknown_options": True},  # so that -1.50 is an amount
    epilog="Example: dialback ledger adjust acme -1.50 --reference case-7 --reason 'credited twice'",
)
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("text", metavar="AMOUNT")
@reference_option
@click.option(
    "--reason",
    required=True,
    callback=said,
    help="Why; printed on the account's invoice and kept in the audit log.",
)
@output_option
@pass_desk
def adjust(desk: Desk, *, account_id: str, text: str, reference: str, reason: str, output: str) -> None:
    """Correct a balance by a further entry: AMOUNT is given to the account, or taken with a minus."""

    def correct(connection: Connection, author: Author) -> Outcome:
        from store import payments

        wanted = own_money(connection, account_id, text)
        return payments.adjust(connection, account_id, wanted, reference, author)

    show_outcome(desk, account_id, desk.change("adjust ledger", correct, desk.author(reason)), output)


@ledger.command(epilog="Example: dialback ledger verify")
@pass_desk
def verify(desk: Desk) -> None:
    """Derive anew what the books keep twice: balances, settlements, holds; exit code 1 if any differs."""
    from store import verify as books

    faults = desk.read("verify ledger", books.verify)
    count = desk.read("count entries", books.count_entries)
    if faults:
        for fault in faults:
            say(fault)
        raise Stop(
            f"ledger: {len(faults)} faults in {count} entries; stop charging and restore a backup", ERROR
        )
    click.echo(f"{count} entries, all balanced; balances, charges and holds agree")


def _lines(
    connection: Connection, account_id: str | None, column: str | None, filters: Mapping[str, Any]
) -> list[dict[str, object]]:
    from billing.ledger import EntryKind
    from store import customers, ledgerlines
    from store import ledger as books

    if account_id is not None:
        customers.account(connection, account_id)
        column = str(books.receivable(account_id))
    kind = filters["kind"]
    wanted = {**filters, "kind": None if kind is None else EntryKind(kind)}
    return [
        {
            "at": each.at,
            "kind": each.kind,
            "reference": each.reference,
            "amount": amount(each.units, each.currency),
            "currency": each.currency,
            "balance": amount(each.balance_units, each.currency),
            "reason": each.reason,
            "ledger_account": each.ledger_account,
            "entry": each.entry_id,
        }
        for each in ledgerlines.list_postings(connection, ledger_account=column, **wanted)
    ]

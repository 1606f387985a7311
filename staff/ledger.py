"""`dialback ledger …`: the books.

Reads: entries, balances and holds in the store.
Gives: the click group `ledger`.
Knows nothing of: SQL, why an entry was made.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop
from staff.inputs import Instant, output_option
from staff.listing import amount, show_rows

if TYPE_CHECKING:
    from store.database import Connection

Line = dict[str, Any]
LISTED = ("at", "kind", "reference", "amount", "currency", "balance", "reason", "entry")


@click.group()
def ledger() -> None:
    """The books: what was charged, paid and held."""


@ledger.command(epilog="Example: dialback ledger show acme --since 2026-03-01")
@click.argument("account_id", metavar="ACCOUNT")
@click.option("--since", type=Instant(), metavar="TIME", help="From then on.")
@click.option("--until", type=Instant(), metavar="TIME", help="Before then.")
@output_option
@pass_desk
def show(desk: Desk, account_id: str, since: datetime | None, until: datetime | None, output: str) -> None:
    """Show an account's entries with the balance after each; what it owes counts negative."""
    rows = [
        row
        for row in desk.read("read ledger", _entries, account_id)
        if (since is None or row["at"] >= since) and (until is None or row["at"] < until)
    ]
    show_rows(rows, LISTED, output, none="Nothing was posted.")


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


def _entries(connection: Connection, account_id: str) -> list[Line]:
    from store import customers
    from store import ledger as books

    currency = customers.account(connection, account_id).currency
    column, balance = books.receivable(account_id), 0
    rows: list[Line] = []
    for entry in books.list_entries(connection, account_id=account_id):
        units = sum(posting.units for posting in entry.postings if posting.ledger_account == column)
        balance += units
        rows.append(
            {
                "at": entry.at,
                "kind": entry.kind.value,
                "reference": entry.reference,
                "amount": amount(units, currency),
                "currency": currency,
                "balance": amount(balance, currency),
                "reason": entry.reason,
                "entry": entry.id,
            }
        )
    return rows

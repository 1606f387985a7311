"""`dialback payment …`: money that came in.

Reads: words of the command line; the books in the store.
Gives: the click group `payment`.
Knows nothing of: SQL, double entry (billing/ledger.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Instant, output_option
from staff.listing import amount, show_record

if TYPE_CHECKING:
    from store.audit import Author
    from store.database import Connection


@click.group()
def payment() -> None:
    """Payments: money that came in, each by its reference once."""


@payment.command(epilog="Example: dialback payment add acme 100 --reference bank-2026-03-01-77")
@click.argument("account_id", metavar="ACCOUNT")
@click.argument("text", metavar="AMOUNT")
@click.option(
    "--reference", required=True, help="The bank's or provider's own; a second time changes nothing."
)
@click.option("--at", type=Instant(), metavar="TIME", help="When it came in.  [default: now]")
@output_option
@pass_desk
def add(desk: Desk, *, account_id: str, text: str, reference: str, at: datetime | None, output: str) -> None:
    """Write down a payment in the account's currency."""
    paid_at, author = at or desk.now(), desk.author()
    is_new, record = desk.change("add payment", _add, account_id, text, reference, at=paid_at, author=author)
    if not is_new:
        say(f"Payment {reference!r} is in the books already; nothing was changed.")
    show_record(record, output)


def _add(
    connection: Connection, account_id: str, text: str, reference: str, *, at: datetime, author: Author
) -> tuple[bool, dict[str, object]]:
    from billing.ledger import payment_entry
    from store import checks, customers, ledger
    from store.audit import note
    from store.errors import Invalid
    from values.money import money

    owner = customers.account(connection, account_id)
    paid = money(text, owner.currency)
    if paid.amount <= 0:
        raise Invalid("amount", f"{text} is not more than zero", "write what came in")
    entry = payment_entry(
        # The reference is in the id, so that the same payment told twice meets itself.
        id=f"payment-{account_id}-{checks.line('reference', reference)}",
        at=at,
        account_id=account_id,
        reference=checks.line("reference", reference),
        amount=paid,
    )
    is_new = ledger.post(connection, entry)
    if is_new:
        note(connection, author, "payment.add", account_id, after={"amount": text, "reference": reference})
    stand = ledger.standing(connection, account_id)
    return is_new, {
        "entry": entry.id,
        "account": account_id,
        "reference": entry.reference,
        "amount": amount(entry.postings[0].units, owner.currency),
        "currency": owner.currency,
        "balance": amount(stand.posted_units, owner.currency),
    }

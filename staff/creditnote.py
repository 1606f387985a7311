"""`dialback credit-note …`: charged calls given back; the charge itself stays as it was.

Reads: words of the command line; credit notes in the store.
Gives: the click group `credit-note`.
Knows nothing of: SQL, printed forms.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import Instant, output_option, required_reason_option
from staff.listing import amount, show_record, show_rows
from staff.money import reference_option

if TYPE_CHECKING:
    from store.audit import Author
    from store.creditnotes import CreditNote
    from store.database import Connection

LISTED = ("number", "issued_at", "account", "callback", "leg", "amount", "tax", "currency", "reason")


@click.group("credit-note")
def credit_note() -> None:
    """Credit notes: charged calls given back, numbered without gaps."""


@credit_note.command(
    epilog="Example: dialback credit-note add 01kz…-b1 --amount 5.00 --reference case-7 --reason 'no sound'"
)
@click.argument("line_id", metavar="LEG|CALLBACK")
@click.option("--amount", "text", metavar="AMOUNT", help="Without tax.  [default: all that is left]")
@reference_option
@required_reason_option
@output_option
@pass_desk
def add(desk: Desk, *, line_id: str, text: str | None, reference: str, reason: str, output: str) -> None:
    """Give back a charged leg or a whole callback; never more than was charged. The reason is printed."""

    def issue(connection: Connection, author: Author) -> tuple[CreditNote, bool]:
        from store import creditnotes
        from values.money import money

        currency = creditnotes.line(connection, line_id).currency
        wanted = None if text is None else money(text, currency)
        numbering = desk.settings.invoices.credit_note_number
        return creditnotes.issue(connection, line_id, wanted, reference, author, numbering=numbering)

    show_note(*desk.change("issue credit note", issue, desk.author(reason)), output)


@credit_note.command(epilog="Example: dialback credit-note show CN-2026-00001")
@click.argument("number", metavar="NUMBER")
@output_option
@pass_desk
def show(desk: Desk, number: str, output: str) -> None:
    """Show a credit note."""
    from store import creditnotes

    show_record(_row(desk.read("read credit note", creditnotes.credit_note, number)), output)


@credit_note.command("list", epilog="Example: dialback credit-note list --account acme --from 2026-03-01")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@click.option("--from", "since", type=Instant(), metavar="TIME", help="From then on.")
@click.option("--till", "until", type=Instant(), metavar="TIME", help="Before then.")
@output_option
@pass_desk
def list_(
    desk: Desk, account_id: str | None, since: datetime | None, until: datetime | None, output: str
) -> None:
    """List credit notes by number."""
    from store import creditnotes

    found = desk.read(
        "list credit notes", creditnotes.list_credit_notes, account_id=account_id, since=since, until=until
    )
    show_rows([_row(each) for each in found], LISTED, output, none="Nothing was credited.")


def show_note(made: CreditNote, is_new: bool, output: str) -> None:  # noqa: FBT001 - as the store gives it
    """Print a credit note, and say so if it had been issued before."""
    if not is_new:
        say(f"{made.number} was issued before; nothing was changed.")
    show_record(_row(made), output)


def _row(each: CreditNote) -> dict[str, object]:
    return {
        "number": each.number,
        "issued_at": each.issued_at,
        "account": each.account_id,
        "callback": each.callback_id,
        "leg": each.leg_id,
        "amount": amount(-each.units, each.currency),
        "tax": amount(-each.tax_units, each.currency),
        "currency": each.currency,
        "reason": each.reason,
    }

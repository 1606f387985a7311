"""`dialback credit-note …`: charged calls given back; the charge itself stays as it was.

Reads: words of the command line; credit notes in the store.
Gives: the click group `credit-note`.
Knows nothing of: SQL, layouts.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, required_reason_option, rows_output_option
from staff.listing import amount, show_record, show_rows
from staff.money import reference_option
from staff.paperprint import paper_options, print_paper, write_missing
from staff.ranges import ends_from, ends_options

if TYPE_CHECKING:
    from store.audit import Author
    from store.creditnotes import CreditNote
    from store.database import Connection
    from store.papers import Issued

LISTED = (
    "number",
    "issued_at",
    "account",
    "callback",
    "leg",
    "amount",
    "tax",
    "total",
    "currency",
    "corrects",
    "reason",
)
SPARE = ("callback", "leg", "tax", "amount")


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
        numbering, seller = desk.settings.invoices.credit_note_number, desk.settings.seller.party()
        return creditnotes.issue(
            connection, line_id, wanted, reference, author, numbering=numbering, seller=seller
        )

    show_note(desk, *desk.change("issue credit note", issue, desk.author(reason)), output)


@credit_note.command(epilog="Example: dialback credit-note show CN-2026-00001")
@click.argument("number", metavar="NUMBER")
@output_option
@pass_desk
def show(desk: Desk, number: str, output: str) -> None:
    """Show a credit note: what it gives back, and which invoice it corrects."""
    from store import creditnotes

    known = desk.read("read credit note", creditnotes.credit_note, number)
    show_record({**_row(known), **_of_paper(_printed(desk, number))}, output)


@credit_note.command(
    "print", epilog="Example: dialback credit-note print CN-2026-00001 --output pdf > note.pdf"
)
@click.argument("number", metavar="NUMBER")
@paper_options
@pass_desk
def print_again(desk: Desk, number: str, output: str, folder: Path | None) -> None:
    """Print a credit note again, byte for byte."""
    from store import creditnotes

    desk.read("read credit note", creditnotes.credit_note, number)
    write_missing(desk, number)
    print_paper(desk, number, output, folder)


@credit_note.command("list", epilog="Example: dialback credit-note list --account acme --from 2026-03-01")
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
    """List credit notes by number."""
    from store import creditnotes, papers

    since, until = ends_from(desk, since, until, zone, account_id)
    found = desk.read(
        "list credit notes", creditnotes.list_credit_notes, account_id=account_id, since=since, until=until
    )
    printed = {
        each.number: each for each in desk.read("list papers", papers.list_issued, account_id=account_id)
    }
    rows = [{**_row(each), **_of_paper(printed.get(each.number))} for each in found]
    show_rows(rows, LISTED, output, spare=SPARE, none="Nothing was credited.")


def show_note(desk: Desk, made: CreditNote, is_new: bool, output: str) -> None:  # noqa: FBT001 - as the store gives it
    """Write a credit note's papers and print it; say so if it had been issued before."""
    if not is_new:
        say(f"{made.number} was issued before; nothing was changed.")
    write_missing(desk, made.number)
    show_record({**_row(made), **_of_paper(_printed(desk, made.number))}, output)


def _printed(desk: Desk, number: str) -> Issued | None:
    """The paper of a note; None for one that is older than papers of notes."""
    from store import papers
    from store.errors import NotFound

    try:
        return desk.read("read paper", papers.issued, number)
    except NotFound:
        return None


def _of_paper(known: Issued | None) -> dict[str, object]:
    if known is None:
        return {"total": "", "corrects": ""}
    return {"total": amount(-known.total_units, known.currency), "corrects": known.corrects}


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

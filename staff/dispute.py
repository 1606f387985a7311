"""`dialback dispute …`: lines that an account does not accept, and what becomes of them.

Reads: words of the command line; disputes, charges and histories in the store.
Gives: the click group `dispute`.
Knows nothing of: SQL, how a credit note comes about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.creditnote import show_note
from staff.desk import Desk, pass_desk, say
from staff.inputs import output_option, required_reason_option, rows_output_option
from staff.listing import CSV, JSON, amount, show_record, show_rows
from staff.money import reference_option

if TYPE_CHECKING:
    from store.audit import Author
    from store.creditnotes import CreditNote
    from store.database import Connection
    from store.disputes import Dispute

LISTED = (
    *("id", "state", "account", "leg", "opened_at", "opened_by", "reason"),
    *("decided_at", "decision", "credit_note"),
)
SPARE = ("decided_at", "opened_by", "decision", "credit_note", "opened_at")


@click.group()
def dispute() -> None:
    """Disputes: lines that an account does not accept."""


@dispute.command("open", epilog="Example: dialback dispute open 01kz…-b1 --reason 'I heard nobody'")
@click.argument("leg_id", metavar="LEG")
@required_reason_option
@output_option
@pass_desk
def open_(desk: Desk, leg_id: str, reason: str, output: str) -> None:
    """Open a dispute of one charged leg, and show what happened on it."""
    from store import disputes

    made = desk.change("open dispute", disputes.open_dispute, desk.new_id(), leg_id, desk.author(reason))
    _show(desk, made, output)


@dispute.command("list", epilog="Example: dialback dispute list --state open")
@click.option("--state", type=click.Choice(["open", "accepted", "rejected"]), help="In this state.")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@rows_output_option
@pass_desk
def list_(desk: Desk, state: str | None, account_id: str | None, output: str) -> None:
    """List disputes, the oldest first."""
    from store import disputes

    desk.check_account(account_id)
    wanted = None if state is None else disputes.DisputeState(state)
    found = desk.read("list disputes", disputes.list_disputes, state=wanted, account_id=account_id)
    show_rows([_row(each) for each in found], LISTED, output, spare=SPARE, none="Nothing is disputed.")


@dispute.command(epilog="Example: dialback dispute show 01kz…")
@click.argument("dispute_id", metavar="ID")
@output_option
@pass_desk
def show(desk: Desk, dispute_id: str, output: str) -> None:
    """Show a dispute, the line with its price, and the call's whole story."""
    from store import disputes

    _show(desk, desk.read("read dispute", disputes.dispute, dispute_id), output)


@dispute.command(
    epilog="Example: dialback dispute accept 01kz… --reference case-7 --reason 'the carrier confirms it'"
)
@click.argument("dispute_id", metavar="ID")
@click.option("--amount", "text", metavar="AMOUNT", help="How much, without tax.  [default: the whole line]")
@reference_option
@required_reason_option
@output_option
@pass_desk
def accept(
    desk: Desk, *, dispute_id: str, text: str | None, reference: str, reason: str, output: str
) -> None:
    """Give the line back by a credit note; it is on the account's next invoice."""

    def give(connection: Connection, author: Author) -> tuple[CreditNote, bool]:
        from store import creditnotes, disputes
        from values.money import money

        leg_id = disputes.dispute(connection, dispute_id).leg_id
        currency = creditnotes.line(connection, leg_id).currency
        wanted = None if text is None else money(text, currency)
        numbering, seller = desk.settings.invoices.credit_note_number, desk.settings.seller.party()
        return disputes.accept(
            connection, dispute_id, wanted, reference, author, numbering=numbering, seller=seller
        )

    show_note(desk, *desk.change("accept dispute", give, desk.author(reason)), output)


@dispute.command(epilog="Example: dialback dispute reject 01kz… --reason 'both sides talked for 40 s'")
@click.argument("dispute_id", metavar="ID")
@required_reason_option
@output_option
@pass_desk
def reject(desk: Desk, dispute_id: str, reason: str, output: str) -> None:
    """Let the line stand, and say why."""
    from store import disputes

    if not desk.change("reject dispute", disputes.reject, dispute_id, desk.author(reason)):
        say("It was rejected before; nothing was changed.")
    show_record(_row(desk.read("read dispute", disputes.dispute, dispute_id)), output)


def _show(desk: Desk, known: Dispute, output: str) -> None:
    from staff.story import COLUMNS, story
    from store import callbacks

    record = {**_row(known), **desk.read("read line", _line, known)}
    if output == CSV:
        show_record(record, output)
        return
    rows = story(desk.read("trace callback", callbacks.trace, known.callback_id))
    if output == JSON:
        show_record({**record, "timeline": rows}, output)
        return
    show_record(record, output)
    click.echo()
    show_rows(rows, COLUMNS, output)


def _line(connection: Connection, known: Dispute) -> dict[str, Any]:
    from store import cdrs, creditnotes

    legs = cdrs.list_cdrs(connection, callback_id=known.callback_id)
    charge = next(each.charge for each in legs if each.cdr.leg_id == known.leg_id)
    line = creditnotes.line(connection, known.leg_id)
    return {
        "callback": known.callback_id,
        # One that nobody answered could be disputed once.
        "destination": "" if charge is None else charge.destination,
        "charged_seconds": 0 if charge is None else charge.talk_seconds,
        "billed_seconds": 0 if charge is None else charge.billed_seconds,
        "charged": amount(line.charged_units, line.currency),
        "credited": amount(line.credited_units, line.currency),
        "currency": line.currency,
    }


def _row(each: Dispute) -> dict[str, object]:
    return {
        "id": each.id,
        "state": each.state,
        "account": each.account_id,
        "leg": each.leg_id,
        "opened_at": each.opened_at,
        "opened_by": each.opened_by,
        "reason": each.reason,
        "decided_at": each.decided_at,
        "decision": each.decision,
        "credit_note": each.credit_note,
    }

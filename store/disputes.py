"""Disputes of a line: opened by a subscriber's complaint, decided once by staff.

Reads: a leg that was charged; an Author.
Gives: Dispute; accepting one issues its credit note in the same transaction.
Knows nothing of: how a credit note comes about (store/creditnotes.py).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from moneyed import Money
from sqlalchemy import Connection, insert, select, update

from billing.numbering import CREDIT_NOTE_NUMBER
from billing.particulars import Party
from store import checks, creditnotes, ledger
from store.audit import Author, note
from store.creditnotes import CreditNote
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.moneytables import disputes


class DisputeState(StrEnum):
    """The condition a dispute is in; the last two are ends."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A line that is not accepted; `credit_note` is the number of the one that settled it."""

    id: str
    account_id: str
    callback_id: str
    leg_id: str
    reason: str
    opened_at: datetime
    opened_by: str
    state: DisputeState
    decided_at: datetime | None = None
    decided_by: str = ""
    decision: str = ""
    credit_note: str = ""


def open_dispute(connection: Connection, dispute_id: str, leg_id: str, author: Author) -> Dispute:
    """Open a dispute of a leg that cost something; Conflict while another one of it is open."""
    known = creditnotes.line(connection, leg_id)
    if not known.leg_id:
        raise Invalid("leg", f"{leg_id!r} is a whole callback", "name one of its legs; see `dialback cdr`")
    if not known.charged_units:
        raise Forbidden("leg", f"nothing was charged for {leg_id!r}", "see `dialback cdr` for what was")
    ledger.lock(connection, known.account_id)
    for each in list_disputes(connection, state=DisputeState.OPEN, leg_id=leg_id):
        problem = f"{leg_id!r} is disputed already, by {each.id}"
        raise Conflict("leg", problem, f"decide that one: see `dialback dispute show {each.id}`")
    made = Dispute(
        id=dispute_id,
        account_id=known.account_id,
        callback_id=known.callback_id,
        leg_id=leg_id,
        reason=_reason(author),
        opened_at=author.at,
        opened_by=author.name,
        state=DisputeState.OPEN,
    )
    row = {
        "id": made.id,
        "account_id": made.account_id,
        "callback_id": made.callback_id,
        "leg_id": made.leg_id,
        "reason": made.reason,
        "opened_at": made.opened_at,
        "opened_by": made.opened_by,
        "state": made.state.value,
    }
    connection.execute(insert(disputes), row)
    note(connection, author, "dispute.open", dispute_id, after=row)
    return made


def dispute(connection: Connection, dispute_id: str) -> Dispute:
    """The dispute of that id; NotFound if there is none."""
    row = connection.execute(select(disputes).where(disputes.c.id == dispute_id)).mappings().first()
    if row is None:
        raise NotFound("dispute", f"there is no dispute {dispute_id!r}", "see `dialback dispute list`")
    return Dispute(**{**row, "state": DisputeState(row["state"])})


def list_disputes(
    connection: Connection,
    *,
    state: DisputeState | None = None,
    account_id: str | None = None,
    leg_id: str | None = None,
) -> tuple[Dispute, ...]:
    """Disputes that fit every filter, the oldest first."""
    wanted = select(disputes).order_by(disputes.c.opened_at, disputes.c.id)
    if state is not None:
        wanted = wanted.where(disputes.c.state == state.value)
    if account_id is not None:
        wanted = wanted.where(disputes.c.account_id == account_id)
    if leg_id is not None:
        wanted = wanted.where(disputes.c.leg_id == leg_id)
    rows = connection.execute(wanted).mappings()
    return tuple(Dispute(**{**row, "state": DisputeState(row["state"])}) for row in rows)


def accept(
    connection: Connection,
    dispute_id: str,
    amount: Money | None,
    reference: str,
    author: Author,
    *,
    numbering: str = CREDIT_NOTE_NUMBER,
    seller: Party = creditnotes.NOBODY,
) -> tuple[CreditNote, bool]:
    """Give back the line, or `amount` of it; the credit note, and whether it is new."""
    known = _lockable(connection, dispute_id)
    if known.state is DisputeState.REJECTED:
        raise Conflict("dispute", f"{dispute_id!r} was rejected", "open another one")
    note_of, is_new = creditnotes.issue(
        connection, known.leg_id, amount, reference, author, numbering=numbering, seller=seller
    )
    if known.state is DisputeState.ACCEPTED and known.credit_note != note_of.number:
        raise Conflict("dispute", f"{dispute_id!r} was accepted by {known.credit_note}", "open another one")
    if known.state is DisputeState.OPEN:
        _decide(connection, known, DisputeState.ACCEPTED, author, credit_note=note_of.number)
    return note_of, is_new


def reject(connection: Connection, dispute_id: str, author: Author) -> bool:
    """Let the line stand, and say why; False if it was rejected before."""
    known = _lockable(connection, dispute_id)
    if known.state is DisputeState.ACCEPTED:
        raise Conflict("dispute", f"{dispute_id!r} was accepted by {known.credit_note}", "it stays so")
    if known.state is DisputeState.REJECTED:
        return False
    _decide(connection, known, DisputeState.REJECTED, author)
    return True


def _lockable(connection: Connection, dispute_id: str) -> Dispute:
    ledger.lock(connection, dispute(connection, dispute_id).account_id)
    return dispute(connection, dispute_id)  # again: it may have been decided while the lock was waited for


def _decide(
    connection: Connection, known: Dispute, state: DisputeState, author: Author, *, credit_note: str = ""
) -> None:
    row = {
        "state": state.value,
        "decided_at": author.at,
        "decided_by": author.name,
        "decision": _reason(author),
        "credit_note": credit_note,
    }
    connection.execute(update(disputes).where(disputes.c.id == known.id), row)
    verb = "accept" if state is DisputeState.ACCEPTED else "reject"
    note(connection, author, f"dispute.{verb}", known.id, before={"state": known.state.value}, after=row)


def _reason(author: Author) -> str:
    return checks.line("reason", author.reason)

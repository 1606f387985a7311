"""The queue of mail: which invoice or link goes to whom, when it is tried again, what came of it.

Reads: issued invoices, the accounts' billing addresses, links that confirm these; rows of `mails`.
Gives: Mails to be sent now; their end written down.
Knows nothing of: how a message looks (billing/letter.py), servers (staff/post.py).

One mail for each invoice and recipient: asked twice, it is queued once; and one for each link. A mail is
claimed before it is sent. Whoever dies between the server's word and ours leaves it claimed; it is sent again
after CLAIM, with the same Message-ID, by which mail programs know a second copy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from store.audit import Author, note
from store.confirmations import EmailLink
from store.customertables import email_links
from store.errors import Invalid
from store.invoicetables import invoices, mails
from store.schema import accounts

CLAIM = timedelta(minutes=10)
"""A mail that was claimed and not ended within this time is tried again."""
GAPS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440))
"""How long after which failure it is tried again; the last one goes on."""
TOLD_MAX = 300
WITHDRAWN = "the account has another address now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One invoice, or a link that confirms an address, on its way to one recipient; the other is None."""

    id: int
    number: str | None
    link_id: int | None
    recipient: str
    state: str
    attempts: int
    queued_at: datetime
    due_at: datetime
    ended_at: datetime | None
    told: str

    @property
    def kind(self) -> str:
        """What it carries, in a word."""
        return "paper" if self.link_id is None else "confirmation"

    @property
    def title(self) -> str:
        """What it is called where people read of it."""
        return self.number or self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """What became of a wish to send: numbers new in the queue, known there, or without an address.

    `accounts` are those to which the new ones go.
    """

    new: tuple[str, ...] = ()
    known: tuple[str, ...] = ()
    nowhere: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()


def queue(connection: Connection, numbers: Sequence[str], author: Author) -> Queued:
    """Put invoices into the queue, each to its account's billing address; a second time changes nothing."""
    wanted = (
        select(invoices.c.number, accounts.c.billing_email, accounts.c.id)
        .join(accounts, accounts.c.id == invoices.c.account_id)
        .where(invoices.c.number.in_(numbers))
        .order_by(invoices.c.series, invoices.c.count)
    )
    found = connection.execute(wanted).all()
    missing = sorted(set(numbers) - {row.number for row in found})
    if missing:
        raise Invalid("number", f"there is no invoice {missing[0]!r}", "see `dialback invoice list`")
    there = select(mails.c.number, mails.c.recipient).where(mails.c.number.in_(numbers))
    known = {tuple(row) for row in connection.execute(there)}
    nowhere = tuple(row.number for row in found if not row.billing_email)
    new = [row for row in found if row.billing_email and (row.number, row.billing_email) not in known]
    if new:
        connection.execute(
            insert(mails),
            [{"number": row.number, "recipient": row.billing_email, **_waiting(author.at)} for row in new],
        )
        told = ", ".join(row.number for row in new[:3]) + (" …" if len(new) > 3 else "")
        note(connection, author, "invoice.send", told, after={"mails": len(new)})
    fresh = tuple(row.number for row in new)
    old = tuple(row.number for row in found if row.billing_email and row.number not in fresh)
    theirs = tuple(dict.fromkeys(row.id for row in new))
    return Queued(new=fresh, known=old, nowhere=nowhere, accounts=theirs)


def queue_link(connection: Connection, link: EmailLink) -> None:
    """Put the letter with a link into the queue; that it was made is noted with the link."""
    row = {"link_id": link.id, "recipient": link.email}
    connection.execute(insert(mails), {**row, **_waiting(link.made_at)})


def withdraw_links(connection: Connection, account_id: str, email: str, *, now: datetime) -> None:
    """End the letters that wait with links for addresses other than this one, which is the account's now."""
    void = select(email_links.c.id).where(
        email_links.c.account_id == account_id, email_links.c.email != email
    )
    waits = (mails.c.link_id.in_(void), mails.c.state == "queued")
    values = {"state": "failed", "ended_at": now, "told": WITHDRAWN}
    connection.execute(update(mails).where(*waits), values)


def claim(connection: Connection, *, now: datetime) -> Mail | None:
    """The next mail that is due, now ours for CLAIM; None if there is none."""
    due = (
        select(mails)
        .where(mails.c.state.in_(["queued", "sending"]), mails.c.due_at <= now)
        .order_by(mails.c.due_at, mails.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = connection.execute(due).mappings().first()
    if row is None:
        return None
    changed = {"state": "sending", "attempts": row["attempts"] + 1, "due_at": now + CLAIM}
    connection.execute(update(mails).where(mails.c.id == row["id"]), changed)
    return _mail_of({**row, **changed})


def sent(connection: Connection, mail_id: int, *, now: datetime, told: str) -> None:
    """Write down that the server took it, or that it lies in a folder."""
    values = {"state": "sent", "ended_at": now, "told": told[:TOLD_MAX]}
    connection.execute(update(mails).where(mails.c.id == mail_id), values)


def not_sent(
    connection: Connection, mail: Mail, *, now: datetime, told: str, is_final: bool, attempts_max: int
) -> None:
    """Write down why it was not taken; it is tried again later, unless that is the end of it."""
    values: dict[str, object] = {"told": told[:TOLD_MAX]}
    if is_final or mail.attempts >= attempts_max:
        values |= {"state": "failed", "ended_at": now}
    else:
        gap = GAPS[min(mail.attempts, len(GAPS)) - 1]
        values |= {"state": "queued", "due_at": now + gap}
    connection.execute(update(mails).where(mails.c.id == mail.id), values)


def again(connection: Connection, number: str, author: Author) -> int:
    """Let failed mails of an invoice be tried anew; how many there were."""
    failed = (mails.c.number == number, mails.c.state == "failed")
    values = {"state": "queued", "attempts": 0, "due_at": author.at, "ended_at": None}
    count = connection.execute(update(mails).where(*failed), values).rowcount
    if count:
        note(connection, author, "invoice.send_again", number, after={"mails": count})
    return count


def resend(connection: Connection, number: str, author: Author) -> bool:
    """Queue an invoice, sent before or not, for its account's billing address; False if there is none."""
    if queue(connection, [number], author).nowhere:
        return False
    owner = select(invoices.c.account_id).where(invoices.c.number == number).scalar_subquery()
    address = select(accounts.c.billing_email).where(accounts.c.id == owner).scalar_subquery()
    ended = (mails.c.number == number, mails.c.recipient == address, mails.c.state.in_(["sent", "failed"]))
    values = {"state": "queued", "attempts": 0, "due_at": author.at, "ended_at": None}
    connection.execute(update(mails).where(*ended), values)
    return True


def is_waiting(connection: Connection, number: str) -> bool:
    """Whether a mail with the invoice is still to be sent."""
    waits = (mails.c.number == number, mails.c.state.in_(["queued", "sending"]))
    return connection.execute(select(mails.c.id).where(*waits).limit(1)).first() is not None


def list_mails(connection: Connection, *, number: str | None = None) -> tuple[Mail, ...]:
    """All mails, or those of an invoice, in the order in which they were queued."""
    wanted = select(mails).order_by(mails.c.id)
    if number is not None:
        wanted = wanted.where(mails.c.number == number)
    return tuple(_mail_of({**row}) for row in connection.execute(wanted).mappings())


def _waiting(at: datetime) -> dict[str, object]:
    """A mail that was queued at that instant, and is due at once."""
    return {"state": "queued", "attempts": 0, "queued_at": at, "due_at": at, "ended_at": None, "told": ""}


def _mail_of(row: Mapping[str, Any]) -> Mail:
    return Mail(**row)

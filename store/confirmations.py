"""Proof that somebody reads the mailbox to which an account's invoices go: a link was followed.

Reads: accounts, `email_links`, `email_confirmations`; tokens, as strangers write them.
Gives: links that were made; what following one means; which addresses are confirmed.
Knows nothing of: letters, pages, how a token is made (values/emaillink.py).

A link is for one account and one address. It is good for 24 hours, and void while the account has another
address. What it confirmed stays confirmed.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import Connection, Select, and_, insert, select

from store.accounts import Account, account
from store.audit import Author, note
from store.customertables import email_confirmations, email_links
from store.errors import Invalid
from store.schema import accounts
from values.emaillink import email_token, instant_in, is_good, is_same

BY_LINK = "link"
"""Who confirms, in the audit log as well: whoever had it, which is all that we know of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EmailLink:
    """A link that was made, for whom and when."""

    id: int
    account_id: str
    email: str
    made_at: datetime

    def token(self, secret: bytes) -> str:
        """What stands in its URL; derived each time, for it is kept nowhere."""
        return email_token(secret, account_id=self.account_id, email=self.email, made_at=self.made_at)


class Meaning(StrEnum):
    """What it means to follow a link."""

    OPEN = "open"
    CONFIRMED = "confirmed"
    BEFORE = "confirmed_before"
    TOO_OLD = "too_old"
    CHANGED = "address_changed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """What a token led to: its link, whose that is, when the address was confirmed if it is."""

    meaning: Meaning
    link: EmailLink | None = None
    owner: Account | None = None
    confirmed_at: datetime | None = None


def make_link(connection: Connection, account_id: str, author: Author) -> EmailLink:
    """Make a link for the account's address of now; those before stay good for their own time."""
    email = account(connection, account_id).billing_email
    if not email:
        problem = f"account {account_id!r} has no address for invoices"
        raise Invalid("email", problem, "set one by `dialback account change --email`")
    row = {"account_id": account_id, "email": email, "made_at": author.at}
    made = insert(email_links).returning(email_links.c.id)
    link_id = connection.execute(made, {**row, "made_by": author.name}).scalar_one()
    note(connection, author, "account.email_link", account_id, after={"email": email})
    return EmailLink(id=link_id, account_id=account_id, email=email, made_at=author.at)


def link(connection: Connection, link_id: int) -> EmailLink:
    """The link of that number."""
    return EmailLink(**connection.execute(LINKS.where(email_links.c.id == link_id)).mappings().one())


def look(connection: Connection, token: str, *, secret: bytes, at: datetime) -> Followed:
    """What following the link would mean; nothing is changed."""
    found = _link_of(connection, token, secret)
    return Followed(meaning=Meaning.UNKNOWN) if found is None else _meaning(connection, found, at)


def confirm(connection: Connection, token: str, *, secret: bytes, at: datetime) -> Followed:
    """Follow the link: write down that its address is confirmed, if it still can be, once."""
    found = _link_of(connection, token, secret)
    if found is None:
        return Followed(meaning=Meaning.UNKNOWN)
    # Whoever follows it twice at once, or changes the address meanwhile, waits here.
    connection.execute(select(accounts.c.id).where(accounts.c.id == found.account_id).with_for_update())
    followed = _meaning(connection, found, at)
    if followed.meaning is not Meaning.OPEN:
        return followed
    row = {"account_id": found.account_id, "email": found.email, "link_id": found.id}
    connection.execute(insert(email_confirmations), {**row, "confirmed_at": at, "confirmed_by": BY_LINK})
    author = Author(at=at, name=BY_LINK)
    note(connection, author, "account.email_confirmed", found.account_id, after={"email": found.email})
    return replace(followed, meaning=Meaning.CONFIRMED, confirmed_at=at)


def confirmed_at(connection: Connection, account_id: str, email: str) -> datetime | None:
    """When that address was confirmed for the account; None if it never was."""
    mine = (email_confirmations.c.account_id == account_id) & (email_confirmations.c.email == email)
    wanted = select(email_confirmations.c.confirmed_at).where(mine)
    return connection.execute(wanted).scalar_one_or_none()


def unconfirmed(connection: Connection, only: Collection[str] | None = None) -> dict[str, str]:
    """The accounts whose address nobody has confirmed, with it, in order; or those of these ids."""
    is_theirs = and_(
        email_confirmations.c.account_id == accounts.c.id,
        email_confirmations.c.email == accounts.c.billing_email,
    )
    wanted = (
        select(accounts.c.id, accounts.c.billing_email)
        .outerjoin(email_confirmations, is_theirs)
        .where(accounts.c.billing_email != "", email_confirmations.c.email.is_(None))
        .order_by(accounts.c.id)
    )
    found: dict[str, str] = {row.id: row.billing_email for row in connection.execute(wanted)}
    return found if only is None else {name: found[name] for name in found if name in only}


LINKS: Select[tuple[int, str, str, datetime]] = select(
    email_links.c.id, email_links.c.account_id, email_links.c.email, email_links.c.made_at
)


def _link_of(connection: Connection, token: str, secret: bytes) -> EmailLink | None:
    """The link whose token it is; the instant in it tells which few can be meant."""
    made_at = instant_in(token)
    if made_at is None:
        return None
    made_then = connection.execute(LINKS.where(email_links.c.made_at == made_at)).mappings()
    links = (EmailLink(**row) for row in made_then)
    return next((each for each in links if is_same(token, each.token(secret))), None)


def _meaning(connection: Connection, found: EmailLink, at: datetime) -> Followed:
    owner = account(connection, found.account_id)
    before = confirmed_at(connection, owner.id, found.email)
    meaning = Meaning.OPEN
    if owner.billing_email != found.email:
        meaning = Meaning.CHANGED
    elif not is_good(found.made_at, at):
        meaning = Meaning.TOO_OLD
    elif before is not None:
        meaning = Meaning.BEFORE
    return Followed(meaning=meaning, link=found, owner=owner, confirmed_at=before)

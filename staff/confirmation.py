"""`dialback account confirm-email`, and all that staff do so that an account's address gets confirmed.

Reads: words of the command line; [web] public_url, [mail] and the secret of [agi]; links in the store.
Gives: the click command `confirm_email`, which the group `account` takes in; what the letters say; remarks.
Knows nothing of: SQL, how a letter looks (billing/letter.py), the page behind a link (web/confirmpage.py).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import rich_click as click

from staff import exits
from staff.desk import Desk, pass_desk, say
from staff.inputs import reason_option
from staff.listing import moment

if TYPE_CHECKING:
    from billing.letter import LinkLetter
    from settings import Settings
    from store.audit import Author
    from store.confirmations import EmailLink
    from store.customers import Account
    from store.database import Connection

SHOWN_MAX = 20


class Pointless(Exception):
    """The letter would help nobody any more."""


@click.command("confirm-email", epilog="Example: dialback account confirm-email acme")
@click.argument("account_id", metavar="ID")
@reason_option
@pass_desk
def confirm_email(desk: Desk, account_id: str, reason: str) -> None:
    """Ask whether the address for invoices is right: by a letter with a link that is good for 24 hours.

    Where [mail] names no server the link is printed instead; send it yourself, to that address alone.
    """
    from values.emaillink import LIFE

    settings = desk.settings
    if not settings.web.public_url:
        told = "[web] public_url: it is not set, so no link can be made; write where people find this web"
        raise exits.Stop(told, exits.CONFIGURATION)
    by_letter, author = bool(settings.mail.host), desk.author(reason)
    link = desk.change("make link", _make, account_id, author, by_letter=by_letter)
    if isinstance(link, str):
        say(link)
    elif by_letter:
        say(_queued(link.email))
    else:
        click.echo(_url(settings, link))
        say(f"For {link.email} alone, until {moment(link.made_at + LIFE)}.")


def ask(connection: Connection, owner: Account, settings: Settings, author: Author) -> str:
    """Ask an account's new address whether it is right, and others no more; what the clerk is told."""
    from store import confirmations, mails

    email = owner.billing_email
    mails.withdraw_links(connection, owner.id, email, now=author.at)
    if not email or confirmations.confirmed_at(connection, owner.id, email) is not None:
        return ""
    wanted = {"[web] public_url": settings.web.public_url, "[mail] host": settings.mail.host}
    lacking = [name for name, value in wanted.items() if not value]
    if lacking:
        return f"Nobody is asked to confirm {email}: without {' and '.join(lacking)} no letter is sent."
    mails.queue_link(connection, confirmations.make_link(connection, owner.id, author))
    return _queued(email)


def letter_of(desk: Desk, link_id: int, sender: str) -> LinkLetter:
    """What the letter with that link says; Pointless if nobody could use it any more."""
    from billing.letter import LinkLetter
    from values.emaillink import LIFE, is_good

    settings = desk.settings
    link, owner = desk.read("read link", _with_owner, link_id)
    if owner.billing_email != link.email:
        raise Pointless("the account has another address now")
    if not is_good(link.made_at, desk.now()):
        raise Pointless(f"its link is too old; `dialback account confirm-email {owner.id}` sends another")
    if not settings.web.public_url:
        raise Pointless("[web] public_url is not set any more")
    return LinkLetter(
        link_id=link.id,
        url=_url(settings, link),
        sender=sender,
        sender_name=settings.seller.name,
        recipient=link.email,
        account_id=owner.id,
        account_name=owner.name,
        good_until=(link.made_at + LIFE).astimezone(ZoneInfo(owner.zone)),
        dated=link.made_at,
    )


def remark(desk: Desk, accounts: Collection[str]) -> None:
    """Name those of the accounts whose address nobody has confirmed; their invoices go out all the same."""
    from store.confirmations import unconfirmed

    found = desk.read("unconfirmed addresses", unconfirmed, accounts)
    if not found:
        return
    named = [f"{account_id} ({email})" for account_id, email in found.items()][:SHOWN_MAX]
    if len(found) > SHOWN_MAX:
        named.append(f"{len(found) - SHOWN_MAX} more")
    say(f"Nobody has confirmed the address of {', '.join(named)}; see `dialback account confirm-email`.")


def _make(connection: Connection, account_id: str, author: Author, *, by_letter: bool) -> EmailLink | str:
    """A link, and its letter if that is how it goes; a sentence if there is nothing left to ask."""
    from store import confirmations, customers, mails

    email = customers.account(connection, account_id).billing_email
    known = confirmations.confirmed_at(connection, account_id, email)
    if known is not None:
        return f"{email} was confirmed at {moment(known)}; nobody is asked again."
    link = confirmations.make_link(connection, account_id, author)
    if by_letter:
        mails.queue_link(connection, link)
    return link


def _with_owner(connection: Connection, link_id: int) -> tuple[EmailLink, Account]:
    from store import confirmations, customers

    link = confirmations.link(connection, link_id)
    return link, customers.account(connection, link.account_id)


def _queued(email: str) -> str:
    return (
        f"A letter asks {email} to confirm, once `dialback mail run` sends it; its link is good for 24 hours."
    )


def _url(settings: Settings, link: EmailLink) -> str:
    from web.settings import CONFIRM_PATH

    token = link.token(settings.agi.secret.get_secret_value().encode())
    return f"{settings.web.public_url}{CONFIRM_PATH}/{token}"

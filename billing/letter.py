"""The mails that we send, as RFC 5322 messages: an invoice, or a link that confirms an address.

Reads: the invoice's number and period, its papers; the account, its link; both addresses.
Gives: the message, the same for the same invoice or link, its Message-ID too.
Knows nothing of: servers, queues.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from billing import printed

_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")
_ADDRESS = re.compile(r"[^\s@<>,;:\"()\[\]\\]+@[A-Za-z0-9.-]+")


class AddressRefused(ValueError):
    """This is no address that mail can be sent to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail is written from."""

    number: str
    title: str
    sender: str
    sender_name: str
    recipient: str
    first_day: date
    total: str
    due: str
    due_on: date
    dated: datetime
    pdf: bytes
    has_xml: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkLetter:
    """What a mail is written from that asks to confirm the address to which it goes.

    `link_id` is our number of the link; `good_until` is in the account's zone.
    """

    link_id: int
    url: str
    sender: str
    sender_name: str
    recipient: str
    account_id: str
    account_name: str
    good_until: datetime
    dated: datetime


def message_of(letter: Letter) -> EmailMessage:
    """Return the message: a few lines of text, and the PDF that carries everything."""
    subject = f"{letter.title} {printed.name(letter.number)}, {letter.first_day:%Y-%m}"
    message = _begun(letter, subject, about=letter.number)
    for_programs = (
        "The PDF also carries it for programs (EN 16931, factur-x.xml).\n" if letter.has_xml else ""
    )
    message.set_content(
        f"{letter.title} {letter.number} for {letter.first_day:%Y-%m} is attached as a PDF.\n\n"
        f"Total of this paper: {letter.total}\n"
        f"{letter.due}\n\n"
        f"{for_programs}"
        f"{printed.one_line(letter.sender_name)}\n"
    )
    message.add_attachment(
        letter.pdf, maintype="application", subtype="pdf", filename=f"{_plain(letter.number)}.pdf"
    )
    message.set_boundary(f"=={_plain(letter.number)}==")
    return message


def link_message_of(letter: LinkLetter) -> EmailMessage:
    """Return the message: who asks, what for, the link on a line of its own, how long it is good."""
    subject = f"Please confirm this address for the invoices of {printed.name(letter.account_name)}"
    message = _begun(letter, subject, about=f"confirm-{letter.account_id}-{letter.link_id}")
    seller = printed.one_line(letter.sender_name)
    text = (
        f"{seller} sends invoices to {letter.recipient}.\n"
        f"They are those of {printed.one_line(letter.account_name)}, account {letter.account_id}.\n\n"
        "Is that right? Then open this page and press its button:\n\n"
        f"{letter.url}\n\n"
        f"The link is good until {printed.local_time(letter.good_until)}.\n"
        "If it is not right, or you know of no such account, do nothing:\n"
        "without you nothing is confirmed.\n\n"
        f"{seller}\n"
    )
    # 78 characters are advised only (RFC 5322, 2.1.1); folded, the link could not be copied from a file.
    message.set_content(text, cte="7bit" if text.isascii() else None)
    return message


def _begun(letter: Letter | LinkLetter, subject: str, *, about: str) -> EmailMessage:
    """Return a message without its text; `about` is what no other mail to this recipient is about."""
    sender, recipient = _address(letter.sender), _address(letter.recipient)
    message = EmailMessage(policy=SMTP)
    name = printed.one_line(letter.sender_name).replace('"', "")
    message["From"] = f'"{name}" <{sender}>' if name else sender
    message["To"] = recipient
    message["Subject"] = subject
    message["Date"] = format_datetime(letter.dated)
    # The same for the same subject and recipient: a second copy, after a crash, is known as one.
    message["Message-ID"] = f"<{_plain(about)}.{_plain(recipient)}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    return message


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or not text.isascii():
        raise AddressRefused(f"{text!r} is no address for mail; write one such as billing@example.com")
    return text


def _plain(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text)

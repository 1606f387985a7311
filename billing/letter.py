"""The mail that carries an invoice: an RFC 5322 message, the same for the same invoice.

Reads: the invoice's number and period, its papers, both addresses.
Gives: the message's bytes, its Message-ID.
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


def message_of(letter: Letter) -> EmailMessage:
    """Return the message: a few lines of text, and the PDF that carries everything."""
    sender, recipient = _address(letter.sender), _address(letter.recipient)
    message = EmailMessage(policy=SMTP)
    name = printed.one_line(letter.sender_name).replace('"', "")
    message["From"] = f'"{name}" <{sender}>' if name else sender
    message["To"] = recipient
    message["Subject"] = f"{letter.title} {printed.name(letter.number)}, {letter.first_day:%Y-%m}"
    message["Date"] = format_datetime(letter.dated)
    # The same for the same invoice and recipient: a second copy, after a crash, is known as one.
    message["Message-ID"] = f"<{_plain(letter.number)}.{_plain(recipient)}@{sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
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


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text) or not text.isascii():
        raise AddressRefused(f"{text!r} is no address for mail; write one such as billing@example.com")
    return text


def _plain(text: str) -> str:
    return _NOT_IN_NAMES.sub("-", text)

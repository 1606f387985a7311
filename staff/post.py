"""Mail that waits goes out: to the mail server of the settings, or as files into a folder.

Reads: the queue (store/mails.py), papers, links that confirm addresses, [mail] and [seller].
Gives: what was sent, what waits for another try, what failed.
Knows nothing of: SQL, how a message looks.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import TYPE_CHECKING, Self

from billing.letter import AddressRefused, Letter, link_message_of, message_of
from staff.confirmation import Pointless, letter_of
from staff.listing import amount
from store import ledger, mails, papers, receivables

if TYPE_CHECKING:
    from billing.particulars import Party
    from staff.desk import Desk
    from staff.settings import MailSettings
    from store.database import Connection
    from store.mails import Mail
    from store.papers import Issued

SECONDS_MAX = 30.0
"""How long a mail server may take for one answer."""
MAILS_MAX = 100_000
"""So many in one run; more is a loop, not a month."""
PERMANENT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """What came of a run."""

    sent: int
    later: int
    failed: int


class Postman:
    """Takes messages until it is closed."""

    def __init__(self, settings: MailSettings, connect: Callable[[], smtplib.SMTP]) -> None:
        self._settings = settings
        self._connect = connect
        self._server: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        """Connect at the first message, not before."""
        return self

    def __exit__(self, *_: object) -> None:
        """Say goodbye."""
        if self._server is not None:
            self._server.close()

    def take(self, message: EmailMessage) -> str:
        """Hand over a message; the server's word."""
        if self._server is None:
            self._server = self._connect()
        try:
            refused = self._server.send_message(message)
        except (smtplib.SMTPServerDisconnected, OSError):
            self._server.close()
            self._server = None
            raise
        if refused:
            code, told = next(iter(refused.values()))
            raise smtplib.SMTPRecipientsRefused({str(message["To"]): (code, told)})
        return f"taken by {self._settings.host}:{self._settings.port}"


class Folder:
    """Puts messages into a folder, for another program to send."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder

    def __enter__(self) -> Self:
        """Nothing to open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing to close."""

    def take(self, message: EmailMessage) -> str:
        """Write the message down whole, or not at all."""
        name = str(message["Message-ID"]).strip("<>").replace("/", "-")
        target = self._folder / f"{name}.eml"
        part = target.with_suffix(".part")
        part.write_bytes(bytes(message))
        part.replace(target)
        return str(target)


def postman_of(settings: MailSettings) -> Postman:
    """Who brings mail to the server of the settings."""

    def connect() -> smtplib.SMTP:
        server: smtplib.SMTP
        if settings.security == "tls":
            context = ssl.create_default_context()
            server = smtplib.SMTP_SSL(settings.host, settings.port, timeout=SECONDS_MAX, context=context)
        else:
            server = smtplib.SMTP(settings.host, settings.port, timeout=SECONDS_MAX)
            if settings.security == "starttls":
                server.starttls(context=ssl.create_default_context())
        if settings.user:
            server.login(settings.user, settings.password)
        return server

    return Postman(settings, connect)


def deliver(desk: Desk, by: Postman | Folder, *, told: Callable[[str], object]) -> Delivered:
    """Send what is due now, each mail in a transaction of its own; `told` gets a sentence for each."""
    counts = {"sent": 0, "later": 0, "failed": 0}
    with by as postman:
        for _ in range(MAILS_MAX):
            mail = desk.change("claim mail", mails.claim, now=desk.now())
            if mail is None:
                break
            counts[_one(desk, mail, postman, told)] += 1
    return Delivered(**counts)


def _one(desk: Desk, mail: Mail, postman: Postman | Folder, told: Callable[[str], object]) -> str:
    attempts_max = desk.settings.mail.attempts_max
    try:
        word = postman.take(_message(desk, mail))
    except (smtplib.SMTPException, OSError, AddressRefused, Pointless) as error:
        final = _is_final(error)
        desk.change(
            "mail not sent",
            mails.not_sent,
            mail,
            now=desk.now(),
            told=_sentence(error),
            is_final=final,
            attempts_max=attempts_max,
        )
        ended = final or mail.attempts >= attempts_max
        told(f"{mail.title} to {mail.recipient}: {'failed' if ended else 'later'}: {_sentence(error)}")
        return "failed" if ended else "later"
    desk.change("mail sent", mails.sent, mail.id, now=desk.now(), told=word)
    told(f"{mail.title} to {mail.recipient}: {word}")
    return "sent"


def _message(desk: Desk, mail: Mail) -> EmailMessage:
    """What the mail brings, written as late as possible."""
    seller = desk.settings.seller.party()
    sender = desk.settings.mail.sender or seller.email
    if mail.link_id is not None:
        return link_message_of(letter_of(desk, mail.link_id, sender))
    return message_of(desk.read("write letter", _letter, mail, seller, sender))


def _letter(connection: Connection, mail: Mail, seller: Party, sender: str) -> Letter:
    assert mail.number is not None
    known = papers.issued(connection, mail.number)
    is_note = known.kind == "credit_note"
    return Letter(
        number=known.number,
        title="Credit note" if is_note else "Invoice",
        sender=sender,
        sender_name=seller.name,
        recipient=mail.recipient,
        first_day=known.first_day,
        total=f"{amount(known.total_units, known.currency)} {known.currency}",
        due="Nothing is to be paid." if is_note else _due(connection, known),
        due_on=known.due_on,
        dated=mail.queued_at,
        pdf=papers.paper(connection, mail.number, "pdf"),
        has_xml="xml" in papers.forms_of(connection, mail.number),
    )


def _due(connection: Connection, known: Issued) -> str:
    """What is asked for, less what was paid since: a reminder asks nobody to pay twice."""
    if known.due_units <= 0:
        return "Nothing is to be paid."
    owed = -ledger.standing(connection, known.account_id).posted_units
    left = receivables.still_due_units(connection, known.account_id, known.number, owed)
    asked = f"{amount(known.due_units, known.currency)} {known.currency}"
    if not left:
        return f"The {asked} that it asks for are paid. Nothing is to be paid any more."
    if left < known.due_units:
        still = f"{amount(left, known.currency)} {known.currency}"
        return f"Of the {asked} that it asks for, {still} are still open. Please pay them by {known.due_on}."
    return f"Please pay {asked} by {known.due_on}."


def _is_final(error: Exception) -> bool:
    """Whether another try would hear the same: the server said so by a code of 500 or more."""
    match error:
        case AddressRefused() | Pointless():
            return True
        case smtplib.SMTPRecipientsRefused():
            return all(code >= PERMANENT for code, _ in error.recipients.values())
        case smtplib.SMTPAuthenticationError():
            return False  # the settings are wrong, not the mail
        case smtplib.SMTPResponseException():
            return error.smtp_code >= PERMANENT
        case _:
            return False


def _sentence(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, word = next(iter(error.recipients.values()))
        return f"{code} {word.decode(errors='replace') if isinstance(word, bytes) else word}"
    return " ".join(str(error).split()) or type(error).__name__

"""F071: the letter that asks to confirm an address, from the queue to a real SMTP server."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from pydantic import SecretStr
from smtp_server import Mailbox, smtp_server

from billing.letter import AddressRefused, LinkLetter, link_message_of
from staff.confirmation import ask
from staff.desk import Desk
from staff.post import Delivered, Folder, deliver, postman_of
from staff.settings import MailSettings, SellerSettings
from store import confirmations, customers, mails
from store.audit import Author
from store.confirmations import Meaning
from store.database import Connection, Database

NOW = datetime(2026, 7, 1, 9, tzinfo=UTC)
SECRET = "the secret of this switch"
PUBLIC_URL = "https://calls.example.com/dialback"
ASKED = "A letter asks ap@acme.example to confirm"


class OneDesk:
    """A desk at this store, with a clock that is set by hand."""

    def __init__(self, company: Database, port: int, public_url: str = PUBLIC_URL) -> None:
        self.clock = NOW
        self.settings = SimpleNamespace(
            seller=SellerSettings(name="Dialback Ltd", email="bills@dialback.example"),
            mail=MailSettings(host="127.0.0.1", port=port, security="none"),
            web=SimpleNamespace(public_url=public_url),
            agi=SimpleNamespace(secret=SecretStr(SECRET)),
        )
        self.change, self.read = company.call, company.read

    def now(self) -> datetime:
        return self.clock


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as box:
        yield box


@pytest.fixture
def desk(company: Database, mailbox: Mailbox) -> OneDesk:
    return OneDesk(company, mailbox.port)


def set_email(desk: OneDesk, email: str) -> str:
    """What the clerk is told who sets it."""

    def put(connection: Connection) -> str:
        author = Author(at=desk.clock, name="anna")
        before = customers.account(connection, "acme")
        after = customers.change_account(connection, replace(before, billing_email=email), author)
        return ask(connection, after, cast("Any", desk.settings), author)

    return desk.change("set", put)


def send(desk: OneDesk, folder: Path | None = None) -> Delivered:
    by = Folder(folder) if folder else postman_of(desk.settings.mail)
    return deliver(cast("Desk", desk), by, told=lambda _: None)


def only_message(mailbox: Mailbox) -> EmailMessage:
    (taken,) = mailbox.messages
    return message_from_bytes(taken, policy=default)


def token_in(message: EmailMessage) -> str:
    (line,) = (each for each in message.get_content().splitlines() if each.startswith("https://"))
    url, _, token = line.rpartition("/")
    assert url == f"{PUBLIC_URL}/confirm"
    return str(token)


def confirm(desk: OneDesk, token: str) -> Meaning:
    secret = SECRET.encode()
    return desk.change("confirm", confirmations.confirm, token, secret=secret, at=desk.clock).meaning


def test_F071_a_new_address_gets_a_letter_whose_link_confirms_it(desk: OneDesk, mailbox: Mailbox) -> None:
    assert set_email(desk, "ap@acme.example").startswith(ASKED)
    assert send(desk) == Delivered(sent=1, later=0, failed=0)
    message = only_message(mailbox)
    assert message["To"] == "ap@acme.example"
    assert message["From"] == "Dialback Ltd <bills@dialback.example>"
    assert message["Subject"] == "Please confirm this address for the invoices of Acme Ltd"
    text = message.get_content()
    assert "They are those of Acme Ltd, account acme." in text
    assert "The link is good until 2026-07-02 10:00:00 +01:00." in text  # in the account's zone, London
    desk.clock += timedelta(hours=23, minutes=59)
    assert confirm(desk, token_in(message)) is Meaning.CONFIRMED
    assert set_email(desk, "ap@acme.example") == ""


def test_F071_the_24_hours_begin_when_the_letter_was_asked_for(desk: OneDesk, mailbox: Mailbox) -> None:
    set_email(desk, "ap@acme.example")
    desk.clock += timedelta(hours=20)
    assert send(desk).sent == 1
    desk.clock += timedelta(hours=4, minutes=1)
    assert confirm(desk, token_in(only_message(mailbox))) is Meaning.TOO_OLD


def test_F071_a_letter_whose_link_is_too_old_is_not_sent(desk: OneDesk, mailbox: Mailbox) -> None:
    set_email(desk, "ap@acme.example")
    desk.clock += timedelta(hours=24)
    assert send(desk) == Delivered(sent=0, later=0, failed=1)
    assert mailbox.messages == []
    (mail,) = desk.read("mails", mails.list_mails)
    assert mail.told == "its link is too old; `dialback account confirm-email acme` sends another"
    assert (mail.kind, mail.title, mail.state) == ("confirmation", "confirmation", "failed")


def test_F071_a_letter_to_an_address_that_was_mended_meanwhile_is_not_sent(
    desk: OneDesk, mailbox: Mailbox
) -> None:
    set_email(desk, "typo@acme.example")
    set_email(desk, "ap@acme.example")
    assert send(desk) == Delivered(sent=1, later=0, failed=0)
    assert only_message(mailbox)["To"] == "ap@acme.example"
    first, second = desk.read("mails", mails.list_mails)
    assert (first.state, first.told, second.state) == ("failed", mails.WITHDRAWN, "sent")


def test_F071_a_letter_that_was_being_sent_when_the_address_changed_does_not_come_back(
    desk: OneDesk, mailbox: Mailbox
) -> None:
    set_email(desk, "ap@acme.example")
    assert desk.change("claim", mails.claim, now=desk.clock) is not None
    set_email(desk, "")
    desk.clock += mails.CLAIM
    assert send(desk) == Delivered(sent=0, later=0, failed=1)
    assert mailbox.messages == []


def test_F071_a_letter_is_tried_again_with_the_same_bytes(desk: OneDesk, mailbox: Mailbox) -> None:
    set_email(desk, "ap@acme.example")
    mailbox.breaks_in_data = 1
    assert send(desk).later == 1
    (mail,) = desk.read("mails", mails.list_mails)
    assert mail.link_id is not None
    desk.clock += timedelta(minutes=1)
    assert send(desk).sent == 1
    message = only_message(mailbox)
    assert message["Message-ID"] == f"<confirm-acme-{mail.link_id}.ap-acme.example@dialback.example>"
    assert token_in(message) not in message["Message-ID"]


@pytest.mark.parametrize(
    ("public_url", "host", "lacks"),
    [
        ("", "mail.example", "[web] public_url"),
        (PUBLIC_URL, "", "[mail] host"),
        ("", "", "[web] public_url and [mail] host"),
    ],
)
def test_F071_without_a_server_or_a_web_address_nothing_is_queued_and_one_line_says_so(
    company: Database, public_url: str, host: str, lacks: str
) -> None:
    desk = OneDesk(company, 1, public_url)
    desk.settings.mail = MailSettings(host=host)
    told = f"Nobody is asked to confirm ap@acme.example: without {lacks} no letter is sent."
    assert set_email(desk, "ap@acme.example") == told
    assert desk.read("mails", mails.list_mails) == ()


def test_F071_an_address_that_was_confirmed_before_is_not_asked_again(
    desk: OneDesk, mailbox: Mailbox
) -> None:
    set_email(desk, "ap@acme.example")
    send(desk)
    assert confirm(desk, token_in(only_message(mailbox))) is Meaning.CONFIRMED
    assert set_email(desk, "") == ""
    assert set_email(desk, "ap@acme.example") == ""
    assert len(desk.read("mails", mails.list_mails)) == 1


def test_F071_letters_go_to_a_folder_as_well(desk: OneDesk, tmp_path: Path) -> None:
    set_email(desk, "ap@acme.example")
    assert send(desk, tmp_path / "out").sent == 1
    (file,) = (tmp_path / "out").iterdir()
    message = message_from_bytes(file.read_bytes(), policy=default)
    assert confirm(desk, token_in(message)) is Meaning.CONFIRMED


LETTER = LinkLetter(
    link_id=7, url=f"{PUBLIC_URL}/confirm/1.x", sender="bills@dialback.example", sender_name="Dialback",
    recipient="ap@acme.example", account_id="acme", account_name="Acme", good_until=NOW, dated=NOW,
)  # fmt: skip


def test_F071_the_same_letter_has_the_same_bytes() -> None:
    assert bytes(link_message_of(LETTER)) == bytes(link_message_of(LETTER))


@pytest.mark.parametrize("name", ["Acme", "Zoë & Söhne"])
def test_F071_the_link_is_whole_and_where_plain_text_allows_it_also_in_the_bytes(name: str) -> None:
    letter = replace(LETTER, account_name=name, url=f"{PUBLIC_URL}/confirm/1.{'x' * 43}")
    message = link_message_of(letter)
    assert letter.url in message.get_content().splitlines()
    assert (f"\r\n{letter.url}\r\n".encode() in bytes(message)) is name.isascii()


def test_F071_no_header_is_smuggled_into_the_letter() -> None:
    evil = 'Evil"\r\nBcc: x@y.example\r\n\r\nhttps://evil.example'
    message = link_message_of(replace(LETTER, sender_name=evil, account_name=evil))
    assert "Bcc" not in message
    links = [line for line in message.get_content().splitlines() if line.startswith("https://")]
    assert links == [LETTER.url]
    with pytest.raises(AddressRefused):
        link_message_of(replace(LETTER, recipient="a@b\r\nBcc: x@y"))

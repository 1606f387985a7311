"""Mail that carries invoices: each once, tried again when it may help, to a real SMTP server or a folder."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from smtp_server import Mailbox, smtp_server
from storeworld import CLERK, callback, play, story

from billing.letter import AddressRefused, Letter, message_of
from billing.render import forms
from staff.desk import Desk
from staff.post import Delivered, Folder, deliver, postman_of
from staff.settings import MailSettings, SellerSettings
from store import customers, mails, papers
from store.audit import Author
from store.billruns import Terms, close
from store.database import Database
from store.errors import Invalid

NOW = datetime(2026, 4, 2, 9, tzinfo=UTC)
SELLER = SellerSettings(
    name="Dialback Ltd", country="DE", tax_id="DE123456789", email="bills@dialback.example"
)
NUMBER = "INV-1"


class OneDesk:
    """A desk at this store, with a clock that is set by hand."""

    def __init__(self, company: Database, settings: MailSettings) -> None:
        self.company = company
        self.clock = NOW
        self.settings = SimpleNamespace(seller=SELLER, mail=settings)
        self.change, self.read = company.call, company.read

    def now(self) -> datetime:
        return self.clock


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as box:
        yield box


@pytest.fixture
def issued(company: Database) -> Database:
    company.call("play", play, callback(), story(callback()))
    owner = company.read("account", customers.account, "acme")
    company.call("mail", customers.change_account, replace(owner, billing_email="ap@acme.example"), CLERK)
    terms = Terms(seller=SELLER.party(), pattern="INV-{n}", due_days=14)
    author = Author(at=NOW, name="clerk")
    company.call("close", close, ["acme"], month_of=(2026, 3), terms=terms, author=author)
    company.call("keep", papers.keep, NUMBER, forms(company.read("invoice", papers.invoice_of, NUMBER)))
    return company


def queue(company: Database) -> mails.Queued:
    return company.call("queue", mails.queue, [NUMBER], Author(at=NOW, name="clerk"))


def desk_for(company: Database, mailbox: Mailbox, **fields: Any) -> OneDesk:
    given: dict[str, Any] = {"host": "127.0.0.1", "port": mailbox.port, "security": "none"} | fields
    return OneDesk(company, MailSettings(**given))


def send(desk: OneDesk, folder: Path | None = None) -> Delivered:
    by = Folder(folder) if folder else postman_of(desk.settings.mail)
    return deliver(cast("Desk", desk), by, told=lambda _: None)


def only_mail(company: Database) -> mails.Mail:
    (mail,) = company.read("mails", mails.list_mails)
    return mail


def test_an_invoice_is_queued_once_and_sent_once(issued: Database, mailbox: Mailbox) -> None:
    assert queue(issued).new == (NUMBER,)
    assert queue(issued).known == (NUMBER,)
    desk = desk_for(issued, mailbox)
    assert send(desk) == Delivered(sent=1, later=0, failed=0)
    assert send(desk) == Delivered(sent=0, later=0, failed=0)
    (taken,) = mailbox.messages
    message = message_from_bytes(taken, policy=default)
    assert message["To"] == "ap@acme.example"
    assert message["From"] == "Dialback Ltd <bills@dialback.example>"
    assert message["Subject"] == "Invoice INV-1, 2026-03"
    (attached,) = message.iter_attachments()
    assert attached.get_filename() == "INV-1.pdf"
    assert attached.get_content() == issued.read("paper", papers.paper, NUMBER, "pdf")
    assert only_mail(issued).state == "sent"
    assert queue(issued).known == (NUMBER,)


def test_what_the_server_does_not_take_now_is_tried_again_later(issued: Database, mailbox: Mailbox) -> None:
    queue(issued)
    mailbox.answers = ["451 later please", "452 full"]
    desk = desk_for(issued, mailbox)
    assert send(desk) == Delivered(sent=0, later=1, failed=0)
    assert only_mail(issued).told == "451 later please"
    assert send(desk) == Delivered(sent=0, later=0, failed=0)  # not due yet
    desk.clock += timedelta(minutes=1)
    assert send(desk).later == 1
    desk.clock += timedelta(minutes=5)
    assert send(desk).sent == 1
    assert (only_mail(issued).attempts, len(mailbox.messages)) == (3, 1)


def test_what_it_refuses_for_good_is_not_tried_again_until_somebody_says_so(
    issued: Database, mailbox: Mailbox
) -> None:
    queue(issued)
    mailbox.answers = ["550 no such mailbox"]
    desk = desk_for(issued, mailbox)
    assert send(desk) == Delivered(sent=0, later=0, failed=1)
    desk.clock += timedelta(days=9)
    assert send(desk) == Delivered(sent=0, later=0, failed=0)
    assert issued.call("again", mails.again, NUMBER, Author(at=desk.clock, name="clerk")) == 1
    assert send(desk).sent == 1


def test_a_server_that_is_away_or_breaks_off_is_tried_again(issued: Database, mailbox: Mailbox) -> None:
    queue(issued)
    mailbox.breaks_in_data = 1
    desk = desk_for(issued, mailbox)
    assert send(desk).later == 1
    away = desk_for(issued, Mailbox(port=1))
    away.clock += timedelta(minutes=1)
    assert send(away).later == 1
    desk.clock += timedelta(hours=1)
    assert send(desk).sent == 1


def test_tries_have_an_end(issued: Database, mailbox: Mailbox) -> None:
    queue(issued)
    mailbox.answers = ["451 later"] * 9
    desk = desk_for(issued, mailbox, attempts_max=2)
    assert send(desk).later == 1
    desk.clock += timedelta(hours=1)
    assert send(desk).failed == 1
    assert only_mail(issued).state == "failed"


def test_a_mail_whose_sender_died_is_sent_again_under_the_same_id(issued: Database, mailbox: Mailbox) -> None:
    queue(issued)
    desk = desk_for(issued, mailbox)
    claimed = issued.call("claim", mails.claim, now=NOW)
    assert claimed is not None
    assert send(desk).sent == 0  # somebody is at it
    desk.clock += mails.CLAIM
    assert send(desk).sent == 1
    assert b"Message-ID: <INV-1.ap-acme.example@dialback.example>" in mailbox.messages[0]


def test_mail_goes_to_a_folder_as_well(issued: Database, tmp_path: Path) -> None:
    queue(issued)
    desk = OneDesk(issued, MailSettings())
    assert send(desk, tmp_path / "out").sent == 1
    (file,) = (tmp_path / "out").iterdir()
    assert file.name == "INV-1.ap-acme.example@dialback.example.eml"
    assert b"INV-1.pdf" in file.read_bytes()
    assert only_mail(issued).told == str(file)


def test_an_account_without_address_is_named(issued: Database) -> None:
    owner = issued.read("account", customers.account, "acme")
    issued.call("mail", customers.change_account, replace(owner, billing_email=""), CLERK)
    assert queue(issued).nowhere == (NUMBER,)
    with pytest.raises(Invalid, match="no invoice 'INV-9'"):
        issued.call("queue", mails.queue, ["INV-9"], CLERK)


LETTER = Letter(
    number="INV/1", title="Invoice", sender="bills@dialback.example", sender_name="Dialback",
    recipient="ap@acme.example", first_day=NOW.date(), total="1.00 EUR", due="Please pay.",
    due_on=NOW.date(), dated=NOW, pdf=b"%PDF", has_xml=True,
)  # fmt: skip


def test_the_same_letter_has_the_same_bytes() -> None:
    assert bytes(message_of(LETTER)) == bytes(message_of(LETTER))


def test_a_letter_promises_the_form_for_programs_only_where_there_is_one() -> None:
    assert "factur-x.xml" in str(message_of(LETTER))
    assert "factur-x.xml" not in str(message_of(replace(LETTER, has_xml=False)))


@pytest.mark.parametrize("text", ["", "nobody", "a@b\r\nBcc: x@y", "a b@c", "a@b, c@d", "ä@b.example"])
def test_no_header_is_smuggled_in_by_an_address(text: str) -> None:
    with pytest.raises(AddressRefused):
        message_of(replace(LETTER, recipient=text))


def test_no_header_is_smuggled_in_by_a_name() -> None:
    message = message_of(
        replace(LETTER, sender_name='Evil"\r\nBcc: x@y.example', number="X\r\nBcc: z@y.example")
    )
    assert "Bcc" not in message

"""F071 as a clerk meets it: an address is set, a letter or a link asks; a run tells who is silent."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import tomlkit
from office import Office
from storeworld import callback, play, story

from settings import load
from store import confirmations
from store.confirmations import Followed, Meaning

EMAIL = "ap@acme.example"
PUBLIC_URL = "https://calls.example.com"
TOKEN = re.compile(rf"{PUBLIC_URL}/confirm/([0-9]+\.[A-Za-z0-9_-]{{43}})\n")


def with_settings(office: Office, **sections: dict[str, str]) -> Office:
    """The office with these keys in these sections of switch.toml."""
    config = office.folder / "switch.toml"
    written = tomlkit.parse(config.read_text())
    for name, keys in sections.items():
        written.setdefault(name, tomlkit.table()).update(keys)
    config.write_text(tomlkit.dumps(written))
    return office


@pytest.fixture
def printing(office: Office) -> Office:
    """It has a web address and no mail server."""
    return with_settings(office, web={"public_url": f"{PUBLIC_URL}/"})


@pytest.fixture
def mailing(printing: Office) -> Office:
    """It has both."""
    return with_settings(printing, mail={"host": "mail.example", "sender": "bills@dialback.example"})


def secret_of(office: Office) -> bytes:
    return load(office.folder / "switch.toml").agi.secret.get_secret_value().encode()


def follow(office: Office, token: str) -> Followed:
    found = office.store(confirmations.confirm, token, secret=secret_of(office), at=datetime.now(UTC))
    assert isinstance(found, Followed)
    return found


def shown(office: Office) -> dict[str, object]:
    found: dict[str, object] = office.done("account", "show", "acme", "--output", "json").data
    return found


def test_F071_a_link_is_printed_where_no_mail_leaves_and_confirms_the_address(printing: Office) -> None:
    told = printing.done("account", "change", "acme", "--email", EMAIL).err
    assert told == f"Nobody is asked to confirm {EMAIL}: without [mail] host no letter is sent.\n"
    assert (shown(printing)["email_confirmed"], shown(printing)["email_confirmed_at"]) == (False, None)
    printed = printing.done("account", "confirm-email", "acme")
    found = TOKEN.fullmatch(printed.out)
    assert found is not None
    assert f"For {EMAIL} alone, until " in printed.err
    assert follow(printing, found[1]).meaning is Meaning.CONFIRMED
    assert shown(printing)["email_confirmed"] is True
    assert shown(printing)["email_confirmed_at"]
    again = printing.done("account", "confirm-email", "acme")
    assert (again.out, f"{EMAIL} was confirmed at " in again.err) == ("", True)
    listed = printing.done("account", "list", "--output", "json").data
    assert {row["id"]: row["email_confirmed"] for row in listed} == {"acme": True, "other": None}


def test_F071_a_letter_waits_as_soon_as_an_address_is_set(mailing: Office, tmp_path: Path) -> None:
    new = ("--currency", "USD", "--plan", "standard", "--email", "ap@new.example")
    said = mailing.done("account", "add", "new", "--name", "New Ltd", *new).err
    assert said.startswith("A letter asks ap@new.example to confirm, once `dialback mail run` sends it")
    mailing.done("account", "change", "acme", "--email", EMAIL)
    mailing.done("account", "change", "acme", "--name", "Acme & Sons")  # no reason to ask again
    rows = mailing.done("mail", "list", "--output", "json").data
    assert [(row["kind"], row["number"], row["recipient"], row["state"]) for row in rows] == [
        ("confirmation", None, "ap@new.example", "queued"),
        ("confirmation", None, EMAIL, "queued"),
    ]
    assert "confirmation to ap@acme.example: " in mailing.done("mail", "run", "--folder", str(tmp_path)).err
    (file,) = tmp_path.glob("confirm-acme-*.eml")
    text = file.read_bytes().replace(b"=\r\n", b"").replace(b"\r\n", b"\n").decode()
    found = TOKEN.search(text)
    assert found is not None
    assert follow(mailing, found[1]).meaning is Meaning.CONFIRMED
    mailing.done("account", "confirm-email", "new", "--reason", "it was lost")
    assert len(mailing.done("mail", "list", "--output", "json").data) == 3


def test_F071_what_cannot_be_asked_is_refused_with_its_remedy(office: Office) -> None:
    refused = office("account", "confirm-email", "acme")
    assert (refused.code, refused.out) == (78, "")
    assert "[web] public_url: it is not set" in refused.err
    with_settings(office, web={"public_url": PUBLIC_URL})
    nowhere = office("account", "confirm-email", "acme")
    assert (nowhere.code, "set one by `dialback account change --email`" in nowhere.err) == (2, True)
    assert office("account", "confirm-email", "nobody").code == 3


def test_F071_a_run_and_its_mail_name_whose_address_nobody_confirmed_and_go_on(printing: Office) -> None:
    printing.done("account", "change", "acme", "--email", EMAIL)
    first = callback("cb1", currency="USD")
    printing.store(play, first, story(first, 90))
    remark = f"Nobody has confirmed the address of acme ({EMAIL}); see `dialback account confirm-email`.\n"
    run = ("invoice", "run", "--month", "2026-03", "--no-papers", "--output", "json")
    assert remark in printing.done(*run, "--dry-run").err
    made = printing.done(*run, "--yes")
    assert ([row["state"] for row in made.data], remark in made.err) == (["issued"], True)
    sent = printing.done("invoice", "send", "--month", "2026-03")
    assert (sent.out, remark in sent.err) == ("1 queued, 0 known already, 0 without address\n", True)


def test_F071_a_run_says_nothing_of_addresses_that_are_confirmed(printing: Office) -> None:
    printing.done("account", "change", "acme", "--email", EMAIL)
    found = TOKEN.fullmatch(printing.done("account", "confirm-email", "acme").out)
    assert found is not None
    follow(printing, found[1])
    first = callback("cb1", currency="USD")
    printing.store(play, first, story(first, 90))
    made = printing.done("invoice", "run", "--month", "2026-03", "--no-papers", "--yes")
    assert "1 issued" in made.err
    assert "Nobody has confirmed" not in made.err

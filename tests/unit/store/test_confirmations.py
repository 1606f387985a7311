"""F071: a link confirms the address for invoices, for 24 hours, once, and for that address alone."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storeworld import CLERK, NOW

from store import audit, confirmations, customers
from store.audit import Author
from store.confirmations import EmailLink, Followed, Meaning
from store.database import Database
from store.errors import Invalid, NotFound

SECRET = b"the secret of this switch"
EMAIL = "ap@acme.example"
ANNA = Author(at=NOW, name="anna")
DAY = timedelta(hours=24)
MINUTE = timedelta(minutes=1)


def set_email(company: Database, email: str) -> None:
    owner = company.read("account", customers.account, "acme")
    company.call("set", customers.change_account, replace(owner, billing_email=email), CLERK)


@pytest.fixture
def link(company: Database) -> EmailLink:
    set_email(company, EMAIL)
    return company.call("link", confirmations.make_link, "acme", ANNA)


def look(company: Database, token: str, at: datetime) -> Followed:
    return company.read("look", confirmations.look, token, secret=SECRET, at=at)


def confirm(company: Database, token: str, at: datetime) -> Followed:
    return company.call("confirm", confirmations.confirm, token, secret=SECRET, at=at)


def confirmed_at(company: Database, email: str = EMAIL) -> datetime | None:
    return company.read("confirmed", confirmations.confirmed_at, "acme", email)


def test_F071_a_link_works_at_23_h_59_min(company: Database, link: EmailLink) -> None:
    at = NOW + DAY - MINUTE
    assert look(company, link.token(SECRET), at).meaning is Meaning.OPEN
    assert confirmed_at(company) is None
    followed = confirm(company, link.token(SECRET), at)
    assert (followed.meaning, followed.confirmed_at) == (Meaning.CONFIRMED, at)
    assert confirmed_at(company) == at


def test_F071_a_link_is_refused_at_24_h_01_min(company: Database, link: EmailLink) -> None:
    at = NOW + DAY + MINUTE
    assert look(company, link.token(SECRET), at).meaning is Meaning.TOO_OLD
    assert confirm(company, link.token(SECRET), at).meaning is Meaning.TOO_OLD
    assert confirmed_at(company) is None


def test_F071_the_24th_hour_ends_before_its_own_instant(company: Database, link: EmailLink) -> None:
    assert confirm(company, link.token(SECRET), NOW + DAY).meaning is Meaning.TOO_OLD
    last = NOW + DAY - timedelta(microseconds=1)
    assert confirm(company, link.token(SECRET), last).meaning is Meaning.CONFIRMED


def test_F071_a_second_time_says_when_it_was_and_changes_nothing(company: Database, link: EmailLink) -> None:
    confirm(company, link.token(SECRET), NOW)
    again = confirm(company, link.token(SECRET), NOW + MINUTE)
    assert (again.meaning, again.confirmed_at) == (Meaning.BEFORE, NOW)
    late = confirm(company, link.token(SECRET), NOW + DAY)
    assert (late.meaning, late.confirmed_at) == (Meaning.TOO_OLD, NOW)
    noted = company.read("audit", audit.list_noted, action="account.email_confirmed")
    assert [(each.actor, each.subject, each.after, each.at) for each in noted] == [
        ("link", "acme", f"email={EMAIL}", NOW)
    ]


def test_F071_eight_at_once_confirm_it_once(company: Database, link: EmailLink) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [pool.submit(confirm, company, link.token(SECRET), NOW) for _ in range(8)]
    meanings = [each.result().meaning for each in asked]
    assert sorted(meanings) == [Meaning.CONFIRMED, *[Meaning.BEFORE] * 7]


def test_F071_a_link_is_void_while_the_account_has_another_address(
    company: Database, link: EmailLink
) -> None:
    set_email(company, "other@acme.example")
    followed = confirm(company, link.token(SECRET), NOW)
    assert followed.meaning is Meaning.CHANGED
    assert confirmed_at(company) is None
    assert confirmed_at(company, "other@acme.example") is None
    set_email(company, "")
    assert confirm(company, link.token(SECRET), NOW).meaning is Meaning.CHANGED


def test_F071_what_was_confirmed_is_of_that_address_and_comes_back_with_it(
    company: Database, link: EmailLink
) -> None:
    confirm(company, link.token(SECRET), NOW)
    assert company.read("unconfirmed", confirmations.unconfirmed) == {}
    set_email(company, "other@acme.example")
    assert company.read("unconfirmed", confirmations.unconfirmed) == {"acme": "other@acme.example"}
    assert company.read("unconfirmed", confirmations.unconfirmed, {"nobody"}) == {}
    set_email(company, EMAIL)
    assert company.read("unconfirmed", confirmations.unconfirmed) == {}
    set_email(company, "")
    assert company.read("unconfirmed", confirmations.unconfirmed) == {}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_F071_a_token_with_one_character_changed_is_not_valid(
    company: Database, link: EmailLink, data: st.DataObject
) -> None:
    token = link.token(SECRET)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("0123456789ABCxyz_-.").filter(lambda found: found != token[place]))
    changed = f"{token[:place]}{other}{token[place + 1 :]}"
    assert confirm(company, changed, NOW).meaning is Meaning.UNKNOWN
    assert confirmed_at(company) is None


@pytest.mark.parametrize(
    "forged",
    [
        lambda link: link.token(b"the secret of another switch"),
        lambda link: replace(link, account_id="other").token(SECRET),
        lambda link: replace(link, email="ap@evil.example").token(SECRET),
        lambda link: replace(link, made_at=link.made_at + DAY).token(SECRET),
        lambda link: f"{link.token(SECRET)} ",
        lambda link: "",
        lambda link: "'; DROP TABLE accounts; --",
        lambda link: "\x00",
        lambda link: "9" * 100_000,
    ],
    ids=["secret", "account", "address", "instant", "blank", "nothing", "sql", "nul", "endless"],
)
def test_F071_a_token_that_was_not_made_is_not_valid(
    company: Database, link: EmailLink, forged: object
) -> None:
    assert callable(forged)
    assert confirm(company, forged(link), NOW).meaning is Meaning.UNKNOWN
    assert confirmed_at(company) is None


def test_F071_links_of_one_instant_are_told_apart(company: Database, link: EmailLink) -> None:
    owner = company.read("account", customers.account, "acme")
    other = replace(owner, id="other", name="Other Ltd", billing_email="ap@other.example")
    company.call("add", customers.add_account, other, CLERK)
    theirs = company.call("link", confirmations.make_link, "other", ANNA)
    followed = confirm(company, theirs.token(SECRET), NOW)
    assert followed.owner is not None
    assert (followed.owner.id, followed.meaning) == ("other", Meaning.CONFIRMED)
    assert company.read("unconfirmed", confirmations.unconfirmed) == {"acme": EMAIL}


def test_F071_the_token_stands_in_no_table(company: Database, link: EmailLink) -> None:
    confirm(company, link.token(SECRET), NOW)
    mac = link.token(SECRET).partition(".")[2]
    for table in ("email_links", "email_confirmations", "audit_log", "mails"):
        rows = company.read("rows", lambda connection, name: connection.exec_driver_sql(
            f"SELECT * FROM {name}").all(), table)  # fmt: skip
        assert mac not in repr(rows)
    (noted,) = company.read("audit", audit.list_noted, action="account.email_link")
    assert (noted.actor, noted.after) == ("anna", f"email={EMAIL}")


def test_F071_there_is_no_link_without_an_address_or_an_account(company: Database) -> None:
    with pytest.raises(Invalid, match="email: account 'acme' has no address for invoices; set one by"):
        company.call("link", confirmations.make_link, "acme", ANNA)
    with pytest.raises(NotFound):
        company.call("link", confirmations.make_link, "nobody", ANNA)

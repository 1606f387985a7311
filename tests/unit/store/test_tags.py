"""What may be keyed instead of a number, and under what a call is booked."""

from dataclasses import replace
from typing import Any

import pytest
from storeworld import CLERK, FRIEND, NOW, PHONE, callback, play, seconds, story

from calls import events
from calls.callback import Callback, ReleasedBy
from calls.cdr import LegRole
from calls.commands import Authorise
from store import cdrs, customers, directories, outbox, tags
from store.database import Database
from store.directories import SpeedDialEntry
from store.errors import Conflict, Invalid, NotFound
from store.tags import TagRow
from values.e164 import E164

SEVEN = SpeedDialEntry(account_id="acme", subscriber_id="", code="7", number=FRIEND, name="Friend")


def directory(company: Database) -> Any:
    return company.read("directory", directories.directory_of, callback())


def tag(company: Database, tag: str, *, code: str = "", prefix: str = "") -> TagRow:
    wish = TagRow(account_id="acme", digits=code or prefix, tag=tag, is_rule=bool(prefix))
    return company.call("tag", tags.add_tag, wish, CLERK)


# speed dials


def test_F132_a_subscribers_own_entry_comes_before_the_accounts(company: Database) -> None:
    company.call("add", directories.add_speed_dial, SEVEN, CLERK)
    assert directory(company).number_behind("7") == FRIEND
    own = replace(SEVEN, subscriber_id="anna", number=PHONE)
    company.call("add", directories.add_speed_dial, own, CLERK)
    assert directory(company).number_behind("7") == PHONE
    key: dict[str, Any] = {"account_id": "acme", "subscriber_id": "anna", "code": "7"}
    company.call("remove", directories.remove_speed_dial, **key, author=CLERK)
    assert directory(company).number_behind("7") == FRIEND
    with pytest.raises(NotFound):
        company.call("remove", directories.remove_speed_dial, **key, author=CLERK)


def test_a_code_that_is_taken_is_refused_and_the_same_entry_is_not(company: Database) -> None:
    company.call("add", directories.add_speed_dial, SEVEN, CLERK)
    company.call("add", directories.add_speed_dial, SEVEN, CLERK)
    with pytest.raises(Conflict, match="is \\+14155550123 already"):
        company.call("add", directories.add_speed_dial, replace(SEVEN, number=PHONE), CLERK)


@pytest.mark.parametrize("code", ["0", "00", "07", "100", "", "x", "-1", "\u0667"])
def test_a_code_is_one_to_ninety_nine(company: Database, code: str) -> None:
    with pytest.raises(Invalid) as told:
        company.call("add", directories.add_speed_dial, replace(SEVEN, code=code), CLERK)
    assert told.value.field == "code"


def test_F132_the_last_number_is_the_one_dialled_last(company: Database) -> None:
    assert directory(company).last_number is None
    company.call("play", play, callback(), story(callback()))
    assert directory(company).last_number == FRIEND


# tags


def test_F064_the_more_exact_tag_wins(company: Database) -> None:
    def booked(keyed: str = "", number: E164 = FRIEND, asked: str = "") -> str:
        made = callback()
        made = replace(made, origin=replace(made.origin, tag=asked))
        return company.read("tag", tags.tag_of_destination, made, number, keyed)

    assert booked() == ""
    known = company.read("anna", customers.subscriber, "anna")
    company.call("change", customers.change_subscriber, replace(known, tag="Anna"), CLERK)
    assert booked() == "Anna"
    tag(company, "America", prefix="1")
    tag(company, "California", prefix="1415")
    assert booked() == "California"
    assert booked(number=PHONE) == "Anna"
    assert booked(asked="Project 9") == "Project 9"
    assert booked(keyed="Miller", asked="Project 9") == "Miller"


def test_F064_codes_are_told_only_where_the_account_asks_for_them(company: Database) -> None:
    tag(company, "Miller", code="4711")
    assert not directory(company).asks_tag
    known = company.read("account", customers.account, "acme")
    company.call("change", customers.change_account, replace(known, asks_tag=True), CLERK)
    assert directory(company).asks_tag
    assert directory(company).tag_of("4711") == "Miller"
    company.call("remove", tags.remove_tag, account_id="acme", digits="4711", is_rule=False, author=CLERK)
    assert not directory(company).asks_tag


def test_a_code_means_one_thing(company: Database) -> None:
    tag(company, "Miller", code="4711")
    tag(company, "Miller", code="4711")
    with pytest.raises(Conflict, match="means 'Miller' already"):
        tag(company, "Smith", code="4711")
    tag(company, "Smith", prefix="4711")
    with pytest.raises(NotFound):
        company.call("remove", tags.remove_tag, account_id="acme", digits="1", is_rule=False, author=CLERK)


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"code": "x1"}, "code"),
        ({"code": "1" * 13}, "code"),
        ({"prefix": "049"}, "prefix"),
        ({"prefix": "+49"}, "prefix"),
    ],
)
def test_what_cannot_be_keyed_or_dialled_is_refused_by_field(
    company: Database, wish: dict[str, str], field: str
) -> None:
    with pytest.raises(Invalid) as told:
        tag(company, "Miller", **wish)
    assert told.value.field == field


def tagged(first: Callback, tag_b: str) -> Any:
    for event in story(first):
        if isinstance(event, events.DestinationAuthorised):
            yield replace(event, legs=tuple(replace(leg, tag=tag_b) for leg in event.legs))
        elif isinstance(event, events.DialAuthorised):
            yield replace(event, leg=replace(event.leg, tag="Anna"))
        else:
            yield event


def test_F064_both_legs_are_booked_under_the_tag_of_the_call(company: Database) -> None:
    company.call("play", play, callback(), tagged(callback(), "Miller"))
    records = company.read("cdrs", cdrs.list_cdrs)
    assert [(each.cdr.role, each.tag) for each in records] == [(LegRole.A, "Miller"), (LegRole.B, "Miller")]


def test_F064_without_a_call_the_A_leg_is_its_subscribers(company: Database) -> None:
    told = [event for event in tagged(callback(), "") if event.at < seconds(20)]
    left = events.LegHungUp(at=seconds(30), leg_id="cb1-a1", q850_cause=16, released_by=ReleasedBy.FAR)
    company.call("play", play, callback(), [*told, left])
    (record,) = company.read("cdrs", cdrs.list_cdrs)
    assert record.tag == "Anna"


def test_an_order_that_waits_keeps_the_tag(company: Database) -> None:
    order = Authorise(number=FRIEND, tag="Miller")
    first = callback()

    def put(connection: Any) -> Any:
        from store import callbacks

        callbacks.insert_callback(connection, first, announce=False)
        outbox.put(connection, first.id, [order], NOW)
        return outbox.undone(connection, [first])

    (undone,) = company.call("put", put)
    assert undone.command == order

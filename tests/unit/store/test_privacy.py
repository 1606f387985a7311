"""F171: after its time no number stands in a dump, the books agree, and a person can be forgotten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, text, update
from sqlalchemy.exc import DBAPIError
from storeworld import CLERK, FRIEND, NOW, PHONE, UNVERIFIED_PHONE, callback
from week import week

from billing.span import Span
from calls.callback import Callback
from store import callbacks, funnels, privacy
from store.admissions import list_triggers
from store.audit import Author
from store.callbacks import insert_callback
from store.cdrs import list_cdrs
from store.columns import metadata
from store.database import Database
from store.errors import Conflict, NotFound
from store.funnels import FunnelBy
from store.grouping import By, Wanted
from store.privacy import Before
from store.reports import takings
from store.schema import audit_log
from store.verify import verify

ALWAYS = Span(starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=30), zone="UTC")
LATER = NOW + timedelta(days=8)
CALLED = {str(FRIEND), str(PHONE), "+14155550199"}
"""Whom a week of calls went to or came from."""
MASTER_DATA = {"numbers", "dids", "subscribers", "audit_log", "country_policy"}
"""What an account has told us of itself; it goes when the person is erased."""


@pytest.fixture
def played(company: Database) -> list[Callback]:
    made: list[Callback] = company.call("week", week, seed=9, calls=20)
    return made


def dump(connection: Connection, *, without: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    return "\n".join(
        repr(tuple(row))
        for table in metadata.sorted_tables
        if table.name not in without
        for row in connection.execute(table.select())
    )


def run(company: Database, before: Before) -> int:
    total = 0
    while some := company.call("mask", privacy.mask_callbacks, before, LATER):
        total += some
    while company.call("mask", privacy.mask_triggers, before.everywhere, LATER):
        pass
    return total


def test_F171_no_number_of_an_old_call_is_found_in_a_dump_and_the_books_agree(
    company: Database, played: list[Callback]
) -> None:
    sums = company.read("takings", takings, Wanted(by=By.DESTINATION, span=ALWAYS))
    before = Before(everywhere=LATER, by_country={})
    assert any(number in company.read("dump", dump, without=MASTER_DATA) for number in CALLED)
    assert company.read("count", privacy.count_old, before)[0] == len(played)
    assert run(company, before) == len(played)
    left = company.read("dump", dump, without=MASTER_DATA)
    for number in CALLED:
        assert number not in left
        assert number[1:] not in left
    assert company.read("verify", verify) == ()
    assert company.read("takings", takings, Wanted(by=By.DESTINATION, span=ALWAYS)) == sums
    assert run(company, before) == 0


def test_masked_callbacks_and_records_are_read_as_before(company: Database, played: list[Callback]) -> None:
    run(company, Before(everywhere=LATER, by_country={}))
    known = company.read("load", callbacks.load, played[0].id)
    assert str(known.number_a) == "+44207946****"
    assert {str(each.cdr.number) for each in company.read("cdrs", list_cdrs)} <= {
        "+44207946****",
        "+1415555****",
    }
    assert {str(each.caller) for each in company.read("triggers", list_triggers)} <= {
        "+44207946****",
        "+1415555****",
    }
    found = company.read("funnel", funnels.funnels, ALWAYS, FunnelBy.COUNTRY)
    assert found["GB"].authorised == len(played)
    lines = company.read("trace", callbacks.trace, played[0].id)
    assert "+14155550123" not in repr(lines)


def test_younger_calls_keep_their_numbers_and_a_country_may_have_its_own_time(
    company: Database, played: list[Callback]
) -> None:
    def masked() -> int:
        return sum(
            "*" in str(each.number_a) for each in company.read("all", callbacks.list_callbacks, limit=100)
        )

    never = NOW - timedelta(days=1)
    run(company, Before(everywhere=LATER, by_country={"GB": never}))
    assert masked() == 0
    middle = NOW + timedelta(days=4)
    run(company, Before(everywhere=never, by_country={"GB": middle}))
    assert masked() == sum(each.ended_at < middle for each in played if each.ended_at)
    assert 0 < masked() < len(played)


def test_a_callback_under_way_is_left_alone(company: Database) -> None:
    company.call("insert", insert_callback, callback("live"))
    assert run(company, Before(everywhere=NOW + timedelta(days=99), by_country={})) == 0
    assert company.read("load", callbacks.load, "live").number_a == PHONE


def test_an_erased_person_is_in_no_table_the_audit_log_included(
    company: Database, played: list[Callback]
) -> None:
    author = Author(at=LATER, name="clerk", reason="asked for it")
    number = company.call("erase", privacy.erase, "anna", author)
    assert number == sum(each.subscriber_id == "anna" for each in played)
    words = ("Anna Example", str(UNVERIFIED_PHONE), UNVERIFIED_PHONE.digits)
    left = company.read("dump", dump)
    assert not [word for word in words if word in left]
    assert company.read("verify", verify) == ()
    # Doing it again changes nothing more, and each time is written down.
    company.call("erase", privacy.erase, "anna", author)
    assert [(each.kind, each.subject) for each in company.read("runs", privacy.list_runs)] == [
        ("erasure", "anna"),
        ("erasure", "anna"),
    ]


def test_nobody_is_erased_in_the_middle_of_a_call(company: Database) -> None:
    company.call("insert", insert_callback, callback("live"))
    with pytest.raises(Conflict, match="under way"):
        company.call("erase", privacy.erase, "anna", CLERK)
    with pytest.raises(NotFound):
        company.call("erase", privacy.erase, "nobody", CLERK)


def reword(connection: Connection) -> None:
    connection.execute(update(audit_log).values(before="nothing"))


def remove(connection: Connection) -> None:
    connection.execute(text("DELETE FROM privacy_runs"))


def redate(connection: Connection) -> None:
    connection.execute(text("UPDATE privacy_runs SET actor = 'nobody'"))


@pytest.mark.parametrize("change", [reword, remove, redate])
def test_the_audit_log_changes_in_no_other_way_and_runs_are_kept(
    company: Database, change: Callable[..., Any]
) -> None:
    company.call("note", privacy.note_run, CLERK, callbacks_masked=0, triggers_masked=0)
    with pytest.raises(DBAPIError, match=r"append-only|erasure"):
        company.call("change", change)


def test_who_made_a_change_and_when_is_never_reworded(company: Database) -> None:
    with pytest.raises(DBAPIError, match="append-only"):
        company.call("change", lambda connection: connection.execute(update(audit_log).values(actor="x")))

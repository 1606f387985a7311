import threading
from typing import Any

import pytest
from moneyed import Money
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from storeworld import FRIEND, NOW, callback, fill, play, seconds, story

from billing.holds import HoldEnded, HoldState, OverLimit
from billing.ledger import Entry, EntryKind, LedgerAccount, LedgerAccountKind, adjustment_entry, payment_entry
from store import callbacks, ledger
from store.database import Database
from store.errors import Conflict, NotFound

FROZEN = ("entries", "postings", "charges", "settlements", "audit_log", "cdrs", "callback_log")


def payment(entry_id: str = "payment-1", amount: str = "20.00", reference: str = "bank 1") -> Entry:
    return payment_entry(
        id=entry_id, at=NOW, account_id="acme", reference=reference, amount=Money(amount, "EUR")
    )


def test_a_payment_raises_what_is_available(company: Database) -> None:
    assert company.call("post", ledger.post, payment())
    assert company.read("available", ledger.available, "acme") == 70_0000
    standing = company.read("standing", ledger.standing, "acme")
    assert (standing.posted_units, standing.pending_units, standing.credit_limit_units) == (
        20_0000,
        0,
        50_0000,
    )


def test_an_entry_comes_back_as_it_was_posted(company: Database) -> None:
    made = adjustment_entry(
        id="adj-1",
        at=NOW,
        account_id="acme",
        reference="case 7",
        amount=Money("-1.5", "EUR"),
        reason="Late fee",
    )
    company.call("post", ledger.post, made)
    assert company.read("entry", ledger.entry, "adj-1") == made
    assert company.read("list", ledger.list_entries, account_id="acme", kind=EntryKind.ADJUSTMENT) == (made,)
    assert company.read("list", ledger.list_entries, account_id="other") == ()
    assert company.read("list", ledger.list_entries, since=seconds(1)) == ()
    assert company.read("list", ledger.list_entries, until=NOW) == ()


def test_posting_an_entry_twice_is_posting_it_once(company: Database) -> None:
    assert company.call("post", ledger.post, payment())
    assert not company.call("post", ledger.post, payment())
    assert company.read("available", ledger.available, "acme") == 70_0000


def test_another_entry_under_a_known_id_is_a_conflict(company: Database) -> None:
    company.call("post", ledger.post, payment())
    with pytest.raises(Conflict, match="other postings"):
        company.call("post", ledger.post, payment(amount="30.00"))


def test_the_kept_balance_is_the_sum_of_the_postings(company: Database) -> None:
    for number in range(5):
        company.call("post", ledger.post, payment(f"payment-{number}", f"{number}.0001"))
    cash = LedgerAccount(kind=LedgerAccountKind.CASH)
    derived = text("SELECT sum(units) FROM postings WHERE ledger_account_id = 'cash'")
    total = company.read("sum", lambda connection: int(connection.execute(derived).scalar_one()))
    assert company.read("balance", ledger.balance_units, cash, "EUR") == total == -10_0005


def test_an_unknown_account_or_entry_is_not_found(company: Database) -> None:
    with pytest.raises(NotFound, match="'nobody'"):
        company.read("available", ledger.available, "nobody")
    with pytest.raises(NotFound):
        company.read("entry", ledger.entry, "none")


@pytest.mark.parametrize("table", FROZEN)
def test_the_database_itself_forbids_changing_the_books(company: Database, table: str) -> None:
    company.call("play", play, callback(), story(callback()))
    company.call("post", ledger.post, payment())
    column = {"audit_log": "actor", "callback_log": "event", "cdrs": "trunk", "entries": "reference"}.get(
        table, "currency"
    )
    for statement in (f"UPDATE {table} SET {column} = 'x'", f"DELETE FROM {table}"):
        with pytest.raises(DBAPIError, match="append-only"):
            company.call("tamper", execute, statement)


def test_an_old_number_may_be_masked_in_a_record(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    company.call("mask", execute, f"UPDATE cdrs SET number = '+1415555' WHERE number = '{FRIEND}'")


def execute(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


# holds


def test_a_hold_takes_from_what_is_available_and_gives_it_back(company: Database) -> None:
    hold(company, "cb1", 10_0000)
    assert company.read("available", ledger.available, "acme") == 40_0000
    hold(company, "cb1", 30_0000)
    assert company.read("available", ledger.available, "acme") == 20_0000
    company.call("void", ledger.void_hold, "cb1", at=seconds(9))
    assert company.read("available", ledger.available, "acme") == 50_0000
    assert company.read("open", ledger.open_holds) == ()


def test_holding_the_same_again_changes_nothing(company: Database) -> None:
    assert hold(company, "cb1", 10_0000) == hold(company, "cb1", 10_0000)
    assert len(company.read("open", ledger.open_holds, "acme")) == 1


def test_no_hold_goes_over_the_limit(company: Database) -> None:
    with pytest.raises(OverLimit) as told:
        hold(company, "cb1", 50_0001)
    assert told.value.shortfall_units == 1
    hold(company, "cb1", 50_0000)
    with pytest.raises(OverLimit):
        hold(company, "cb1", 50_0001)


@pytest.mark.parametrize(
    ("end", "state"),
    [
        (lambda connection: ledger.post_hold(connection, "cb1", 500, at=NOW), HoldState.POSTED),
        (lambda connection: ledger.void_hold(connection, "cb1", at=NOW), HoldState.VOIDED),
        (lambda connection: ledger.expire_hold(connection, "cb1", at=NOW), HoldState.EXPIRED),
    ],
)
def test_a_hold_ends_once(company: Database, end: Any, state: HoldState) -> None:
    hold(company, "cb1", 1_0000)
    company.call("end", end)
    ended = company.read("hold", ledger.hold_of, "cb1")
    assert ended is not None
    assert ended.state is state
    with pytest.raises(HoldEnded):
        company.call("end again", end)


def test_F136_a_thousand_holds_at_once_on_credit_for_three_give_three(database: Database) -> None:
    database.call("fill", fill, 3_0000)
    wants = [callback(f"cb{number}") for number in range(1_000)]

    def insert_all(connection: Connection) -> None:
        for wish in wants:
            callbacks.insert_callback(connection, wish)

    database.call("insert", insert_all)
    outcomes: list[bool] = []
    start = threading.Barrier(8)

    def rush(some: list[Any]) -> None:
        start.wait()
        for wish in some:
            try:
                database.call("hold", ledger.hold, wish, 1_0000, at=NOW)
                outcomes.append(True)
            except OverLimit:
                outcomes.append(False)

    threads = [threading.Thread(target=rush, args=(wants[number::8],)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (outcomes.count(True), len(outcomes)) == (3, 1_000)
    assert database.read("available", ledger.available, "acme") == 0


def test_a_transaction_that_fails_after_its_hold_holds_nothing(company: Database) -> None:
    def hold_and_fail(connection: Connection) -> None:
        ledger.hold(connection, callback("cb1"), 1_0000, at=NOW)
        raise LookupError

    with pytest.raises(LookupError):
        company.call("fail", hold_and_fail)
    assert company.read("available", ledger.available, "acme") == 50_0000


def hold(company: Database, callback_id: str, units: int) -> Any:
    return company.call("hold", ledger.hold, callback(callback_id), units, at=NOW)

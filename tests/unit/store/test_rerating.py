"""F148, R-30: callbacks are priced anew by a reversal and a new entry; twice gives the same books."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text
from storeworld import CLERK, LONG_AGO, NOW, callback, fill, leg, play, rate, seconds, story

from billing.ledger import EntryKind, LedgerAccount, LedgerAccountKind
from billing.particulars import Party
from calls import events
from calls.callback import Callback, ReleasedBy
from calls.cdr import LegRole
from calls.events import Event
from store import billruns, creditnotes, ledger, papers, rerated
from store.cdrs import list_cdrs
from store.database import Database
from store.decks import add_version
from store.errors import Conflict, NotFound
from store.rerating import Chunk, Repricing
from store.reratingrows import Mark, Wish
from store.verify import verify

DAY = timedelta(days=1)
MONTH = Wish(since=NOW - DAY, until=NOW + DAY)


def balance(database: Database, kind: LedgerAccountKind, owner: str = "") -> int:
    return database.read("balance", ledger.balance_units, LedgerAccount(kind=kind, owner=owner), "EUR")


def receivable(database: Database) -> int:
    return balance(database, LedgerAccountKind.RECEIVABLE, "acme")


def call(database: Database, *talks: int) -> None:
    for number, talk in enumerate(talks, start=1):
        first = callback(f"cb{number}")
        database.call("play", play, first, story(first, talk))


def dearer(
    database: Database, price_a: str = "0.10", price_b: str = "0.50", effective_at: datetime = LONG_AGO
) -> None:
    rows = [rate("44", price_a), rate("1", price_b)]
    database.call(
        "deck", add_version, deck_name="retail", new_rates=rows, effective_at=effective_at, author=CLERK
    )


def chunks(database: Database, wish: Wish, at_once: int = 2, *, write: str = "") -> list[Chunk]:
    """Every chunk of a wish; written down under the reference `write`."""
    repricing = database.read("begin", Repricing, wish)
    if write:
        database.call("begin", rerated.begin, wish, reference=write, author=CLERK)
    found: list[Chunk] = []
    after: Mark | None = None
    while not found or found[-1].rows.sessions:
        if write:
            chunk = database.call(
                "rerate", rerated.rerate_chunk, repricing, after, at_once, reference=write, author=CLERK
            )
        else:
            chunk = database.read("rerate", repricing.chunk, after, at_once)
        found.append(chunk)
        after = chunk.rows.last
    return found


def totals(found: Sequence[Chunk]) -> list[tuple[str, int, int]]:
    return [
        (each.session.callback_id, each.session.outcome.total_units, each.after.total_units)
        for chunk in found
        for each in chunk.repriced
    ]


def rows(database: Database, table: str) -> list[object]:
    def read(connection: Connection) -> list[object]:
        return [tuple(row) for row in connection.execute(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]

    return database.read("rows", read)


def test_nothing_changes_where_the_price_is_the_same(company: Database) -> None:
    call(company, 31, 90, 600)
    assert totals(chunks(company, MONTH, write="r1")) == []
    assert rows(company, "reratings") == []


def test_F148_a_new_deck_gives_the_difference_and_the_books_agree(company: Database) -> None:
    call(company, 31, 90)
    before = receivable(company)
    dearer(company)
    told = totals(chunks(company, MONTH))
    # B at 0.25 was 0.1292 and 0.3750; at 0.50 it is 0.2583 and 0.7500. A is 63 s and 122 s at 0.10.
    assert told == [("cb1", 1050 + 1292, 1050 + 2583), ("cb2", 2033 + 3750, 2033 + 7500)]
    assert receivable(company) == before, "a dry run writes nothing"
    assert totals(chunks(company, MONTH, write="r1")) == told
    assert receivable(company) == before - (2583 - 1292) - (7500 - 3750)
    assert balance(company, LedgerAccountKind.REVENUE) == -receivable(company)
    assert company.read("verify", verify) == ()


def test_a_destination_is_priced_anew_as_of_its_authorisation_though_a_carrier_failed_first(
    company: Database,
) -> None:
    first = callback()
    told = [*after_a_failure(first)]
    company.call("play", play, first, told)
    # In force once the first carrier has failed, and before the second is ordered.
    dearer(company, effective_at=seconds(22))
    assert totals(chunks(company, MONTH)) == []
    dearer(company, effective_at=seconds(20.05))
    assert [after - before for _, before, after in totals(chunks(company, MONTH))] == [2583 - 1292]


def after_a_failure(first: Callback) -> Iterator[Event]:
    """The story of a talk of 31 s, in which another carrier fails before the one that connects."""
    failing = replace(leg(first, LegRole.B), id=f"{first.id}-b0")
    for event in story(first):
        if isinstance(event, events.DestinationAuthorised):
            yield replace(event, legs=(failing, *event.legs))
            yield events.LegHungUp(
                at=seconds(24), leg_id=failing.id, q850_cause=34, released_by=ReleasedBy.FAR
            )
        else:
            yield event


def test_a_rerating_is_a_reversal_and_a_new_entry_on_the_day_of_the_call(company: Database) -> None:
    call(company, 31)
    dearer(company)
    chunks(company, MONTH, write="r1")
    reversal, made = company.read("entries", ledger.list_entries, kind=EntryKind.RERATE)[::-1]
    assert (reversal.id, made.id) == ("rerate-cb1-1-reversal", "rerate-cb1-1")
    assert [posting.units for posting in reversal.postings] == [2342, -2342]
    assert [posting.units for posting in made.postings] == [-3633, 3633]
    assert made.at == reversal.at == seconds(77)
    assert (made.reference, made.reason) == ("cb1", CLERK.reason)


def test_a_leg_shows_its_newest_price_with_its_reasons_and_its_old_cost(company: Database) -> None:
    call(company, 31)
    leg_b = company.read("cdrs", list_cdrs)[1]
    dearer(company)
    chunks(company, MONTH, write="r1")
    again = company.read("cdrs", list_cdrs)[1]
    assert again.charge is not None
    assert (again.charge.amount, again.charge.rate_id) == (Decimal("0.2583"), "retail:2:2")
    assert "row retail:2:2" in again.charge.steps[0]
    assert (again.cost, again.cost_rate_id) == (leg_b.cost, leg_b.cost_rate_id)
    assert len(rows(company, "charges")) == 4


def test_R30_twice_gives_the_same_books(company: Database) -> None:
    call(company, 31, 90, 600)
    dearer(company)
    chunks(company, MONTH, write="r1")
    tables = (
        "entries",
        "postings",
        "charges",
        "reratings",
        "ledger_accounts",
        "settlements",
        "rerating_runs",
    )
    once = [rows(company, table) for table in tables]
    assert totals(chunks(company, MONTH, write="r1")) == []
    assert [rows(company, table) for table in tables] == once


def test_R30_there_and_back_again_leaves_the_first_balance(company: Database) -> None:
    call(company, 31, 90, 600)
    before = receivable(company)
    dearer(company)
    chunks(company, MONTH, write="r1")
    assert receivable(company) != before
    chunks(company, Wish(since=MONTH.since, until=MONTH.until, deck="retail:1"), write="back")
    assert receivable(company) == before
    assert company.read("verify", verify) == ()


def test_what_a_kill_cut_short_is_taken_up_by_asking_again(company: Database) -> None:
    call(company, 31, 90, 600, 45, 46)
    dearer(company)
    expected = sum(after for _, _, after in totals(chunks(company, MONTH)))
    repricing = company.read("begin", Repricing, MONTH)
    company.call("begin", rerated.begin, MONTH, reference="r1", author=CLERK)

    def killed(connection: Connection, after: Mark | None) -> None:
        rerated.rerate_chunk(connection, repricing, after, 2, reference="r1", author=CLERK)
        raise LookupError

    first = company.call("rerate", rerated.rerate_chunk, repricing, None, 2, reference="r1", author=CLERK)
    with pytest.raises(LookupError):
        company.call("killed", killed, first.rows.last)
    assert len(rows(company, "reratings")) == 2, "a chunk is written whole or not at all"
    assert len(totals(chunks(company, MONTH, write="r1"))) == 3
    assert receivable(company) == -expected
    assert company.read("verify", verify) == ()


def test_what_was_waived_stays_the_most_that_the_account_pays(database: Database) -> None:
    database.call("fill", fill, 5_0000)
    call(database, 1_800)
    assert receivable(database) == -5_0000
    dearer(database)
    chunks(database, MONTH, write="r1")
    assert receivable(database) == -5_0000
    dearer(database, price_b="0.01")
    chunks(database, MONTH, write="r2")
    # A: 1832 s at 0.10, B: 1800 s at 0.01; nothing is waived any more.
    assert receivable(database) == -(3_0533 + 3000)
    assert balance(database, LedgerAccountKind.LOSS) == 0
    dearer(database)
    chunks(database, MONTH, write="r3")
    assert receivable(database) == -5_0000, "nor may a second re-rating take what the account never had"
    assert database.read("verify", verify) == ()


def test_the_invoice_of_a_callback_that_was_waived_and_re_rated_says_what_the_books_do(
    database: Database,
) -> None:
    database.call("fill", fill, 5_0000)
    call(database, 1_800)
    dearer(database)
    chunks(database, MONTH, write="r1")
    assert database.read("line", creditnotes.line, "cb1").left_units == 5_0000
    terms = billruns.Terms(seller=Party(name="Dialback"), pattern="INV-{n:04}", due_days=14)
    april = replace(CLERK, at=NOW + 31 * DAY)
    (head,) = database.call(
        "close", billruns.close, ["acme"], month_of=(2026, 3), terms=terms, author=april
    ).heads
    assert head.totals.charges == 5
    invoice = database.read("invoice", papers.invoice_of, head.number)
    assert sum(line.amount for line in invoice.lines) == 5
    assert database.read("verify", verify) == ()


def test_a_callback_that_no_row_prices_any_more_keeps_its_price_and_is_named(company: Database) -> None:
    call(company, 31)
    company.call(
        "deck",
        add_version,
        deck_name="retail",
        new_rates=[rate("44", "0.10"), rate("1", "0.50", blocked=True)],
        effective_at=LONG_AGO,
        author=CLERK,
    )
    (chunk, _) = chunks(company, MONTH, write="r1")
    assert [(each.session.callback_id, each.why) for each in chunk.passed] == [
        ("cb1", "a leg's prefix is blocked")
    ]
    assert receivable(company) == -2342


def test_a_callback_that_a_credit_note_gave_back_of_keeps_its_price_and_is_named(company: Database) -> None:
    call(company, 30, 30)
    company.call(
        "credit", creditnotes.issue, "cb1-b1", None, "case 7", replace(CLERK, reason="one-way sound")
    )
    dearer(company, price_b="0.01")
    found = chunks(company, MONTH, write="may")
    passed = [(each.session.callback_id, each.why) for chunk in found for each in chunk.passed]
    assert passed == [("cb1", "some of it was given back, and that stays: write another credit note")]
    assert [each[0] for each in totals(found)] == ["cb2"]
    assert not list(company.read("verify", verify))


def test_F148_a_callback_that_is_on_an_invoice_keeps_its_price_and_is_named(company: Database) -> None:
    call(company, 30)
    terms = billruns.Terms(seller=Party(name="Dialback"), pattern="INV-{n:04}", due_days=14)
    april = replace(CLERK, at=NOW + 31 * DAY)
    company.call("close", billruns.close, ["acme"], month_of=(2026, 3), terms=terms, author=april)
    before = rows(company, "entries"), receivable(company)
    dearer(company)
    found = chunks(company, MONTH, write="r1")
    passed = [(each.session.callback_id, each.why) for chunk in found for each in chunk.passed]
    assert passed == [("cb1", "it is on an invoice: write a credit note")]
    assert totals(found) == []
    assert (rows(company, "entries"), receivable(company)) == before
    assert company.read("verify", verify) == ()


def test_only_the_callbacks_that_are_wished_are_priced_anew(company: Database) -> None:
    call(company, 31)
    dearer(company)
    for wish in (
        Wish(since=NOW - DAY, until=NOW),
        Wish(since=seconds(77) + timedelta(microseconds=1), until=NOW + DAY),
        Wish(since=MONTH.since, until=MONTH.until, account_id="other"),
        Wish(since=MONTH.since, until=MONTH.until, on_plan="else"),
    ):
        assert totals(chunks(company, wish)) == []
    exactly = Wish(since=seconds(77), until=NOW + DAY, account_id="acme", on_plan="standard")
    assert len(totals(chunks(company, exactly))) == 1


def test_a_reference_names_one_wish(company: Database) -> None:
    company.call("begin", rerated.begin, MONTH, reference="r1", author=CLERK)
    company.call("begin", rerated.begin, MONTH, reference="r1", author=CLERK)
    with pytest.raises(Conflict, match="another re-rating"):
        company.call(
            "begin",
            rerated.begin,
            Wish(since=NOW, until=NOW + DAY),
            reference="r1",
            author=CLERK,
        )


@pytest.mark.parametrize(
    "wrong", [{"plan": "nobody"}, {"plan": "standard:9"}, {"deck": "no"}, {"deck": "retail:9"}]
)
def test_a_plan_or_deck_that_is_nowhere_is_named(company: Database, wrong: dict[str, str]) -> None:
    with pytest.raises(NotFound):
        company.read("begin", Repricing, Wish(since=NOW, until=NOW, **wrong))

from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import Connection, text
from storeworld import CLERK, LONG_AGO, advance, callback, fill, leg, play, rate, seconds, story

from billing.holds import HoldState
from billing.ledger import LedgerAccount, LedgerAccountKind
from calls import events
from calls.callback import Callback, Reason, ReleasedBy
from calls.cdr import Disposition, LegRole
from store import callbacks, ledger
from store.cdrs import list_cdrs
from store.database import Database
from store.decks import add_version
from store.settlement import settle


def balance(company: Database, kind: LedgerAccountKind, owner: str = "") -> int:
    return company.read("balance", ledger.balance_units, LedgerAccount(kind=kind, owner=owner), "EUR")


def test_the_books_of_a_whole_call_are_closed_in_one_entry(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    # A: 14 s to 77 s, 63 s at 0.10; B: 31 s at 0.25. Cost: A 67 s from its answer at 0.04, B 31 s at 0.09.
    assert balance(company, LedgerAccountKind.RECEIVABLE, "acme") == -(1050 + 1292)
    assert balance(company, LedgerAccountKind.REVENUE) == 1050 + 1292
    assert balance(company, LedgerAccountKind.CARRIER_PAYABLE, "carrier-x") == 447 + 465
    assert balance(company, LedgerAccountKind.CARRIER_COST) == -(447 + 465)
    hold = company.read("hold", ledger.hold_of, "cb1")
    assert hold is not None
    assert (hold.state, hold.posted_units) == (HoldState.POSTED, 2342)


def test_settling_twice_charges_once(company: Database) -> None:
    first = callback()
    ended = company.call("play", play, first, story(first))
    again = company.call("settle", settle, ended)
    assert again.total_units == 2342
    assert balance(company, LedgerAccountKind.RECEIVABLE, "acme") == -2342
    assert len(company.read("cdrs", list_cdrs)) == 2


def test_each_leg_has_a_record_with_its_charge_and_cost(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    leg_a, leg_b = company.read("cdrs", list_cdrs, account_id="acme")
    assert (leg_a.cdr.role, leg_b.cdr.role) == (LegRole.A, LegRole.B)
    assert leg_b.charge is not None
    assert (leg_b.charge.talk_seconds, leg_b.charge.billed_seconds) == (31, 31)
    assert (leg_b.charge.rate_id, leg_b.cost_rate_id) == ("retail:1:2", "carrier-x:1:2")
    assert (leg_b.charge.amount, leg_b.cost, leg_b.margin) == (
        Decimal("0.1292"),
        Decimal("0.0465"),
        Decimal("0.0827"),
    )
    assert leg_b.charge.steps[-1] == "rounded half-up to 4 decimals: EUR 0.1292"
    assert company.read("cdrs", list_cdrs, last=1) == (leg_b,)
    assert company.read("cdrs", list_cdrs, until=seconds(77)) == ()
    assert company.read("cdrs", list_cdrs, since=seconds(77)) == (leg_a, leg_b)


def test_a_callback_that_nobody_answers_costs_nothing_and_leaves_a_record(company: Database) -> None:
    first = callback()
    leg_a = leg(first, LegRole.A)
    told = [
        events.DialAuthorised(at=seconds(3), leg=leg_a, hold_units=500),
        events.LegRang(at=seconds(5), leg_id=leg_a.id),
        events.LegHungUp(at=seconds(48), leg_id=leg_a.id, q850_cause=19, released_by=ReleasedBy.US),
    ]
    ended = company.call("play", play, first, told)
    assert ended.state.is_end
    (record,) = company.read("cdrs", list_cdrs)
    assert (record.cdr.disposition, record.charge, record.cost) == (Disposition.NO_ANSWER, None, None)
    hold = company.read("hold", ledger.hold_of, "cb1")
    assert hold is not None
    assert hold.state is HoldState.VOIDED
    assert company.read("entries", ledger.list_entries) == ()


def test_a_callback_that_was_never_dialled_is_settled_without_a_record(company: Database) -> None:
    ended = company.call("play", play, callback(), [events.Cancelled(at=seconds(1), by="web")])
    assert company.call("settle", settle, ended).entry_id is None
    assert company.read("cdrs", list_cdrs) == ()


def test_what_a_late_limit_lets_run_over_is_our_loss_and_the_limit_holds(database: Database) -> None:
    database.call("fill", fill, 5_0000)
    first = callback()
    database.call("play", play, first, story(first, talk_seconds=3600))
    # 60 min of B at 0.25 are 15.00, A is 6.06: far more than the 5.00 of credit.
    assert balance(database, LedgerAccountKind.RECEIVABLE, "acme") == -5_0000
    assert balance(database, LedgerAccountKind.LOSS) < 0
    assert database.read("available", ledger.available, "acme") == 0


def test_a_new_deck_does_not_change_the_price_of_a_call_that_runs(company: Database) -> None:
    first = callback()
    told = list(story(first))
    now = company.call("play", play, first, told[:-1])
    dearer = [rate("44", "9.00"), rate("1", "9.00")]
    company.call(
        "deck", add_version, deck_name="retail", new_rates=dearer, effective_at=LONG_AGO, author=CLERK
    )
    company.call("advance", advance, now, told[-1])
    assert balance(company, LedgerAccountKind.RECEIVABLE, "acme") == -2342


@pytest.mark.parametrize("when", ["before the entry", "after the entry"])
def test_both_legs_are_charged_or_neither(company: Database, when: str) -> None:
    first = callback()
    told = list(story(first))
    now = company.call("play", play, first, told[:-1])

    def fail(connection: Connection, before: Callback) -> None:
        if when == "after the entry":
            advance(connection, before, told[-1])
        raise LookupError

    with pytest.raises(LookupError):
        company.call("fail", fail, now)
    assert balance(company, LedgerAccountKind.RECEIVABLE, "acme") == 0
    assert company.read("cdrs", list_cdrs) == ()
    company.call("advance", advance, company.read("load", callbacks.load, "cb1"), told[-1])
    assert balance(company, LedgerAccountKind.RECEIVABLE, "acme") == -2342


def test_all_postings_together_are_zero(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    total = text("SELECT sum(units) FROM postings")
    assert company.read("sum", lambda connection: int(connection.execute(total).scalar_one())) == 0


def test_a_vanished_call_is_billed_to_the_last_proof_of_life(company: Database) -> None:
    first = callback()
    told = list(story(first))[:-2]
    told.append(events.LegsVanished(at=seconds(51), reason=Reason.VANISHED))
    ended = company.call("play", play, first, told)
    assert ended == replace(ended, reason=Reason.VANISHED)
    leg_b = company.read("cdrs", list_cdrs)[1]
    assert leg_b.cdr.estimated
    assert leg_b.charge is not None
    assert leg_b.charge.talk_seconds == 10

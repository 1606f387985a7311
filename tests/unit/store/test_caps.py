"""Spending caps: live holds count, each period by the account's calendar; callbacks at once are bounded."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moneyed import Money
from storeworld import (
    CLERK,
    LIMITS,
    LONG_AGO,
    NOW,
    PHONE,
    SHARED_DID,
    callback,
    play,
    rate,
    seconds,
    story,
)

from billing.particulars import Party
from calls.admission import AdmissionRefusal, Refused
from calls.callback import Callback
from calls.wishes import Ring
from store import (
    admissions,
    alerts,
    audit,
    billruns,
    callbacks,
    caps,
    creditnotes,
    customers,
    ledger,
    rerated,
)
from store.caps import CapPeriod, SpendCap, period_start
from store.database import Database
from store.decks import add_version
from store.errors import Conflict, NotFound
from store.rerating import Repricing
from store.reratingrows import Wish
from values.e164 import E164
from values.money import UNITS_MAX

TERMS = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)
BEN_PHONE = E164.parse("+442079460103")


def cap(company: Database, units: int, period: CapPeriod = CapPeriod.DAY, subscriber_id: str = "") -> None:
    wish = SpendCap(account_id="acme", subscriber_id=subscriber_id, period=period, cap_units=units)
    company.call("cap", caps.set_cap, wish, CLERK)


def room(company: Database, at: datetime = NOW, subscriber_id: str = "anna", callback_id: str = "") -> int:
    return company.read(
        "room",
        caps.room_units,
        account_id="acme",
        subscriber_id=subscriber_id,
        at=at,
        callback_id=callback_id,
    )


def rung(company: Database, caller: E164 = PHONE, at: datetime = NOW) -> Any:
    ring = Ring(
        trigger_id=f"tr{caller}",
        channel_id=f"ring{caller}",
        did_raw=str(SHARED_DID),
        caller_number_raw=str(caller),
        caller_name_raw="",
        is_withheld=False,
        is_diverted=False,
        trunk="east",
        ingress_country="GB",
        received_at=at,
    )
    return company.call("ring", admissions.admit_ring, ring, callback_id=f"cb{caller}", limits=LIMITS)


def add_ben(company: Database) -> None:
    ben = customers.Subscriber(id="ben", account_id="acme", name="Ben", home_country="GB")
    company.call("ben", customers.add_subscriber, ben, CLERK)
    company.call(
        "number",
        customers.add_number,
        subscriber_id="ben",
        number=BEN_PHONE,
        author=CLERK,
        verified=True,
    )


@pytest.mark.parametrize(
    ("period", "start"),
    [
        (CapPeriod.DAY, datetime(2026, 3, 28, 12, tzinfo=UTC)),
        (CapPeriod.WEEK, datetime(2026, 3, 22, 12, tzinfo=UTC)),
        (CapPeriod.MONTH, datetime(2026, 2, 28, 12, tzinfo=UTC)),
    ],
)
def test_a_period_begins_at_the_accounts_own_midnight(period: CapPeriod, start: datetime) -> None:
    # Auckland is 13 hours ahead: there it is Sunday the 29th.
    assert period_start(period, "Pacific/Auckland", datetime(2026, 3, 28, 13, tzinfo=UTC)) == start.replace(
        hour=11
    )


def test_without_a_cap_there_is_no_bound(company: Database) -> None:
    assert room(company) == UNITS_MAX


def test_F170_what_is_spent_and_what_is_held_both_count(company: Database) -> None:
    cap(company, 1_0000)
    company.call("play", play, callback(), story(callback()))
    spent = -company.read("standing", ledger.standing, "acme").posted_units
    assert room(company, seconds(120)) == 1_0000 - spent
    second = callback("cb2")
    company.call("live", callbacks.insert_callback, second, announce=False)
    company.call("hold", ledger.hold, second, 2000, at=seconds(121))
    assert room(company, seconds(122)) == 1_0000 - spent - 2000
    assert room(company, seconds(122), callback_id="cb2") == 1_0000 - spent


def test_F170_the_next_day_begins_with_the_whole_cap(company: Database) -> None:
    cap(company, 1_0000)
    cap(company, 1_5000, CapPeriod.WEEK)
    company.call("play", play, callback(), story(callback()))
    spent = -company.read("standing", ledger.standing, "acme").posted_units
    assert room(company, seconds(24 * 3600)) == min(1_0000, 1_5000 - spent)
    assert room(company, seconds(7 * 24 * 3600)) == 1_0000


def test_F170_a_subscribers_cap_binds_that_subscriber_alone(company: Database) -> None:
    add_ben(company)
    cap(company, 100, subscriber_id="anna")
    assert room(company) == 100
    assert room(company, subscriber_id="ben") == UNITS_MAX
    company.call("play", play, callback(), story(callback()))
    assert room(company, seconds(120)) == 0


def rerate(company: Database, price_b: str) -> None:
    """All calls so far, by a deck in which North America has that price."""
    rows = [rate("44", "0.10"), rate("1", price_b)]
    company.call("deck", add_version, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK)
    wish = Wish(since=NOW, until=seconds(3600))
    repricing = company.read("begin", Repricing, wish)
    company.call("begin", rerated.begin, wish, reference=price_b, author=CLERK)
    company.call("rerate", rerated.rerate_chunk, repricing, None, 10, reference=price_b, author=CLERK)


@pytest.mark.parametrize("subscriber_id", ["", "anna"])
def test_F170_a_cap_counts_a_new_price_in_the_place_of_the_old_one(
    company: Database, subscriber_id: str
) -> None:
    cap(company, 3_5000, subscriber_id=subscriber_id)
    company.call("play", play, callback(), story(callback(), 300))
    for price_b in ("0.50", "0.01", "0.30"):
        rerate(company, price_b)
        owed = -company.read("standing", ledger.standing, "acme").posted_units
        assert room(company, seconds(400)) == 3_5000 - owed
    rerate(company, "0.60")
    refused = rung(company, at=seconds(400))
    assert isinstance(refused, Refused)
    assert refused.reason is AdmissionRefusal.SPEND_CAP


@pytest.mark.parametrize("subscriber_id", ["", "anna"])
def test_F170_what_was_given_back_of_a_call_may_be_spent_again(company: Database, subscriber_id: str) -> None:
    company.call("play", play, callback(), story(callback(), 300))
    owed = -company.read("standing", ledger.standing, "acme").posted_units
    cap(company, owed, subscriber_id=subscriber_id)
    assert room(company, seconds(400)) == 0
    author = replace(CLERK, at=datetime(2026, 4, 2, tzinfo=UTC), reason="nothing was heard")
    credit = Money("0.5000", "EUR")
    company.call("credit", creditnotes.issue, "cb1", credit, "before the invoice", author)
    assert room(company, seconds(600)) == 5000
    company.call("close", billruns.close, ["acme"], month_of=(2026, 3), terms=TERMS, author=author)
    company.call("credit", creditnotes.issue, "cb1", credit, "upon the invoice", author)
    assert room(company, seconds(600)) == 2 * 5000
    assert isinstance(rung(company, at=seconds(700)), Callback)


def test_F170_a_ring_over_the_cap_is_refused_with_the_reason_and_leaves_one_alert_a_month(
    company: Database,
) -> None:
    cap(company, 1)
    for second in (0, 1):
        refused = rung(company, at=seconds(second)) if not second else rung(company, BEN_PHONE, seconds(1))
        assert isinstance(refused, Refused)
        if not second:
            assert refused.reason is AdmissionRefusal.SPEND_CAP
            assert "spending limit" in refused.sentence
    (record,) = [each for each in company.read("rings", admissions.list_triggers) if each.caller == PHONE]
    assert record.reason == "spend_cap"
    (alert,) = company.read("alerts", alerts.list_alerts)
    assert (alert.kind, alert.threshold, alert.month) == ("spend_cap", 1, "2026-03")


def test_F172_with_a_limit_of_one_the_second_callback_is_refused_while_the_first_lives(
    company: Database,
) -> None:
    add_ben(company)
    known = company.read("account", customers.account, "acme")
    company.call("limit", customers.change_account, replace(known, callbacks_max=1), CLERK)
    first = rung(company)
    assert isinstance(first, Callback)
    second = rung(company, BEN_PHONE, seconds(1))
    assert isinstance(second, Refused)
    assert second.reason is AdmissionRefusal.TOO_MANY_CALLBACKS
    company.call("unlimited", customers.change_account, replace(known, callbacks_max=2), CLERK)
    third = company.call(
        "again",
        admissions.admit_request,
        _request(BEN_PHONE),
        callback_id="cb3",
        limits=LIMITS,
    )
    assert isinstance(third, Callback)


def _request(number: E164) -> Any:
    from calls.callback import OriginKind
    from calls.wishes import Request

    return Request(kind=OriginKind.API, number=number, received_at=seconds(2))


def test_a_cap_is_set_in_place_of_the_one_before_and_taken_away(company: Database) -> None:
    cap(company, 5000)
    cap(company, 7000)
    (standing,) = company.read("caps", caps.cap_standings, "acme", NOW)
    assert (standing.cap.cap_units, standing.room_units) == (7000, 7000)
    company.call("remove", caps.remove_cap, standing.cap, CLERK)
    with pytest.raises(NotFound):
        company.call("remove", caps.remove_cap, standing.cap, CLERK)
    beta = customers.Account(id="beta", name="B", currency="EUR", zone="UTC", plan_name="standard")
    company.call("beta", customers.add_account, beta, CLERK)
    alien = SpendCap(account_id="beta", subscriber_id="anna", period=CapPeriod.DAY, cap_units=1)
    with pytest.raises(Conflict, match="another account"):
        company.call("cap", caps.set_cap, alien, CLERK)


def test_a_cap_stands_in_the_audit_log_as_an_amount_not_in_units(company: Database) -> None:
    cap(company, 2_5000)
    cap(company, 3_0000)
    wish = SpendCap(account_id="acme", subscriber_id="", period=CapPeriod.DAY, cap_units=0)
    company.call("off", caps.remove_cap, wish, CLERK)
    first, second, removed = company.read("log", audit.list_noted, action="cap")
    assert (first.before, "cap=2.5000 EUR" in first.after) == ("cap=none", True)
    assert (second.before, "cap=3.0000 EUR" in second.after) == ("cap=2.5000 EUR", True)
    assert "cap=3.0000 EUR" in removed.before

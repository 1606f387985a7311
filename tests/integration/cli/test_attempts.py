"""What attempts cost that nobody answered, as a clerk sees it: from the sheet to the margin."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from office import Office
from storeworld import callback, leg, play, seconds

from calls import events
from calls.callback import Callback, ReleasedBy
from calls.cdr import LegRole
from calls.events import Event

TO = "+12125550100"
SHEET = """prefix,destination,rate_per_min,attempt_fee
44,United Kingdom,0.04,0.01
1,North America,0.09,0.002
"""
CALLED = "cb1-a1"


def unanswered(first: Callback) -> Iterator[Event]:
    tried = replace(leg(first, LegRole.A), price_rate_id="retail:1:2", cost_rate_id="carrier-x:2:2")
    yield events.DialAuthorised(at=seconds(3), leg=tried, hold_units=500)
    yield events.LegHungUp(at=seconds(48), leg_id=tried.id, q850_cause=19, released_by=ReleasedBy.US)


@pytest.fixture
def office_with_fees(office: Office) -> Office:
    """The carrier asks for attempts now, and one was in vain."""
    file = office.folder / "fees.csv"
    file.write_text(SHEET)
    staged = office.done("deck", "import", "carrier-x", str(file))
    assert "prefix 44: attempt fee 0.0000 becomes 0.0100 with less than 7 days' notice" in staged.err
    office.done("deck", "approve", "carrier-x:2", "--override", "agreed on 3 March")
    first = callback(currency="USD")
    office.store(play, first, list(unanswered(first)))
    return office


def test_routes_say_what_a_carrier_asks_for_each_attempt(office_with_fees: Office) -> None:
    (row,) = office_with_fees.done("routes", TO, "--plan", "standard", "--output", "json").data
    assert (row["cost_per_minute"], row["why"]) == (
        "0.0920",
        "tried; USD 0.0020 for each attempt, answered or not",
    )


def test_an_attempt_in_vain_costs_us_and_not_the_account(office_with_fees: Office) -> None:
    refused = office_with_fees("explain", CALLED)
    assert (refused.code, "costs the account nothing; --cost tells" in refused.err) == (5, True)
    told = office_with_fees.done("explain", CALLED, "--cost", "--output", "json").data
    assert (told["cost"], told["cost_currency"], told["disposition"]) == ("0.01", "USD", "no_answer")
    assert told["cost_steps"][1:] == ["attempt fee 0.0100", "no second is chargeable: USD 0.0100"]
    (line,) = office_with_fees.done(
        "report", "margin", "--by", "carrier", "--month", "2026-03", "--output", "json"
    ).data
    assert (Decimal(line["cost_a"]), Decimal(line["margin"])) == (Decimal("0.01"), Decimal("-0.01"))
    posted = office_with_fees.done(
        "ledger", "show", "--in", "carrier_payable:carrier-x", "--output", "json"
    ).data
    assert [(each["kind"], each["reference"], each["amount"]) for each in posted] == [
        ("attempts", "cb1", "0.01")
    ]
    assert office_with_fees.done("ledger", "show", "acme", "--output", "json").data == []
    office_with_fees.done("ledger", "verify")

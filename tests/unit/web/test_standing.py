"""GET and DELETE /api/v1/callbacks/{id}."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from moneyed import Money
from storeworld import CLERK, FRIEND, leg, story
from weboffice import OTHER_SECRET, Office

from calls import events
from calls.callback import Reason, ReleasedBy
from calls.cdr import LegRole
from store import callbacks
from store.creditnotes import issue
from web.sentences import SENTENCES


def test_each_leg_is_shown_as_it_goes_on(office: Office) -> None:
    callback_id = office.ask({"number": "020 7946 0101", "destination": str(FRIEND)}).get_json()["id"]
    [made] = office.callbacks()
    leg_a = leg(made, LegRole.A)
    seen = []
    for event in (
        events.DialAuthorised(at=office.later(1), leg=leg_a, hold_units=500),
        events.LegRang(at=office.later(2), leg_id=leg_a.id),
        events.LegAnswered(at=office.later(10), leg_id=leg_a.id),
        events.LegHungUp(at=office.later(13.5), leg_id=leg_a.id, q850_cause=16, released_by=ReleasedBy.FAR),
    ):
        office.tell(callback_id, event)
        [shown] = office.show(callback_id).get_json()["legs"]
        assert shown["role"] == "A"
        seen.append((shown["state"], shown["talk_seconds"]))
    assert seen == [
        ("ordered", None),
        ("ringing", None),
        ("answered", None),
        ("ended", 4),
    ]
    status = office.show(callback_id).get_json()
    assert (status["state"], status["reason"]) == ("abandoned", "not_accepted")
    assert status["sentence"].endswith(".")


def test_a_finished_callback_shows_what_it_cost_and_no_carrier(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    [made] = office.callbacks()
    office.tell(callback_id, *story(made))
    answer = office.show(callback_id)
    status = answer.get_json()
    a, b = status["legs"]
    assert (a["role"], b["role"], b["number"]) == ("A", "B", str(FRIEND))
    assert (b["talk_seconds"], b["billed_seconds"], b["disposition"]) == (31, 31, "answered")
    assert b["amount"] == "0.1292"  # 31 s at 0.25 a minute
    assert status["cost"]["currency"] == "EUR"
    assert float(status["cost"]["amount"]) == pytest.approx(float(a["amount"]) + float(b["amount"]))
    told = json.dumps(status)
    assert not any(word in told for word in ("carrier", "east", "trunk", "margin"))


def test_what_was_given_back_of_a_callback_stands_beside_its_charge_with_what_is_left(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    [made] = office.callbacks()
    office.tell(callback_id, *story(made))
    before = office.show(callback_id).get_json()
    assert (before["cost"]["credited"], before["cost"]["net"]) == ("0.0000", before["cost"]["amount"])
    for line, amount in ((f"{callback_id}-b1", "0.1000"), (callback_id, "0.0200")):
        author = replace(CLERK, reason="nobody was heard")
        office.database.call("credit", issue, line, Money(amount, "EUR"), f"case {line}", author)
    status = office.show(callback_id).get_json()
    a, b = status["legs"]
    assert [(leg["amount"], leg["credited"]) for leg in (a, b)] == [
        (a["amount"], "0.0000"),
        ("0.1292", "0.1000"),
    ]
    cost = status["cost"]
    assert (cost["amount"], cost["credited"]) == (before["cost"]["amount"], "0.1200")
    assert Decimal(cost["net"]) == Decimal(cost["amount"]) - Decimal("0.12")


def test_another_accounts_callback_is_as_unknown_as_none_and_it_is_logged(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    foreign = office.show(callback_id, OTHER_SECRET)
    nothing = office.show("cb0", OTHER_SECRET)
    assert (foreign.status_code, foreign.data) == (404, nothing.data)
    assert office.cancel(callback_id, OTHER_SECRET).status_code == 404
    logged = [entry for entry in office.log.entries if entry["event"] == "web.foreign_callback"]
    assert [entry["callback"] for entry in logged] == [callback_id, callback_id]
    assert office.show(callback_id).get_json()["cancel_requested"] is False


def test_F088_before_dialling_it_is_cancelled(office: Office) -> None:
    office.on_pause.append(office.conduct)
    callback_id = office.ask({"number": "020 7946 0101", "at": "2026-03-02T09:01:00Z"}).get_json()["id"]
    answer = office.cancel(callback_id)
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    assert answer.get_json()["legs"] == []
    assert office.notices == 2
    again = office.cancel(callback_id)
    assert (again.status_code, again.get_json()["state"]) == (200, "cancelled")


def test_F088_while_the_conductor_is_away_the_wish_is_kept_and_told_so(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    answer = office.cancel(callback_id)
    assert (answer.status_code, answer.get_json()["state"]) == (202, "requested")
    assert answer.get_json()["cancel_requested"] is True
    assert office.cancel(callback_id).status_code == 202
    wishes = office.database.call("take", callbacks.take_inbox)
    assert [wish.is_cancel for wish in wishes] == [False, True], "asked twice, wished once"


def test_F088_after_the_originate_it_is_refused(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    [made] = office.callbacks()
    for event in list(story(made))[:2]:
        office.tell(callback_id, event)
        answer = office.cancel(callback_id)
        assert answer.status_code == 409
        assert "dialing_a" in answer.get_json()["detail"]
    assert office.show(callback_id).get_json()["cancel_requested"] is False


def test_F088_what_has_ended_cannot_be_cancelled(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    [made] = office.callbacks()
    office.tell(callback_id, *story(made))
    assert office.cancel(callback_id).status_code == 409


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)

"""Callbacks, their records and drafts from the command line."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from office import ON_BOTH, Office
from sqlalchemy import update
from storeworld import LONG_AGO, by_sorted_rows, callback, play, seconds, story

from calls import events
from calls.callback import ReleasedBy, State
from store.schema import accounts

PHONE = "+442079460101"


def called(office: Office, callback_id: str = "cb1", talk_seconds: int = 90) -> None:
    """Put a whole call into the store, as the conductor would."""
    first = callback(callback_id, currency="USD")
    office.store(play, first, by_sorted_rows(story(first, talk_seconds)))


def test_a_request_is_made_shown_traced_and_listed(office: Office) -> None:
    words = (
        "--number",
        PHONE,
        "--destination",
        "020 7946 0202",
        "--reference",
        "ticket 7",
        "--attempts",
        "3",
    )
    made = office.done("callback", "request", *words, "--gap", "60", "--output", "json").data
    assert made["state"] == "requested"
    assert made["destination"] == "+442079460202"
    assert made["legs"] == []
    shown = office.done("callback", "show", made["id"])
    assert made["id"] in shown.out
    assert "Nobody is dialled yet." in shown.err
    (line,) = office.done("callback", "trace", made["id"], "--output", "json").data
    assert line["what_happened"] == "a callback was asked for (cli)"
    (listed,) = office.done("callback", "list", "--live", "--output", "json").data
    assert listed["id"] == made["id"]
    assert office.done("callback", "list", "--state", "completed", "--output", "json").data == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--number", "+442079460777"), 3, "registered with no account"),
        (("--number", "020 7946 0101"), 2, "The country is missing"),
        (("--number", PHONE, "--destination", "999"), 4, "Emergency"),
        (("--number", PHONE, "--destination", "09098790000"), 4, "Premium"),
        (("--number", PHONE, "--destination", "x"), 2, "destination"),
        (("--number", PHONE, "--at", "2030-01-01T10:00"), 2, "is no time"),
        (("--number", PHONE, "--at", "2020-01-01T10:00Z"), 2, "past"),
        (("--number", PHONE, "--attempts", "6"), 2, "6"),
        (("--number", PHONE, "--home-country", "XX"), 2, "XX"),
    ],
)
def test_a_request_that_cannot_be_is_refused_and_leaves_nothing(
    office: Office, words: tuple[str, ...], code: int, said: str
) -> None:
    refused = office("callback", "request", *words)
    assert refused.code == code, refused.err
    assert said in refused.err
    assert office.done("callback", "list", "--output", "json").data == []


def test_a_second_request_while_one_is_under_way_is_a_conflict(office: Office) -> None:
    office.done("callback", "request", "--number", PHONE)
    refused = office("callback", "request", "--number", PHONE)
    assert refused.code == 5
    assert "under way already" in refused.err


def test_a_number_that_nobody_verified_is_refused_by_policy(office: Office) -> None:
    office.done("number", "add", "otto", "+447700900123")
    refused = office("callback", "request", "--number", "+447700900123")
    assert refused.code == 4
    assert "verify it first" in refused.err


def test_a_waiting_callback_is_cancelled_and_one_under_way_is_not(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("staff.callback.CANCEL_SECONDS", 0.0)  # no switch runs here
    made = office.done("callback", "request", "--number", PHONE, "--output", "json").data
    told = office.done("callback", "cancel", made["id"])
    assert "to be cancelled" in told.out
    first = callback("cb7", state=State.REQUESTED, currency="USD")
    dialled = [next(by_sorted_rows(story(first)))]
    office.store(play, first, dialled)
    refused = office("callback", "cancel", "cb7")
    assert refused.code == 5
    assert "under way already (dialing_a)" in refused.err


def test_an_ended_callback_cannot_be_cancelled(office: Office) -> None:
    called(office)
    refused = office("callback", "cancel", "cb1")
    assert refused.code == 5
    assert "ended already (completed)" in refused.err


def test_show_tells_where_each_leg_stands(office: Office) -> None:
    first = callback("cb1", currency="USD")
    office.store(play, first, list(by_sorted_rows(story(first)))[:8])
    shown = office.done("callback", "show", "cb1", "--output", "json").data
    assert shown["state"] == "talking"
    assert [(leg["role"], leg["now"]) for leg in shown["legs"]] == [("A", "accepted"), ("B", "answered")]
    assert shown["on_hold"] == "5.00 USD"
    table = office.done("callback", "show", "cb1").out
    assert "cb1-a1" in table
    assert "accepted" in table


def test_trace_tells_each_event_in_plain_words_with_microseconds(office: Office) -> None:
    called(office)
    told = office.done("callback", "trace", "cb1", "--output", "json").data
    assert [line["event"] for line in told] == [
        "Created",
        "DialAuthorised",
        "LegRang",
        "LegAnswered",
        "Accepted",
        "DestinationKeyed",
        "DestinationAuthorised",
        "LegRang",
        "LegAnswered",
        "LegHungUp",
        "LegHungUp",
    ]
    assert told[3]["at"] == "2026-03-02T09:00:10.000000Z"
    assert told[3]["seconds"] == "10.000000"
    assert told[3]["what_happened"] == "leg a1 answered"
    assert told[6]["what_happened"] == (
        "the destination may be dialled: b1 to +14155550123 by east for at most 600 s"
    )
    assert told[9]["what_happened"] == "leg b1 is gone, released by the far side (cause 16, normal clearing)"
    assert told[-1]["state"] == "completed"


@ON_BOTH
def test_F065_ninety_seconds_to_D1_show_00_01_30_and_0_36(office: Office) -> None:
    called(office, talk_seconds=90)
    leg_a, leg_b = office.done("cdr", "list", "--output", "json").data
    assert leg_b["number"] == "+14155550123"
    assert leg_b["destination"] == "North America"
    assert leg_b["length"] == "00:01:30"
    assert leg_b["talk_seconds"] == 90
    assert leg_b["billed_seconds"] == 90
    assert leg_b["amount"] == "0.36"
    assert leg_b["currency"] == "USD"
    assert leg_a["role"] == "A"
    table = office.done("cdr", "list").out
    assert "00:01:30" in table
    assert " 0.36 " in table


@ON_BOTH
def test_F066_a_rated_call_is_in_the_next_cdr_list(office: Office) -> None:
    for number in range(5):
        called(office, f"cb{number}", talk_seconds=31)
        newest = office.done("cdr", "--last", "2", "--output", "json").data
        assert [row["leg"] for row in newest] == [f"cb{number}-a1", f"cb{number}-b1"]
        assert newest[1]["amount"] == "0.1240"
    assert len(office.done("cdr", "--last", "--output", "json").data) == 10


def test_a_call_that_nobody_answered_costs_nothing_and_is_listed(office: Office) -> None:
    first = callback("cb1", currency="USD")
    told = [
        next(by_sorted_rows(story(first))),
        events.LegHungUp(at=seconds(48), leg_id="cb1-a1", q850_cause=19, released_by=ReleasedBy.US),
    ]
    office.store(play, first, told)
    (row,) = office.done("cdr", "list", "--output", "json").data
    assert row["disposition"] == "no_answer"
    assert row["length"] == "00:00:00"
    assert row["amount"] == "0.00"


@ON_BOTH
def test_F069_the_months_invoices_exit_0_and_text_and_csv_agree(office: Office) -> None:
    for number, length in enumerate((90, 31, 12)):
        called(office, f"cb{number}", talk_seconds=length)
    text = office.done("invoice", "--month", "2026-03").out
    table = office.done("invoice", "--month", "2026-03", "--output", "csv").out
    rows = list(csv.DictReader(io.StringIO(table)))
    assert {row["account"] for row in rows} == {"acme", "other"}
    mine = [row for row in rows if row["account"] == "acme"]
    lines = [row for row in mine if row["leg_id"]]
    assert len(lines) == 6
    total = next(row["amount"] for row in mine if row["kind"] == "total")
    assert sum(Decimal(row["amount"]) for row in mine if row["kind"] != "total") == Decimal(total)
    assert total == "0.60"  # 0.36 + 0.124 + 0.12 (30 s at least) is 0.604
    page = text.partition("=" * 100)[0]
    assert f"USD {total}" in page
    for row in lines:
        assert row["amount"] in page


@ON_BOTH
def test_F069_a_month_without_calls_exits_0(office: Office) -> None:
    assert "No calls in this period." in office.done("invoice", "--month", "2026-02").out
    first, _ = office.done("invoice", "--month", "2026-02", "--output", "json").data
    assert first["totals"]["total"] == "0.00"


@ON_BOTH
def test_F069_a_month_before_there_was_a_plan_has_no_invoice_and_exits_0(office: Office) -> None:
    told = office.done("invoice", "--month", "2024-03")
    assert told.out == ""
    assert "No account had a plan in that month" in told.err
    assert office.done("invoice", "--month", "2024-03", "--output", "json").data == []
    assert office("invoice", "show", "acme", "--month", "2024-03").code == 3


@ON_BOTH
def test_F067_the_draft_is_what_is_unbilled_at_any_time_and_the_final_invoice_is_the_last_of_them(
    office: Office,
) -> None:
    month = ("--month", "2026-03")

    def drafted() -> dict[str, dict[str, Any]]:
        found = office.done("invoice", "--draft", *month, "--output", "json").data
        assert all(each["draft"] for each in found)
        return {each["account"]: each for each in found}

    for number, length in enumerate((90, 31, 12), start=1):
        called(office, f"cb{number}", talk_seconds=length)
        (unbilled,) = office.done("report", "unbilled", "--output", "json").data
        totals = drafted()["acme"]["totals"]
        assert Decimal(unbilled["amount"]) == Decimal(totals["charges"])
        assert len(drafted()["acme"]["sessions"]) == number
    last = drafted()["acme"]
    office.done("invoice", "run", *month, "--account", "acme", "--yes")
    (final, _) = office.done("invoice", *month, "--output", "json").data
    assert final == {**last, "number": "INV-2026-00001", "draft": False}
    assert set(drafted()) == {"other"}  # what was issued is no draft any more
    assert "acme" not in office.done("invoice", "--draft", *month).out
    assert office.done("report", "unbilled", "--output", "json").data == []


def test_an_invoice_is_shown_as_table_json_csv_and_pdf(office: Office, tmp_path: Path) -> None:
    called(office)
    office.store(lambda connection: connection.execute(update(accounts), {"created_at": LONG_AGO}))
    office.done("payment", "add", "acme", "5", "--reference", "bank 1", "--at", "2026-03-05")
    wanted = ("invoice", "show", "acme", "--month", "2026-03")
    assert "DRAFT INVOICE" in office.done(*wanted).out
    data = office.done(*wanted, "--output", "json").data
    assert data["draft"] is True
    assert data["totals"]["total"] == "0.36"
    assert data["totals"]["amount_due"] == "-4.6400"
    paper = tmp_path / "acme.pdf"
    office.done(*wanted, "--pdf", str(paper))
    assert paper.read_bytes().startswith(b"%PDF-")


def test_the_ledger_of_an_account_shows_each_entry_with_the_balance_after_it(office: Office) -> None:
    called(office)
    office.done("payment", "add", "acme", "5", "--reference", "bank 1")
    charge, payment = office.done("ledger", "show", "acme", "--output", "json").data
    assert (charge["kind"], charge["amount"], charge["balance"]) == ("charge", "-0.36", "-0.36")
    assert (payment["kind"], payment["amount"], payment["balance"]) == ("payment", "5.00", "4.64")
    assert "balances, charges and holds agree" in office.done("ledger", "verify").out

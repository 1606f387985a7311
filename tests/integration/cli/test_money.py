"""Payments, refunds, corrections, exchange rates, the ledger and the audit log from the command line."""

import csv
import io

import pytest
from office import Office
from storeworld import callback, play, story

from billing.ledger import EntryKind
from staff.ledger import KINDS

PAY = ("payment", "add", "acme", "20", "--reference", "bank 1")


def show(office: Office, *words: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = office.done("ledger", "show", *words, "--output", "json").data
    return rows


def test_a_payment_given_twice_changes_nothing_and_says_so(office: Office) -> None:
    first, second = office.done(*PAY, "--output", "json"), office.done(*PAY, "--output", "json")
    assert first.data == second.data
    assert first.data["balance"] == "20.00"
    assert "'bank 1' is in the books already; nothing was changed." in second.err
    other = office("payment", "add", "acme", "21", "--reference", "bank 1")
    assert other.code == 5
    assert "give this one a reference of its own" in other.err


def test_F074_a_refund_beyond_what_was_paid_is_refused_by_policy(office: Office) -> None:
    office.done(*PAY)
    refused = office("refund", "add", "acme", "20.01", "--reference", "out 1", "--reason", "asked")
    assert refused.code == 4
    assert "refund less" in refused.err
    done = office.done("refund", "add", "acme", "20", "--reference", "out 1", "--reason", "asked")
    assert "balance    0.00" in done.out


def test_a_top_up_lets_a_prepaid_account_call(office: Office) -> None:
    account = ("--currency", "USD", "--plan", "standard", "--kind", "prepaid")
    office.done("account", "add", "pat", "--name", "Pat", *account)
    office.done("top-up", "add", "pat", "1.00", "--reference", "card 1", "--reason", "by telephone")
    assert office.done("account", "show", "pat", "--output", "json").data["available"] == "1.00"


def test_W47_F059_a_payment_in_euros_is_converted_and_told_with_rate_and_date(office: Office) -> None:
    missing = office(
        "payment", "add", "acme", "3.27", "--currency", "EUR", "--reference", "w", "--at", "2026-03-02"
    )
    assert missing.code == 3
    assert "dialback exchange set USD EUR RATE --on 2026-03-02" in missing.err
    rate = (
        "exchange",
        "set",
        "EUR",
        "USD",
        "1.10",
        "--on",
        "2026-03-01",
        "--source",
        "ECB",
        "--reason",
        "daily",
    )
    office.done(*rate)
    assert "holds already" in office.done(*rate).err
    words = ("3.27", "--currency", "EUR", "--reference", "w", "--at", "2026-03-02", "--output", "json")
    made = office.done("payment", "add", "acme", *words).data
    assert made["amount"] == "3.60"
    assert made["reason"] == "w: 3.27 EUR at 1 EUR = 1.10 USD of 2026-03-01"
    (listed,) = office.done("exchange", "list", "--output", "json").data
    assert (listed["rate"], listed["on"], listed["source"]) == ("1.10", "2026-03-01", "ECB")
    invoice = office.done("invoice", "show", "acme", "--month", "2026-03", "--output", "json").out
    assert "3.27 EUR at 1 EUR = 1.10 USD of 2026-03-01" in invoice


@pytest.mark.parametrize("text", ["0", "-1", "1e3", "1,50", "NaN"])
def test_an_amount_that_cannot_be_meant_is_refused(office: Office, text: str) -> None:
    refused = office("payment", "add", "acme", "--reference", "x", "--", text)
    assert refused.code == 2
    assert "amount" in refused.err
    assert show(office) == []


def test_a_correction_is_a_further_entry_and_may_take(office: Office) -> None:
    words = ("--reference", "case 7", "--reason", "credited twice", "--output", "json")
    assert office.done("ledger", "adjust", "acme", "-1.50", *words).data["balance"] == "-1.50"
    assert office("ledger", "adjust", "acme", "1", "--reference", "case 8").code == 2


def test_a_payment_that_bounced_and_a_debt_given_up_are_entries_of_their_own(office: Office) -> None:
    office.done(*PAY)
    office.done("payment", "reverse", "acme", "bank 1", "--reference", "bounce 1", "--reason", "it bounced")
    office.done("ledger", "adjust", "acme", "-3", "--reference", "fee", "--reason", "late")
    office.done("write-off", "add", "acme", "3", "--reference", "wo 1", "--reason", "insolvent")
    assert [row["kind"] for row in show(office, "acme")] == ["payment", "reversal", "adjustment", "write_off"]
    listed = office.done("payment", "list", "--account", "acme", "--output", "json").data
    assert [(row["what"], row["amount"]) for row in listed] == [
        ("payment", "20.00"),
        ("payment.reverse", "-20.00"),
    ]
    assert office.done("ledger", "verify").out.startswith("4 entries")


def test_the_ledger_shows_every_column_with_its_own_running_balance(office: Office) -> None:
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 90))
    office.done("payment", "add", "acme", "1", "--reference", "bank 1", "--at", "2026-03-03")
    rows = show(office)
    assert {row["ledger_account"] for row in rows} == {
        "receivable:acme",
        "revenue",
        "cash",
        "carrier_payable:carrier-x",
        "carrier_cost",
    }
    assert [(row["amount"], row["balance"]) for row in show(office, "acme")] == [
        ("-0.36", "-0.36"),
        ("1.00", "0.64"),
    ]
    assert [row["balance"] for row in show(office, "acme", "--from", "2026-03-03")] == ["0.64"]
    assert [row["kind"] for row in show(office, "acme", "--kind", "payment")] == ["payment"]
    assert [row["reference"] for row in show(office, "--reference", "cb1", "--in", "revenue")] == ["cb1"]
    assert show(office, "--currency", "EUR") == []
    table = list(csv.DictReader(io.StringIO(office.done("ledger", "show", "--output", "csv").out)))
    assert [row["entry"] for row in table] == [row["entry"] for row in rows]
    assert office("ledger", "show", "nobody").code == 3
    assert office("ledger", "show", "acme", "--in", "cash").code == 2
    balances = office.done("ledger", "balances", "--output", "json").data
    assert {row["ledger_account"]: row["balance"] for row in balances}["cash"] == "-1.00"


def test_the_kinds_that_may_be_asked_for_are_those_of_the_books() -> None:
    assert set(KINDS) == {kind.value for kind in EntryKind}


def test_the_audit_log_says_who_when_what_and_why_with_before_and_after(office: Office) -> None:
    office.done(*PAY, "--reason", "statement of March")
    (noted,) = office.done("audit", "list", "--action", "payment", "--output", "json").data
    assert noted["subject"] == "acme"
    assert noted["reason"] == "statement of March"
    assert noted["before"] == "balance_units=0"
    assert "balance_units=200000" in noted["after"]
    shown = office.done("audit", "show", str(noted["id"]), "--output", "json").data
    assert shown == noted
    assert office.done("audit", "list", "--by", "nobody", "--output", "json").data == []
    assert office.done("audit", "list", "--subject", "acme", "--last", "1", "--output", "json").data == [
        noted
    ]
    assert office("audit", "show", "99999").code == 3

"""Accounts, subscribers, numbers and DIDs from the command line."""

from typing import Any

import pytest
from office import Office
from storeworld import LIMITS, NOW

from calls.wishes import Ring
from store import admissions, callbacks


def ring(number: int, *, caller: str, did: str = "+442079460900", **more: Any) -> Ring:
    return Ring(
        trigger_id=f"trigger{number}",
        channel_id=f"channel{number}",
        did_raw=did,
        caller_number_raw=caller,
        caller_name_raw="",
        is_withheld=more.get("is_withheld", not caller),
        is_diverted=more.get("is_diverted", False),
        trunk="east",
        ingress_country="GB",
        received_at=NOW,
    )


def admit(office: Office, rings: list[Ring]) -> None:
    for each in rings:
        office.store(admissions.admit_ring, each, callback_id=f"cb-{each.trigger_id}", limits=LIMITS)


def test_F014_a_number_belongs_to_one_account_and_a_second_one_is_refused(office: Office) -> None:
    refused = office("number", "add", "otto", "+44 20 7946 0101", "--verified", "--reason", "asked")
    assert refused.code == 5
    assert "+442079460101 is registered with another account already" in refused.err
    assert refused.out == ""
    listed = office.done("number", "list", "--output", "json").data
    assert [(row["number"], row["account"]) for row in listed] == [("+442079460101", "acme")]


def test_F014_a_subscriber_s_own_number_is_not_added_again_nor_to_be_removed_first(office: Office) -> None:
    refused = office("number", "add", "anna", "+442079460101")
    assert refused.code == 5
    assert "+442079460101 is registered with 'anna' already; there is nothing to add" in refused.err
    assert "remove it there first" not in refused.err


def test_F014_a_number_removed_from_one_account_may_be_added_to_another(office: Office) -> None:
    office.done("number", "remove", "+442079460101", "--reason", "sold the telephone")
    office.done("number", "add", "otto", "+442079460101")


def test_F014_an_unknown_caller_leaves_a_record_and_no_callback(office: Office) -> None:
    admit(office, [ring(1, caller="+442079460777")])
    (record,) = office.done("trigger", "list", "--output", "json").data
    assert record["outcome"] == "refused"
    assert record["reason"] == "unknown_caller"
    assert record["caller"] == "+442079460777"
    assert not record["callback"]
    assert office.done("callback", "list", "--output", "json").data == []


def test_F079_ten_triggers_of_mixed_fate_leave_ten_records_with_their_result(office: Office) -> None:
    rings = [
        ring(1, caller="02079460101"),
        ring(2, caller="02079460101"),  # a second one while the first is under way
        ring(3, caller=""),
        ring(4, caller="+442079460777"),
        ring(5, caller="02079460101", did="+442079460999"),
        ring(6, caller="02079460101", is_diverted=True),
        ring(7, caller="not a number"),
        ring(8, caller="=HYPERLINK(1)\x1b[2J"),
        ring(9, caller="0"),
        ring(10, caller="+15005550006"),
    ]
    admit(office, rings)
    listed = office.done("trigger", "list", "--output", "json").data
    assert len(listed) == 10
    assert all(row["outcome"] in {"accepted", "refused"} for row in listed)
    assert all((row["outcome"] == "refused") == bool(row["reason"]) for row in listed)
    assert [row["id"] for row in listed if row["outcome"] == "accepted"] == ["trigger1"]
    assert {row["reason"] for row in listed} >= {"duplicate", "unknown_did", "diverted", "unknown_caller"}


def test_what_a_caller_sent_reaches_no_terminal_and_no_spreadsheet_raw(office: Office) -> None:
    admit(office, [ring(1, caller="=HYPERLINK(1)\x1b[2J")])
    assert "\x1b" not in office.done("trigger", "list").out
    assert "'=HYPERLINK(1)" in office.done("trigger", "list", "--output", "csv").out


def test_a_national_number_is_one_of_the_subscribers_country(office: Office) -> None:
    made = office.done("number", "add", "otto", "07700 900123", "--output", "json").data
    assert made["number"] == "+447700900123"
    assert made["verified_at"] is None


def test_a_word_that_is_no_number_is_refused_with_the_form_expected(office: Office) -> None:
    refused = office("number", "add", "otto", "seven")
    assert refused.code == 2
    assert refused.err.startswith("Error: number: 'seven' is refused")
    assert "+44 20 7946 0101" in refused.err


def test_a_number_is_verified_by_staff_with_a_reason(office: Office) -> None:
    office.done("number", "add", "otto", "+447700900123")
    assert office("number", "verify", "+447700900123").code == 2
    made = office.done("number", "verify", "+447700900123", "--reason", "called", "--output", "json").data
    assert made["verified_at"]
    assert made["verified_by"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("account", "show", "nobody"), 3, "there is no account 'nobody'"),
        (("subscriber", "show", "nobody"), 3, "there is no subscriber 'nobody'"),
        (("number", "remove", "+447700900999", "--reason", "x"), 3, "is not registered"),
        (("did", "remove", "+442079460101", "--reason", "x"), 3, "is not in service"),
        (("did", "add", "+442079460101", "--shared"), 5, "registered as a subscriber's phone"),
        (("did", "add", "+442079460902"), 2, "--shared, --personal or --direct: none is given; say one of"),
        (("did", "add", "+442079460902", "--shared", "--personal", "anna"), 2, "more than one is given"),
        (("did", "add", "+442079460902", "--direct", "anna", "999"), 4, "Emergency"),
        (("account", "change", "acme"), 2, "nothing to change"),
        (("account", "change", "acme", "--credit-limit", "1e3"), 2, "credit_limit"),
        (("account", "change", "acme", "--zone", "Mars/Base"), 2, "IANA"),
        (("account", "change", "acme", "--plan", "gold"), 3, "plan"),
        (
            ("account", "add", "acme", "--name", "x", "--currency", "USD", "--plan", "standard"),
            5,
            "exists already",
        ),
        (
            ("account", "add", "third", "--name", "x", "--currency", "EUR", "--plan", "standard"),
            5,
            "plan in the account's currency",
        ),
        (("subscriber", "add", "x", "--account", "acme", "--name", "x", "--home-country", "XX"), 2, "GB"),
        (("trunk", "add", "west", "--carrier", "c", "--cost-deck", "carrier-x"), 3, "it has east"),
        (("plan", "add", "p", "--deck", "carrier-x"), 2, "cost deck"),
        (("plan", "show", "gold"), 3, "plan"),
        (("api-key", "create", "nobody", "--name", "x"), 3, "there is no account"),
        (("api-key", "revoke", "zz", "--reason", "x"), 3, "zz"),
        (("cdr", "--account", "nobody"), 3, "there is no account"),
        (("invoice", "show", "nobody"), 3, "there is no account"),
        (("invoice", "show", "acme", "--month", "2026-13"), 2, "2026-03"),
        (("callback", "show", "nothing"), 3, "there is no callback"),
        (("callback", "cancel", "nothing"), 3, "there is no callback"),
        (("callback", "trace", "nothing"), 3, "there is no callback"),
    ],
)
def test_a_refusal_is_one_line_with_its_code_and_changes_nothing(
    office: Office, words: tuple[str, ...], code: int, said: str
) -> None:
    refused = office(*words)
    assert refused.code == code, refused.err
    assert said in refused.err
    assert refused.out == ""
    errors = [line for line in refused.err.splitlines() if not line.startswith("See `")]
    assert len(errors) == 1
    assert errors[0].startswith("Error: ")


def test_a_suspended_account_gets_no_callback_until_it_is_resumed(office: Office) -> None:
    office.done("account", "suspend", "acme", "--reason", "unpaid")
    refused = office("callback", "request", "--number", "+442079460101")
    assert refused.code == 4
    assert "suspended" in refused.err
    office.done("account", "resume", "acme", "--reason", "paid")
    office.done("callback", "request", "--number", "+442079460101")


def test_a_payment_counts_once_by_its_reference(office: Office) -> None:
    for _ in range(2):
        office.done("payment", "add", "acme", "12.50", "--reference", "bank 77")
    assert office.done("account", "show", "acme", "--output", "json").data["balance"] == "12.50"
    other = office("payment", "add", "acme", "13", "--reference", "bank 77")
    assert other.code == 5
    assert office.done("ledger", "verify").out.startswith("1 entries")
    assert office("payment", "add", "acme", "-1", "--reference", "x").code == 2


def test_an_api_keys_secret_is_shown_once_and_listed_never(office: Office) -> None:
    made = office.done("api-key", "create", "acme", "--name", "web shop", "--output", "json").data
    assert len(made["secret"]) > 30
    listed = office.done("api-key", "list").out
    assert made["id"] in listed
    assert made["secret"] not in listed
    office.done("api-key", "revoke", made["id"], "--reason", "lost")
    (row,) = office.done("api-key", "list", "--output", "json").data
    assert row["revoked_at"]


def test_F108_the_policy_list_prints_reason_source_and_review_and_flags_old_rows(office: Office) -> None:
    listed = office.done("policy", "list", "--output", "json")
    assert listed.data
    assert all(row["reason"] and row["source"] and row["source_date"] for row in listed.data)
    assert {row["review"] for row in listed.data if row["review_date"] is None} == {"due"}
    assert "not reviewed for 180 days" in listed.err


def test_what_staff_do_is_told_by_the_store_as_it_stands(office: Office) -> None:
    made = office.done("callback", "request", "--number", "+442079460101", "--output", "json").data
    known = office.store(callbacks.load, made["id"])
    assert known.state == made["state"]

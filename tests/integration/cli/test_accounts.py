"""A clerk's work on an account, from the command line."""

import re
from datetime import UTC, datetime

import pytest
from moneyed import Money
from office import Office
from storeworld import callback, play, story

from settings import load
from store import payments
from store.audit import Author
from values.spokencode import spoken_code


def test_F052_a_plan_is_changed_from_an_instant_on_and_only_that(office: Office) -> None:
    office.done("plan", "add", "gold", "--deck", "retail", "--effective", "2026-01-01")
    words = ("account", "change", "acme", "--plan", "gold", "--effective", "2099-01-01", "--output", "json")
    shown = office.done(*words, "--reason", "ordered").data
    assert (shown["plan"], shown["plan_to_come"]) == ("standard", ["gold from 2099-01-01T00:00:00Z"])
    past = office("account", "change", "acme", "--plan", "gold", "--effective", "2026-01-01")
    assert (past.code, "is past" in past.err) == (2, True)
    both = office("account", "change", "acme", "--name", "New", "--effective", "2099-01-01")
    assert both.code == 2
    assert office.done("account", "show", "acme", "--output", "json").data["name"] == "Acme Ltd"
    now = office.done("account", "change", "acme", "--plan", "gold", "--output", "json").data
    assert now["plan"] == "gold"


def test_F072_billing_data_are_changed_field_by_field(office: Office) -> None:
    words = ("--address", r"1 High Street\nLondon", "--tax-place", "gb", "--tax-id", "GB 123 4567 89")
    more = ("--email", "bills@acme.example", "--mask-numbers", "--ask-tag", "--callbacks-max", "3")
    office.done("account", "change", "acme", *words, *more, "--bill-cycle", "on-demand")
    shown = office.done("account", "show", "acme", "--output", "json").data
    assert (shown["tax_place"], shown["tax_id"]) == ("GB", "GB123456789")
    assert (shown["masks_numbers"], shown["asks_tag"], shown["callbacks_max"]) == (True, True, 3)
    assert (shown["billing_address"], shown["bill_cycle"]) == ("1 High Street\nLondon", "on-demand")
    assert not office.done("account", "change", "acme", "--show-numbers", "--output", "json").data[
        "masks_numbers"
    ]
    refused = office("account", "change", "acme", "--tax-id", "DE1", "--name", "Never")
    assert (refused.code, refused.out) == (2, "")
    assert "tax_id: 'DE1' has not the form of a tax id of DE" in refused.err
    assert office.done("account", "show", "acme", "--output", "json").data["name"] == "Acme Ltd"


def test_evidence_of_residence_is_written_down_piece_by_piece(office: Office) -> None:
    add = ("account", "evidence", "add", "acme", "--country", "de", "--detail", "seen on a letter", "--kind")
    assert "not proven: 1 of 2 pieces" in office.done(*add, "address").err
    assert "DE, by 2 pieces of evidence" in office.done(*add, "bank").err
    listed = office.done("account", "evidence", "list", "acme", "--output", "json").data
    assert [(row["kind"], row["country"]) for row in listed] == [("address", "DE"), ("bank", "DE")]
    shown = office.done("account", "show", "acme", "--output", "json").data
    assert shown["residence"] == "DE, by 2 pieces of evidence"


def test_an_account_is_closed_once_nothing_is_owed(office: Office) -> None:
    office.done("payment", "add", "acme", "5", "--reference", "p1")
    refused = office("account", "close", "acme", "--reason", "their letter")
    assert (refused.code, refused.out) == (5, "")
    assert "'acme' is owed 5.0000 USD; give it back: `dialback refund add acme 5.00 --" in refused.err
    office.done("account", "close", "other", "--reason", "their letter")
    assert office.done("account", "show", "other", "--output", "json").data["state"] == "closed"
    office.done("account", "close", "other", "--reason", "their letter")
    assert office("account", "resume", "other", "--reason", "they came back").code == 5


def test_an_account_with_credit_that_was_given_is_closed_by_the_commands_that_the_refusal_names(
    office: Office,
) -> None:
    office.done("payment", "add", "acme", "5", "--reference", "p1")
    office.done("ledger", "adjust", "acme", "2.5010", "--reference", "gift", "--reason", "sorry")
    refused = office("account", "close", "acme", "--reason", "their letter").err
    commands = re.findall(r"`dialback ([^`]+)`", " ".join(refused.split()))
    assert len(commands) == 2
    for number, command in enumerate(commands):
        office.done(*command.replace("YOURS", f"end-{number}").split())
    office.done("account", "close", "acme", "--reason", "their letter")


def test_an_account_is_asked_for_the_tax_of_its_last_calls_before_it_is_closed(office: Office) -> None:
    office.done("tax", "set", "GB", "standard", "20", "--from", "2026-01-01")
    office.done("account", "change", "acme", "--tax-place", "GB", "--reason", "their letter")
    first = callback("cb1", currency="USD")
    office.store(play, first, story(first, 600))  # 1.00 by the sheet that the office has
    office.done("payment", "add", "acme", "1", "--reference", "p1")
    refused = office("account", "close", "acme", "--reason", "their letter")
    assert refused.code == 5
    assert "owes 0.2000 USD, reckoned with the invoice to come of 2026-03" in refused.err
    office.done("payment", "add", "acme", "0.20", "--reference", "p2")
    told = office.done("account", "close", "acme", "--reason", "their letter").err
    assert "Its invoice of 2026-03 is still to come: 1.00 USD of calls, 0.20 of tax, fees, rounding." in told
    (run,) = re.findall(r"`dialback (invoice run [^`]+)`", told)
    office.done(*run.split(), "--yes")
    assert office.done("account", "show", "acme", "--output", "json").data["balance"] == "0.00"
    office.done("ledger", "verify")


def test_F073_an_option_is_added_once_and_ended(office: Office) -> None:
    add = ("option", "add", "acme", "second-number", "--name", "Second number", "--reason", "their call")
    made = office.done(*add, "--monthly", "2.50", "--from", "2026-03-01", "--output", "json").data
    assert (made["monthly"], made["currency"], made["ends_on"]) == ("2.50", "USD", None)
    office.done(*add, "--monthly", "2.50", "--from", "2026-03-01")
    assert office(*add, "--monthly", "3", "--from", "2026-03-01").code == 5
    office.done("option", "end", "second-number", "--on", "2026-04-01", "--reason", "cancelled")
    (row,) = office.done("option", "list", "--account", "acme", "--output", "json").data
    assert (row["starts_on"], row["ends_on"]) == ("2026-03-01", "2026-04-01")


@pytest.mark.parametrize("wrong", ["-1", "1e3", "NaN", "0.00001", "abc"])
def test_a_fee_that_cannot_be_meant_is_refused_by_field(office: Office, wrong: str) -> None:
    refused = office("option", "add", "acme", "x", "--name", "X", "--monthly", wrong, "--reason", "r")
    assert (refused.code, refused.out) == (2, "")
    assert "monthly" in refused.err
    assert office.done("option", "list", "--output", "json").data == []


def test_F158_a_travellers_number_has_an_end(office: Office) -> None:
    add = ("number", "add", "anna", "+33 1 99 00 12 34", "--verified", "--reason", "called the hotel")
    made = office.done(*add, "--till", "2099-03-09T12:00:00+01:00", "--output", "json").data
    assert made["rung_until"] == "2099-03-09T11:00:00Z"
    unzoned = office(*add, "--till", "2099-03-09")
    assert unzoned.code == 2
    past = office("number", "add", "anna", "+33199001235", "--till", "2020-01-01T00:00:00Z")
    assert (past.code, "until: 2020-01-01T00:00:00Z is past" in past.err) == (2, True)


def test_F070_a_number_is_proven_by_the_code_that_its_call_speaks(office: Office) -> None:
    office.done("number", "add", "anna", "020 7946 0104")
    ordered = office.done("number", "verify", "+442079460104", "--call", "--output", "json")
    assert "dialback number confirm +442079460104 CODE" in ordered.err
    callback_id = ordered.data["callback"]
    secret = load(office.folder / "switch.toml").agi.secret.get_secret_value().encode()
    code = spoken_code(secret, callback_id)
    wrong = f"{(int(code) + 1) % 10**7:07d}"
    refused = office("number", "confirm", "+442079460104", wrong)
    assert (refused.code, refused.out) == (4, "")
    assert "That is not the code. 2 more may be tried." in refused.err
    made = office.done("number", "confirm", "+442079460104", code, "--output", "json").data
    assert made["verified_by"] == "code"
    again = office("number", "confirm", "+442079460104", code)
    assert (again.code, "No code is open" in again.err) == (4, True)


def test_a_number_is_verified_by_a_code_or_by_somebodys_word(office: Office) -> None:
    office.done("number", "add", "anna", "020 7946 0104")
    assert office("number", "verify", "+442079460104").code == 2
    office.done("number", "verify", "+442079460104", "--reason", "passport seen")
    assert office("number", "verify", "+442079460777", "--call").code == 3


def test_a_clerk_sees_the_whole_account_on_one_page(office: Office) -> None:
    office.done("cap", "set", "acme", "day", "25", "--reason", "their wish")
    office.done("option", "add", "acme", "second", "--name", "Second", "--monthly", "2.50", "--reason", "r")
    office.done("tag", "add", "acme", "Client Miller", "--code", "4711")
    office.done("speed-dial", "add", "acme", "7", "+12025550123", "--name", "Friend")
    shown = office.done("account", "show", "acme", "--output", "json").data
    assert {row["number"] for row in shown["numbers"]} == {"+442079460101"}
    assert [(row["period"], row["cap"], row["room"]) for row in shown["caps"]] == [("day", "25.00", "25.00")]
    assert [row["tag"] for row in shown["tags"]] == ["Client Miller"]
    assert [row["code"] for row in shown["speed_dials"]] == ["7"]
    assert [row["monthly"] for row in shown["options"]] == ["2.50"]
    assert (shown["last_calls"], shown["holds"], shown["unbilled"]) == ([], [], [])
    page = office.done("account", "show", "acme").out
    assert "\nSpending caps\n" in page
    assert "\nNumbers\n" in page


def test_F170_a_cap_is_set_and_taken_away(office: Office) -> None:
    assert office("cap", "set", "acme", "day", "-1", "--reason", "r").code == 2
    office.done("cap", "set", "acme", "month", "100", "--subscriber", "anna", "--reason", "r")
    (row,) = office.done("cap", "list", "acme", "--output", "json").data
    assert (row["subscriber"], row["period"], row["cap"]) == ("anna", "month", "100.00")
    office.done("cap", "remove", "acme", "month", "--subscriber", "anna")
    assert office("cap", "remove", "acme", "month", "--subscriber", "anna").code == 3


def test_an_account_that_owes_is_closed_by_writing_off_what_it_owes(office: Office) -> None:
    author = Author(at=datetime.now(UTC), name="clerk", reason="a fee")
    office.store(payments.adjust, "other", Money("-3", "USD"), "a1", author)
    assert office("account", "close", "other", "--reason", "gone").code == 5
    office.done("account", "close", "other", "--write-off", "wo-1", "--reason", "bankrupt")
    shown = office.done("account", "show", "other", "--output", "json").data
    assert (shown["state"], shown["balance"]) == ("closed", "0.00")
    assert office.done("ledger", "verify").code == 0

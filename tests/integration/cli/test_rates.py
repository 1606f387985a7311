"""Decks, plans and trunks from the command line."""

import pytest
from office import Office

HEADER = "prefix,destination,rate_per_min\n"


def test_every_bad_row_is_reported_and_nothing_is_imported(office: Office) -> None:
    file = office.folder / "bad.csv"
    file.write_text(f"{HEADER}44,UK,x\n1,USA,0.10\n49,,0.1\n", encoding="utf-8")
    refused = office("deck", "import", "retail", str(file))
    assert refused.code == 1
    assert "row 2, column rate_per_min" in refused.err
    assert "row 4, column destination" in refused.err
    assert "2 errors in 3 rows; nothing was imported" in refused.err
    listed = {row["name"]: row for row in office.done("deck", "list", "--output", "json").data}
    assert listed["retail"]["version"] == 1


def test_a_new_deck_with_a_bad_file_leaves_no_deck_behind(office: Office) -> None:
    file = office.folder / "bad.csv"
    file.write_text(f"{HEADER}44,UK,-1\n", encoding="utf-8")
    assert office("deck", "import", "new", str(file), "--kind", "sell", "--currency", "USD").code == 1
    assert office("deck", "show", "new").code == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe1\x002\x00", "is not UTF-8"), (b"", "the file is empty"), (b"\0", "row 1")],
)
def test_a_file_that_is_no_csv_is_refused(office: Office, content: bytes, said: str) -> None:
    file = office.folder / "odd.csv"
    file.write_bytes(content)
    refused = office("deck", "import", "retail", str(file))
    assert refused.code == 1
    assert said in refused.err


def test_a_second_import_is_a_new_version_and_keeps_kind_and_currency(office: Office) -> None:
    file = str(office.folder / "sell.csv")
    assert "retail version 2" in office.done("deck", "import", "retail", file).out
    assert office("deck", "import", "retail", file, "--kind", "cost").code == 5
    assert office("deck", "import", "retail", file, "--currency", "EUR").code == 5
    assert office("deck", "import", "fresh", file).code == 2


def test_lookup_shows_the_row_that_prices_a_number_and_3_if_there_is_none(office: Office) -> None:
    found = office.done("deck", "lookup", "retail", "+1 415 555 0123", "--output", "json").data
    assert found["destination"] == "North America"
    assert found["per_minute"] == "0.2400"
    missing = office("deck", "lookup", "retail", "+49 30 123456")
    assert missing.code == 3
    assert "has no row for +4930123456" in missing.err


def test_a_plan_is_written_in_versions(office: Office) -> None:
    made = office.done("plan", "add", "standard", "--deck", "retail", "--free-below", "5", "--output", "json")
    assert made.data["id"] == "standard:2"
    assert office.done("plan", "show", "standard:1", "--output", "json").data["free_below_seconds"] == 0
    assert office.done("plan", "show", "standard", "--output", "json").data["free_below_seconds"] == 5
    refused = office("plan", "add", "standard", "--deck", "retail", "--first-increment", "0")
    assert refused.code == 2
    assert "first_increment" in refused.err


def test_a_trunk_is_taken_out_of_use_and_back(office: Office) -> None:
    office.done("trunk", "disable", "east", "--reason", "no audio")
    (row,) = office.done("trunk", "list", "--output", "json").data
    assert row["enabled"] is False
    assert row["sip"] == "127.0.0.1:5999"
    office.done("trunk", "enable", "east")
    office.done("trunk", "change", "east", "--priority", "5")
    (row,) = office.done("trunk", "list", "--output", "json").data
    assert (row["enabled"], row["priority"]) == (True, 5)


def test_every_listing_speaks_table_json_and_csv(office: Office) -> None:
    office.done("callback", "request", "--number", "+442079460101")
    for noun in ("account", "subscriber", "number", "did", "deck", "plan", "trunk", "callback", "policy"):
        rows = office.done(noun, "list", "--output", "json").data
        lines = office.done(noun, "list", "--output", "csv").out.splitlines()
        table = office.done(noun, "list").out.splitlines()
        assert len(rows) >= 1, noun
        assert len(lines) == len(rows) + 1, noun
        assert len(table) == len(rows) + 1, noun
        assert lines[0].split(",") == list(rows[0]), noun

"""F171 at the command line: retention, erasure, masked lists, an audited look."""

import pytest
from office import Office
from week import week

from staff import exits

FRIEND = "+14155550123"


@pytest.fixture
def busy(office: Office) -> Office:
    office.store(week, seed=3, calls=8, currency="USD")
    return office


def configure(office: Office, *lines: str) -> None:
    file = office.folder / "switch.toml"
    file.write_text(file.read_text() + "\n[privacy]\n" + "\n".join(lines) + "\n")


def actions(office: Office) -> list[str]:
    return [row["action"] for row in office.done("audit", "list", "--output", "json").data]


def test_F171_old_numbers_are_masked_everywhere_and_the_books_agree(busy: Office) -> None:
    told = busy.done("privacy", "run", "--on", "2026-12-01", "--dry-run")
    assert told.out.startswith("8 callbacks and ")
    assert FRIEND in busy.done("cdr", "list").out
    done = busy.done("privacy", "run", "--on", "2026-12-01")
    assert done.out == told.out.replace("would be masked", "masked")
    for words in (("cdr", "list"), ("callback", "list"), ("trigger", "list")):
        for form in ("table", "json", "csv"):
            assert FRIEND not in busy.done(*words, "--output", form).out
    busy.done("ledger", "verify")
    (run,) = busy.done("privacy", "list", "--output", "json").data
    assert (run["kind"], run["callbacks"]) == ("retention", 8)


def test_a_younger_call_keeps_its_number(busy: Office) -> None:
    assert busy.done("privacy", "run", "--on", "2026-08-01").out == "0 callbacks and 0 triggers masked\n"
    assert FRIEND in busy.done("cdr", "list").out


def test_a_country_may_have_its_own_time(busy: Office) -> None:
    configure(busy, "keep_months_by_country = { GB = 2 }")
    assert busy.done("privacy", "run", "--on", "2026-06-01").out.startswith("8 callbacks and 0 triggers")


def test_a_person_is_erased_only_when_told_so(busy: Office) -> None:
    words = ("privacy", "erase", "anna", "--reason", "asked for it")
    refused = busy(*words)
    assert refused.code == exits.USAGE
    assert "--yes" in refused.err
    assert busy("privacy", "erase", "anna", "--yes").code == exits.USAGE  # no reason
    busy.done(*words, "--yes")
    assert "+442079460101" not in busy.done("audit", "list", "--output", "json").out
    assert busy.done("number", "list", "--output", "json").data == []
    busy.done("ledger", "verify")


def test_F171_where_lists_are_masked_a_number_is_shown_for_a_reason_and_that_is_kept(busy: Office) -> None:
    configure(busy, "mask_on_screen = true", "log_reading = true")
    listed = busy.done("cdr", "list", "--output", "json").data
    assert {row["number"] for row in listed} == {"+1415555****", "+44207946****"}
    callback = next(row["leg"] for row in listed if row["role"] == "B").rpartition("-")[0]
    for words in (("callback", "show"), ("callback", "trace")):
        assert FRIEND not in busy.done(*words, callback).out
    assert busy("privacy", "unmask", callback).code == exits.USAGE
    shown = busy.done("privacy", "unmask", callback, "--reason", "dispute 17", "--output", "json").data
    assert FRIEND in {row["number"] for row in shown}
    log = busy.done("audit", "list", "--output", "json").data
    (look,) = [row for row in log if row["action"] == "privacy.unmask"]
    assert (look["subject"], look["reason"]) == (callback, "dispute 17")
    assert {"cdr.read", "callback.read"} <= set(actions(busy))


def test_F171_unmasking_is_a_right_of_its_own(busy: Office) -> None:
    configure(busy, "mask_on_screen = true", 'unmask_users = ["somebody else"]')
    callback = busy.done("cdr", "list", "--output", "json").data[0]["leg"].rpartition("-")[0]
    refused = busy("privacy", "unmask", callback, "--reason", "curious")
    assert refused.code == exits.REFUSED
    assert "somebody else" in refused.err
    assert "privacy.unmask" not in actions(busy)

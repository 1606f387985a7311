"""Decks, plans and trunks from the command line."""

import pytest
from office import Office

HEADER = "prefix,destination,rate_per_min\n"


def test_F137_every_bad_row_is_reported_and_nothing_is_applied(office: Office) -> None:
    file = office.folder / "bad.csv"
    file.write_text(f"{HEADER}44,UK,x\n1,USA,0.10\n49,,0.1\n", encoding="utf-8")
    refused = office("deck", "import", "retail", str(file))
    assert refused.code == 1
    assert "row 2, column rate_per_min" in refused.err
    assert "row 4, column destination" in refused.err
    assert "2 errors in 2 of 3 rows" in refused.err
    listed = {row["name"]: row for row in office.done("deck", "list", "--output", "json").data}
    assert listed["retail"]["version"] == 1


def test_a_new_deck_with_a_bad_file_leaves_no_deck_behind(office: Office) -> None:
    file = office.folder / "bad.csv"
    file.write_text(f"{HEADER}44,UK,-1\n", encoding="utf-8")
    assert office("deck", "import", "new", str(file), "--kind", "sell", "--currency", "USD").code == 1
    assert office("deck", "show", "new").code == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe1\x002\x00", "no row names this column"), (b"", "the file is empty"), (b"\0", "row 1")],
)
def test_a_file_that_is_no_csv_is_refused(office: Office, content: bytes, said: str) -> None:
    file = office.folder / "odd.csv"
    file.write_bytes(content)
    refused = office("deck", "import", "retail", str(file))
    assert refused.code == 1
    assert said in refused.err


def test_R18_the_same_file_twice_changes_nothing_and_a_deck_keeps_kind_and_currency(office: Office) -> None:
    file = str(office.folder / "sell.csv")
    again = office.done("deck", "import", "retail", file, "--approve", "--output", "json").data
    assert (again["version"], again["unchanged"], again["closed"]) == (0, 2, 0)
    assert office("deck", "import", "retail", file, "--kind", "cost").code == 5
    assert office("deck", "import", "retail", file, "--currency", "EUR").code == 5
    assert office("deck", "import", "fresh", file).code == 2


def test_a_row_without_a_date_is_told_to_people_without_one_and_to_programs_with_the_first_of_all(
    office: Office,
) -> None:
    sheet = str(office.folder / "sell.csv")
    staged = office.done("deck", "import", "undated", sheet, "--kind", "sell", "--currency", "USD")
    assert "rows staged, for calls of any day; not in force yet" in staged.out
    shown = office.done("deck", "diff", "undated:1")
    assert [line.split()[-1] for line in shown.out.splitlines() if line.startswith("new")] == ["-", "-"]
    approved = office.done("deck", "approve", "undated:1")
    looked_up = office.done("deck", "lookup", "undated", "+12125550100")
    for said in (staged, shown, approved, looked_up, office.done("deck", "show", "undated")):
        assert "1970" not in said.out + said.err
    (row, _) = office.done("deck", "show", "undated", "--output", "json").data
    assert row["valid_from"] == "1970-01-01T00:00:00Z"


def test_F137_a_sheet_is_staged_shown_approved_and_taken_back_exactly(office: Office) -> None:
    before = office.done("deck", "export", "retail").out
    other = office.done("deck", "export", "carrier-x").out
    file = office.folder / "next.csv"
    file.write_text(
        f"{HEADER}44,United Kingdom,0.10\n1,North America,0.20\n49,Germany,0.10\n", encoding="utf-8"
    )
    staged = office.done("deck", "import", "retail", str(file), "--output", "json").data
    assert (staged["version"], staged["new"], staged["decreased"], staged["unchanged"]) == (2, 1, 1, 1)
    assert office.done("deck", "export", "retail").out == before
    shown = office.done("deck", "diff", "retail:2", "--output", "json").data
    assert [(row["change"], row["prefix"], row["before"], row["after"]) for row in shown] == [
        ("decreased", "1", "0.2400", "0.2000"),
        ("new", "49", None, "0.1000"),
    ]
    office.done("deck", "approve", "retail:2", "--reason", "spring prices")
    assert "49,Germany" in office.done("deck", "export", "retail").out
    office.done("deck", "rollback", "retail", "--reason", "wrong customer")
    assert office.done("deck", "export", "retail").out == before
    assert office.done("deck", "export", "carrier-x").out == other
    states = [row["state"] for row in office.done("deck", "versions", "retail", "--output", "json").data]
    assert states == ["withdrawn", "approved"]
    assert office("deck", "approve", "retail:2").code == 5
    assert office("deck", "rollback", "retail", "--reason", "once more").code == 4


def test_a_big_change_needs_a_reason_and_rejected_rows_a_yes(office: Office) -> None:
    file, bad = office.folder / "next.csv", office.folder / "bad.csv"
    file.write_text(
        f"{HEADER}44,United Kingdom,1.00\n1,North America,0.24\n49,Germany,NaN\n", encoding="utf-8"
    )
    refused = office("deck", "import", "retail", str(file), "--approve", "--rejected", str(bad))
    assert refused.code == 1
    assert "row 4, column rate_per_min" in refused.err
    assert bad.read_text().splitlines()[1].startswith('4,"rate_per_min: ')
    assert "HOLDS  big_change: row 2: prefix 44: 0.1000 becomes 1.0000, over 50 %" in refused.err
    for words in ([], ["--without-rejected"], ["--override", "agreed"]):
        assert office("deck", "approve", "retail:2", *words).code == 4
    office.done("deck", "approve", "retail:2", "--without-rejected", "--override", "agreed")
    assert (
        office.done("deck", "lookup", "retail", "+442079460101", "--output", "json").data["per_minute"]
        == "1.0000"
    )


def test_what_one_staged_another_approves_if_the_house_wants_it_so(office: Office) -> None:
    config = office.folder / "switch.toml"
    config.write_text(config.read_text() + "\n[decks]\ntwo_people = true\n")
    file = office.folder / "next.csv"
    file.write_text(f"{HEADER}44,United Kingdom,0.09\n1,North America,0.24\n", encoding="utf-8")
    office.done("deck", "import", "retail", str(file))
    refused = office("deck", "approve", "retail:2")
    assert refused.code == 4
    assert "somebody else" in refused.err
    office.done("deck", "discard", "retail:2", "--reason", "not wanted")
    assert [row["id"] for row in office.done("deck", "versions", "retail", "--output", "json").data] == [
        "retail:1"
    ]


def test_R19_a_price_below_every_cost_is_told_by_prefix(office: Office) -> None:
    file = office.folder / "cost.csv"
    file.write_text(
        f"{HEADER}44,United Kingdom,0.04\n447,UK mobile,0.12\n1,North America,0.09\n", encoding="utf-8"
    )
    told = office.done("deck", "import", "carrier-x", str(file), "--approve")
    assert "loss: plan standard: prefix 447 is sold at 0.1000, east asks 0.1200" in told.err


def test_a_deck_is_read_from_a_pipe_and_a_workbook_and_shown_in_pages(office: Office) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        ["Alphatel rates"],
        [],
        ["Dial Code", "Destination", "Rate"],
        [44, "UK", 0.085],
        [49, "Germany", 0.1],
    ):
        sheet.append(row)
    file = office.folder / "rates.xlsx"
    book.save(file)
    office.done("deck", "import", "alpha", str(file), "--kind", "cost", "--currency", "USD", "--approve")
    first = office.done("deck", "show", "alpha", "--limit", "1", "--output", "json")
    assert [(row["prefix"], row["per_minute"]) for row in first.data] == [("44", "0.0850")]
    assert "--page 2" in first.err
    second = office.done("deck", "show", "alpha", "--limit", "1", "--page", "2", "--output", "json")
    assert [row["prefix"] for row in second.data] == ["49"]


def test_a_workbook_whose_first_sheet_is_a_cover_names_the_others(office: Office) -> None:
    from openpyxl import Workbook

    book = Workbook()
    cover, prices = book.active, book.create_sheet("Prices A-Z")
    assert cover is not None
    cover.append(["Alphatel, Rates of March"])
    for row in (["Dial Code", "Destination", "Rate"], [44, "UK", 0.085]):
        prices.append(row)
    file = office.folder / "rates.xlsx"
    book.save(file)
    words = ("deck", "import", "alpha", str(file), "--kind", "cost", "--currency", "USD")
    refused = office(*words)
    assert refused.code == 1
    assert "sheet 'Prices A-Z' is not read: --worksheet 'Prices A-Z' reads it" in refused.err
    assert office.done(*words, "--worksheet", "Prices A-Z", "--output", "json").data["new"] == 1


def test_lookup_shows_the_row_that_prices_a_number_and_3_if_there_is_none(office: Office) -> None:
    found = office.done("deck", "lookup", "retail", "+1 415 555 0123", "--output", "json").data
    assert found["destination"] == "North America"
    assert found["per_minute"] == "0.2400"
    missing = office("deck", "lookup", "retail", "+49 30 123456")
    assert missing.code == 3
    assert "has no row for +4930123456; such a call is refused" in missing.err


def test_a_plan_is_written_in_versions(office: Office) -> None:
    made = office.done("plan", "add", "standard", "--deck", "retail", "--free-below", "5", "--output", "json")
    assert made.data["id"] == "standard:2"
    assert office.done("plan", "show", "standard:1", "--output", "json").data["free_below_seconds"] == 0
    assert office.done("plan", "show", "standard", "--output", "json").data["free_below_seconds"] == 5
    refused = office("plan", "add", "standard", "--deck", "retail", "--first-increment", "0")
    assert refused.code == 2
    assert "--first-increment: 0 is refused" in refused.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--package-minutes", "-1"), "'--package-minutes': -1 is not in the range 0<=x<=527040"),
        (("--package-prefix", "44"), "--package-prefix: '44' is refused: leave it out"),
        (("--overage", "1e3"), "--overage: '1e3' is refused"),
        (("--margin-floor", "101"), "--margin-floor: 101 is refused"),
        (("--monthly-fee", "0.00", "--monthly-fee-waived-from", "5"), "no --monthly-fee to waive"),
    ],
)
def test_a_term_that_cannot_be_meant_is_refused_by_the_name_of_its_option(
    office: Office, words: tuple[str, ...], said: str
) -> None:
    refused = office("plan", "add", "odd", "--deck", "retail", *words)
    assert (refused.code, said in refused.err) == (2, True)
    assert office("plan", "show", "odd").code == 3


def test_a_trunk_is_taken_out_of_use_and_back(office: Office) -> None:
    office.done("trunk", "disable", "east", "--reason", "no audio")
    (row,) = office.done("trunk", "list", "--output", "json").data
    assert row["enabled"] is False
    assert row["sip"] == "127.0.0.1:5999"
    office.done("trunk", "enable", "east")
    office.done("trunk", "change", "east", "--priority", "5")
    (row,) = office.done("trunk", "list", "--output", "json").data
    assert (row["enabled"], row["priority"], row["channels_max"]) == (True, 5, None)
    office.done("trunk", "change", "east", "--channels-max", "2")
    (row,) = office.done("trunk", "list", "--output", "json").data
    assert row["channels_max"] == 2


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


def test_a_folder_that_is_no_tariff_plan_names_what_is_expected(office: Office) -> None:
    folder = office.folder / "sheets"
    folder.mkdir()
    (folder / "Rates.csv").write_text(f"{HEADER}44,UK,0.1\n", encoding="utf-8")
    refused = office("deck", "import", "retail", str(folder))
    assert refused.code == 1
    assert "Destinations.csv, Rates.csv and DestinationRates.csv" in refused.err
    assert (
        "Destinations.csv and DestinationRates.csv is missing. To import a sheet, name its file"
        in refused.err
    )


def test_rows_are_shown_with_whatever_they_have_and_looked_up_by_band(office: Office) -> None:
    sheet = (
        "prefix,destination,rate_per_min,band,attempt_fee,surcharge_non_eea,number_digits_max\n"
        "33,France,0.02,peak,0.001,0.25,12\n34,Spain,0.03,,,,\n"
    )
    (office.folder / "more.csv").write_text(sheet, encoding="utf-8")
    made = ["--kind", "cost", "--currency", "USD", "--approve", "--effective", "2026-01-01"]
    office.done("deck", "import", "more", str(office.folder / "more.csv"), *made)
    rows = {row["prefix"]: row for row in office.done("deck", "show", "more", "--output", "json").data}
    assert (rows["33"]["attempt_fee"], rows["33"]["surcharge_non_eea"], rows["34"]["attempt_fee"]) == (
        "0.0010",
        "0.2500",
        None,
    )
    assert "surcharge_eea" not in rows["33"]
    missed = office("deck", "lookup", "more", "+33142685300")
    assert (missed.code, "outside all time bands such a call is refused" in missed.err) == (3, True)
    found = office.done("deck", "lookup", "more", "+33142685300", "--band", "peak", "--output", "json").data
    assert (found["per_minute"], found["attempt_fee"], found["number_digits_max"]) == ("0.0200", "0.0010", 12)


def test_a_band_that_no_row_of_the_number_has_is_told(office: Office) -> None:
    asked = ("deck", "lookup", "retail", "+14155550123")
    assert "is for band paek" in office.done(*asked, "--band", "paek").err
    assert not office.done(*asked).err


def test_rows_for_hours_that_nobody_has_are_told(office: Office) -> None:
    sheet = "prefix,destination,rate_per_min,rate_offpeak\n44,UK,0.04,0.02\n1,USA,0.09,0.08\n"
    file = office.folder / "hours.csv"
    file.write_text(sheet, encoding="utf-8")
    told = "rows for band offpeak will price no call: no plan or trunk with this deck has such hours"
    assert told in office.done("deck", "import", "carrier-x", str(file)).err
    office.done("trunk", "change", "east", "--band", "offpeak=Mo-Su 20:00-08:00")
    assert "will price no call" not in office.done("deck", "import", "carrier-x", str(file)).err
    unused = office.done("deck", "import", "new", str(file), "--kind", "sell", "--currency", "USD")
    assert "will price no call" not in unused.err
    office.done("plan", "add", "hours", "--deck", "new")
    assert told in office.done("deck", "import", "new", str(file)).err


def test_a_plan_tells_the_hours_that_only_it_or_only_its_deck_has(office: Office) -> None:
    file = office.folder / "hours.csv"
    file.write_text("prefix,destination,rate_peak,rate_offpeak\n33,France,0.04,0.02\n", encoding="utf-8")
    office.done("deck", "import", "new", str(file), "--kind", "sell", "--currency", "USD", "--approve")
    made = ("plan", "add", "hours", "--deck", "new", "--band", "peak=Mo-Fr 08:00-20:00")
    misspelt = office.done(*made, "--band", "of-peak=Sa,Su 00:00-00:00").err
    assert "new:1 has rows for the hours of offpeak, which no --band of the plan names" in misspelt
    assert "new:1 has no row for the hours of of-peak: they are priced like all others" in misspelt
    asked = ("--from", "+33142685300", "--to", "+33142685301", "--at", "2026-03-07T12:00:00Z")
    refused = office("quote", "--plan", "hours", *asked)
    assert (refused.code, "but only for the hours of offpeak, peak" in refused.err) == (4, True)
    assert not office.done(*made, "--band", "offpeak=Sa,Su 00:00-00:00").err


def test_a_sheet_is_never_written_over_by_its_rejected_rows(office: Office) -> None:
    sheet = f"{HEADER}44,UK,0.10\n33,France,x\n"
    file = office.folder / "alpha.csv"
    file.write_text(sheet, encoding="utf-8")
    refused = office("deck", "import", "retail", str(file), "--rejected", f"{office.folder}/./alpha.csv")
    assert (refused.code, "--rejected" in refused.err) == (2, True)
    assert file.read_text(encoding="utf-8") == sheet


def test_errors_are_told_in_the_order_of_the_sheet(office: Office) -> None:
    file = office.folder / "twice.csv"
    file.write_text(f"{HEADER}44,UK,0.1\n44,UK,0.2\n33,FR,0.1\n33,FR,0.2\n1,USA,x\n", encoding="utf-8")
    told = office("deck", "import", "retail", str(file)).err
    assert [line[:5] for line in told.splitlines() if line.startswith("row")] == ["row 3", "row 5", "row 6"]


def test_one_is_one_row_and_a_time_is_told_as_everywhere(office: Office) -> None:
    file = office.folder / "one.csv"
    file.write_text(f"{HEADER}44,UK,0.10\n", encoding="utf-8")
    words = ("deck", "import", "one", str(file), "--kind", "sell", "--currency", "USD")
    assert "1 row staged" in office.done(*words).out
    waits = office("deck", "show", "one", "--at", "2026-03-02T09:00:00+01:00").err
    assert "has no version in force at 2026-03-02T08:00:00Z;" in waits
    assert "one:1 is staged: `dialback deck approve one:1`" in waits
    file.write_text(f"{HEADER}44,UK,0.30\n1,USA,0.24\n33,France,x\n", encoding="utf-8")
    assert "1 error in 1 of 3 rows" in office("deck", "import", "retail", str(file)).err
    held = office("deck", "approve", "retail:2", "--without-rejected").err
    assert "held by 2 findings" in held


@pytest.mark.parametrize("verb", ["diff", "show", "approve", "discard"])
def test_a_version_of_no_deck_says_that_there_is_no_such_deck(office: Office, verb: str) -> None:
    refused = office("deck", verb, "nix:1")
    assert (refused.code, "there is no deck 'nix'" in refused.err) == (3, True)
    assert "deck 'retail' has no version 9" in office("deck", verb, "retail:9").err


def test_a_row_over_the_ceiling_names_price_ceiling_and_option(office: Office) -> None:
    file = office.folder / "dear.csv"
    file.write_text(f"{HEADER.strip()},connect_fee\n44,UK,0.10,\n1,USA,0.24,3.5\n", encoding="utf-8")
    told = "row 3: prefix 1: connect fee 3.5000 is over the ceiling of 2.0000; --ceiling sets another"
    assert told in office.done("deck", "import", "retail", str(file), "--ceiling", "2").err


def test_a_diff_tells_each_term_that_changes_and_when_a_row_closes(office: Office) -> None:
    file = office.folder / "terms.csv"
    rows = "39,Italy,0.135,60,1,0.05\n33,Gaul,0.20,60,60,\n34,Spain,0.10,,,\n41,Swiss,0.10,,,\n"
    file.write_text(f"{HEADER.strip()},first_increment,next_increment,connect_fee\n{rows}", encoding="utf-8")
    words = ["--kind", "sell", "--currency", "USD", "--approve"]
    office.done("deck", "import", "new", str(file), *words)
    file.write_text(f"{HEADER}39,Italy,0.135\n33,Fr,0.19\n41,Swiss,0.10\n", encoding="utf-8")
    staged = office.done("deck", "import", "new", str(file), "--effective", "2030-01-01T00:00:00Z")
    told = "prefix 33, 39: increments of its own no more: does the sheet lack a column?"
    assert f"note   lost_terms: {told}" in staged.err
    assert "lost_terms: prefix 39: connect fee of its own no more" in staged.err
    found = office.done("deck", "diff", "new:2", "--output", "json").data
    shown = {row["prefix"]: (row["change"], row["terms"], row["valid_till"]) for row in found}
    assert shown == {
        "33": (
            "decreased",
            "first increment 60 becomes none; next increment 60 becomes none; destination Gaul becomes Fr",
            None,
        ),
        "34": ("closed", "", "2030-01-01T00:00:00Z"),
        "39": (
            "decreased",
            "connect fee 0.0500 becomes none; first increment 60 becomes none; next increment 1 becomes none",
            None,
        ),
    }


def test_a_sheet_that_lacks_more_than_a_fifth_of_the_prefixes_is_held_until_somebody_says_why(
    office: Office,
) -> None:
    file = office.folder / "sheet.csv"
    prefixes = ("30", "31", "32", "33", "34", "36", "39", "40", "41", "43")
    for version, kept in ((1, 10), (2, 8), (3, 6)):
        file.write_text(HEADER + "".join(f"{each},Place {each},0.1\n" for each in prefixes[:kept]), "utf-8")
        words = ("deck", "import", "whole", str(file), "--kind", "sell", "--currency", "USD")
        told = office.done(*words, "--sheet", "a-z")
        approved = office("deck", "approve", f"whole:{version}", "--reason", "new list")
        assert ("is it whole?" in told.out + told.err) is (version == 3)
        assert (approved.code == 0) is (version < 3), approved.err
        if version == 3:
            assert "2 of 8 prefixes are not on the sheet any more: is it whole?" in told.out + told.err
    office.done("deck", "approve", "whole:3", "--override", "they gave up two countries")

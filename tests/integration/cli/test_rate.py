"""`dialback rate FILE`: a file of calls priced line by line."""

import gzip
import io
import json
import subprocess
import sys
from csv import DictReader
from pathlib import Path

import pytest
from office import Office, Outcome

ROOT = Path(__file__).parents[3]
CALLS = """leg,number,answered_at,talk_seconds,note
B,+14155550123,2026-03-01T08:00:00Z,31,"keep, this"
A,+442079460101,2026-03-01T08:00:00Z,31,
B2,0044 20 7946 0101,2026-03-01T09:00:00+01:00,29.2,x
B,+4930123456,2026-03-01T08:00:00Z,31,no such prefix
B,+14155550123,2025-03-01T08:00:00Z,31,too early
B,,2026-03-01T08:00:00Z,31,
B,+14155550123,01/03/2026,31,
B,+14155550123,2026-03-01T08:00:00Z,-1,
C,+14155550123,2026-03-01T08:00:00Z,1,
B,+14155550123,,0,busy
B,+14155550123,,4,
B,+14155550123,2026-03-01T08:00:00Z
B,+14155550123,2026-03-01T08:00:00Z,1,"open
"""
ADDED = ("prefix", "destination", "rate_per_minute", "billed_seconds", "amount", "currency", "reason")
MASTER = (
    '"","1001","14155550123","default","""Anna"" <1001>","SIP/1001-1","SIP/east-2","Dial","SIP/east/x",'
    '"2026-03-01 09:00:00","2026-03-01 09:00:10","2026-03-01 09:00:41",41,31,"ANSWERED","DOCUMENTATION"\n'
    '"","1001","442079460101","default","1001","SIP/1001-1","","Dial","SIP/east/x",'
    '"2026-03-01 09:01:00",,"2026-03-01 09:01:30",30,0,"NO ANSWER","DOCUMENTATION","1772355660.7",""\n'
)


def priced(outcome: Outcome) -> list[dict[str, str]]:
    return list(DictReader(io.StringIO(outcome.out)))


def write(office: Office, content: str | bytes, name: str = "calls.csv") -> str:
    file = office.folder / name
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(file)


def test_each_line_keeps_its_place_and_its_cells_and_says_its_price_or_why_not(office: Office) -> None:
    done = office.done("rate", write(office, CALLS), "--plan", "standard")
    rows = priced(done)
    assert [row["note"] for row in rows][:5] == ["keep, this", "", "x", "no such prefix", "too early"]
    assert tuple(rows[0])[-7:] == ADDED
    assert [rows[0][name] for name in ADDED] == [
        "1", "North America", "0.2400", "31", "0.1240", "USD", "",
    ]  # fmt: skip
    assert (rows[1]["billed_seconds"], rows[1]["amount"], rows[1]["reason"]) == (
        "0",
        "0.0000",
        "the plan's A-leg is free",
    )
    assert (rows[2]["prefix"], rows[2]["billed_seconds"], rows[2]["amount"]) == ("44", "30", "0.0500")
    reasons = [row["reason"] for row in rows[3:]]
    assert reasons[0] == "no prefix of the deck fits"
    assert reasons[1] == "no version of the deck is in force at that time"
    assert reasons[2].startswith("number: '' is no number")
    assert reasons[3].startswith("answered_at: '01/03/2026' is no time: write 2026-03-01T08:15:00Z")
    assert reasons[4].startswith("talk_seconds: '-1'")
    assert reasons[5].startswith("leg: 'C' is no leg")
    assert (rows[9]["amount"], reasons[6]) == ("0.0000", "not answered")
    assert reasons[7].startswith("answered_at: empty, and it talked 4 s")
    assert reasons[8] == "row: 3 cells where 5 are due"
    assert reasons[9].startswith("row: not CSV")
    assert len(rows) == 13


def test_bad_lines_are_named_by_row_and_column_and_the_sum_stands_on_stderr(office: Office) -> None:
    said = office.done("rate", write(office, CALLS), "--plan", "standard").err
    assert "row 7, column number: '' is no number" in said
    assert "row 8, column answered_at: '01/03/2026' is no time" in said
    assert "13 lines, 4 priced by standard:1: 61 billed seconds, USD 0.1740" in said
    assert "7 not priced: cannot be read" in said


def test_json_says_the_same(office: Office) -> None:
    file = write(office, CALLS)
    as_json = office.done("rate", file, "--plan", "standard:1", "--output", "json").data
    assert as_json == priced(office.done("rate", file, "--plan", "standard"))
    empty = write(office, "number,answered_at,talk_seconds\n")
    assert office.done("rate", empty, "--plan", "standard", "--output", "json").data == []
    assert office.done("rate", empty, "--plan", "standard").out.startswith(
        "number,answered_at,talk_seconds,prefix,"
    )


def test_asterisk_s_master_csv_is_priced_from_its_answer_and_billsec(office: Office) -> None:
    done = office.done(
        "rate", write(office, MASTER), "--plan", "standard", "--format", "asterisk", "--zone", "Europe/Berlin"
    )
    first, second = priced(done)
    assert (first["dst"], first["clid"], first["amount"], first["billed_seconds"]) == (
        "14155550123", '"Anna" <1001>', "0.1240", "31",
    )  # fmt: skip
    assert (second["reason"], second["amount"], second["uniqueid"]) == (
        "not answered",
        "0.0000",
        "1772355660.7",
    )


def test_a_packed_file_and_standard_input_are_read(office: Office) -> None:
    plain = office.done("rate", write(office, CALLS), "--plan", "standard").out
    packed = gzip.compress(CALLS.encode())
    assert office.done("rate", write(office, packed, "calls.csv.gz"), "--plan", "standard").out == plain
    words = [
        sys.executable,
        "-m",
        "cli",
        "--config",
        str(office.folder / "switch.toml"),
        "rate",
        "-",
        "--plan",
        "standard",
    ]
    for given in (packed, CALLS.encode()):
        said = subprocess.run(words, cwd=ROOT, input=given, capture_output=True, check=True)
        assert said.stdout.decode() == plain
    broken = office("rate", write(office, packed[:-20], "calls.csv.gz"), "--plan", "standard")
    assert broken.code == 1
    assert "broken" in broken.err


def test_calls_of_another_time_are_priced_as_if_made_then(office: Office) -> None:
    file = write(office, "number;talk_seconds\n14155550123;31\n")
    row = priced(office.done("rate", file, "--plan", "standard", "--at", "2026-03-01", "--delimiter", ";"))[0]
    assert row["amount"] == "0.1240"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("", "column number: it is missing"),
        ("number,talk_seconds", "column answered_at: it is missing"),
        ("number,number,talk_seconds,answered_at", "column number: it occurs twice"),
        ("number,talk_seconds,answered_at,amount", "column amount: it would be added"),
        ("prefix,destination,rate_per_min", "column number: it is missing: the header is leg,number"),
    ],
)
def test_a_header_that_is_not_understood_is_refused(office: Office, header: str, said: str) -> None:
    refused = office("rate", write(office, f"{header}\n1,2,3,4\n"), "--plan", "standard")
    assert refused.code == 1
    assert said in refused.err
    assert refused.out == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("leg;number;answered_at;talk_seconds\n", "say --delimiter ';'"),
        ("number\tanswered_at\ttalk_seconds\n", "say --delimiter tab"),
        (MASTER, "say --format asterisk"),
        ('"leg,number,answered_at,talk_seconds\n', "row 1: the header is not CSV"),
    ],
)
def test_a_file_of_another_make_is_told_which_option_reads_it(
    office: Office, content: str, said: str
) -> None:
    refused = office("rate", write(office, content), "--plan", "standard")
    assert (refused.code, refused.out, said in refused.err) == (1, "", True)


def test_empty_lines_are_no_calls(office: Office) -> None:
    calls = "\nnumber,answered_at,talk_seconds\n\n+14155550123,2026-03-01T08:00:00Z,31\n \n\n"
    done = office.done("rate", write(office, calls), "--plan", "standard")
    assert [row["amount"] for row in priced(done)] == ["0.1240"]
    assert "1 line, 1 priced" in done.err


def test_a_zero_after_the_country_code_is_no_digit_of_the_number_as_in_a_quote(office: Office) -> None:
    deck = "prefix,destination,rate_per_min\n44,UK,0.10\n4420,London,0.08\n39,Italy,0.20\n3906,Rome,0.30\n"
    sheet = write(office, deck, "cities.csv")
    office.done("deck", "import", "cities", sheet, "--kind", "sell", "--currency", "USD", "--approve")
    office.done("plan", "add", "cities", "--deck", "cities")
    numbers = ("+4402079460101", "4402079460101", "+390612345678", "+44099")
    calls = "number,answered_at,talk_seconds\n" + "".join(
        f"{number},2026-03-01T08:00:00Z,60\n" for number in numbers
    )
    found = priced(office.done("rate", write(office, calls), "--plan", "cities"))
    assert [row["destination"] for row in found[:3]] == ["London", "London", "Rome"]
    asked = ("--plan", "cities", "--from", "+390612345678", "--to", numbers[0])
    quoted = office.done("quote", *asked, "--at", "2026-03-01T08:00:00Z", "--output", "json").data
    assert quoted["legs"][1]["destination"] == "London"


def test_hostile_lines_stay_where_they_are_and_harm_nobody(office: Office) -> None:
    good = "+14155550123,2026-03-01T08:00:00Z,31"
    lines = [
        b"number,answered_at,talk_seconds",
        good.encode(),
        b"\xff\xfe" + good.encode(),
        b"x" * 3_000_000,
        b"\0",
        good.encode(),
    ]
    done = office.done("rate", write(office, b"\r\n".join(lines)), "--plan", "standard")
    rows = done.out.splitlines()
    assert len(rows) == 6
    assert [row.rsplit(",", 1)[1] != "" for row in rows[1:]] == [False, True, True, True, False]
    assert "not UTF-8" in rows[2]
    assert "longer than 20000 characters" in rows[3]
    assert len(done.out) < 100_000


def test_an_unknown_plan_or_a_deck_in_another_currency_prices_nothing(office: Office) -> None:
    file = write(office, CALLS)
    assert office("rate", file, "--plan", "nobody").code == 3
    assert office("rate", file, "--plan", "standard", "--zone", "Mars/Base").code == 2
    assert office("rate", file, "--plan", "standard", "--delimiter", ",,").code == 2
    deck = write(office, "prefix,destination,rate_per_min\n1,USA,0.1\n", "eur.csv")
    office.done("deck", "import", "euro", deck, "--kind", "sell", "--currency", "EUR")
    assert office("rate", file, "--plan", "standard", "--deck", "euro").code == 5


def test_the_file_may_be_written_to_a_place(office: Office) -> None:
    to = office.folder / "priced.json"
    done = office.done(
        "rate", write(office, CALLS), "--plan", "standard", "--output", "json", "--to", str(to)
    )
    assert done.out == ""
    assert len(json.loads(to.read_text())) == 13


def test_nobody_is_charged_what_a_carrier_asks(office: Office) -> None:
    refused = office("rate", write(office, CALLS), "--plan", "standard", "--deck", "carrier-x")
    assert (refused.code, "'carrier-x' is a cost deck" in refused.err, refused.out) == (2, True, "")


def test_a_file_of_calls_is_never_written_over_by_its_prices(office: Office) -> None:
    calls = write(office, CALLS)
    refused = office("rate", calls, "--plan", "standard", "--to", calls)
    assert (refused.code, "--to" in refused.err) == (2, True)
    assert (office.folder / "calls.csv").read_text(encoding="utf-8") == CALLS


def test_W45_a_caller_id_column_brings_its_surcharge(office: Office) -> None:
    sheet = (
        "prefix,destination,rate_per_min,first_increment,next_increment,surcharge_non_eea,surcharge_invalid\n"
    )
    deck = write(office, f"{sheet}33,France,0.02,1,1,0.25,0.40\n", "fr.csv")
    words = ("--kind", "sell", "--currency", "USD", "--approve", "--effective", "2026-01-01")
    office.done("deck", "import", "fr", deck, *words)
    lines = [
        f"+33142685300,2026-03-01T08:00:00Z,300,{shown}"
        for shown in ("+12125550100", "+33142685301", "", "12")
    ]
    file = write(office, "\n".join(["number,answered_at,talk_seconds,caller_id", *lines]))
    rows = priced(office.done("rate", file, "--plan", "standard", "--deck", "fr"))
    assert [row["amount"] for row in rows] == ["1.3500", "0.1000", "2.1000", "2.1000"]
    bare = write(office, "number,answered_at,talk_seconds\n+33142685300,2026-03-01T08:00:00Z,300\n")
    assert priced(office.done("rate", bare, "--plan", "standard", "--deck", "fr"))[0]["amount"] == "0.1000"


def test_a_file_of_which_no_line_can_be_priced_is_an_error_and_one_without_lines_is_none(
    office: Office,
) -> None:
    header = "number,answered_at,talk_seconds\n"
    failed = office(
        "rate", write(office, f"{header}+4930123456,2026-03-01T08:00:00Z,31\n"), "--plan", "standard"
    )
    assert (failed.code, "not one of its lines could be priced" in failed.err) == (1, True)
    assert priced(failed)[0]["reason"] == "no prefix of the deck fits"
    assert office("rate", write(office, header), "--plan", "standard").code == 0


def test_V194_a_package_is_used_in_the_order_of_the_calls_where_it_is_asked_for(office: Office) -> None:
    words = ("--package-minutes", "300", "--package-prefix", "1", "--overage", "7")
    office.done("plan", "add", "k50", "--deck", "retail", *words)
    lines = [
        "+14155550123,2026-03-02T08:00:00Z,15000",  # 250 min
        "+14155550123,2026-03-03T08:00:00Z,6000",  # 100 min, of which 50 are left
        "+442079460101,2026-03-03T09:00:00Z,60",  # not of the package
        "+14155550123,2026-03-31T22:30:00Z,60",  # 31 March in UTC, 1 April in Berlin
    ]
    file = write(office, "\n".join(["number,answered_at,talk_seconds", *lines]))
    priced_by = ("rate", file, "--plan", "k50", "--package")
    told = [
        (row["amount"], row["rate_per_minute"], row["reason"])
        for row in priced(office.done(*priced_by, "--zone", "Europe/Berlin"))
    ]
    assert told == [
        ("0.0000", "7.0000", "15000 s of the package"),
        ("350.0000", "7.0000", "3000 s of the package"),
        ("0.1000", "0.1000", ""),
        ("0.0000", "7.0000", "60 s of the package"),
    ]
    assert priced(office.done(*priced_by))[3]["amount"] == "7.0000"
    without = office.done("rate", file, "--plan", "k50")
    assert [row["amount"] for row in priced(without)][:2] == ["60.0000", "24.0000"]
    assert "The package of k50:1 is not used; --package does it" in without.err
    assert office("rate", file, "--plan", "standard", "--package").code == 2


def test_a_blocked_prefix_has_a_reason_and_no_price(office: Office) -> None:
    sheet = office.folder / "next.csv"
    sheet.write_text(
        "prefix,destination,rate_per_min,status\n44,United Kingdom,0.10,\n1,North America,0.24,\n"
        "1900,Premium,0,blocked\n"
    )
    office.done("deck", "import", "retail", str(sheet), "--approve")
    calls = "number,answered_at,talk_seconds\n+19005550123,2100-01-01T08:00:00Z,31\n"
    refused = office("rate", write(office, calls), "--plan", "standard")
    (row,) = priced(refused)
    assert [row[name] for name in ADDED] == ["1900", "Premium", "", "", "", "", "the prefix is blocked"]

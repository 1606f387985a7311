"""Reports as a clerk meets them: options, forms, exit codes."""

import csv
import io
from decimal import Decimal
from pathlib import Path

import pytest
from office import Office
from openpyxl import load_workbook
from week import week

from rating.price import talk_seconds
from staff import exits
from store.cdrs import list_cdrs

MONTH = ["--month", "2026-03"]
GROUPED = [
    ("usage", "day"),
    ("usage", "destination"),
    ("usage", "trigger"),
    ("margin", "account"),
    ("margin", "subscriber"),
    ("quality", "carrier"),
    ("quality", "tag"),
    ("funnel", "country"),
]


@pytest.fixture
def busy(office: Office) -> Office:
    """The office after a week of calls."""
    office.store(week, seed=11, calls=25, currency="USD")
    return office


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize(("report", "by"), GROUPED)
def test_table_csv_and_json_say_the_same(busy: Office, report: str, by: str) -> None:
    words = ("report", report, "--by", by, *MONTH)
    table = busy.done(*words)
    told = busy.done(*words, "--output", "json").data
    lines = rows(busy.done(*words, "--output", "csv").out)
    assert [line[by].lstrip("'") for line in lines] == [row[by] for row in told]
    assert len(table.out.splitlines()) == len(lines) + 2  # a heading, and a total
    assert "from 2026-03-01 till 2026-04-01, UTC" in table.err
    assert all(len(line) <= 130 for line in table.out.splitlines())


@pytest.mark.parametrize(
    "words",
    [
        *(("report", each) for each in ("usage", "margin", "ageing", "unbilled", "quality", "funnel")),
        *((each, "list") for each in ("payment", "credit-note", "alert")),
        ("stats",),
        ("rerate", "--month", "2026-03"),
    ],
)
def test_an_account_that_is_not_there_is_an_error_also_where_a_zone_is_named(
    office: Office, words: tuple[str, ...]
) -> None:
    zone = () if words == ("report", "unbilled") else ("--zone", "UTC")
    told = office(*words, "--account", "acne", *zone)
    assert (told.code, told.out) == (exits.NOT_FOUND, "")
    assert "there is no account 'acne'" in told.err


def test_F154_the_margin_report_has_price_both_costs_and_their_difference(busy: Office) -> None:
    for row in busy.done("report", "margin", *MONTH, "--output", "json").data:
        price, cost_a, cost_b = (Decimal(row[name]) for name in ("price", "cost_a", "cost_b"))
        assert Decimal(row["margin"]) == price - cost_a - cost_b
        assert Decimal(row["cost"]) == cost_a + cost_b


def test_a_spreadsheet_has_amounts_as_numbers_and_formulas_as_text(busy: Office, tmp_path: Path) -> None:
    file = tmp_path / "use.xlsx"
    busy.done("report", "usage", "--by", "tag", *MONTH, "--output", "xlsx", "--file", str(file))
    sheet = load_workbook(file).active
    assert sheet is not None
    told = busy.done("report", "usage", "--by", "tag", *MONTH, "--output", "json").data
    cells = list(sheet.iter_rows(min_row=3))
    assert [row[0].value for row in cells] == [row["tag"] for row in told]
    assert {cell.data_type for row in cells for cell in row[:1]} == {"s"}
    assert [Decimal(str(row[6].value)) for row in cells] == [Decimal(row["amount"]) for row in told]
    assert {row[6].number_format for row in cells} == {"0.0000"}


def test_a_range_is_half_open_and_in_the_zone_asked_for(busy: Office) -> None:
    day = ["--from", "2026-03-03", "--till", "2026-03-04", "--zone", "Asia/Kolkata"]
    told = busy.done("report", "usage", *day, "--output", "json")
    assert [row["day"] for row in told.data] == ["2026-03-03"]
    assert "from 2026-03-03 till 2026-03-04, Asia/Kolkata" in told.err


def test_an_account_is_reported_in_its_own_zone(busy: Office) -> None:
    told = busy.done("report", "usage", "--account", "acme", *MONTH)
    assert "Europe/London" in told.err
    assert busy("report", "usage", "--account", "nobody", *MONTH).code == exits.NOT_FOUND


@pytest.mark.parametrize(
    "words",
    [
        ("--month", "2026-03", "--from", "2026-03-01"),
        ("--till", "2026-03-01"),
        ("--from", "2026-03-02", "--till", "2026-03-01"),
        ("--from", "yesterday"),
        ("--zone", "Mars/Base"),
        ("--month", "2026-13"),
    ],
)
def test_a_range_that_cannot_be_meant_is_refused(office: Office, words: tuple[str, ...]) -> None:
    assert office("report", "usage", *words).code == exits.USAGE


def test_F080_stats_by_day_have_results_and_the_reconnect_rate(busy: Office) -> None:
    told = busy.done("stats", "--by", "day", *MONTH, "--output", "json").data
    assert sum(row["callbacks"] for row in told) == 25
    for row in told:
        ends = ("completed", "unanswered", "abandoned", "failed", "cancelled", "under_way")
        assert row["callbacks"] == sum(row[end] for end in ends)
        expected = Decimal(100 * row["answered"]) / row["attempted"] if row["attempted"] else None
        if expected is not None:
            assert abs(Decimal(row["reconnect_percent"]) - expected) <= Decimal("0.005")


def test_what_is_owed_is_listed_by_how_late_it_is(busy: Office) -> None:
    (row,) = busy.done("report", "ageing", "--on", "2026-04-20", "--output", "json").data
    parts = ("not_due", "late_1_to_30", "late_31_to_60", "late_61_to_90", "late_over_90")
    assert sum(Decimal(row[part]) for part in parts) - Decimal(row["credit"]) == Decimal(row["owed"])
    assert Decimal(row["not_due"]) == Decimal(row["owed"]) > 0
    assert len(busy.done("report", "ageing").out.splitlines()[0]) <= 130


def bill(office: Office, *, first_seconds: int | None = None, without_last: bool = False) -> Path:
    """What carrier-y would send: our own legs over it, one of them perhaps much longer."""
    lines = ["Called,Answer Time,Billsec,Cost"]
    for record in office.store(list_cdrs):
        cdr = record.cdr
        if cdr.trunk == "west" and cdr.answered_at is not None:
            seconds = talk_seconds(cdr.answered_at, cdr.hung_up_at)
            if first_seconds is not None and len(lines) == 1:
                seconds = first_seconds
            lines.append(f"00{cdr.number.digits},{cdr.answered_at.isoformat()},{seconds},{record.cost}")
    file = office.folder / "west.csv"
    file.write_text("\n".join(lines[: -1 if without_last else None]) + "\n")
    return file


WEST = ("--carrier", "carrier-y", *MONTH, "--column", "number=Called", "--column", "time=Answer Time")


def test_F153_a_bill_that_agrees_is_said_to_agree(busy: Office) -> None:
    told = busy.done("report", "reconcile", str(bill(busy)), *WEST)
    assert "Nothing differs." in told.err
    everything = busy.done("report", "reconcile", str(bill(busy)), *WEST, "--all", "--output", "json").data
    assert {row["result"] for row in everything} == {"matched"}


def test_F153_R_37_a_call_billed_for_three_hours_is_listed_and_the_code_is_1(busy: Office) -> None:
    file = bill(busy, first_seconds=10_800, without_last=True)
    told = busy("report", "reconcile", str(file), *WEST, "--output", "json")
    assert told.code == exits.ERROR
    assert sorted(row["result"] for row in told.data) == ["missing there", "seconds differ"]
    (longer,) = [row for row in told.data if row["result"] == "seconds differ"]
    assert longer["seconds_theirs"] == 10_800
    assert longer["row"] == "line 2"


def test_a_bill_is_never_written_over_by_what_differs(busy: Office) -> None:
    file = bill(busy)
    before = file.read_bytes()
    refused = busy("report", "reconcile", str(file), *WEST, "--file", str(file))
    assert (refused.code, file.read_bytes() == before) == (exits.USAGE, True)


def test_a_bill_that_is_not_understood_changes_nothing_and_names_the_row(busy: Office) -> None:
    file = busy.folder / "bad.csv"
    file.write_text("number,time,seconds,cost\n1,2,3,4\n")
    refused = busy("report", "reconcile", str(file), "--carrier", "carrier-y", *MONTH)
    assert refused.code == exits.ERROR
    assert f"{file}: line 2, number" in refused.err
    file.write_bytes(b"PK\x03\x04\x83\xff")
    sheet = busy("report", "reconcile", str(file), "--carrier", "carrier-y", *MONTH)
    assert sheet.code == exits.ERROR
    assert "no text in UTF-8" in sheet.err
    wrong = busy("report", "reconcile", str(file), "--carrier", "carrier-y", "--column", "Number=x")
    assert wrong.code == exits.USAGE


def test_F152_false_answers_and_alarms_are_told(busy: Office) -> None:
    told = busy.done("report", "false-answers", *MONTH, "--output", "json").data
    assert {row["carrier"] for row in told} <= {"carrier-x", "carrier-y"}
    assert busy.done("report", "alarms").out == ""
    assert busy("report", "alarms", "--failures", "2").code in {exits.OK, exits.ERROR}


def test_an_unknown_carrier_is_an_error_not_an_empty_report_and_is_told_before_the_bill_is_read(
    busy: Office,
) -> None:
    file = busy.folder / "bad.csv"
    file.write_text("number,time,seconds\n1,2,3\n")
    for words in (("usage",), ("margin",), ("quality",), ("reconcile", str(file))):
        refused = busy("report", *words, "--carrier", "nobody", *MONTH)
        assert refused.code == exits.NOT_FOUND
        assert "carrier: no trunk is of carrier 'nobody'; see `dialback trunk list`" in refused.err
    known = busy("report", "reconcile", str(file), "--carrier", "carrier-y", *MONTH)
    assert "no column for cost; name the right one by --column cost=HEADING" in known.err

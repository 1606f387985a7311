"""Rows and records on standard output."""

import csv
import io
import json
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from calls.callback import State
from staff.listing import amount, moment, plain, show_record, show_rows

ROWS: list[dict[str, object]] = [
    {"id": "a", "amount": "10.00", "at": datetime(2026, 3, 1, 8, tzinfo=UTC), "live": True, "who": None},
    {"id": "a-longer-id", "amount": "-3.1234", "at": None, "live": False, "who": "Ä, \u202eB"},
]
COLUMNS = ("id", "amount", "at", "live", "who")


def test_a_table_cuts_nothing_and_puts_numbers_to_the_right_point_below_point(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_rows(ROWS, COLUMNS, "table")
    assert capsys.readouterr().out.splitlines() == [
        "id            amount  at                    live  who",
        "a            10.00    2026-03-01T08:00:00Z  yes",
        "a-longer-id  -3.1234                        no    Ä, B",
    ]


def test_json_keeps_what_is_there_and_csv_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, COLUMNS, "json")
    data = json.loads(capsys.readouterr().out)
    assert data[0] == {"id": "a", "amount": "10.00", "at": "2026-03-01T08:00:00Z", "live": True, "who": None}
    assert data[1]["who"] == "Ä, \u202eB"
    show_rows(ROWS, COLUMNS, "csv")
    lines = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert lines[0] == list(COLUMNS)
    assert lines[2] == ["a-longer-id", "-3.1234", "", "no", "Ä, B"]


def test_no_row_is_said_on_stderr_and_stdout_stays_readable_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_rows([], COLUMNS, "table", none="Nobody here.")
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "Nobody here.\n")
    show_rows([], COLUMNS, "json")
    assert json.loads(capsys.readouterr().out) == []
    show_rows([], COLUMNS, "csv")
    assert capsys.readouterr().out == "id,amount,at,live,who\n"


def test_a_record_is_a_line_a_field_an_object_or_one_row(capsys: pytest.CaptureFixture[str]) -> None:
    record = {"id": "x", "numbers": ["+1", "+2"], "on_hold": None}
    show_record(record, "table")
    assert capsys.readouterr().out.splitlines() == ["id       x", "numbers  +1, +2", "on hold"]
    show_record(record, "json")
    assert json.loads(capsys.readouterr().out) == record
    show_record(record, "csv")
    assert capsys.readouterr().out == 'id,numbers,on_hold\nx,"\'+1, +2",\n'


@pytest.mark.parametrize("text", ["=1+1", "@SUM(A1)", "-2+3", "\t=1"])
def test_a_spreadsheet_takes_no_cell_for_a_formula(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_rows([{"id": text}], ("id",), "csv")
    cell = next(iter(csv.reader(io.StringIO(capsys.readouterr().out.split("\n", 1)[1]))))[0]
    assert cell[0] not in "=@-\t"


def test_csv_has_long_texts_as_whole_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    reason = "they say that nobody spoke " * 20
    show_rows([{"reason": reason}], ("reason",), "csv")
    assert list(csv.reader(io.StringIO(capsys.readouterr().out))) == [["reason"], [reason.strip()]]


def test_an_escape_sequence_does_not_reach_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    for output in ("table", "json", "csv"):
        show_rows([{"id": "\x1b[2J\x9b1m\r\nx"}], ("id",), output)
        said = capsys.readouterr().out
        assert "\x1b" not in said
        assert "\x9b" not in said


@pytest.mark.parametrize(
    ("units", "currency", "said"),
    [
        (3_600, "USD", "0.36"),
        (1_240, "USD", "0.1240"),
        (-50_000, "USD", "-5.00"),
        (10**18, "USD", "100000000000000.00"),
        (120_000, "JPY", "12"),
        (1, "KWD", "0.0001"),
    ],
)
def test_an_amount_is_plain_digits_in_its_currencys_decimals(units: int, currency: str, said: str) -> None:
    assert amount(units, currency) == said


def test_values_become_what_json_has() -> None:
    assert plain(State.TALKING) == "talking"
    assert plain(Decimal("1E-7")) == "0.0000001"
    assert plain(date(2026, 3, 1)) == "2026-03-01"
    assert plain((1, None, True)) == [1, None, True]
    assert moment(datetime(2026, 3, 1, tzinfo=UTC), "microseconds") == "2026-03-01T00:00:00.000000Z"


def test_several_sentences_stand_each_on_a_line_of_its_own_and_several_words_on_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_record({"steps": ["12 s talk", "60 s billed"], "permits": ["eea", "same_country"]}, "table")
    assert capsys.readouterr().out.splitlines() == [
        "steps    12 s talk",
        "         60 s billed",
        "permits  eea, same_country",
    ]

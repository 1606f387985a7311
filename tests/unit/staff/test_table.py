"""A table made to fit: nothing is cut, and what is left out is said."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.printed import width
from staff.listing import show_record, show_rows
from staff.table import SENTENCE_WIDTH_LAST, Table, fitted

HEADINGS = ("id", "billed_seconds", "amount", "note", "why")
LINES = (
    ("cb01kjseszjgyvw2fp4asjrtg2na", "101", "0.1683", "", "they heard nobody after the first minute"),
    ("cb01kjseszjgyvw2fp4asjrtg2nb", "9", "-1,234.5000", "", ""),
)
TABLE = Table(headings=HEADINGS, lines=LINES)
ROWS = [dict(zip(HEADINGS, line, strict=True)) for line in LINES]


def test_where_there_is_room_a_table_is_as_it_is() -> None:
    text, left_out = fitted(TABLE, 200, ("amount",))
    assert (text, left_out) == (TABLE.text(), [])
    assert text.splitlines()[0].startswith("id                            billed seconds  amount ")


def test_headings_are_stacked_before_anything_is_left_out() -> None:
    text, left_out = fitted(TABLE, len(TABLE.text().splitlines()[1]) - 2, ("amount",))
    assert left_out == []
    first, second, *_ = text.splitlines()
    assert first.split() == ["billed"]
    assert second.split()[:2] == ["id", "seconds"]


def test_empty_columns_go_first_and_unsaid_then_the_spare_ones_in_their_order() -> None:
    text, left_out = fitted(TABLE, 76, ("amount", "billed_seconds"))
    assert "note" not in text
    assert left_out == []
    assert "they heard nobody" in text
    text, left_out = fitted(TABLE, 66, ("amount", "billed_seconds"))
    assert left_out == ["amount"]
    text, left_out = fitted(TABLE, 54, ("amount", "billed_seconds"))
    assert left_out == ["amount", "billed_seconds"]
    assert "billed" not in text


def test_a_sentence_is_broken_and_its_line_keeps_its_other_cells_once() -> None:
    text, _ = fitted(TABLE, 76, ())
    assert text.count("cb01kjseszjgyvw2fp4asjrtg2na") == 1
    assert text.count("0.1683") == 1
    assert re.search(r"they heard nobody after\n +the first minute", text)


@given(
    lines=st.lists(
        st.tuples(*[st.text(st.characters(codec="ascii", categories=("L", "N")), max_size=30)] * 2, st.text(
            st.sampled_from("ab \u682a"), max_size=80).map(lambda text: " ".join(text.split()))),
        min_size=1, max_size=4,
    ),
    room=st.integers(20, 200),
)  # fmt: skip
def test_no_cell_that_is_shown_is_ever_cut(lines: list[tuple[str, ...]], room: int) -> None:
    table = Table(headings=("some_id", "name", "reason"), lines=tuple(lines))
    text, left_out = fitted(table, room, ("name",))
    for some_id, name, reason in lines:
        assert some_id in text
        assert name in text or "name" in left_out
        assert all(word in text for word in reason.split() if len(word) <= SENTENCE_WIDTH_LAST)


def test_east_asian_letters_leave_columns_straight() -> None:
    lines = (("\u682a\u5f0f\u4f1a\u793e", "1.00"), ("Acme", "12.00"))
    text = Table(headings=("name", "amount"), lines=lines).text()
    assert {width(line) for line in text.splitlines()} == {16}


# on a terminal


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard output is a terminal of 66 columns."""
    monkeypatch.setattr("staff.listing._terminal_columns", lambda: 66)


@pytest.mark.usefixtures("terminal")
def test_what_a_terminal_has_no_room_for_is_named_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, HEADINGS, "table", spare=("amount",))
    said = capsys.readouterr()
    assert max(map(len, said.out.splitlines())) <= 66
    assert said.err == "Not shown: amount; --output wide has them.\n"


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("output", ["wide", "csv", "json"])
def test_the_other_forms_are_whole_on_a_terminal_too(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    show_rows(ROWS, HEADINGS, output, spare=("amount",))
    said = capsys.readouterr()
    assert said.err == ""
    assert "they heard nobody after the first minute" in said.out
    assert all(line[2] in said.out for line in LINES)


def test_a_pipe_gets_every_column_and_one_line_a_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "66")  # a shell's variable is not a terminal
    show_rows(ROWS, HEADINGS, "table", spare=("amount",))
    said = capsys.readouterr()
    assert (len(said.out.splitlines()), said.err) == (3, "")
    assert said.out == TABLE.text() + "\n"


@pytest.mark.usefixtures("terminal")
def test_a_long_field_of_a_record_is_broken_and_each_of_several_values_has_its_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    steps = ("90 s by 30/1: billed 90 s", "90 s at 0.2500", "USD 0.3750" * 5)
    show_record({"leg": "b1", "steps": steps}, "table")
    assert capsys.readouterr().out.splitlines() == [
        "leg    b1",
        "steps  90 s by 30/1: billed 90 s",
        "       90 s at 0.2500",
        "       USD 0.3750USD 0.3750USD 0.3750USD 0.3750USD 0.3750",
    ]

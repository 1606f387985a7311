"""The page of the states in the documents."""

from pathlib import Path

from calls.callback import State
from calls.diagram import page
from calls.transitions import rows

STATES = Path(__file__).parents[3] / "docs" / "STATES.md"


def test_the_page_in_the_documents_is_printed_from_the_table() -> None:
    assert STATES.read_text(encoding="utf-8") == page()


def test_every_row_and_every_state_is_on_the_page() -> None:
    text = page()
    for row in rows():
        assert f"| `{row.state}` | {row.event.__name__} |" in text
    for state in State:
        assert f"| `{state}`" in text


def test_no_arrow_leaves_an_end() -> None:
    ends = [state for state in State if state.is_end]
    arrows = [line.split() for line in page().splitlines() if " --> " in line]
    assert {line[0] for line in arrows if line[2] != "[*]"} & set(ends) == set()

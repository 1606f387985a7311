"""How the tests on a real Asterisk are shared out."""

from pathlib import Path

from real_turns import ORDER, TOGETHER, RealTurns, turn_of

TESTS = Path(__file__).resolve().parents[1]


def test_every_file_that_has_a_turn_of_its_own_is_there() -> None:
    there = {path.name for folder in ("integration", "web") for path in (TESTS / folder).rglob("test_*.py")}
    assert set(ORDER) <= there


def test_a_file_with_a_system_of_its_own_stays_together_and_comes_early() -> None:
    turns = RealTurns.__new__(RealTurns)
    files = {turns._split_scope(f"tests/integration/calls/{TOGETHER[0]}::test_{name}") for name in "ab"}
    assert files == {f"tests/integration/calls/{TOGETHER[0]}"}
    single = "tests/integration/calls/test_dialog.py::test_a[b::c]"
    assert turns._split_scope(single) == single
    assert turn_of(TOGETHER[0]) < turn_of("test_dialog.py") == turn_of("test_triggers.py")

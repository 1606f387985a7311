"""What is written, and that colours are never the only sign."""

import io
import re

import pytest

from demo.screen import GREEN, RED, Screen


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")


def played(stream: io.StringIO) -> str:
    screen = Screen(stream)
    screen.heading("The call")
    screen.happened("1.000", "Sam", "rings", is_phone=True)
    screen.line("It does NOT agree", RED)
    screen.line("Agreed", GREEN)
    return stream.getvalue()


def test_a_pipe_gets_plain_text() -> None:
    assert "\x1b" not in played(io.StringIO())


def test_a_terminal_gets_colours_around_the_same_words() -> None:
    coloured = played(Terminal())
    assert "\x1b[31m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == played(io.StringIO())


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_none_gets_none(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, value)
    assert "\x1b" not in played(Terminal())


def test_a_long_step_goes_on_below_its_own_column() -> None:
    stream = io.StringIO()
    Screen(stream).happened("1.000", "Dialback", "word " * 60, is_phone=False)
    first, second, *_ = stream.getvalue().splitlines()
    assert second.startswith(" " * first.index("word") + "word")
    assert len(first) <= 120


def test_a_table_is_in_columns() -> None:
    stream = io.StringIO()
    Screen(stream).table([("leg", "seconds"), ("Sam", "7"), ("Sydney", "12")], right=[1])
    assert stream.getvalue() == "  leg     seconds\n  Sam           7\n  Sydney       12\n"


def test_a_command_output_in_brief_is_one_line() -> None:
    stream = io.StringIO()
    Screen(stream).output_in_brief("id       acme\n\nname  Acme\n" + "x 1\n" * 100)
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("    id acme | name Acme | x 1")
    assert line.endswith(" ...")

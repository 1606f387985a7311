"""The two sides of `bin/bench rerate` do the same work."""

import pytest

from bench.rerate import main


def test_both_sides_come_to_the_same_books(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--legs", "60", "--accounts", "3", "--rounds", "1"]) == 0
    assert "ours ÷ ORM loop" in capsys.readouterr().out

"""The longest prefix of a number."""

import pytest

from rating.prefixes import Prefixes


def test_W23_the_longest_prefix_wins() -> None:
    table = Prefixes([("55", "Brazil"), ("5511", "São Paulo"), ("55119", "São Paulo, mobile")])
    assert next(table.matches("551140045678")) == "São Paulo"
    assert next(table.matches("5511988551234")) == "São Paulo, mobile"
    assert list(table.matches("5511988551234")) == ["São Paulo, mobile", "São Paulo", "Brazil"]


def test_a_number_shorter_than_the_prefix_does_not_match_it() -> None:
    assert list(Prefixes([("5511", 1)]).matches("551")) == []


def test_an_empty_table_matches_nothing() -> None:
    assert list(Prefixes[int]([]).matches("5511")) == []


@pytest.mark.parametrize("prefix", ["", "+44", "4 4", "\u0661", "4" * 16, "44x", "²"])
def test_a_prefix_is_ascii_digits(prefix: str) -> None:
    with pytest.raises(ValueError, match="ASCII digits"):
        Prefixes([(prefix, 1)])


def test_a_prefix_occurs_once() -> None:
    with pytest.raises(ValueError, match="44 occurs twice"):
        Prefixes([("44", 1), ("44", 2)])

"""A million hostile strings; slow, so it runs with all tests only."""

import random

import pytest

from values.e164 import Dialable, dialling_refusal

STRINGS = 1_000_000
ALPHABET = "0123456789" * 4 + "+ ()-.&/@,^|${[;:=#*\r\n\x00\u0661\uff11²a"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_T20_of_a_million_strings_only_ascii_numbers_are_dialable() -> None:
    chance = random.Random(20)
    dialable = 0
    for _ in range(STRINGS):
        text = "".join(chance.choices(ALPHABET, k=chance.randint(1, 16)))
        outcome = dialling_refusal(text, "GB")
        if isinstance(outcome, Dialable):
            dialable += 1
            digits = outcome.number.digits
            assert digits.isascii()
            assert digits.isdigit()
            assert 7 <= len(digits) <= 15
    assert 0 < dialable < STRINGS / 10

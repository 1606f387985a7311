import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.voucher import (
    RANDOM_BYTES,
    SECRET_DIGITS,
    VoucherRefusal,
    fingerprint,
    printed,
    secret_of,
    typed,
)

CHANCE = bytes(range(RANDOM_BYTES))


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES))
def test_a_secret_is_sixteen_digits_and_is_understood_as_it_is_printed(chance: bytes) -> None:
    secret = secret_of(chance)
    assert len(secret) == SECRET_DIGITS
    assert secret.isdecimal()
    assert typed(printed(secret)) == typed(f" {secret[:8]}-{secret[8:]} ") == secret


@given(st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES), st.integers(0, 15), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(chance: bytes, position: int, by: int) -> None:
    secret = secret_of(chance)
    wrong = str((int(secret[position]) + by) % 10)
    assert typed(secret[:position] + wrong + secret[position + 1 :]) is VoucherRefusal.MISTYPED


def test_the_check_digit_is_that_of_luhn() -> None:
    assert typed("4111 1111 1111 1111") == "4111111111111111"
    assert typed("4111 1111 1111 1112") is VoucherRefusal.MISTYPED


@pytest.mark.parametrize(
    "text", ["", "4111", "4111 1111 1111 111१", "٤111111111111111", "41111111111111111", "abc"]
)
def test_what_cannot_be_a_secret_is_mistyped(text: str) -> None:
    assert typed(text) is VoucherRefusal.MISTYPED


def test_a_fingerprint_is_the_same_each_time_and_tells_nothing_of_its_secret() -> None:
    secret = secret_of(CHANCE)
    assert fingerprint(secret) == fingerprint(secret)
    assert len(fingerprint(secret)) == 64
    assert fingerprint(secret) != fingerprint(secret_of(bytes(RANDOM_BYTES)))


def test_a_secret_takes_its_own_number_of_random_bytes() -> None:
    with pytest.raises(ValueError, match="16 random bytes, not 3"):
        secret_of(b"abc")


@pytest.mark.parametrize("refusal", VoucherRefusal)
def test_each_refusal_says_what_to_do(refusal: VoucherRefusal) -> None:
    assert "; " in refusal.sentence

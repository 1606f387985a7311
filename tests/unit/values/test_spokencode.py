from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from values.spokencode import DIGITS, spoken_code

SECRET = b"a secret of sixteen and more characters"


@given(st.binary(min_size=16), st.text(max_size=40))
def test_a_code_is_seven_digits_and_the_same_each_time(secret: bytes, callback_id: str) -> None:
    code = spoken_code(secret, callback_id)
    assert len(code) == DIGITS == 7
    assert code.isascii()
    assert code.isdigit()
    assert spoken_code(secret, callback_id) == code


def test_a_code_has_more_than_twenty_bits_and_tells_nothing_of_another() -> None:
    assert 10**DIGITS > 2**20
    codes = Counter(spoken_code(SECRET, f"cb{number}") for number in range(5_000))
    # Of 5,000 on 10^7 about one pair is alike by chance.
    assert len(codes) > 4_985
    assert spoken_code(SECRET, "cb1") != spoken_code(b"another secret of this switch", "cb1")

"""Whatever comes in, only `+` and digits come out."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from values.e164 import Dialable, NumberRefused, Refusal, country_of, dialling_refusal, kind_of, normalise

HOMES = st.sampled_from([None, "GB", "US", "AU", "JP", "RU", "IT", "SG", "BR", "NU", "DE", "KR"])
HOSTILE = st.text(
    alphabet="0123456789+()-. &/@,^|${}[]\r\n\x00;:=#*abcWw\u0660\u0661\uff10\uff0b²", max_size=40
)
NEAR_NUMBERS = st.from_regex(r"\A\+?[0-9 ()\-.]{1,24}\Z")
FORM = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)


@given(text=st.one_of(st.text(), HOSTILE, NEAR_NUMBERS), home=HOMES, ingress=HOMES)
@example(text="112", home="GB", ingress=None)
@example(text="+\u0664\u0664 20 7946 0101", home=None, ingress=None)
def test_T20_any_text_is_an_ascii_number_or_a_refusal(
    text: str, home: str | None, ingress: str | None
) -> None:
    try:
        number = normalise(text, home_country=home, ingress_country=ingress)
    except NumberRefused:
        pass
    else:
        assert FORM.fullmatch(str(number))
        assert country_of(number)
        assert kind_of(number)


@given(text=NEAR_NUMBERS, home=HOMES)
def test_a_number_that_was_understood_is_understood_again_as_itself(text: str, home: str | None) -> None:
    try:
        number = normalise(text, home_country=home)
    except NumberRefused:
        return
    assert normalise(str(number), home_country=None) == number


@given(text=NEAR_NUMBERS, home=HOMES)
def test_what_is_dialable_was_looked_at_by_the_bars(text: str, home: str | None) -> None:
    outcome = dialling_refusal(text, home)
    if isinstance(outcome, Dialable):
        assert dialling_refusal(outcome.number) == outcome
        assert not outcome.number.digits.startswith(("870", "878", "881", "882", "883", "979", "1900"))
    else:
        assert isinstance(outcome, Refusal)

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from values.emaillink import email_token, instant_in, is_good, is_same

SECRET = b"a secret of sixteen and more characters"
MADE_AT = datetime(2026, 3, 2, 9, 0, 0, 123_456, tzinfo=UTC)
INSTANTS = st.datetimes(datetime(1970, 1, 2), datetime(2286, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


def token(secret: bytes = SECRET, account_id: str = "acme", email: str = "ap@acme.example") -> str:
    return email_token(secret, account_id=account_id, email=email, made_at=MADE_AT)


@pytest.mark.parametrize(
    ("age", "is_still_good"),
    [
        (timedelta(), True),
        (timedelta(hours=23, minutes=59), True),
        (timedelta(hours=24) - timedelta(microseconds=1), True),
        (timedelta(hours=24), False),
        (timedelta(hours=24, minutes=1), False),
        (-timedelta(microseconds=1), False),
    ],
)
def test_F071_a_link_is_good_for_24_hours_to_the_microsecond(age: timedelta, *, is_still_good: bool) -> None:
    assert is_good(MADE_AT, MADE_AT + age) is is_still_good


@given(st.binary(min_size=16), st.text(max_size=60), st.text(max_size=60), INSTANTS)
def test_F071_a_token_stands_in_a_url_as_it_is_and_tells_its_instant(
    secret: bytes, account_id: str, email: str, made_at: datetime
) -> None:
    made = email_token(secret, account_id=account_id, email=email, made_at=made_at)
    assert re.fullmatch(r"[A-Za-z0-9._-]{45,60}", made)
    assert instant_in(made) == made_at
    assert is_same(made, email_token(secret, account_id=account_id, email=email, made_at=made_at))


def test_F071_each_part_counts_and_no_two_links_say_the_same() -> None:
    assert token() == token()
    assert len({token(), token(b"another secret of this switch"), token(account_id="acme-2")}) == 3
    assert token(email="ap@acme.example") != token(email="AP@acme.example")
    # What one field loses the other cannot gain.
    assert token(account_id="a", email="b c") != token(account_id="a b", email="c")
    later = MADE_AT + timedelta(microseconds=1)
    assert token() != email_token(SECRET, account_id="acme", email="ap@acme.example", made_at=later)


@given(st.text(max_size=200))
def test_F071_any_other_text_is_no_token_and_no_error(text: str) -> None:
    assert instant_in(text) is None
    assert not is_same(token(), text)


@pytest.mark.parametrize(
    "text",
    [
        f"0{token()}",
        f"-{token()}",
        f"9{token()}",
        f"{token()}A",
        f"{token()}=",
        f"{token()}\n",
        f" {token()}",
        token()[:-1],
        token().replace(".", ""),
        token().replace("1", "\u0661"),
    ],
)
def test_F071_a_token_has_one_spelling(text: str) -> None:
    assert instant_in(text) is None

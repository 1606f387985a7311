"""The longest prefix equals a naive scan; the row found equals one by its text."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from priced import START, a_rate

from rating.deck import Deck, NoRate, Rate
from rating.prefixes import Prefixes
from values.e164 import E164

DIGITS = st.text("123", min_size=1, max_size=6)
MOMENTS = st.integers(-5, 5).map(lambda days: START + timedelta(days=days))


@given(st.sets(DIGITS, max_size=60), DIGITS)
def test_the_longest_prefix_equals_a_naive_scan(prefixes: set[str], number: str) -> None:
    naive = sorted((prefix for prefix in prefixes if number.startswith(prefix)), key=len, reverse=True)
    assert list(Prefixes((prefix, prefix) for prefix in prefixes).matches(number)) == naive


@st.composite
def rows(draw: st.DrawFn) -> tuple[Rate, ...]:
    kinds = st.tuples(DIGITS, MOMENTS, st.none() | st.integers(1, 4), st.booleans())
    drawn = draw(st.lists(kinds, max_size=30, unique_by=lambda row: (row[0], row[1])))
    return tuple(
        a_rate(
            prefix=prefix,
            id=f"r{index}",
            valid_from=start,
            valid_till=None if days is None else start + timedelta(days=days),
            blocked=blocked,
        )
        for index, (prefix, start, days, blocked) in enumerate(drawn)
    )


@given(rows(), st.text("123", min_size=7, max_size=10), MOMENTS)
def test_the_row_is_the_longest_valid_one_and_of_those_the_latest(
    rates: tuple[Rate, ...], digits: str, at: datetime
) -> None:
    valid = [
        rate
        for rate in rates
        if digits.startswith(rate.prefix)
        and rate.valid_from <= at
        and (rate.valid_till is None or at < rate.valid_till)
    ]
    deck = Deck(id="d", name="d", version=1, currency="USD", rates=rates)
    found = deck.find(E164(digits=digits), at)
    if valid:
        assert found == max(valid, key=lambda rate: (len(rate.prefix), rate.valid_from))
    else:
        assert isinstance(found, NoRate)

"""A table of rates is the same as the rates, and finds what a deck of them finds."""

from datetime import datetime, timedelta
from decimal import Decimal
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from priced import START, a_rate

import rating.ratetable
from rating.deck import Deck
from rating.origin import OriginClass
from rating.rate import Rate, Surcharge
from rating.raterow import row_of
from rating.ratetable import RateTable
from values.e164 import E164

DIGITS = st.text("123", min_size=1, max_size=6)
MOMENTS = st.integers(-5, 5).map(lambda days: START + timedelta(days=days))
BANDS = st.sampled_from(["", "peak", "night"])
KEYS = st.tuples(DIGITS, MOMENTS, BANDS, st.none() | st.integers(1, 4), st.integers(0, 10**9))


def rates_of(drawn: list) -> tuple[Rate, ...]:
    ordered = sorted(drawn, key=lambda row: row[:3])
    return tuple(
        a_rate(
            per_minute=f"{units}E-8",
            band=band,
            prefix=prefix,
            id=f"d:1:{number}",
            valid_from=start,
            valid_till=None if days is None else start + timedelta(days=days),
            surcharges=(Surcharge(origin=OriginClass.EEA, per_minute=Decimal(1)),) if units % 2 else (),
            blocked=not units,
        )
        for number, (prefix, start, band, days, units) in enumerate(ordered, start=1)
    )


def table_of(rates: tuple[Rate, ...]) -> RateTable:
    numbered = enumerate(map(row_of, rates), start=1)
    return RateTable(numbered, version_id="d:1", currency="USD")


DRAWN = st.lists(KEYS, max_size=40, unique_by=lambda row: row[:3]).map(rates_of)


@given(DRAWN)
def test_a_table_gives_its_rates_again(rates: tuple[Rate, ...]) -> None:
    table = table_of(rates)
    assert (len(table), tuple(table), table[:]) == (len(rates), rates, rates)
    assert [table.numbered(number) for number in range(1, len(rates) + 1)] == list(rates)
    assert list(table.rows()) == [row_of(rate) for rate in rates]


@given(DRAWN, st.sampled_from([1, rating.ratetable.PACKED_AT_ONCE]))
def test_a_table_that_was_packed_is_the_same_table(rates: tuple[Rate, ...], at_once: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rating.ratetable, "PACKED_AT_ONCE", at_once)
        packed = b"".join(table_of(rates).packed())
    table = RateTable.unpacked(BytesIO(packed).read, version_id="d:1", currency="USD")
    assert list(table.rows()) == [row_of(rate) for rate in rates]
    assert tuple(table) == rates


@given(DRAWN, st.data())
def test_a_packed_table_whose_end_is_missing_is_refused(rates: tuple[Rate, ...], data: st.DataObject) -> None:
    packed = b"".join(table_of(rates).packed())
    cut = packed[: data.draw(st.integers(0, len(packed) - 1))]
    with pytest.raises(ValueError, match="has no end"):
        RateTable.unpacked(BytesIO(cut).read, version_id="d:1", currency="USD")


@given(DRAWN, st.text("123", min_size=7, max_size=10), MOMENTS, BANDS)
def test_F050_a_table_finds_what_a_deck_finds(
    rates: tuple[Rate, ...], digits: str, at: datetime, band: str
) -> None:
    plain = Deck(id="d:1", name="d", version=1, currency="USD", rates=rates)
    compact = Deck(id="d:1", name="d", version=1, currency="USD", rates=table_of(rates))
    number = E164(digits=digits)
    assert compact.find(number, at, band) == plain.find(number, at, band)


@given(DRAWN)
def test_a_table_of_more_terms_than_it_recognises_gives_its_rates_again(rates: tuple[Rate, ...]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rating.ratetable, "KNOWN_MAX", 2)
        assert tuple(table_of(rates)) == rates

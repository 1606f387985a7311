"""import(export(deck)) == deck."""

import csv
import io
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sheets import read

from rating.deckexport import cells, further_columns
from rating.deckfile import COLUMNS
from rating.raterow import RateRow
from values.instants import micros

START = datetime(2026, 1, 1, tzinfo=UTC)
PRICES = st.integers(0, 10**12)
MOMENTS = st.integers(0, 10**15).map(lambda moment: micros(START) + moment)
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=40
).filter(lambda name: name == name.strip() and name[0] not in "=+-@" and " ".join(name.split()) == name)


@st.composite
def decks(draw: st.DrawFn, *, kind: str) -> list[RateRow]:
    keys = st.tuples(st.sampled_from(["1", "44", "4420", "33", "393"]), st.sampled_from(["", "peak"]))
    starts = draw(st.dictionaries(keys, MOMENTS, min_size=1, max_size=8))
    steps = st.none() | st.integers(1, 3600)
    surcharges = st.just(()) | st.tuples(*[st.none() | PRICES] * 4).filter(
        lambda each: any(one is not None for one in each)
    )
    return [
        RateRow(
            prefix=prefix,
            band=band,
            valid_from=start,
            valid_till=_later(start, draw(st.none() | st.integers(1, 10**14))),
            destination=draw(NAMES),
            per_minute=draw(PRICES),
            next_per_minute=draw(st.none() | PRICES),
            connect_fee=draw(st.none() | PRICES),
            first_increment_s=draw(steps),
            next_increment_s=draw(steps),
            blocked=draw(st.booleans()),
            surcharges=draw(surcharges),
            attempt_fee=draw(st.none() | PRICES) if kind == "cost" else None,  # nobody is sold an attempt
            number_digits_min=draw(st.none() | st.integers(0, 15)),
            number_digits_max=draw(st.none() | st.integers(0, 15)),
        )
        for (prefix, band), start in sorted(starts.items())
    ]


def _later(start: int, more: int | None) -> int | None:
    return None if more is None else start + more


@pytest.mark.parametrize("kind", ["sell", "cost"])
@given(drawn=st.data())
def test_what_is_exported_is_imported_as_the_same_deck(kind: str, drawn: st.DataObject) -> None:
    rows = drawn.draw(decks(kind=kind))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    further = further_columns(rows)
    writer.writerow((*COLUMNS, *further))
    writer.writerows(cells(row, "USD", further) for row in rows)
    found = read(text.getvalue(), kind=kind)
    assert found.errors == []
    assert found.rows == rows


def test_a_plain_deck_has_just_the_ten_columns() -> None:
    row = RateRow("44", "", micros(START), micros(START + timedelta(days=1)), "UK", 8_500_000, blocked=True)
    assert further_columns([row]) == ()
    assert ",".join(COLUMNS) == (
        "prefix,destination,rate_per_min,first_increment,next_increment,connect_fee,"
        "effective_date,end_date,status,currency"
    )
    assert cells(row, "USD", ()) == (
        *("44", "UK", "0.0850", "", "", ""),
        *("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", "blocked", "USD"),
    )

"""Whatever a sheet says: from when it counts its rows price, until then those before, and twice is once."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rating.deckmerge import ChangeKind, NumberedRow, SheetKind, changes, merge
from rating.raterow import RateRow
from rating.sheetrow import clashes

END = 12
MOMENTS = st.integers(0, END)


@st.composite
def rows_of_a_prefix(draw: st.DrawFn) -> list[RateRow]:
    """Rows that can hold together; few prices, so that rows often say the same."""
    found: list[RateRow] = []
    for band in draw(st.sampled_from([("",), ("", "peak"), ("peak",)])):
        starts = sorted(draw(st.sets(MOMENTS, max_size=3)))
        for start, following in pairwise([*starts, END + 1]):
            till = draw(st.none() | st.integers(start + 1, following))
            found.append(RateRow("44", band, start, till, "UK", draw(st.integers(1, 2))))
    return sorted(found)


def price(rows: Sequence[RateRow], band: str, at: int) -> int | None:
    """The price that a deck of these rows finds: of the band before all the time, then what started last."""
    valid = [row for row in rows if row.holds_at(at) and row.band in {"", band}]
    best = max(valid, key=lambda row: (bool(row.band), row.valid_from), default=None)
    return None if best is None else best.per_minute


@given(base=rows_of_a_prefix(), sheet=rows_of_a_prefix(), starts=MOMENTS)
def test_the_sheet_prices_from_its_first_date_the_rows_before_until_then_and_twice_is_once(
    base: list[RateRow], sheet: list[RateRow], starts: int
) -> None:
    for rows in (base, sheet):
        bands = defaultdict(list)
        for number, row in enumerate(rows):
            bands[row.band].append((number, row))
        assert not [error for same in bands.values() for error in clashes(same)]
    numbered = [NumberedRow(number, row) for number, row in enumerate(sheet, start=2)]
    merged = [
        row for each in merge(base, numbered, kind=SheetKind.A_TO_Z, starts=starts) for row in each.after
    ]
    first = min((row.valid_from for row in sheet), default=starts)
    for band in ("", "peak"):
        for at in range(starts, END + 2):
            said = base if sheet and at < first else sheet
            assert price(merged, band, at) == price(said, band, at), (band, at)
    assert len({row.key for row in merged}) == len(merged)
    assert all(row.valid_till is None or row.valid_from < row.valid_till for row in merged)
    again = list(merge(merged, numbered, kind=SheetKind.A_TO_Z, starts=starts))
    kinds = {change.kind for each in again for change in changes(each.before, each.after, starts)}
    assert kinds <= {ChangeKind.UNCHANGED}

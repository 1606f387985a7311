"""Rows of a sheet on disk: in their order, as often as they are asked for, however many they are."""

from random import Random

import pytest

from rating.cells import Status
from rating.deckmerge import NumberedRow
from rating.raterow import UNDATED, RateRow
from rating.sheetrow import SheetLine
from store import sorter, spool
from store.sorter import Sorter
from store.spool import Spool

ROWS = [
    RateRow(prefix, band, start, till, f"Zone {prefix}", price, None, 10**15, 30, 6, price > 7, told)
    for prefix in ("1", "1212", "44", "4420")
    for band in ("", "peak")
    for start, till in ((UNDATED, None), (0, 5), (5, None))
    for price, told in ((1, ()), (9, (None, 1, 2, None)))
]


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows make many runs and blocks."""
    monkeypatch.setattr(sorter, "ROWS_IN_A_RUN", 7)
    monkeypatch.setattr(spool, "ROWS_AT_ONCE", 3)


def filled(rows: list[RateRow]) -> Sorter:
    made = Sorter()
    for number, row in enumerate(rows, start=2):
        made.add(SheetLine(number, (row,), Status.NEW if number % 2 else Status.NONE))
    return made


@pytest.mark.usefixtures("small")
def test_rows_come_by_prefix_start_and_band_and_those_alike_as_the_sheet_has_them() -> None:
    shuffled = Random(5).sample(ROWS, len(ROWS))
    made = filled(shuffled)
    numbered = [
        NumberedRow(number, row, Status.NEW if number % 2 else Status.NONE)
        for number, row in enumerate(shuffled, start=2)
    ]
    expected = sorted(
        numbered, key=lambda each: (each.row.prefix, each.row.valid_from, each.row.band, each.number)
    )
    assert list(made.sorted()) == expected
    assert list(made.sorted()) == expected
    made.close()


@pytest.mark.usefixtures("small")
def test_rows_without_a_date_begin_where_they_are_told_to() -> None:
    made = filled(ROWS)
    starts = {each.row.valid_from for each in made.sorted(undated_start=3)}
    assert starts == {0, 3, 5}
    made.close()


@pytest.mark.usefixtures("small")
def test_rows_of_one_prefix_and_band_are_found_together() -> None:
    once = [RateRow(str(prefix), "", 0, None, "Zone", 1) for prefix in range(100, 120)]
    twice = [ROWS[0], ROWS[-1], ROWS[0]]
    bands = [RateRow("33", band, start, None, "Zone", 1) for start, band in ((0, ""), (0, "peak"), (1, ""))]
    made = filled([*once, *twice, *bands])
    assert [each.row for each in made.repeated()] == [ROWS[0], ROWS[0], bands[0], bands[2]]
    made.close()


@pytest.mark.usefixtures("small")
def test_two_may_read_a_spool_at_once() -> None:
    made = Spool()
    for number in range(10):
        made.put((number, "text", None, (1, 2)))
    pairs = list(zip(made, made, strict=True))
    assert [one[0] for one, _ in pairs] == list(range(10))
    assert all(one == other for one, other in pairs)
    made.close()

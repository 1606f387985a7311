"""A row of a sheet says the same however many rows like it were read before."""

from itertools import product

import pytest

from rating.columns import read_header
from rating.mapping import PLAIN
from rating.sheet import SheetRow
from rating.sheetrow import RowReader, SheetLine

# Whole and mangled, of a country and of none, an area code of Italy without its 0, lists and ranges.
PREFIXES = ("44", "4420", "390", "396", "39", "999", "21", "", "4.4E+10", "442-446", "44,46", "٤٤")
PRICES = ("0.1", "0.25", "0", "", "-1", "1e3", "0.123456789", "0,5")
STEPS = {
    "plain": ("first_increment", "next_increment"),
    "whole blocks": ("initblock", "billingblock"),
    "two prices": ("rate_peak", "next_increment"),
    "areas": ("country_code", "next_increment"),
}


def reader(steps: tuple[str, ...]) -> RowReader:
    names = ["prefix", "destination", "rate_per_min", *steps, "status", "currency", "a column of theirs"]
    layout = read_header(1, names, kind="sell", mapping=PLAIN)
    assert not layout.problems
    return RowReader(layout, "USD", PLAIN, is_ragged=False)


@pytest.mark.parametrize("steps", STEPS.values(), ids=STEPS.keys())
@pytest.mark.parametrize("status", ["", "closed"])
@pytest.mark.parametrize(("first", "following"), [("39", "6"), ("44", "44")])
def test_a_row_is_read_as_if_it_were_the_only_one(
    steps: tuple[str, ...], status: str, first: str, following: str
) -> None:
    def row(number: int, prefix: str, price: str) -> SheetRow:
        cells = [prefix, "Somewhere", price, first, following, status, "USD", str(number)]
        return SheetRow(number, cells)

    after_others = reader(steps)
    # Of these rows the first is kept, so that the others are like it.
    assert isinstance(after_others.read(row(2, f"{first}3", "0.1"))[0], SheetLine)
    for number, (prefix, price) in enumerate(product(PREFIXES, PRICES), start=3):
        sheet_row = row(number, prefix, price)
        assert after_others.read(sheet_row) == reader(steps).read(sheet_row)

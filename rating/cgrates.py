"""CGRateS's tariff plan files as rows of one sheet.

Reads: the texts of Destinations.csv (tag, prefix), Rates.csv (tag, connect fee, rate, rate unit, increment,
interval start) and DestinationRates.csv (tag, destination tag, rate tag), in the order of their columns.
Gives: SheetRows under Dialback's own names, numbered as in DestinationRates.csv; TariffPlanRefused.
Knows nothing of: rating plans, profiles and timings: which of the rates apply when is a plan's matter here.

A rate with one interval has first = next = its increment. With two, the first interval must be one increment
long: `30s` from 0 and `6s` from 30 s is 30/6. Anything else steps more often than first and next can say.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from rating.sheet import Fault, SheetRow

DESTINATIONS, RATES, DESTINATION_RATES = FILES = ("Destinations.csv", "Rates.csv", "DestinationRates.csv")
HEADER = (
    *("prefix", "destination", "rate_per_min", "next_rate_per_min"),
    *("first_increment", "next_increment", "connect_fee", "rounding_method"),
)
ROUNDING, MAX_COST = slice(3, 5), 5
"""Places in DestinationRates.csv: how and to how many decimals a price is rounded, and its bound."""

_NOTHING = re.compile(r"(?:0+(?:\.0*)?)?")
_SECONDS = re.compile(r"([0-9]{1,6})(?:s|000000000|ns)?")
_PRICE = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,18})?")


class TariffPlanRefused(ValueError):
    """The files do not fit together: which, and why."""


class _Interval(NamedTuple):
    fee: str
    per_minute: Fraction
    increment: int
    starts: int


def read_tariff_plan(texts: Mapping[str, str]) -> Iterator[SheetRow]:
    """Yield a header, then one row for each prefix of each line of DestinationRates.csv."""
    prefixes: defaultdict[str, list[str]] = defaultdict(list)
    for number, cells in _lines(texts[DESTINATIONS]):
        if len(cells) < 2:
            raise TariffPlanRefused(f"{DESTINATIONS}, line {number}: write tag and prefix")
        prefixes[cells[0]].append(cells[1])
    rates: defaultdict[str, list[_Interval]] = defaultdict(list)
    for number, cells in _lines(texts[RATES]):
        rates[cells[0]].append(_interval(number, cells))
    return _rows(texts[DESTINATION_RATES], prefixes, rates)


def _rows(
    text: str, prefixes: Mapping[str, Sequence[str]], rates: Mapping[str, Sequence[_Interval]]
) -> Iterator[SheetRow]:
    yield SheetRow(0, list(HEADER))
    for number, cells in _lines(text):
        if len(cells) < 3 or cells[1] not in prefixes or cells[2] not in rates:
            remedy = f"name a tag of {DESTINATIONS} and one of {RATES}"
            yield SheetRow(number, [], (Fault(-1, "an unknown destination or rate", remedy),))
            continue
        if len(cells) > MAX_COST and not _NOTHING.fullmatch(cells[MAX_COST]):
            remedy = "say it by the plan's --call-price-max, and write 0 here"
            yield SheetRow(number, [], (Fault(-1, f"a call costs {cells[MAX_COST][:20]!r} at most", remedy),))
            continue
        terms = _terms(sorted(rates[cells[2]], key=lambda interval: interval.starts))
        if isinstance(terms, Fault):
            yield SheetRow(number, [], (terms,))
            continue
        rounding = " ".join(cells[ROUNDING]).strip()
        for prefix in prefixes[cells[1]]:
            yield SheetRow(number, [prefix, cells[1], *terms, rounding])


def _terms(intervals: Sequence[_Interval]) -> list[str] | Fault:
    first, following = intervals[0], intervals[-1]
    steps_twice = len(intervals) == 2 and following.starts == first.increment
    if first.starts or not (len(intervals) == 1 or steps_twice):
        remedy = "first and next increment cannot say that; agree on other terms"
        return Fault(-1, f"a rate in {len(intervals)} steps", remedy)
    prices = [_text(first.per_minute), _text(following.per_minute)]
    if "" in prices:
        return Fault(-1, "a rate that is no whole 10^-8 a minute", "write a rate for 60s")
    return [*prices, str(first.increment), str(following.increment), first.fee]


def _interval(number: int, cells: list[str]) -> _Interval:
    if len(cells) < 6:
        raise TariffPlanRefused(f"{RATES}, line {number}: write tag, fee, rate, unit, increment and start")
    found = [_SECONDS.fullmatch(cell) for cell in cells[3:6]]
    unit, increment, starts = (int(each[1]) if each else -1 for each in found)
    if unit < 1 or increment < 1 or starts < 0 or not _PRICE.fullmatch(cells[2]):
        raise TariffPlanRefused(f"{RATES}, line {number}: write a rate, and times such as 60s")
    return _Interval(cells[1] or "0", Fraction(Decimal(cells[2])) * 60 / unit, increment, starts)


def _text(price: Fraction) -> str:
    scaled = price * 10**8
    if scaled.denominator != 1:
        return ""
    digits = f"{scaled.numerator:09d}"
    return f"{digits[:-8]}.{digits[-8:]}"


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of each line that is no comment; the header of these files is one."""
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, [cell.strip() for cell in next(csv.reader([line]))]

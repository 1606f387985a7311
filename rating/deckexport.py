"""A row of a deck as cells of Dialback's own CSV, from which the same row is read again.

Reads: RateRows.
Gives: the further columns that a deck needs; texts in the order of the columns.
Knows nothing of: files, CSV.
"""

from collections.abc import Callable, Iterable, Sequence

from rating.deckfile import FURTHER_COLUMNS
from rating.origin import OriginClass
from rating.raterow import RateRow
from values.instants import instant_of
from values.money import RATE_SCALE, plain_decimal, rate_from_units


def further_columns(rows: Iterable[RateRow]) -> tuple[str, ...]:
    """Return the columns beyond the ten that any of the rows needs."""
    needed: set[str] = set()
    for row in rows:
        for name in FURTHER_COLUMNS:
            if name not in needed and _FURTHER[name](row):
                needed.add(name)
        if len(needed) == len(FURTHER_COLUMNS):
            break
    return tuple(name for name in FURTHER_COLUMNS if name in needed)


def cells(row: RateRow, currency: str, further: Sequence[str]) -> tuple[str, ...]:
    """Return the texts of one row."""
    return (
        row.prefix,
        row.destination,
        _price(row.per_minute),
        _whole(row.first_increment_s),
        _whole(row.next_increment_s),
        _price(row.connect_fee),
        _instant(row.valid_from),
        "" if row.valid_till is None else _instant(row.valid_till),
        "blocked" if row.blocked else "open",
        currency,
        *(_FURTHER[name](row) for name in further),
    )


def _price(units: int | None) -> str:
    if units is None:
        return ""
    text = plain_decimal(rate_from_units(units), RATE_SCALE)
    return text[:-4] + text[-4:].rstrip("0")


def _whole(number: int | None) -> str:
    return "" if number is None else str(number)


def _instant(micros: int) -> str:
    return f"{instant_of(micros).replace(tzinfo=None).isoformat()}Z"


def _surcharge(place: int) -> Callable[[RateRow], str]:
    return lambda row: _price(row.surcharges[place]) if row.surcharges else ""


_FURTHER: dict[str, Callable[[RateRow], str]] = {
    "next_rate_per_min": lambda row: _price(row.next_per_minute),
    "band": lambda row: row.band,
    **{f"surcharge_{origin}": _surcharge(place) for place, origin in enumerate(OriginClass)},
    "attempt_fee": lambda row: _price(row.attempt_fee),
    "number_digits_min": lambda row: _whole(row.number_digits_min),
    "number_digits_max": lambda row: _whole(row.number_digits_max),
}

"""One row of a rate deck as plain integers: what files become, tables hold, and a million of fit in memory.

Reads: Rates (rating/rate.py).
Gives: RateRow, which sorts by prefix, band and start; a Rate again.
Knows nothing of: files, databases.
"""

from typing import NamedTuple

from rating.origin import OriginClass
from rating.rate import Rate, Surcharge
from values.instants import instant_of, micros
from values.money import rate_from_units, rate_units

UNDATED = -(2**62)
"""The start of a row whose sheet gives none; it sorts first, and is replaced before anything is kept."""


class RateRow(NamedTuple):
    """Prices in 10^-8 of the unit, instants in microseconds since 1970.

    `surcharges` has one for each OriginClass in their order, or is ().
    """

    prefix: str
    band: str
    valid_from: int
    valid_till: int | None
    destination: str
    per_minute: int
    next_per_minute: int | None = None
    connect_fee: int | None = None
    first_increment_s: int | None = None
    next_increment_s: int | None = None
    blocked: bool = False
    surcharges: tuple[int | None, ...] = ()
    attempt_fee: int | None = None
    number_digits_min: int | None = None
    number_digits_max: int | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """Return what no two rows of a version have in common."""
        return self.prefix, self.band, self.valid_from

    def holds_at(self, instant: int) -> bool:
        """Whether the row is valid at that instant."""
        return self.valid_from <= instant and (self.valid_till is None or instant < self.valid_till)


def row_of(rate: Rate) -> RateRow:
    """Return the integers of a rate."""
    return RateRow(
        prefix=rate.prefix,
        band=rate.band,
        valid_from=micros(rate.valid_from),
        valid_till=None if rate.valid_till is None else micros(rate.valid_till),
        destination=rate.destination,
        per_minute=rate_units(rate.per_minute),
        next_per_minute=None if rate.next_per_minute is None else rate_units(rate.next_per_minute),
        connect_fee=None if rate.connect_fee is None else rate_units(rate.connect_fee),
        first_increment_s=rate.first_increment_s,
        next_increment_s=rate.next_increment_s,
        blocked=rate.blocked,
        surcharges=_surcharge_units(rate),
        attempt_fee=None if rate.attempt_fee is None else rate_units(rate.attempt_fee),
        number_digits_min=rate.number_digits_min,
        number_digits_max=rate.number_digits_max,
    )


def rate_of(row: RateRow, *, rate_id: str, currency: str) -> Rate:
    """Return the rate of those integers."""
    return Rate(
        id=rate_id,
        prefix=row.prefix,
        destination=row.destination,
        per_minute=rate_from_units(row.per_minute),
        next_per_minute=None if row.next_per_minute is None else rate_from_units(row.next_per_minute),
        connect_fee=None if row.connect_fee is None else rate_from_units(row.connect_fee),
        first_increment_s=row.first_increment_s,
        next_increment_s=row.next_increment_s,
        valid_from=instant_of(row.valid_from),
        valid_till=None if row.valid_till is None else instant_of(row.valid_till),
        blocked=row.blocked,
        currency=currency,
        band=row.band,
        surcharges=_surcharges(row.surcharges),
        attempt_fee=None if row.attempt_fee is None else rate_from_units(row.attempt_fee),
        number_digits_min=row.number_digits_min,
        number_digits_max=row.number_digits_max,
    )


def _surcharge_units(rate: Rate) -> tuple[int | None, ...]:
    if not rate.surcharges:
        return ()
    units = {each.origin: rate_units(each.per_minute) for each in rate.surcharges}
    return tuple(units.get(origin) for origin in OriginClass)


def _surcharges(units: tuple[int | None, ...]) -> tuple[Surcharge, ...]:
    if not units:
        return ()
    return tuple(
        Surcharge(origin=origin, per_minute=rate_from_units(each))
        for origin, each in zip(OriginClass, units, strict=True)
        if each is not None
    )

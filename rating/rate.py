"""One row of a rate deck, as a value.

Reads: nothing.
Gives: Rate, with its Surcharges.
Knows nothing of: where rows come from, which of them wins.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from rating.origin import OriginClass

FREE = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surcharge:
    """What a minute costs on top if the caller ID shown is of that class."""

    origin: OriginClass
    per_minute: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """One row: what a minute to a prefix costs, and from when to when.

    Prices are exact, with at most 8 decimals. `valid_from` is inclusive, `valid_till` exclusive, both UTC.
    Where a field is None the plan decides, except `next_per_minute`: None means the same as `per_minute`.
    `band`: the plan's time band in which the row holds, "" for all the time. Rows of a cost deck may ask
    `attempt_fee` for each call that is tried, and take only numbers of so many digits.
    """

    id: str
    prefix: str
    destination: str
    per_minute: Decimal
    next_per_minute: Decimal | None = None
    connect_fee: Decimal | None = None
    first_increment_s: int | None = None
    next_increment_s: int | None = None
    valid_from: datetime
    valid_till: datetime | None = None
    blocked: bool = False
    currency: str
    band: str = ""
    surcharges: tuple[Surcharge, ...] = ()
    attempt_fee: Decimal | None = None
    number_digits_min: int | None = None
    number_digits_max: int | None = None

    def surcharge(self, origin: OriginClass) -> Decimal:
        """Return what a minute costs on top for a caller ID of that class."""
        return next((each.per_minute for each in self.surcharges if each.origin is origin), FREE)

    def is_valid_at(self, instant: datetime) -> bool:
        """Whether the row holds at that instant."""
        return self.valid_from <= instant and (self.valid_till is None or instant < self.valid_till)

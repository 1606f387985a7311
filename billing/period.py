"""A billing period: half-open, in whole days of a named zone.

Reads: dates and a zone's name.
Gives: Period, with its first and its end instant in UTC.
Knows nothing of: invoices, what today is.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A half-open range of days in a zone: `first_day` counts, `end_day` does not.

    `began_at` is given where it begins at another instant than its first midnight: an account that moved to
    another zone goes on where its last invoice ended, so that no callback is left out or billed twice.
    """

    first_day: date
    end_day: date
    zone: str
    began_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse a period that holds nothing."""
        if self.first_day >= self.end_day:
            raise ValueError(f"period: {self.end_day} does not lie after {self.first_day}")

    @property
    def starts_at(self) -> datetime:
        """Return the first instant that counts, in UTC."""
        if self.began_at is not None:
            return self.began_at
        return _midnight(self.first_day, self.zone)

    @property
    def ends_at(self) -> datetime:
        """Return the first instant that no longer counts, in UTC."""
        return _midnight(self.end_day, self.zone)

    def holds(self, instant: datetime) -> bool:
        """Whether the instant lies in the period."""
        return self.starts_at <= instant < self.ends_at


def month(year: int, number: int, zone: str) -> Period:
    """Return a calendar month in a zone."""
    following = date(year + number // 12, number % 12 + 1, 1)
    return Period(first_day=date(year, number, 1), end_day=following, zone=zone)


def _midnight(day: date, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)

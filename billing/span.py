"""The half-open range of time that a report is about, and the days it has in a zone.

Reads: instants, a month, a zone's name.
Gives: Span; its offsets from UTC, piece by piece, so that a database can name local days by integers alone.
Knows nothing of: reports, databases, what today is.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from billing.period import Period

DAYS_MAX = 4_000
"""Eleven years: a range beyond is a slip of the pen."""
_HOUR = timedelta(hours=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Offset:
    """From `from_at` on, local time is UTC plus `seconds`."""

    from_at: datetime
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A range of time: `starts_at` counts, `ends_at` does not. Days are those of `zone`."""

    starts_at: datetime
    ends_at: datetime
    zone: str

    def __post_init__(self) -> None:
        """Refuse a range that holds nothing, or more than anybody asks for."""
        if self.starts_at >= self.ends_at:
            raise ValueError("the end of the range must lie after its start")
        if self.ends_at - self.starts_at > timedelta(days=DAYS_MAX):
            raise ValueError(f"a report covers at most {DAYS_MAX} days")

    def __str__(self) -> str:
        """Return both ends in the zone, in the words of --from and --till: the end is no longer of it."""
        zone = ZoneInfo(self.zone)
        start, end = (_told(each.astimezone(zone)) for each in (self.starts_at, self.ends_at))
        return f"from {start} till {end}, {self.zone}"

    def offsets(self) -> tuple[Offset, ...]:
        """Return the zone's offsets in force in this range, the earliest first."""
        zone = ZoneInfo(self.zone)
        found = [Offset(from_at=self.starts_at, seconds=_offset(self.starts_at, zone))]
        for hour in self._hours():
            seconds = _offset(hour, zone)
            if seconds != found[-1].seconds:
                found.append(Offset(from_at=_first_with(seconds, hour, zone), seconds=seconds))
        return tuple(found)

    def _hours(self) -> Iterator[datetime]:
        # No zone has ever changed twice within an hour.
        hour = self.starts_at
        while hour < self.ends_at:
            hour += _HOUR
            yield min(hour, self.ends_at)


def _told(local: datetime) -> str:
    """The day where it begins at midnight, else the time with its offset: an hour may come twice."""
    return f"{local:%Y-%m-%d}" if local.time() == time(0) else local.isoformat(sep=" ")


def span_of(period: Period) -> Span:
    """Return the range of a period."""
    return Span(starts_at=period.starts_at, ends_at=period.ends_at, zone=period.zone)


def day_of(number: int) -> date:
    """Return the day with that number, counted from 1970-01-01."""
    return date(1970, 1, 1) + timedelta(days=number)


def _first_with(seconds: int, late: datetime, zone: ZoneInfo) -> datetime:
    early = late - _HOUR
    while late - early > _SECOND:
        middle = early + (late - early) / 2
        middle = middle.replace(microsecond=0)
        if _offset(middle, zone) == seconds:
            late = middle
        else:
            early = middle
        if middle == early and late - early <= _SECOND:
            break
    return late


def _offset(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(UTC).astimezone(zone).utcoffset()
    assert offset is not None
    return int(offset.total_seconds())

"""Time bands: hours of the week, in a plan's zone, that have prices of their own.

Reads: text such as `peak=Mo-Fr 08:00-20:00`, an instant, a zone's name.
Gives: Bands that do not overlap, or BandRefused; the name of the band at an instant, "" outside all.
Knows nothing of: rates, plans, holidays.

A band is the part of the clock that people read on the wall: where clocks are put forward or back it keeps to
the wall, so it is an hour shorter or longer that day. The start counts, the end does not. An end at or
before the start lies on the next day; `weekdays` are those on which the band starts.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
DAY_MINUTES = 24 * 60
WEEK_MINUTES = 7 * DAY_MINUTES
BANDS_MAX = 20

_NAME = re.compile(r"[a-z][a-z0-9-]{0,29}")
_BAND = re.compile(r"(?P<name>[^=]*)=(?P<days>[^ ]+) +(?P<starts>[0-9:]+)-(?P<ends>[0-9:]+)")
_TIME = re.compile(r"([01][0-9]|2[0-4]):([0-5][0-9])")
FORM = "name=days hours, such as peak=Mo-Fr 08:00-20:00 or night=Mo-Su 22:00-06:00"


class BandRefused(ValueError):
    """This is no band, or it overlaps another; what is wrong, and the form expected."""

    def __init__(self, value: object, remedy: str) -> None:
        """Keep the parts apart for whoever knows the field."""
        super().__init__(f"{value!r}: {remedy}")
        self.value = value
        self.remedy = remedy


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """Some hours on some weekdays (0 is Monday), in minutes after midnight on the wall clock."""

    name: str
    weekdays: tuple[int, ...]
    starts: int
    ends: int

    def __str__(self) -> str:
        """Return the text from which it can be read again."""
        return f"{self.name}={_days_text(self.weekdays)} {_time_text(self.starts)}-{_time_text(self.ends)}"

    def spans(self) -> tuple[tuple[int, int], ...]:
        """Return its parts of the week, in minutes after Monday 00:00; none crosses the week's end."""
        length = (self.ends - self.starts) % DAY_MINUTES or DAY_MINUTES
        parts = []
        for day in self.weekdays:
            start = day * DAY_MINUTES + self.starts
            parts.append((start, min(start + length, WEEK_MINUTES)))
            if start + length > WEEK_MINUTES:
                parts.append((0, start + length - WEEK_MINUTES))
        return tuple(parts)


def read_bands(text: str) -> tuple[Band, ...]:
    """Return the bands of a text, `;` between them; "" gives none. A name may have several parts."""
    parts = [part.strip() for part in text.split(";")]
    bands = tuple(_band(part) for part in parts if part)
    check_bands(bands)
    return bands


def bands_text(bands: Sequence[Band]) -> str:
    """Return the text of several bands, as read_bands takes it."""
    return "; ".join(str(band) for band in bands)


def check_bands(bands: Sequence[Band]) -> None:
    """Refuse what no instant could be sorted by: two bands at once, or hours that do not exist."""
    if len(bands) > BANDS_MAX:
        raise BandRefused(bands_text(bands[:2]), f"use at most {BANDS_MAX} bands")
    spans = []
    for band in bands:
        if not _NAME.fullmatch(band.name):
            raise BandRefused(band.name, "name the band by small letters, digits and dashes, such as peak")
        in_week = band.weekdays == tuple(sorted(set(band.weekdays))) and {*band.weekdays} <= {*range(7)}
        if not band.weekdays or not in_week:
            raise BandRefused(band.name, "name its weekdays once each, in order")
        if not (0 <= band.starts < DAY_MINUTES and 0 < band.ends <= DAY_MINUTES):
            raise BandRefused(band.name, "start from 00:00 to 23:59 and end from 00:01 to 24:00")
        spans += [(*span, band) for span in band.spans()]
    spans.sort(key=lambda span: span[:2])
    for (_, earlier_end, earlier), (start, _, later) in pairwise(spans):
        if start < earlier_end:
            raise BandRefused(str(later), f"it overlaps {earlier}: let each hour belong to one band")


def check_zone(zone: str) -> ZoneInfo:
    """Return the zone of that name; BandRefused if there is none."""
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BandRefused(zone, "write a name of the time zone database, such as Europe/Berlin") from None


def band_at(bands: Sequence[Band], zone: str, instant: datetime) -> str:
    """Return the name of the band that holds `instant`, by the wall clock of `zone`; "" for none."""
    if not bands:
        return ""
    wall = instant.astimezone(ZoneInfo(zone))
    minute = wall.weekday() * DAY_MINUTES + wall.hour * 60 + wall.minute
    for band in bands:
        if any(start <= minute < end for start, end in band.spans()):
            return band.name
    return ""


def _band(text: str) -> Band:
    found = _BAND.fullmatch(text)
    if not found:
        raise BandRefused(text, f"write {FORM}")
    starts, ends = _minutes(found["starts"]), _minutes(found["ends"])
    if starts == DAY_MINUTES:
        raise BandRefused(text, "start from 00:00 to 23:59")
    # Midnight as an end is that of the day itself.
    return Band(
        name=found["name"], weekdays=_weekdays(found["days"]), starts=starts, ends=ends or DAY_MINUTES
    )


def _minutes(text: str) -> int:
    found = _TIME.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else WEEK_MINUTES
    if minutes > DAY_MINUTES:
        raise BandRefused(text, "write times such as 08:00, from 00:00 to 24:00")
    return minutes


def _weekdays(text: str) -> tuple[int, ...]:
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        if first not in DAYS or (dash and last not in DAYS):
            raise BandRefused(text, f"write days as {', '.join(DAYS)}, a range Mo-Fr, or a list Mo,We")
        count = (DAYS.index(last) - DAYS.index(first)) % 7 if dash else 0
        found += [(DAYS.index(first) + ahead) % 7 for ahead in range(count + 1)]
    if len(set(found)) != len(found):
        raise BandRefused(text, "name each weekday once")
    return tuple(sorted(found))


def _days_text(weekdays: Sequence[int]) -> str:
    if len(weekdays) > 2 and list(weekdays) == list(range(weekdays[0], weekdays[-1] + 1)):
        return f"{DAYS[weekdays[0]]}-{DAYS[weekdays[-1]]}"
    return ",".join(DAYS[day] for day in weekdays)


def _time_text(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"

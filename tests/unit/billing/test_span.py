from datetime import UTC, date, datetime, timedelta

import pytest

from billing.period import month
from billing.span import DAYS_MAX, Span, day_of, span_of


def local_day(span: Span, instant: datetime) -> date:
    """What the database reckons: the last offset that began, added, and whole days taken."""
    seconds = [
        each.seconds for each in span.offsets() if each.from_at <= instant or each is span.offsets()[0]
    ]
    micros = (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) + seconds[
        -1
    ] * 1_000_000
    return day_of(micros // 86_400_000_000)


@pytest.mark.parametrize("zone", ["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_a_year_has_the_offsets_of_its_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    span = Span(
        starts_at=datetime(2026, 1, 1, tzinfo=UTC), ends_at=datetime(2027, 1, 1, tzinfo=UTC), zone=zone
    )
    assert len(span.offsets()) == (3 if zone in {"Europe/London", "America/New_York"} else 1)
    for edge in span.offsets():
        for near in (-1, 0, 1):
            instant = max(edge.from_at + timedelta(microseconds=near), span.starts_at)
            assert local_day(span, instant) == instant.astimezone(ZoneInfo(zone)).date()


def test_the_clocks_change_at_the_second() -> None:
    offsets = span_of(month(2026, 3, "Europe/London")).offsets()
    assert [(each.from_at, each.seconds) for each in offsets] == [
        (datetime(2026, 3, 1, tzinfo=UTC), 0),
        (datetime(2026, 3, 29, 1, tzinfo=UTC), 3600),
    ]


def test_a_range_says_both_ends_and_its_zone() -> None:
    told = str(span_of(month(2026, 3, "Europe/London")))
    assert told == "from 2026-03-01 till 2026-04-01, Europe/London"
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    told = str(Span(starts_at=start, ends_at=start + timedelta(hours=1), zone="Europe/London"))
    assert told == "from 2026-10-25 01:30:00+01:00 till 2026-10-25 01:30:00+00:00, Europe/London"


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="after its start"):
        Span(starts_at=start, ends_at=start, zone="UTC")
    with pytest.raises(ValueError, match="at most"):
        Span(starts_at=start, ends_at=start + timedelta(days=DAYS_MAX + 1), zone="UTC")

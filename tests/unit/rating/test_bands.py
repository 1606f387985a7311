"""Hours of the week with prices of their own."""

from datetime import UTC, datetime

import pytest

from rating.bands import BandRefused, band_at, bands_text, read_bands

BERLIN = "Europe/Berlin"
OFFICE = read_bands("peak=Mo-Fr 08:00-20:00; weekend=Sa,Su 00:00-24:00")


def utc(day: int, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """An instant of the week that starts on Monday, 2 March 2026."""
    return datetime(2026, 3, 1 + day, hour, minute, second, tzinfo=UTC)


@pytest.mark.parametrize(
    ("instant", "band"),
    [
        (utc(1, 6, 59, 59), ""),  # 07:59:59 in Berlin
        (utc(1, 7), "peak"),
        (utc(1, 18, 59, 59), "peak"),
        (utc(1, 19), ""),
        (utc(5, 12), "peak"),
        (utc(5, 23), "weekend"),  # Saturday, 00:00 in Berlin
        (utc(7, 22, 59, 59), "weekend"),
        (utc(7, 23), ""),  # Monday, 00:00
    ],
)
def test_F140_the_band_is_that_of_the_wall_clock_in_the_zone(instant: datetime, band: str) -> None:
    assert band_at(OFFICE, BERLIN, instant) == band


def test_a_band_over_midnight_belongs_to_the_day_on_which_it_starts() -> None:
    night = read_bands("night=Fr,Su 22:00-06:00")
    found = [
        band_at(night, "UTC", utc(day, hour)) for day, hour in ((5, 22), (6, 5), (6, 22), (7, 23), (8, 5))
    ]
    assert found == ["night", "night", "", "night", "night"]
    assert band_at(night, "UTC", utc(1, 5)) == "night"


def test_a_band_keeps_to_the_wall_when_clocks_are_changed() -> None:
    # On 29 March 2026 the hour from 02:00 to 03:00 does not exist in Berlin; 08:00 is 06:00 UTC from then on.
    early = read_bands("early=Su 00:00-08:00")
    assert band_at(early, BERLIN, datetime(2026, 3, 29, 5, 59, tzinfo=UTC)) == "early"
    assert band_at(early, BERLIN, datetime(2026, 3, 29, 6, 0, tzinfo=UTC)) == ""
    # On 25 October 02:30 comes twice: both times are in a band that holds 02:30.
    twice = read_bands("twice=Su 02:00-03:00")
    assert band_at(twice, BERLIN, datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == "twice"
    assert band_at(twice, BERLIN, datetime(2026, 10, 25, 1, 30, tzinfo=UTC)) == "twice"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "peak=Mo-Fr 08:00-20:00",
        "peak=Mo-Fr 08:00-12:00; peak=Mo-Fr 14:00-20:00; night=Mo-Su 22:00-06:00",
        "all=Mo-Su 00:00-24:00",
        "odd=Mo,We,Fr 23:59-00:01",
    ],
)
def test_bands_read_what_they_write(text: str) -> None:
    assert bands_text(read_bands(text)) == text


def test_days_may_be_a_range_over_the_week_s_end() -> None:
    assert read_bands("x=Sa-Mo 10:00-11:00") == read_bands("x=Mo,Sa,Su 10:00-11:00")


@pytest.mark.parametrize(
    "text",
    [
        "peak",
        "peak=Mo-Fr",
        "=Mo 08:00-09:00",
        "Peak=Mo 08:00-09:00",
        "peak=Mon 08:00-09:00",
        "peak=Mo,Mo 08:00-09:00",
        "peak=Mo 8:00-9:00",
        "peak=Mo 08:60-09:00",
        "peak=Mo 24:01-09:00",
        "peak=Mo 24:00-09:00",
        "peak=Mo 25:00-09:00",
        "peak=Mo-Fr 08:00-20:00; busy=Fr 19:59-21:00",
        "night=Su 22:00-06:00; early=Mo 05:00-07:00",
        "; ".join(f"b{number}=Mo 00:{number:02d}-00:{number + 1:02d}" for number in range(21)),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(BandRefused) as refused:
        read_bands(text)
    assert refused.value.remedy

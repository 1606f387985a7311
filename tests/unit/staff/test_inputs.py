"""What people write on the command line."""

from datetime import UTC, datetime

import click
import pytest

from staff.inputs import Country, Instant, Month


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-03-01", 0),
        ("2026-03-01T08:15", 8),
        ("2026-03-01 08:15:00", 8),
        ("2026-03-01T08:15:00.123456Z", 8),
        ("2026-03-01T08:15:00+01:00", 7),
    ],
)
def test_a_time_is_utc_unless_it_says_its_offset(text: str, hour: int) -> None:
    found = Instant().convert(text, None, None)
    assert found.tzinfo is UTC
    assert (found.day, found.hour) == (1, hour)


@pytest.mark.parametrize(
    "text",
    ["", "now", "01/03/2026", "2026-3-1", "20260301", "2026-W10-1", "2026-03-01T8:15", "\u0662026-03-01"],
)
def test_another_form_is_refused_with_the_form_expected(text: str) -> None:
    with pytest.raises(click.BadParameter, match="write 2026-03-01"):
        Instant().convert(text, None, None)


@pytest.mark.parametrize(
    "text", ["2026-02-30", "0000-01-01", "2026-01-01T25:00Z", "9999-12-31T23:59:00-23:00"]
)
def test_a_time_outside_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="calendar"):
        Instant().convert(text, None, None)


def test_where_somebody_is_rung_the_offset_must_be_written() -> None:
    with pytest.raises(click.BadParameter, match=r"\+01:00"):
        Instant(zoned=True).convert("2026-03-01T08:15", None, None)
    assert Instant(zoned=True).convert("2026-03-01T08:15Z", None, None) == datetime(
        2026, 3, 1, 8, 15, tzinfo=UTC
    )


def test_a_month_is_four_digits_and_two() -> None:
    assert Month().convert("2026-03", None, None) == (2026, 3)
    for text in ("2026-13", "2026-3", "26-03", "March", "1999-01"):
        with pytest.raises(click.BadParameter, match="2026-03"):
            Month().convert(text, None, None)


def test_a_country_is_two_letters_of_iso_3166() -> None:
    assert Country().convert("gb", None, None) == "GB"
    for text in ("UK", "XX", "", "GBR", "ß"):
        with pytest.raises(click.BadParameter, match="GB"):
            Country().convert(text, None, None)

"""Which row of a deck holds in a time band."""

from datetime import UTC, datetime
from decimal import Decimal

from priced import START, LegRole, a_plan, a_rate

from rating.bands import band_at, read_bands
from rating.deck import Deck, NoRate
from rating.price import price_leg
from rating.rate import Rate
from values.e164 import E164

LONDON = E164.parse("+442079460101")


def deck(*rates: Rate) -> Deck:
    return Deck(id="d:1", name="d", version=1, currency="USD", rates=rates)


def row(prefix: str, per_minute: str, band: str = "", **fields: object) -> Rate:
    return a_rate(per_minute, prefix, id=f"{prefix}-{band or 'any'}-{per_minute}", band=band, **fields)


def found(rates: Deck, band: str = "") -> str:
    rate = rates.find(LONDON, START, band)
    return "" if isinstance(rate, NoRate) else rate.id


def test_F140_a_row_of_the_band_wins_over_one_for_all_the_time() -> None:
    rates = deck(row("44", "0.10"), row("44", "0.20", "peak"), row("44", "0.05", "night"))
    assert [found(rates, band) for band in ("peak", "night", "weekend", "")] == [
        "44-peak-0.20",
        "44-night-0.05",
        "44-any-0.10",
        "44-any-0.10",
    ]


def test_F140_the_longest_prefix_counts_before_the_band() -> None:
    rates = deck(row("44", "0.20", "peak"), row("4420", "0.10"))
    assert found(rates, "peak") == "4420-any-0.10"


def test_F140_a_longer_prefix_whose_rows_are_for_other_hours_leaves_it_to_the_shorter() -> None:
    rates = deck(row("44", "0.10"), row("4420", "0.20", "peak"))
    assert (found(rates, "peak"), found(rates, "night")) == ("4420-peak-0.20", "44-any-0.10")
    assert found(deck(row("4420", "0.20", "peak")), "night") == ""


def test_of_two_rows_of_a_band_the_one_that_started_last_wins() -> None:
    newer = datetime(2026, 1, 1, tzinfo=UTC)
    rates = deck(row("44", "0.20", "peak"), row("44", "0.30", "peak", valid_from=newer), row("44", "0.10"))
    assert found(rates, "peak") == "44-peak-0.30"


def test_W44_a_call_over_the_end_of_a_band_keeps_the_price_of_its_authorisation() -> None:
    # 120 s authorised at 23:59:30: 0.085 until midnight, then 0.090.
    late = read_bands("late=Mo-Su 23:00-24:00")
    rates = deck(row("44", "0.085", "late"), row("44", "0.090"))
    authorised_at = datetime(2026, 3, 2, 23, 59, 30, tzinfo=UTC)
    pinned = rates.find(LONDON, authorised_at, band_at(late, "UTC", authorised_at))
    assert isinstance(pinned, Rate)
    amount = price_leg(rate=pinned, plan=a_plan(), talk_seconds=120, role=LegRole.B).amount
    assert (amount, amount != Decimal("0.1800")) == (Decimal("0.1700"), True)

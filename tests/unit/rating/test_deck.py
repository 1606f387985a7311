"""Which row prices a number at an instant."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from priced import LegRole, a_plan, a_rate

from rating.deck import Deck, NoRate, NoRateReason, Rate
from rating.price import price_leg
from values.e164 import E164

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def deck(*rates: Rate) -> Deck:
    return Deck(id="d1", name="Retail", version=3, currency="USD", rates=rates)


def found(rates: Deck, number: str, at: datetime = NOON) -> str:
    rate = rates.find(E164.parse(number), at)
    return rate.reason if isinstance(rate, NoRate) else rate.id


def test_W23_F050_the_longest_prefix_prices() -> None:
    rates = deck(a_rate(prefix="55"), a_rate(prefix="5511"), a_rate(prefix="55119"))
    assert found(rates, "+551140045678") == "row-5511"
    assert found(rates, "+5511988551234") == "row-55119"


def test_F050_no_row_no_call() -> None:
    missing = deck(a_rate(prefix="55")).find(E164.parse("+61291234567"), NOON)
    assert isinstance(missing, NoRate)
    assert missing.reason is NoRateReason.NO_PREFIX
    assert str(missing) == "deck Retail version 3 has no row for +61291234567"


def test_the_start_counts_and_the_end_does_not() -> None:
    rates = deck(a_rate(prefix="55", valid_from=NOON, valid_till=NOON + timedelta(hours=1)))
    moment = timedelta(microseconds=1)
    assert found(rates, "+551140045678", NOON - moment) == "not_valid_then"
    assert found(rates, "+551140045678", NOON) == "row-55"
    assert found(rates, "+551140045678", NOON + timedelta(hours=1) - moment) == "row-55"
    assert found(rates, "+551140045678", NOON + timedelta(hours=1)) == "not_valid_then"


def test_neither_an_expired_nor_a_future_row_hides_a_shorter_prefix_that_is_valid() -> None:
    rates = deck(
        a_rate(prefix="55"),
        a_rate(prefix="5511", valid_till=NOON),
        a_rate(prefix="55114", valid_from=NOON + timedelta(days=1)),
    )
    assert found(rates, "+551140045678") == "row-55"


def test_a_blocked_row_takes_part_so_that_no_shorter_prefix_replaces_it() -> None:
    rate = deck(a_rate(prefix="55"), a_rate(prefix="5511", blocked=True)).find(
        E164.parse("+551140045678"), NOON
    )
    assert isinstance(rate, Rate)
    assert (rate.id, rate.blocked) == ("row-5511", True)


def test_a_row_without_an_end_is_replaced_by_its_successor() -> None:
    rates = deck(a_rate(prefix="55", id="old"), a_rate(prefix="55", id="new", valid_from=NOON))
    assert found(rates, "+551140045678", NOON - timedelta(seconds=1)) == "old"
    assert found(rates, "+551140045678", NOON) == "new"


def test_W44_the_row_of_the_authorisation_prices_the_whole_call() -> None:
    midnight = datetime(2026, 3, 3, tzinfo=UTC)
    rates = deck(
        a_rate("0.085", "55", id="before", valid_till=midnight),
        a_rate("0.090", "55", id="after", valid_from=midnight),
    )
    pinned = rates.find(E164.parse("+551140045678"), midnight - timedelta(seconds=30))
    assert isinstance(pinned, Rate)
    assert pinned.id == "before"
    amount = price_leg(rate=pinned, plan=a_plan(), talk_seconds=120, role=LegRole.B).amount
    assert str(amount) == "0.1700"
    assert amount != Decimal("0.1800")  # ✗


def test_a_deck_has_one_currency() -> None:
    with pytest.raises(ValueError, match="row 55 is in EUR, not USD"):
        deck(a_rate(prefix="55", currency="EUR"))


def test_why_there_is_no_row_is_told() -> None:
    expired = deck(a_rate(prefix="55", valid_till=NOON)).find(E164.parse("+551140045678"), NOON)
    assert str(expired) == "deck Retail version 3 has rows for +551140045678, but none is valid at that time"

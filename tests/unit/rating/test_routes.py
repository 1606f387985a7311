"""Least-cost routes under a margin rule."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from priced import a_rate

from rating.deck import Deck
from rating.origin import OriginClass
from rating.rate import Rate, Surcharge
from rating.routes import Margins, Offer, RejectionReason, Routes, choose_routes
from values.e164 import E164

PRICE = a_rate("0.25", "1212")
NO_COST = Deck(id="c", name="Carrier", version=1, currency="USD", rates=()).find(
    E164.parse("+12125550100"), datetime(2026, 1, 1, tzinfo=UTC)
)


def offer(trunk: str, cost: str, *, priority: int = 0, prefix: str = "1212", **fields: object) -> Offer:
    return Offer(trunk=trunk, rate=a_rate(cost, prefix, **fields), priority=priority)


def order(routes: Routes) -> list[str]:
    return [route.trunk for route in routes.chosen]


def reasons(routes: Routes) -> dict[str, RejectionReason]:
    return {rejection.trunk: rejection.reason for rejection in routes.rejected}


def test_the_cheapest_route_comes_first_then_priority_then_name() -> None:
    offers = [
        offer("d", "0.10"),
        offer("b", "0.05", priority=2),
        offer("c", "0.05", priority=1),
        offer("a", "0.10"),
    ]
    assert order(choose_routes(price=PRICE, offers=offers, limit=4)) == ["c", "b", "a", "d"]


def test_three_routes_at_most_and_the_others_say_so() -> None:
    routes = choose_routes(price=PRICE, offers=[offer(name, "0.05") for name in "edcba"])
    assert order(routes) == ["a", "b", "c"]
    assert reasons(routes) == {"d": RejectionReason.BEYOND_LIMIT, "e": RejectionReason.BEYOND_LIMIT}


def test_F138_R19_no_route_makes_a_loss() -> None:
    routes = choose_routes(price=PRICE, offers=[offer("even", "0.25"), offer("loss", "0.2501")])
    assert order(routes) == ["even"]
    assert reasons(routes) == {"loss": RejectionReason.MARGIN}
    assert routes.rejected[0].explanation == "margin -0.04 % is below the floor of 0 % on prefix 1212"


def test_F138_the_margin_floor_is_a_percentage_of_the_price() -> None:
    offers = [offer("kept", "0.20"), offer("thin", "0.2001")]
    routes = choose_routes(price=PRICE, offers=offers, margins=Margins(percent=Decimal(20)))
    assert order(routes) == ["kept"]
    assert routes.chosen[0].margin_percent == Decimal("20.00")


def test_a_price_that_hides_in_a_connect_fee_counts() -> None:
    routes = choose_routes(price=PRICE, offers=[offer("fee", "0.01", connect_fee=Decimal("0.30"))])
    assert reasons(routes) == {"fee": RejectionReason.MARGIN}


def test_offers_without_cost_blocked_or_in_another_currency_are_out() -> None:
    offers = [
        Offer(trunk="none", rate=NO_COST),
        offer("blocked", "0.01", blocked=True),
        offer("euro", "0.01", currency="EUR"),
    ]
    routes = choose_routes(price=PRICE, offers=offers)
    assert routes.chosen == ()
    assert reasons(routes) == {
        "none": RejectionReason.NO_COST,
        "blocked": RejectionReason.BLOCKED,
        "euro": RejectionReason.OTHER_CURRENCY,
    }
    assert all(rejection.explanation for rejection in routes.rejected)


def test_an_offer_on_a_shorter_prefix_than_the_price_is_flagged() -> None:
    offers = [offer("short", "0.01", prefix="1"), offer("same", "0.02")]
    chosen = choose_routes(price=PRICE, offers=offers).chosen
    assert [route.on_shorter_prefix for route in chosen] == [True, False]


def test_a_free_price_goes_only_where_it_costs_nothing() -> None:
    routes = choose_routes(price=a_rate("0"), offers=[offer("free", "0"), offer("paid", "0.0001")])
    assert order(routes) == ["free"]


def test_F027_a_route_whose_channels_are_all_taken_is_worth_waiting_for_unless_another_is_free() -> None:
    busy = replace(offer("busy", "0.01"), is_full=True)
    assert order(choose_routes(price=PRICE, offers=[busy, offer("free", "0.02")])) == ["free"]
    alone = choose_routes(price=PRICE, offers=[busy])
    assert reasons(alone) == {"busy": RejectionReason.FULL}
    assert alone.is_full


def test_a_full_route_that_would_make_a_loss_is_not_worth_waiting_for() -> None:
    dear = replace(offer("dear", "9.99"), is_full=True)
    assert not choose_routes(price=PRICE, offers=[dear]).is_full


# surcharges, floors in money, other currencies, lengths


def dear(cost: str, surcharge: str) -> Rate:
    extra = Surcharge(origin=OriginClass.NON_EEA, per_minute=Decimal(surcharge))
    return a_rate(cost, "33", surcharges=(extra,))


def test_R38_a_carrier_s_surcharge_counts_as_cost_and_ours_as_price() -> None:
    price = dear("0.10", "0.25")
    cheap_but_dear = Offer(trunk="a", rate=dear("0.01", "0.30"), origin=OriginClass.NON_EEA)
    plain = Offer(trunk="b", rate=a_rate("0.05", "33"), origin=OriginClass.NON_EEA)
    routes = choose_routes(price=price, offers=[cheap_but_dear, plain])
    assert order(routes) == ["b", "a"]
    assert routes.surcharge_per_minute == Decimal("0.25")
    assert [route.cost_per_minute for route in routes.chosen] == [Decimal("0.05"), Decimal("0.31")]
    assert routes.chosen[1].margin_per_minute == Decimal("0.04")


def test_F135_every_route_is_judged_by_the_surcharge_of_the_first_which_is_the_one_quoted() -> None:
    # The first shows our DID and earns no surcharge; the second would make a loss at that price.
    price = dear("0.10", "0.25")
    ours = Offer(trunk="a", rate=a_rate("0.05", "33"), origin=OriginClass.SAME_COUNTRY)
    theirs = Offer(trunk="b", rate=dear("0.06", "0.20"), origin=OriginClass.NON_EEA)
    routes = choose_routes(price=price, offers=[ours, theirs])
    assert order(routes) == ["a"]
    assert routes.surcharge_per_minute == 0
    assert reasons(routes) == {"b": RejectionReason.MARGIN}


def test_R19_a_floor_in_money_holds_beside_the_one_in_percent() -> None:
    margins = Margins(percent=Decimal(10), per_minute=Decimal("0.05"))
    offers = [offer("a", "0.20"), offer("b", "0.2001"), offer("c", "0.24")]
    routes = choose_routes(price=PRICE, offers=offers, margins=margins)
    assert order(routes) == ["a"]
    told = {each.trunk: each.explanation for each in routes.rejected}
    assert told["b"] == "margin 0.0499 a minute is below the floor of 0.05 on prefix 1212"
    assert told["c"].startswith("margin 4.00 % is below the floor of 10 %")


def test_F059_costs_in_another_currency_are_compared_by_the_day_s_rate() -> None:
    euros = offer("eur", "0.20", currency="EUR")
    dollars = offer("usd", "0.21")
    exchange = {"EUR": Fraction("1.10")}
    routes = choose_routes(price=PRICE, offers=[euros, dollars], exchange=exchange)
    assert order(routes) == ["usd", "eur"]
    assert routes.chosen[1].cost_per_minute == Decimal("0.22")
    assert reasons(choose_routes(price=PRICE, offers=[euros])) == {"eur": RejectionReason.OTHER_CURRENCY}


def test_a_carrier_takes_numbers_of_the_lengths_that_its_row_names() -> None:
    number = E164.parse("+12125550100")
    short = offer("short", "0.01", number_digits_max=10)
    long = offer("long", "0.01", number_digits_min=12)
    right = offer("right", "0.02", number_digits_min=11, number_digits_max=11)
    routes = choose_routes(price=PRICE, offers=[short, long, right], number=number)
    assert order(routes) == ["right"]
    assert set(reasons(routes).values()) == {RejectionReason.NUMBER_LENGTH}
    assert "the number has 11 digits" in routes.rejected[0].explanation


def test_trunks_that_rest_or_are_out_say_so() -> None:
    offers = [
        replace(offer("off", "0.01"), is_enabled=False),
        replace(offer("mute", "0.01"), may_show=False),
        replace(offer("bad", "0.01"), quality="10.00 % of its last 20 calls were answered, 40 % are asked"),
        offer("good", "0.02"),
    ]
    routes = choose_routes(price=PRICE, offers=offers)
    assert order(routes) == ["good"]
    assert reasons(routes) == {
        "off": RejectionReason.DISABLED,
        "mute": RejectionReason.CALLER_ID,
        "bad": RejectionReason.QUALITY,
    }


def test_what_an_attempt_costs_is_in_the_comparison() -> None:
    routes = choose_routes(
        price=PRICE, offers=[offer("tries", "0.05", attempt_fee=Decimal("0.02")), offer("flat", "0.06")]
    )
    assert order(routes) == ["flat", "tries"]

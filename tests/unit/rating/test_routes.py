"""Least-cost routes under a margin rule."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from priced import a_rate

from rating.deck import Deck
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


def test_R19_no_route_makes_a_loss() -> None:
    routes = choose_routes(price=PRICE, offers=[offer("even", "0.25"), offer("loss", "0.2501")])
    assert order(routes) == ["even"]
    assert reasons(routes) == {"loss": RejectionReason.MARGIN}
    assert routes.rejected[0].explanation == "margin -0.04 % is below the floor of 0 % on prefix 1212"


def test_the_margin_floor_is_a_percentage_of_the_price() -> None:
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

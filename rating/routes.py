"""Ordered least-cost routes for one number, under a margin rule.

Reads: the price row of the number, the carriers' offers with their cost rows.
Gives: Routes: those to try, in order, and every other offer with the reason why not.
Knows nothing of: trunks' settings, whether a carrier is up, accounts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from rating.deck import NoRate
from rating.rate import Rate
from values.money import half_up

ROUTES_MAX = 3
"""A caller who hears silence hangs up: more attempts than this are never worth the wait."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A trunk that could carry the call, with the longest prefix of its own cost deck.

    `is_full`: as many calls are up on it as it may carry.
    """

    trunk: str
    rate: Rate | NoRate
    priority: int = 0
    is_full: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way to the number. A cost row on a shorter prefix than the price row hides what we will pay."""

    trunk: str
    cost: Rate
    margin_percent: Decimal
    on_shorter_prefix: bool


class RejectionReason(StrEnum):
    """Why an offer is no route."""

    NO_COST = "no_cost"
    BLOCKED = "blocked"
    OTHER_CURRENCY = "other_currency"
    MARGIN = "margin"
    BEYOND_LIMIT = "beyond_limit"
    FULL = "full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """An offer that is not tried, and the sentence that says why."""

    trunk: str
    reason: RejectionReason
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The routes in the order to try, and the other offers."""

    chosen: tuple[Route, ...]
    rejected: tuple[Rejection, ...]

    @property
    def is_full(self) -> bool:
        """Whether there would be a route if a channel were free: it is worth waiting for."""
        return not self.chosen and any(each.reason is RejectionReason.FULL for each in self.rejected)


def choose_routes(
    *,
    price: Rate,
    offers: Sequence[Offer],
    margin_floor_percent: Decimal = Decimal(0),
    limit: int = ROUTES_MAX,
) -> Routes:
    """Return at most `limit` routes: cheapest first, then by priority (low first), then by trunk name.

    Price and cost are compared for one minute with its connect fee, so that a carrier that hides its price
    in a fee is not taken for cheap. A loss is refused unless the floor says otherwise.
    """
    routes: list[tuple[Decimal, int, str, Route]] = []
    rejected: list[Rejection] = []
    for offer in offers:
        verdict = _judge(price, offer, margin_floor_percent)
        if isinstance(verdict, Rejection):
            rejected.append(verdict)
        else:
            routes.append((_one_minute(verdict.cost), offer.priority, offer.trunk, verdict))
    ordered = [route for *_, route in sorted(routes, key=lambda entry: entry[:3])]
    rejected += [
        _reject(route.trunk, RejectionReason.BEYOND_LIMIT, f"{limit} cheaper routes come first")
        for route in ordered[limit:]
    ]
    return Routes(chosen=tuple(ordered[:limit]), rejected=tuple(rejected))


def _judge(price: Rate, offer: Offer, floor: Decimal) -> Route | Rejection:
    cost = offer.rate
    if isinstance(cost, NoRate):
        return _reject(offer.trunk, RejectionReason.NO_COST, str(cost))
    if cost.blocked:
        return _reject(offer.trunk, RejectionReason.BLOCKED, f"prefix {cost.prefix} is blocked in its deck")
    if cost.currency != price.currency:
        why = f"its cost is in {cost.currency}, the price in {price.currency}: they cannot be compared"
        return _reject(offer.trunk, RejectionReason.OTHER_CURRENCY, why)
    margin = _margin_percent(_one_minute(price), _one_minute(cost))
    if margin < Fraction(floor):
        why = f"margin {half_up(margin, 2)} % is below the floor of {floor:f} % on prefix {price.prefix}"
        return _reject(offer.trunk, RejectionReason.MARGIN, why)
    if offer.is_full:
        return _reject(offer.trunk, RejectionReason.FULL, "every channel of it is taken")
    return Route(
        trunk=offer.trunk,
        cost=cost,
        margin_percent=half_up(margin, 2),
        on_shorter_prefix=len(cost.prefix) < len(price.prefix),
    )


def _reject(trunk: str, reason: RejectionReason, explanation: str) -> Rejection:
    return Rejection(trunk=trunk, reason=reason, explanation=explanation)


def _one_minute(rate: Rate) -> Decimal:
    return rate.per_minute + (rate.connect_fee or Decimal(0))


def _margin_percent(price: Decimal, cost: Decimal) -> Fraction:
    """Return (price - cost) / price in percent; of a free price, 0 if it costs nothing, else a full loss."""
    if price == 0:
        return Fraction(0 if cost == 0 else -100)
    return Fraction(price - cost) / Fraction(price) * 100

"""Ordered least-cost routes for one number, under a margin rule.

Reads: the price row of the number, the carriers' offers with their cost rows.
Gives: Routes: those to try, in order, and every other offer with the reason why not.
Knows nothing of: trunks' settings, whether a carrier is up, accounts.

What a caller ID costs on top is in price and cost alike. The price has one surcharge, that of the route tried
first, whichever carrier takes the call in the end: so the account pays what was quoted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from types import MappingProxyType

from rating.deck import NoRate
from rating.origin import OriginClass
from rating.rate import Rate
from values.e164 import E164
from values.money import half_up

ROUTES_MAX = 3
"""A caller who hears silence hangs up: more attempts than this are never worth the wait."""
ONE_CURRENCY: Mapping[str, Fraction] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A trunk that could carry the call, with the longest prefix of its own cost deck.

    `is_full`: as many calls are up on it as it may carry. `shown` is the caller ID that it would show, of
    class `origin` at the destination; `may_show` is false where it may show none that we have. `quality`
    says what is wrong with its latest calls, "" for nothing.
    """

    trunk: str
    rate: Rate | NoRate
    priority: int = 0
    is_full: bool = False
    is_enabled: bool = True
    shown: E164 | None = None
    origin: OriginClass = OriginClass.INVALID
    may_show: bool = True
    quality: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way to the number. A cost row on a shorter prefix than the price row hides what we will pay.

    `cost_per_minute` and `margin_per_minute` are of one minute with its fees, in the price's currency.
    """

    trunk: str
    cost: Rate
    margin_percent: Decimal
    on_shorter_prefix: bool
    shown: E164 | None = None
    origin: OriginClass = OriginClass.INVALID
    cost_per_minute: Decimal = Decimal(0)
    margin_per_minute: Decimal = Decimal(0)


class RejectionReason(StrEnum):
    """Why an offer is no route."""

    DISABLED = "disabled"
    NO_COST = "no_cost"
    BLOCKED = "blocked"
    NUMBER_LENGTH = "number_length"
    CALLER_ID = "caller_id"
    OTHER_CURRENCY = "other_currency"
    MARGIN = "margin"
    QUALITY = "quality"
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
    """The routes in the order to try, and the other offers; what the caller ID adds to the price."""

    chosen: tuple[Route, ...]
    rejected: tuple[Rejection, ...]
    surcharge_per_minute: Decimal = Decimal(0)

    @property
    def is_full(self) -> bool:
        """Whether there would be a route if a channel were free: it is worth waiting for."""
        return not self.chosen and any(each.reason is RejectionReason.FULL for each in self.rejected)


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """What a route must earn: in percent of the price, and, unless None, in money a minute."""

    percent: Decimal = Decimal(0)
    per_minute: Decimal | None = None


ANY_GAIN = Margins()


def choose_routes(
    *,
    price: Rate,
    offers: Sequence[Offer],
    margins: Margins = ANY_GAIN,
    number: E164 | None = None,
    exchange: Mapping[str, Fraction] = ONE_CURRENCY,
    limit: int = ROUTES_MAX,
) -> Routes:
    """Return at most `limit` routes: cheapest first, then by priority (low first), then by trunk name.

    Price and cost are compared for one minute with its fees, so that a carrier that hides its price in a fee
    is not taken for cheap. A loss is refused unless the floor says otherwise. `exchange` gives what a unit of
    a carrier's currency is worth in that of the price; a cost in a currency that is not there is no route.
    """
    judge = _Judge(price=price, margins=margins, number=number, exchange=exchange)
    verdicts = [(offer, judge.verdict(offer, price.surcharge(offer.origin))) for offer in offers]
    found = sorted(
        ((offer, route) for offer, route in verdicts if isinstance(route, Route)),
        key=lambda pair: (judge.cost(pair[0]), pair[0].priority, pair[0].trunk),
    )
    rejected = [verdict for _, verdict in verdicts if isinstance(verdict, Rejection)]
    surcharge = price.surcharge(found[0][0].origin) if found else Decimal(0)
    chosen: list[Route] = []
    for offer, _ in found:
        # Once more, by the surcharge that the account pays on whichever of them it is.
        verdict = judge.verdict(offer, surcharge)
        if isinstance(verdict, Rejection):
            rejected.append(verdict)
        elif len(chosen) == limit:
            rejected.append(
                _reject(offer, RejectionReason.BEYOND_LIMIT, f"{limit} cheaper routes come first")
            )
        else:
            chosen.append(verdict)
    return Routes(chosen=tuple(chosen), rejected=tuple(rejected), surcharge_per_minute=surcharge)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judge:
    """Whether an offer is a route to one number at one price."""

    price: Rate
    margins: Margins
    number: E164 | None
    exchange: Mapping[str, Fraction]

    def verdict(self, offer: Offer, surcharge: Decimal) -> Route | Rejection:
        cost = offer.rate
        if not offer.is_enabled:
            return _reject(offer, RejectionReason.DISABLED, "it is disabled")
        if isinstance(cost, NoRate):
            return _reject(offer, RejectionReason.NO_COST, str(cost))
        if cost.blocked:
            return _reject(offer, RejectionReason.BLOCKED, f"prefix {cost.prefix} is blocked in its deck")
        if problem := self._length(cost):
            return _reject(offer, RejectionReason.NUMBER_LENGTH, problem)
        if not offer.may_show:
            why = "it may show none of the caller IDs that we have, nor none at all"
            return _reject(offer, RejectionReason.CALLER_ID, why)
        if self._worth(cost) is None:
            why = (
                f"its cost is in {cost.currency}, the price in {self.price.currency}: they cannot be compared"
            )
            return _reject(offer, RejectionReason.OTHER_CURRENCY, why)
        earned = Fraction(_one_minute(self.price) + surcharge) - self.cost(offer)
        percent = _percent(earned, _one_minute(self.price) + surcharge)
        if problem := self._margin(earned, percent):
            return _reject(offer, RejectionReason.MARGIN, f"{problem} on prefix {self.price.prefix}")
        if offer.quality:
            return _reject(offer, RejectionReason.QUALITY, offer.quality)
        if offer.is_full:
            return _reject(offer, RejectionReason.FULL, "every channel of it is taken")
        return Route(
            trunk=offer.trunk,
            cost=cost,
            margin_percent=half_up(percent, 2),
            on_shorter_prefix=len(cost.prefix) < len(self.price.prefix),
            shown=offer.shown,
            origin=offer.origin,
            cost_per_minute=half_up(self.cost(offer), 8),
            margin_per_minute=half_up(earned, 8),
        )

    def cost(self, offer: Offer) -> Fraction:
        """Return what one minute costs with its fees, in the price's currency; 0 where it cannot be told."""
        cost = offer.rate
        worth = None if isinstance(cost, NoRate) else self._worth(cost)
        if isinstance(cost, NoRate) or worth is None:
            return Fraction(0)
        fees = cost.surcharge(offer.origin) + (cost.attempt_fee or Decimal(0))
        return Fraction(_one_minute(cost) + fees) * worth

    def _worth(self, cost: Rate) -> Fraction | None:
        return Fraction(1) if cost.currency == self.price.currency else self.exchange.get(cost.currency)

    def _length(self, cost: Rate) -> str:
        digits = 0 if self.number is None else len(self.number.digits)
        least, most = cost.number_digits_min or 0, cost.number_digits_max or digits
        if not digits or least <= digits <= most:
            return ""
        takes = f"at least {least}" if digits < least else f"at most {most}"
        return f"the number has {digits} digits, prefix {cost.prefix} of its deck takes {takes}"

    def _margin(self, earned: Fraction, percent: Fraction) -> str:
        if percent < Fraction(self.margins.percent):
            floor = f"the floor of {self.margins.percent:f} %"
            return f"margin {half_up(percent, 2)} % is below {floor}"
        if self.margins.per_minute is not None and earned < Fraction(self.margins.per_minute):
            floor = f"the floor of {self.margins.per_minute:f}"
            return f"margin {half_up(earned, 8).normalize():f} a minute is below {floor}"
        return ""


def _reject(offer: Offer, reason: RejectionReason, explanation: str) -> Rejection:
    return Rejection(trunk=offer.trunk, reason=reason, explanation=explanation)


def _one_minute(rate: Rate) -> Decimal:
    return rate.per_minute + (rate.connect_fee or Decimal(0))


def _percent(earned: Fraction, price: Decimal) -> Fraction:
    """Return a margin in percent; of a free price, 0 if it costs nothing, else a full loss."""
    if price == 0:
        return Fraction(0 if earned == 0 else -100)
    return earned / Fraction(price) * 100

"""What a leg would cost and how it would go, if it were authorised now: asked by calls and by quotes alike.

Reads: the plan's deck in force, the carriers' offers, the account's package.
Gives: Offered, whose row, surcharge and package are pinned with the leg, or the reason why there is none.
Knows nothing of: credit, holds, callbacks that run.

There is one way to a price: whatever quotes, authorises, holds or announces asks here, and what is billed are
the pins that it gave (rating/terms.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import Connection

from calls.callback import Reason
from calls.cdr import LegRole
from rating.bands import band_at
from rating.deck import NoRate
from rating.plan import Plan
from rating.rate import Rate
from rating.routes import Margins, Offer, Route, Routes, choose_routes
from rating.terms import Pins
from store import decks
from store.errors import NotFound
from store.exchange import rate_between
from store.offers import offers
from store.packages import package
from values.e164 import E164


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """The row of a number at an instant, with the time band and the deck version in which it was found."""

    number: E164
    rate: Rate
    band: str
    deck_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """A number that can be dialled: its row, the routes in order, what the caller ID adds to the price."""

    number: E164
    price: Rate
    routes: tuple[Route, ...]
    surcharge_per_minute: Decimal

    def pins(self, plan: Plan, role: LegRole, package_seconds: int = 0) -> Pins:
        """What is pinned for a leg to it; `package_seconds` are left for this callback."""
        in_package = role is LegRole.B and plan.covers(self.number.digits)
        return Pins(
            surcharge_per_minute=self.surcharge_per_minute,
            in_package=in_package,
            package_seconds=max(package_seconds, 0) if in_package else 0,
        )


def price_of(connection: Connection, plan: Plan, number: E164, at: datetime) -> Priced | NoRate:
    """The row that prices `number` at `at`, by the plan's deck and time band; it may be blocked."""
    deck = decks.deck(connection, plan.deck_id, at)
    band = band_at(plan.bands, plan.zone, at)
    rate = deck.find(number, at, band)
    if isinstance(rate, NoRate):
        return rate
    return Priced(number=number, rate=rate, band=band, deck_id=deck.id)


def routes_to(
    connection: Connection,
    plan: Plan,
    priced: Priced,
    at: datetime,
    *,
    wishes: Sequence[E164 | None] = (None,),
) -> Routes:
    """The routes to a priced number, and why the other trunks are none; `wishes` are caller IDs to show."""
    found = offers(connection, priced.number, at, wishes=wishes)
    return choose_routes(
        price=priced.rate,
        offers=found,
        margins=Margins(percent=plan.margin_floor_percent, per_minute=plan.margin_floor_per_minute),
        number=priced.number,
        exchange=_exchange(connection, priced.rate.currency, found, at),
    )


def offer(
    connection: Connection, plan: Plan, number: E164, at: datetime, *, wishes: Sequence[E164 | None]
) -> Offered | Reason:
    """Row and routes of a number, or why it is not dialled: no row, no call."""
    priced = price_of(connection, plan, number, at)
    if isinstance(priced, NoRate):
        return Reason.NO_RATE
    if priced.rate.blocked:
        return Reason.BLOCKED
    routes = routes_to(connection, plan, priced, at, wishes=wishes)
    if routes.is_full:
        return Reason.TRY_LATER
    if not routes.chosen:
        return Reason.NO_ROUTE
    return Offered(
        number=number,
        price=priced.rate,
        routes=routes.chosen,
        surcharge_per_minute=routes.surcharge_per_minute,
    )


def package_left(
    connection: Connection, account_id: str, plan: Plan, number: E164, at: datetime, *, callback_id: str = ""
) -> int:
    """How many seconds of the account's package a talk to `number` could use; the account is best locked."""
    if not plan.covers(number.digits):
        return 0
    return package(connection, account_id, plan, at, besides=callback_id).left


def _exchange(
    connection: Connection, currency: str, found: Sequence[Offer], at: datetime
) -> Mapping[str, Fraction]:
    """What a unit of each other currency in the offers is worth in `currency`, by the day's rate (UTC)."""
    others = {each.rate.currency for each in found if isinstance(each.rate, Rate)} - {currency}
    worth = {}
    for other in sorted(others):
        try:
            known = rate_between(connection, other, currency, at.astimezone(UTC).date())
        except NotFound:
            continue  # a cost that cannot be compared is no route; the rejection says so
        worth[other] = Fraction(known.rate) if known.base == other else 1 / Fraction(known.rate)
    return worth

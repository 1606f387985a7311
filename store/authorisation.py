"""What a leg would cost and how it would go, if it were authorised now: asked by calls and by quotes alike.

Reads: the plan's deck in force, the carriers' offers, the account's package.
Gives: Offered, whose row, surcharge and package are pinned with the leg, or the reason why there is none.
Knows nothing of: credit, holds, callbacks that run.

There is one way to a price: whatever quotes, authorises, holds or announces asks here, and what is billed are
the pins that it gave (rating/terms.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection

from calls.callback import Reason
from calls.cdr import LegRole
from rating.bands import band_at
from rating.deck import NoRate
from rating.plan import Plan
from rating.rate import Rate
from rating.routes import Margins, Route, Routes, choose_routes
from rating.terms import Pins
from store import decks
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
    return choose_routes(
        price=priced.rate,
        offers=offers(connection, priced.number, at, wishes=wishes),
        margins=Margins(percent=plan.margin_floor_percent, per_minute=plan.margin_floor_per_minute),
        number=priced.number,
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

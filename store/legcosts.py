"""What a leg costs us: its carrier's row, pinned at authorisation, for the seconds from its own answer.

Reads: legs that ended, the cost rows pinned for them, which carrier a trunk is of.
Gives: a LegCost for each.
Knows nothing of: what accounts pay, entries.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from billing.ledger import CarrierCost
from calls.callback import Leg
from rating.origin import OriginClass
from rating.plan import carrier_terms
from rating.price import Charge, price_leg, talk_seconds
from rating.rate import Rate
from rating.terms import NO_PINS, Pins
from store.schema import trunks


@dataclass(frozen=True, slots=True, kw_only=True)
class LegCost:
    """What `carrier` asks for a leg, with the reasons."""

    leg: Leg
    carrier: str
    charge: Charge

    @property
    def posted(self) -> CarrierCost:
        """Return it as an entry takes it."""
        return CarrierCost(carrier=self.carrier, amount=self.charge.amount, currency=self.charge.currency)


def costs_of(connection: Connection, legs: Sequence[Leg], rates: Mapping[str, Rate]) -> dict[str, LegCost]:
    """The cost of each leg by its id; one in vain costs its attempt fee. `rates` has the rows."""
    carriers: dict[str, str] = {row.name: row.carrier for row in connection.execute(CARRIERS)}
    costs = {}
    for leg in legs:
        assert leg.hung_up_at is not None
        rate = rates[leg.cost_rate_id]
        charge = price_leg(
            rate=rate,
            plan=carrier_terms(deck_id=rate.id, currency=rate.currency),
            talk_seconds=talk_seconds(leg.answered_at, leg.hung_up_at),
            role=leg.role,
            pins=_pins(leg, rate),
        )
        costs[leg.id] = LegCost(leg=leg, carrier=carriers.get(leg.trunk, leg.trunk), charge=charge)
    return costs


CARRIERS = select(trunks.c.name, trunks.c.carrier)


def _pins(leg: Leg, rate: Rate) -> Pins:
    """What the carrier asks on top for the caller ID that the leg showed."""
    if not leg.origin_class:
        return NO_PINS
    return Pins(surcharge_per_minute=rate.surcharge(OriginClass(leg.origin_class)))

"""Why a leg cost what it cost: its charge in effect, and the same worked out once more.

Reads: a leg's record and charge; the plan version and the rate row that are pinned with it.
Gives: Explanation; of an attempt that nobody answered, why its carrier asks a fee.
Knows nothing of: how a price comes about (rating/price.py).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from rating.price import Charge, price_leg
from rating.terms import pins_of
from store.attempts import attempts_costs
from store.callbackrows import leg_of
from store.cdrs import CallRecord, list_cdrs
from store.decks import rate
from store.errors import Conflict, NotFound
from store.plans import plan
from store.schema import attempt_costs, cdrs, charges, legs


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptExplanation:
    """An attempt that nobody answered and its carrier asks a fee for; `again` is what its pinned row asks."""

    record: CallRecord
    again: Charge
    cost_steps: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the cost comes to the same again."""
        return (self.record.cost, self.record.cost_currency) == (self.again.amount, self.again.currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A leg's record with its charge, and `again`: what the pinned row and plan come to for its seconds."""

    record: CallRecord
    charge: Charge
    again: Charge
    plan_id: str
    caller_id: str
    origin_class: str
    cost_steps: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether the charge comes to the same again."""
        return (self.charge.amount, self.charge.billed_seconds, self.charge.package_seconds) == (
            self.again.amount,
            self.again.billed_seconds,
            self.again.package_seconds,
        )


def explanation(connection: Connection, leg_id: str) -> Explanation:
    """The explanation of a leg's price; NotFound without such a leg, Conflict for one without a price."""
    record = _record_of(connection, leg_id)
    if record.charge is None:
        remedy = "what nobody answers costs the account nothing; --cost tells what trying cost us"
        raise Conflict("leg", f"{leg_id!r} was not answered", remedy)
    priced = connection.execute(CHARGE_OF, {"leg_id": leg_id}).mappings().one()
    leg = leg_of(connection.execute(LEG_OF, {"leg_id": leg_id}).mappings().one())
    terms = plan(connection, priced["plan_id"])
    again = price_leg(
        rate=rate(connection, record.charge.rate_id),
        plan=terms,
        # An A-leg's seconds are those of its policy, which the charge has; its bridges are in the B-legs.
        talk_seconds=record.charge.talk_seconds,
        role=leg.role,
        pins=pins_of(leg, terms),
    )
    return Explanation(
        record=record,
        charge=record.charge,
        again=again,
        plan_id=terms.id,
        caller_id="" if leg.caller_id_shown is None else str(leg.caller_id_shown),
        origin_class=leg.origin_class,
        cost_steps=tuple(priced["cost_steps"].split("\n")),
    )


def attempt_explanation(connection: Connection, leg_id: str) -> AttemptExplanation | None:
    """Why trying a leg cost something; None if it was answered or cost nothing, NotFound without it."""
    record = _record_of(connection, leg_id)
    if record.charge is not None or record.cost is None:
        return None
    leg = leg_of(connection.execute(LEG_OF, {"leg_id": leg_id}).mappings().one())
    (again,) = attempts_costs(connection, [leg])
    booked = connection.execute(ATTEMPT_OF, {"leg_id": leg_id}).one()
    return AttemptExplanation(
        record=record, again=again.charge, cost_steps=tuple(booked.cost_steps.split("\n"))
    )


def _record_of(connection: Connection, leg_id: str) -> CallRecord:
    callback_id = connection.execute(CALLBACK_OF, {"leg_id": leg_id}).scalar()
    if callback_id is None:
        raise NotFound("leg", f"there is no finished leg {leg_id!r}", "see `dialback cdr`, column leg")
    return next(each for each in list_cdrs(connection, callback_id=callback_id) if each.cdr.leg_id == leg_id)


ATTEMPT_OF = select(attempt_costs.c.cost_steps).where(attempt_costs.c.leg_id == bindparam("leg_id"))
CALLBACK_OF = select(cdrs.c.callback_id).where(cdrs.c.leg_id == bindparam("leg_id"))
LEG_OF = select(legs).where(legs.c.id == bindparam("leg_id"))
CHARGE_OF = (
    select(charges.c.plan_id, charges.c.cost_steps)
    .where(charges.c.leg_id == bindparam("leg_id"))
    .order_by(charges.c.revision.desc())
    .limit(1)
)

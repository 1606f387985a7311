"""The close of a callback: records, charges, one entry and the end of its hold, in one transaction.

Reads: a callback that has ended, the plan and the rates that were pinned when its legs were authorised.
Gives: Settlement; afterwards the books say all there is to say about this callback.
Knows nothing of: how a price comes about (rating/price.py), what an entry holds (billing/ledger.py).

All legs are charged together or not at all, each once: a second settlement of a callback finds the first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Connection, bindparam, insert, select

from billing.ledger import charge_entry
from calls.callback import Callback, Leg, booked_under, cdr_of
from calls.cdr import Cdr, LegRole
from rating.price import Charge, SessionPrice, price_session
from rating.rate import Rate
from rating.terms import pins_of
from store import alerts, attempts, caps, ledger, packages
from store.attempts import Attempts
from store.decks import pinned_rates
from store.legcosts import costs_of
from store.plans import plan
from store.schema import cdrs, charges, settlements
from values.money import decimal_from_units, decimal_units, rate_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What a callback came to, in 10^-4 of its currency's unit; `entry_id` is None where nobody answered.

    What carriers ask for attempts in vain is no part of it (store/attempts.py).
    """

    callback_id: str
    account_id: str
    entry_id: str | None
    currency: str
    gross_units: int
    waived_units: int

    @property
    def total_units(self) -> int:
        """What the account pays."""
        return self.gross_units - self.waived_units


def settle(connection: Connection, callback: Callback) -> Settlement:
    """Close the books of a callback that has ended; doing it again changes nothing."""
    known = connection.execute(FIND, {"callback_id": callback.id}).mappings().one_or_none()
    if known is not None:
        return Settlement(**known)
    assert callback.ended_at is not None
    legs = [leg for leg in callback.legs if leg.ordered_at is not None and leg.hung_up_at is not None]
    records = {leg.id: cdr_of(callback, leg) for leg in legs}
    if records:
        shared = {"account_id": callback.account_id, "session_ended_at": callback.ended_at}
        rows = [
            {**_cdr_values(records[leg.id]), **shared, "tag": booked_under(callback, leg)} for leg in legs
        ]
        connection.execute(INSERT_CDR, rows)
    answered = [leg for leg in legs if leg.answered_at is not None]
    tried = attempts.attempts_of(connection, callback, legs)
    if answered:
        made = _charge(connection, callback, answered, records, tried)
    else:
        ledger.void_hold(connection, callback.id, at=callback.ended_at)
        made = _settlement(callback, None, 0, 0)
        if tried is not None:
            ledger.post_all(connection, [tried.entry])
    if tried is not None:
        attempts.write(connection, tried)
    connection.execute(
        INSERT,
        {
            "callback_id": made.callback_id,
            "account_id": made.account_id,
            "entry_id": made.entry_id,
            "plan_id": callback.plan_id,
            "currency": made.currency,
            "gross_units": made.gross_units,
            "waived_units": made.waived_units,
            "ended_at": callback.ended_at,
        },
    )
    if made.total_units:
        alerts.fire(connection, callback.account_id, callback.ended_at)
    return made


FIND = select(
    settlements.c.callback_id,
    settlements.c.account_id,
    settlements.c.entry_id,
    settlements.c.currency,
    settlements.c.gross_units,
    settlements.c.waived_units,
).where(settlements.c.callback_id == bindparam("callback_id"))
INSERT = insert(settlements)
INSERT_CDR = insert(cdrs)
INSERT_CHARGE = insert(charges)


def _charge(
    connection: Connection,
    callback: Callback,
    answered: Sequence[Leg],
    records: Mapping[str, Cdr],
    tried: Attempts | None,
) -> Settlement:
    assert callback.ended_at is not None
    ids = {rate_id for leg in answered for rate_id in (leg.price_rate_id, leg.cost_rate_id)}
    rates = pinned_rates(connection, ids)
    price = _price(connection, callback, answered, records, rates)
    costs = costs_of(connection, answered, rates)
    in_order = sorted(answered, key=lambda leg: leg.role is not LegRole.A)
    priced = list(zip(in_order, price.charges, strict=True))
    if any(leg.package_seconds for leg in (*callback.legs, *callback.planned)):
        packages.take(
            connection,
            callback_id=callback.id,
            account_id=callback.account_id,
            plan=plan(connection, callback.plan_id),
            used={leg.id: charge.package_seconds for leg, charge in priced},
            at=callback.ended_at,
        )
    entry = charge_entry(
        id=f"charge-{callback.id}",
        at=callback.ended_at,
        account_id=callback.account_id,
        callback_id=callback.id,
        price=price,
        costs=[cost.posted for cost in costs.values()],
    )
    # Both at once: balances are moved in one order, so that nobody waits for us while we wait for them.
    ledger.post_all(connection, [entry] if tried is None else [entry, tried.entry])
    ledger.post_hold(connection, callback.id, decimal_units(price.total), at=callback.ended_at)
    rows = [_charge_values(callback, entry.id, leg, charge, costs[leg.id].charge) for leg, charge in priced]
    connection.execute(INSERT_CHARGE, rows)
    return _settlement(callback, entry.id, decimal_units(price.gross), decimal_units(price.waived))


def _price(
    connection: Connection,
    callback: Callback,
    answered: Sequence[Leg],
    records: Mapping[str, Cdr],
    rates: Mapping[str, Rate],
) -> SessionPrice:
    """The price of all answered legs; B is never dialled before A has answered, so there is an A-leg."""
    leg_a = next(leg for leg in answered if leg.role is LegRole.A)
    legs_b = [leg for leg in answered if leg.role is LegRole.B]
    hold = ledger.hold_of(connection, callback.id)
    stand = ledger.standing(connection, callback.account_id, for_update=True)
    held = hold.pending_units if hold is not None else 0
    payable = stand.available_units + held
    room = caps.room_units(
        connection,
        account_id=callback.account_id,
        subscriber_id=callback.subscriber_id,
        at=callback.ended_at or callback.created_at,
        callback_id=callback.id,
    )
    terms = plan(connection, callback.plan_id)
    return price_session(
        plan=terms,
        rate_a=rates[leg_a.price_rate_id],
        cdr_a=records[leg_a.id],
        legs_b=[(records[leg.id], rates[leg.price_rate_id]) for leg in legs_b],
        # A cap that was lowered meanwhile takes back nothing of what was held before.
        payable_max=_not_negative(min(payable, max(room, held))),
        pins={leg.id: pins_of(leg, terms) for leg in answered},
    )


def _settlement(callback: Callback, entry_id: str | None, gross_units: int, waived_units: int) -> Settlement:
    return Settlement(
        callback_id=callback.id,
        account_id=callback.account_id,
        entry_id=entry_id,
        currency=callback.currency,
        gross_units=gross_units,
        waived_units=waived_units,
    )


def _not_negative(units: int) -> Decimal:
    return decimal_from_units(max(units, 0))


def _cdr_values(record: Cdr) -> dict[str, object]:
    return {
        "leg_id": record.leg_id,
        "callback_id": record.callback_id,
        "role": record.role.value,
        "number": str(record.number),
        "trunk": record.trunk,
        "invited_at": record.invited_at,
        "rang_at": record.rang_at,
        "answered_at": record.answered_at,
        "accepted_at": record.accepted_at,
        "hung_up_at": record.hung_up_at,
        "q850_cause": record.q850_cause,
        "disposition": record.disposition.value,
        "estimated": record.estimated,
    }


def _charge_values(
    callback: Callback, entry_id: str, leg: Leg, price: Charge, cost: Charge
) -> dict[str, object]:
    return {
        "leg_id": leg.id,
        "revision": 0,
        "entry_id": entry_id,
        "plan_id": callback.plan_id,
        **price_columns(price),
        "cost_rate_id": cost.rate_id,
        "cost_currency": cost.currency,
        "cost_seconds": cost.billed_seconds,
        "cost_units": decimal_units(cost.amount),
        "cost_steps": "\n".join(cost.steps),
    }


def price_columns(price: Charge) -> dict[str, object]:
    """What a row of `charges` says of the price."""
    return {
        "currency": price.currency,
        "talk_seconds": price.talk_seconds,
        "billed_seconds": price.billed_seconds,
        "rate_id": price.rate_id,
        "prefix": price.prefix,
        "destination": price.destination,
        "per_minute": rate_units(price.per_minute),
        "next_per_minute": rate_units(price.next_per_minute),
        "connect_fee": rate_units(price.connect_fee),
        "first_increment_s": price.first_increment_s,
        "next_increment_s": price.next_increment_s,
        "amount_units": decimal_units(price.amount),
        "steps": "\n".join(price.steps),
        "package_seconds": price.package_seconds,
        "surcharge_per_minute": rate_units(price.surcharge_per_minute),
        "band": price.band,
    }

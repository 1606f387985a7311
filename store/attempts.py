"""What carriers ask for attempts that nobody answered: booked as our cost, charged to no account.

Reads: the unanswered legs of a callback that ended, the cost rows pinned for them.
Gives: Attempts: an entry of its own, and a row of `attempt_costs` for each leg that costs anything.
Knows nothing of: how a cost comes about (store/legcosts.py), what counts as tried (calls/transitions.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert

from billing.ledger import Entry, attempts_entry
from calls.callback import Callback, Leg
from store.decks import pinned_rates
from store.legcosts import LegCost, costs_of
from store.schema import attempt_costs
from values.money import decimal_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempts:
    """The attempts of one callback that cost something, and the entry that books them."""

    entry: Entry
    costs: Sequence[LegCost]


def attempts_of(connection: Connection, callback: Callback, ended: Iterable[Leg]) -> Attempts | None:
    """The attempts among the callback's legs that have a cost; None if no carrier asks anything."""
    assert callback.ended_at is not None
    costs = attempts_costs(connection, ended)
    if not costs:
        return None
    entry = attempts_entry(
        id=f"attempts-{callback.id}",
        at=callback.ended_at,
        callback_id=callback.id,
        costs=[cost.posted for cost in costs],
    )
    return Attempts(entry=entry, costs=costs)


def attempts_costs(connection: Connection, ended: Iterable[Leg]) -> list[LegCost]:
    """What carriers ask for those of the legs that were tried in vain; without legs that cost nothing."""
    tried = [leg for leg in ended if leg.answered_at is None and leg.invited_at is not None]
    if not tried:
        return []
    rates = pinned_rates(connection, {leg.cost_rate_id for leg in tried})
    dear = [leg for leg in tried if rates[leg.cost_rate_id].attempt_fee]
    if not dear:
        return []
    return [cost for cost in costs_of(connection, dear, rates).values() if cost.charge.amount]


def write(connection: Connection, found: Attempts) -> None:
    """Write down what each leg cost; the entry is posted by the caller, with the others of the callback."""
    rows = [
        {
            "leg_id": cost.leg.id,
            "entry_id": found.entry.id,
            "cost_rate_id": cost.charge.rate_id,
            "cost_currency": cost.charge.currency,
            "cost_units": decimal_units(cost.charge.amount),
            "cost_steps": "\n".join(cost.charge.steps),
        }
        for cost in found.costs
    ]
    connection.execute(INSERT, rows)


INSERT = insert(attempt_costs)

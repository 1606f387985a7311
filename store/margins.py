"""The plans and trunks whose prices and costs a staged version would change.

Reads: a version of a deck, the plans that sell by it or could be carried by it, the trunks that ask it.
Gives: Findings of prefixes that would lose money.
Knows nothing of: how they are found (rating/margins.py).
"""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from rating import margins
from rating.findings import Finding
from rating.ratetable import RateTable
from store import raterows
from store.decks import COST, in_force
from store.schema import deck_versions, decks, plan_versions, trunks
from values.instants import micros


def losses(connection: Connection, version_id: int, at: datetime) -> Iterator[Finding]:
    """Yield what would lose money if that version were in force at `at`, plan by plan."""
    wanted = select(deck_versions.c.deck_name, decks.c.kind, decks.c.currency).join_from(deck_versions, decks)
    deck = connection.execute(wanted.where(deck_versions.c.id == version_id)).one()
    tables: dict[str, RateTable] = {}

    def table(name: str) -> RateTable | None:
        if name not in tables:
            chosen = version_id if name == deck.deck_name else in_force(connection, name, at)
            if chosen is None:
                return None
            tables[name] = raterows.read_table(
                connection, chosen, name=name, version=0, currency=deck.currency
            )
        return tables[name]

    costs = {trunk: found for trunk, name in _trunks(connection, deck.currency) if (found := table(name))}
    uses = deck.kind != COST or any(name == deck.deck_name for _, name in _trunks(connection, deck.currency))
    if not (costs and uses):
        return
    for plan, name in _plans(connection, deck.currency, at):
        if deck.kind == COST or name == deck.deck_name:
            prices = table(name)
            if prices is not None:
                yield from margins.losses(plan, prices, costs, micros(at))


def _trunks(connection: Connection, currency: str) -> list[tuple[str, str]]:
    wanted = (
        select(trunks.c.name, trunks.c.cost_deck)
        .join_from(trunks, decks, decks.c.name == trunks.c.cost_deck)
        .where(trunks.c.enabled, decks.c.currency == currency)
        .order_by(trunks.c.name)
    )
    return [(row.name, row.cost_deck) for row in connection.execute(wanted)]


def _plans(connection: Connection, currency: str, at: datetime) -> list[tuple[str, str]]:
    """The plans in force then, with the decks that they sell by."""
    wanted = (
        select(plan_versions.c.plan_name, plan_versions.c.deck_name, plan_versions.c.currency)
        .where(plan_versions.c.effective_at <= at)
        .order_by(plan_versions.c.plan_name, plan_versions.c.version)
    )
    newest = {row.plan_name: row for row in connection.execute(wanted)}
    return [(name, row.deck_name) for name, row in newest.items() if row.currency == currency]

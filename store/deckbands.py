"""Time bands that a deck's rows name, and those that whoever uses the deck has.

Reads: the plans that sell by a deck, the trunks that cost by it.
Gives: the bands in which its rows would never hold; those that its rows name.
Knows nothing of: which hours a band has (rating/bands.py).
"""

from collections.abc import Iterable

from sqlalchemy import Connection, select, union_all

from rating.bands import read_bands
from store.schema import plan_versions, rates, trunks


def bands_of_nobody(connection: Connection, deck_name: str, named: Iterable[str]) -> tuple[str, ...]:
    """Those of the named bands that no plan or trunk with that deck has; none as long as nobody uses it."""
    if not (unknown := set(named)):
        return ()
    of_plans = select(plan_versions.c.bands).where(plan_versions.c.deck_name == deck_name)
    of_trunks = select(trunks.c.bands).where(trunks.c.cost_deck == deck_name)
    texts = connection.execute(union_all(of_plans, of_trunks)).scalars().all()
    known = {band.name for text in texts for band in read_bands(text)}
    return tuple(sorted(unknown - known)) if texts else ()


def bands_of_version(connection: Connection, version_id: int) -> frozenset[str]:
    """Those that rows of that version name."""
    named = select(rates.c.band).where(rates.c.version_id == version_id, rates.c.band != "").distinct()
    return frozenset(connection.execute(named).scalars())

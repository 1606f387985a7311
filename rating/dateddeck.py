"""A deck's versions over time, to price many legs of many days.

Reads: when versions come into force, and a way to get the one in force then.
Gives: DatedDeck, which prices each leg by the version of its instant.
Knows nothing of: where versions are kept.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import numpy.typing as npt

from rating.bulk import BulkDeck, BulkLegs, BulkTerms, Finding
from rating.plan import Plan
from rating.prefixtable import NOWHERE, Ints, Places
from rating.rate import Rate
from values.instants import micros


@dataclass(frozen=True, slots=True, kw_only=True)
class DatedPrices:
    """Prices as columns, in the order of the legs; `versions` and `rows` say which row of which version."""

    versions: Places
    rows: Places
    findings: npt.NDArray[np.int8]
    billed_seconds: Ints
    amount_units: Ints

    @classmethod
    def of_none(cls, legs: int) -> "DatedPrices":
        """Return columns for so many legs, of which none is priced yet."""
        return cls(
            versions=np.full(legs, NOWHERE, dtype=np.int32),
            rows=np.full(legs, NOWHERE, dtype=np.int32),
            findings=np.full(legs, Finding.NO_VERSION, dtype=np.int8),
            billed_seconds=np.zeros(legs, dtype=np.int64),
            amount_units=np.zeros(legs, dtype=np.int64),
        )

    def put(self, places: Ints, prices: "DatedPrices") -> None:
        """Write down the prices of the legs at some places."""
        for name in ("versions", "rows", "findings", "billed_seconds", "amount_units"):
            getattr(self, name)[places] = getattr(prices, name)


class DatedDeck:
    """Each version is fetched once, when the first leg of its time comes."""

    def __init__(
        self,
        starts: Sequence[datetime],
        fetch: Callable[[datetime], Sequence[Rate]],
        *,
        always: bool = False,
    ) -> None:
        """`fetch` gives the rows in force from a start on.

        `always`: there is one start, and legs before it are priced as if they had been at it.
        """
        self._starts = sorted(set(starts))
        self._micros: Ints = np.array([micros(start) for start in self._starts], dtype=np.int64)
        self._fetch = fetch
        self._always = always
        self._decks: dict[int, BulkDeck] = {}
        self._terms: dict[tuple[int, str], BulkTerms] = {}

    def by_version(self, plan: Plan, at: Ints) -> Iterator[tuple[int, BulkTerms | None, Ints]]:
        """Yield each version, its terms, and the places of its instants; no terms before the first one."""
        versions = np.searchsorted(self._micros, at, side="right") - 1
        if self._always:
            versions = np.zeros_like(versions)
        for version in np.unique(versions).tolist():
            terms = self._of(version, plan) if version >= 0 else None
            yield version, terms, np.flatnonzero(versions == version)

    def price(self, plan: Plan, legs: BulkLegs) -> DatedPrices:
        """Return the price of every leg."""
        found = DatedPrices.of_none(len(legs))
        for version, terms, places in self.by_version(plan, legs.at):
            if terms is not None:
                prices = terms.price(legs.at_places(places))
                found.versions[places] = version
                found.rows[places] = prices.rows
                found.findings[places] = prices.findings
                found.billed_seconds[places] = prices.billed_seconds
                found.amount_units[places] = prices.amount_units
        return found

    def rate(self, prices: DatedPrices, leg: int) -> Rate:
        """Return the row that prices a leg."""
        return self._decks[int(prices.versions[leg])].rates[int(prices.rows[leg])]

    def _of(self, version: int, plan: Plan) -> BulkTerms:
        if version not in self._decks:
            self._decks[version] = BulkDeck(self._fetch(self._starts[version]))
        if (version, plan.id) not in self._terms:
            since = {"since": self._starts[0]} if self._always else {}
            self._terms[version, plan.id] = BulkTerms(self._decks[version], plan, **since)
        return self._terms[version, plan.id]

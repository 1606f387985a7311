"""A deck's versions over time, to price many legs of many days.

Reads: when versions come into force, and a way to get the one in force then.
Gives: DatedDeck, which hands each leg to the version of its instant.
Knows nothing of: where versions are kept.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

import numpy as np

from rating.bulk import BulkDeck, BulkTerms, micros_of
from rating.plan import Plan
from rating.prefixtable import Ints
from rating.rate import Rate


class DatedDeck:
    """Each version is fetched once, when the first leg of its time comes."""

    def __init__(
        self,
        starts: Sequence[datetime],
        fetch: Callable[[datetime], Sequence[Rate]],
        *,
        at: datetime | None = None,
    ) -> None:
        """`fetch` gives the rows in force from a start on. With `at`, what is in force then holds always."""
        self._starts = sorted(set(starts)) if at is None else [at]
        self._micros: Ints = np.array([micros_of(start) for start in self._starts], dtype=np.int64)
        self._fetch = fetch
        self._always = at is not None
        self._decks: dict[int, BulkDeck] = {}
        self._terms: dict[tuple[int, str], BulkTerms] = {}

    def by_version(self, plan: Plan, at: Ints) -> Iterator[tuple[BulkTerms | None, Ints]]:
        """Yield each version's terms with the places of its instants; None before the first version."""
        turns = np.searchsorted(self._micros, at, side="right") - 1
        if self._always:
            turns = np.zeros_like(turns)
        for turn in np.unique(turns):
            terms = self._of(int(turn), plan) if turn >= 0 else None
            yield terms, np.flatnonzero(turns == turn)

    def _of(self, turn: int, plan: Plan) -> BulkTerms:
        if turn not in self._decks:
            self._decks[turn] = BulkDeck(self._fetch(self._starts[turn]))
        if (turn, plan.id) not in self._terms:
            self._terms[turn, plan.id] = BulkTerms(self._decks[turn], plan)
        return self._terms[turn, plan.id]

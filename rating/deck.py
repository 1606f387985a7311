"""A rate deck: which row prices a number at an instant.

Reads: Rates (rating/rate.py), from a file (rating/deckfile.py) or, by the million, in a RateTable.
Gives: the Rate of the longest prefix that is valid then, or NoRate, which says why there is none.
Knows nothing of: plans, seconds, files, databases.

No row, no call: there is no catch-all, and neither an expired nor a future row stands in. A blocked row
takes part in the search and is returned, so that a shorter prefix cannot replace it; nobody may dial on it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from rating.deckfile import DeckRefused, DeckRows, RowError, read_deck
from rating.prefixes import Prefixes
from rating.rate import Rate
from rating.ratetable import RateTable
from values.e164 import E164

__all__ = [
    "Deck",
    "DeckRefused",
    "DeckRows",
    "NoRate",
    "NoRateReason",
    "Rate",
    "RowError",
    "read_deck",
]


class NoRateReason(StrEnum):
    """Why a number has no price."""

    NO_PREFIX = "no_prefix"
    NOT_VALID_THEN = "not_valid_then"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoRate:
    """No row prices this number at this instant, so it is not dialled."""

    number: E164
    deck: str
    reason: NoRateReason
    bands: tuple[str, ...] = ()
    """Of the rows that are valid then, but for other hours."""

    def __str__(self) -> str:
        """Return the sentence for staff."""
        if self.bands:
            hours = ", ".join(self.bands)
            return f"deck {self.deck} has rows for {self.number} then, but only for the hours of {hours}"
        if self.reason is NoRateReason.NOT_VALID_THEN:
            return f"deck {self.deck} has rows for {self.number}, but none is valid at that time"
        return f"deck {self.deck} has no row for {self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deck:
    """One version of a price list or of a carrier's cost list."""

    id: str
    name: str
    version: int
    currency: str
    rates: Sequence[Rate] = field(repr=False)
    _rows: Prefixes[tuple[Rate, ...]] | RateTable = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Index the rows, unless they are a table; a row in another currency is the caller's error."""
        if isinstance(self.rates, RateTable):
            object.__setattr__(self, "_rows", self.rates)
            return
        for rate in self.rates:
            if rate.currency != self.currency:
                raise ValueError(
                    f"deck {self.name}: row {rate.prefix} is in {rate.currency}, not {self.currency}"
                )
        object.__setattr__(self, "_rows", Prefixes(_rows_by_prefix(self.rates)))

    def find(self, number: E164, at: datetime, band: str = "", network: str = "") -> Rate | NoRate:
        """Return the row that prices `number` at `at`, in that time band; it may be blocked.

        `network` are the digits by which the deck knows the network that the number was ported to: then those
        decide, and not the number's own.

        Among rows of one prefix that are valid, one of the band wins over one for all the time, then the one
        that started last, so that a row with no end is replaced by its successor.
        """
        seen = False
        others: set[str] = set()
        for rows in self._rows.matches(network or number.digits):
            seen = True
            for rate in rows:
                if rate.is_valid_at(at):
                    if not rate.band or rate.band == band:
                        return rate
                    others.add(rate.band)
        return NoRate(
            number=number,
            deck=f"{self.name} version {self.version}",
            reason=NoRateReason.NOT_VALID_THEN if seen else NoRateReason.NO_PREFIX,
            bands=tuple(sorted(others)),
        )


def _rows_by_prefix(rates: Iterable[Rate]) -> list[tuple[str, tuple[Rate, ...]]]:
    rows: defaultdict[str, list[Rate]] = defaultdict(list)
    for rate in rates:
        rows[rate.prefix].append(rate)
    return [
        (prefix, tuple(sorted(same, key=lambda rate: (bool(rate.band), rate.valid_from), reverse=True)))
        for prefix, same in rows.items()
    ]

"""Price legs by the million, in whole numbers, each exactly as the pure function prices it.

Reads: the Rates of a deck, a Plan; legs as columns (BulkLegs): number, instant, seconds, role.
Gives: BulkPrices: for each leg its row, billed seconds and amount, or why it has no price.
Knows nothing of: files, databases; the rules, but for their arithmetic.

What a row and a plan say of a leg is asked of `leg_terms` (rating/price.py), once for each row that occurs;
here the same sums are done for a column at a time. Amounts that could outgrow 64 bits are left to the pure
function, leg by leg. A property test holds both together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from calls.cdr import LegRole
from rating.plan import Plan
from rating.prefixtable import CHUNK, NOWHERE, Flags, Ints, NumberColumn, Places, PrefixTable, number_column
from rating.price import leg_terms
from rating.rate import Rate
from values.money import AMOUNT_SCALE, RATE_SCALE

__all__ = [
    "TALK_SECONDS_MAX",
    "BulkDeck",
    "BulkLegs",
    "BulkPrices",
    "BulkTerms",
    "Finding",
    "NumberColumn",
    "micros_of",
    "number_column",
]

TALK_SECONDS_MAX = 10**6
"""Eleven days; whoever has a longer leg has a wrong one."""
SAFE_RATE = 10**12
"""10,000 a minute. With TALK_SECONDS_MAX and SAFE_FEE, twice the exact price stays below 2^63."""
SAFE_FEE = 10**15
# A rate in 10^-8 for a minute, times seconds, is so many times the amount in 10^-4.
_DIVISOR = 60 * 10 ** (RATE_SCALE - AMOUNT_SCALE)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_EVER = np.iinfo(np.int64).max


class Finding(IntEnum):
    """What came of a leg."""

    PRICED = 0
    BLOCKED = 1
    NO_PREFIX = 2
    NOT_VALID_THEN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkLegs:
    """Legs as columns of one length; `at` is the authorisation, in microseconds since 1970, UTC."""

    numbers: NumberColumn
    at: Ints
    talk_seconds: Ints
    is_a: Flags

    def __len__(self) -> int:
        """Return how many legs there are."""
        return len(self.numbers)

    def at_places(self, places: Ints) -> "BulkLegs":
        """Return the legs at some places."""
        return BulkLegs(
            numbers=NumberColumn(self.numbers.keys[places], self.numbers.lengths[places]),
            at=self.at[places],
            talk_seconds=self.talk_seconds[places],
            is_a=self.is_a[places],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPrices:
    """Prices as columns, in the order of the legs; `amount_units` are 10^-4 of the currency's unit.

    `rows` are places in the deck's rates, NOWHERE where no row fits; `findings` are values of Finding. A leg
    that is not PRICED has no billed second and no amount.
    """

    rows: Places
    findings: npt.NDArray[np.int8]
    billed_seconds: Ints
    amount_units: Ints


def micros_of(instant: datetime) -> int:
    """Return whole microseconds from 1970 to an aware instant."""
    return (instant - _EPOCH) // _MICROSECOND


class BulkDeck:
    """One deck's rows as columns. Immutable by convention, but for the terms of rows already met."""

    __slots__ = ("_count", "_from", "_is_blocked", "_order", "_start", "_table", "_till", "rates")

    def __init__(self, rates: Sequence[Rate]) -> None:
        """Index the rows; among those of one prefix the one that started last comes first, as in Deck."""
        self.rates = rates
        micros = _Micros()
        starts = np.fromiter((micros[rate.valid_from] for rate in rates), np.int64, len(rates))
        ends = np.fromiter(
            (_EVER if rate.valid_till is None else micros[rate.valid_till] for rate in rates),
            np.int64,
            len(rates),
        )
        blocked = np.fromiter((rate.blocked for rate in rates), np.bool_, len(rates))
        prefixes = number_column([rate.prefix for rate in rates])
        order = np.lexsort((-starts, prefixes.lengths, prefixes.keys))
        keys, lengths = prefixes.keys[order], prefixes.lengths[order]
        is_first = np.ones(len(order), dtype=np.bool_)
        is_first[1:] = (keys[1:] != keys[:-1]) | (lengths[1:] != lengths[:-1])
        first = np.flatnonzero(is_first)
        self._table = PrefixTable(NumberColumn(keys[first], lengths[first]))
        self._order = order.astype(np.int32)
        self._start = first.astype(np.int32)
        self._count = np.diff(first, append=len(order)).astype(np.int32)
        self._from, self._till, self._is_blocked = starts[order], ends[order], blocked

    def find(self, numbers: NumberColumn, at: Ints) -> Places:
        """Return for each number the place of its row among the rates; where there is none, ~Finding."""
        found = np.empty(len(numbers), dtype=np.int32)
        for start in range(0, len(numbers), CHUNK):
            part = slice(start, start + CHUNK)
            found[part] = self._rows(self._table.find(numbers.part(start, start + CHUNK)), at[part])
        return found

    def is_blocked(self, rows: Places) -> Flags:
        """Return whether the rows of these places, all in the deck, are blocked."""
        return self._is_blocked[rows]

    def _rows(self, prefixes: Places, at: Ints) -> Places:
        """Return the row of each leg: prefix by prefix from the longest, the rows of each in their order."""
        found = np.where(prefixes == NOWHERE, ~Finding.NO_PREFIX, ~Finding.NOT_VALID_THEN).astype(np.int32)
        legs = np.flatnonzero(prefixes != NOWHERE)
        prefixes = prefixes[legs]
        turn = np.zeros(len(legs), dtype=np.int32)
        while legs.size:
            rows = self._start[prefixes] + turn
            instants = at[legs]
            fits = (self._from[rows] <= instants) & (instants < self._till[rows])
            found[legs[fits]] = self._order[rows[fits]]
            left = ~fits
            legs, prefixes, turn = legs[left], prefixes[left], turn[left] + 1
            spent = turn == self._count[prefixes]
            prefixes[spent], turn[spent] = self._table.shorter[prefixes[spent]], 0
            there = prefixes != NOWHERE
            legs, prefixes, turn = legs[there], prefixes[there], turn[there]
        return found


class BulkTerms:
    """A deck's rows by the terms of a plan: what a second costs, row by row, for A- and for B-legs."""

    __slots__ = ("_is_known", "_plan", "_terms", "deck")

    def __init__(self, deck: BulkDeck, plan: Plan) -> None:
        """Read no row yet: of a million rows a month's calls meet some thousands."""
        self.deck = deck
        self._plan = plan
        self._terms: Ints = np.zeros((2 * len(deck.rates), 7), dtype=np.int64)
        self._is_known = np.zeros(2 * len(deck.rates), dtype=np.bool_)

    def price(self, legs: BulkLegs) -> BulkPrices:
        """Return the price of every leg; ValueError where one talked longer than TALK_SECONDS_MAX."""
        return self.price_rows(self.deck.find(legs.numbers, legs.at), legs.talk_seconds, legs.is_a)

    def price_rows(self, rows: Places, talk_seconds: Ints, is_a: Flags) -> BulkPrices:
        """Return the price of legs whose rows were found."""
        if len(rows) and not 0 <= int(talk_seconds.min()) <= int(talk_seconds.max()) <= TALK_SECONDS_MAX:
            raise ValueError(f"talk_seconds: a leg talks 0 to {TALK_SECONDS_MAX} seconds")
        findings = np.where(rows < 0, ~rows, Finding.PRICED).astype(np.int8)
        there = np.flatnonzero(rows >= 0)
        blocked = self.deck.is_blocked(rows[there])
        findings[there[blocked]] = Finding.BLOCKED
        priced = there[~blocked]
        billed, amounts = np.zeros(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
        for start in range(0, len(priced), CHUNK):
            some = priced[start : start + CHUNK]
            wanted = 2 * rows[some].astype(np.int64) + is_a[some]
            billed[some], amounts[some] = self._priced(wanted, talk_seconds[some])
        return BulkPrices(
            rows=np.maximum(rows, NOWHERE), findings=findings, billed_seconds=billed, amount_units=amounts
        )

    def _priced(self, wanted: Ints, seconds: Ints) -> tuple[Ints, Ints]:
        self._learn(wanted)
        first, following, free_below, rate, next_rate, fee, is_large = self._terms[wanted].T
        steps = (np.maximum(seconds - first, 0) + following - 1) // following
        billed = np.where((seconds == 0) | (seconds < free_below), 0, first + steps * following)
        at_first = np.minimum(billed, first)
        exact = 60 * fee + at_first * rate + (billed - at_first) * next_rate
        amounts = np.where(billed > 0, (2 * exact + _DIVISOR) // (2 * _DIVISOR), 0)
        for leg in np.flatnonzero(is_large):
            terms = leg_terms(rate=self._rate(wanted[leg]), plan=self._plan, role=_role(wanted[leg]))
            amounts[leg] = terms.amount_units(int(seconds[leg]))
        return billed, amounts

    def _learn(self, wanted: Ints) -> None:
        """Ask for the terms of rows that were not met before."""
        for key in np.unique(wanted[~self._is_known[wanted]]):
            terms = leg_terms(rate=self._rate(key), plan=self._plan, role=_role(key))
            is_large = max(terms.rate, terms.next_rate) > SAFE_RATE or terms.fee > SAFE_FEE
            is_large = is_large or not terms.is_plain  # bounds, coarser amounts, surcharges: leg by leg
            prices = (0, 0, 0) if is_large else (terms.rate, terms.next_rate, terms.fee)
            self._terms[key] = (terms.first, terms.following, terms.free_below, *prices, is_large)
            self._is_known[key] = True

    def _rate(self, key: int) -> Rate:
        return self.deck.rates[int(key) // 2]


class _Micros(dict[datetime, int]):
    """Microseconds by instant: a deck has few instants and many rows."""

    def __missing__(self, instant: datetime) -> int:
        self[instant] = micros_of(instant)
        return self[instant]


def _role(key: int) -> LegRole:
    return LegRole.A if int(key) % 2 else LegRole.B

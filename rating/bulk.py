"""Price legs by the million, in whole numbers, each exactly as the pure function prices it.

Reads: the Rates of a deck, a Plan; legs as columns (BulkLegs): number, instant, seconds, role.
Gives: BulkPrices: for each leg its row, billed seconds and amount, or why it has no price.
Knows nothing of: files, databases; the rules, but for their arithmetic.

What a row and a plan say of a leg is asked of `leg_terms` (rating/terms.py), once for each row that occurs;
here the same sum is done for a column at a time. Legs that a package pays for, and amounts that could outgrow
64 bits, are left to the pure function, leg by leg. A property test holds both together.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from calls.cdr import LegRole
from rating.bands import band_at
from rating.origin import OriginClass
from rating.plan import Plan
from rating.prefixtable import CHUNK, NOWHERE, Flags, Ints, NumberColumn, Places, PrefixTable, number_column
from rating.rate import Rate
from rating.raterow import row_of
from rating.ratetable import RateTable
from rating.terms import NO_PINS, RATE_TO_AMOUNT, Pins, leg_terms
from values.instants import micros
from values.money import AMOUNT_SCALE, UNITS_MAX, decimal_units, rate_units

__all__ = [
    "TALK_SECONDS_MAX",
    "BulkDeck",
    "BulkLegs",
    "BulkPrices",
    "BulkTerms",
    "Finding",
    "NumberColumn",
    "number_column",
    "plain_legs",
]

TALK_SECONDS_MAX = 10**6
"""Eleven days; whoever has a longer leg has a wrong one."""
ORIGINS = tuple(OriginClass)
"""A leg's origin class is a place in here."""
NO_ORIGIN, NO_PACKAGE = -1, -1
SAFE_RATE = 10**12
"""10,000 a minute. With TALK_SECONDS_MAX, and SAFE_FEE for fees, twice the exact price stays below 2^63."""
SAFE_FEE = 10**15
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MINUTE_MICROS = 60 * 10**6
_EVER = np.iinfo(np.int64).max
_ANY_BAND, _NO_SUCH_BAND = -1, -2
_TERMS = ("first", "following", "rate", "later", "fee", "attempt")


class Finding(IntEnum):
    """What came of a leg."""

    PRICED = 0
    BLOCKED = 1
    NO_PREFIX = 2
    NOT_VALID_THEN = 3
    NO_VERSION = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkLegs:
    """Legs as columns of one length; `at` is the authorisation, in microseconds since 1970, UTC.

    `origins` are places in ORIGINS, of the caller ID shown; NO_ORIGIN asks no surcharge. `package_seconds`
    are what a package promises to a leg that it pays for, perhaps 0; NO_PACKAGE where none pays.
    """

    numbers: NumberColumn
    at: Ints
    talk_seconds: Ints
    is_a: Flags
    origins: Ints
    package_seconds: Ints

    def __len__(self) -> int:
        """Return how many legs there are."""
        return len(self.numbers)

    def at_places(self, places: Any) -> "BulkLegs":
        """Return the legs at some places."""
        return BulkLegs(
            numbers=NumberColumn(self.numbers.keys[places], self.numbers.lengths[places]),
            at=self.at[places],
            talk_seconds=self.talk_seconds[places],
            is_a=self.is_a[places],
            origins=self.origins[places],
            package_seconds=self.package_seconds[places],
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


def plain_legs(numbers: NumberColumn, at: Ints, talk_seconds: Ints, is_a: Flags) -> BulkLegs:
    """Return legs that show no caller ID and that no package pays for."""
    return BulkLegs(
        numbers=numbers,
        at=at,
        talk_seconds=talk_seconds,
        is_a=is_a,
        origins=np.full(len(numbers), NO_ORIGIN, dtype=np.int64),
        package_seconds=np.full(len(numbers), NO_PACKAGE, dtype=np.int64),
    )


class BulkDeck:
    """One deck's rows as columns. Immutable by convention."""

    __slots__ = (
        "_all_from",
        "_all_till",
        "_band",
        "_bands",
        "_count",
        "_from",
        "_is_blocked",
        "_only",
        "_order",
        "_start",
        "_surcharges",
        "_table",
        "_till",
        "rates",
    )

    def __init__(self, rates: Sequence[Rate]) -> None:
        """Index the rows; those of one prefix as in Deck: with a band first, then by the latest start."""
        self.rates = rates
        prefixes: list[str] = []
        starts, ends, bands, blocked = array("q"), array("q"), array("q"), array("b")
        self._bands: dict[str, int] = {}
        surcharges: dict[int, tuple[int | None, ...]] = {}
        for place, row in enumerate(rates.rows() if isinstance(rates, RateTable) else map(row_of, rates)):
            prefixes.append(row.prefix)
            starts.append(row.valid_from)
            ends.append(_EVER if row.valid_till is None else row.valid_till)
            bands.append(self._bands.setdefault(row.band, len(self._bands)) if row.band else _ANY_BAND)
            blocked.append(row.blocked)
            if row.surcharges:
                surcharges[place] = row.surcharges
        self._index(number_column(prefixes), np.array(starts), np.array(ends), np.array(bands))
        self._is_blocked = np.array(blocked, dtype=np.bool_)
        self._surcharges = _surcharges(surcharges, len(prefixes))

    def _index(self, prefixes: NumberColumn, starts: Ints, ends: Ints, bands: Ints) -> None:
        order = np.lexsort((-starts, bands == _ANY_BAND, prefixes.lengths, prefixes.keys))
        keys, lengths = prefixes.keys[order], prefixes.lengths[order]
        is_first = np.ones(len(order), dtype=np.bool_)
        is_first[1:] = (keys[1:] != keys[:-1]) | (lengths[1:] != lengths[:-1])
        first = np.flatnonzero(is_first)
        self._table = PrefixTable(NumberColumn(keys[first], lengths[first]))
        self._order = order.astype(np.int32)
        self._start = first.astype(np.int32)
        self._count = np.diff(first, append=len(order)).astype(np.int32)
        self._from, self._till, self._band = starts[order], ends[order], bands[order]
        self._only: Places | None = None
        if len(first) == len(order) and not self._bands:
            self._only = np.append(self._order, np.int32(~Finding.NO_PREFIX))
            self._all_from = int(starts.max(initial=0))
            self._all_till = int(ends.min(initial=_EVER))

    def _hold_all(self, at: Ints, since: int) -> bool:
        """Whether every row holds at all of these instants, as most decks' rows do."""
        first, last = at.min(initial=_EVER), at.max(initial=since)
        return bool(max(first, since) >= self._all_from and last < self._all_till)

    def find(self, numbers: NumberColumn, at: Ints, plan: Plan, since: int) -> Places:
        """Return for each number the place of its row among the rates; where there is none, ~Finding.

        The plan says which time band an instant is in. An instant before `since` takes the rows of `since`.
        """
        prefixes = self._table.find(numbers)
        if self._only is not None and self._hold_all(at, since):
            return np.take(self._only, prefixes)  # NOWHERE takes the last, which says NO_PREFIX
        found = np.empty(len(numbers), dtype=np.int32)
        for start in range(0, len(numbers), CHUNK):
            part = slice(start, start + CHUNK)
            bands = self._bands_at(at[part], plan)
            found[part] = self._rows(prefixes[part], np.maximum(at[part], since), bands)
        return found

    @property
    def has_blocked(self) -> bool:
        """Whether any row is blocked."""
        return bool(self._is_blocked.any())

    def is_blocked(self, rows: Places) -> Flags:
        """Return whether the rows of these places, all in the deck, are blocked."""
        return np.take(self._is_blocked, rows)

    def surcharges(self, rows: Places, origins: Ints) -> Ints | None:
        """Return what each leg's caller ID costs on top, in 10^-8 a minute; None where no row asks for it."""
        if self._surcharges is None:
            return None
        return np.where(origins == NO_ORIGIN, 0, self._surcharges[rows, origins])

    def _bands_at(self, at: Ints, plan: Plan) -> Ints | None:
        """Return the band of each instant by its number here; None where no row has a band."""
        if not self._bands:
            return None
        minutes, places = np.unique(at // _MINUTE_MICROS, return_inverse=True)
        names = (
            band_at(plan.bands, plan.zone, _EPOCH + timedelta(minutes=each)) for each in minutes.tolist()
        )
        return _column(self._bands.get(name, _NO_SUCH_BAND) for name in names)[places]

    def _rows(self, prefixes: Places, at: Ints, bands: Ints | None) -> Places:
        """Return the row of each leg: prefix by prefix from the longest, the rows of each in their order."""
        found = np.where(prefixes == NOWHERE, ~Finding.NO_PREFIX, ~Finding.NOT_VALID_THEN).astype(np.int32)
        legs = np.flatnonzero(prefixes != NOWHERE)
        prefixes = prefixes[legs]
        turn = np.zeros(len(legs), dtype=np.int32)
        while legs.size:
            rows = self._start[prefixes] + turn
            instants = at[legs]
            fits = (self._from[rows] <= instants) & (instants < self._till[rows])
            if bands is not None:
                fits &= (self._band[rows] == _ANY_BAND) | (self._band[rows] == bands[legs])
            found[legs[fits]] = self._order[rows[fits]]
            left = ~fits
            legs, prefixes, turn = legs[left], prefixes[left], turn[left] + 1
            spent = turn == self._count[prefixes]
            prefixes[spent], turn[spent] = self._table.shorter[prefixes[spent]], 0
            there = prefixes != NOWHERE
            legs, prefixes, turn = legs[there], prefixes[there], turn[there]
        return found


class BulkTerms:
    """A deck's rows by the terms of a plan: what a second costs, row by row."""

    __slots__ = ("_columns", "_has", "_is_known", "_is_large", "_plan", "_since", "deck")

    def __init__(self, deck: BulkDeck, plan: Plan, *, since: datetime = _EPOCH) -> None:
        """Read no row yet: of a million rows a month's calls meet some thousands.

        Legs of a time before `since` are priced by the rows that hold then.
        """
        self.deck = deck
        self._since = micros(since)
        self._plan = plan
        rows = len(deck.rates)
        self._columns: dict[str, Ints] = {name: np.zeros(rows, dtype=np.int64) for name in _TERMS}
        self._is_known = np.zeros(rows, dtype=np.bool_)
        self._is_large = np.zeros(rows, dtype=np.bool_)
        self._has: set[str] = set()

    def price(self, legs: BulkLegs) -> BulkPrices:
        """Return the price of every leg; ValueError where one talked longer than TALK_SECONDS_MAX."""
        return self.price_rows(self.deck.find(legs.numbers, legs.at, self._plan, self._since), legs)

    def price_rows(self, rows: Places, legs: BulkLegs) -> BulkPrices:
        """Return the price of legs whose rows were found."""
        talks = legs.talk_seconds
        if len(rows) and not 0 <= int(talks.min()) <= int(talks.max()) <= TALK_SECONDS_MAX:
            raise ValueError(f"talk_seconds: a leg talks 0 to {TALK_SECONDS_MAX} seconds")
        findings = np.empty(len(rows), dtype=np.int8)
        billed, amounts = np.empty(len(rows), dtype=np.int64), np.empty(len(rows), dtype=np.int64)
        for start in range(0, len(rows), CHUNK):
            part = slice(start, start + CHUNK)
            findings[part] = self._found(rows[part])
            is_priced = findings[part] == Finding.PRICED
            if is_priced.all():
                billed[part], amounts[part] = self._priced(rows[part], legs.at_places(part))
                continue
            billed[part] = amounts[part] = 0
            some = start + np.flatnonzero(is_priced)
            billed[some], amounts[some] = self._priced(rows[some], legs.at_places(some))
        return BulkPrices(
            rows=np.maximum(rows, NOWHERE), findings=findings, billed_seconds=billed, amount_units=amounts
        )

    def _found(self, rows: Places) -> Places:
        findings = np.where(rows < 0, ~rows, Finding.PRICED)
        if self.deck.has_blocked:
            there = np.flatnonzero(rows >= 0)
            findings[there[self.deck.is_blocked(rows[there])]] = Finding.BLOCKED
        return findings

    def _priced(self, rows: Places, legs: BulkLegs) -> tuple[Ints, Ints]:
        self._learn(rows)
        seconds = legs.talk_seconds
        billed = self._billed(rows, seconds, legs.is_a)
        extra = self.deck.surcharges(rows, legs.origins)
        rate = self._of("rate", rows)
        exact = billed * (rate if extra is None else rate + extra)
        if "later" in self._has:  # what a minute costs more, or less, beyond the first increment
            exact += np.maximum(billed - self._of("first", rows), 0) * self._of("later", rows)
        if "fee" in self._has:
            exact += 60 * self._of("fee", rows)
        if not billed.all():
            exact[billed == 0] = 0
        if "attempt" in self._has:
            exact += 60 * self._of("attempt", rows)
        amounts = self._rounded(exact, billed)
        alone = legs.package_seconds != NO_PACKAGE
        if self._is_large.any():
            alone |= self._is_large[rows]
        for leg in np.flatnonzero(alone).tolist():
            amounts[leg] = self._alone(int(rows[leg]), legs, leg)
        return billed, amounts

    def _billed(self, rows: Places, seconds: Ints, is_a: Flags) -> Ints:
        first = self._of("first", rows)
        over = np.maximum(seconds - first, 0)
        if "following" in self._has:
            following = self._of("following", rows)
            by_steps = np.flatnonzero(
                (following > 1) & (over > 0)
            )  # a division costs as much as all the rest
            steps = following[by_steps]
            over[by_steps] = (over[by_steps] + steps - 1) // steps * steps
        billed: Ints = first + over
        is_free = seconds == 0
        if self._plan.free_below_seconds:
            is_free |= (seconds < self._plan.free_below_seconds) & ~is_a
        if is_free.any():
            billed[is_free] = 0
        return billed

    def _rounded(self, exact: Ints, billed: Ints) -> Ints:
        """Return the amounts: half-up once, within the plan's bounds where a second is billed."""
        plan = self._plan
        step = 10 ** (AMOUNT_SCALE - plan.amount_places)
        whole = RATE_TO_AMOUNT * step
        amounts: Ints = (exact + whole // 2) // whole  # `whole` is even
        if step > 1:
            amounts *= step
        if plan.call_price_min is None and plan.call_price_max is None:
            return amounts
        least = 0 if plan.call_price_min is None else decimal_units(plan.call_price_min)
        most = UNITS_MAX if plan.call_price_max is None else decimal_units(plan.call_price_max)
        bounded: Ints = np.where(billed > 0, np.clip(amounts, least, most), amounts)
        return bounded

    def _alone(self, row: int, legs: BulkLegs, leg: int) -> int:
        """Return the amount of one leg by the pure function."""
        rate, origin, promised = self.deck.rates[row], int(legs.origins[leg]), int(legs.package_seconds[leg])
        pins = Pins(
            surcharge_per_minute=NO_PINS.surcharge_per_minute
            if origin == NO_ORIGIN
            else rate.surcharge(ORIGINS[origin]),
            in_package=promised != NO_PACKAGE,
            package_seconds=max(promised, 0),
        )
        role = LegRole.A if legs.is_a[leg] else LegRole.B
        terms = leg_terms(rate=rate, plan=self._plan, role=role, pins=pins)
        return terms.amount_units(int(legs.talk_seconds[leg]))

    def _of(self, name: str, rows: Places) -> Ints:
        column: Ints = np.take(self._columns[name], rows)
        return column

    def _learn(self, rows: Places) -> None:
        """Ask for the terms of rows that were not met before. A- and B-legs differ only in what is free."""
        is_known = np.take(self._is_known, rows)
        if is_known.all():
            return
        for row in np.unique(rows[~is_known]).tolist():
            rate = self.deck.rates[row]
            terms = leg_terms(rate=rate, plan=self._plan, role=LegRole.B)
            dearest = [
                terms.rate,
                terms.next_rate,
                *(rate_units(each.per_minute) for each in rate.surcharges),
            ]
            is_large = max(dearest) > SAFE_RATE or max(terms.fee, terms.attempt) > SAFE_FEE
            prices = (terms.rate, terms.next_rate - terms.rate, terms.fee, terms.attempt)
            learnt = (terms.first, terms.following, *((0, 0, 0, 0) if is_large else prices))
            for name, value in zip(_TERMS, learnt, strict=True):
                self._columns[name][row] = value
                if value > 1 or value < 0 or (value and name != "following"):
                    self._has.add(name)
            self._is_large[row] = is_large
            self._is_known[row] = True


def _column(values: Iterable[int]) -> Ints:
    return np.fromiter(values, np.int64)


def _surcharges(rows: Mapping[int, Sequence[int | None]], count: int) -> Ints | None:
    """Return each row's surcharges by origin class in 10^-8 a minute; None where no row has any."""
    if not rows:
        return None
    found = np.zeros((count, len(ORIGINS)), dtype=np.int64)
    for row, units in rows.items():
        found[row] = [min(each or 0, SAFE_RATE) for each in units]
    return found

"""What a deck is after a sheet: the rows before and the sheet's rows become those of the next version.

Reads: two streams of rows, sorted by prefix; what kind of sheet it is; from when it counts.
Gives: for each prefix the rows before and after; Changes with their kinds; Findings about them.
Knows nothing of: files, databases, who approves.

A prefix that the sheet lists takes the sheet's rows; what held before holds until the first of them starts. A
prefix that it leaves out ends (A-Z: always; full country: if the sheet names its country) or stays. A row
that says what holds already is the row before, so that the same sheet twice changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from itertools import groupby, zip_longest
from operator import attrgetter
from typing import NamedTuple, TypeVar

from rating.cells import Status
from rating.countries import country
from rating.findings import Finding, FindingKind
from rating.raterow import UNDATED, RateRow
from rating.sheetrow import dated

NOTICE_MICROSECONDS = 7 * 24 * 3600 * 10**6
"""Seven days' notice of an increase is what carriers and customers agree on."""
FEWER_PARTS = 5
"""One prefix in five gone is more likely half a file than a carrier's wish."""
ENDLESS = 2**62
"""The end of a row that has none, to be compared with others."""
PREFIXES_NAMED_MAX = 5
"""Of those that lose a term; the diff has them all."""

Numbered = TypeVar("Numbered")


class SheetKind(StrEnum):
    """What a sheet says of the prefixes that it leaves out."""

    A_TO_Z = "a-z"
    FULL_COUNTRY = "full-country"
    PARTIAL = "partial"


class ChangeKind(StrEnum):
    """What becomes of a row. CHANGED: the price stays, another term does not."""

    NEW = "new"
    INCREASED = "increased"
    DECREASED = "decreased"
    CHANGED = "changed"
    CLOSED = "closed"
    UNCHANGED = "unchanged"


class Change(NamedTuple):
    """One row that becomes another; None where there was none, or is none any more."""

    kind: ChangeKind
    before: RateRow | None
    after: RateRow | None

    @property
    def prefix(self) -> str:
        """Return the prefix that changes."""
        row = self.after or self.before
        return "" if row is None else row.prefix


class NumberedRow(NamedTuple):
    """A row of the sheet: its number there, and what the sheet claims of it."""

    number: int
    row: RateRow
    status: Status = Status.NONE


class Merged(NamedTuple):
    """One prefix: the rows that held, those that will, and the sheet's own; `over` more price no call."""

    prefix: str
    before: tuple[RateRow, ...]
    after: tuple[RateRow, ...]
    listed: tuple[NumberedRow, ...]
    over: int = 0


def merge(
    base: Iterable[RateRow],
    sheet: Iterable[NumberedRow],
    *,
    kind: SheetKind,
    starts: int,
    countries: frozenset[str] = frozenset(),
) -> Iterator[Merged]:
    """Yield what becomes of each prefix, in their order; `countries` are those that the sheet names."""
    before = _grouped(base, attrgetter("prefix"))
    listed = _grouped(sheet, attrgetter("row.prefix"))
    old, new = next(before, None), next(listed, None)
    while old is not None or new is not None:
        if new is None or (old is not None and old[0] < new[0]):
            assert old is not None
            kept = _relevant(old[1], starts, _itself)
            ends = kind is SheetKind.A_TO_Z or (
                kind is SheetKind.FULL_COUNTRY and country(old[0]) in countries
            )
            yield Merged(old[0], kept, () if ends else kept, ())
            old = next(before, None)
        else:
            is_known = old is not None and old[0] == new[0]
            kept = _relevant(old[1], starts, _itself) if old is not None and is_known else ()
            all_listed = [_dated(each, starts) for each in new[1]]
            first = min(each.row.valid_from for each in all_listed)
            rows = _relevant(all_listed, starts, attrgetter("row"))
            replaced = _replaced(kept, [each.row for each in rows], first, starts)
            yield Merged(new[0], kept, replaced, rows, len(all_listed) - len(rows))
            old, new = next(before, None) if is_known else old, next(listed, None)


def changes(before: Sequence[RateRow], after: Sequence[RateRow], starts: int) -> list[Change]:
    """Return what becomes of one prefix's rows when the next version starts."""
    if before == after:
        return [Change(ChangeKind.UNCHANGED, row, row) for row in after]
    if not before:
        return [Change(ChangeKind.CLOSED if row.blocked else ChangeKind.NEW, None, row) for row in after]
    held = frozenset(before)
    found = [
        Change(ChangeKind.UNCHANGED, row, row) if row in held else _change(before, row, after, starts)
        for row in after
    ]
    result = [change for change in found if change is not None]
    for row in before:
        follows = (each for each in after if each.band == row.band)
        if not any(each.valid_till is None or each.valid_till > row.valid_from for each in follows):
            result.append(Change(ChangeKind.CLOSED, row, None))
    return result


def findings(merged: Merged, found: Sequence[Change], *, now: int, starts: int) -> Iterator[Finding]:
    """Yield what is worth a look in the changes of one prefix."""
    numbers = {(each.row.band, each.row.valid_from): each.number for each in merged.listed}
    first = merged.listed[0].number if merged.listed else 0
    kinds = {change.kind for change in found}
    for kind, before, after in found:
        if before is None or after is None or kind not in {ChangeKind.INCREASED, ChangeKind.DECREASED}:
            continue
        number = numbers.get((after.band, after.valid_from), first)
        told = f"prefix {merged.prefix}: {_what_changes(before, after)}"
        if abs(after.per_minute - before.per_minute) * 2 > before.per_minute:
            yield Finding(FindingKind.BIG_CHANGE, number, merged.prefix, f"{told}, over 50 %")
        if kind is ChangeKind.INCREASED and max(after.valid_from, starts) < now + NOTICE_MICROSECONDS:
            text = f"{told} with less than 7 days' notice"
            yield Finding(FindingKind.SHORT_NOTICE, number, merged.prefix, text)
    for number, _, status in merged.listed:
        claimed = str(status)
        if claimed and status is not Status.CLOSED and claimed not in kinds:
            what = ", ".join(sorted(kinds)) or "unchanged"
            text = f"prefix {merged.prefix}: the sheet says {claimed}, it is {what}"
            yield Finding(FindingKind.STATUS, number, merged.prefix, text)


def lost_terms(found: Iterable[Change]) -> Iterator[str]:
    """Yield the names of the terms that a row had of its own and has no more: others count then, unasked."""
    for _, before, after in found:
        if before is None or after is None or before.blocked or after.blocked or before[6:] == after[6:]:
            continue
        for (name, old), new in zip(_own_terms(before).items(), _own_terms(after).values(), strict=True):
            if any(had is not None and has is None for had, has in zip_longest(old, new)):
                yield name


class LostTerms:
    """Which prefixes lose terms that they had, to be told in a sentence for each term."""

    def __init__(self) -> None:
        self._counts = Counter[str]()
        self._named: defaultdict[str, list[str]] = defaultdict(list)

    def take(self, prefix: str, found: Iterable[Change]) -> None:
        """Note what the changes of one prefix lose."""
        for name in set(lost_terms(found)):
            self._counts[name] += 1
            if self._counts[name] <= PREFIXES_NAMED_MAX:
                self._named[name].append(prefix)

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each term that any prefix loses."""
        for name, count in sorted(self._counts.items()):
            more = f" and {count - PREFIXES_NAMED_MAX} more" if count > PREFIXES_NAMED_MAX else ""
            which = f"{', '.join(self._named[name])}{more}"
            text = f"prefix {which}: {name} of its own no more: does the sheet lack a column?"
            yield Finding(FindingKind.LOST_TERMS, 0, "", text)


class LeftOut:
    """How many prefixes a sheet takes away, and how many of its rows are over before it counts."""

    def __init__(self) -> None:
        self._scope = self._gone = self._over = 0

    def take(self, merged: Merged) -> None:
        """Note what becomes of one prefix."""
        self._over += merged.over
        if merged.before and (merged.listed or not merged.after):
            self._scope += 1
            self._gone += not merged.after

    def findings(self, effective_at: datetime) -> Iterator[Finding]:
        """Yield a finding for each that is worth a question."""
        if self._gone * FEWER_PARTS > self._scope:
            text = f"{self._gone} of {self._scope} prefixes are not on the sheet any more: is it whole?"
            yield Finding(FindingKind.FEWER_PREFIXES, 0, "", text)
        if self._over:
            is_over, it_is = ("is over", "it is") if self._over == 1 else ("are over", "they are")
            by = f"by {effective_at:%Y-%m-%dT%H:%M:%SZ}"
            text = f"{self._over} of the sheet's rows {is_over} {by}: {it_is} left out"
            yield Finding(FindingKind.LEFT_OUT, 0, "", text)


def same_terms(one: RateRow, other: RateRow) -> bool:
    """Whether two rows differ in their dates at most."""
    return one[4:] == other[4:] and one[:2] == other[:2]


def _grouped(
    rows: Iterable[Numbered], prefix: Callable[[Numbered], str]
) -> Iterator[tuple[str, list[Numbered]]]:
    return ((key, list(group)) for key, group in groupby(rows, key=prefix))


def _itself(row: RateRow) -> RateRow:
    return row


def _dated(numbered: NumberedRow, starts: int) -> NumberedRow:
    is_undated = numbered.row.valid_from == UNDATED
    return numbered._replace(row=dated(numbered.row, starts)) if is_undated else numbered


def _relevant(
    rows: Sequence[Numbered], starts: int, row_of: Callable[[Numbered], RateRow]
) -> tuple[Numbered, ...]:
    """Return the rows that hold at `starts` or later; one that a successor has replaced by then is gone.

    A successor that ends before it replaces it for a while: then it holds again, as a list price does after
    an offer.
    """
    if len(rows) == 1 and row_of(rows[0]).valid_till is None:
        return (rows[0],)
    lasting = [row for row in map(row_of, rows) if _end(row) > starts]
    gone: set[RateRow] = set()
    longest: dict[str, int] = {}
    for row in sorted(lasting, key=attrgetter("valid_from"), reverse=True):
        if row.valid_from <= starts:
            if _end(row) <= longest.get(row.band, starts):
                gone.add(row)
            longest[row.band] = max(_end(row), longest.get(row.band, starts))
    kept = set(lasting) - gone
    return tuple(each for each in rows if row_of(each) in kept)


def _end(row: RateRow) -> int:
    return ENDLESS if row.valid_till is None else row.valid_till


def _replaced(
    before: tuple[RateRow, ...], sheet: list[RateRow], first: int, starts: int
) -> tuple[RateRow, ...]:
    """Return the sheet's rows, and those before as far as they hold until `first`, where the sheet begins."""
    if not sheet or (not before and len(sheet) == 1):
        return tuple(sheet)
    rows: list[RateRow] = []
    held, continued = frozenset(before), set[RateRow]()
    for _, group in groupby(sorted(sheet, key=_band_and_start), key=attrgetter("band")):
        same = list(group)
        last = -ENDLESS
        for place, row in enumerate(same):
            following = same[place + 1].valid_from if place + 1 < len(same) else ENDLESS
            is_first = not place and row.valid_from <= max(first, starts)
            old = row if row in held else _continues(before, row, starts, is_first=is_first)
            if old is not None and last < old.valid_from < following:
                continued.add(old)
                last = old.valid_from
            else:
                last = row.valid_from
            rows.append(row._replace(valid_from=last))
    if first > starts:
        rows += [
            old if old.valid_till is not None and old.valid_till < first else old._replace(valid_till=first)
            for old in before
            if old.valid_from < first and old not in continued
        ]
    return tuple(sorted(set(rows), key=lambda each: (each.valid_from, each.band)))


def _continues(before: tuple[RateRow, ...], row: RateRow, starts: int, *, is_first: bool) -> RateRow | None:
    """Return the row before that goes on as this one: since when it holds is known better there."""
    if row.valid_from <= starts:
        same = (old for old in before if old.valid_from <= starts and same_terms(old, row))
        old = next((old for old in same if old.band == row.band and old.valid_till == row.valid_till), None)
        if old is not None:
            return old
    old = _holding(before, row.band, max(row.valid_from, starts)) if is_first else None
    return old if old is not None and same_terms(old, row) else None


def _band_and_start(row: RateRow) -> tuple[str, int]:
    return row.band, row.valid_from


def _holding(rows: Iterable[RateRow], band: str, at: int) -> RateRow | None:
    found = [row for row in rows if row.band == band and row.holds_at(at)]
    return max(found, key=attrgetter("valid_from"), default=None)


def _change(before: Sequence[RateRow], row: RateRow, after: Sequence[RateRow], starts: int) -> Change | None:
    old = _holding(before, row.band, max(row.valid_from, starts))
    if old is not None and old.valid_from == row.valid_from and same_terms(old, row):
        # The same row with another end: its successor, if it has one, is the change.
        if any(each.band == row.band and each.valid_from == row.valid_till for each in after):
            return None
        return Change(ChangeKind.CHANGED, old, row)
    if row.blocked:
        return Change(ChangeKind.CHANGED if old is not None and old.blocked else ChangeKind.CLOSED, old, row)
    if old is None or old.blocked:
        return Change(ChangeKind.NEW, old, row)
    prices, others = _prices(row), _prices(old)
    if prices == others:
        return Change(ChangeKind.CHANGED, old, row)
    return Change(ChangeKind.INCREASED if prices > others else ChangeKind.DECREASED, old, row)


def _own_terms(row: RateRow) -> dict[str, tuple[int | None, ...]]:
    return {
        "increments": (row.first_increment_s, row.next_increment_s),
        "connect fee": (row.connect_fee,),
        "surcharges": row.surcharges,
        "attempt fee": (row.attempt_fee,),
        "bounds of a number's length": (row.number_digits_min, row.number_digits_max),
    }


def _prices(row: RateRow) -> tuple[int, ...]:
    following = row.per_minute if row.next_per_minute is None else row.next_per_minute
    surcharges = sum(each or 0 for each in row.surcharges)
    return row.per_minute, following, row.connect_fee or 0, surcharges, row.attempt_fee or 0


def _what_changes(before: RateRow, after: RateRow) -> str:
    """Return the first of the prices that are others now; they are in the order of _prices."""
    old, new = _prices(before), _prices(after)
    place = next(place for place, units in enumerate(old) if units != new[place])
    return f"{PRICE_NAMES[place]}{_price(old[place])} becomes {_price(new[place])}"


PRICE_NAMES = ("", "next rate ", "connect fee ", "surcharges, all together, ", "attempt fee ")


def _price(units: int) -> str:
    text = f"{units:09d}"
    return f"{text[:-8]}.{text[-8:-4]}{text[-4:].rstrip('0')}"

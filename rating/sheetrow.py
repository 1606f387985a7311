"""One row of a sheet: its cells become rows of a deck, or every error in them.

Reads: SheetRows, and the Layout of their columns.
Gives: SheetLine, RowErrors, Findings.
Knows nothing of: the other rows, but for `clashes`, which finds two rows that cannot both hold.

Sheets repeat themselves: what a cell's text means is looked up before it is read again.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from operator import itemgetter
from typing import NamedTuple, TypeVar

from rating import cells
from rating.cells import CellRefused, Habits, Status
from rating.columnnames import Field
from rating.columns import Layout
from rating.countries import country_code
from rating.findings import Finding, FindingKind, RowError
from rating.mapping import Mapping
from rating.prefixes import PREFIX_DIGITS_MAX
from rating.raterow import UNDATED, RateRow
from rating.sheet import SheetRow

DESTINATION_CHARACTERS_MAX = 100
REMEMBERED_MAX = 20_000
PEAK, OFFPEAK = "peak", "offpeak"

_HIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_BAND = re.compile(r"[a-z][a-z0-9-]{0,29}")
_NOTHING = re.compile(r"(?:0+(?:[.,]0*)?|false|f|no|n|none|-)?", re.IGNORECASE)
_AT_ONCE = frozenset({"asap", "immediate", "immediately", "now"})
_SURCHARGES = (Field.SAME_COUNTRY, Field.EEA, Field.NON_EEA, Field.INVALID)
# Italian numbers keep their 0 after +39, mobile ones begin with 3, services with 1, 4, 5 and 8.
_ITALY_LOST_ZERO = re.compile(r"39[2679]")
_GRACE_REMEDY = (
    "if they are taken off every call (ASTPP, JeraSoft, PortaOne), make them a package of the plan; if calls"
    " of up to N seconds are free (MOR), set the plan's --free-below to N+1; then leave the column out"
)
_NOT_HELD = {
    Field.GRACE: (
        "seconds that are not charged",
        _GRACE_REMEDY,
    ),
    Field.ADDED: (
        "seconds that are added to every call",
        "no field of ours adds time: agree on increments, and leave the column out",
    ),
    Field.FREE_BELOW: (
        "short calls are free",
        "set the plan's --free-below to it, and leave the column out",
    ),
    Field.OTHER_CHARGE: (
        "a charge that a row cannot have",
        "put it into the rate or the connect fee, or map the column to ignore with --mapping",
    ),
}
_HALF_UP = frozenset({"*middle", "*middle 4", "half up", "half-up"})
"""How a sheet may say that it rounds as we do."""
Value = TypeVar("Value")


class SheetLine(NamedTuple):
    """What one row of a sheet stands for; `status` is what the sheet claims of it."""

    row: int
    rates: tuple[RateRow, ...]
    status: Status = Status.NONE

    def dated(self, start: int) -> "SheetLine":
        """Return the same with a start for rows that have none."""
        return self._replace(rates=tuple(dated(row, start) for row in self.rates))


def dated(row: RateRow, start: int) -> RateRow:
    """Return the row with a start if it has none."""
    return row._replace(valid_from=start) if row.valid_from == UNDATED else row


def clashes(same: Iterable[tuple[int, RateRow]]) -> Iterator[tuple[RowError, tuple[int, ...]]]:
    """Yield the errors among rows of one prefix and band, each with the rows that cannot be used.

    Two rows that start together: the later one is refused if it says the same, both if they differ, for
    nobody can say which is meant. A row that is written to end after its successor starts is refused too.
    """
    ordered = sorted(same, key=lambda numbered: (numbered[1].valid_from, numbered[0]))
    for (first_row, first), (row, rate) in pairwise(ordered):
        if first.valid_from == rate.valid_from:
            problem = f"prefix {rate.prefix} starts at the same time in row {first_row}"
            remedy = "keep one of the two rows, or give them different effective dates"
            yield RowError(row, "prefix", problem, remedy), (row,) if first == rate else (first_row, row)
        elif first.valid_till is not None and first.valid_till > rate.valid_from:
            problem = f"prefix {rate.prefix} overlaps row {first_row}, which ends later"
            remedy = "end the earlier row where this one starts, or leave its end empty"
            yield RowError(row, "effective_date", problem, remedy), (first_row, row)


class RowReader:
    """Reads the rows of one sheet."""

    def __init__(self, layout: Layout, currency: str, mapping: Mapping, *, is_ragged: bool) -> None:
        """`is_ragged`: rows may end before the last column."""
        self._readings = _Readings(layout, currency, mapping)
        self._width = len(layout.fields)
        self._is_ragged = is_ragged
        self._likes = _Likes(layout) if _Likes.can_be_in(layout) else None

    def read(self, row: SheetRow) -> list[SheetLine | RowError | Finding]:
        """Return what the row says: one SheetLine, or its errors; perhaps findings."""
        if row.faults:
            named = self._readings.named
            return [RowError(row.number, named(at), problem, remedy) for at, problem, remedy in row.faults]
        texts = row.cells
        if len(texts) != self._width:
            if len(texts) < self._width and self._is_ragged:
                texts = texts + [""] * (self._width - len(texts))
            elif not self._is_ragged or any(texts[self._width :]):
                problem = f"{len(texts)} cells where the header has {self._width}"
                remedy = "give each column one cell; quote a cell that holds the delimiter"
                if len(texts) == self._width + 1 and not texts[-1]:
                    # It may be ASTPP's own sample, or a name with a comma before an empty last column.
                    remedy += "; if every row ends in a delimiter, let the header end in one too"
                return [RowError(row.number, "row", problem, remedy)]
        line = None if self._likes is None else self._likes.read(row.number, texts, self._readings)
        if line is not None:
            return [line]
        found = _Row(row.number, texts, self._readings).lines()
        if self._likes is not None:
            self._likes.keep(texts, found)
        return found


class _Memory(dict[str, Value]):
    """What texts mean, read once each."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) >= REMEMBERED_MAX:
            self.clear()
        self[text] = value
        return value


class _Readings:
    """How each kind of cell of this sheet is read."""

    def __init__(self, layout: Layout, currency: str, mapping: Mapping) -> None:
        habits = Habits(
            dates=mapping.dates,
            decimal_mark=mapping.decimal_mark,
            seconds_per_price=mapping.seconds_per_price,
        )
        self.layout = layout
        self.places = layout.places
        self.roundings: set[str] = set()
        self.has_surcharges = any(which in layout.places for which in _SURCHARGES)
        self.currency = currency
        self.prices = _Memory(lambda text: cells.price_units(text, habits))
        self.fees = _Memory(lambda text: cells.fee_units(text, habits))
        self.instants = _Memory(lambda text: cells.instant(text, habits))
        self.starts = _Memory(lambda text: UNDATED if text.lower() in _AT_ONCE else self.instants[text])
        self.increments = _Memory(cells.increments)
        self.increment = _Memory(cells.increment)
        self.statuses = _Memory(cells.status)
        self.names = _Memory(_name)
        self.bands = _Memory(_band)
        self.flags = _Memory(cells.flag)
        self.digits = _Memory(lambda text: cells.whole(text, PREFIX_DIGITS_MAX))
        # By the three digits that decide whether `_Row` has something to say of a prefix.
        self.is_plain = _Memory(lambda head: bool(country_code(head)) and not _ITALY_LOST_ZERO.match(head))

    def named(self, at: int) -> str:
        """Return the header of a column; -1 is the whole row."""
        return self.layout.names[at][:40] if 0 <= at < len(self.layout.names) else "row"


class _Likes:
    """Rows like one before: but for the prefix and the price of a minute, every cell says the same."""

    def __init__(self, layout: Layout) -> None:
        varying = {Field.PREFIX, Field.RATE, Field.IGNORED}
        self._prefix, self._price = layout.places[Field.PREFIX], layout.places[Field.RATE]
        self._others = itemgetter(*(at for at, which in enumerate(layout.fields) if which not in varying))
        self._lines: dict[object, SheetLine] = {}

    @staticmethod
    def can_be_in(layout: Layout) -> bool:
        """Whether one cell is the prefix, whatever the others say, and one the price."""
        several = {Field.COUNTRY_CODE, Field.AREA, Field.PEAK_RATE, Field.OFFPEAK_RATE}
        return {Field.PREFIX, Field.RATE} <= layout.places.keys() and not several & layout.places.keys()

    def read(self, number: int, texts: list[str], readings: _Readings) -> SheetLine | None:
        """Return what the row says; None where none like it was kept, or it wants a closer look."""
        like = self._lines.get(self._others(texts))
        prefix, price = texts[self._prefix], texts[self._price]
        if like is None or not (cells.is_prefix(prefix) and readings.is_plain[prefix[:3]]):
            return None
        try:
            units = readings.prices[price]
        except CellRefused:
            return None
        row = like.rates[0]
        return SheetLine(number, (RateRow._make((prefix, *row[1:5], units, *row[6:])),), like.status)

    def keep(self, texts: list[str], found: list[SheetLine | RowError | Finding]) -> None:
        """Keep a row that stands for one row of a deck, and of which there is nothing else to say."""
        first = found[0]
        if len(found) == 1 and isinstance(first, SheetLine) and len(first.rates) == 1:
            if len(self._lines) >= REMEMBERED_MAX:
                self._lines.clear()
            self._lines[self._others(texts)] = first


class _Row:
    """The cells of one row, and what is wrong with them."""

    __slots__ = ("errors", "findings", "number", "readings", "texts")

    def __init__(self, number: int, texts: list[str], readings: _Readings) -> None:
        self.number = number
        self.texts = texts
        self.readings = readings
        self.errors: list[RowError] = []
        self.findings: list[Finding] = []

    def lines(self) -> list[SheetLine | RowError | Finding]:
        readings, places = self.readings, self.readings.places
        if Field.ENABLED in places and not self._get(Field.ENABLED, readings.flags):
            text = "the sheet says that the row is not enabled: it is left out"
            return [*self.errors] or [Finding(FindingKind.LEFT_OUT, self.number, "", text)]
        claimed = self._get(Field.STATUS, readings.statuses) or Status.NONE
        flags = [self._get(which, readings.flags) for which in (Field.BLOCKED, Field.DISCONTINUED)]
        blocked = claimed is Status.CLOSED or True in flags
        prices = self._prices(blocked=blocked)
        prefixes = self._prefixes()
        destination = self._destination()
        first, following = self._steps()
        dated_from = self._get(Field.FROM, readings.starts)
        start = UNDATED if dated_from is None else dated_from
        till = self._get(Field.TILL, readings.instants)
        if till is not None and till <= start:
            remedy = "write a later date; the end itself no longer counts"
            self._refuse(Field.TILL, "not after the start", remedy)
        self._check_currency()
        self._check_empty()
        self._look_at_rounding()
        surcharges = (
            tuple(self._get(which, readings.prices) for which in _SURCHARGES)
            if readings.has_surcharges
            else ()
        )
        shared = RateRow(
            prefix="",
            band="",
            valid_from=start,
            valid_till=till,
            destination=destination,
            per_minute=0,
            next_per_minute=self._get(Field.NEXT_RATE, readings.prices),
            connect_fee=self._get(Field.FEE, readings.fees),
            first_increment_s=first,
            next_increment_s=following,
            blocked=blocked,
            surcharges=surcharges if any(each is not None for each in surcharges) else (),
            attempt_fee=self._get(Field.ATTEMPT_FEE, readings.fees),
            number_digits_min=self._get(Field.DIGITS_MIN, readings.digits),
            number_digits_max=self._get(Field.DIGITS_MAX, readings.digits),
        )
        offpeak = self._offpeak(shared) if Field.OFFPEAK_RATE in places else shared
        if self.errors:
            return [*self.errors]
        rates = tuple(
            (offpeak if band == OFFPEAK else shared)._replace(prefix=prefix, band=band, per_minute=price)
            for prefix in prefixes
            for band, price in prices
        )
        return [SheetLine(self.number, rates, claimed), *self.findings]

    def _get(self, which: Field, memory: "_Memory[Value]") -> "Value | None":
        """Return what the cell means; None if there is none, or nothing in it, or it is refused."""
        at = self.readings.places.get(which)
        if at is None or not (text := self.texts[at]):
            return None
        try:
            return memory[text]
        except CellRefused as refused:
            self._refuse(which, refused.problem, refused.remedy)
            return None

    def _text(self, which: Field) -> str:
        at = self.readings.places.get(which)
        return "" if at is None else self.texts[at]

    def _prices(self, *, blocked: bool) -> list[tuple[str, int]]:
        """Return band and price of each row that this one stands for."""
        readings = self.readings
        band = self._get(Field.BAND, readings.bands) or ""
        found: list[tuple[str, int]] = []
        for which, name in ((Field.RATE, band), (Field.PEAK_RATE, PEAK), (Field.OFFPEAK_RATE, OFFPEAK)):
            before = len(self.errors)
            price = self._get(which, readings.prices)
            if price is not None or len(self.errors) > before:
                found.append((name, price or 0))
        if not found:
            found.append((band, 0))
            if not blocked:
                which = Field.RATE if Field.RATE in readings.places else Field.PEAK_RATE
                remedy = "write the price of a minute, such as 0.0850, or block the row"
                self._refuse(which, "no rate", remedy)
        return found

    def _offpeak(self, shared: RateRow) -> RateRow:
        """Return the row with the off-peak columns' own terms; the next rate of other hours is not theirs."""
        first = self._get(Field.OFFPEAK_FIRST, self.readings.increment)
        following = self._get(Field.OFFPEAK_NEXT, self.readings.increment)
        return shared._replace(
            next_per_minute=self._get(Field.OFFPEAK_NEXT_RATE, self.readings.prices),
            first_increment_s=first or shared.first_increment_s,
            next_increment_s=following or shared.next_increment_s,
        )

    def _prefixes(self) -> tuple[str, ...]:
        text, country = self._text(Field.PREFIX), self._text(Field.COUNTRY_CODE)
        try:
            if Field.AREA in self.readings.places and not text:
                found = cells.prefixes(self._text(Field.AREA), country or "?")
            else:
                found = cells.prefixes(text)
                code = country.strip().removeprefix("+").replace(" ", "").replace("-", "")
                if code.isdecimal() and not all(prefix.startswith(code) for prefix in found):
                    problem = f"{cells.shown(text)} does not begin with the country code {code}"
                    raise CellRefused(problem, "call the column Area Code if it holds area codes")
        except CellRefused as refused:
            which = Field.AREA if Field.AREA in self.readings.places and not text else Field.PREFIX
            self._refuse(which, refused.problem, refused.remedy)
            return ()
        for prefix in found:
            if not country_code(prefix):
                note = f"prefix {prefix} belongs to no country"
                self.findings.append(Finding(FindingKind.UNKNOWN_COUNTRY, self.number, prefix, note))
            elif _ITALY_LOST_ZERO.match(prefix):
                note = (
                    f"prefix {prefix}: Italian area codes begin with 0, which a spreadsheet may have dropped"
                )
                self.findings.append(Finding(FindingKind.LOST_ZERO, self.number, prefix, note))
        return found

    def _destination(self) -> str:
        text, country = self._text(Field.DESTINATION), self._text(Field.COUNTRY)
        network = self._text(Field.NETWORK)
        if country and country.lower() not in text.lower():
            text = f"{country}, {text}" if text else country
        if network and network.lower() not in text.lower():
            text = f"{text}, {network}" if text else network
        if not text:
            self._refuse(Field.DESTINATION, "no name", "write the name that is printed on invoices")
            return ""
        try:
            return self.readings.names[text]
        except CellRefused as refused:
            self._refuse(Field.DESTINATION, refused.problem, refused.remedy)
            return ""

    def _steps(self) -> tuple[int | None, int | None]:
        readings = self.readings
        both = self._get(Field.INCREMENTS, readings.increments)
        first, following = (None, None) if both is None else both
        first = self._get(Field.FIRST, readings.increment) or first
        following = self._get(Field.NEXT, readings.increment) or following
        if readings.layout.whole_blocks and first is not None and following is not None and first % following:
            # max(d, first) rounded up to blocks is the same as a first increment of whole blocks.
            whole = -(-first // following) * following
            note = f"{first}/{following} rounds a whole call up to blocks there: here {whole}/{following}"
            self.findings.append(Finding(FindingKind.BLOCKS, self.number, "", note))
            first = whole
        return first, following

    def _check_currency(self) -> None:
        text = self._text(Field.CURRENCY)
        if text and text.upper() != self.readings.currency:
            currency = self.readings.currency
            self._refuse(Field.CURRENCY, f"{cells.shown(text)} in a deck of {currency}", f"write {currency}")

    def _check_empty(self) -> None:
        for at in self.readings.layout.must_be_empty:
            if not _NOTHING.fullmatch(self.texts[at]):
                problem, remedy = _NOT_HELD[self.readings.layout.fields[at]]
                name = self.readings.named(at)
                problem = f"{cells.shown(self.texts[at])}: {problem}"
                self.errors.append(RowError(self.number, name, problem, remedy))

    def _look_at_rounding(self) -> None:
        """Say once for each way of rounding that it is not ours."""
        text = self._text(Field.ROUNDING)
        if text and text.lower() not in _HALF_UP and text not in self.readings.roundings:
            self.readings.roundings.add(text)
            note = (
                f"a price is rounded by {cells.shown(text)} there: here each leg is rounded half-up, once, to"
                " the decimals of its plan"
            )
            self.findings.append(Finding(FindingKind.ROUNDING, self.number, "", note))

    def _refuse(self, which: Field, problem: str, remedy: str) -> None:
        self.errors.append(RowError(self.number, str(which), problem, remedy))


def _name(text: str) -> str:
    if len(text) > DESTINATION_CHARACTERS_MAX:
        raise CellRefused("too long", f"write at most {DESTINATION_CHARACTERS_MAX} characters")
    if len(text) > 1 and text[0] in "=+-@":  # a dash alone stands for no name
        raise CellRefused(f"{cells.shown(text)} begins like a formula", "begin with a letter or digit")
    if _HIDDEN.search(text):
        raise CellRefused("a control character", "write printable text")
    return text


def _band(text: str) -> str:
    if not _BAND.fullmatch(text):
        raise CellRefused(f"{cells.shown(text)} is no time band", "write its name in the plan, such as peak")
    return text

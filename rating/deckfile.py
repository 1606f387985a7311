"""Read a rate sheet: rows of cells become rows of a deck, one at a time.

Reads: SheetRows (rating/sheet.py, rating/workbook.py, rating/cgrates.py); the columns they have
(rating/columns.py); how the sheet writes (rating/mapping.py).
Gives: SheetLines, each the rows of a deck that one row of the sheet stands for; RowErrors with row, column
and remedy; Findings that are no errors.
Knows nothing of: files, databases, which deck is in force.

A bad row does not stop the others. An empty cell means what the absent column means. Dialback's own header is
    prefix,destination,rate_per_min,first_increment,next_increment,connect_fee,effective_date,end_date,status,currency
of which prefix, destination and rate_per_min are required.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from operator import itemgetter

from rating.columns import HEADER_SEARCHED_ROWS, Layout, read_header, without_header
from rating.findings import Finding, FindingKind, RowError
from rating.mapping import PLAIN, Mapping
from rating.rate import Rate
from rating.raterow import rate_of
from rating.sheet import SheetRow, numbered, read_cells
from rating.sheetrow import RowReader, SheetLine, clashes
from values.instants import micros
from values.money import currency_code

COLUMNS = (
    "prefix",
    "destination",
    "rate_per_min",
    "first_increment",
    "next_increment",
    "connect_fee",
    "effective_date",
    "end_date",
    "status",
    "currency",
)
FURTHER_COLUMNS = (
    "next_rate_per_min",
    "band",
    "surcharge_same_country",
    "surcharge_eea",
    "surcharge_non_eea",
    "surcharge_invalid",
    "attempt_fee",
    "number_digits_min",
    "number_digits_max",
)
"""Columns that an export has only where the deck uses them."""
REQUIRED = COLUMNS[:3]
GIVE_UP_ROWS = 1_000
"""A sheet whose first rows are all bad is surely of another kind; reading on only costs time."""

__all__ = [
    "COLUMNS",
    "FURTHER_COLUMNS",
    "REQUIRED",
    "DeckRefused",
    "DeckRows",
    "RowError",
    "SheetLine",
    "SheetTerms",
    "read_deck",
    "read_sheet",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetTerms:
    """What is said of a sheet from outside. `kind`: sell or cost. `is_ragged`: rows may end early (XLSX)."""

    currency: str
    kind: str = "sell"
    mapping: Mapping = PLAIN
    is_ragged: bool = False


def read_sheet(rows: Iterable[SheetRow], terms: SheetTerms) -> Iterator[SheetLine | RowError | Finding]:
    """Yield what the rows say, in their order; rows without an effective date start at UNDATED.

    DeckRefused if the columns cannot be told, or if there is no row.
    """
    source = iter(rows)
    layout = _layout(source, terms)
    problems = [*layout.problems, *_header_problems(layout, terms)]
    if problems:
        raise DeckRefused(tuple(RowError(layout.row, *problem) for problem in problems))
    for name in layout.unused:
        text = f"column {name[:40]!r} is not used; map it with --mapping if it should be"
        yield Finding(FindingKind.UNUSED_COLUMN, layout.row, "", text)
    reader = RowReader(layout, terms.currency, terms.mapping, is_ragged=terms.is_ragged)
    good = bad = 0
    for row in source:
        found = reader.read(row)
        if isinstance(found[0], RowError):  # a row has errors, or it says something
            bad += 1
        else:
            good += 1
        yield from found
        if bad >= GIVE_UP_ROWS and not good:
            remedy = "mend these first, or see whether the columns mean what is thought; the rest is not read"
            yield RowError(row.number, "row", f"none of {bad} rows can be used", remedy)
            return
    if not (good or bad):
        remedy = "write at least one; an empty deck closes every destination"
        raise DeckRefused((RowError(layout.row + 1, "prefix", "the deck has no row", remedy),))


class DeckRefused(ValueError):
    """The sheet has errors, so nothing of it is used."""

    def __init__(self, errors: tuple[RowError, ...]) -> None:
        """Show the first errors; all are in `errors`."""
        shown = "; ".join(str(error) for error in errors[:3])
        more = f"; and {len(errors) - 3} more" if len(errors) > 3 else ""
        super().__init__(f"{shown}{more}")
        self.errors = errors


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckRows:
    """What a small sheet holds: rates if it is sound, else errors and no rate."""

    rates: tuple[Rate, ...]
    errors: tuple[RowError, ...]
    rows_read: int

    def accepted(self) -> tuple[Rate, ...]:
        """Return the rates, or raise DeckRefused with every error."""
        if self.errors:
            raise DeckRefused(self.errors)
        return self.rates


def read_deck(lines: Iterable[str], *, currency: str, effective_at: datetime) -> DeckRows:
    """Return the rows of a small comma-separated deck, whole or not at all.

    Rows without an effective date start at `effective_at`. A row's id is its prefix and its start.
    """
    if effective_at.tzinfo is None:
        raise ValueError("effective_at: give an aware time; without a zone it may be another day")
    terms = SheetTerms(currency=currency_code(currency))
    start = micros(effective_at)
    errors: list[RowError] = []
    kept: list[SheetLine] = []
    bad: set[int] = set()
    try:
        for found in read_sheet(read_cells(numbered(lines), ","), terms):
            if isinstance(found, SheetLine):
                kept.append(found.dated(start))
            elif isinstance(found, RowError):
                errors.append(found)
                bad.add(found.row)
    except DeckRefused as refused:
        return DeckRows(rates=(), errors=refused.errors, rows_read=0)
    groups: defaultdict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for at, line in enumerate(kept):
        for which, row in enumerate(line.rates):
            groups[row.prefix, row.band].append((at, which))
    for places in groups.values():
        same = [(kept[at].row, kept[at].rates[which]) for at, which in places]
        errors += [error for error, _ in clashes(same)]
    errors.sort(key=itemgetter(0))
    rates = (rate_of(row, rate_id="", currency=currency) for line in kept for row in line.rates if not errors)
    return DeckRows(
        rates=tuple(_named(rate) for rate in rates), errors=tuple(errors), rows_read=len(kept) + len(bad)
    )


def _named(rate: Rate) -> Rate:
    return replace(rate, id=f"{rate.prefix}@{rate.valid_from:%Y-%m-%dT%H:%M:%SZ}")


def _layout(rows: Iterator[SheetRow], terms: SheetTerms) -> Layout:
    """Return the layout of the first row that names a prefix and a price; above it stand titles."""
    if terms.mapping.positions:
        layout = without_header(terms.mapping, kind=terms.kind)
        if not layout.is_header:
            raise DeckRefused((RowError(layout.row, *_missing(layout)),))
        return layout
    nearest: Layout | None = None
    for at, row in enumerate(rows):
        if row.faults and not row.cells:
            fault = row.faults[0]
            raise DeckRefused((RowError(row.number, "row", fault.problem, fault.remedy),))
        layout = read_header(row.number, row.cells, kind=terms.kind, mapping=terms.mapping)
        if layout.is_header:
            return layout
        if nearest is None or len(layout.places) > len(nearest.places):
            nearest = layout
        if at >= HEADER_SEARCHED_ROWS:
            break
    if nearest is None:
        remedy = f"start it with the columns {', '.join(REQUIRED)}"
        raise DeckRefused((RowError(1, "header", "the file is empty", remedy),))
    raise DeckRefused((RowError(nearest.row, *_missing(nearest)),))


def _missing(layout: Layout) -> tuple[str, str, str]:
    has_prefix = any(str(which) in {"prefix", "area_code"} for which in layout.places)
    name = "rate_per_min" if has_prefix else "prefix"
    remedy = f"name the columns in one row, {', '.join(REQUIRED)} at least, or map other names with --mapping"
    return name, "no row names this column", remedy


def _header_problems(layout: Layout, terms: SheetTerms) -> Iterator[tuple[str, str, str]]:
    places = {str(which) for which in layout.places}
    if not places & {"destination", "country", "network"}:
        yield "destination", "the column is missing", "add the name that is printed on invoices, or map it"
    if "area_code" in places and not places & {"country_code", "prefix"}:
        yield "country_code", "area codes without a country code", "add that column, or map whole prefixes"
    if layout.per_second and terms.mapping.seconds_per_price != 1:
        yield "rate_per_min", "the header says that prices are for a second", "say --per second"
    for code in sorted(layout.currencies - {terms.currency}):
        if code in {"USD", "EUR", "GBP", "CHF", "CAD", "AUD", "JPY"}:
            yield (
                "currency",
                f"the header says {code}, the deck is in {terms.currency}",
                "import it elsewhere",
            )

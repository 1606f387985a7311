"""Which column of a sheet means what: the names that billing systems and carriers use.

Reads: header cells; a Mapping for names that are not known here.
Gives: a Layout: the Field of each column, and what the header alone already says.
Knows nothing of: rows.

What is unknown and may touch a price is
refused until it is mapped; what is unknown otherwise is left out, and said.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rating.columnnames import NAMES, Field
from rating.mapping import Mapping

HEADER_SEARCHED_ROWS = 40
"""Above the header, sheets have titles, addresses and conditions."""


_FIELDS = {name: which for which, names in NAMES.items() for name in names.split("|")}
# A2Billing keeps what we pay and what we sell for in one table.
_OF_KIND = {
    "cost": {"buyrate": Field.RATE, "buy rate": Field.RATE, "rateinitial": Field.IGNORED},
    "sell": {"rateinitial": Field.RATE, "buyrate": Field.IGNORED, "buy rate": Field.IGNORED},
}
_SELL_STEPS = frozenset({"initblock", "billingblock", "sellrate min duration", "sellrate billing block"})
_BUY_STEPS = frozenset(
    {"buyrateinitblock", "buyrateincrement", "buyrate min duration", "buyrate billing block"}
)
_TOUCHES_PRICE = re.compile(
    r"charge|fee|surcharge|grace|rate|price|cost|setup|minimum|increment|interval|free|discount|tax|vat|second"
    r"|amount|peak|weekend|holiday|saturday|sunday|evening|night"
)
_IN_BRACKETS = re.compile(r"\(([^)]*)\)|\[([^\]]*)\]")
_PER_SECOND = re.compile(r"per sec(ond)?\b|\bsec\b")
_CURRENCY = re.compile(r"\b[A-Z]{3}\b")
MUST_BE_EMPTY = frozenset({Field.GRACE, Field.ADDED, Field.FREE_BELOW, Field.OTHER_CHARGE})
_ONCE = frozenset(Field) - {Field.IGNORED, *MUST_BE_EMPTY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The meaning of the columns; `places` are those that are read, by field.

    `whole_blocks`: the seconds of a call are rounded up to whole blocks together (A2Billing, MagnusBilling).
    """

    row: int
    names: tuple[str, ...]
    fields: tuple[Field, ...]
    whole_blocks: bool = False
    per_second: bool = False
    currencies: frozenset[str] = frozenset()
    unused: tuple[str, ...] = ()
    problems: tuple[tuple[str, str, str], ...] = ()
    places: dict[Field, int] = field(init=False)
    must_be_empty: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Note where each field stands."""
        places = {which: at for at, which in enumerate(self.fields) if which in _ONCE}
        object.__setattr__(self, "places", places)
        empty = tuple(at for at, which in enumerate(self.fields) if which in MUST_BE_EMPTY)
        object.__setattr__(self, "must_be_empty", empty)

    @property
    def is_header(self) -> bool:
        """Whether it names at least a prefix and a price: then these cells are a header and no data."""
        return bool({Field.PREFIX, Field.AREA} & self.places.keys()) and self.has_price

    @property
    def has_price(self) -> bool:
        """Whether a column gives the price of a minute."""
        return bool({Field.RATE, Field.PEAK_RATE} & self.places.keys())


def words(name: str) -> str:
    """Return a header cell as it is looked up: small letters and digits, without what is in brackets."""
    plain = _IN_BRACKETS.sub(" ", name).lower().replace("%", " percent ").lstrip("#")
    return " ".join(re.sub(r"[^a-z0-9]+", " ", plain).split())


def read_header(row: int, cells: Sequence[str], *, kind: str, mapping: Mapping) -> Layout:
    """Return the layout that these cells name; its `problems` say why it cannot be used."""
    mapped = {words(name): Field(which) for name, which in mapping.columns}
    names = tuple(words(cell) for cell in cells)
    fields = [_field(name, kind, mapped) for name in names]
    _settle_destination(fields, names, mapped)
    _settle_increments(fields)
    fields = [which and _of_kind(which, kind) for which in fields]
    problems: list[tuple[str, str, str]] = []
    unused: list[str] = []
    for at, which in enumerate(fields):
        if which is None:
            fields[at] = Field.IGNORED
            if not names[at]:
                continue
            unused.append(cells[at].strip())
            if _TOUCHES_PRICE.search(names[at]):
                remedy = "it may change prices: map it to a field, or to ignore, with --mapping"
                problems.append((cells[at].strip()[:40], "an unknown column", remedy))
        elif which in _ONCE and fields.count(which) > 1 and at == fields.index(which):
            twice = " and ".join(cells[n].strip()[:40] for n, other in enumerate(fields) if other is which)
            remedy = "keep one of them, or map the others to ignore with --mapping"
            problems.append((cells[at].strip()[:40], f"{which} is given twice, by {twice}", remedy))
    read = [cell for at, cell in enumerate(cells) if fields[at] in {Field.RATE, Field.NEXT_RATE, Field.FEE}]
    steps = {name for at, name in enumerate(names) if fields[at] in {Field.FIRST, Field.NEXT}}
    return Layout(
        row=row,
        names=tuple(cell.strip() for cell in cells),
        fields=tuple(which or Field.IGNORED for which in fields),
        whole_blocks=mapping.whole_blocks or bool(steps & (_SELL_STEPS | _BUY_STEPS)),
        per_second=any(_PER_SECOND.search(words(cell.replace("/", " per "))) for cell in read),
        currencies=frozenset(code for cell in read for code in _CURRENCY.findall(cell)),
        unused=tuple(unused),
        problems=tuple(problems),
    )


def without_header(mapping: Mapping, *, kind: str) -> Layout:
    """Return the layout of a sheet whose mapping gives its columns by their order."""
    return Layout(
        row=0,
        names=mapping.positions,
        fields=tuple(_of_kind(Field(which), kind) for which in mapping.positions),
        whole_blocks=mapping.whole_blocks,
    )


def _of_kind(which: Field, kind: str) -> Field:
    """Return what a field is in a deck of that kind: nobody is billed for a call that was not answered."""
    return Field.OTHER_CHARGE if kind == "sell" and which is Field.ATTEMPT_FEE else which


def _field(name: str, kind: str, mapped: dict[str, Field]) -> Field | None:
    if name in mapped:
        return mapped[name]
    if name in (_BUY_STEPS if kind == "sell" else _SELL_STEPS):
        return Field.IGNORED
    known = _OF_KIND[kind].get(name) or _FIELDS.get(name)
    if known is None and (last := name.rpartition(" ")[2]) in {"usd", "eur", "gbp"}:
        known = _FIELDS.get(name.removesuffix(last).strip())
    # Freeside writes the name of the rate plan in front of each of its columns.
    endings = ("included minutes calls", "charge per minute call", "granularity", "usage class")
    return known or next((_FIELDS.get(end) for end in endings if name.endswith(f" {end}")), None)


def _settle_destination(fields: list[Field | None], names: tuple[str, ...], mapped: dict[str, Field]) -> None:
    """PortaOne calls the prefix Destination and its name Description; elsewhere both words mean the name."""
    called = [at for at, which in enumerate(fields) if which is Field.DESTINATION and names[at] not in mapped]
    if {Field.PREFIX, Field.AREA} & set(fields):
        for at in called[1:]:
            if names[at] in {"description", "desc", "location", "region", "zone"}:
                fields[at] = Field.NETWORK if Field.NETWORK not in fields else Field.IGNORED
    elif len(called) > 1:
        prefix = next((at for at in called if names[at] == "destination"), None)
        if prefix is not None:
            fields[prefix] = Field.PREFIX


def _settle_increments(fields: list[Field | None]) -> None:
    """`Increment` beside an initial increment is the next one (ASTPP)."""
    if Field.FIRST in fields and Field.NEXT not in fields and Field.INCREMENTS in fields:
        fields[fields.index(Field.INCREMENTS)] = Field.NEXT

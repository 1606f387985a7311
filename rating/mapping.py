"""A mapping file: what a sheet cannot say of itself, written down once for each sender.

Reads: TOML.
Gives: Mapping, or MappingRefused, which names the key and the remedy.
Knows nothing of: which names are known without it (rating/columns.py).

    dates = "dmy"            # or "mdy": which comes first in 03/04/2026
    decimal = "comma"        # or "point"
    per = "second"           # prices are for a second; usually for a minute
    increments = "blocks"    # whole calls are rounded up to blocks, as A2Billing does
    worksheet = "Rates"
    positions = ["prefix", "destination", "rate_per_min"]     # for a sheet without header

    [columns]
    "Zone Tariff" = "rate_per_min"
    "Internal Note" = "ignore"
"""

import tomllib
from dataclasses import dataclass
from typing import Any

from rating.cells import Dates, DecimalMark
from rating.columnnames import Field

FIELDS = frozenset(map(str, Field))
COLUMNS_MAX = 500


class MappingRefused(ValueError):
    """The mapping file cannot be used: the key, and what to write."""

    def __init__(self, key: str, remedy: str) -> None:
        """Name the key."""
        super().__init__(f"{key}: {remedy}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """Columns by name or by position, and how the sheet writes; what is not said is found in the sheet."""

    columns: tuple[tuple[str, str], ...] = ()
    positions: tuple[str, ...] = ()
    dates: Dates = Dates.UNSTATED
    decimal_mark: DecimalMark = DecimalMark.UNSTATED
    seconds_per_price: int = 60
    whole_blocks: bool = False
    worksheet: str = ""


PLAIN = Mapping()
"""What holds without a mapping file."""


def read_mapping(text: str) -> Mapping:
    """Return the mapping that a TOML text says."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MappingRefused("the file", f"it is not valid TOML: {error}") from None
    known = {"columns", "positions", "dates", "decimal", "per", "increments", "worksheet"}
    for key in table.keys() - known:
        raise MappingRefused(key, f"there is no such key; there are {', '.join(sorted(known))}")
    worksheet = table.get("worksheet", "")
    if not isinstance(worksheet, str):
        raise MappingRefused("worksheet", "write the sheet's name in quotes")
    return Mapping(
        columns=_columns(table.get("columns", {})),
        positions=_positions(table.get("positions", [])),
        dates=Dates(_one_of(table, "dates", {"dmy": "dmy", "mdy": "mdy"}, "unstated")),
        decimal_mark=DecimalMark(_one_of(table, "decimal", {"point": "point", "comma": "comma"}, "unstated")),
        seconds_per_price=int(_one_of(table, "per", {"second": "1", "minute": "60"}, "60")),
        whole_blocks=_one_of(table, "increments", {"blocks": "blocks", "steps": ""}, "") == "blocks",
        worksheet=worksheet,
    )


def _columns(columns: Any) -> tuple[tuple[str, str], ...]:
    if not isinstance(columns, dict) or len(columns) > COLUMNS_MAX:
        raise MappingRefused("columns", 'write a table of "Name in the sheet" = "field"')
    return tuple((name, _field(name, which)) for name, which in columns.items())


def _positions(positions: Any) -> tuple[str, ...]:
    if not isinstance(positions, list) or len(positions) > COLUMNS_MAX:
        raise MappingRefused("positions", "write a list of fields, one for each column in order")
    fields = tuple(_field("positions", which) for which in positions)
    twice = next((which for which in fields if which != Field.IGNORED and fields.count(which) > 1), None)
    if twice is not None:
        raise MappingRefused("positions", f"{twice!r} stands there twice: write ignore for one of them")
    return fields


def _field(key: str, which: Any) -> str:
    if which not in FIELDS:
        raise MappingRefused(key, f"{which!r} is no field; there are {', '.join(sorted(FIELDS))}")
    return str(which)


def _one_of(table: dict[str, Any], key: str, choices: dict[str, str], otherwise: str) -> str:
    if key not in table:
        return otherwise
    value = table[key]
    if not isinstance(value, str) or value not in choices:
        raise MappingRefused(key, f"write {' or '.join(repr(choice) for choice in choices)}")
    return choices[value]

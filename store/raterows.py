"""Rows of rate decks between the table and RateRow, by the thousand and by the million.

Reads: RateRows; rows of `rates`.
Gives: the rows of a version in the order of prefix and start; those that a number begins with.
Knows nothing of: which version is in force (store/decks.py).

Instants go in and out as the integers they are stored as: a million datetimes take longer than the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, select, type_coerce

from rating.prefixes import PREFIX_DIGITS_MAX
from rating.raterow import RateRow
from rating.ratetable import RateTable
from store.schema import rates

ROWS_READ_AT_ONCE = 2_000
ROWS_WRITTEN_AT_ONCE = 500
"""Some milliseconds, so that nobody else waits for long to write."""

NAMES = (
    *("version_id", "row", "prefix", "band", "valid_from", "valid_till", "destination", "per_minute"),
    *("next_per_minute", "connect_fee", "first_increment_s", "next_increment_s", "blocked"),
    *("surcharge_same_country", "surcharge_eea", "surcharge_non_eea", "surcharge_invalid"),
    *("attempt_fee", "number_digits_min", "number_digits_max"),
)
"""In the order of RateRow."""
COLUMNS = tuple(
    type_coerce(rates.c[name], BigInteger).label(name)
    if name in {"valid_from", "valid_till"}
    else rates.c[name]
    for name in NAMES
)
_INSERT = f"INSERT INTO rates ({', '.join(NAMES)}) VALUES "  # noqa: S608 - names of ours
_MARKS = {"sqlite": "?", "postgresql": "%s"}
_NO_SURCHARGES = (None, None, None, None)
ALL = (
    select(*COLUMNS)
    .where(rates.c.version_id == bindparam("version_id"))
    .order_by(rates.c.prefix, rates.c.valid_from, rates.c.band)
)
CANDIDATES = select(*COLUMNS).where(
    rates.c.version_id == bindparam("version_id"), rates.c.prefix.in_(bindparam("prefixes", expanding=True))
)
# SQLite would search the whole version by its primary key, unless it is told the index.
_BY_INDEX = (
    f"SELECT {', '.join(NAMES)} FROM rates INDEXED BY ix_rates_prefix"  # noqa: S608 - names of ours
    f" WHERE version_id = ? AND prefix IN ({', '.join('?' * PREFIX_DIGITS_MAX)})"
)


def write(connection: Connection, version_id: int, numbered: Iterable[tuple[int, Sequence[Any]]]) -> None:
    """Insert rows of a version, RateRows or their plain tuples, with their numbers."""
    # Straight to the driver: nothing is to be done to values that are what it takes.
    marks = ", ".join([_MARKS[connection.dialect.name]] * len(NAMES))
    values = [
        (version_id, number, *row[:11], *(row[11] or _NO_SURCHARGES), *row[12:]) for number, row in numbered
    ]
    if values:
        connection.exec_driver_sql(f"{_INSERT}({marks})", values)


def read(connection: Connection, version_id: int) -> Iterator[tuple[int, RateRow]]:
    """Yield all rows of a version with their numbers, by prefix and start, few at once."""
    found = connection.execute(
        ALL, {"version_id": version_id}, execution_options={"yield_per": ROWS_READ_AT_ONCE}
    )
    for row in found:
        yield _numbered(row)


def read_table(
    connection: Connection, version_id: int, *, name: str, version: int, currency: str
) -> RateTable:
    """The whole version in memory."""
    return RateTable(read(connection, version_id), version_id=f"{name}:{version}", currency=currency)


def candidates(connection: Connection, version_id: int, digits: str) -> Sequence[tuple[int, RateRow]]:
    """The rows of every prefix of a number, by the index: at most 15 prefixes."""
    # Always as many, so that the statement is always the same; a prefix twice changes nothing.
    prefixes = [digits[: length + 1] for length in range(PREFIX_DIGITS_MAX)]
    if connection.dialect.name == "sqlite":
        found = connection.exec_driver_sql(_BY_INDEX, (version_id, *prefixes))
    else:
        found = connection.execute(CANDIDATES, {"version_id": version_id, "prefixes": prefixes})
    return [_numbered(row) for row in found]


def row_of(row: Row[Any, *tuple[Any, ...]]) -> RateRow:
    """The integers of one row of the table, selected by COLUMNS."""
    return _numbered(row)[1]


def _numbered(row: Sequence[Any]) -> tuple[int, RateRow]:
    _, number, *plain = row
    surcharges = tuple(plain[11:15])
    plain[10:15] = plain[10] == 1, () if surcharges == _NO_SURCHARGES else surcharges
    return number, RateRow._make(plain[:15])

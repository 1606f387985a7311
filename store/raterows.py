"""Rows of rate decks between the table and RateRow, by the thousand and by the million.

Reads: RateRows; rows of `rates`.
Gives: the rows of a version in the order of prefix and start; those that a number begins with.
Knows nothing of: which version is in force (store/decks.py).

Instants go in and out as the integers they are stored as: a million datetimes take longer than the rest.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, Row, bindparam, column, insert, select, table, type_coerce

from rating.prefixes import PREFIX_DIGITS_MAX
from rating.raterow import RateRow
from rating.ratetable import RateTable
from store.schema import rates

ROWS_AT_ONCE = 2_000
"""Read and written together: some ten milliseconds, so that nobody else waits for long."""

NAMES = tuple(each.name for each in rates.columns)
COLUMNS = tuple(
    type_coerce(rates.c[name], BigInteger).label(name)
    if name in {"valid_from", "valid_till"}
    else rates.c[name]
    for name in NAMES
)
# Without types, so that nothing is done to values that are what the driver takes.
_WRITTEN = table("rates", *(column(name) for name in NAMES))
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


def write(connection: Connection, version_id: int, numbered: Iterable[tuple[int, RateRow]]) -> None:
    """Insert rows of a version with their numbers."""
    values = [_values(version_id, number, row) for number, row in numbered]
    for start in range(0, len(values), ROWS_AT_ONCE):
        connection.execute(insert(_WRITTEN), values[start : start + ROWS_AT_ONCE])


def read(connection: Connection, version_id: int) -> Iterator[tuple[int, RateRow]]:
    """Yield all rows of a version with their numbers, by prefix and start, few at once."""
    found = connection.execute(ALL, {"version_id": version_id}, execution_options={"yield_per": ROWS_AT_ONCE})
    for row in found:
        yield row.row, row_of(row)


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
    return [(row.row, row_of(row)) for row in found]


def row_of(row: Row[Any, *tuple[Any, ...]]) -> RateRow:
    """The integers of one row of the table, selected by COLUMNS."""
    surcharges = (
        row.surcharge_same_country,
        row.surcharge_eea,
        row.surcharge_non_eea,
        row.surcharge_invalid,
    )
    return RateRow(
        row.prefix,
        row.band,
        row.valid_from,
        row.valid_till,
        row.destination,
        row.per_minute,
        row.next_per_minute,
        row.connect_fee,
        row.first_increment_s,
        row.next_increment_s,
        bool(row.blocked),
        () if surcharges == (None, None, None, None) else surcharges,
        row.attempt_fee,
        row.number_digits_min,
        row.number_digits_max,
    )


def _values(version_id: int, number: int, row: RateRow) -> dict[str, Any]:
    same_country, eea, non_eea, invalid = row.surcharges or (None, None, None, None)
    return {
        "version_id": version_id,
        "row": number,
        "prefix": row.prefix,
        "destination": row.destination,
        "per_minute": row.per_minute,
        "next_per_minute": row.next_per_minute,
        "connect_fee": row.connect_fee,
        "first_increment_s": row.first_increment_s,
        "next_increment_s": row.next_increment_s,
        "valid_from": row.valid_from,
        "valid_till": row.valid_till,
        "blocked": row.blocked,
        "band": row.band,
        "surcharge_same_country": same_country,
        "surcharge_eea": eea,
        "surcharge_non_eea": non_eea,
        "surcharge_invalid": invalid,
        "attempt_fee": row.attempt_fee,
        "number_digits_min": row.number_digits_min,
        "number_digits_max": row.number_digits_max,
    }

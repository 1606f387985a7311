"""Column types and names that every table shares.

Reads: aware datetimes, integers in 10^-4 or 10^-8 of a currency's unit.
Gives: whole microseconds since 1970 in a 64-bit column; the same datetime back, in UTC.
Knows nothing of: tables.

Why not the database's own types: SQLite keeps NUMERIC as a float and has no instant in time.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Dialect, ForeignKey, Integer, MetaData, Text
from sqlalchemy.types import TypeDecorator

from values.instants import instant_of, micros


class UtcMicros(TypeDecorator[datetime]):
    """An instant as whole microseconds since 1970 in UTC: the same on every engine, and it sorts."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """On the way in."""
        return None if value is None else micros(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """On the way out."""
        return None if value is None else instant_of(value)


NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "pk": "pk_%(table_name)s",
}
"""Constraint names are fixed, so that a migration can name what it changes on either engine."""

metadata = MetaData(naming_convention=NAMES)

SerialType = BigInteger().with_variant(Integer, "sqlite")
"""SQLite counts up only in a column called exactly INTEGER; it is 64 bits wide there all the same."""


def serial() -> Column[int]:
    """A row number that the database gives."""
    return Column("id", SerialType, primary_key=True, autoincrement=True)


def text(name: str, *, default: str | None = None) -> Column[str]:
    """A text that is always there."""
    return Column(name, Text, nullable=False, server_default=default)


def account(*, index: bool = False) -> Column[str]:
    """Whose row it is."""
    return Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=index)


def instant(name: str, *, optional: bool = False) -> Column[datetime]:
    """An instant in UTC."""
    return Column(name, UtcMicros, nullable=optional)


def units(name: str, *, optional: bool = False, default: int | None = None) -> Column[int]:
    """An amount in 10^-4 of its currency's unit, or a rate in 10^-8."""
    given = None if default is None else str(default)
    return Column(name, BigInteger, nullable=optional, server_default=given)

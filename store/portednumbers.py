"""Ported numbers as a dated table: the portability hook's own source.

Reads: what the clerk brings; rows of `ported_numbers`.
Gives: the routing code of a number at an instant.
Knows nothing of: costs; how answers are kept (rating/portability.py).
"""

import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from rating.prefixes import PREFIX_DIGITS_MAX
from store.audit import Author, note
from store.columns import UtcMicros
from store.errors import Invalid
from store.pricetables import ported_numbers
from values.e164 import E164

_CODE = re.compile(rf"[0-9]{{0,{PREFIX_DIGITS_MAX}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PortedNumber:
    """From `valid_from` on the number ends in the network that decks know by `routing_code`; "": at home."""

    number: E164
    routing_code: str
    valid_from: datetime


@dataclass(frozen=True, slots=True)
class PortedNumbers:
    """The table as a rating.portability.Portability."""

    connection: Connection

    def resolve(self, number: E164, at: datetime) -> str:
        """The code that holds at `at`; "" for a number that was never ported."""
        row = self.connection.execute(AT, {"number": str(number), "at": at}).first()
        return "" if row is None else str(row.routing_code)


def set_ported(connection: Connection, wish: PortedNumber, author: Author) -> PortedNumber:
    """Write down where a number is from an instant on; the same instant again replaces what it said."""
    if not _CODE.fullmatch(wish.routing_code):
        remedy = "write the digits of a prefix in the cost decks, such as 447400, or nothing: back at home"
        raise Invalid("routing_code", f"{wish.routing_code!r} is no routing code", remedy)
    row = {"e164": str(wish.number), "valid_from": wish.valid_from, "routing_code": wish.routing_code}
    here = (ported_numbers.c.e164 == row["e164"]) & (ported_numbers.c.valid_from == wish.valid_from)
    before = connection.execute(select(ported_numbers).where(here)).mappings().first()
    if before is None:
        connection.execute(insert(ported_numbers), row)
    else:
        connection.execute(update(ported_numbers).where(here), row)
    note(connection, author, "ported.set", str(wish.number), before=dict(before or {}), after=row)
    return wish


def list_ported(connection: Connection, number: E164 | None = None) -> tuple[PortedNumber, ...]:
    """What is known of a number, or of all, in the order of time."""
    wanted = select(ported_numbers).order_by(ported_numbers.c.e164, ported_numbers.c.valid_from)
    if number is not None:
        wanted = wanted.where(ported_numbers.c.e164 == str(number))
    return tuple(_ported_of(row) for row in connection.execute(wanted).mappings())


AT = (
    select(ported_numbers.c.routing_code)
    .where(
        ported_numbers.c.e164 == bindparam("number"),
        ported_numbers.c.valid_from <= bindparam("at", type_=UtcMicros()),
    )
    .order_by(ported_numbers.c.valid_from.desc())
    .limit(1)
)


def _ported_of(row: RowMapping) -> PortedNumber:
    return PortedNumber(
        number=E164.parse(row["e164"]), routing_code=row["routing_code"], valid_from=row["valid_from"]
    )

"""Which caller IDs a trunk may show where: its permit table.

Reads: what the clerk asks for; rows of `trunk_caller_ids`.
Gives: Permit, for a trunk and a prefix; the longest prefix of a number decides.
Knows nothing of: which caller ID is shown (rating/callerid.py).
"""

import re
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, RowMapping, delete, insert, select

from rating.origin import OriginClass
from rating.prefixes import PREFIX_DIGITS_MAX
from store.audit import Author, note
from store.errors import Invalid, NotFound
from store.pricetables import trunk_caller_ids
from store.trunks import trunk as known_trunk

_PREFIX = re.compile(rf"[0-9]{{0,{PREFIX_DIGITS_MAX}}}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Permit:
    """A trunk may show caller IDs of these classes at numbers with that prefix; "" is every number."""

    trunk: str
    prefix: str
    permitted: frozenset[OriginClass]


def set_permit(connection: Connection, wish: Permit, author: Author) -> Permit:
    """Write a permit, in place of the one for the same trunk and prefix."""
    known_trunk(connection, wish.trunk)
    if not _PREFIX.fullmatch(wish.prefix):
        raise Invalid("prefix", f"{wish.prefix!r} is no prefix", "write digits such as 44, or '' for all")
    before = _find(connection, wish.trunk, wish.prefix)
    connection.execute(delete(trunk_caller_ids).where(_here(wish.trunk, wish.prefix)))
    connection.execute(insert(trunk_caller_ids), _row(wish))
    was = {} if before is None else _row(before)
    note(connection, author, "trunk.caller_id", wish.trunk, before=was, after=_row(wish))
    return wish


def remove_permit(connection: Connection, trunk: str, prefix: str, author: Author) -> None:
    """Take a permit away: the next shorter prefix decides, and without one everything is permitted."""
    before = _find(connection, trunk, prefix)
    if before is None:
        raise NotFound(
            "prefix", f"trunk {trunk!r} has no permit for {prefix!r}", "see `dialback trunk permits`"
        )
    connection.execute(delete(trunk_caller_ids).where(_here(trunk, prefix)))
    note(connection, author, "trunk.caller_id", trunk, before=_row(before))


def list_permits(connection: Connection, trunk: str | None = None) -> tuple[Permit, ...]:
    """The permits of a trunk, or all, by trunk and prefix."""
    wanted = select(trunk_caller_ids).order_by(trunk_caller_ids.c.trunk, trunk_caller_ids.c.prefix)
    if trunk is not None:
        wanted = wanted.where(trunk_caller_ids.c.trunk == trunk)
    return tuple(_permit_of(row) for row in connection.execute(wanted).mappings())


def _find(connection: Connection, trunk: str, prefix: str) -> Permit | None:
    row = connection.execute(select(trunk_caller_ids).where(_here(trunk, prefix))).mappings().first()
    return None if row is None else _permit_of(row)


def _here(trunk: str, prefix: str) -> ColumnElement[bool]:
    return (trunk_caller_ids.c.trunk == trunk) & (trunk_caller_ids.c.prefix == prefix)


def _row(permit: Permit) -> dict[str, str]:
    permitted = ",".join(each for each in OriginClass if each in permit.permitted)
    return {"trunk": permit.trunk, "prefix": permit.prefix, "permitted": permitted}


def _permit_of(row: RowMapping) -> Permit:
    permitted = frozenset(OriginClass(name) for name in row["permitted"].split(",") if name)
    return Permit(trunk=row["trunk"], prefix=row["prefix"], permitted=permitted)

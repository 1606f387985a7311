"""Our own numbers that subscribers ring: who or what stands behind each.

Reads: what the clerk asks for; rows of `dids`.
Gives: Did.
Knows nothing of: what a ring on one leads to (store/candidates.py).
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from store import checks
from store.audit import Author, note
from store.errors import Conflict, Invalid, NotFound
from store.schema import dids, numbers, subscribers
from values.e164 import E164, country_of

SHARED, PERSONAL, DIRECT = "shared", "personal", "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Did:
    """A trigger number. Shared: the caller number tells who rings; personal and direct: `subscriber_id` does.

    A direct one has a fixed `destination`, which one key connects.
    """

    number: E164
    kind: str
    subscriber_id: str | None = None
    destination: E164 | None = None
    country: str = ""


def add_did(connection: Connection, wish: Did, author: Author) -> Did:
    """Put a trigger number into service."""
    checks.one_of("kind", wish.kind, (SHARED, PERSONAL, DIRECT))
    if (wish.subscriber_id is None) != (wish.kind == SHARED):
        remedy = "leave it out" if wish.kind == SHARED else "name the subscriber it belongs to"
        raise Invalid(
            "subscriber", f"a {wish.kind} DID {'has none' if wish.kind == SHARED else 'has one'}", remedy
        )
    if (wish.destination is None) == (wish.kind == DIRECT):
        remedy = (
            "name the number it connects to" if wish.kind == DIRECT else "leave it out, or make it direct"
        )
        raise Invalid(
            "destination", f"a {wish.kind} DID {'has one' if wish.kind == DIRECT else 'has none'}", remedy
        )
    if wish.subscriber_id is not None:
        owner = select(subscribers.c.id).where(subscribers.c.id == wish.subscriber_id)
        if connection.execute(owner).first() is None:
            remedy = "see `dialback subscriber list`"
            raise NotFound("subscriber", f"there is no subscriber {wish.subscriber_id!r}", remedy)
    if is_own_did(connection, wish.number):
        raise Conflict("did", f"{wish.number} is in service already", "remove it first")
    if (
        connection.execute(select(numbers.c.e164).where(numbers.c.e164 == str(wish.number))).first()
        is not None
    ):
        raise Conflict("did", f"{wish.number} is registered as a subscriber's phone", "remove it there first")
    made = Did(
        number=wish.number,
        kind=wish.kind,
        subscriber_id=wish.subscriber_id,
        destination=wish.destination,
        country=wish.country or country_of(wish.number),
    )
    connection.execute(insert(dids), {**_row(made), "created_at": author.at})
    note(connection, author, "did.add", str(made.number), after=_row(made))
    return made


def did(connection: Connection, number: E164) -> Did:
    """The trigger number; NotFound if it is not one of ours."""
    row = connection.execute(FIND, {"number": str(number)}).mappings().first()
    if row is None:
        raise NotFound("did", f"{number} is not in service here", "see `dialback did list`")
    return did_of(row)


def list_dids(connection: Connection) -> tuple[Did, ...]:
    """All trigger numbers in order."""
    return tuple(did_of(row) for row in connection.execute(select(dids).order_by(dids.c.e164)).mappings())


def remove_did(connection: Connection, number: E164, author: Author) -> None:
    """Take a trigger number out of service."""
    before = did(connection, number)
    connection.execute(delete(dids).where(dids.c.e164 == str(number)))
    note(connection, author, "did.remove", str(number), before=_row(before))


def is_own_did(connection: Connection, number: E164) -> bool:
    """Whether that number is a trigger of ours, which nothing of ours may ever ring."""
    return connection.execute(FIND, {"number": str(number)}).first() is not None


def did_of(row: RowMapping) -> Did:
    """The Did of that row."""
    destination = row["destination"]
    return Did(
        number=E164.parse(row["e164"]),
        kind=row["kind"],
        subscriber_id=row["subscriber_id"],
        destination=None if destination is None else E164.parse(destination),
        country=row["country"],
    )


FIND = select(dids).where(dids.c.e164 == bindparam("number"))


def _row(record: Did) -> dict[str, Any]:
    return {
        "e164": str(record.number),
        "kind": record.kind,
        "subscriber_id": record.subscriber_id,
        "destination": None if record.destination is None else str(record.destination),
        "country": record.country,
    }

"""Speed dials, and what else a caller may key instead of a number.

Reads: what the clerk or the web asks for; rows of `speed_dials`, `tag_codes`, `legs`.
Gives: the Directory of a subscriber, as it is now; entries made and taken away.
Knows nothing of: how it is keyed (ivr/dialog.py).

An entry of the subscriber's own comes before one of the whole account under the same code.
"""

import re
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, insert, select

from calls.callback import Callback
from calls.cdr import LegRole
from calls.directory import Directory, SpeedDial, TagCode
from store import checks
from store.accounts import account
from store.audit import Author, note
from store.customertables import speed_dials, tag_codes
from store.errors import Conflict, Invalid, NotFound
from store.schema import accounts, callbacks, legs
from store.subscribers import subscriber
from values.e164 import E164

_CODE = re.compile(r"[1-9][0-9]?")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedDialEntry:
    """A number behind a code; `subscriber_id` is empty for everybody of the account."""

    account_id: str
    subscriber_id: str
    code: str
    number: E164
    name: str = ""


def directory_of(connection: Connection, callback: Callback) -> Directory:
    """What the subscriber of that callback may key now."""
    of_account = {"account_id": callback.account_id}
    dials = {}
    named = of_account | {"subscriber_id": callback.subscriber_id}
    for row in connection.execute(DIALS, named):  # the account's first, so that the subscriber's own win
        dials[row.code] = E164.parse(row.number)
    wants_tag = bool(connection.execute(ASKS_TAG, of_account).scalar())
    codes = connection.execute(CODES, of_account).all() if wants_tag else ()
    last = connection.execute(LAST, {"subscriber_id": callback.subscriber_id}).scalar()
    return Directory(
        speed_dials=tuple(SpeedDial(code=code, number=number) for code, number in dials.items()),
        tag_codes=tuple(TagCode(code=row.code, tag=row.tag) for row in codes),
        last_number=None if last is None else E164.parse(last),
        asks_tag=wants_tag and bool(codes),
    )


def add_speed_dial(connection: Connection, wish: SpeedDialEntry, author: Author) -> SpeedDialEntry:
    """Put a number behind a code; one that is taken is a Conflict."""
    account(connection, wish.account_id)
    if wish.subscriber_id and subscriber(connection, wish.subscriber_id).account_id != wish.account_id:
        raise Conflict(
            "subscriber", f"{wish.subscriber_id!r} is of another account", "name one of this account"
        )
    if not _CODE.fullmatch(wish.code):
        remedy = "write 1 to 99: longer ones are telephone numbers, and 0 is for help"
        raise Invalid("code", f"{wish.code!r} cannot be keyed as a short code", remedy)
    checks.line("name", wish.name, optional=True)
    known = _find(connection, wish)
    if known is not None and known != wish:
        raise Conflict("code", f"{wish.code} is {known.number} already", "remove it first, or take another")
    if known is None:
        connection.execute(insert(speed_dials), _row(wish))
        note(connection, author, "speed_dial.add", wish.account_id, after=_row(wish))
    return wish


def remove_speed_dial(
    connection: Connection, *, account_id: str, subscriber_id: str, code: str, author: Author
) -> None:
    """Take the number behind a code away."""
    key = {"account_id": account_id, "subscriber_id": subscriber_id, "code": code}
    known = connection.execute(select(speed_dials).where(_is(key))).mappings().first()
    if known is None:
        raise NotFound("code", f"there is no number behind {code!r}", "see `dialback speed-dial list`")
    connection.execute(delete(speed_dials).where(_is(key)))
    note(connection, author, "speed_dial.remove", account_id, before=dict(known))


def list_speed_dials(connection: Connection, account_id: str | None = None) -> tuple[SpeedDialEntry, ...]:
    """The entries of an account, or all; those for everybody first."""
    wanted = select(speed_dials).order_by(
        speed_dials.c.account_id, speed_dials.c.subscriber_id, speed_dials.c.code
    )
    if account_id is not None:
        wanted = wanted.where(speed_dials.c.account_id == account_id)
    return tuple(_entry_of(row) for row in connection.execute(wanted).mappings())


DIALS = (
    select(speed_dials.c.code, speed_dials.c.number)
    .where(speed_dials.c.account_id == bindparam("account_id"))
    .where((speed_dials.c.subscriber_id == "") | (speed_dials.c.subscriber_id == bindparam("subscriber_id")))
    .order_by(speed_dials.c.subscriber_id)
)
CODES = select(tag_codes.c.code, tag_codes.c.tag).where(tag_codes.c.account_id == bindparam("account_id"))
ASKS_TAG = select(accounts.c.asks_tag).where(accounts.c.id == bindparam("account_id"))
LAST = (
    select(legs.c.number)
    .join(callbacks, callbacks.c.id == legs.c.callback_id)
    .where(callbacks.c.subscriber_id == bindparam("subscriber_id"))
    .where(legs.c.role == LegRole.B.value, legs.c.ordered_at.is_not(None))
    .order_by(callbacks.c.created_at.desc(), legs.c.ordered_at.desc())
    .limit(1)
)
"""The number dialled last, in whatever callback, reached or not."""


def _is(key: dict[str, str]) -> Any:
    return (
        (speed_dials.c.account_id == key["account_id"])
        & (speed_dials.c.subscriber_id == key["subscriber_id"])
        & (speed_dials.c.code == key["code"])
    )


def _find(connection: Connection, wish: SpeedDialEntry) -> SpeedDialEntry | None:
    row = connection.execute(select(speed_dials).where(_is(_row(wish)))).mappings().first()
    return None if row is None else _entry_of(row)


def _row(entry: SpeedDialEntry) -> dict[str, str]:
    return {
        "account_id": entry.account_id,
        "subscriber_id": entry.subscriber_id,
        "code": entry.code,
        "number": str(entry.number),
        "name": entry.name,
    }


def _entry_of(row: RowMapping) -> SpeedDialEntry:
    return SpeedDialEntry(**{**row, "number": E164.parse(row["number"])})

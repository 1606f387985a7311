"""Who changed what, when and why: the log that nobody edits.

Reads: an Author, what was and what is.
Gives: rows of `audit_log`, written and read; the database forbids changing them.
Knows nothing of: who may change what.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from moneyed import Money
from sqlalchemy import Connection, insert, select

from store.errors import NotFound
from store.schema import audit_log
from values.money import (
    RATE_SCALE,
    decimal_from_units,
    plain,
    plain_decimal,
    rate_from_units,
)

RATES = re.compile(r"per_minute$|^connect_fee$")
"""Fields in 10^-8 of their currency's unit; those that end in `units` are in 10^-4."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who makes a change, when, and for what reason if there is one."""

    at: datetime
    name: str
    reason: str = ""


def note(
    connection: Connection,
    author: Author,
    action: str,
    subject: str,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    currency: str = "",
) -> None:
    """Write down a change: only the fields that differ, in words for people.

    Amounts are written out, in the currency that the fields name, or else in `currency`.
    """
    was, now = dict(before or {}), dict(after or {})
    differing = {name for name in was.keys() | now.keys() if was.get(name) != now.get(name)}
    connection.execute(
        INSERT,
        {
            "at": author.at,
            "actor": author.name,
            "action": action,
            "subject": subject,
            "before": _words(was, differing, currency),
            "after": _words(now, differing, currency),
            "reason": author.reason,
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One change: `before` and `after` tell only the fields that differ."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    before: str
    after: str
    reason: str


def noted(connection: Connection, audit_id: int) -> Noted:
    """The change of that number; NotFound if there is none."""
    row = connection.execute(select(audit_log).where(audit_log.c.id == audit_id)).mappings().first()
    if row is None:
        raise NotFound("id", f"there is no change {audit_id}", "see `dialback audit list`")
    return Noted(**row)


def list_noted(
    connection: Connection,
    *,
    subject: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    last: int | None = None,
) -> tuple[Noted, ...]:
    """Changes that fit every filter, the oldest first; `action` may be a noun alone, `until` is exclusive."""
    wanted = select(audit_log)
    if subject is not None:
        wanted = wanted.where(audit_log.c.subject == subject)
    if actor is not None:
        wanted = wanted.where(audit_log.c.actor == actor)
    if action is not None:
        is_of_noun = audit_log.c.action.startswith(f"{action}.", autoescape=True)
        wanted = wanted.where((audit_log.c.action == action) | is_of_noun)
    if since is not None:
        wanted = wanted.where(audit_log.c.at >= since)
    if until is not None:
        wanted = wanted.where(audit_log.c.at < until)
    newest = wanted.order_by(audit_log.c.id.desc()).limit(last)
    return tuple(Noted(**row) for row in reversed(connection.execute(newest).mappings().all()))


INSERT = insert(audit_log)


def _words(fields: Mapping[str, object], differing: set[str], currency: str) -> str:
    code = str(fields.get("currency") or currency)
    names = sorted(fields.keys() & differing, key=_plain_name)
    return "; ".join(f"{_plain_name(name)}={_word(name, fields[name], code)}" for name in names)


def _plain_name(name: str) -> str:
    return "amount" if name == "units" else name.removesuffix("_units")


def _word(name: str, value: object, currency: str) -> object:
    match value:
        case bool():
            return "yes" if value else "no"
        case None:
            return "none"
        case Money():
            return f"{plain(value)} {value.currency.code}"
        case int() if name == "units" or name.endswith("_units"):
            return f"{plain_decimal(decimal_from_units(value))} {currency}".rstrip()
        case int() if RATES.search(name):
            return f"{plain_decimal(rate_from_units(value), RATE_SCALE)} {currency}".rstrip()
        case _:
            return value

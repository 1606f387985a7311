"""An account as a clerk must see it who has its holder on the telephone: everything on one page.

Reads: the account's rows in the store.
Gives: Sections, each a title, its columns and rows of plain values.
Knows nothing of: how they are printed, where the account's own fields are (staff/account.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from staff import cap as caps_shown
from staff import option as options_shown
from staff.listing import Row, amount, decimal_amount

if TYPE_CHECKING:
    from store.database import Connection

LAST_CALLS = 5
UNBILLED = ("sessions", "amount", "currency")
HOLDS = ("callback", "amount", "currency")
CALLS = ("time", "role", "number", "to", "charged_seconds", "amount", "credited", "tag")
NUMBERS = ("number", "subscriber", "verified_at", "rung_until", "default")
SUBSCRIBERS = ("id", "name", "home_country", "tag")
TAGS = ("code", "prefix", "tag")
SPEED_DIALS = ("code", "number", "subscriber", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the page; `key` is its name in JSON."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def sections(connection: Connection, account_id: str, now: datetime) -> tuple[Section, ...]:
    """Everything about an account beside its own fields."""
    return (
        Section(
            key="unbilled",
            title="Not yet on an invoice",
            columns=UNBILLED,
            rows=_unbilled(connection, account_id),
        ),
        Section(key="holds", title="Held for live calls", columns=HOLDS, rows=_holds(connection, account_id)),
        Section(
            key="caps",
            title="Spending caps",
            columns=caps_shown.LISTED[1:],
            rows=tuple(caps_shown.lines(connection, account_id, now)),
        ),
        Section(
            key="options",
            title="Options",
            columns=("id", "name", "monthly", "currency", "starts_on", "ends_on"),
            rows=tuple(options_shown.lines(connection, account_id)),
        ),
        Section(
            key="subscribers",
            title="Subscribers",
            columns=SUBSCRIBERS,
            rows=_subscribers(connection, account_id),
        ),
        Section(key="numbers", title="Numbers", columns=NUMBERS, rows=_numbers(connection, account_id)),
        Section(key="tags", title="Cost tags", columns=TAGS, rows=_tags(connection, account_id)),
        Section(
            key="speed_dials", title="Speed dials", columns=SPEED_DIALS, rows=_dials(connection, account_id)
        ),
        Section(key="last_calls", title="Last calls", columns=CALLS, rows=_calls(connection, account_id)),
    )


def _unbilled(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store.receivables import unbilled

    return tuple(
        {
            "sessions": each.callbacks,
            "amount": amount(each.units, each.currency),
            "currency": each.currency,
        }
        for each in unbilled(connection, account_id=account_id)
    )


def _holds(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store.ledger import open_holds

    return tuple(
        {"callback": each.id, "amount": amount(each.units, each.currency), "currency": each.currency}
        for each in open_holds(connection, account_id)
    )


def _subscribers(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store import customers

    return tuple(
        {name: getattr(each, name) for name in SUBSCRIBERS}
        for each in customers.list_subscribers(connection, account_id)
    )


def _numbers(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store import customers

    defaults = {each.callback_number for each in customers.list_subscribers(connection, account_id)}
    return tuple(
        {
            "number": each.number,
            "subscriber": each.subscriber_id,
            "verified_at": each.verified_at,
            "rung_until": each.rung_until,
            "default": each.number in defaults,
        }
        for each in customers.list_numbers(connection)
        if each.account_id == account_id
    )


def _tags(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store.tags import list_tags

    return tuple(
        {
            "code": None if each.is_rule else each.digits,
            "prefix": each.digits if each.is_rule else None,
            "tag": each.tag,
        }
        for each in list_tags(connection, account_id)
    )


def _dials(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store.directories import list_speed_dials

    return tuple(
        {"code": each.code, "number": each.number, "subscriber": each.subscriber_id, "name": each.name}
        for each in list_speed_dials(connection, account_id)
    )


def _calls(connection: Connection, account_id: str) -> tuple[Row, ...]:
    from store.cdrs import list_cdrs

    return tuple(
        {
            "time": each.cdr.answered_at or each.cdr.invited_at,
            "role": each.cdr.role,
            "number": each.cdr.number,
            "to": each.charge.destination if each.charge is not None else None,
            "charged_seconds": each.charge.talk_seconds if each.charge is not None else 0,
            "amount": decimal_amount(each.charge.amount, each.charge.currency) if each.charge else None,
            "credited": decimal_amount(each.credited, each.charge.currency) if each.charge else None,
            "tag": each.tag,
        }
        for each in list_cdrs(connection, account_id=account_id, last=LAST_CALLS)
    )

"""All that we know of one account, for the account: its own rows of every table that has any.

Reads: every table that is bound to an account, a subscriber, a callback, a leg or an entry.
Gives: rows as plain values, by table; amounts as exact text, instants in UTC.
Knows nothing of: files. What is ours alone stays here: secrets, carriers, what a call cost us.
"""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, or_, select

from store.accounts import account
from store.columns import metadata
from store.ledger import receivable
from store.schema import accounts, callbacks, cdrs, postings, subscribers
from values.money import AMOUNT_SCALE, RATE_SCALE, decimal_from_units, plain_decimal, rate_from_units

Rows = Sequence[Mapping[str, object]]
OURS_ALONE = re.compile(
    r"secret|hash|token|password|pin$|code$|^cost|_cost|carrier|trunk|channel_id|remote_address|sha256"
)
"""Columns that an account is never shown."""
NOT_TOLD = frozenset({"inbox", "outbox", "idempotency_keys", "holds"})
"""Tables of the machinery: what they say stands in callbacks and entries."""
RATE_COLUMNS = re.compile(r"^(next_)?per_minute$|^connect_fee$|^surcharge")
_SHARED = {"callback_id": callbacks, "leg_id": cdrs, "subscriber_id": subscribers}


def of_account(connection: Connection, account_id: str) -> dict[str, Rows]:
    """The account's rows by table, empty tables left out; NotFound if there is no such account."""
    account(connection, account_id)
    found: dict[str, Rows] = {}
    for table in metadata.sorted_tables:
        bound = _bound(table, account_id)
        if bound is not None and table.name not in NOT_TOLD:
            query = select(table).where(bound).order_by(*table.primary_key.columns)
            rows = [_told(table, row) for row in connection.execute(query).mappings()]
            if rows:
                found[table.name] = rows
    return found


def _bound(table: Table, account_id: str) -> ColumnElement[bool] | None:
    """Which rows of the table are the account's; None where none is."""
    if table is accounts:
        return accounts.c.id == account_id
    if table.name == "entries":
        return table.c.id.in_(_entries_of(account_id))
    if table is postings:
        return postings.c.ledger_account_id == str(receivable(account_id))
    conditions: list[ColumnElement[bool]] = []
    if "account_id" in table.c:
        conditions.append(table.c.account_id == account_id)
    else:
        for column, owner in _SHARED.items():
            if column in table.c and table is not owner:
                key = owner.primary_key.columns.values()[0]
                mine = select(key).where(owner.c.account_id == account_id)
                conditions.append(table.c[column].in_(mine))
    return or_(*conditions) if conditions else None


def _entries_of(account_id: str) -> Any:
    return select(postings.c.entry_id).where(postings.c.ledger_account_id == str(receivable(account_id)))


def _told(table: Table, row: Mapping[Any, Any]) -> dict[str, object]:
    return {
        name.removesuffix("_units") if name != "units" else "amount": _plain(name, row[name])
        for name in table.c.keys()  # noqa: SIM118 - a collection of columns is no dict
        if not OURS_ALONE.search(name)
    }


def _history(value: object) -> object:
    """What an event said, without what is ours alone, however deep."""
    match value:
        case dict():
            return {name: _history(each) for name, each in value.items() if not OURS_ALONE.search(name)}
        case list():
            return [_history(each) for each in value]
        case _:
            return value


def _plain(name: str, value: object) -> object:
    match value:
        case bool() | None:
            return value
        case str() if name == "detail":
            return _history(json.loads(value))
        case datetime():
            return value.isoformat()
        case int() if name == "units" or name.endswith("_units"):
            return plain_decimal(decimal_from_units(value), AMOUNT_SCALE)
        case int() if RATE_COLUMNS.match(name):
            return plain_decimal(rate_from_units(value), RATE_SCALE)
        case int() | str():
            return value
        case _:
            return str(value)

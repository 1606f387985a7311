"""The country policy that is in force here.

Reads: calls.policy.PolicyRows, shipped or changed by an operator; rows of `country_policy`.
Gives: the same rows.
Knows nothing of: what they mean for a number (calls/policy.py).
"""

from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from calls.policy import PolicyDirection, PolicyKind, PolicyRow, PolicyStatus
from store.audit import Author, note
from store.schema import country_policy as table


def country_policy(connection: Connection) -> tuple[PolicyRow, ...]:
    """Every row."""
    return tuple(
        PolicyRow(
            **{
                **row,
                "direction": PolicyDirection(row["direction"]),
                "kind": PolicyKind(row["kind"]),
                "status": PolicyStatus(row["status"]),
            }
        )
        for row in connection.execute(ALL).mappings()
    )


def replace_country_policy(connection: Connection, rows: Iterable[PolicyRow], author: Author) -> int:
    """Put these rows in place of all others; how many they are."""
    values = [_values(row) for row in rows]
    before = len(country_policy(connection))
    connection.execute(delete(table))
    if values:
        connection.execute(insert(table), values)
    note(
        connection,
        author,
        "policy.replace",
        "country policy",
        before={"rows": before},
        after={"rows": len(values)},
    )
    return len(values)


ALL = select(table).order_by(table.c.prefix, table.c.direction, table.c.kind, table.c.source_date)


def _values(row: PolicyRow) -> dict[str, Any]:
    words = {"direction": row.direction.value, "kind": row.kind.value, "status": row.status.value}
    return {field.name: getattr(row, field.name) for field in fields(row)} | words

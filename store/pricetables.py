"""Tables of prices beside decks and plans: packages of minutes, what trunks may show, ported numbers.

Reads: nothing.
Gives: one Table for each.
Knows nothing of: what stands in them means. They belong to store/schema.py's metadata.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from store.columns import account, instant, metadata, text

# What a month gave to an account when it was opened. Never changed.
packages = Table(
    "packages",
    metadata,
    account(),
    text("month"),
    text("plan_id"),
    Column("granted_seconds", Integer, nullable=False),
    Column("carried_seconds", Integer, nullable=False),
    instant("opened_at"),
    PrimaryKeyConstraint("account_id", "month"),
)

# What a leg used of it; re-rating adds a revision with the difference. Never changed.
package_uses = Table(
    "package_uses",
    metadata,
    Column("leg_id", Text, ForeignKey("cdrs.leg_id"), nullable=False),
    Column("revision", Integer, nullable=False),
    account(),
    text("month"),
    Column("seconds", Integer, nullable=False),
    PrimaryKeyConstraint("leg_id", "revision"),
    Index("ix_package_uses_account", "account_id", "month"),
)

# Seconds set aside for a callback that runs, as a hold is; gone when it is settled.
package_promises = Table(
    "package_promises",
    metadata,
    Column("callback_id", Text, ForeignKey("callbacks.id"), primary_key=True),
    account(index=True),
    Column("seconds", Integer, nullable=False),
    CheckConstraint("seconds > 0", name="seconds"),
)

# Which classes of caller IDs a trunk may show at a prefix; "" is every prefix.
trunk_caller_ids = Table(
    "trunk_caller_ids",
    metadata,
    Column("trunk", Text, ForeignKey("trunks.name"), nullable=False),
    text("prefix"),
    text("permitted"),
    PrimaryKeyConstraint("trunk", "prefix"),
)

# From an instant on a number is in another network; "" is back at home.
ported_numbers = Table(
    "ported_numbers",
    metadata,
    text("e164"),
    instant("valid_from"),
    text("routing_code"),
    PrimaryKeyConstraint("e164", "valid_from"),
)

"""The tables of money in: acts and their references, exchange rates, and what a credit note or voucher is.

Reads: nothing.
Gives: one Table for each; store/schema.py has them with all others.
Knows nothing of: what stands in them means; the rules live in billing/ and in the modules of their names.
"""

from sqlalchemy import (
    Column,
    Date,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from store.columns import instant, metadata, serial, text, units

# Every act of a person upon money, by the reference that names it: the same one told twice is found here.
# `units` is what it did to the account's balance; `content` is all that a repetition must say again.
money_acts = Table(
    "money_acts",
    metadata,
    Column("account_id", Text, nullable=False),
    Column("reference", Text, nullable=False),
    text("action"),
    text("currency"),
    units("units"),
    text("content"),
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    instant("at"),
    PrimaryKeyConstraint("account_id", "reference"),
    Index("ix_money_acts_entry", "entry_id"),
)

# From `valid_on` until the next: one unit of base is `rate` 10^-8 units of quote. A later row corrects.
exchange_rates = Table(
    "exchange_rates",
    metadata,
    serial(),
    text("base"),
    text("quote"),
    Column("valid_on", Date, nullable=False),
    units("rate"),
    text("source"),
    text("created_by"),
    instant("created_at"),
    Index("ix_exchange_rates_pair", "base", "quote", "valid_on"),
)

# What was paid in another currency than the account's, beside its entry.
conversions = Table(
    "conversions",
    metadata,
    Column("entry_id", Text, ForeignKey("entries.id"), primary_key=True),
    text("paid_currency"),
    units("paid_units"),
    text("currency"),
    units("units"),
    text("base"),
    text("quote"),
    units("rate"),
    Column("rate_on", Date, nullable=False),
)

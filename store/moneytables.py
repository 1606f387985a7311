"""The tables of money in: acts and their references, exchange rates, and what a credit note or voucher is.

Reads: nothing.
Gives: one Table for each; store/schema.py has them with all others.
Knows nothing of: what stands in them means; the rules live in billing/ and in the modules of their names.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from store.columns import account, instant, metadata, serial, text, units

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

# One for each credit note; `sequence` has no gaps. `leg_id` is empty where a whole session is credited.
credit_notes = Table(
    "credit_notes",
    metadata,
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    text("number"),
    account(index=True),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False, index=True),
    text("leg_id"),
    text("currency"),
    units("units"),
    units("tax_units"),
    text("reason"),
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    instant("issued_at"),
    text("issued_by"),
    UniqueConstraint("number"),
    UniqueConstraint("entry_id"),
    CheckConstraint("units > 0 AND tax_units >= 0", name="units"),
)

# A line that the account does not accept; it is decided once.
disputes = Table(
    "disputes",
    metadata,
    Column("id", Text, primary_key=True),
    account(index=True),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False),
    text("leg_id"),
    text("reason"),
    instant("opened_at"),
    text("opened_by"),
    text("state"),
    instant("decided_at", optional=True),
    text("decided_by", default=""),
    text("decision", default=""),
    text("credit_note", default=""),
    CheckConstraint("state IN ('open', 'accepted', 'rejected')", name="state"),
    Index(
        "ix_disputes_open",
        "leg_id",
        unique=True,
        sqlite_where=sql("state = 'open'"),
        postgresql_where=sql("state = 'open'"),
    ),
)

voucher_batches = Table(
    "voucher_batches",
    metadata,
    Column("id", Text, primary_key=True),
    text("currency"),
    units("units"),
    Column("count", Integer, nullable=False),
    instant("expires_at"),
    text("reason"),
    instant("created_at"),
    text("created_by"),
    CheckConstraint("units > 0 AND count > 0", name="units"),
)

# The secret is known here by a slow hash alone.
vouchers = Table(
    "vouchers",
    metadata,
    Column("serial", Text, primary_key=True),
    Column("batch_id", Text, ForeignKey("voucher_batches.id"), nullable=False, index=True),
    text("secret_hash"),
    text("state"),
    Column("account_id", Text, ForeignKey("accounts.id")),
    Column("entry_id", Text, ForeignKey("entries.id")),
    instant("ended_at", optional=True),
    UniqueConstraint("secret_hash"),
    CheckConstraint("state IN ('new', 'redeemed', 'void')", name="state"),
)

# Secrets that were tried for an account and are none: few are allowed in a day.
voucher_tries = Table(
    "voucher_tries",
    metadata,
    serial(),
    account(),
    instant("at"),
    Index("ix_voucher_tries_account", "account_id", "at"),
)

# `threshold` is a percentage of the credit limit, or an amount in units.
alert_rules = Table(
    "alert_rules",
    metadata,
    account(),
    text("kind"),
    Column("threshold", BigInteger, nullable=False),
    PrimaryKeyConstraint("account_id", "kind", "threshold"),
)

# Each rule speaks once a month; `month` is that of the account's zone, such as 2026-03.
alerts = Table(
    "alerts",
    metadata,
    account(),
    text("kind"),
    Column("threshold", BigInteger, nullable=False),
    text("month"),
    Column("at", instant("at").type, nullable=False, index=True),
    text("currency"),
    units("balance_units"),
    units("credit_limit_units"),
    PrimaryKeyConstraint("account_id", "kind", "threshold", "month"),
)

# A fee for paying late, from the day on which it was printed in the plan's price list.
late_fees = Table(
    "late_fees",
    metadata,
    Column("plan_name", Text, ForeignKey("plans.name"), nullable=False),
    Column("printed_on", Date, nullable=False),
    units("units"),
    instant("created_at"),
    text("created_by"),
    PrimaryKeyConstraint("plan_name", "printed_on"),
)

# What was done about an invoice that is not paid. `round` counts how often it was paid and became open again;
# `lifted` ends a round. `before` is what is put back then: a credit limit in units, a state.
dunning_steps = Table(
    "dunning_steps",
    metadata,
    Column("number", Text, ForeignKey("invoices.number"), nullable=False),
    Column("round", Integer, nullable=False),
    text("stage"),
    account(index=True),
    Column("due_on", Date, nullable=False),
    instant("done_at"),
    text("done_by"),
    units("open_units"),
    text("before", default=""),
    text("told", default=""),
    PrimaryKeyConstraint("number", "round", "stage"),
)

"""The tables of what an account has agreed beside its prices: plans by date, evidence, options, caps, codes.

Reads: nothing.
Gives: one Table for each, with its keys, checks and indexes; store/schema.py brings them together.
Knows nothing of: what stands in them means.
"""

from sqlalchemy import (
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from store.columns import SerialType, account, instant, metadata, serial, text, units

# Which plan holds from when. Never changed: a later row with an earlier or the same instant wins.
account_plans = Table(
    "account_plans",
    metadata,
    serial(),
    account(),
    Column("plan_name", Text, ForeignKey("plans.name"), nullable=False),
    instant("effective_at"),
    instant("decided_at"),
    text("decided_by"),
    Index("ix_account_plans_account", "account_id", "effective_at"),
)

# What shows in which country a consumer lives; kept as it was seen.
tax_evidence = Table(
    "tax_evidence",
    metadata,
    serial(),
    account(index=True),
    text("kind"),
    text("country"),
    text("detail"),
    instant("seen_at"),
    text("seen_by"),
    CheckConstraint("kind IN ('address', 'bank', 'ip', 'sim', 'fixed_line')", name="kind"),
)

# `subscriber_id` is empty where a row is for the whole account.

speed_dials = Table(
    "speed_dials",
    metadata,
    account(),
    text("subscriber_id", default=""),
    text("code"),
    text("number"),
    text("name", default=""),
    PrimaryKeyConstraint("account_id", "subscriber_id", "code"),
)

tag_codes = Table(
    "tag_codes", metadata, account(), text("code"), text("tag"), PrimaryKeyConstraint("account_id", "code")
)

tag_rules = Table(
    "tag_rules",
    metadata,
    account(),
    text("prefix"),
    text("tag"),
    PrimaryKeyConstraint("account_id", "prefix"),
)

spend_caps = Table(
    "spend_caps",
    metadata,
    account(),
    text("subscriber_id", default=""),
    text("period"),
    units("cap_units"),
    PrimaryKeyConstraint("account_id", "subscriber_id", "period"),
    CheckConstraint("period IN ('day', 'week', 'month')", name="period"),
    CheckConstraint("cap_units >= 0", name="cap"),
)

# Fees by the month. `ends_on` is the first day on which it is no more; empty: until somebody ends it.
account_options = Table(
    "account_options",
    metadata,
    Column("id", Text, primary_key=True),
    account(index=True),
    text("name"),
    units("monthly_units"),
    text("currency"),
    text("tax_group"),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    instant("created_at"),
    CheckConstraint("monthly_units >= 0", name="monthly"),
    CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name="dates"),
)

# One row for each code that was ordered; the code itself is nowhere.
number_codes = Table(
    "number_codes",
    metadata,
    Column("callback_id", Text, ForeignKey("callbacks.id"), primary_key=True),
    Column("number", Text, nullable=False, index=True),
    account(),
    instant("made_at"),
    instant("expires_at"),
    Column("tries_left", Integer, nullable=False),
    text("state"),
    text("made_by"),
    CheckConstraint("state IN ('open', 'used', 'spent', 'replaced')", name="state"),
)

# Each link that was sent or shown, by which its holder confirms an address; its token is nowhere.
email_links = Table(
    "email_links",
    metadata,
    serial(),
    account(index=True),
    text("email"),
    instant("made_at"),
    text("made_by"),
    Index("ix_email_links_made_at", "made_at"),
)

# That somebody followed such a link, once for each account and address. It holds wherever the account has
# that address, also after it had another one.
email_confirmations = Table(
    "email_confirmations",
    metadata,
    account(),
    text("email"),
    Column("link_id", SerialType, ForeignKey("email_links.id"), nullable=False),
    instant("confirmed_at"),
    text("confirmed_by"),
    PrimaryKeyConstraint("account_id", "email"),
)

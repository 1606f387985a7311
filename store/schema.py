"""The tables.

Reads: nothing.
Gives: one Table for each, with its keys, checks and indexes.
Knows nothing of: what stands in them means; the rules live on the floors below.

Amounts are `…_units` (10^-4 of the currency's unit), prices in rate rows 10^-8; instants are UtcMicros;
telephone numbers are text, `+` and digits. That `entries`, `postings` and other books are never changed is
held by triggers, which store/migrations makes.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import text as sql

from store import (  # noqa: F401 - whoever has this module has all tables
    customertables,
    invoicetables,
    pricetables,
    reratingtables,
)
from store.columns import SerialType, account, instant, metadata, serial, text, units
from store.moneytables import conversions as conversions  # noqa: PLC0414 - all tables are met here
from store.moneytables import exchange_rates as exchange_rates  # noqa: PLC0414
from store.moneytables import money_acts as money_acts  # noqa: PLC0414

# who pays, who calls

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    text("name"),
    text("kind"),
    text("state"),
    text("currency"),
    text("zone"),
    Column("plan_name", Text, ForeignKey("plans.name"), nullable=False),
    units("credit_limit_units"),
    text("billing_address", default=""),
    text("billing_email", default=""),
    text("tax_id", default=""),
    text("tax_place", default=""),
    text("bill_cycle", default="monthly"),
    Column("masks_numbers", Boolean(create_constraint=False), nullable=False, server_default=false()),
    Column("asks_tag", Boolean(create_constraint=False), nullable=False, server_default=false()),
    # 0 is no limit.
    Column("callbacks_max", Integer, nullable=False, server_default="0"),
    instant("created_at"),
    instant("closed_at", optional=True),
    CheckConstraint("kind IN ('postpaid', 'prepaid')", name="kind"),
    CheckConstraint("state IN ('open', 'suspended', 'closed')", name="state"),
    CheckConstraint("credit_limit_units >= 0", name="credit_limit"),
)

subscribers = Table(
    "subscribers",
    metadata,
    Column("id", Text, primary_key=True),
    account(index=True),
    text("name"),
    text("home_country"),
    text("language", default="en"),
    Column("callback_number", Text),
    text("tag", default=""),
    instant("created_at"),
)

numbers = Table(
    "numbers",
    metadata,
    Column("e164", Text, primary_key=True),
    account(),
    Column("subscriber_id", Text, ForeignKey("subscribers.id"), nullable=False, index=True),
    instant("registered_at"),
    instant("verified_at", optional=True),
    text("verified_by", default=""),
    # A traveller's number is rung until then, and not at all afterwards.
    instant("rung_until", optional=True),
)

dids = Table(
    "dids",
    metadata,
    Column("e164", Text, primary_key=True),
    text("kind"),
    Column("subscriber_id", Text, ForeignKey("subscribers.id"), index=True),
    Column("destination", Text),
    text("country"),
    instant("created_at"),
    CheckConstraint("kind IN ('shared', 'personal', 'direct')", name="kind"),
    CheckConstraint("(kind = 'shared') = (subscriber_id IS NULL)", name="owner"),
    CheckConstraint("(kind = 'direct') = (destination IS NOT NULL)", name="destination"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    account(index=True),
    text("name"),
    text("secret_hash"),
    instant("created_at"),
    instant("revoked_at", optional=True),
    UniqueConstraint("secret_hash"),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("api_key_id", Text, nullable=False),
    Column("key", Text, nullable=False),
    text("request_hash"),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False),
    Column("created_at", instant("created_at").type, nullable=False, index=True),
    PrimaryKeyConstraint("api_key_id", "key"),
)

# price terms

decks = Table(
    "decks",
    metadata,
    Column("name", Text, primary_key=True),
    text("kind"),
    text("currency"),
    instant("created_at"),
    CheckConstraint("kind IN ('sell', 'cost')", name="kind"),
)

deck_versions = Table(
    "deck_versions",
    metadata,
    serial(),
    Column("deck_name", Text, ForeignKey("decks.name"), nullable=False),
    Column("version", Integer, nullable=False),
    instant("effective_at"),
    instant("created_at"),
    text("created_by", default=""),
    Column("rows", Integer, nullable=False),
    instant("staged_at", optional=True),
    instant("approved_at", optional=True),
    text("approved_by", default=""),
    instant("withdrawn_at", optional=True),
    text("sheet", default="a-z"),
    text("source", default=""),
    text("source_hash", default=""),
    Column("base_version", Integer, nullable=False, server_default="0"),
    Column("rejected", Integer, nullable=False, server_default="0"),
    Column("held", Integer, nullable=False, server_default="0"),
    UniqueConstraint("deck_name", "version"),
)

deck_findings = Table(
    "deck_findings",
    metadata,
    Column("version_id", SerialType, ForeignKey("deck_versions.id"), nullable=False),
    Column("number", Integer, nullable=False),
    text("kind"),
    Column("row", Integer, nullable=False),
    text("prefix"),
    text("told"),
    PrimaryKeyConstraint("version_id", "number"),
)

# A rate is named `<deck>:<version>:<row>` outside: readable on an invoice, and found here by its key.
rates = Table(
    "rates",
    metadata,
    Column("version_id", SerialType, ForeignKey("deck_versions.id"), nullable=False),
    Column("row", Integer, nullable=False),
    text("prefix"),
    text("destination"),
    units("per_minute"),
    units("next_per_minute", optional=True),
    units("connect_fee", optional=True),
    Column("first_increment_s", Integer),
    Column("next_increment_s", Integer),
    instant("valid_from"),
    instant("valid_till", optional=True),
    Column("blocked", Boolean(create_constraint=False), nullable=False),
    text("band", default=""),
    units("surcharge_same_country", optional=True),
    units("surcharge_eea", optional=True),
    units("surcharge_non_eea", optional=True),
    units("surcharge_invalid", optional=True),
    units("attempt_fee", optional=True),
    Column("number_digits_min", Integer),
    Column("number_digits_max", Integer),
    PrimaryKeyConstraint("version_id", "row"),
    Index("ix_rates_prefix", "version_id", "prefix"),
    sqlite_with_rowid=False,
)

plans = Table("plans", metadata, Column("name", Text, primary_key=True), instant("created_at"))

plan_versions = Table(
    "plan_versions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("plan_name", Text, ForeignKey("plans.name"), nullable=False),
    Column("version", Integer, nullable=False),
    instant("effective_at"),
    text("currency"),
    Column("deck_name", Text, ForeignKey("decks.name"), nullable=False),
    Column("first_increment_s", Integer, nullable=False),
    Column("next_increment_s", Integer, nullable=False),
    Column("free_below_seconds", Integer, nullable=False),
    text("a_leg_policy"),
    units("connect_fee"),
    text("follow_on_key"),
    text("in_call_key"),
    Column("talk_seconds_max", Integer, nullable=False),
    Column("margin_floor_hundredths", Integer, nullable=False),
    instant("created_at"),
    units("margin_floor_per_minute", optional=True),
    text("zone", default="UTC"),
    text("bands", default=""),
    units("call_price_min_units", optional=True),
    units("call_price_max_units", optional=True),
    Column("amount_places", Integer, nullable=False, server_default="4"),
    units("monthly_fee_units", default=0),
    units("monthly_fee_waived_from_units", optional=True),
    Column("package_seconds", Integer, nullable=False, server_default="0"),
    Column("package_rolls_over", Boolean(create_constraint=False), nullable=False, server_default=false()),
    text("package_prefixes", default=""),
    units("overage_per_minute", optional=True),
    UniqueConstraint("plan_name", "version"),
)

trunks = Table(
    "trunks",
    metadata,
    Column("name", Text, primary_key=True),
    text("carrier"),
    Column("cost_deck", Text, ForeignKey("decks.name"), nullable=False),
    Column("channels_max", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("enabled", Boolean(create_constraint=False), nullable=False),
    instant("created_at"),
    Column("asr_floor_percent", Integer, nullable=False, server_default="0"),
    Column("acd_floor_seconds", Integer, nullable=False, server_default="0"),
    # Whose clock its bands go by, and the bands that its cost deck may name.
    text("zone", default="UTC"),
    text("bands", default=""),
)

country_policy = Table(
    "country_policy",
    metadata,
    text("prefix"),
    text("direction"),
    text("kind"),
    text("status"),
    text("reason"),
    text("source"),
    Column("source_date", Date, nullable=False),
    Column("review_date", Date),
    text("reviewer", default=""),
    PrimaryKeyConstraint("prefix", "direction", "kind", "source_date"),
)

# calls

triggers = Table(
    "triggers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("received_at", instant("received_at").type, nullable=False, index=True),
    instant("released_at", optional=True),
    text("channel_id", default=""),
    text("did_raw"),
    Column("did", Text),
    text("caller_raw"),
    text("caller_name_raw", default=""),
    Column("caller", Text),
    text("trunk"),
    text("outcome"),
    text("reason", default=""),
    Column("account_id", Text),
    Column("callback_id", Text, index=True),
    # Since when its numbers are masked; until then the partial index has it.
    instant("masked_at", optional=True),
    Index(
        "ix_triggers_unmasked",
        "received_at",
        sqlite_where=sql("masked_at IS NULL"),
        postgresql_where=sql("masked_at IS NULL"),
    ),
)

callbacks = Table(
    "callbacks",
    metadata,
    Column("id", Text, primary_key=True),
    text("state"),
    account(),
    Column("subscriber_id", Text, ForeignKey("subscribers.id"), nullable=False),
    text("plan_id"),
    text("currency"),
    text("origin_kind"),
    instant("received_at"),
    Column("did", Text),
    text("trunk"),
    text("caller_number_raw"),
    Column("caller_number", Text),
    text("trigger_id"),
    text("idempotency_key"),
    text("reference"),
    text("topic"),
    text("tag"),
    text("remote_address"),
    text("number_a"),
    Column("caller_id_a", Text),
    instant("created_at"),
    instant("expires_at"),
    text("home_country"),
    text("language"),
    Column("destination", Text),
    instant("dial_at", optional=True),
    instant("deadline_at", optional=True),
    Column("attempts_max", Integer, nullable=False),
    text("retry_gaps_seconds"),
    Column("quick_retry_used", Boolean(create_constraint=False), nullable=False),
    text("follow_on_key"),
    text("in_call_key"),
    units("hold_units"),
    Column("ending", Text),
    Column("reason", Text),
    instant("ended_at", optional=True),
    text("cancelled_by"),
    # Written by whoever wants it cancelled; the conductor takes it from the inbox and decides.
    text("cancel_requested_by", default=""),
    # Since when its numbers are masked.
    instant("masked_at", optional=True),
    Index("ix_callbacks_account", "account_id", "created_at"),
    Index("ix_callbacks_subscriber", "subscriber_id", "created_at"),
    Index("ix_callbacks_created", "created_at"),
    Index(
        "ix_callbacks_live",
        "subscriber_id",
        sqlite_where=sql("ended_at IS NULL"),
        postgresql_where=sql("ended_at IS NULL"),
    ),
    Index(
        "ix_callbacks_unmasked",
        "ended_at",
        sqlite_where=sql("masked_at IS NULL"),
        postgresql_where=sql("masked_at IS NULL"),
    ),
)

legs = Table(
    "legs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("planned", Boolean(create_constraint=False), nullable=False),
    text("role"),
    text("number"),
    text("trunk"),
    Column("caller_id_shown", Text),
    text("price_rate_id"),
    text("cost_rate_id"),
    Column("ring_seconds", Integer, nullable=False),
    Column("talk_seconds_max", Integer, nullable=False),
    instant("ordered_at", optional=True),
    instant("invited_at", optional=True),
    instant("rang_at", optional=True),
    instant("answered_at", optional=True),
    instant("accepted_at", optional=True),
    instant("hung_up_at", optional=True),
    Column("q850_cause", Integer),
    Column("released_by", Text),
    Column("estimated", Boolean(create_constraint=False), nullable=False),
    text("origin_class", default=""),
    units("surcharge_per_minute", default=0),
    Column("package_seconds", Integer, nullable=False, server_default="0"),
    text("tag", default=""),
    # Legs older than this column have none.
    instant("authorised_at", optional=True),
    Index(
        "ix_legs_live",
        "trunk",
        sqlite_where=sql("ordered_at IS NOT NULL AND hung_up_at IS NULL"),
        postgresql_where=sql("ordered_at IS NOT NULL AND hung_up_at IS NULL"),
    ),
)

callback_log = Table(
    "callback_log",
    metadata,
    serial(),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False, index=True),
    instant("at"),
    text("state"),
    text("event"),
    text("detail"),
)

outbox = Table(
    "outbox",
    metadata,
    serial(),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False),
    Column("sequence", Integer, nullable=False),
    text("kind"),
    text("body"),
    instant("committed_at"),
    instant("done_at", optional=True),
    Index(
        "ix_outbox_undone",
        "callback_id",
        sqlite_where=sql("done_at IS NULL"),
        postgresql_where=sql("done_at IS NULL"),
    ),
)

# What other processes, or the web, ask of the conductor; a row is deleted when it is taken.
inbox = Table(
    "inbox",
    metadata,
    serial(),
    text("callback_id"),
    text("kind"),
    text("by"),
    sqlite_autoincrement=True,
)

# the books

# One row for each column in the books and currency. The balance is kept beside its postings so that asking
# for it costs nothing; store/verify.py derives it anew and compares.
ledger_accounts = Table(
    "ledger_accounts",
    metadata,
    text("id"),
    text("currency"),
    Column("balance_units", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", "currency"),
)

entries = Table(
    "entries",
    metadata,
    Column("id", Text, primary_key=True),
    text("kind"),
    Column("at", instant("at").type, nullable=False, index=True),
    text("reference"),
    text("reason", default=""),
    Index("ix_entries_reference", "reference", "kind"),
    Index("ix_entries_kind", "kind", "at"),
)

postings = Table(
    "postings",
    metadata,
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    Column("position", Integer, nullable=False),
    text("ledger_account_id"),
    text("currency"),
    units("units"),
    PrimaryKeyConstraint("entry_id", "position"),
    ForeignKeyConstraint(
        ["ledger_account_id", "currency"],
        ["ledger_accounts.id", "ledger_accounts.currency"],
        name="fk_postings_ledger_account",
    ),
    Index("ix_postings_ledger_account", "ledger_account_id", "currency"),
)

holds = Table(
    "holds",
    metadata,
    Column("id", Text, primary_key=True),
    account(),
    text("currency"),
    units("units"),
    text("state"),
    instant("opened_at"),
    instant("ended_at", optional=True),
    units("posted_units"),
    CheckConstraint("units >= 0 AND posted_units >= 0", name="units"),
    Index(
        "ix_holds_open",
        "account_id",
        sqlite_where=sql("state = 'open'"),
        postgresql_where=sql("state = 'open'"),
    ),
)

cdrs = Table(
    "cdrs",
    metadata,
    Column("leg_id", Text, primary_key=True),
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False, index=True),
    account(),
    text("role"),
    text("number"),
    text("trunk"),
    instant("invited_at"),
    instant("rang_at", optional=True),
    instant("answered_at", optional=True),
    instant("accepted_at", optional=True),
    instant("hung_up_at"),
    Column("q850_cause", Integer, nullable=False),
    text("disposition"),
    Column("estimated", Boolean(create_constraint=False), nullable=False),
    instant("session_ended_at"),
    text("tag", default=""),
    # The leg's id lets a month be summed without a look at the records, which lie all over the file.
    Index("ix_cdrs_account", "account_id", "session_ended_at", "leg_id"),
    Index("ix_cdrs_ended", "session_ended_at"),
    Index("ix_cdrs_trunk", "trunk", "hung_up_at"),
)

# One row for each callback whose books are closed: settling twice finds it here.
settlements = Table(
    "settlements",
    metadata,
    Column("callback_id", Text, ForeignKey("callbacks.id"), primary_key=True),
    account(),
    Column("entry_id", Text, ForeignKey("entries.id")),
    text("plan_id"),
    text("currency"),
    units("gross_units"),
    units("waived_units"),
    instant("ended_at"),
    Index("ix_settlements_account", "account_id", "ended_at"),
    Index("ix_settlements_ended", "ended_at", "callback_id"),
    Index(
        "ix_settlements_waived",
        "ended_at",
        sqlite_where=sql("waived_units > 0"),
        postgresql_where=sql("waived_units > 0"),
    ),
)

# Re-rating adds a revision; the latest one counts. Nothing here is ever edited.
charges = Table(
    "charges",
    metadata,
    Column("leg_id", Text, ForeignKey("cdrs.leg_id"), nullable=False),
    Column("revision", Integer, nullable=False),
    text("entry_id"),
    text("plan_id"),
    text("currency"),
    Column("talk_seconds", Integer, nullable=False),
    Column("billed_seconds", Integer, nullable=False),
    text("rate_id"),
    text("prefix"),
    text("destination"),
    units("per_minute"),
    units("next_per_minute"),
    units("connect_fee"),
    Column("first_increment_s", Integer, nullable=False),
    Column("next_increment_s", Integer, nullable=False),
    units("amount_units"),
    text("steps"),
    text("cost_rate_id"),
    text("cost_currency"),
    Column("cost_seconds", Integer, nullable=False),
    units("cost_units"),
    text("cost_steps"),
    Column("package_seconds", Integer, nullable=False, server_default="0"),
    units("surcharge_per_minute", default=0),
    text("band", default=""),
    PrimaryKeyConstraint("leg_id", "revision"),
)

# What a carrier asks for a leg that nobody answered; no row where it asks nothing. Never changed.
attempt_costs = Table(
    "attempt_costs",
    metadata,
    Column("leg_id", Text, ForeignKey("cdrs.leg_id"), primary_key=True),
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    text("cost_rate_id"),
    text("cost_currency"),
    units("cost_units"),
    text("cost_steps"),
)

# the house

audit_log = Table(
    "audit_log",
    metadata,
    serial(),
    instant("at"),
    text("actor"),
    text("action"),
    text("subject"),
    text("before"),
    text("after"),
    text("reason", default=""),
)

# What was forgotten, and who asked for it. A row without an end is an erasure under way: only then may words
# of the audit log change.
privacy_runs = Table(
    "privacy_runs",
    metadata,
    serial(),
    text("kind"),
    text("subject"),
    instant("at"),
    text("actor"),
    text("reason"),
    Column("callbacks", Integer, nullable=False),
    Column("triggers", Integer, nullable=False),
    instant("finished_at", optional=True),
    CheckConstraint("kind IN ('retention', 'erasure')", name="kind"),
)

node = Table(
    "node",
    metadata,
    Column("name", Text, primary_key=True),
    Column("token", BigInteger, nullable=False),
    instant("started_at"),
    instant("last_alive_at"),
)

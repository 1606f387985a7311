"""The first tables, and the triggers that keep the books as they were written.

Never edited once it is released: what changes later is another revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make every table, then lock the books."""
    _make_tables()
    if op.get_bind().dialect.name == "sqlite":
        _lock_on_sqlite()
    else:
        _lock_on_postgresql()


def downgrade() -> None:
    """There is nothing before the first revision."""
    raise NotImplementedError("restore a backup instead")


# Never changed and never deleted. Of a CDR the number alone may be masked when it is old, of the history its
# detail, which holds numbers too.
FROZEN = {
    "entries": (),
    "postings": (),
    "charges": (),
    "settlements": (),
    "audit_log": (),
    "cdrs": ("number",),
    "callback_log": ("detail",),
}
SAYS_NO = "the books are append-only: correct a mistake by a further entry"


def _frozen_columns(table: str, free: tuple[str, ...]) -> str:
    columns = (column["name"] for column in sa.inspect(op.get_bind()).get_columns(table))
    return ", ".join(f'"{column}"' for column in columns if column not in free)


def _lock_on_sqlite() -> None:
    for table, free in FROZEN.items():
        columns = _frozen_columns(table, free)
        for verb, event in (("update", f"UPDATE OF {columns}"), ("delete", "DELETE")):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {event} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END"
            )


def _lock_on_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION dialback_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{SAYS_NO}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table, free in FROZEN.items():
        columns = _frozen_columns(table, free)
        for verb, event in (
            ("update", f"UPDATE OF {columns}"),
            ("delete", "DELETE"),
            ("truncate", "TRUNCATE"),
        ):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb} BEFORE {event} ON {table} "
                "FOR EACH STATEMENT EXECUTE FUNCTION dialback_append_only()"
            )


def _make_tables() -> None:
    op.create_table(
        "audit_log",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "country_policy",
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=False),
        sa.Column("review_date", sa.Date(), nullable=True),
        sa.Column("reviewer", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("prefix", "direction", "kind", "source_date", name=op.f("pk_country_policy")),
    )
    op.create_table(
        "decks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('sell', 'cost')", name=op.f("ck_decks_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_decks")),
    )
    op.create_table(
        "entries",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entries")),
    )
    op.create_index(op.f("ix_entries_at"), "entries", ["at"], unique=False)
    op.create_index("ix_entries_reference", "entries", ["reference", "kind"], unique=False)
    op.create_table(
        "inbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "ledger_accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance_units", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "currency", name=op.f("pk_ledger_accounts")),
    )
    op.create_table(
        "node",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("last_alive_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_node")),
    )
    op.create_table(
        "plans",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_plans")),
    )
    op.create_table(
        "triggers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("channel_id", sa.Text(), server_default="", nullable=False),
        sa.Column("did_raw", sa.Text(), nullable=False),
        sa.Column("did", sa.Text(), nullable=True),
        sa.Column("caller_raw", sa.Text(), nullable=False),
        sa.Column("caller_name_raw", sa.Text(), server_default="", nullable=False),
        sa.Column("caller", sa.Text(), nullable=True),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("callback_id", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triggers")),
    )
    op.create_index(op.f("ix_triggers_callback_id"), "triggers", ["callback_id"], unique=False)
    op.create_index(op.f("ix_triggers_received_at"), "triggers", ["received_at"], unique=False)
    op.create_table(
        "accounts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("plan_name", sa.Text(), nullable=False),
        sa.Column("credit_limit_units", sa.BigInteger(), nullable=False),
        sa.Column("billing_address", sa.Text(), server_default="", nullable=False),
        sa.Column("billing_email", sa.Text(), server_default="", nullable=False),
        sa.Column("tax_id", sa.Text(), server_default="", nullable=False),
        sa.Column("tax_place", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("kind IN ('postpaid', 'prepaid')", name=op.f("ck_accounts_kind")),
        sa.CheckConstraint("state IN ('open', 'suspended', 'closed')", name=op.f("ck_accounts_state")),
        sa.CheckConstraint("credit_limit_units >= 0", name=op.f("ck_accounts_credit_limit")),
        sa.ForeignKeyConstraint(["plan_name"], ["plans.name"], name=op.f("fk_accounts_plan_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
    )
    op.create_table(
        "deck_versions",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("deck_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["deck_name"], ["decks.name"], name=op.f("fk_deck_versions_deck_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deck_versions")),
        sa.UniqueConstraint("deck_name", "version", name=op.f("uq_deck_versions_deck_name_version")),
    )
    op.create_table(
        "plan_versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan_name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("deck_name", sa.Text(), nullable=False),
        sa.Column("first_increment_s", sa.Integer(), nullable=False),
        sa.Column("next_increment_s", sa.Integer(), nullable=False),
        sa.Column("free_below_seconds", sa.Integer(), nullable=False),
        sa.Column("a_leg_policy", sa.Text(), nullable=False),
        sa.Column("connect_fee", sa.BigInteger(), nullable=False),
        sa.Column("follow_on_key", sa.Text(), nullable=False),
        sa.Column("in_call_key", sa.Text(), nullable=False),
        sa.Column("talk_seconds_max", sa.Integer(), nullable=False),
        sa.Column("margin_floor_hundredths", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["deck_name"], ["decks.name"], name=op.f("fk_plan_versions_deck_name")),
        sa.ForeignKeyConstraint(["plan_name"], ["plans.name"], name=op.f("fk_plan_versions_plan_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_versions")),
        sa.UniqueConstraint("plan_name", "version", name=op.f("uq_plan_versions_plan_name_version")),
    )
    op.create_table(
        "postings",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("ledger_account_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_postings_entry_id")),
        sa.ForeignKeyConstraint(
            ["ledger_account_id", "currency"],
            ["ledger_accounts.id", "ledger_accounts.currency"],
            name="fk_postings_ledger_account",
        ),
        sa.PrimaryKeyConstraint("entry_id", "position", name=op.f("pk_postings")),
    )
    op.create_index("ix_postings_ledger_account", "postings", ["ledger_account_id", "currency"], unique=False)
    op.create_table(
        "trunks",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("cost_deck", sa.Text(), nullable=False),
        sa.Column("channels_max", sa.Integer(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["cost_deck"], ["decks.name"], name=op.f("fk_trunks_cost_deck")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_trunks")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_api_keys_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_keys_secret_hash")),
    )
    op.create_index(op.f("ix_api_keys_account_id"), "api_keys", ["account_id"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("posted_units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("units >= 0 AND posted_units >= 0", name=op.f("ck_holds_units")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_holds_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    op.create_index(
        "ix_holds_open",
        "holds",
        ["account_id"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "rates",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.BigInteger(), nullable=False),
        sa.Column("next_per_minute", sa.BigInteger(), nullable=True),
        sa.Column("connect_fee", sa.BigInteger(), nullable=True),
        sa.Column("first_increment_s", sa.Integer(), nullable=True),
        sa.Column("next_increment_s", sa.Integer(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_till", sa.BigInteger(), nullable=True),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["version_id"], ["deck_versions.id"], name=op.f("fk_rates_version_id")),
        sa.PrimaryKeyConstraint("version_id", "row", name=op.f("pk_rates")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "subscribers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("home_country", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), server_default="en", nullable=False),
        sa.Column("callback_number", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_subscribers_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscribers")),
    )
    op.create_index(op.f("ix_subscribers_account_id"), "subscribers", ["account_id"], unique=False)
    op.create_table(
        "callbacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("origin_kind", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("did", sa.Text(), nullable=True),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("caller_number_raw", sa.Text(), nullable=False),
        sa.Column("caller_number", sa.Text(), nullable=True),
        sa.Column("trigger_id", sa.Text(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("remote_address", sa.Text(), nullable=False),
        sa.Column("number_a", sa.Text(), nullable=False),
        sa.Column("caller_id_a", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("home_country", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("dial_at", sa.BigInteger(), nullable=True),
        sa.Column("deadline_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts_max", sa.Integer(), nullable=False),
        sa.Column("retry_gaps_seconds", sa.Text(), nullable=False),
        sa.Column("quick_retry_used", sa.Boolean(), nullable=False),
        sa.Column("follow_on_key", sa.Text(), nullable=False),
        sa.Column("in_call_key", sa.Text(), nullable=False),
        sa.Column("hold_units", sa.BigInteger(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("cancelled_by", sa.Text(), nullable=False),
        sa.Column("cancel_requested_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_callbacks_account_id")),
        sa.ForeignKeyConstraint(
            ["subscriber_id"], ["subscribers.id"], name=op.f("fk_callbacks_subscriber_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callbacks")),
    )
    op.create_index("ix_callbacks_account", "callbacks", ["account_id", "created_at"], unique=False)
    op.create_index("ix_callbacks_created", "callbacks", ["created_at"], unique=False)
    op.create_index(
        "ix_callbacks_live",
        "callbacks",
        ["subscriber_id"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "dids",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.Text(), nullable=True),
        sa.Column("destination", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(kind = 'direct') = (destination IS NOT NULL)", name=op.f("ck_dids_destination")),
        sa.CheckConstraint("(kind = 'shared') = (subscriber_id IS NULL)", name=op.f("ck_dids_owner")),
        sa.CheckConstraint("kind IN ('shared', 'personal', 'direct')", name=op.f("ck_dids_kind")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name=op.f("fk_dids_subscriber_id")),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_dids")),
    )
    op.create_index(op.f("ix_dids_subscriber_id"), "dids", ["subscriber_id"], unique=False)
    op.create_table(
        "numbers",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("subscriber_id", sa.Text(), nullable=False),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("verified_by", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_numbers_account_id")),
        sa.ForeignKeyConstraint(["subscriber_id"], ["subscribers.id"], name=op.f("fk_numbers_subscriber_id")),
        sa.PrimaryKeyConstraint("e164", name=op.f("pk_numbers")),
    )
    op.create_index(op.f("ix_numbers_subscriber_id"), "numbers", ["subscriber_id"], unique=False)
    op.create_table(
        "callback_log",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_callback_log_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_callback_log")),
    )
    op.create_index(op.f("ix_callback_log_callback_id"), "callback_log", ["callback_id"], unique=False)
    op.create_table(
        "cdrs",
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("invited_at", sa.BigInteger(), nullable=False),
        sa.Column("rang_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("hung_up_at", sa.BigInteger(), nullable=False),
        sa.Column("q850_cause", sa.Integer(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.Column("session_ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_cdrs_account_id")),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_cdrs_callback_id")),
        sa.PrimaryKeyConstraint("leg_id", name=op.f("pk_cdrs")),
    )
    op.create_index("ix_cdrs_account", "cdrs", ["account_id", "session_ended_at"], unique=False)
    op.create_index(op.f("ix_cdrs_callback_id"), "cdrs", ["callback_id"], unique=False)
    op.create_index("ix_cdrs_ended", "cdrs", ["session_ended_at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("api_key_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_idempotency_keys_callback_id")
        ),
        sa.PrimaryKeyConstraint("api_key_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_table(
        "legs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("planned", sa.Boolean(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("caller_id_shown", sa.Text(), nullable=True),
        sa.Column("price_rate_id", sa.Text(), nullable=False),
        sa.Column("cost_rate_id", sa.Text(), nullable=False),
        sa.Column("ring_seconds", sa.Integer(), nullable=False),
        sa.Column("talk_seconds_max", sa.Integer(), nullable=False),
        sa.Column("ordered_at", sa.BigInteger(), nullable=True),
        sa.Column("invited_at", sa.BigInteger(), nullable=True),
        sa.Column("rang_at", sa.BigInteger(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted_at", sa.BigInteger(), nullable=True),
        sa.Column("hung_up_at", sa.BigInteger(), nullable=True),
        sa.Column("q850_cause", sa.Integer(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.Column("estimated", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_legs_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legs")),
    )
    op.create_index(op.f("ix_legs_callback_id"), "legs", ["callback_id"], unique=False)
    op.create_index(
        "ix_legs_live",
        "legs",
        ["trunk"],
        unique=False,
        sqlite_where=sa.text("ordered_at IS NOT NULL AND hung_up_at IS NULL"),
        postgresql_where=sa.text("ordered_at IS NOT NULL AND hung_up_at IS NULL"),
    )
    op.create_table(
        "outbox",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("committed_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_outbox_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    op.create_index(
        "ix_outbox_undone",
        "outbox",
        ["callback_id"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_table(
        "settlements",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_units", sa.BigInteger(), nullable=False),
        sa.Column("waived_units", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_settlements_account_id")),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_settlements_callback_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_settlements_entry_id")),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_settlements")),
    )
    op.create_index("ix_settlements_account", "settlements", ["account_id", "ended_at"], unique=False)
    op.create_table(
        "charges",
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("talk_seconds", sa.Integer(), nullable=False),
        sa.Column("billed_seconds", sa.Integer(), nullable=False),
        sa.Column("rate_id", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.BigInteger(), nullable=False),
        sa.Column("next_per_minute", sa.BigInteger(), nullable=False),
        sa.Column("connect_fee", sa.BigInteger(), nullable=False),
        sa.Column("first_increment_s", sa.Integer(), nullable=False),
        sa.Column("next_increment_s", sa.Integer(), nullable=False),
        sa.Column("amount_units", sa.BigInteger(), nullable=False),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("cost_rate_id", sa.Text(), nullable=False),
        sa.Column("cost_currency", sa.Text(), nullable=False),
        sa.Column("cost_seconds", sa.Integer(), nullable=False),
        sa.Column("cost_units", sa.BigInteger(), nullable=False),
        sa.Column("cost_steps", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["leg_id"], ["cdrs.leg_id"], name=op.f("fk_charges_leg_id")),
        sa.PrimaryKeyConstraint("leg_id", "revision", name=op.f("pk_charges")),
    )

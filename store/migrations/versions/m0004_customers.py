"""What accounts agree beside their prices: plans by date, evidence, tags, speed dials, options, caps, codes.

Never edited once it is released: what changes later is another revision.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SAYS_NO = "the books are append-only: correct a mistake by a further entry"


def upgrade() -> None:
    """Add columns and tables; every account has had its plan since it was opened."""
    _add_columns()
    _make_tables()
    op.execute(
        "INSERT INTO account_plans (account_id, plan_name, effective_at, decided_at, decided_by) "
        "SELECT id, plan_name, created_at, created_at, 'upgrade' FROM accounts"
    )
    _freeze("account_plans")
    _freeze("tax_evidence")


def downgrade() -> None:
    """A column of the books cannot be taken away."""
    raise NotImplementedError("restore a backup instead")


def _add_columns() -> None:
    op.add_column("accounts", sa.Column("bill_cycle", sa.Text(), server_default="monthly", nullable=False))
    for name in ("masks_numbers", "asks_tag"):
        op.add_column("accounts", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("accounts", sa.Column("callbacks_max", sa.Integer(), server_default="0", nullable=False))
    op.add_column("subscribers", sa.Column("tag", sa.Text(), server_default="", nullable=False))
    op.add_column("numbers", sa.Column("rung_until", sa.BigInteger(), nullable=True))
    op.create_index("ix_callbacks_subscriber", "callbacks", ["subscriber_id", "created_at"], unique=False)
    op.add_column("legs", sa.Column("tag", sa.Text(), server_default="", nullable=False))
    op.add_column("cdrs", sa.Column("tag", sa.Text(), server_default="", nullable=False))
    # A record that has a tag already keeps it; then the new column is locked as the others are.
    op.execute("DROP TRIGGER cdrs_no_update" + ("" if _is_sqlite() else " ON cdrs"))
    op.execute("UPDATE legs SET tag = (SELECT tag FROM callbacks WHERE callbacks.id = legs.callback_id)")
    op.execute("UPDATE cdrs SET tag = (SELECT tag FROM callbacks WHERE callbacks.id = cdrs.callback_id)")
    _forbid("cdrs", "update", f"UPDATE OF {_columns('cdrs', but='number')}")


def _freeze(table: str) -> None:
    _forbid(table, "update", f"UPDATE OF {_columns(table)}")
    _forbid(table, "delete", "DELETE")
    if not _is_sqlite():
        _forbid(table, "truncate", "TRUNCATE")


def _forbid(table: str, verb: str, event: str) -> None:
    head = f"CREATE TRIGGER {table}_no_{verb} BEFORE {event} ON {table} "
    if _is_sqlite():
        op.execute(f"{head}BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END")
    else:
        op.execute(f"{head}FOR EACH STATEMENT EXECUTE FUNCTION dialback_append_only()")


def _columns(table: str, *, but: str = "") -> str:
    columns = (column["name"] for column in sa.inspect(op.get_bind()).get_columns(table))
    return ", ".join(f'"{column}"' for column in columns if column != but)


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _serial() -> sa.Column[int]:
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column("id", kind, autoincrement=True, nullable=False)


def _account() -> sa.Column[str]:
    return sa.Column("account_id", sa.Text(), nullable=False)


def _of_account(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f(f"fk_{table}_account_id"))


def _make_tables() -> None:
    op.create_table(
        "account_plans",
        _serial(),
        _account(),
        sa.Column("plan_name", sa.Text(), nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        _of_account("account_plans"),
        sa.ForeignKeyConstraint(["plan_name"], ["plans.name"], name=op.f("fk_account_plans_plan_name")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_plans")),
    )
    op.create_index("ix_account_plans_account", "account_plans", ["account_id", "effective_at"], unique=False)
    op.create_table(
        "tax_evidence",
        _serial(),
        _account(),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("seen_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('address', 'bank', 'ip', 'sim', 'fixed_line')", name=op.f("ck_tax_evidence_kind")
        ),
        _of_account("tax_evidence"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tax_evidence")),
    )
    op.create_index(op.f("ix_tax_evidence_account_id"), "tax_evidence", ["account_id"], unique=False)
    op.create_table(
        "speed_dials",
        _account(),
        sa.Column("subscriber_id", sa.Text(), server_default="", nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        _of_account("speed_dials"),
        sa.PrimaryKeyConstraint("account_id", "subscriber_id", "code", name=op.f("pk_speed_dials")),
    )
    op.create_table(
        "tag_codes",
        _account(),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        _of_account("tag_codes"),
        sa.PrimaryKeyConstraint("account_id", "code", name=op.f("pk_tag_codes")),
    )
    op.create_table(
        "tag_rules",
        _account(),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        _of_account("tag_rules"),
        sa.PrimaryKeyConstraint("account_id", "prefix", name=op.f("pk_tag_rules")),
    )
    op.create_table(
        "spend_caps",
        _account(),
        sa.Column("subscriber_id", sa.Text(), server_default="", nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("cap_units", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("period IN ('day', 'week', 'month')", name=op.f("ck_spend_caps_period")),
        sa.CheckConstraint("cap_units >= 0", name=op.f("ck_spend_caps_cap")),
        _of_account("spend_caps"),
        sa.PrimaryKeyConstraint("account_id", "subscriber_id", "period", name=op.f("pk_spend_caps")),
    )
    op.create_table(
        "account_options",
        sa.Column("id", sa.Text(), nullable=False),
        _account(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("monthly_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_group", sa.Text(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("monthly_units >= 0", name=op.f("ck_account_options_monthly")),
        sa.CheckConstraint("ends_on IS NULL OR ends_on >= starts_on", name=op.f("ck_account_options_dates")),
        _of_account("account_options"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_options")),
    )
    op.create_index(op.f("ix_account_options_account_id"), "account_options", ["account_id"], unique=False)
    op.create_table(
        "number_codes",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        _account(),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("tries_left", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'used', 'spent', 'replaced')", name=op.f("ck_number_codes_state")
        ),
        _of_account("number_codes"),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_number_codes_callback_id")),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_number_codes")),
    )
    op.create_index(op.f("ix_number_codes_number"), "number_codes", ["number"], unique=False)

"""Credit notes, disputes, vouchers, alerts."""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BOOKS = {
    "credit_notes": (),
    "disputes": ("state", "decided_at", "decided_by", "decision", "credit_note"),
    "voucher_batches": (),
    "vouchers": ("state", "account_id", "entry_id", "ended_at"),
    "voucher_tries": (),
    "alerts": (),
}


def upgrade() -> None:
    """Make the tables and lock what is never changed in them."""
    _make_tables()
    for table, free in BOOKS.items():
        freeze(table, free)
    revoke(*BOOKS)


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")


def _make_tables() -> None:
    op.create_table(
        "voucher_batches",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.CheckConstraint("units > 0 AND count > 0", name=op.f("ck_voucher_batches_units")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_batches")),
    )
    op.create_table(
        "alert_rules",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_alert_rules_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "threshold", name=op.f("pk_alert_rules")),
    )
    op.create_table(
        "alerts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("threshold", sa.BigInteger(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("balance_units", sa.BigInteger(), nullable=False),
        sa.Column("credit_limit_units", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_alerts_account_id")),
        sa.PrimaryKeyConstraint("account_id", "kind", "threshold", "month", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_at"), "alerts", ["at"], unique=False)
    op.create_table(
        "voucher_tries",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_voucher_tries_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_voucher_tries")),
    )
    op.create_index("ix_voucher_tries_account", "voucher_tries", ["account_id", "at"], unique=False)
    op.create_table(
        "vouchers",
        sa.Column("serial", sa.Text(), nullable=False),
        sa.Column("batch_id", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("entry_id", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("state IN ('new', 'redeemed', 'void')", name=op.f("ck_vouchers_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_vouchers_account_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["voucher_batches.id"], name=op.f("fk_vouchers_batch_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_vouchers_entry_id")),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_vouchers_secret_hash")),
    )
    op.create_index(op.f("ix_vouchers_batch_id"), "vouchers", ["batch_id"], unique=False)
    op.create_table(
        "credit_notes",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("tax_units", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("units > 0 AND tax_units >= 0", name=op.f("ck_credit_notes_units")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_credit_notes_account_id")),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_credit_notes_callback_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_credit_notes_entry_id")),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_credit_notes")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_credit_notes_entry_id")),
        sa.UniqueConstraint("number", name=op.f("uq_credit_notes_number")),
    )
    op.create_index(op.f("ix_credit_notes_account_id"), "credit_notes", ["account_id"], unique=False)
    op.create_index(op.f("ix_credit_notes_callback_id"), "credit_notes", ["callback_id"], unique=False)
    op.create_table(
        "disputes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("decided_by", sa.Text(), server_default="", nullable=False),
        sa.Column("decision", sa.Text(), server_default="", nullable=False),
        sa.Column("credit_note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('open', 'accepted', 'rejected')", name=op.f("ck_disputes_state")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_disputes_account_id")),
        sa.ForeignKeyConstraint(["callback_id"], ["callbacks.id"], name=op.f("fk_disputes_callback_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
    )
    op.create_index(op.f("ix_disputes_account_id"), "disputes", ["account_id"], unique=False)
    op.create_index(
        "ix_disputes_open",
        "disputes",
        ["leg_id"],
        unique=True,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )

"""Invoices as they were issued: taxes, numbers, invoices with their callbacks and papers, the mail.

Never edited once it is released: what changes later is another revision.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables; what was issued is kept as it was written."""
    _taxes()
    _invoices()
    _papers()
    _mails()
    for table in ("invoices", "invoice_sessions", "invoice_documents"):
        freeze(table)
    revoke("invoices", "invoice_sessions", "invoice_documents")


def downgrade() -> None:
    """What was issued cannot be taken away."""
    raise NotImplementedError("restore a backup instead")


def _taxes() -> None:
    op.create_table(
        "taxes",
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("tax_group", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("percent_units", sa.Integer(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("reverse_charge", sa.Boolean(), nullable=False),
        sa.Column("text", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", "tax_group", "valid_from", name=op.f("pk_taxes")),
    )
    op.create_table(
        "number_series",
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_number_series")),
    )


def _invoices() -> None:
    amounts = ("charges", "items", "rounding", "tax", "total", "previous", "payments", "due")
    op.create_table(
        "invoices",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("end_day", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        *(sa.Column(f"{name}_units", sa.BigInteger(), nullable=False) for name in amounts),
        sa.Column("corrects", sa.Text(), server_default="", nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('invoice', 'credit_note')", name=op.f("ck_invoices_kind")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_invoices_account_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_invoices")),
        sa.UniqueConstraint("series", "count", name=op.f("uq_invoices_series_count")),
    )
    op.create_index("ix_invoices_account", "invoices", ["account_id", "ends_at"], unique=False)
    op.create_index(
        "uq_invoices_period",
        "invoices",
        ["account_id", "first_day"],
        unique=True,
        sqlite_where=sa.text("kind = 'invoice'"),
        postgresql_where=sa.text("kind = 'invoice'"),
    )
    # Movements of a month are found without walking through all calls of it.
    op.create_index("ix_entries_kind", "entries", ["kind", "at"], unique=False)


def _papers() -> None:
    number = ["number"], ["invoices.number"]
    op.create_table(
        "invoice_sessions",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_invoice_sessions_callback_id")
        ),
        sa.ForeignKeyConstraint(*number, name=op.f("fk_invoice_sessions_number")),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_invoice_sessions")),
    )
    op.create_index(op.f("ix_invoice_sessions_number"), "invoice_sessions", ["number"], unique=False)
    op.create_table(
        "invoice_documents",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(*number, name=op.f("fk_invoice_documents_number")),
        sa.PrimaryKeyConstraint("number", "form", name=op.f("pk_invoice_documents")),
    )


def _mails() -> None:
    op.create_table(
        "mails",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("told", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed')", name=op.f("ck_mails_state")),
        sa.ForeignKeyConstraint(["number"], ["invoices.number"], name=op.f("fk_mails_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mails")),
        sa.UniqueConstraint("number", "recipient", name=op.f("uq_mails_number_recipient")),
    )
    op.create_index(
        "ix_mails_waiting",
        "mails",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("state IN ('queued', 'sending')"),
        postgresql_where=sa.text("state IN ('queued', 'sending')"),
    )

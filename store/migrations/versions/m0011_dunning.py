"""Dunning: late fees as they were printed, steps that were taken."""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

BOOKS = ("late_fees", "dunning_steps")


def upgrade() -> None:
    """Make the tables and lock them."""
    _make_tables()
    for table in BOOKS:
        freeze(table)
    revoke(*BOOKS)


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")


def _make_tables() -> None:
    op.create_table(
        "late_fees",
        sa.Column("plan_name", sa.Text(), nullable=False),
        sa.Column("printed_on", sa.Date(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["plan_name"], ["plans.name"], name=op.f("fk_late_fees_plan_name")),
        sa.PrimaryKeyConstraint("plan_name", "printed_on", name=op.f("pk_late_fees")),
    )
    op.create_table(
        "dunning_steps",
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=False),
        sa.Column("done_by", sa.Text(), nullable=False),
        sa.Column("open_units", sa.BigInteger(), nullable=False),
        sa.Column("before", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_dunning_steps_account_id")),
        sa.ForeignKeyConstraint(["number"], ["invoices.number"], name=op.f("fk_dunning_steps_number")),
        sa.PrimaryKeyConstraint("number", "round", "stage", name=op.f("pk_dunning_steps")),
    )
    op.create_index(op.f("ix_dunning_steps_account_id"), "dunning_steps", ["account_id"], unique=False)

"""What carriers ask for attempts that nobody answered."""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and forbid to change its rows."""
    op.create_table(
        "attempt_costs",
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("cost_rate_id", sa.Text(), nullable=False),
        sa.Column("cost_currency", sa.Text(), nullable=False),
        sa.Column("cost_units", sa.BigInteger(), nullable=False),
        sa.Column("cost_steps", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["leg_id"], ["cdrs.leg_id"], name=op.f("fk_attempt_costs_leg_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_attempt_costs_entry_id")),
        sa.PrimaryKeyConstraint("leg_id", name=op.f("pk_attempt_costs")),
    )
    freeze("attempt_costs")
    revoke("attempt_costs")


def downgrade() -> None:
    """A table of the books cannot be taken away."""
    raise NotImplementedError("restore a backup instead")

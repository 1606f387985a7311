"""Re-ratings: callbacks priced anew, by a reversal and a new entry; where a callback ended is found faster.

Never edited once it is released: what changes later is another revision.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

BOOKS = ("rerating_runs", "reratings")


def upgrade() -> None:
    """Make the tables, and forbid to change their rows."""
    op.create_table(
        "rerating_runs",
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("wish", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("reference", name=op.f("pk_rerating_runs")),
    )
    op.create_table(
        "reratings",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("reversal_id", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("gross_units", sa.BigInteger(), nullable=False),
        sa.Column("waived_units", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        *(
            sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_reratings_{column}"))
            for column, target in (
                ("callback_id", "callbacks.id"),
                ("reference", "rerating_runs.reference"),
                ("reversal_id", "entries.id"),
                ("entry_id", "entries.id"),
            )
        ),
        sa.PrimaryKeyConstraint("callback_id", "revision", name=op.f("pk_reratings")),
    )
    op.create_index("ix_reratings_reference", "reratings", ["reference"], unique=False)
    op.create_index("ix_settlements_ended", "settlements", ["ended_at", "callback_id"], unique=False)
    for table in BOOKS:
        freeze(table)
    revoke(*BOOKS)


def downgrade() -> None:
    """A table of the books cannot be taken away."""
    raise NotImplementedError("restore a backup instead")

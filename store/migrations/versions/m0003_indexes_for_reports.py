"""Indexes by which reports find a carrier's legs, and what was waived, without reading every call."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add them; no row changes."""
    op.create_index("ix_cdrs_trunk", "cdrs", ["trunk", "hung_up_at"])
    op.create_index(
        "ix_settlements_waived",
        "settlements",
        ["ended_at"],
        sqlite_where=sa.text("waived_units > 0"),
        postgresql_where=sa.text("waived_units > 0"),
    )


def downgrade() -> None:
    """Restore a backup instead."""
    raise NotImplementedError("restore a backup instead")

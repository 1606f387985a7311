"""An account's legs are found by its index alone: a month's charges are summed from there.

Never edited once it is released.
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let the index of an account's legs hold their ids too."""
    op.drop_index("ix_cdrs_account", "cdrs")
    op.create_index("ix_cdrs_account", "cdrs", ["account_id", "session_ended_at", "leg_id"], unique=False)


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")

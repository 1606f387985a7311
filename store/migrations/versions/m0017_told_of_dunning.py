"""What has to be said of a step of dunning, such as that nothing was sent for there is no address.

Never edited once it is released.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column and lock it as the others."""
    op.add_column("dunning_steps", sa.Column("told", sa.Text(), server_default="", nullable=False))
    freeze("dunning_steps")


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")

"""The hours of the week at which carriers ask other prices."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; a trunk without bands is asked at all hours as before."""
    op.add_column("trunks", sa.Column("zone", sa.Text(), server_default="UTC", nullable=False))
    op.add_column("trunks", sa.Column("bands", sa.Text(), server_default="", nullable=False))


def downgrade() -> None:
    """Cost rows of bands would price nothing."""
    raise NotImplementedError("restore a backup instead")

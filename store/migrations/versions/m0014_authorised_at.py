"""When the price of a leg was fixed: a later route is ordered long after."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; older legs have nothing in it."""
    op.add_column("legs", sa.Column("authorised_at", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    """It cannot be found out again."""
    raise NotImplementedError("restore a backup instead")

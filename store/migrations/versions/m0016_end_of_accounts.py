"""When an account was closed: the months before are billed with their fees, also when they are billed later.

Never edited once it is released.
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# The audit log has had every end so far.
ENDS = """
UPDATE accounts SET closed_at = (
  SELECT min(at) FROM audit_log
  WHERE action = 'account.state' AND subject = accounts.id AND after LIKE '%state=closed%'
) WHERE state = 'closed'
"""


def upgrade() -> None:
    """Add the column and fill it."""
    op.add_column("accounts", sa.Column("closed_at", sa.BigInteger(), nullable=True))
    op.execute(ENDS)


def downgrade() -> None:
    """Forget when accounts were closed."""
    op.drop_column("accounts", "closed_at")

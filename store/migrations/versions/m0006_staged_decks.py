"""Versions of decks are staged, approved and withdrawn; what a sheet's check found; rates by prefix.

Versions that were there before are approved: they came into force when they were written.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TEXTS = {"approved_by": "", "sheet": "a-z", "source": "", "source_hash": ""}
NUMBERS = ("base_version", "rejected", "held")
INSTANTS = ("staged_at", "approved_at", "withdrawn_at")


def upgrade() -> None:
    """Add the columns, approve what was in force, make the table and the index."""
    for name in INSTANTS:
        op.add_column("deck_versions", sa.Column(name, sa.BigInteger(), nullable=True))
    for name, default in TEXTS.items():
        op.add_column("deck_versions", sa.Column(name, sa.Text(), server_default=default, nullable=False))
    for name in NUMBERS:
        op.add_column("deck_versions", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.execute(
        "UPDATE deck_versions SET staged_at = created_at, approved_at = created_at, approved_by = created_by"
    )
    op.create_table(
        "deck_findings",
        sa.Column("version_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("row", sa.Integer(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["deck_versions.id"], name=op.f("fk_deck_findings_version_id")
        ),
        sa.PrimaryKeyConstraint("version_id", "number", name=op.f("pk_deck_findings")),
    )
    op.create_index("ix_rates_prefix", "rates", ["version_id", "prefix"])


def downgrade() -> None:
    """A staged version would come into force."""
    raise NotImplementedError("restore a backup instead")

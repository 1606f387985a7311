"""Links by which e-mail addresses are confirmed, what came of them, and letters that carry one.

Never edited once it is released.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
FACTS = ("email_links", "email_confirmations")


def upgrade() -> None:
    """Make the tables and lock them; let a mail carry a link instead of an invoice."""
    _facts()
    for table in FACTS:
        freeze(table)
    revoke(*FACTS)
    with op.batch_alter_table("mails") as mails:
        mails.alter_column("number", existing_type=sa.Text(), nullable=True)
        mails.add_column(sa.Column("link_id", SERIAL, nullable=True))
        mails.create_foreign_key(op.f("fk_mails_link_id"), "email_links", ["link_id"], ["id"])
        mails.create_unique_constraint(op.f("uq_mails_link_id"), ["link_id"])
        mails.create_check_constraint(op.f("ck_mails_carries"), "(number IS NULL) <> (link_id IS NULL)")


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")


def _facts() -> None:
    owner = (["account_id"], ["accounts.id"])
    op.create_table(
        "email_links",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(*owner, name=op.f("fk_email_links_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_email_links")),
    )
    op.create_index(op.f("ix_email_links_account_id"), "email_links", ["account_id"])
    op.create_index("ix_email_links_made_at", "email_links", ["made_at"])
    op.create_table(
        "email_confirmations",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("link_id", SERIAL, nullable=False),
        sa.Column("confirmed_at", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(*owner, name=op.f("fk_email_confirmations_account_id")),
        sa.ForeignKeyConstraint(["link_id"], ["email_links.id"], name=op.f("fk_email_confirmations_link_id")),
        sa.PrimaryKeyConstraint("account_id", "email", name=op.f("pk_email_confirmations")),
    )

"""Old numbers are masked: which rows were, who asked for it, and the one way into the audit log.

Never edited once it is released: what changes later is another revision.
"""

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WORDS = ("subject", "before", "after")
SAYS_NO = "the words of the audit log change in an erasure only, which is written down itself"
NO_RUN = "NOT EXISTS (SELECT 1 FROM privacy_runs WHERE finished_at IS NULL)"


def upgrade() -> None:
    """Add the marks and their indexes, then the table of runs; unlock the audit log for erasures alone."""
    for table, at in (("callbacks", "ended_at"), ("triggers", "received_at")):
        op.add_column(table, sa.Column("masked_at", sa.BigInteger(), nullable=True))
        op.create_index(
            f"ix_{table}_unmasked",
            table,
            [at],
            sqlite_where=sa.text("masked_at IS NULL"),
            postgresql_where=sa.text("masked_at IS NULL"),
        )
    op.create_table(
        "privacy_runs",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("callbacks", sa.Integer(), nullable=False),
        sa.Column("triggers", sa.Integer(), nullable=False),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("kind IN ('retention', 'erasure')", name=op.f("ck_privacy_runs_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_privacy_runs")),
    )
    freeze("privacy_runs", free=("finished_at", "callbacks", "triggers"))
    freeze("audit_log", free=WORDS)
    _open_for_erasures()


def downgrade() -> None:
    """What is masked cannot be had back."""
    raise NotImplementedError("restore a backup instead")


def _open_for_erasures() -> None:
    columns = ", ".join(f'"{word}"' for word in WORDS)
    head = f"CREATE TRIGGER audit_log_no_rewording BEFORE UPDATE OF {columns} ON audit_log"
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"{head} WHEN {NO_RUN} BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END")
        return
    op.execute(
        "CREATE FUNCTION dialback_only_in_an_erasure() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN IF {NO_RUN} THEN RAISE EXCEPTION '{SAYS_NO}' USING ERRCODE = 'restrict_violation'; "
        "END IF; RETURN NEW; END $$"
    )
    op.execute(f"{head} FOR EACH ROW EXECUTE FUNCTION dialback_only_in_an_erasure()")

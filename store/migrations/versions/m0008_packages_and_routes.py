"""Packages of minutes, what trunks may show and how good they must be, ported numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

SAYS_NO = "the books are append-only: correct a mistake by a further entry"


def upgrade() -> None:
    """Make the tables; those that are books are frozen."""
    for name in ("asr_floor_percent", "acd_floor_seconds"):
        op.add_column("trunks", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    _make_packages()
    op.create_table(
        "trunk_caller_ids",
        sa.Column("trunk", sa.Text(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("permitted", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["trunk"], ["trunks.name"], name=op.f("fk_trunk_caller_ids_trunk")),
        sa.PrimaryKeyConstraint("trunk", "prefix", name=op.f("pk_trunk_caller_ids")),
    )
    op.create_table(
        "ported_numbers",
        sa.Column("e164", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("routing_code", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("e164", "valid_from", name=op.f("pk_ported_numbers")),
    )
    for table in ("packages", "package_uses"):
        _freeze(table)


def downgrade() -> None:
    """What was used of packages would be lost."""
    raise NotImplementedError("restore a backup instead")


def _make_packages() -> None:
    op.create_table(
        "packages",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("granted_seconds", sa.Integer(), nullable=False),
        sa.Column("carried_seconds", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_packages_account_id")),
        sa.PrimaryKeyConstraint("account_id", "month", name=op.f("pk_packages")),
    )
    op.create_table(
        "package_uses",
        sa.Column("leg_id", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_package_uses_account_id")),
        sa.ForeignKeyConstraint(["leg_id"], ["cdrs.leg_id"], name=op.f("fk_package_uses_leg_id")),
        sa.PrimaryKeyConstraint("leg_id", "revision", name=op.f("pk_package_uses")),
    )
    op.create_index("ix_package_uses_account", "package_uses", ["account_id", "month"], unique=False)
    op.create_table(
        "package_promises",
        sa.Column("callback_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("seconds > 0", name=op.f("ck_package_promises_seconds")),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_package_promises_account_id")),
        sa.ForeignKeyConstraint(
            ["callback_id"], ["callbacks.id"], name=op.f("fk_package_promises_callback_id")
        ),
        sa.PrimaryKeyConstraint("callback_id", name=op.f("pk_package_promises")),
    )
    op.create_index(op.f("ix_package_promises_account_id"), "package_promises", ["account_id"], unique=False)


def _freeze(table: str) -> None:
    names = ", ".join(f'"{each["name"]}"' for each in sa.inspect(op.get_bind()).get_columns(table))
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    events = [("update", f"UPDATE OF {names}"), ("delete", "DELETE")]
    for verb, event in events if is_sqlite else [*events, ("truncate", "TRUNCATE")]:
        refusal = (
            f"BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END"
            if is_sqlite
            else "FOR EACH STATEMENT EXECUTE FUNCTION dialback_append_only()"
        )
        op.execute(f"CREATE TRIGGER {table}_no_{verb} BEFORE {event} ON {table} {refusal}")

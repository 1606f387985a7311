"""Bands, surcharges, packages, bounds of a call's price, monthly fee: columns of rates, plans, legs, charges.

What was there before keeps its price: every column's default changes nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PRICES_IN_RATES = (
    "surcharge_same_country",
    "surcharge_eea",
    "surcharge_non_eea",
    "surcharge_invalid",
    "attempt_fee",
)
FROZEN = "charges"
SAYS_NO = "the books are append-only: correct a mistake by a further entry"


def upgrade() -> None:
    """Add the columns, then cover those of the books by new triggers."""
    _add("rates", sa.Column("band", sa.Text(), server_default="", nullable=False))
    for name in PRICES_IN_RATES:
        _add("rates", sa.Column(name, sa.BigInteger(), nullable=True))
    _add("rates", sa.Column("number_digits_min", sa.Integer(), nullable=True))
    _add("rates", sa.Column("number_digits_max", sa.Integer(), nullable=True))
    _to_plans()
    _add("legs", sa.Column("origin_class", sa.Text(), server_default="", nullable=False))
    _add("legs", sa.Column("surcharge_per_minute", sa.BigInteger(), server_default="0", nullable=False))
    _add("legs", sa.Column("package_seconds", sa.Integer(), server_default="0", nullable=False))
    _add("charges", sa.Column("package_seconds", sa.Integer(), server_default="0", nullable=False))
    _add("charges", sa.Column("surcharge_per_minute", sa.BigInteger(), server_default="0", nullable=False))
    _add("charges", sa.Column("band", sa.Text(), server_default="", nullable=False))
    _lock_again()


def downgrade() -> None:
    """Dropping terms would change prices."""
    raise NotImplementedError("restore a backup instead")


def _add(table: str, column: sa.Column[object]) -> None:
    op.add_column(table, column)


def _to_plans() -> None:
    table = "plan_versions"
    _add(table, sa.Column("margin_floor_per_minute", sa.BigInteger(), nullable=True))
    _add(table, sa.Column("zone", sa.Text(), server_default="UTC", nullable=False))
    _add(table, sa.Column("bands", sa.Text(), server_default="", nullable=False))
    _add(table, sa.Column("call_price_min_units", sa.BigInteger(), nullable=True))
    _add(table, sa.Column("call_price_max_units", sa.BigInteger(), nullable=True))
    _add(table, sa.Column("amount_places", sa.Integer(), server_default="4", nullable=False))
    _add(table, sa.Column("monthly_fee_units", sa.BigInteger(), server_default="0", nullable=False))
    _add(table, sa.Column("monthly_fee_waived_from_units", sa.BigInteger(), nullable=True))
    _add(table, sa.Column("package_seconds", sa.Integer(), server_default="0", nullable=False))
    _add(table, sa.Column("package_rolls_over", sa.Boolean(), server_default=sa.false(), nullable=False))
    _add(table, sa.Column("package_prefixes", sa.Text(), server_default="", nullable=False))
    _add(table, sa.Column("overage_per_minute", sa.BigInteger(), nullable=True))


def _lock_again() -> None:
    """The triggers of 0001 name the columns that there were then."""
    connection = op.get_bind()
    columns = ", ".join(f'"{column["name"]}"' for column in sa.inspect(connection).get_columns(FROZEN))
    if connection.dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {FROZEN}_no_update")
        op.execute(
            f"CREATE TRIGGER {FROZEN}_no_update BEFORE UPDATE OF {columns} ON {FROZEN} "
            f"BEGIN SELECT RAISE(ABORT, '{SAYS_NO}'); END"
        )
    else:
        op.execute(f"DROP TRIGGER {FROZEN}_no_update ON {FROZEN}")
        op.execute(
            f"CREATE TRIGGER {FROZEN}_no_update BEFORE UPDATE OF {columns} ON {FROZEN} "
            "FOR EACH STATEMENT EXECUTE FUNCTION dialback_append_only()"
        )

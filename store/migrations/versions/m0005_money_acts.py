"""Acts of people upon money, by reference; exchange rates; triggers against replacing rows."""

import json

import sqlalchemy as sa
from alembic import op

from store.migrations.locks import freeze, revoke

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BOOKS = {
    "entries": (),
    "postings": (),
    "charges": (),
    "settlements": (),
    "audit_log": (),
    "cdrs": ("number",),
    "callback_log": ("detail",),
    "money_acts": (),
    "exchange_rates": (),
    "conversions": (),
}


def upgrade() -> None:
    """Make the tables, take over the payments that there are, lock all books anew."""
    _make_tables()
    _take_over_payments()
    for table, free in BOOKS.items():
        freeze(table, free)
    revoke(*BOOKS)


def downgrade() -> None:
    """Books are not taken back."""
    raise NotImplementedError("restore a backup instead")


def _make_tables() -> None:
    op.create_table(
        "money_acts",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_money_acts_entry_id")),
        sa.PrimaryKeyConstraint("account_id", "reference", name=op.f("pk_money_acts")),
    )
    op.create_index("ix_money_acts_entry", "money_acts", ["entry_id"], unique=False)
    op.create_table(
        "exchange_rates",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("valid_on", sa.Date(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
    )
    op.create_index("ix_exchange_rates_pair", "exchange_rates", ["base", "quote", "valid_on"], unique=False)
    op.create_table(
        "conversions",
        sa.Column("entry_id", sa.Text(), nullable=False),
        sa.Column("paid_currency", sa.Text(), nullable=False),
        sa.Column("paid_units", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("units", sa.BigInteger(), nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("quote", sa.Text(), nullable=False),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        sa.Column("rate_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["entry_id"], ["entries.id"], name=op.f("fk_conversions_entry_id")),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_conversions")),
    )


def _take_over_payments() -> None:
    connection = op.get_bind()
    paid = connection.execute(
        sa.text(
            "SELECT e.id, e.at, e.reference, p.ledger_account_id, p.currency, p.units FROM entries e "
            "JOIN postings p ON p.entry_id = e.id "
            "WHERE e.kind = 'payment' AND p.ledger_account_id LIKE 'receivable:%' ORDER BY e.at, e.id"
        )
    ).all()
    for row in paid:
        content = {"action": "payment.add", "currency": row.currency, "units": row.units}
        connection.execute(
            sa.text(
                "INSERT INTO money_acts "
                "(account_id, reference, action, currency, units, content, entry_id, at) VALUES "
                "(:account_id, :reference, 'payment.add', :currency, :units, :content, :entry_id, :at)"
            ),
            {
                "account_id": row.ledger_account_id.removeprefix("receivable:"),
                "reference": row.reference,
                "currency": row.currency,
                "units": row.units,
                "content": json.dumps(content, sort_keys=True),
                "entry_id": row.id,
                "at": row.at,
            },
        )

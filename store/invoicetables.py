"""The tables of invoices: taxes, numbers, what was issued, its papers, and the mail that carries them.

Reads: nothing.
Gives: one Table for each; store/schema.py has them with all others.
Knows nothing of: what stands in them means. `invoices`, `invoice_sessions` and `invoice_documents` are books:
triggers keep them as they were written.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy import text as sql

from store.columns import SerialType, account, instant, metadata, serial, text, units

# A rate of a place from a day on, in 10^-4 percent.
taxes = Table(
    "taxes",
    metadata,
    text("place"),
    text("tax_group"),
    Column("valid_from", Date, nullable=False),
    Column("percent_units", Integer, nullable=False),
    text("label"),
    text("category"),
    Column("reverse_charge", Boolean(create_constraint=False), nullable=False),
    text("text", default=""),
    instant("decided_at"),
    text("decided_by"),
    PrimaryKeyConstraint("place", "tax_group", "valid_from"),
)

# The last number of each series; locked while the next ones are given.
number_series = Table(
    "number_series",
    metadata,
    Column("series", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

# `facts` is the invoice but its calls, as it was issued: billing.invoice.InvoiceHead and the names that its
# lines show. A credit note is one too; `corrects` is the number of its invoice.
invoices = Table(
    "invoices",
    metadata,
    Column("number", Text, primary_key=True),
    text("kind"),
    text("series"),
    Column("count", BigInteger, nullable=False),
    account(),
    Column("first_day", Date, nullable=False),
    Column("end_day", Date, nullable=False),
    text("zone"),
    instant("starts_at"),
    instant("ends_at"),
    Column("issued_on", Date, nullable=False),
    Column("due_on", Date, nullable=False),
    text("currency"),
    units("charges_units"),
    units("items_units"),
    units("rounding_units"),
    units("tax_units"),
    units("total_units"),
    units("previous_units"),
    units("payments_units"),
    units("due_units"),
    text("corrects", default=""),
    text("facts"),
    instant("issued_at"),
    text("issued_by"),
    UniqueConstraint("series", "count"),
    CheckConstraint("kind IN ('invoice', 'credit_note')", name="kind"),
    Index("ix_invoices_account", "account_id", "ends_at"),
    Index(
        "uq_invoices_period",
        "account_id",
        "first_day",
        unique=True,
        sqlite_where=sql("kind = 'invoice'"),
        postgresql_where=sql("kind = 'invoice'"),
    ),
)

# A callback is on one invoice, once and for all.
invoice_sessions = Table(
    "invoice_sessions",
    metadata,
    Column("callback_id", Text, ForeignKey("callbacks.id"), primary_key=True),
    Column("number", Text, ForeignKey("invoices.number"), nullable=False, index=True),
)

# Each form as it was issued, deflated; `sha256` and `size` are of what it inflates to.
invoice_documents = Table(
    "invoice_documents",
    metadata,
    Column("number", Text, ForeignKey("invoices.number"), nullable=False),
    text("form"),
    Column("body", LargeBinary, nullable=False),
    text("sha256"),
    Column("size", Integer, nullable=False),
    PrimaryKeyConstraint("number", "form"),
)

# The queue of mail: one for each invoice and recipient, or for a link by which an address is confirmed. It
# stays as proof of what was sent when.
mails = Table(
    "mails",
    metadata,
    serial(),
    Column("number", Text, ForeignKey("invoices.number")),
    Column("link_id", SerialType, ForeignKey("email_links.id")),
    text("recipient"),
    text("state"),
    Column("attempts", Integer, nullable=False),
    instant("queued_at"),
    instant("due_at"),
    instant("ended_at", optional=True),
    text("told", default=""),
    UniqueConstraint("number", "recipient"),
    UniqueConstraint("link_id"),
    CheckConstraint("(number IS NULL) <> (link_id IS NULL)", name="carries"),
    CheckConstraint("state IN ('queued', 'sending', 'sent', 'failed')", name="state"),
    Index(
        "ix_mails_waiting",
        "due_at",
        sqlite_where=sql("state IN ('queued', 'sending')"),
        postgresql_where=sql("state IN ('queued', 'sending')"),
    ),
)

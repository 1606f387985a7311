"""The tables of re-rating: what was asked for, and what each callback came to by it.

Reads: nothing.
Gives: one Table for each; store/schema.py has them with all others.
Knows nothing of: why a price is another.

Both are books: a row is never changed. The first outcome of a callback stays in `settlements`.
"""

from sqlalchemy import Column, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text

from store.columns import instant, metadata, text, units

# One wish under one reference: asked again with the same words it goes on where it stopped.
rerating_runs = Table(
    "rerating_runs",
    metadata,
    Column("reference", Text, primary_key=True),
    text("wish"),
    text("reason"),
    text("made_by"),
    instant("made_at"),
)

# Revision n of a callback: its legs' charges of that revision sum to `gross_units`.
reratings = Table(
    "reratings",
    metadata,
    Column("callback_id", Text, ForeignKey("callbacks.id"), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("reference", Text, ForeignKey("rerating_runs.reference"), nullable=False),
    Column("reversal_id", Text, ForeignKey("entries.id"), nullable=False),
    Column("entry_id", Text, ForeignKey("entries.id"), nullable=False),
    text("plan_id"),
    text("currency"),
    units("gross_units"),
    units("waived_units"),
    instant("made_at"),
    PrimaryKeyConstraint("callback_id", "revision"),
    Index("ix_reratings_reference", "reference"),
)

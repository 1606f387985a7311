"""Ledger entries, holds and invoices: who owes what, always summing to zero."""

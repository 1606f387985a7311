"""The books: entries that sum to zero, holds that end once, invoices that can be recomputed. Pure."""

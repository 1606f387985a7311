"""Measured against doing the same without Dialback: what bin/bench runs."""

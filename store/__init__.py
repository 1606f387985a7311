"""Rows in and out of the database; the only floor that speaks SQL."""

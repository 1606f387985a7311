"""How the tables came to be, step by step; store/upgrade.py walks it."""

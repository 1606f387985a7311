"""The door for accounts staff: what the command line offers, one module for each noun."""

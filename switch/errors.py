"""Faults of the switch that callers tell apart.

Reads: nothing.
Gives: exceptions; each docstring is the sentence that a person reads.
Knows nothing of: who catches them.
"""


class OriginateRefusedError(Exception):
    """Asterisk refused to ring the subscriber; nothing rang."""


class SecondInstanceError(Exception):
    """Another Dialback serves this database already; stop it first."""

"""What the demo says no to.

Reads: nothing.
Gives: WrongUse.
Knows nothing of: who asks.
"""


class WrongUse(ValueError):
    """What was asked for on the command line cannot be had; nothing was started."""

"""How long each part of a callback may take, in seconds.

Reads: nothing.
Gives: Limits, with the defaults of the service.
Knows nothing of: where an operator sets them (switch/settings.py).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every wait has a bound; a state that is not an end has a deadline made of these."""

    guard_seconds: int = 3
    """From the trigger's hang-up to our call: the subscriber's line must be free again."""
    trigger_ring_seconds: int = 30
    """A trigger that still rings is rejected then, unanswered."""
    request_worth_seconds: int = 300
    """A wish older than this past its due time is not rung: nobody expects it any more."""
    quick_retry_seconds: int = 5
    """Before the one quick retry after a busy line, or a failure that surely rang nobody."""
    settle_seconds: int = 15
    """Slack on top of Asterisk's own time-outs before we look for ourselves."""
    dialog_seconds: int = 600
    """Longest time in the spoken dialog between two calls."""
    authorise_seconds: int = 15
    """Pricing, routing and holding take milliseconds; the store may be away for a while."""
    release_seconds: int = 10
    """From the end of the A-leg until all other channels must be gone."""
    talk_guard_seconds: int = 2
    """Our own clock follows Asterisk's L() by this much."""

"""What is to be done next: orders, in the imperative, committed before they are performed.

Reads: nothing.
Gives: the commands of calls/transitions.py. Settle is bookkeeping and is carried out inside the transaction
that commits it; the others are acts on Asterisk and are performed after it.
Knows nothing of: who performs them.
"""

from dataclasses import dataclass
from enum import StrEnum

from calls.callback import Leg, Reason
from values.e164 import E164


class Opening(StrEnum):
    """How a stretch of the spoken dialog begins."""

    WELCOME = "welcome"
    ASK_AGAIN = "ask_again"
    FOLLOW_ON = "follow_on"
    NEXT_NUMBER = "next_number"
    SPEAK_CODE = "speak_code"


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginateA:
    """Ring the subscriber. Sent once: its outcome is looked up, never tried again."""

    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class RunDialog:
    """Speak with the subscriber; `reason` is said first if there is one."""

    opening: Opening
    reason: Reason | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorise:
    """Find routes, price and the longest talk for that destination, and hold the credit."""

    number: E164
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialB:
    """Dial the destination by that route and bridge it on answer."""

    leg: Leg


@dataclass(frozen=True, slots=True, kw_only=True)
class HangUp:
    """End the channel of that leg if it lives."""

    leg_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Close the books of this callback: price every leg, write the records, end the hold."""


Command = OriginateA | RunDialog | Authorise | DialB | HangUp | Settle
BOOKKEEPING = (Settle,)
"""Carried out inside the transaction; never an order to anybody."""

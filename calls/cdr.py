"""The record of one finished leg, built from the facts of its own channel.

Reads: a Leg whose channel is gone (calls/callback.py).
Gives: a Cdr, the only thing that rating and billing know about a call.
Knows nothing of: prices, accounts, Asterisk.

A leg's clock runs from its own answer to its own release. Asterisk's ANSWEREDTIME, DIALEDTIME and
CDR(billsec) count from the answer of the *calling* channel (apps/app_dial.c, main/cdr.c); in a callback
that is the A-leg, answered long before B. So they are never read.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from values.e164 import E164


class LegRole(StrEnum):
    """Whose leg: A rings the subscriber, B rings the destination."""

    A = "A"
    B = "B"


class Disposition(StrEnum):
    """How a leg ended, in one word."""

    ANSWERED = "answered"
    NOT_ACCEPTED = "not_accepted"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    REJECTED = "rejected"
    UNOBTAINABLE = "unobtainable"
    CONGESTION = "congestion"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cdr:
    """One finished leg. Times are aware UTC datetimes with microseconds, from Asterisk's clock."""

    leg_id: str
    callback_id: str
    role: LegRole
    number: E164
    trunk: str
    invited_at: datetime
    rang_at: datetime | None
    answered_at: datetime | None
    accepted_at: datetime | None
    hung_up_at: datetime
    q850_cause: int
    disposition: Disposition
    estimated: bool = False

    def __post_init__(self) -> None:
        """Refuse a leg that ends before it is answered: such a record would bill negative time."""
        if self.answered_at is not None and self.hung_up_at < self.answered_at:
            raise ValueError(f"leg {self.leg_id}: hung_up_at lies before answered_at")

    @property
    def pdd_milliseconds(self) -> int | None:
        """Post-dial delay: from the order to dial to the first ringing; None if it never rang."""
        if self.rang_at is None:
            return None
        return (self.rang_at - self.invited_at) // timedelta(milliseconds=1)


def raw_microseconds(cdr: Cdr) -> int:
    """Answer to hang-up in whole microseconds; 0 if the leg was never answered."""
    if cdr.answered_at is None:
        return 0
    return (cdr.hung_up_at - cdr.answered_at) // timedelta(microseconds=1)

"""What a callback will cost, before it is made: the same functions as the bill, on legs that are imagined.

Reads: a Plan, both legs' rows and pins, a Course: when what would happen.
Gives: the SessionPrice that the bill of just that callback has; the longest talk for a credit.
Knows nothing of: where rows come from, credit, clocks.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from calls.cdr import Cdr, Disposition, LegRole
from rating.credit import LongestTalk, Shortfall, a_seconds_at_b_answer, longest_talk
from rating.plan import Plan
from rating.price import SessionPrice, price_session
from rating.rate import Rate
from rating.terms import NO_PINS, Pins
from values.e164 import E164

NORMAL_CLEARING = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotedLeg:
    """A leg that could be: whom it rings, by which row and pins."""

    number: E164
    rate: Rate
    pins: Pins = NO_PINS


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """When what happens: A is answered, keys and is connected so many seconds later, talks, stays a while."""

    answered_at: datetime
    keyed_after: int = 0
    connected_after: int = 0
    talk_seconds: int
    stays_for: int = 0

    def at(self, seconds: int) -> datetime:
        """Return the instant so many seconds after A's answer."""
        return self.answered_at + timedelta(seconds=seconds)


def quote(*, plan: Plan, a: QuotedLeg, b: QuotedLeg, course: Course) -> SessionPrice:
    """Return the price of a callback with one destination that goes just like this."""
    b_ends = course.connected_after + course.talk_seconds
    cdr_a = _cdr(a, LegRole.A, course, 0, b_ends + course.stays_for)
    cdr_b = _cdr(b, LegRole.B, course, course.connected_after, b_ends)
    return price_session(
        plan=plan,
        rate_a=a.rate,
        cdr_a=cdr_a,
        legs_b=[(cdr_b, b.rate)],
        pins={cdr_a.leg_id: a.pins, cdr_b.leg_id: b.pins},
    )


def longest(
    *, plan: Plan, a: QuotedLeg, b: QuotedLeg, course: Course, credit: Decimal
) -> LongestTalk | Shortfall:
    """Return how long may be talked for that credit, B answering when the course says."""
    return longest_talk(
        available=credit,
        plan=plan,
        rate_a=a.rate,
        rate_b=b.rate,
        a_seconds_at_b_answer=a_seconds_at_b_answer(
            plan=plan,
            answered_at=course.answered_at,
            accepted_at=course.at(course.keyed_after),
            dial_b_at=course.at(course.connected_after),
            ring_seconds=0,
        ),
        pins_a=a.pins,
        pins_b=b.pins,
    )


def _cdr(leg: QuotedLeg, role: LegRole, course: Course, answered: int, ended: int) -> Cdr:
    return Cdr(
        leg_id=role.lower(),
        callback_id="quote",
        role=role,
        number=leg.number,
        trunk="",
        invited_at=course.at(answered),
        rang_at=None,
        answered_at=course.at(answered),
        accepted_at=course.at(course.keyed_after) if role is LegRole.A else None,
        hung_up_at=course.at(ended),
        q850_cause=NORMAL_CLEARING,
        disposition=Disposition.ANSWERED,
    )

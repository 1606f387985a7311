"""Price whole callbacks by the thousand, each exactly as `price_session` prices it.

Reads: the answered legs of callbacks as columns (SessionLegs), a Plan, a DatedDeck.
Gives: SessionPrices: what came of each leg, and what each callback costs.
Knows nothing of: databases, what the account can pay, packages (the pure function knows them).

The B-legs come first, because what an A-leg pays for depends on them: an A-leg's seconds are decided by the
plan's policy, over the B-legs that are charged.
"""

from dataclasses import dataclass

import numpy as np

from rating.bulk import BulkLegs, Finding
from rating.dateddeck import DatedDeck, DatedPrices
from rating.plan import ALegPolicy, Plan
from rating.prefixtable import Flags, Ints, NumberColumn

NEVER = np.iinfo(np.int64).min
"""An instant that never came."""
_PER_SECOND = 10**6


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLegs:
    """Answered legs as columns of one length, in microseconds since 1970.

    `session` counts the callbacks from 0; each has exactly one A-leg that was answered. `authorised` is when
    the leg's price was fixed, `accepted` is NEVER where no key was pressed; `origins` and `package_seconds`
    are as in BulkLegs.
    """

    session: Ints
    numbers: NumberColumn
    is_a: Flags
    authorised: Ints
    answered: Ints
    accepted: Ints
    ended: Ints
    origins: Ints
    package_seconds: Ints

    def at_places(self, places: Ints) -> "SessionLegs":
        """Return the legs at some places."""
        return SessionLegs(
            session=self.session[places],
            numbers=NumberColumn(self.numbers.keys[places], self.numbers.lengths[places]),
            is_a=self.is_a[places],
            authorised=self.authorised[places],
            answered=self.answered[places],
            accepted=self.accepted[places],
            ended=self.ended[places],
            origins=self.origins[places],
            package_seconds=self.package_seconds[places],
        )

    def talked(self, seconds: Ints) -> BulkLegs:
        """Return the legs with the seconds that count of each."""
        return BulkLegs(
            numbers=self.numbers,
            at=self.authorised,
            talk_seconds=seconds,
            is_a=self.is_a,
            origins=self.origins,
            package_seconds=self.package_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPrices:
    """Columns in the order of the legs, and `gross_units` in the order of the callbacks.

    A callback of which any leg is not PRICED has no price: `is_priced` says so.
    """

    legs: DatedPrices
    talk_seconds: Ints
    gross_units: Ints
    is_priced: Flags


def price_sessions(deck: DatedDeck, plan: Plan, legs: SessionLegs, sessions: int) -> SessionPrices:
    """Return the price of every callback by that plan."""
    b, a = np.flatnonzero(~legs.is_a), np.flatnonzero(legs.is_a)
    talk = np.zeros(len(legs.session), dtype=np.int64)
    talk[b] = _whole_seconds(legs.ended[b] - legs.answered[b])
    prices = DatedPrices.of_none(len(talk))
    prices.put(b, deck.price(plan, legs.at_places(b).talked(talk[b])))
    counted = b[prices.billed_seconds[b] > 0]
    talk[a] = _a_seconds(plan.a_leg_policy, legs, a, counted, sessions)
    prices.put(a, deck.price(plan, legs.at_places(a).talked(talk[a])))
    gross = np.zeros(sessions, dtype=np.int64)
    np.add.at(gross, legs.session, prices.amount_units)
    is_priced = np.ones(sessions, dtype=np.bool_)
    is_priced[legs.session[prices.findings != Finding.PRICED]] = False
    return SessionPrices(legs=prices, talk_seconds=talk, gross_units=gross, is_priced=is_priced)


def _a_seconds(policy: ALegPolicy, legs: SessionLegs, a: Ints, counted: Ints, sessions: int) -> Ints:
    """Return the seconds that each A-leg pays for; `counted` are the B-legs that are charged."""
    of_session = np.zeros(sessions, dtype=np.int64)
    match policy:
        case ALegPolicy.FROM_ANSWER:
            return _whole_seconds(legs.ended[a] - legs.answered[a])
        case ALegPolicy.FROM_ACCEPT:
            is_accepted = legs.accepted[a] != NEVER
            since = np.where(is_accepted, legs.accepted[a], legs.ended[a])
            return _whole_seconds(legs.ended[a] - since)
        case ALegPolicy.IF_B_ANSWERED:
            of_session[legs.session[counted]] = 1
            return _whole_seconds(legs.ended[a] - legs.answered[a]) * of_session[legs.session[a]]
        case ALegPolicy.WHILE_BRIDGED:
            a_ended = np.zeros(sessions, dtype=np.int64)
            a_ended[legs.session[a]] = legs.ended[a]
            # B may outlive A by the moments that its release takes; nobody is connected then.
            together = np.minimum(legs.ended[counted], a_ended[legs.session[counted]])
            np.add.at(of_session, legs.session[counted], np.maximum(together - legs.answered[counted], 0))
            return _whole_seconds(of_session[legs.session[a]])
        case ALegPolicy.FREE:
            return np.zeros(len(a), dtype=np.int64)


def _whole_seconds(microseconds: Ints) -> Ints:
    """Return whole seconds, rounded up; what ended before it began has none."""
    return np.maximum(-(-microseconds // _PER_SECOND), 0)

"""The conductor's books on a real store, moved by hand: what is held, granted, promised and billed.

Reads: storeworld's company, with a second carrier that is a little dearer than the first.
Gives: Office: one callback, and steps that are taken as the conductor takes them.
Knows nothing of: Asterisk, timers.
"""

from datetime import datetime, timedelta
from typing import Any

from storeworld import CLERK, LIMITS, LONG_AGO, NOW, callback, fill, plan_of, rate
from twisted.internet.defer import Deferred, fail, maybeDeferred

from calls import events
from calls.callback import Callback, ReleasedBy
from calls.commands import Command
from calls.events import Event
from store import callbacks
from store.database import Database
from store.decks import add_deck, add_version
from store.errors import StoreUnavailable
from store.plans import add_plan
from store.trunks import Trunk, add_trunk
from switch.books import Books, RingTimes
from values.e164 import E164

B_RING_SECONDS = 60


class LosesAnswers(Database):
    """A store whose answer to a commit can be lost on its way."""

    loses_answers = False

    def run(self, name: str, function: Any, /, *args: Any, **kwargs: Any) -> "Deferred[Any]":
        done = maybeDeferred(self.call, name, function, *args, **kwargs)
        if self.loses_answers:
            self.loses_answers = False
            return done.addCallback(lambda _: fail(StoreUnavailable("the connection was lost")))
        return done


class Office:
    """The books of storeworld's company; its second carrier is a little dearer than the first."""

    def __init__(self, url: str, credit_units: int, **terms: Any) -> None:
        """The callback runs on a version of the plan with those terms."""
        self.seconds = 0.0
        self.database = LosesAnswers(url)
        self.database.call("fill", fill, credit_limit_units=credit_units)
        self.database.call("second carrier", _second_carrier)
        self.books = Books(
            database=self.database,
            wall=self.wall,
            limits=LIMITS,
            ring_times=RingTimes(a_seconds=45, b_seconds=B_RING_SECONDS, absolute_seconds=7200),
        )
        self.commands: tuple[Command, ...] = ()
        plan_id = self._plan(terms) if terms else "standard:1"
        self.begin(callback(plan_id=plan_id))

    def begin(self, first: Callback) -> None:
        """Write a callback down, and go on with it."""
        self.now = first
        self.database.call("insert", callbacks.insert_callback, first, announce=False)

    def _plan(self, terms: dict[str, Any]) -> str:
        plan = plan_of(**terms)
        return self.database.call("plan", add_plan, plan, effective_at=LONG_AGO, author=CLERK).id

    def wall(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def ask(self, event: Event | None, gather: Any = None) -> list[Any]:
        """What a step gives, or how it fails."""
        outcome: list[Any] = []
        self.books.advance(self.now, event, gather).addBoth(outcome.append)
        return outcome

    def take(self, event: Event | None, gather: Any = None) -> Callback:
        ((self.now, self.commands),) = self.ask(event, gather)
        return self.now

    def answered_and_accepted(self) -> None:
        self.take(None, self.books.authorise_a)
        leg_id = self.now.legs[0].id
        self.take(events.LegAnswered(at=self.wall(), leg_id=leg_id))
        self.take(events.Accepted(at=self.wall(), leg_id=leg_id))

    def dial(self, number: E164) -> None:
        self.take(events.DestinationKeyed(at=self.wall(), number=number))
        self.take(None, self.books.authorise_b(number))

    def hang_up(self, leg_id: str, cause: int = 16) -> None:
        self.take(
            events.LegHungUp(at=self.wall(), leg_id=leg_id, q850_cause=cause, released_by=ReleasedBy.FAR)
        )

    def talk(self, talk_seconds: float) -> None:
        """The latest B-leg is answered and lasts so long."""
        leg_b = self.now.leg_b
        assert leg_b is not None
        self.take(events.LegAnswered(at=self.wall(), leg_id=leg_b.id))
        self.seconds += talk_seconds
        self.hang_up(leg_b.id)


def _second_carrier(connection: Any) -> None:
    add_deck(connection, name="carrier-y", kind="cost", currency="EUR", author=CLERK)
    rows = [rate("44", "0.05"), rate("1", "0.10")]
    add_version(connection, deck_name="carrier-y", new_rates=rows, effective_at=LONG_AGO, author=CLERK)
    add_trunk(connection, Trunk(name="west", carrier="carrier-y", cost_deck="carrier-y"), CLERK)

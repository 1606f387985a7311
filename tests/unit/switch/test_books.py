"""One step as one transaction, on a real store: what is held, what is granted, what a lost answer leaves."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from storeworld import CLERK, FRIEND, LIMITS, LONG_AGO, NOW, PHONE, callback, fill, rate
from twisted.internet.defer import Deferred, fail, maybeDeferred

from calls import events
from calls.admission import AccountState
from calls.callback import Callback, Reason, ReleasedBy, State
from calls.commands import Command, DialB, Opening, OriginateA, RunDialog
from calls.events import Event
from store import callbacks, ledger
from store.customers import remove_number, set_account_state
from store.database import Database
from store.decks import add_deck, add_version
from store.errors import StoreUnavailable
from store.settlement import settle
from store.trunks import Trunk, add_trunk
from store.upgrade import upgrade
from switch.books import Books, RingTimes
from values.e164 import E164

B_RING_SECONDS = 60
NEAR = E164.parse("+442079460999")


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

    def __init__(self, url: str, credit_units: int) -> None:
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
        self.now = callback()
        self.commands: tuple[Command, ...] = ()
        self.database.call("insert", callbacks.insert_callback, self.now, announce=False)

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


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(credit_units: int = 50_0000) -> Office:
        url = f"sqlite:///{tmp_path}/dialback{len(made)}.db"
        upgrade(url)
        made.append(Office(url, credit_units))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


def test_a_hold_that_a_cheaper_call_leaves_high_still_counts_for_the_next_call(
    office: Callable[..., Office],
) -> None:
    desk = office()
    desk.answered_and_accepted()
    granted = []
    for number in (FRIEND, NEAR, FRIEND):
        desk.dial(number)
        assert desk.now.leg_b is not None
        granted.append(desk.now.leg_b.talk_seconds_max)
        hold = desk.database.read("hold", ledger.hold_of, desk.now.id)
        assert hold is not None
        assert desk.now.hold_units == hold.units
        desk.talk(1)
    first, _, third = granted
    assert first - third < 10


def test_I5_a_carrier_that_fails_late_leaves_the_next_one_less_to_talk_and_nothing_is_lost(
    office: Callable[..., Office],
) -> None:
    desk = office(credit_units=1_0000)
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    first, second = desk.now.legs_b[0], desk.now.planned[0]
    assert second.talk_seconds_max < first.talk_seconds_max
    desk.seconds += B_RING_SECONDS - 1
    desk.hang_up(first.id, cause=34)
    desk.seconds += B_RING_SECONDS - 1
    desk.talk(second.talk_seconds_max)
    desk.hang_up(desk.now.legs[0].id)
    closed = desk.database.call("settle", settle, desk.now)
    assert closed.waived_units == 0


# a commit of which nobody knows whether it was done


def test_F10_a_ring_that_was_committed_unheard_is_ordered_once(office: Callable[..., Office]) -> None:
    desk = office()
    desk.database.loses_answers = True
    (lost,) = desk.ask(None, desk.books.authorise_a)
    assert lost.check(StoreUnavailable)
    desk.seconds += 1
    desk.take(None, desk.books.authorise_a)
    assert desk.now.state is State.DIALING_A
    assert desk.commands == (OriginateA(leg=desk.now.legs[0]),)
    assert desk.now == desk.database.read("load", callbacks.load, desk.now.id)


def test_F10_a_fact_that_was_committed_unheard_counts_once(office: Callable[..., Office]) -> None:
    desk = office()
    desk.take(None, desk.books.authorise_a)
    answered = events.LegAnswered(at=desk.wall(), leg_id=desk.now.legs[0].id)
    desk.database.loses_answers = True
    desk.ask(answered)
    assert desk.take(answered).state is State.COLLECTING
    lines = desk.database.read("trace", callbacks.trace, desk.now.id)
    assert [line.event for line in lines].count("LegAnswered") == 1


def test_F10_a_destination_authorised_unheard_is_left_as_the_end_of_the_call_finds_it(
    office: Callable[..., Office],
) -> None:
    desk = office()
    desk.answered_and_accepted()
    desk.take(events.DestinationKeyed(at=desk.wall(), number=FRIEND))
    desk.database.loses_answers = True
    desk.ask(None, desk.books.authorise_b(FRIEND))
    desk.hang_up(desk.now.legs[0].id)
    assert desk.now.state is State.RELEASING
    assert not any(isinstance(command, DialB) for command in desk.commands)
    desk.hang_up(f"{desk.now.id}-b1", cause=0)
    assert str(desk.now.state) == "abandoned"
    assert desk.database.read("holds", ledger.open_holds) == ()


def test_F10_what_was_not_committed_is_done_when_the_store_is_back(office: Callable[..., Office]) -> None:
    desk = office()
    run, desk.database.run = desk.database.run, lambda *_, **__: fail(StoreUnavailable("away"))  # type: ignore[method-assign]
    desk.ask(None, desk.books.authorise_a)
    desk.database.run = run  # type: ignore[method-assign]
    assert desk.take(None, desk.books.authorise_a).state is State.DIALING_A
    assert desk.now == desk.database.read("load", callbacks.load, desk.now.id)


# what changes while a callback lives


def test_F20_a_number_that_was_taken_away_is_not_rung_any_more(office: Callable[..., Office]) -> None:
    desk = office()
    desk.database.call("remove", remove_number, PHONE, CLERK)
    desk.take(None, desk.books.authorise_a)
    assert (str(desk.now.state), desk.now.reason) == ("failed", Reason.NUMBER_REFUSED)


def test_F20_an_account_that_is_suspended_in_the_call_reaches_no_further_destination(
    office: Callable[..., Office],
) -> None:
    desk = office()
    desk.answered_and_accepted()
    desk.database.call("suspend", set_account_state, "acme", AccountState.SUSPENDED, CLERK)
    desk.dial(FRIEND)
    assert desk.now.state is State.COLLECTING
    assert desk.commands == (RunDialog(opening=Opening.ASK_AGAIN, reason=Reason.ACCOUNT_CLOSED),)

"""One step as one transaction, on a real store: what is held, what is granted, what a lost answer leaves."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from desk_of_books import B_RING_SECONDS, Office
from storeworld import CLERK, FRIEND, LONG_AGO, NOW, PHONE, callback, rate
from twisted.internet.defer import fail

from calls import events
from calls.admission import AccountState
from calls.callback import Reason, State
from calls.commands import DialB, Opening, OriginateA, RunDialog
from store import callbacks, ledger
from store.caps import CapPeriod, SpendCap, set_cap
from store.customers import remove_number, set_account_state
from store.decks import add_version
from store.errors import StoreUnavailable
from store.rerated import begin, rerate_chunk
from store.rerating import Repricing
from store.reratingrows import Wish
from store.settlement import settle
from values.e164 import E164

NEAR = E164.parse("+442079460999")


@pytest.fixture
def office(tables: Path, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(credit_units: int = 50_0000) -> Office:
        path = tmp_path / f"dialback{len(made)}.db"
        path.write_bytes(tables.read_bytes())
        made.append(Office(f"sqlite:///{path}", credit_units))
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


def test_F170_neither_leg_is_authorised_once_a_call_of_the_day_was_made_dearer_than_its_cap(
    office: Callable[..., Office],
) -> None:
    desk = office()
    wish = SpendCap(account_id="acme", subscriber_id="", period=CapPeriod.DAY, cap_units=1_0000)
    desk.database.call("cap", set_cap, wish, CLERK)
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    desk.talk(60)
    desk.hang_up(desk.now.legs[0].id)
    desk.seconds += 1
    desk.begin(callback("cb2", created_at=desk.wall()))
    desk.answered_and_accepted()

    dear = [rate("44", "0.10"), rate("1", "2.50")]
    desk.database.call(
        "deck", add_version, deck_name="retail", new_rates=dear, effective_at=LONG_AGO, author=CLERK
    )
    everything = Wish(since=NOW, until=desk.wall())
    repricing = desk.database.read("begin", Repricing, everything)
    desk.database.call("begin", begin, everything, reference="r1", author=CLERK)
    desk.database.call("rerate", rerate_chunk, repricing, None, 10, reference="r1", author=CLERK)

    desk.dial(NEAR)
    assert desk.now.legs_b == ()
    (told,) = desk.commands
    assert isinstance(told, RunDialog)
    assert told.reason is Reason.SPEND_CAP
    desk.hang_up(desk.now.legs[0].id)
    desk.begin(callback("cb3", created_at=desk.wall()))
    desk.take(None, desk.books.authorise_a)
    assert (desk.now.state, desk.now.reason) == (State.FAILED, Reason.SPEND_CAP)


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

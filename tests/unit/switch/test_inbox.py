"""The inbox: what others asked for is taken, also when the store fails while it is being taken."""

from collections.abc import Callable
from typing import Any

import pytest
from fake_switch import FakeSwitch
from sample_callbacks import CALLBACK_ID, in_state, requested
from structlog import get_logger
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed

from calls.callback import State
from store.callbacks import CallbackWish
from store.errors import StoreUnavailable
from switch.inbox import Inbox


class FakeStore:
    """Wishes, and a store that may fail while they are taken."""

    def __init__(self) -> None:
        self.wishes: list[CallbackWish] = []
        self.is_away = False
        self.taken = 0

    def data_version(self) -> int:
        return len(self.wishes)

    def beside(self, function: Callable[[], Any]) -> "Deferred[Any]":
        return maybeDeferred(function)

    def run(self, _name: str, _function: object) -> "Deferred[list[CallbackWish]]":
        self.taken += 1
        if self.is_away:
            return fail(StoreUnavailable("busy"))
        wishes, self.wishes = self.wishes, []
        return succeed(wishes)


@pytest.fixture
def switch() -> FakeSwitch:
    return FakeSwitch()


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def inbox(switch: FakeSwitch, store: FakeStore) -> Inbox:
    return Inbox(
        database=store,  # type: ignore[arg-type]
        conductor=switch.conductor,
        wall=switch.wall,
        log=get_logger(),
    )


def test_F011_a_request_is_taken_at_the_next_look_after_the_store_failed(
    inbox: Inbox, switch: FakeSwitch, store: FakeStore
) -> None:
    store.wishes.append(CallbackWish(callback=requested(dial_at=switch.wall())))
    store.is_away = True
    with capture_logs():
        inbox.look()
    store.is_away = False
    inbox.look()
    assert switch.conductor.knows(CALLBACK_ID)


def test_an_empty_inbox_begins_no_transaction(inbox: Inbox, switch: FakeSwitch, store: FakeStore) -> None:
    store.wishes.append(CallbackWish(callback=requested(dial_at=switch.wall())))
    for _ in range(3):
        inbox.look()
    assert store.taken == 1


def test_a_cancellation_that_cannot_be_saved_keeps_no_request_from_being_taken(
    inbox: Inbox, switch: FakeSwitch, store: FakeStore
) -> None:
    talking = in_state(State.TALKING)
    switch.conductor.follow(talking)
    store.wishes += [
        CallbackWish(callback=talking, cancelled_by="ops"),
        CallbackWish(callback=requested(callback_id="cb2", dial_at=switch.wall())),
    ]
    switch.books.is_away = True
    with capture_logs():
        inbox.look()
    assert switch.conductor.knows("cb2")


def test_F109_a_call_that_is_up_can_be_cancelled_while_the_switch_drains(
    inbox: Inbox, switch: FakeSwitch, store: FakeStore
) -> None:
    talking = in_state(State.TALKING)
    switch.books.rows[CALLBACK_ID] = talking
    switch.conductor.follow(talking)
    switch.conductor.draining = True
    store.wishes += [
        CallbackWish(callback=talking, cancelled_by="ops"),
        CallbackWish(callback=requested(callback_id="cb2", dial_at=switch.wall())),
    ]
    inbox.look()
    switch.pass_time(5)
    assert switch.state() == "releasing"
    assert switch.asterisk.originated == []

"""Whatever becomes of callbacks, the rows say what the values said, and the books agree with themselves."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection
from storeworld import advance, callback, fill, seconds, story

from calls import events
from calls.callback import Callback, Reason
from calls.events import Event
from calls.transitions import TABLE, is_stale
from store import callbacks, ledger
from store.database import Database
from store.settlement import settle
from store.upgrade import upgrade
from store.verify import verify

CREDIT_UNITS = 3_0000
NUMBERS = count()


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('books') / 'dialback.db'}"
    upgrade(url)
    database = Database(url)
    database.call("fill", fill, CREDIT_UNITS)
    yield database
    database.close()


@st.composite
def lives(draw: st.DrawFn) -> tuple[int, int, str]:
    """Seconds talked, the step at which something comes between, and what that is."""
    return (
        draw(st.integers(0, 7_200)),
        draw(st.integers(0, 10)),
        draw(st.sampled_from(["nothing", "vanished", "cancelled"])),
    )


def told(first: Callback, life: tuple[int, int, str], held_units: int) -> list[Event]:
    talk_seconds, cut, what = life
    whole = [
        replace(event, hold_units=min(event.hold_units, held_units))
        if isinstance(event, events.DialAuthorised | events.DestinationAuthorised)
        else event
        for event in story(first, talk_seconds)
    ]
    match what:
        case "vanished":
            return [*whole[:cut], events.LegsVanished(at=seconds(7_500), reason=Reason.VANISHED)]
        case "cancelled":
            return [*whole[:cut], events.Cancelled(at=seconds(7_500), by="web"), *whole[-2:]]
        case _:
            return whole


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=lives())
def test_every_life_of_a_callback_leaves_sound_books(database: Database, life: tuple[int, int, str]) -> None:
    first = callback(f"cb{next(NUMBERS)}")

    def live(connection: Connection) -> Callback:
        held = ledger.available(connection, "acme")
        callbacks.insert_callback(connection, first)
        now = first
        for event in told(first, life, held):
            if now.state.is_end:
                break
            if _is_told_in_time(now, event):
                now = advance(connection, now, event)
                assert callbacks.load(connection, first.id) == now
        if now.state.is_end:
            settle(connection, now)
        return now

    ended = database.call("live", live)
    assert database.read("verify", verify) == ()
    assert database.read("available", ledger.available, "acme") >= 0
    if ended.state.is_end:
        hold = database.read("hold", ledger.hold_of, ended.id)
        assert hold is None or not hold.is_open


def _is_told_in_time(now: Callback, event: Event) -> bool:
    """Whether the conductor would pass the event on: it is not stale, and the table knows it here."""
    return (now.state, type(event)) in TABLE and not is_stale(now, event)

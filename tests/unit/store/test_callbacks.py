from typing import Any

import pytest
from sqlalchemy import text
from storeworld import FRIEND, LIMITS, NOW, advance, callback, leg, play, seconds, story

from calls.callback import State
from calls.cdr import LegRole
from calls.commands import HangUp, OriginateA
from calls.events import DialAuthorised, TriggerReleased
from calls.transitions import step
from store import callbacks
from store.database import Database
from store.errors import Conflict, NotFound, StaleStep


def test_a_callback_comes_back_as_it_was_written(company: Database) -> None:
    first = callback(retry_gaps_seconds=(60, 300), attempts_max=3)
    company.call("insert", callbacks.insert_callback, first)
    assert company.read("load", callbacks.load, "cb1") == first


def test_every_step_of_a_whole_call_comes_back_as_it_was_saved(company: Database) -> None:
    first = callback()
    company.call("insert", callbacks.insert_callback, first)
    now = first
    for event in story(first):
        now = company.call("advance", advance, now, event)
        assert company.read("load", callbacks.load, "cb1") == now
    assert now.state is State.COMPLETED
    assert company.read("unfinished", callbacks.unfinished) == ()


def test_a_step_on_a_callback_that_has_moved_is_refused(company: Database) -> None:
    first = callback()
    company.call("insert", callbacks.insert_callback, first)
    event = DialAuthorised(at=seconds(3), leg=leg(first, LegRole.A), hold_units=0)
    after, commands = step(first, event, LIMITS)
    company.call("save", callbacks.save_step, first, after, commands, event)
    other = DialAuthorised(at=seconds(4), leg=leg(first, LegRole.A, ring_seconds=1), hold_units=0)
    wrong, commands = step(first, other, LIMITS)
    with pytest.raises(StaleStep):
        company.call("save", callbacks.save_step, first, wrong, commands, other)
    assert company.read("load", callbacks.load, "cb1") == after


def test_a_step_whose_commit_was_not_reported_is_recognised(company: Database) -> None:
    first = callback()
    company.call("insert", callbacks.insert_callback, first)
    event = DialAuthorised(at=seconds(3), leg=leg(first, LegRole.A), hold_units=0)
    after, commands = step(first, event, LIMITS)
    ids = company.call("save", callbacks.save_step, first, after, commands, event)
    assert company.call("save", callbacks.save_step, first, after, commands, event) == ids
    assert len(company.read("trace", callbacks.trace, "cb1")) == 2


def test_an_order_is_on_the_list_until_it_is_done(company: Database) -> None:
    first = callback()
    company.call("insert", callbacks.insert_callback, first)
    event = DialAuthorised(at=seconds(3), leg=leg(first, LegRole.A), hold_units=0)
    after, commands = step(first, event, LIMITS)
    ids = company.call("save", callbacks.save_step, first, after, commands, event)
    undone = company.read("undone", callbacks.undone_commands)
    assert [each.command for each in undone] == [OriginateA(leg=after.legs[0])]
    company.call("done", callbacks.commands_done, ids, seconds(4))
    assert company.read("undone", callbacks.undone_commands) == ()


def test_the_orders_of_an_earlier_step_are_noted_done_with_the_next_one(company: Database) -> None:
    first = callback()
    company.call("insert", callbacks.insert_callback, first)
    told = list(story(first))
    after, commands = step(first, told[0], LIMITS)
    ids = company.call("save", callbacks.save_step, first, after, commands, told[0])
    later, commands = step(after, told[1], LIMITS)
    company.call("save", callbacks.save_step, after, later, commands, told[1], done=ids)
    assert company.read("undone", callbacks.undone_commands) == ()


def test_an_ended_callback_leaves_nothing_to_do(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    left = text("SELECT count(*) FROM outbox WHERE done_at IS NULL")
    assert company.read("left", lambda connection: connection.execute(left).scalar_one()) == 0


def test_a_wish_of_another_process_lies_in_the_inbox_once(company: Database) -> None:
    seen = company.data_version()
    company.call("insert", callbacks.insert_callback, callback())
    assert company.data_version() != seen
    company.call("cancel", callbacks.request_cancel, "cb1", "web")
    wishes = company.call("take", callbacks.take_inbox)
    assert [(wish.callback.id, wish.cancelled_by) for wish in wishes] == [("cb1", ""), ("cb1", "web")]
    assert company.call("take", callbacks.take_inbox) == ()
    assert company.read("who", callbacks.cancel_requested_by, "cb1") == "web"


def test_the_same_news_number_never_stands_for_other_news(company: Database) -> None:
    seen = set()
    for number in range(3):
        company.call("insert", callbacks.insert_callback, callback(f"cb{number}"))
        seen.add(company.data_version())
        company.call("take", callbacks.take_inbox)
    assert len(seen) == 3


def test_an_ended_callback_cannot_be_cancelled(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    with pytest.raises(Conflict, match="has ended already"):
        company.call("cancel", callbacks.request_cancel, "cb1", "web")


def test_an_unknown_callback_is_not_found(company: Database) -> None:
    for ask in (callbacks.load, callbacks.trace):
        with pytest.raises(NotFound):
            company.read("ask", ask, "cb-none")


def test_the_trace_tells_every_event_in_order(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    lines = company.read("trace", callbacks.trace, "cb1")
    assert [line.event for line in lines] == ["Created", *(type(event).__name__ for event in story(first))]
    assert lines[-1].state is State.COMPLETED


def test_callbacks_are_due_when_their_time_has_come(company: Database) -> None:
    company.call("insert", callbacks.insert_callback, callback("cb1", dial_at=seconds(10)))
    company.call("insert", callbacks.insert_callback, callback("cb2", dial_at=seconds(20)))
    assert [each.id for each in company.read("due", callbacks.due, seconds(10))] == ["cb1"]


def test_a_list_is_narrowed_by_every_filter(company: Database) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    company.call("insert", callbacks.insert_callback, callback("cb2", created_at=seconds(5)))

    def ids(**filters: Any) -> list[str]:
        return [each.id for each in company.read("list", callbacks.list_callbacks, **filters)]

    assert ids() == ["cb2", "cb1"]
    assert ids(states=[State.COMPLETED]) == ["cb1"]
    assert ids(since=seconds(1)) == ["cb2"]
    assert ids(until=seconds(1)) == ["cb1"]
    assert ids(account_id="other") == []
    assert ids(limit=1) == ["cb2"]
    assert ids(number=FRIEND) == ["cb1"]


def test_a_released_trigger_only_moves_times(company: Database) -> None:
    first = callback(dial_at=None)
    company.call("insert", callbacks.insert_callback, first)
    event = TriggerReleased(at=NOW)
    after, commands = step(first, event, LIMITS)
    assert company.call("save", callbacks.save_step, first, after, commands, event) == ()
    assert company.read("load", callbacks.load, "cb1") == after
    assert not any(isinstance(command, HangUp) for command in commands)

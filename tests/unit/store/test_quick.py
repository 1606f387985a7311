"""Statements that come again: rows, counts, errors as SQLAlchemy gives them; what passes by is not kept."""

import gc
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from desk_of_books import Office
from sqlalchemy import Connection, Select, bindparam, insert, literal_column, select, update
from sqlalchemy.engine import CursorResult, IteratorResult
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from storeworld import FRIEND, NOW, callback, play, story

from store import callbacks, dids, ledger, plans
from store.database import Database
from store.quick import Changed, Known, QuickConnection
from store.schema import callback_log, entries, legs
from store.schema import callbacks as table
from store.upgrade import upgrade


class BothWays(QuickConnection):
    """Asks every question that it knows a second time in the ordinary way, and compares."""

    compared: ClassVar[set[int]] = set()

    def execute(self, statement: Any, parameters: Any = None, **options: Any) -> Any:
        result = super().execute(statement, parameters, **options)
        if type(result) is not IteratorResult or not isinstance(statement, Select):
            return result
        ordinary = Connection.execute(self, statement, parameters)
        assert isinstance(ordinary, CursorResult)
        assert list(ordinary.keys()) == list(result.keys())
        mine, theirs = result.all(), ordinary.all()
        assert [tuple(row) for row in mine] == [tuple(row) for row in theirs]
        assert [list(map(type, row)) for row in mine] == [list(map(type, row)) for row in theirs]
        self.compared.add(id(statement))
        return super().execute(statement, parameters, **options)


@pytest.fixture
def database(templates: Any, tmp_path: Path) -> Iterator[Database]:
    made = Database(templates.new("sqlite", "company", tmp_path))
    yield made
    made.close()


@pytest.fixture
def quick(database: Database) -> Iterator[QuickConnection]:
    """A connection in a transaction."""
    connection = QuickConnection(database.engine, Known())
    with connection:
        connection.begin_by("BEGIN IMMEDIATE")
        yield connection


def test_what_a_call_asks_is_answered_as_sqlalchemy_answers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("store.database.QuickConnection", BothWays)
    url = f"sqlite:///{tmp_path}/dialback.db"
    upgrade(url)
    desk = Office(url, 50_0000)
    for name in ("cb7", "cb8"):
        desk.begin(callback(name))
        desk.answered_and_accepted()
        desk.dial(FRIEND)
        desk.talk(31)
        leg_a = desk.now.leg_a
        assert leg_a is not None
        desk.hang_up(leg_a.id)
        assert desk.database.read("load", callbacks.load, name) == desk.now
        desk.database.read("trace", callbacks.trace, name)
    desk.database.close()
    assert len(BothWays.compared) > 20


def twice(connection: Connection, statement: Any, parameters: Any) -> Any:
    """The result of the second time, for which the first is the way to be known."""
    connection.execute(statement, parameters)
    return connection.execute(statement, parameters)


def test_a_row_count_is_told(quick: QuickConnection) -> None:
    play(quick, callback(), story(callback()))
    result = twice(quick, callbacks.WANT_CANCEL, {"callback_id": "cb1", "who": "clerk"})
    assert isinstance(result, Changed)
    assert result.rowcount == 1
    assert twice(quick, callbacks.WANT_CANCEL, {"callback_id": "cb9", "who": "clerk"}).rowcount == 0


def test_many_rows_are_written_at_once(quick: QuickConnection) -> None:
    play(quick, callback(), story(callback()))
    rows = [LINE | {"event": f"E{number}"} for number in range(3)]
    before = len(callbacks.trace(quick, "cb1"))
    assert isinstance(twice(quick, callbacks.INSERT_LOG, rows), Changed)
    assert [line.event for line in callbacks.trace(quick, "cb1")[before:]] == ["E0", "E1", "E2"] * 2


def test_an_error_is_sqlalchemys_without_the_parameters_and_takes_nothing_else_back(
    quick: QuickConnection,
) -> None:
    play(quick, callback(), story(callback()))
    with pytest.raises(IntegrityError) as found:
        quick.execute(callbacks.INSERT_LOG, LINE | {"callback_id": "nobody +442079460101"})
    assert "442079460101" not in str(found.value)
    assert isinstance(found.value.orig, sqlite3.IntegrityError)
    with pytest.raises(OperationalError):
        quick.say("NO SUCH WORD")
    assert callbacks.load(quick, "cb1").state.is_end


def test_an_error_between_two_rows_is_sqlalchemys_too(quick: QuickConnection) -> None:
    broken = select(literal_column("abs(entries.at - entries.at - 9223372036854775807 - 1)"), entries.c.id)
    play(quick, callback(), story(callback()))
    with pytest.raises(OperationalError, match="integer overflow"):
        twice(quick, broken, {}).all()


def test_a_parameter_that_is_missing_is_an_error_as_ever(quick: QuickConnection) -> None:
    twice(quick, dids.FIND, {"number": "+1"})
    with pytest.raises(StatementError, match="number"):
        quick.execute(dids.FIND, {"numero": "+1"})


UNUSUAL = {
    "a list": select(entries).where(entries.c.id.in_(bindparam("ids", expanding=True))),
    "two columns of one name": select(legs, table).join(table, table.c.id == legs.c.callback_id),
    "many with ids": insert(callback_log).returning(callback_log.c.id),
}
LINE = {"callback_id": "cb1", "at": NOW, "state": "talking", "event": "E", "detail": "{}"}


@pytest.mark.parametrize(
    ("name", "parameters"),
    [("a list", {"ids": ["a", "b"]}), ("two columns of one name", {}), ("many with ids", [LINE, LINE])],
)
def test_what_is_unusual_is_left_to_sqlalchemy(quick: QuickConnection, name: str, parameters: Any) -> None:
    play(quick, callback(), story(callback()))
    assert isinstance(twice(quick, UNUSUAL[name], parameters), CursorResult)


def test_outside_a_transaction_nothing_is_quick(database: Database) -> None:
    connection = QuickConnection(database.engine, Known())
    with connection:
        assert isinstance(connection.execute(plans.PINNED, {"plan_id": "standard:1"}), CursorResult)
        connection.rollback()
        assert isinstance(connection.execute(plans.PINNED, {"plan_id": "standard:1"}), CursorResult)


def test_a_statement_made_for_one_question_is_not_kept_alive(quick: QuickConnection) -> None:
    def build() -> Any:
        return update(entries).where(entries.c.id == "none").values(reason="")

    quick.execute(build())  # SQLAlchemy itself keeps the first of its kind
    built = build()
    twice(quick, built, {})
    gone = weakref.ref(built)
    del built
    gc.collect()
    assert gone() is None


def test_a_transaction_that_fails_leaves_a_fresh_connection_to_the_next(database: Database) -> None:
    def fails(connection: Connection) -> None:
        ledger.lock(connection, "acme")
        callbacks.insert_callback(connection, callback(), announce=False)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.call("fail", fails)
    database.call("insert", callbacks.insert_callback, callback(), announce=False)
    assert database.read("load", callbacks.load, "cb1") == callback()

"""Statements that come again go straight to SQLite's driver: the same rows in a third of the time.

Reads: a statement and its parameters, as Connection.execute takes them.
Gives: QuickConnection, a Connection that remembers what each statement comes to.
Knows nothing of: tables, transactions, threads.

A callback needs a hundred statements. SQLite answers each within microseconds; to ask, SQLAlchemy works out
every time what never changes: the text, the order of the parameters, how values are converted, what a row's
columns are called. Here it is worked out once for each statement (decision 34 has the figures).

Laws
1. Rows, types, row counts and errors are those of the ordinary way (tests/unit/store/test_quick.py).
2. What is unusual goes the ordinary way: another engine, lists in an IN, values that Python makes up.
3. Only a statement that comes again as the same object is remembered: those of modules. One that is put
   together for a single question passes by, and is not kept alive.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Delete, Engine, Executable, Insert, Select, Update
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.engine import IteratorResult
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.engine.result import SimpleResultMetaData
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.compiler import SQLCompiler

Row = tuple[Any, ...]
Convert = Callable[[Any], Any]
_BY_NAME = SQLiteDialect_pysqlite(paramstyle="named")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """All that is known of a statement before its parameters are."""

    text: str
    """With its parameters by name, so that those given can be handed on as they are."""
    constants: Mapping[str, Any]
    """Values that stand in the statement itself."""
    binds: tuple[tuple[str, Convert], ...]
    """Parameters that are converted on their way in."""
    columns: SimpleResultMetaData
    results: tuple[tuple[int, Convert], ...]
    """Columns, by their place, that are converted on their way out."""
    has_rows: bool

    def values(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """The parameters as the driver takes them; more than the statement names do no harm."""
        if not self.binds and not self.constants:
            return given
        values = {**self.constants, **given}
        for name, convert in self.binds:
            values[name] = convert(values[name])
        return values


class Known:
    """What the statements of one engine come to, shared by its connections."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._plans: WeakKeyDictionary[Executable, dict[tuple[str, ...], _Plan | None]] = WeakKeyDictionary()

    def plan(self, statement: Executable, names: tuple[str, ...], dialect: Dialect) -> _Plan | None:
        """How to run it with parameters of these names; None if it is new or unusual."""
        plans = self._plans.get(statement)
        if plans is None:
            self._plans[statement] = {}
            return None
        if names not in plans:
            plans[names] = _plan(statement, names, dialect)
        return plans[names]


class QuickConnection(Connection):
    """A connection to SQLite."""

    def __init__(self, engine: Engine, known: Known) -> None:
        """`known` is shared by the connections of the engine."""
        super().__init__(engine)
        self._known = known
        driver: Any = self.connection.driver_connection
        self._driver: sqlite3.Connection = driver

    def execute(
        self,
        statement: Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
        *,
        execution_options: Any = None,
    ) -> Any:
        """As Connection.execute."""
        given = parameters or {}
        is_many = not isinstance(given, dict)
        names = tuple(given[0] if is_many else given)  # type: ignore[index]
        plan = self._known.plan(statement, names, self.dialect) if execution_options is None else None
        if plan is None or not self.in_transaction() or (is_many and plan.has_rows):
            return super().execute(statement, parameters, execution_options=execution_options)
        try:
            if is_many:
                cursor = self._driver.executemany(plan.text, [plan.values(each) for each in given])  # type: ignore[arg-type]
            else:
                cursor = self._driver.execute(plan.text, plan.values(given))  # type: ignore[arg-type]
        except sqlite3.Error as error:
            raise self._wrapped(plan.text, error) from error
        if plan.has_rows:
            return IteratorResult(plan.columns, self._rows(plan, cursor))
        return Changed(plan.columns, cursor.rowcount)

    def begin_by(self, text: str) -> None:
        """Begin a transaction with these words, such as BEGIN IMMEDIATE."""
        self.begin()
        self.say(text)

    def say(self, text: str) -> None:
        """Execute a word to SQLite that has neither parameters nor rows, such as SAVEPOINT."""
        try:
            self._driver.execute(text)
        except sqlite3.Error as error:
            raise self._wrapped(text, error) from error

    def _rows(self, plan: _Plan, cursor: sqlite3.Cursor) -> Iterator[Row]:
        """The rows one by one: some questions have a million."""
        try:
            if not plan.results:
                yield from cursor
            for row in cursor:
                values = list(row)
                for place, convert in plan.results:
                    values[place] = convert(values[place])
                yield tuple(values)
        except sqlite3.Error as error:
            raise self._wrapped(plan.text, error) from error

    def _wrapped(self, text: str, error: sqlite3.Error) -> BaseException:
        """The error as SQLAlchemy raises it; parameters hold telephone numbers, so they stay out of it."""
        return DBAPIError.instance(
            text, None, error, sqlite3.Error, hide_parameters=True, dialect=self.dialect
        )


class Changed(IteratorResult[Any]):
    """What comes of a statement without rows."""

    def __init__(self, columns: SimpleResultMetaData, rowcount: int) -> None:
        """`rowcount` tells how many rows were written, changed or deleted."""
        super().__init__(columns, iter(()))
        self.rowcount = rowcount


def _plan(statement: Executable, names: tuple[str, ...], dialect: Dialect) -> _Plan | None:
    if not isinstance(statement, Select | Insert | Update | Delete):
        return None
    compiled = statement.compile(dialect=_BY_NAME, column_keys=list(names))
    if not isinstance(compiled, SQLCompiler) or _is_unusual(compiled, names):
        return None
    columns = tuple(statement.exported_columns)
    keys = [column.key for column in columns if column.key is not None]
    if len(set(keys)) != len(columns):
        return None  # what a column without a name is called, or two of one name, is SQLAlchemy's to say
    # By name: a parameter that stands in two places is converted once.
    binds = {
        name: bind.type.dialect_impl(dialect).bind_processor(dialect)
        for bind, name in compiled.bind_names.items()
    }
    results = [column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns]
    return _Plan(
        text=compiled.string,
        constants={name: bind.value for bind, name in compiled.bind_names.items() if bind.key not in names},
        binds=tuple((name, convert) for name, convert in binds.items() if convert is not None),
        columns=SimpleResultMetaData(keys),
        results=tuple((place, convert) for place, convert in enumerate(results) if convert is not None),
        has_rows=isinstance(statement, Select) or bool(columns),
    )


def _is_unusual(compiled: SQLCompiler, names: Iterable[str]) -> bool:
    """Whether something of it can only be known when it is executed."""
    given = set(names)
    binds = compiled.bind_names
    return bool(
        compiled.post_compile_params
        or compiled.literal_execute_params
        or compiled.insert_prefetch
        or compiled.update_prefetch
        or any(bind.callable is not None for bind in binds)
        or any(bind.key in given and bind.key != name for bind, name in binds.items())
        or any(bind.required and bind.key not in given for bind in binds)
    )

"""Rows and records on standard output: a table for people, JSON and CSV for programs.

Reads: dictionaries of plain values.
Gives: text in which nothing is cut, no amount has an exponent, no stranger's text reaches the terminal raw.
Knows nothing of: what the values mean.
"""

import csv
import io
import json
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import zip_longest
from typing import IO

import click

Row = Mapping[str, object]
TABLE, JSON, CSV, WIDE = "table", "json", "csv", "wide"
"""`wide` is a table with every column, however narrow the terminal."""
FOR_PEOPLE = (TABLE, WIDE)
EVER_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
"""From when on a row without a date holds: before it there was no call. People read that it has none."""


def show_rows(
    rows: Sequence[Row],
    columns: Sequence[str],
    output: str,
    *,
    spare: Sequence[str] = (),
    none: str = "Nothing found.",
    stream: IO[str] | None = None,
) -> None:
    """Print rows; `columns` are their keys in printed order, with `none` on stderr where there is no row.

    `spare` are the columns that a terminal without room for all goes without, the most dispensable first.
    """
    match output:
        case "json":
            text = json.dumps([{name: plain(row[name]) for name in columns} for row in rows], indent=2)
            click.echo(text, file=stream)
        case "csv":
            click.echo(_csv(rows, columns), nl=False, file=stream)
        case _ if not rows:
            click.echo(none, err=True)
        case _:
            room = None if output == WIDE or stream is not None else _terminal_columns()
            _show_table(rows, columns, spare, room, stream)


def show_record(record: Row, output: str) -> None:
    """Print one record: a line for each field, an object, or a header and one row."""
    match output:
        case "json":
            click.echo(json.dumps({name: plain(value) for name, value in record.items()}, indent=2))
        case "csv":
            click.echo(_csv([record], tuple(record)), nl=False)
        case _:
            indent = max(len(name) for name in record)
            for name, value in record.items():
                for label, line in zip_longest([heading(name)], _lines(value, indent + 2), fillvalue=""):
                    click.echo(f"{label:<{indent}}  {line}".rstrip())


def amount(units: int, currency: str) -> str:
    """An amount in 10^-4 units with the currency's own decimals, or four where it is finer."""
    from values.money import decimal_from_units

    return decimal_amount(decimal_from_units(units), currency)


def decimal_amount(value: Decimal, currency: str) -> str:
    """A bare amount with the currency's own decimals, or four where it is finer."""
    from billing.printed import amount_at_least
    from values.money import minor_digits

    return amount_at_least(value, minor_digits(currency))


def moment(instant: datetime | None, timespec: str = "seconds") -> str | None:
    """An instant in UTC, such as 2026-03-01T08:15:02Z."""
    if instant is None:
        return None
    return f"{instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=timespec)}Z"


def since(instant: datetime) -> str:
    """From when on rates hold, as the end of a sentence."""
    return "for calls of any day" if instant == EVER_SINCE else f"from {moment(instant)}"


def plain(value: object) -> object:
    """The value as JSON has it."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return moment(value)
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
        case tuple() | list():
            return [plain(each) for each in value]
        case Mapping():
            return {str(name): plain(each) for name, each in value.items()}
        case None | bool() | int() | str():
            return value
        case _:
            return str(value)


def _show_table(
    rows: Sequence[Row],
    columns: Sequence[str],
    spare: Sequence[str],
    room: int | None,
    stream: IO[str] | None,
) -> None:
    from staff.table import Table, fitted

    lines = tuple(tuple(_cell(row[name]) for name in columns) for row in rows)
    table = Table(headings=tuple(columns), lines=lines)
    text, left_out = (table.text(), []) if room is None else fitted(table, room, spare)
    click.echo(text, file=stream)
    if left_out:
        told = f"Not shown: {', '.join(map(heading, left_out))}; --output wide has them."
        click.echo(textwrap.fill(told, room or len(told)), err=True)


def _terminal_columns() -> int | None:
    """How many characters a line of the terminal has; None where standard output is no terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def _lines(value: object, indent: int) -> list[str]:
    """A field's text: each of several sentences on a line of its own; on a terminal, lines that fit."""
    from staff.table import SENTENCE_WIDTH_MIN

    room, whole = _terminal_columns(), _cell(value)
    several = value if isinstance(value, list | tuple) else [value]
    are_sentences = len(several) > 1 and all(" " in _cell(each) for each in several)
    if room is None:
        return [_cell(each) for each in several] if are_sentences else [whole]
    if len(whole) <= room - indent and not are_sentences:
        return [whole]
    wide = max(room - indent, SENTENCE_WIDTH_MIN)
    return [line for each in several for line in textwrap.wrap(_cell(each), wide, break_on_hyphens=False)]


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> str:
    from billing.printed import cell

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        # What a spreadsheet would take for a formula is quoted; numbers such as +44… stay as they are.
        writer.writerow([cell(_text(row[name])) for name in columns])
    return text.getvalue()


def _cell(value: object) -> str:
    from billing.printed import one_line

    return "-" if value == EVER_SINCE else one_line(_text(value))


def _text(value: object) -> str:
    match plain(value):
        case None:
            return ""
        case bool() as flag:
            return "yes" if flag else "no"
        case list() as several:
            return ", ".join(_text(each) for each in several)
        case dict() as fields:
            return ", ".join(f"{name} {_text(each)}" for name, each in fields.items())
        case other:
            return str(other)


def heading(name: str) -> str:
    """A column's name as a table has it."""
    return name.replace("_", " ")

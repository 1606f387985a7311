"""`dialback deck list | show | versions | lookup | export`: what decks hold.

Reads: decks in the store.
Gives: click commands; staff/deck.py puts them into its group.
Knows nothing of: SQL, how a sheet is read.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import NOT_FOUND, Stop
from staff.inputs import Count, Instant, home_country_option, output_option, rows_output_option
from staff.listing import EVER_SINCE, Row, moment, show_record, show_rows

if TYPE_CHECKING:
    from rating.rate import Rate
    from rating.raterow import RateRow
    from store.database import Connection
    from store.staging import Version

RATE_COLUMNS = (
    *("prefix", "band", "destination", "per_minute", "next_per_minute", "connect_fee"),
    *("first_increment_s", "next_increment_s", "valid_from", "valid_till", "blocked"),
)
RATE_SPARE = ("valid_till", "next_per_minute", "connect_fee", "band")
FURTHER_COLUMNS = (
    *("surcharge_same_country", "surcharge_eea", "surcharge_non_eea", "surcharge_invalid"),
    *("attempt_fee", "number_digits_min", "number_digits_max"),
)
"""Listed where a row has anything in them."""
LISTED = ("name", "kind", "currency", "version", "rows", "effective_at")
VERSION_COLUMNS = (
    *("id", "state", "effective_at", "rows", "rejected", "held", "base_version", "sheet", "source"),
    *("created_at", "created_by", "approved_at", "approved_by", "withdrawn_at"),
)
VERSION_SPARE = ("withdrawn_at", "base_version", "created_at", "sheet", "source", "approved_by", "created_by")
ROWS_AT_ONCE = 1_000


@click.command("list", epilog="Example: dialback deck list")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List decks with the version of each that was approved last."""
    from store import decks

    rows = [
        {name: getattr(each, name) for name in LISTED} for each in desk.read("list decks", decks.list_decks)
    ]
    show_rows(rows, LISTED, output, none="There is no deck; import one with `dialback deck import`.")


@click.command(epilog="Example: dialback deck versions retail")
@click.argument("name")
@rows_output_option
@pass_desk
def versions(desk: Desk, name: str, output: str) -> None:
    """List every version of a deck: staged, approved, withdrawn, and by whom."""
    from store import decks, staging

    desk.read("find deck", decks.deck_info, name)
    rows = [version_line(each) for each in desk.read("list versions", staging.versions, name)]
    show_rows(rows, VERSION_COLUMNS, output, spare=VERSION_SPARE, none=f"Deck {name} has no version yet.")


@click.command(
    epilog="Example: dialback deck show retail --prefix 44"
    "\n\nExample: dialback deck show retail:3 --output csv"
)
@click.argument("name", metavar="NAME[:VERSION]")
@click.option("--at", type=Instant(), metavar="TIME", help="The version in force then.  [default: now]")
@click.option("--prefix", default="", metavar="DIGITS", help="Only rows whose prefix begins so.")
@click.option("--limit", type=Count(0), default=1_000, show_default=True, help="Rows; 0 shows all.")
@click.option("--page", type=Count(), default=1, show_default=True, help="Which so many rows.")
@rows_output_option
@pass_desk
def show(
    desk: Desk, *, name: str, at: datetime | None, prefix: str, limit: int, page: int, output: str
) -> None:
    """Show the rows of the version in force, or of any one."""
    from billing import printed

    if prefix and not (prefix.isascii() and prefix.isdecimal()):
        raise click.BadParameter(
            f"{prefix!r} is no prefix; write its digits, such as 44", param_hint="--prefix"
        )
    chosen = _version(desk, name, at or desk.now())
    say(f"{chosen.name} ({chosen.state}), {printed.count(chosen.rows, 'row')}")
    with desk.database.reading() as connection:
        found = (row for row in _rows(connection, chosen) if row.prefix.startswith(prefix))
        first = (page - 1) * limit
        rows = [rate_line(row) for row in islice(found, first, first + limit if limit else None)]
        more = bool(limit) and next(found, None) is not None
    show_rows(rows, _columns(rows), output, spare=RATE_SPARE)
    if more:
        say(f"There is more: --page {page + 1}, or --limit 0 for all.")


@click.command(epilog="Example: dialback deck export retail > retail.csv")
@click.argument("name", metavar="NAME[:VERSION]")
@click.option("--at", type=Instant(), metavar="TIME", help="The version in force then.  [default: now]")
@pass_desk
def export(desk: Desk, name: str, at: datetime | None) -> None:
    """Write a version as CSV, as `deck import` takes it again."""
    from rating.deckexport import cells, further_columns
    from rating.deckfile import COLUMNS
    from store import decks

    chosen = _version(desk, name, at or desk.now())
    currency = desk.read("find deck", decks.deck_info, chosen.deck_name).currency
    with desk.database.reading() as connection:
        further = further_columns(_rows(connection, chosen))
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow((*COLUMNS, *further))
        for number, row in enumerate(_rows(connection, chosen), start=1):
            writer.writerow(cells(row, currency, further))
            if number % ROWS_AT_ONCE == 0:
                click.echo(text.getvalue(), nl=False)
                text.seek(0)
                text.truncate()
    click.echo(text.getvalue(), nl=False)


@click.command(epilog="Example: dialback deck lookup retail '+44 20 7946 0101'")
@click.argument("name")
@click.argument("number")
@click.option("--at", type=Instant(), metavar="TIME", help="At that time.  [default: now]")
@click.option("--band", default="", metavar="BAND", help="In that time band.  [default: outside all bands]")
@click.option("--candidates", is_flag=True, help="All rows of all prefixes of the number, with their dates.")
@home_country_option
@output_option
@pass_desk
def lookup(
    desk: Desk,
    *,
    name: str,
    number: str,
    at: datetime | None,
    band: str,
    candidates: bool,
    home_country: str | None,
    output: str,
) -> None:
    """Show the row that prices NUMBER, and what else it could be; exit code 3 if there is none."""
    from rating.deck import NoRate
    from store import checks, decks, raterows

    written = checks.number("number", number, home_country)
    instant = at or desk.now()

    def look(connection: Connection) -> tuple[Rate | NoRate, list[tuple[int, RateRow]]]:
        found = decks.deck(connection, name, instant)
        version_id = decks.in_force(connection, name, instant)
        rows = [] if version_id is None else raterows.candidates(connection, version_id, written.digits)
        return found.find(written, instant, band), sorted(rows, key=lambda row: row[1].key, reverse=True)

    found, rows = desk.read("look up", look)
    if band and all(row.band != band for _, row in rows):
        say(f"No row for {written} is for band {band}: those for all the time count.")
    if candidates:
        lines = [{"row": place, **rate_line(row)} for place, row in rows]
        show_rows(lines, ("row", *_columns(lines)), output, none="No row of the deck begins the number.")
    if isinstance(found, NoRate):
        has_bands = any(row.band for _, row in rows)
        hours = f"in band {band} " if band else "outside all time bands " if has_bands else ""
        raise Stop(f"number: {found}; {hours}such a call is refused", NOT_FOUND)
    if candidates:
        say(f"Row {found.id} prices it.")
        return
    from rating.raterow import row_of

    line = {**rate_line(row_of(found)), "currency": found.currency}
    others = [_dated(row) for _, row in rows]
    show_record({"id": found.id, "number": written, **line, "candidates": others}, output)


def _dated(row: RateRow) -> str:
    """A prefix and from when on, as a person tells one row from the other."""
    starts = _instant(row.valid_from)
    return row.prefix if starts == EVER_SINCE else f"{row.prefix}@{moment(starts)}"


def _columns(rows: Sequence[Row]) -> tuple[str, ...]:
    return (*RATE_COLUMNS, *(name for name in FURTHER_COLUMNS if any(row[name] is not None for row in rows)))


def rate_line(row: RateRow) -> Row:
    """A row of a deck as it is printed."""
    from billing import printed
    from values.money import rate_from_units

    def price(units: int | None) -> str | None:
        return None if units is None else printed.rate(rate_from_units(units))

    return {
        "prefix": row.prefix,
        "band": row.band,
        "destination": row.destination,
        "per_minute": price(row.per_minute),
        "next_per_minute": price(row.next_per_minute),
        "connect_fee": price(row.connect_fee),
        "first_increment_s": row.first_increment_s,
        "next_increment_s": row.next_increment_s,
        "valid_from": _instant(row.valid_from),
        "valid_till": None if row.valid_till is None else _instant(row.valid_till),
        "blocked": row.blocked,
        **dict(zip(FURTHER_COLUMNS[:4], map(price, row.surcharges or (None,) * 4), strict=True)),
        "attempt_fee": price(row.attempt_fee),
        "number_digits_min": row.number_digits_min,
        "number_digits_max": row.number_digits_max,
    }


def version_line(version: Version) -> Row:
    """A version of a deck as it is printed."""
    names = (*VERSION_COLUMNS[2:],)
    return {"id": version.name, "state": version.state, **{name: getattr(version, name) for name in names}}


def named_version(name: str) -> tuple[str, int]:
    """Split `retail:3`."""
    deck_name, colon, number = name.partition(":")
    if not (colon and number.isdecimal() and len(number) < 9):
        raise click.UsageError(
            f"{name!r} is no version; write one such as retail:3 (`dialback deck versions`)"
        )
    return deck_name, int(number)


def _version(desk: Desk, name: str, at: datetime) -> Version:
    from store import decks, staging

    def find(connection: Connection) -> Version:
        if ":" in name:
            return staging.version(connection, *named_version(name))
        found = decks.deck(connection, name, at)
        return staging.version(connection, name, found.version)

    return desk.read("find version", find)


def _rows(connection: Connection, version: Version) -> Iterator[RateRow]:
    from store import raterows

    return (row for _, row in raterows.read(connection, version.id))


def _instant(value: int) -> datetime:
    from values.instants import instant_of

    return instant_of(value)

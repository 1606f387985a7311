"""`dialback deck …`: rate decks, ours and the carriers'.

Reads: CSV files; decks in the store.
Gives: the click group `deck`.
Knows nothing of: SQL, what a row may hold (rating/deckfile.py).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, NOT_FOUND, Stop
from staff.inputs import Instant, home_country_option, output_option, reason_option
from staff.listing import Row, moment, show_record, show_rows

if TYPE_CHECKING:
    from rating.rate import Rate
    from store.database import Connection

ERRORS_SHOWN_MAX = 50
RATE_COLUMNS = (
    "prefix",
    "destination",
    "per_minute",
    "next_per_minute",
    "connect_fee",
    "first_increment_s",
    "next_increment_s",
    "valid_from",
    "valid_till",
    "blocked",
)
LISTED = ("name", "kind", "currency", "version", "rows", "effective_at")


@click.group()
def deck() -> None:
    """Rate decks: what a minute to each destination is sold for, or costs us."""


@deck.command("import", epilog="Example: dialback deck import retail rates.csv --kind sell --currency USD")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--kind", type=click.Choice(["sell", "cost"]), help="Whose price; needed for a new deck.")
@click.option("--currency", metavar="CODE", help="ISO 4217; needed for a new deck.")
@click.option("--effective", type=Instant(), metavar="TIME", help="From when it is in force.  [default: now]")
@reason_option
@pass_desk
def import_(
    desk: Desk,
    *,
    name: str,
    file: Path,
    kind: str | None,
    currency: str | None,
    effective: datetime | None,
    reason: str,
) -> None:
    """Import FILE (CSV; `-` is standard input) as a whole new version of deck NAME.

    If any row is wrong every wrong row is reported, nothing is imported, and the exit code is 1.
    """
    from store import decks

    known = desk.read("find deck", _known, name)
    if known is None and (kind is None or currency is None):
        raise click.UsageError(f"deck {name!r} is new: give --kind and --currency")
    if known is not None:
        _same("kind", kind, known[0])
        _same("currency", currency and currency.upper(), known[1])
    code = known[1] if known is not None else str(currency).upper()
    effective_at = effective or desk.now()
    rates = _read(file, code, effective_at)
    author = desk.author(reason)

    def add(connection: Connection) -> int:
        if known is None:
            decks.add_deck(connection, name=name, kind=str(kind), currency=code, author=author)
        return decks.add_version(
            connection, deck_name=name, new_rates=rates, effective_at=effective_at, author=author
        )

    version = desk.change("import deck", add)
    click.echo(f"{name} version {version}: {len(rates)} rows in {code}, in force from {moment(effective_at)}")


@deck.command(epilog="Example: dialback deck show retail --output csv")
@click.argument("name")
@click.option("--at", type=Instant(), metavar="TIME", help="The version in force then.  [default: now]")
@output_option
@pass_desk
def show(desk: Desk, name: str, at: datetime | None, output: str) -> None:
    """Show the rows of the version in force."""
    from store import decks

    found = desk.read("read deck", decks.deck, name, at or desk.now())
    say(f"{found.name} version {found.version} in {found.currency}, {len(found.rates)} rows")
    show_rows([_line(rate) for rate in found.rates], RATE_COLUMNS, output)


@deck.command("list", epilog="Example: dialback deck list")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List decks with their newest versions."""
    from store import decks

    rows = [
        {name: getattr(each, name) for name in LISTED} for each in desk.read("list decks", decks.list_decks)
    ]
    show_rows(rows, LISTED, output, none="There is no deck; import one with `dialback deck import`.")


@deck.command(epilog="Example: dialback deck lookup retail '+44 20 7946 0101'")
@click.argument("name")
@click.argument("number")
@click.option("--at", type=Instant(), metavar="TIME", help="At that time.  [default: now]")
@home_country_option
@output_option
@pass_desk
def lookup(
    desk: Desk, *, name: str, number: str, at: datetime | None, home_country: str | None, output: str
) -> None:
    """Show the row that prices NUMBER; exit code 3 if there is none."""
    from rating.deck import NoRate
    from store import checks, decks

    written = checks.number("number", number, home_country)
    instant = at or desk.now()
    found = desk.read("read deck", decks.deck, name, instant).find(written, instant)
    if isinstance(found, NoRate):
        raise Stop(f"number: {found}; such a call is refused", NOT_FOUND)
    show_record({"id": found.id, "number": written, **_line(found), "currency": found.currency}, output)


def _known(connection: Connection, name: str) -> tuple[str, str] | None:
    """Kind and currency of a deck that is there."""
    from store import decks

    return next(
        ((each.kind, each.currency) for each in decks.list_decks(connection) if each.name == name), None
    )


def _same(field: str, given: str | None, known: str) -> None:
    from store.errors import Conflict

    if given is not None and given != known:
        raise Conflict(
            field, f"the deck's {field} is {known}, not {given}", f"leave --{field} out, or name another deck"
        )


def _read(file: Path, currency: str, effective_at: datetime) -> tuple[Rate, ...]:
    from rating.deck import read_deck

    try:
        with click.open_file(str(file), encoding="utf-8", errors="strict") as stream:
            found = read_deck(stream, currency=currency, effective_at=effective_at)
    except UnicodeDecodeError as error:
        raise Stop(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8", ERROR) from None
    if found.errors:
        for each in found.errors[:ERRORS_SHOWN_MAX]:
            say(f"{file}: {each}")
        more = len(found.errors) - ERRORS_SHOWN_MAX
        if more > 0:
            say(f"{file}: and {more} more")
        raise Stop(
            f"{file}: {len(found.errors)} errors in {found.rows_read} rows; nothing was imported", ERROR
        )
    return found.rates


def _line(rate: Rate) -> Row:
    from billing import printed

    return {
        "prefix": rate.prefix,
        "destination": rate.destination,
        "per_minute": printed.rate(rate.per_minute),
        "next_per_minute": None if rate.next_per_minute is None else printed.rate(rate.next_per_minute),
        "connect_fee": None if rate.connect_fee is None else printed.rate(rate.connect_fee),
        "first_increment_s": rate.first_increment_s,
        "next_increment_s": rate.next_increment_s,
        "valid_from": rate.valid_from,
        "valid_till": rate.valid_till,
        "blocked": rate.blocked,
    }

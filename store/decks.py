"""Rate decks: versions go in whole, and come out as rating.Deck, kept in memory.

Reads: rating.Rates; rows of `decks`, `deck_versions`, `rates`.
Gives: the deck in force at an instant, a pinned rate by its id, the carriers' offers for a number.
Knows nothing of: files (rating/deckfile.py), which offer is taken (rating/routes.py).

A version is immutable, so what was read once is true for ever: it is kept by its row id, on the engine, and
a new version is another object. A rate is called `<deck>:<version>:<row>` outside the store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select, tuple_

from rating.deck import Deck, NoRate, NoRateReason
from rating.origin import OriginClass
from rating.rate import Rate, Surcharge
from rating.routes import Offer
from store import checks
from store.audit import Author, note
from store.columns import UtcMicros
from store.errors import Conflict, Invalid, NotFound
from store.schema import deck_versions, decks, legs, rates, trunks
from values.e164 import E164
from values.money import rate_from_units, rate_units

SELL, COST = "sell", "cost"
SHELF = "dialback_decks"
"""The execution option of the engine under which database.py keeps what was read."""
ROWS_AT_ONCE = 5_000
SURCHARGE_COLUMNS = {origin: f"surcharge_{origin}" for origin in OriginClass}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeckInfo:
    """A deck and its latest version; `version` is 0 while it has none."""

    name: str
    kind: str
    currency: str
    version: int
    rows: int
    effective_at: datetime | None


def add_deck(connection: Connection, *, name: str, kind: str, currency: str, author: Author) -> None:
    """Make a deck without rows."""
    checks.slug("deck", name)
    checks.one_of("kind", kind, (SELL, COST))
    checks.currency("currency", currency)
    if connection.execute(select(decks.c.name).where(decks.c.name == name)).first() is not None:
        raise Conflict("deck", f"{name!r} exists already", "take another name, or add a version to it")
    row = {"name": name, "kind": kind, "currency": currency}
    connection.execute(insert(decks), {**row, "created_at": author.at})
    note(connection, author, "deck.add", name, after=row)


def add_version(
    connection: Connection,
    *,
    deck_name: str,
    new_rates: Sequence[Rate],
    effective_at: datetime,
    author: Author,
) -> int:
    """Insert a whole version, in force from `effective_at`; its number. All rows or none."""
    info = deck_info(connection, deck_name)
    if not new_rates:
        raise Invalid(
            "rows", f"a version of {deck_name!r} without rows would end every call", "give at least one"
        )
    wrong = next((rate for rate in new_rates if rate.currency != info.currency), None)
    if wrong is not None:
        problem = f"row {wrong.prefix} is in {wrong.currency}, deck {deck_name!r} in {info.currency}"
        raise Invalid("currency", problem, "bring the rows in the deck's currency")
    version = info.version + 1
    version_id = connection.execute(
        insert(deck_versions).returning(deck_versions.c.id),
        {
            "deck_name": deck_name,
            "version": version,
            "effective_at": effective_at,
            "created_at": author.at,
            "created_by": author.name,
            "rows": len(new_rates),
        },
    ).scalar_one()
    for start in range(0, len(new_rates), ROWS_AT_ONCE):
        some = new_rates[start : start + ROWS_AT_ONCE]
        numbered = enumerate(some, start=start + 1)
        connection.execute(insert(rates), [_values(version_id, row, rate) for row, rate in numbered])
    after = {"version": version, "rows": len(new_rates), "effective_at": effective_at}
    note(connection, author, "deck.version", deck_name, after=after)
    return version


def deck_info(connection: Connection, name: str) -> DeckInfo:
    """The deck of that name; NotFound if there is none."""
    found = next(iter(_infos(connection, name)), None)
    if found is None:
        raise NotFound("deck", f"there is no deck {name!r}", "make it with `dialback deck import`")
    return found


def list_decks(connection: Connection) -> tuple[DeckInfo, ...]:
    """All decks by name."""
    return _infos(connection, None)


def deck(connection: Connection, name: str, at: datetime) -> Deck:
    """The version of that deck in force at `at`; NotFound if there is none."""
    row = connection.execute(IN_FORCE, {"deck_name": name, "at": at}).first()
    if row is None:
        deck_info(connection, name)
        raise NotFound(
            "deck", f"deck {name!r} has no version in force at {at}", "import one, or wait for its date"
        )
    return _kept(connection, row)


def starts(connection: Connection, name: str) -> tuple[datetime, ...]:
    """When versions of that deck come into force, past and future; NotFound if there is no such deck."""
    deck_info(connection, name)
    wanted = select(deck_versions.c.effective_at).where(deck_versions.c.deck_name == name).distinct()
    return tuple(sorted(connection.execute(wanted).scalars()))


def offers(connection: Connection, number: E164, at: datetime) -> tuple[Offer, ...]:
    """What each enabled trunk would take for `number`, by the cost deck in force at `at`."""
    found = []
    for row in connection.execute(OFFERING, {"at": at}):
        if row.id is None:
            cost: Rate | NoRate = NoRate(number=number, deck=row.cost_deck, reason=NoRateReason.NO_PREFIX)
        else:
            cost = _kept(connection, row).find(number, at)
        found.append(Offer(trunk=row.trunk, rate=cost, priority=row.priority, is_full=bool(row.is_full)))
    return tuple(found)


def rate(connection: Connection, rate_id: str) -> Rate:
    """The rate of that id, whichever version is in force today; NotFound if there is none."""
    return pinned_rates(connection, [rate_id])[rate_id]


def pinned_rates(connection: Connection, rate_ids: Iterable[str]) -> Mapping[str, Rate]:
    """The rates of those ids, from memory where their deck is there; NotFound for one that is nowhere."""
    wanted = {rate_id: _parts(rate_id) for rate_id in rate_ids}
    kept = {(each.name, each.version): each for each in _shelf(connection).values()}
    found: dict[str, Rate] = {}
    missing = []
    for rate_id, (name, version, row) in wanted.items():
        in_memory = kept.get((name, version))
        if in_memory is not None and 0 < row <= len(in_memory.rates):
            found[rate_id] = in_memory.rates[row - 1]
        else:
            missing.append((name, version, row))
    if missing:
        key = tuple_(deck_versions.c.deck_name, deck_versions.c.version, rates.c.row)
        for each in connection.execute(PINNED.where(key.in_(missing))):
            read = _rate_of(each, each.deck_name, each.version, each.currency)
            found[read.id] = read
    lost = wanted.keys() - found.keys()
    if lost:
        raise NotFound(
            "rate", f"there is no rate {min(lost)!r}", "rates are never deleted: restore the database"
        )
    return found


# how

_VERSION = (deck_versions.c.id, deck_versions.c.deck_name, deck_versions.c.version, decks.c.currency)
_JOINED = deck_versions.join(decks, decks.c.name == deck_versions.c.deck_name)
_AT = bindparam("at", type_=UtcMicros())
IN_FORCE = (
    select(*_VERSION)
    .select_from(_JOINED)
    .where(deck_versions.c.deck_name == bindparam("deck_name"), deck_versions.c.effective_at <= _AT)
    .order_by(deck_versions.c.version.desc())
    .limit(1)
)
_NEWEST = (
    select(deck_versions.c.deck_name, func.max(deck_versions.c.version).label("version"))
    .where(deck_versions.c.effective_at <= _AT)
    .group_by(deck_versions.c.deck_name)
    .subquery()
)
_LIVE = (
    select(func.count())
    .select_from(legs)
    .where(legs.c.trunk == trunks.c.name, legs.c.ordered_at.is_not(None), legs.c.hung_up_at.is_(None))
    .scalar_subquery()
)
_FULL = case((trunks.c.channels_max == 0, False), else_=trunks.c.channels_max <= _LIVE)
OFFERING = (
    select(
        trunks.c.name.label("trunk"),
        trunks.c.priority,
        trunks.c.cost_deck,
        _FULL.label("is_full"),
        *_VERSION,
    )
    .select_from(
        trunks.join(decks, decks.c.name == trunks.c.cost_deck)
        .outerjoin(_NEWEST, _NEWEST.c.deck_name == decks.c.name)
        .outerjoin(
            deck_versions,
            (deck_versions.c.deck_name == _NEWEST.c.deck_name)
            & (deck_versions.c.version == _NEWEST.c.version),
        )
    )
    .where(trunks.c.enabled)
    .order_by(trunks.c.name)
)
ROWS = select(rates).where(rates.c.version_id == bindparam("version_id")).order_by(rates.c.row)
PINNED = select(rates, deck_versions.c.deck_name, deck_versions.c.version, decks.c.currency).select_from(
    rates.join(_JOINED, rates.c.version_id == deck_versions.c.id)
)


def _shelf(connection: Connection) -> dict[int, Deck]:
    shelf: dict[int, Deck] = connection.get_execution_options().get(SHELF, {})
    return shelf


def _kept(connection: Connection, version: Row[Any, *tuple[Any, ...]]) -> Deck:
    shelf = _shelf(connection)
    kept = shelf.get(version.id)
    if kept is None:
        name, number, currency = version.deck_name, version.version, version.currency
        rows = connection.execute(ROWS, {"version_id": version.id})
        kept = Deck(
            id=f"{name}:{number}",
            name=name,
            version=number,
            currency=currency,
            rates=tuple(_rate_of(row, name, number, currency) for row in rows),
        )
        # Older versions of this deck price nothing new; pinned rates of theirs are read by key.
        for old in [key for key, each in list(shelf.items()) if each.name == name and each.version < number]:
            shelf.pop(old, None)
        shelf[version.id] = kept
    return kept


def _values(version_id: int, row: int, rate: Rate) -> dict[str, Any]:
    return {
        "version_id": version_id,
        "row": row,
        "prefix": rate.prefix,
        "destination": rate.destination,
        "per_minute": rate_units(rate.per_minute),
        "next_per_minute": None if rate.next_per_minute is None else rate_units(rate.next_per_minute),
        "connect_fee": None if rate.connect_fee is None else rate_units(rate.connect_fee),
        "first_increment_s": rate.first_increment_s,
        "next_increment_s": rate.next_increment_s,
        "valid_from": rate.valid_from,
        "valid_till": rate.valid_till,
        "blocked": rate.blocked,
        "band": rate.band,
        **dict.fromkeys(SURCHARGE_COLUMNS.values()),
        **{SURCHARGE_COLUMNS[each.origin]: rate_units(each.per_minute) for each in rate.surcharges},
        "attempt_fee": None if rate.attempt_fee is None else rate_units(rate.attempt_fee),
        "number_digits_min": rate.number_digits_min,
        "number_digits_max": rate.number_digits_max,
    }


def _rate_of(row: Row[Any, *tuple[Any, ...]], name: str, version: int, currency: str) -> Rate:
    return Rate(
        id=f"{name}:{version}:{row.row}",
        prefix=row.prefix,
        destination=row.destination,
        per_minute=rate_from_units(row.per_minute),
        next_per_minute=None if row.next_per_minute is None else rate_from_units(row.next_per_minute),
        connect_fee=None if row.connect_fee is None else rate_from_units(row.connect_fee),
        first_increment_s=row.first_increment_s,
        next_increment_s=row.next_increment_s,
        valid_from=row.valid_from,
        valid_till=row.valid_till,
        blocked=row.blocked,
        currency=currency,
        band=row.band,
        surcharges=_surcharges_of(row),
        attempt_fee=None if row.attempt_fee is None else rate_from_units(row.attempt_fee),
        number_digits_min=row.number_digits_min,
        number_digits_max=row.number_digits_max,
    )


def _surcharges_of(row: Row[Any, *tuple[Any, ...]]) -> tuple[Surcharge, ...]:
    found = ((origin, getattr(row, column)) for origin, column in SURCHARGE_COLUMNS.items())
    return tuple(
        Surcharge(origin=origin, per_minute=rate_from_units(units))
        for origin, units in found
        if units is not None
    )


def _parts(rate_id: str) -> tuple[str, int, int]:
    name, _, rest = rate_id.partition(":")
    version, _, row = rest.partition(":")
    if not (name and version.isdecimal() and row.isdecimal()):
        raise NotFound("rate", f"{rate_id!r} is no rate id", "write <deck>:<version>:<row>")
    return name, int(version), int(row)


def _infos(connection: Connection, name: str | None) -> tuple[DeckInfo, ...]:
    newest = (
        select(deck_versions.c.deck_name, func.max(deck_versions.c.version).label("version"))
        .group_by(deck_versions.c.deck_name)
        .subquery()
    )
    wanted = (
        select(decks, deck_versions.c.version, deck_versions.c.rows, deck_versions.c.effective_at)
        .select_from(
            decks.outerjoin(newest, newest.c.deck_name == decks.c.name).outerjoin(
                deck_versions,
                (deck_versions.c.deck_name == decks.c.name) & (deck_versions.c.version == newest.c.version),
            )
        )
        .order_by(decks.c.name)
    )
    if name is not None:
        wanted = wanted.where(decks.c.name == name)
    return tuple(
        DeckInfo(
            name=row["name"],
            kind=row["kind"],
            currency=row["currency"],
            version=row["version"] or 0,
            rows=row["rows"] or 0,
            effective_at=row["effective_at"],
        )
        for row in connection.execute(wanted).mappings()
    )

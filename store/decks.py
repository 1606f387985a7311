"""Rate decks: which version is in force, as rating.Deck in memory or looked up in the table.

Reads: rating.Rates; rows of `decks`, `deck_versions`, `rates`.
Gives: the deck in force at an instant, a pinned rate by its id.
Knows nothing of: how a sheet becomes a version (store/staging.py), which row is taken (rating/deck.py).

A version is immutable, so what was read once is true for ever: it is kept by its row id, on the engine (the
shelf), and a new version is another object. A small version is read when it is first needed. A large one is
looked up in the table, number by number, until somebody put it on the shelf (`shelve`, on a thread that
nobody waits for): so a new version counts at its instant, and no call waits until a million rows are read.
A rate is called `<deck>:<version>:<row>` outside the store.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, insert, select

from rating.deck import Deck, NoRate
from rating.rate import Rate
from rating.raterow import rate_of, row_of
from rating.ratetable import RateTable
from store import checks, raterows
from store.audit import Author, note
from store.columns import UtcMicros
from store.errors import Conflict, Invalid, NotFound
from store.schema import deck_versions, decks, rates
from values.e164 import E164

SELL, COST = "sell", "cost"
SHELF = "dialback_decks"
"""The execution option of the engine under which database.py keeps what was read."""
ROWS_READ_IN_A_CALL_MAX = 2_000
"""A larger version is never read while somebody waits: some ten milliseconds."""
SHELVED_AHEAD = timedelta(hours=1)
Version = Row[Any, *tuple[Any, ...]]
"""A row of `deck_versions`: its id, the deck's name and currency, its number, how many rows it has."""


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
    """Insert a whole version, approved, in force from `effective_at`; its number. All rows or none.

    For decks that are small and known to be right; sheets of others go through store/staging.py.
    """
    info = deck_info(connection, deck_name)
    if not new_rates:
        raise Invalid(
            "rows", f"a version of {deck_name!r} without rows would end every call", "give at least one"
        )
    wrong = next((rate for rate in new_rates if rate.currency != info.currency), None)
    if wrong is not None:
        problem = f"row {wrong.prefix} is in {wrong.currency}, deck {deck_name!r} in {info.currency}"
        raise Invalid("currency", problem, "bring the rows in the deck's currency")
    version = next_version(connection, deck_name)
    version_id = connection.execute(
        insert(deck_versions).returning(deck_versions.c.id),
        {
            "deck_name": deck_name,
            "version": version,
            "effective_at": effective_at,
            "created_at": author.at,
            "created_by": author.name,
            "rows": len(new_rates),
            "staged_at": author.at,
            "approved_at": author.at,
            "approved_by": author.name,
            "base_version": info.version,
        },
    ).scalar_one()
    raterows.write(connection, version_id, enumerate(map(row_of, new_rates), start=1))
    after = {"version": version, "rows": len(new_rates), "effective_at": effective_at}
    note(connection, author, "deck.version", deck_name, after=after)
    return version


def next_version(connection: Connection, name: str) -> int:
    """The number of a deck's next version; numbers of versions that were never approved stay unused."""
    last = select(func.max(deck_versions.c.version)).where(deck_versions.c.deck_name == name)
    return (connection.execute(last).scalar_one() or 0) + 1


def deck_info(connection: Connection, name: str) -> DeckInfo:
    """The deck of that name; NotFound if there is none."""
    found = next(iter(_infos(connection, name)), None)
    if found is None:
        raise NotFound("deck", f"there is no deck {name!r}", "make it with `dialback deck import`")
    return found


def sell_deck(connection: Connection, name: str) -> DeckInfo:
    """The deck of that name; Invalid if it says what carriers ask: nobody is charged by that."""
    found = deck_info(connection, name)
    if found.kind != SELL:
        raise Invalid("deck", f"{name!r} is a cost deck", "name a deck of kind sell")
    return found


def list_decks(connection: Connection) -> tuple[DeckInfo, ...]:
    """All decks by name."""
    return _infos(connection, None)


def deck(connection: Connection, name: str, at: datetime) -> "Deck | DeckInTable":
    """The version of that deck in force at `at`; NotFound if there is none."""
    row = connection.execute(IN_FORCE, {"deck_name": name, "at": at}).first()
    if row is None:
        deck_info(connection, name)
        problem = f"deck {name!r} has no version in force at {at:%Y-%m-%dT%H:%M:%SZ}"
        raise NotFound("deck", problem, _way_into_force(connection, name))
    return _kept(connection, row)


def _way_into_force(connection: Connection, name: str) -> str:
    """What to do about a deck that holds nowhere yet."""
    waiting = select(func.max(deck_versions.c.version)).where(
        deck_versions.c.deck_name == name,
        deck_versions.c.staged_at.is_not(None),
        deck_versions.c.approved_at.is_(None),
        deck_versions.c.withdrawn_at.is_(None),
    )
    version = connection.execute(waiting).scalar_one()
    if version is None:
        return "import one, or wait for its date"
    return f"{name}:{version} is staged: `dialback deck approve {name}:{version}`, or wait for its date"


def starts(connection: Connection, name: str) -> tuple[datetime, ...]:
    """When other versions of a deck come into force, past and future; NotFound if there is no such deck."""
    deck_info(connection, name)
    wanted = select(deck_versions.c.effective_at, deck_versions.c.withdrawn_at).where(
        deck_versions.c.deck_name == name, deck_versions.c.approved_at.is_not(None)
    )
    found = {instant for row in connection.execute(wanted) for instant in row if instant is not None}
    return tuple(sorted(found))


def in_force(connection: Connection, name: str, at: datetime) -> int | None:
    """The row id of the version in force at `at`, if there is one."""
    row = connection.execute(IN_FORCE, {"deck_name": name, "at": at}).first()
    return None if row is None else int(row.id)


def whole_deck(connection: Connection, name: str, at: datetime) -> Deck:
    """As deck(), but in memory however large it is: for work that nobody waits for by telephone."""
    found = deck(connection, name, at)
    return found if isinstance(found, Deck) else shelve(connection, found.row)


def cost_decks(
    connection: Connection, names: Iterable[str], at: datetime
) -> "Mapping[str, Deck | DeckInTable]":
    """Those of these decks that are in force at `at`, by name."""
    rows = connection.execute(ALL_IN_FORCE, {"names": sorted(set(names)), "at": at})
    return {row.deck_name: _kept(connection, row) for row in rows}


def rates_at(connection: Connection, name: str, at: datetime) -> Sequence[Rate]:
    """Every row of the version in force at `at`, in memory; none where no version is in force then."""
    row = connection.execute(IN_FORCE, {"deck_name": name, "at": at}).first()
    return () if row is None else shelve(connection, row).rates


def version(connection: Connection, name: str, number: str) -> tuple[datetime, Sequence[Rate]]:
    """When that version of a deck began, and its rows; NotFound if there is none that was approved."""
    wanted = select(*_VERSION, deck_versions.c.effective_at).select_from(_JOINED)
    if number.isascii() and number.isdecimal():
        is_it = (deck_versions.c.deck_name == name) & (deck_versions.c.version == int(number))
        row = connection.execute(wanted.where(is_it, deck_versions.c.approved_at.is_not(None))).first()
        if row is not None:
            return row.effective_at, shelve(connection, row).rates
    remedy = f"see `dialback deck versions {name}`"
    raise NotFound("deck", f"there is no approved version {number!r} of deck {name!r}", remedy)


def rate(connection: Connection, rate_id: str) -> Rate:
    """The rate of that id, whichever version is in force today; NotFound if there is none."""
    return pinned_rates(connection, [rate_id])[rate_id]


def pinned_rates(connection: Connection, rate_ids: Iterable[str]) -> Mapping[str, Rate]:
    """The rates of those ids, from memory where their deck is there; NotFound for one that is nowhere."""
    wanted = {rate_id: _parts(rate_id) for rate_id in rate_ids}
    kept = {(each.name, each.version): each for each in tuple(_shelf(connection).values())}
    found: dict[str, Rate] = {}
    missing = []
    for rate_id, (name, version, row) in wanted.items():
        in_memory = kept.get((name, version))
        table = None if in_memory is None else in_memory.rates
        rate = table.numbered(row) if isinstance(table, RateTable) else None
        if rate is None:
            missing.append((name, version, row))
        else:
            found[rate_id] = rate
    for name, version in {place[:2] for place in missing}:
        rows = [place[2] for place in missing if place[:2] == (name, version)]
        for each in connection.execute(PINNED, {"deck_name": name, "version": version, "rows": rows}):
            rate_id = f"{name}:{version}:{each.row}"
            found[rate_id] = rate_of(raterows.row_of(each), rate_id=rate_id, currency=each.currency)
    lost = wanted.keys() - found.keys()
    if lost:
        raise NotFound(
            "rate", f"there is no rate {min(lost)!r}", "rates are never deleted: restore the database"
        )
    return found


class DeckInTable:
    """A version that stays in the database; its rows are looked up for one number at a time."""

    def __init__(self, connection: Connection, version: Version) -> None:
        """It lives as long as the transaction."""
        self.name: str = version.deck_name
        self.version: int = version.version
        self.currency: str = version.currency
        self.id = f"{self.name}:{self.version}"
        self.row = version
        self._connection = connection

    def find(self, dialled: E164, at: datetime, band: str = "", network: str = "") -> Rate | NoRate:
        """As Deck.find."""
        found = raterows.candidates(self._connection, self.row.id, network or dialled.digits)
        rows = tuple(
            rate_of(row, rate_id=f"{self.id}:{number}", currency=self.currency) for number, row in found
        )
        few = Deck(id=self.id, name=self.name, version=self.version, currency=self.currency, rates=rows)
        return few.find(dialled, at, band, network)


def wanted_on_shelf(connection: Connection, at: datetime) -> tuple[Version, ...]:
    """The large versions that are in force, or soon will be, and are not in memory yet.

    Versions that no more calls are priced by are taken off the shelf.
    """
    shelf = _shelf(connection)
    now = connection.execute(_IN_FORCE_NOW, {"at": at}).all()
    soon = connection.execute(_IN_FORCE_NOW, {"at": at + SHELVED_AHEAD}).all()
    needed = {version.id: version for version in (*now, *soon)}
    for old in tuple(shelf):
        if old not in needed:
            shelf.pop(old, None)
    return tuple(
        version
        for version in needed.values()
        if version.id not in shelf and version.rows > ROWS_READ_IN_A_CALL_MAX
    )


def shelve(connection: Connection, version: Version, table: RateTable | None = None) -> Deck:
    """Put a version on the shelf as a whole: as the table that somebody read already, or read now."""
    kept = _shelf(connection).get(version.id)
    if kept is None:
        whole = _table(connection, version) if table is None else table
        kept = _shelf(connection)[version.id] = _deck_of(version, whole)
    return kept


def table_of(connection: Connection, row_id: int) -> RateTable:
    """All rows of the version with that row id."""
    version = select(*_VERSION).select_from(_JOINED).where(deck_versions.c.id == row_id)
    return _table(connection, connection.execute(version).one())


# how

_VERSION = (
    deck_versions.c.id,
    deck_versions.c.deck_name,
    deck_versions.c.version,
    deck_versions.c.rows,
    decks.c.currency,
)
_JOINED = deck_versions.join(decks, decks.c.name == deck_versions.c.deck_name)
_AT = bindparam("at", type_=UtcMicros())
_STANDS = deck_versions.c.approved_at.is_not(None) & (
    deck_versions.c.withdrawn_at.is_(None) | (deck_versions.c.withdrawn_at > _AT)
)
_HOLDS = _STANDS & (deck_versions.c.effective_at <= _AT)
IN_FORCE = (
    select(*_VERSION)
    .select_from(_JOINED)
    .where(deck_versions.c.deck_name == bindparam("deck_name"), _HOLDS)
    .order_by(deck_versions.c.version.desc())
    .limit(1)
)
_NEWEST = (
    select(deck_versions.c.deck_name, func.max(deck_versions.c.version).label("version"))
    .where(_HOLDS)
    .group_by(deck_versions.c.deck_name)
    .subquery()
)
PINNED = (
    select(*raterows.COLUMNS, decks.c.currency)
    .select_from(rates.join(_JOINED, rates.c.version_id == deck_versions.c.id))
    .where(
        deck_versions.c.deck_name == bindparam("deck_name"),
        deck_versions.c.version == bindparam("version"),
        rates.c.row.in_(bindparam("rows", expanding=True)),
    )
)
_IN_FORCE_NOW = select(*_VERSION).select_from(
    _JOINED.join(
        _NEWEST,
        (_NEWEST.c.deck_name == deck_versions.c.deck_name) & (_NEWEST.c.version == deck_versions.c.version),
    )
)
ALL_IN_FORCE = _IN_FORCE_NOW.where(decks.c.name.in_(bindparam("names", expanding=True)))


def _shelf(connection: Connection) -> dict[int, Deck]:
    shelf: dict[int, Deck] = connection.get_execution_options().get(SHELF, {})
    return shelf


def _kept(connection: Connection, version: Version) -> Deck | DeckInTable:
    """The version from the shelf; read now if it is small, else as a look-up in the table."""
    shelf = _shelf(connection)
    kept = shelf.get(version.id)
    if kept is None:
        if version.rows > ROWS_READ_IN_A_CALL_MAX:
            return DeckInTable(connection, version)
        kept = _deck_of(version, _table(connection, version))
        # Older versions of this deck price nothing new; pinned rates of theirs are read by key.
        for old, each in tuple(shelf.items()):
            if each.name == kept.name and each.version < kept.version:
                shelf.pop(old, None)
        shelf[version.id] = kept
    return kept


def _table(connection: Connection, version: Version) -> RateTable:
    name, number, currency = version.deck_name, version.version, version.currency
    return raterows.read_table(connection, version.id, name=name, version=number, currency=currency)


def _deck_of(version: Version, table: RateTable) -> Deck:
    name, number = version.deck_name, version.version
    return Deck(id=f"{name}:{number}", name=name, version=number, currency=version.currency, rates=table)


def _parts(rate_id: str) -> tuple[str, int, int]:
    name, _, rest = rate_id.partition(":")
    version, _, row = rest.partition(":")
    if not (name and version.isdecimal() and row.isdecimal()):
        raise NotFound("rate", f"{rate_id!r} is no rate id", "write <deck>:<version>:<row>")
    return name, int(version), int(row)


def _infos(connection: Connection, name: str | None) -> tuple[DeckInfo, ...]:
    newest = (
        select(deck_versions.c.deck_name, func.max(deck_versions.c.version).label("version"))
        .where(deck_versions.c.approved_at.is_not(None), deck_versions.c.withdrawn_at.is_(None))
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

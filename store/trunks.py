"""The commercial side of trunks: carrier, cost deck, channels, order.

Reads: what the clerk asks for; rows of `trunks`.
Gives: Trunk.
Knows nothing of: SIP (switch.toml), prices.
"""

from dataclasses import dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from rating.bands import BandRefused, bands_text, read_bands
from store import checks
from store.audit import Author, note
from store.decks import COST, deck_info
from store.errors import Conflict, Invalid, NotFound
from store.schema import trunks

CHANNELS_LIMIT = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Trunk:
    """A way out. `channels_max` 0 sets no cap; of two routes at one cost the lower `priority` goes first.

    Where fewer of its latest calls are answered than `asr_floor_percent`, or answered ones are shorter than
    `acd_floor_seconds`, it rests (rating/quality.py); 0 asks nothing. `bands` are hours for which its cost
    deck has rows of their own, by the clock of `zone`, as text (rating/bands.py).
    """

    name: str
    carrier: str
    cost_deck: str
    channels_max: int = 0
    priority: int = 10
    enabled: bool = True
    asr_floor_percent: int = 0
    acd_floor_seconds: int = 0
    zone: str = "UTC"
    bands: str = ""


def add_trunk(connection: Connection, wish: Trunk, author: Author) -> Trunk:
    """Add a trunk; its name is that in switch.toml."""
    wish = _checked(connection, wish)
    if connection.execute(FIND, {"trunk": wish.name}).first() is not None:
        raise Conflict("trunk", f"{wish.name!r} exists already", "change it with `dialback trunk change`")
    connection.execute(insert(trunks), {**_row(wish), "created_at": author.at})
    note(connection, author, "trunk.add", wish.name, after=_row(wish))
    return wish


def change_trunk(connection: Connection, wish: Trunk, author: Author) -> Trunk:
    """Bring a trunk to what `wish` says; the next call takes it so."""
    before = trunk(connection, wish.name)
    wish = _checked(connection, wish)
    connection.execute(update(trunks).where(trunks.c.name == wish.name), _row(wish))
    note(connection, author, "trunk.change", wish.name, before=_row(before), after=_row(wish))
    return wish


def trunk(connection: Connection, name: str) -> Trunk:
    """The trunk of that name; NotFound if there is none."""
    row = connection.execute(FIND, {"trunk": name}).mappings().first()
    if row is None:
        raise NotFound("trunk", f"there is no trunk {name!r}", "see `dialback trunk list`")
    return _trunk_of(row)


def list_trunks(connection: Connection) -> tuple[Trunk, ...]:
    """All trunks by name."""
    return tuple(_trunk_of(row) for row in connection.execute(ALL).mappings())


FIND = select(trunks).where(trunks.c.name == bindparam("trunk"))
ALL = select(trunks).order_by(trunks.c.name)


def _checked(connection: Connection, wish: Trunk) -> Trunk:
    """The wish with its bands as they are kept; Invalid if it cannot be meant."""
    checks.slug("trunk", wish.name)
    checks.slug("carrier", wish.carrier)
    checks.whole("channels_max", wish.channels_max, 0, CHANNELS_LIMIT)
    checks.whole("priority", wish.priority, 0, 1_000)
    checks.whole("asr_floor_percent", wish.asr_floor_percent, 0, 100)
    checks.whole("acd_floor_seconds", wish.acd_floor_seconds, 0, 3_600)
    if deck_info(connection, wish.cost_deck).kind != COST:
        raise Invalid("cost_deck", f"{wish.cost_deck!r} is a sell deck", "name a deck of kind cost")
    try:
        bands = bands_text(read_bands(wish.bands))
    except BandRefused as refused:
        raise Invalid("band", f"{refused.value!r} cannot be used", refused.remedy) from None
    return replace(wish, zone=checks.zone("zone", wish.zone), bands=bands)


def _row(record: Trunk) -> dict[str, Any]:
    return {field.name: getattr(record, field.name) for field in fields(record)}


def _trunk_of(row: RowMapping) -> Trunk:
    return Trunk(**{name: row[name] for name in (field.name for field in fields(Trunk))})

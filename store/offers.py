"""What the carriers offer for a number: each trunk with its cost row, its state and what it may show.

Reads: rows of `trunks`, `trunk_caller_ids`, `dids`, `cdrs`, the cost decks in force, ported numbers.
Gives: rating.Offers, one for each trunk.
Knows nothing of: which offer is taken (rating/routes.py).
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Connection, bindparam, case, func, select

from rating.bands import band_at, read_bands
from rating.callerid import ANY_CLASS, shown_at
from rating.deck import NoRate, NoRateReason
from rating.origin import OriginClass
from rating.portability import Answers
from rating.quality import WINDOW, Floors, Latest, quality_problem
from rating.rate import Rate
from rating.routes import Offer
from store.columns import UtcMicros
from store.decks import cost_decks
from store.portednumbers import PortedNumbers
from store.pricetables import trunk_caller_ids
from store.schema import cdrs, dids, legs, trunks
from values.e164 import E164, country_of
from values.instants import MICROSECOND

ANSWERS = "dialback_ported"
"""The execution option of the engine under which database.py keeps answers about ported numbers."""


def offers(
    connection: Connection, number: E164, at: datetime, *, wishes: Sequence[E164 | None] = (None,)
) -> tuple[Offer, ...]:
    """What each trunk would take for `number` at `at`; `wishes` are the caller IDs to show, best first."""
    answers: Answers = connection.get_execution_options().get(ANSWERS) or Answers()
    code = answers.resolve(PortedNumbers(connection), number, at)
    permits = _permits(connection, number)
    # Only a trunk that is choosy can need another number than the one that is wished for.
    stand_ins = fallback_caller_ids(connection, number) if permits else ()
    found = []
    trunks_ = connection.execute(TRUNKS).all()
    decks = cost_decks(connection, {row.cost_deck for row in trunks_ if row.enabled}, at)
    for row in trunks_:
        deck = decks.get(row.cost_deck)
        if deck is None:
            cost: Rate | NoRate = NoRate(number=number, deck=row.cost_deck, reason=NoRateReason.NO_PREFIX)
        else:
            cost = deck.find(number, at, band_at(_bands_of(row.bands), row.zone, at), code)
        shown = shown_at(number, (*wishes, *stand_ins), permits.get(row.name, ANY_CLASS))
        found.append(
            Offer(
                trunk=row.name,
                rate=cost,
                priority=row.priority,
                is_full=bool(row.is_full),
                is_enabled=row.enabled,
                shown=shown.caller_id,
                origin=shown.origin,
                may_show=shown.is_permitted,
                quality=_quality(connection, row.name, row.asr_floor_percent, row.acd_floor_seconds, at),
            )
        )
    return tuple(found)


def fallback_caller_ids(connection: Connection, destination: E164) -> tuple[E164, ...]:
    """Our DIDs that may stand in for a subscriber's number: those of the destination's country first."""
    rows = connection.execute(SHARED_DIDS)
    numbers = [E164.parse(row.e164) for row in rows]
    country = country_of(destination)
    return tuple(sorted(numbers, key=lambda number: (country_of(number) != country, number)))


# how

_bands_of = lru_cache(maxsize=256)(read_bands)
_LIVE = (
    select(func.count())
    .select_from(legs)
    .where(legs.c.trunk == trunks.c.name, legs.c.ordered_at.is_not(None), legs.c.hung_up_at.is_(None))
    .scalar_subquery()
)
TRUNKS = select(
    trunks, case((trunks.c.channels_max == 0, False), else_=trunks.c.channels_max <= _LIVE).label("is_full")
).order_by(trunks.c.name)
# Prefixes are compared here, not by LIKE: there are few, and a prefix is no pattern.
PERMITS = select(trunk_caller_ids).order_by(func.length(trunk_caller_ids.c.prefix))
SHARED_DIDS = select(dids.c.e164).where(dids.c.kind == "shared").order_by(dids.c.e164).limit(100)
LATEST = select(cdrs.c.answered_at, cdrs.c.hung_up_at).where(
    cdrs.c.trunk == bindparam("trunk"),
    cdrs.c.hung_up_at > bindparam("since", type_=UtcMicros()),
)


def _permits(connection: Connection, number: E164) -> dict[str, frozenset[OriginClass]]:
    """What each trunk permits at that number, by the longest prefix that it names."""
    return {
        row.trunk: frozenset(OriginClass(name) for name in row.permitted.split(",") if name)
        for row in connection.execute(PERMITS)
        if number.digits.startswith(row.prefix)
    }


def _quality(connection: Connection, trunk: str, asr_percent: int, acd_seconds: int, at: datetime) -> str:
    floors = Floors(asr_percent=asr_percent, acd_seconds=acd_seconds)
    if floors == Floors():
        return ""
    rows = connection.execute(LATEST, {"trunk": trunk, "since": at - WINDOW}).all()
    answered = [row for row in rows if row.answered_at is not None]
    talked = sum((row.hung_up_at - row.answered_at) // MICROSECOND for row in answered)
    latest = Latest(attempts=len(rows), answered=len(answered), talk_microseconds=talked)
    return quality_problem(floors, latest)

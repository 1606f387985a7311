"""Re-rating: callbacks that ended are priced anew, a chunk at a time, in books that are never edited.

Reads: ended callbacks (store/reratingrows.py), plans and decks.
Gives: Chunk: what each callback came to and comes to now. Nothing is written here (store/rerated.py).
Knows nothing of: how a price comes about (rating/), what is posted (billing/rerating.py).

A whole chunk is priced in columns, which finds the callbacks whose price changes. A callback whose seconds
and amounts stay as they are is left alone: so doing it twice is doing it once, and what a kill cut short is
taken up by asking again. Invoiced and credited callbacks are passed over: a credit note mends those.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, select

from billing.rerating import Outcome, Rerating
from calls.cdr import Cdr, LegRole
from rating.bulk import Finding
from rating.bulksessions import SessionLegs, SessionPrices, price_sessions
from rating.dateddeck import DatedDeck
from rating.origin import OriginClass
from rating.plan import Plan
from rating.prefixtable import Flags, Ints
from rating.price import NO_PINS, Charge, Pins, price_session
from rating.rate import Rate
from store import decks, plans
from store.errors import NotFound
from store.invoicetables import invoice_sessions
from store.moneytables import credit_notes
from store.reratingrows import ChunkRows, Mark, Session, Wish, read_chunk
from store.schema import plan_versions

INVOICED = "it is on an invoice: write a credit note"
CREDITED = "some of it was given back, and that stays: write another credit note"
OTHER_CURRENCY = "the plan is in another currency"
OTHER_DECK_CURRENCY = "the deck is in another currency"
NO_PLAN = "no version of the plan was in force when it was asked for"
WHY = {
    Finding.BLOCKED: "a leg's prefix is blocked",
    Finding.NO_PREFIX: "no prefix of the deck fits a leg",
    Finding.NOT_VALID_THEN: "no row of a leg's prefix was valid then",
    Finding.NO_VERSION: "no version of the deck was in force then",
}
_BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Repriced:
    """One callback whose price is another now. `legs` are the places of its legs among the chunk's rows."""

    session: Session
    plan: Plan
    after: Outcome
    legs: Sequence[int]
    rates: Sequence[Rate]

    def rerating(self, reason: str) -> Rerating:
        """Return what is to be posted."""
        return Rerating(
            callback_id=self.session.callback_id,
            account_id=self.session.account_id,
            currency=self.session.currency,
            at=self.session.ended_at,
            revision=self.session.revision + 1,
            before=self.session.outcome,
            after=self.after,
            reason=reason,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One callback that keeps its price, and why it cannot have another."""

    session: Session
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Some callbacks in the order in which they ended; without any there are no more."""

    rows: ChunkRows
    repriced: Sequence[Repriced]
    passed: Sequence[Passed]


class Repricing:
    """One wish, with the plans and decks that it has met: versions never change, so they are kept."""

    def __init__(self, connection: Connection, wish: Wish) -> None:
        """NotFound for a plan or a deck that is nowhere; Invalid for a deck of what carriers ask."""
        self.wish = wish
        self._connection = connection
        self._plans: dict[str, Plan] = {}
        self._decks: dict[str, DatedDeck] = {}
        self._versions = _versions_of(connection, wish.plan)
        self._currency = ""
        if wish.deck:
            self._currency = decks.sell_deck(connection, wish.deck.partition(":")[0]).currency
            self._deck(wish.deck)

    def chunk(self, connection: Connection, after: Mark | None, sessions_max: int) -> Chunk:
        """The next callbacks behind `after`, at most so many, with their prices."""
        self._connection = connection
        rows = read_chunk(connection, self.wish, after, sessions_max)
        passed: list[Passed] = []
        repriced: list[Repriced] = []
        for plan, places in self._by_plan(rows, passed):
            deck = self._deck(self.wish.deck or plan.deck_id)
            _sort(rows, plan, deck, places, (repriced, passed))
        return Chunk(rows=rows, repriced=repriced, passed=passed)

    def _by_plan(self, rows: ChunkRows, passed: list[Passed]) -> Iterable[tuple[Plan, list[int]]]:
        """The places of the callbacks by the plan that prices them now."""
        places: defaultdict[str, list[int]] = defaultdict(list)
        invoiced = invoiced_among(self._connection, [session.callback_id for session in rows.sessions])
        credited = credited_among(self._connection, [session.callback_id for session in rows.sessions])
        for place, session in enumerate(rows.sessions):
            plan_id = self._plan_id(session)
            if session.callback_id in invoiced:
                passed.append(Passed(session=session, why=INVOICED))
            elif session.callback_id in credited:
                passed.append(Passed(session=session, why=CREDITED))
            elif not plan_id:
                passed.append(Passed(session=session, why=NO_PLAN))
            elif self._plan(plan_id).currency != session.currency:
                passed.append(Passed(session=session, why=OTHER_CURRENCY))
            elif self._currency not in {"", session.currency}:
                passed.append(Passed(session=session, why=OTHER_DECK_CURRENCY))
            else:
                places[plan_id].append(place)
        return [(self._plan(plan_id), found) for plan_id, found in places.items()]

    def _plan(self, plan_id: str) -> Plan:
        if plan_id not in self._plans:
            self._plans[plan_id] = plans.plan(self._connection, plan_id)
        return self._plans[plan_id]

    def _plan_id(self, session: Session) -> str:
        if not self.wish.plan:
            return session.plan_id
        return next((plan_id for since, plan_id in self._versions if since <= session.received_at), "")

    def _deck(self, name: str) -> DatedDeck:
        if name not in self._decks:
            deck_name, colon, number = name.partition(":")
            if colon:
                since, rates = decks.version(self._connection, deck_name, number)
                self._decks[name] = DatedDeck([since], lambda _: rates, always=True)
            else:
                starts = decks.starts(self._connection, deck_name)
                self._decks[name] = DatedDeck(
                    starts, lambda then: decks.rates_at(self._connection, deck_name, then)
                )
        return self._decks[name]


def charges_of(rows: ChunkRows, found: Repriced, records: Mapping[str, Cdr]) -> dict[str, Charge]:
    """What each leg costs and why, by the pure function; its sum is surely that of the columns."""
    legs = [rows.legs[place] for place in found.legs]
    rates = dict(zip((leg.leg_id for leg in legs), found.rates, strict=True))
    pins = {leg.leg_id: _pins(found.plan, rates[leg.leg_id], leg) for leg in legs}
    leg_a = next(leg.leg_id for leg in legs if leg.role == LegRole.A.value)
    legs_b = [leg.leg_id for leg in legs if leg.role == LegRole.B.value]
    price = price_session(
        plan=found.plan,
        rate_a=rates[leg_a],
        cdr_a=records[leg_a],
        legs_b=[(records[leg], rates[leg]) for leg in legs_b],
        pins=pins,
    )
    return dict(zip((leg_a, *legs_b), price.charges, strict=True))


def invoiced_among(connection: Connection, callback_ids: Sequence[str]) -> frozenset[str]:
    """Those of the callbacks that an invoice was issued for."""
    wanted = select(invoice_sessions.c.callback_id).where(invoice_sessions.c.callback_id.in_(callback_ids))
    return frozenset(connection.execute(wanted).scalars())


def credited_among(connection: Connection, callback_ids: Sequence[str]) -> frozenset[str]:
    """Those of the callbacks of which something was given back: a new price would correct them twice."""
    wanted = select(credit_notes.c.callback_id).where(credit_notes.c.callback_id.in_(callback_ids))
    return frozenset(connection.execute(wanted).scalars())


def _sort(
    rows: ChunkRows,
    plan: Plan,
    deck: DatedDeck,
    places: Sequence[int],
    into: tuple[list[Repriced], list[Passed]],
) -> None:
    """Add each callback whose price is another, or that can have none, to its list."""
    repriced, passed = into
    is_here = np.zeros(len(rows.sessions), dtype=np.bool_)
    is_here[places] = True
    legs = np.flatnonzero(is_here[rows.columns.session])
    columns = _with_package(rows, plan, legs)
    prices = price_sessions(deck, plan, columns, len(rows.sessions))
    changed = _changed(rows, legs, columns, prices)
    for place in places:
        session = rows.sessions[place]
        if changed[place] or not prices.is_priced[place]:
            of_session = np.flatnonzero(columns.session == place)
            if prices.is_priced[place]:
                repriced.append(
                    Repriced(
                        session=session,
                        plan=plan,
                        after=session.outcome.rerated(
                            int(prices.gross_units[place]), session.payable_max_units
                        ),
                        legs=legs[of_session].tolist(),
                        rates=[deck.rate(prices.legs, leg) for leg in of_session.tolist()],
                    )
                )
            else:
                findings = prices.legs.findings[of_session]
                worst = Finding(int(findings[findings != Finding.PRICED][0]))
                passed.append(Passed(session=session, why=WHY[worst]))


def _changed(rows: ChunkRows, legs: Ints, columns: SessionLegs, prices: SessionPrices) -> Flags:
    """Whether any leg of each callback is billed other seconds or another amount than the books have."""
    billed = np.array([rows.legs[place].billed_seconds for place in legs.tolist()], dtype=np.int64)
    amounts = np.array([rows.legs[place].amount_units for place in legs.tolist()], dtype=np.int64)
    differs = (prices.legs.billed_seconds != billed) | (prices.legs.amount_units != amounts)
    changed = np.zeros(len(rows.sessions), dtype=np.bool_)
    changed[columns.session[differs]] = True
    return changed


def _with_package(rows: ChunkRows, plan: Plan, legs: Ints) -> SessionLegs:
    """The legs, and what a package promised to those that the plan's package pays for."""
    columns = rows.columns.at_places(legs)
    if plan.package_seconds:
        for leg, place in enumerate(legs.tolist()):
            row = rows.legs[place]
            if row.role == LegRole.B.value and plan.covers(row.number[1:]):
                columns.package_seconds[leg] = row.promised_seconds
    return columns


def _pins(plan: Plan, rate: Rate, leg: Row[Any]) -> Pins:
    """What was fixed for the leg besides its row: the class of the caller ID shown, seconds of a package."""
    in_package = leg.role == LegRole.B.value and plan.covers(leg.number[1:])
    origin = leg.origin_class
    return Pins(
        surcharge_per_minute=rate.surcharge(OriginClass(origin)) if origin else NO_PINS.surcharge_per_minute,
        in_package=in_package,
        package_seconds=leg.promised_seconds if in_package else 0,
    )


def _versions_of(connection: Connection, plan: str) -> Sequence[tuple[datetime, str]]:
    """When each version of the plan came into force, the newest number first; of `name:version` that one."""
    if not plan:
        return ()
    name, colon, _ = plan.partition(":")
    wanted = (
        select(plan_versions.c.effective_at, plan_versions.c.id)
        .where(plan_versions.c.plan_name == name)
        .order_by(plan_versions.c.version.desc())
    )
    found = [(row.effective_at, row.id) for row in connection.execute(wanted)]
    if colon:
        found = [(_BEFORE_ALL, plan_id) for _, plan_id in found if plan_id == plan]
    if not found:
        raise NotFound("plan", f"there is no plan {plan!r}", "see `dialback plan list`")
    return found

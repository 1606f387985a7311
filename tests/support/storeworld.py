"""A small telephone company as rows: two decks, a plan, a trunk, an account with a subscriber, DIDs."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from calls import events
from calls.callback import Callback, Leg, Origin, OriginKind, ReleasedBy, State, next_leg_id
from calls.cdr import LegRole
from calls.events import Event
from calls.limits import Limits
from calls.transitions import step
from rating.plan import Plan
from rating.rate import Rate
from store import callbacks, ledger
from store.audit import Author
from store.customers import Account, Subscriber, add_account, add_number, add_subscriber
from store.decks import add_deck, add_version
from store.dids import PERSONAL, SHARED, Did, add_did
from store.plans import add_plan
from store.settlement import settle
from store.trunks import Trunk, add_trunk
from values.e164 import E164

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CLERK = Author(at=LONG_AGO, name="clerk", reason="opening")
LIMITS = Limits()
PHONE = E164.parse("+442079460101")
UNVERIFIED_PHONE = E164.parse("+442079460102")
FRIEND = E164.parse("+14155550123")
SHARED_DID = E164.parse("+442079460900")
PERSONAL_DID = E164.parse("+442079460901")


def rate(prefix: str, per_minute: str, *, currency: str = "EUR", **terms: Any) -> Rate:
    plain = Rate(
        id="",
        prefix=prefix,
        destination=f"Zone {prefix}",
        per_minute=Decimal(per_minute),
        valid_from=LONG_AGO,
        currency=currency,
    )
    return replace(plain, **terms)


def plan_of(deck: str = "retail", name: str = "standard", **terms: Any) -> Plan:
    return replace(Plan(id="", name=name, version=1, currency="EUR", deck_id=deck), **terms)


def fill(connection: Connection, credit_limit_units: int = 50_0000) -> None:
    add_deck(connection, name="retail", kind="sell", currency="EUR", author=CLERK)
    add_deck(connection, name="carrier-x", kind="cost", currency="EUR", author=CLERK)
    sell = [rate("44", "0.10"), rate("1", "0.25"), rate("1900", "9.00", blocked=True)]
    cost = [rate("44", "0.04"), rate("1", "0.09")]
    add_version(connection, deck_name="retail", new_rates=sell, effective_at=LONG_AGO, author=CLERK)
    add_version(connection, deck_name="carrier-x", new_rates=cost, effective_at=LONG_AGO, author=CLERK)
    add_trunk(connection, Trunk(name="east", carrier="carrier-x", cost_deck="carrier-x"), CLERK)
    add_plan(connection, plan_of(), effective_at=LONG_AGO, author=CLERK)
    account = Account(
        id="acme",
        name="Acme Ltd",
        currency="EUR",
        zone="Europe/London",
        plan_name="standard",
        credit_limit_units=credit_limit_units,
    )
    add_account(connection, account, CLERK)
    anna = Subscriber(id="anna", account_id="acme", name="Anna Example", home_country="GB")
    add_subscriber(connection, anna, CLERK)
    add_number(connection, subscriber_id="anna", number=PHONE, author=CLERK, verified=True)
    add_number(connection, subscriber_id="anna", number=UNVERIFIED_PHONE, author=CLERK)
    add_did(connection, Did(number=SHARED_DID, kind=SHARED), CLERK)
    add_did(connection, Did(number=PERSONAL_DID, kind=PERSONAL, subscriber_id="anna"), CLERK)


def callback(callback_id: str = "cb1", **fields: Any) -> Callback:
    plain = Callback(
        id=callback_id,
        state=State.REQUESTED,
        account_id="acme",
        subscriber_id="anna",
        plan_id="standard:1",
        currency="EUR",
        origin=Origin(
            kind=OriginKind.RING, received_at=NOW, did=SHARED_DID, trunk="east", caller_number_raw="0207…"
        ),
        number_a=PHONE,
        caller_id_a=SHARED_DID,
        created_at=NOW,
        expires_at=NOW + timedelta(seconds=300),
        dial_at=NOW + timedelta(seconds=3),
        deadline_at=NOW + timedelta(seconds=45),
        home_country="GB",
    )
    return replace(plain, **fields)


def leg(of: Callback, role: LegRole, **fields: Any) -> Leg:
    plain = Leg(
        id=next_leg_id(of, role),
        role=role,
        number=PHONE if role is LegRole.A else FRIEND,
        trunk="east",
        caller_id_shown=SHARED_DID,
        price_rate_id="retail:1:1" if role is LegRole.A else "retail:1:2",
        cost_rate_id="carrier-x:1:1" if role is LegRole.A else "carrier-x:1:2",
        ring_seconds=45,
        talk_seconds_max=0 if role is LegRole.A else 600,
    )
    return replace(plain, **fields)


def seconds(number: float) -> datetime:
    return NOW + timedelta(seconds=number)


def story(first: Callback, talk_seconds: int = 31) -> Iterable[Event]:
    """A whole callback: A answers at 10 s, keys at 14 s, B answers at 41 s and talks; A leaves 5 s later."""
    leg_a = leg(first, LegRole.A)
    leg_b = leg(first, LegRole.B)
    yield events.DialAuthorised(at=seconds(3), leg=leg_a, hold_units=500)
    yield events.LegRang(at=seconds(5), leg_id=leg_a.id)
    yield events.LegAnswered(at=seconds(10), leg_id=leg_a.id)
    yield events.Accepted(at=seconds(14), leg_id=leg_a.id)
    yield events.DestinationKeyed(at=seconds(20), number=FRIEND)
    yield events.DestinationAuthorised(at=seconds(20.1), legs=(leg_b,), hold_units=50_000)
    yield events.LegRang(at=seconds(30), leg_id=leg_b.id)
    yield events.LegAnswered(at=seconds(41), leg_id=leg_b.id)
    yield events.LegHungUp(
        at=seconds(41 + talk_seconds), leg_id=leg_b.id, q850_cause=16, released_by=ReleasedBy.FAR
    )
    yield events.LegHungUp(
        at=seconds(46 + talk_seconds), leg_id=leg_a.id, q850_cause=16, released_by=ReleasedBy.FAR
    )


def play(connection: Connection, first: Callback, told: Iterable[Event]) -> Callback:
    """Write the callback down and move it by every event, as the conductor does; the hold goes with it."""
    callbacks.insert_callback(connection, first, announce=False)
    now = first
    for event in told:
        now = advance(connection, now, event)
    return now


def advance(connection: Connection, before: Callback, event: Event) -> Callback:
    after, commands = step(before, event, LIMITS)
    if isinstance(event, events.DialAuthorised | events.DestinationAuthorised):
        ledger.hold(connection, before, event.hold_units, at=event.at)
    if after.state.is_end:
        settle(connection, after)
    callbacks.save_step(connection, before, after, commands, event)
    return after


def by_sorted_rows(told: Iterable[Event]) -> Iterator[Event]:
    """The same with the rows of a sheet's version: they are numbered in the order of their prefixes."""
    other = {"retail:1:1": "retail:1:2", "retail:1:2": "retail:1:1"}
    for event in told:
        match event:
            case events.DialAuthorised():
                yield replace(event, leg=replace(event.leg, price_rate_id=other[event.leg.price_rate_id]))
            case events.DestinationAuthorised():
                legs = [replace(leg, price_rate_id=other[leg.price_rate_id]) for leg in event.legs]
                yield replace(event, legs=tuple(legs))
            case _:
                yield event

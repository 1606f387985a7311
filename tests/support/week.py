"""A week of callbacks of all fates, in the books of the small company of storeworld.py.

Reads: a connection with that company, a seed.
Gives: the callbacks as they ended; the same for the same seed.
Knows nothing of: reports.
"""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import Connection, insert, update
from storeworld import CLERK, FRIEND, NOW, PHONE, SHARED_DID, callback, leg, play

from calls import events
from calls.callback import Callback, Origin, OriginKind, Reason, ReleasedBy
from calls.cdr import LegRole
from calls.events import Event
from store.customers import Subscriber, add_subscriber
from store.schema import accounts, triggers
from store.trunks import Trunk, add_trunk

FATES = ("talked", "talked", "talked", "b_busy", "b_fails", "not_accepted", "a_no_answer", "a_fails", "left")
TRUNKS = ("east", "west")


def week(
    connection: Connection, *, seed: int, calls: int, days: int = 7, currency: str = "EUR"
) -> list[Callback]:
    """Play so many callbacks, spread over so many days from NOW on; a few rings are refused as well."""
    chance = random.Random(seed)
    connection.execute(update(accounts).values(credit_limit_units=10_000_0000))
    add_trunk(connection, Trunk(name="west", carrier="carrier-y", cost_deck="carrier-x"), CLERK)
    ben = Subscriber(id="ben", account_id="acme", name="Ben", home_country="GB")
    add_subscriber(connection, ben, CLERK)
    numbers = count(1)
    made = []
    for _ in range(calls):
        at = NOW + timedelta(microseconds=chance.randrange(days * 86_400_000_000))
        number = next(numbers)
        first = replace(_first(f"cb{number:06}", at, chance), currency=currency)
        fate = chance.choice(FATES)
        made.append(play(connection, first, _moved(_story(first, fate, chance), at)))
        if first.origin.kind is OriginKind.RING:
            _ring(connection, f"t{number}", at, made[-1])
        if chance.random() < 0.2:
            _ring(connection, f"refused{number}", at + timedelta(seconds=1), None)
    return made


def _first(callback_id: str, at: datetime, chance: random.Random) -> Callback:
    kind = chance.choice([OriginKind.RING, OriginKind.RING, OriginKind.API])
    did = SHARED_DID if kind is OriginKind.RING else None
    origin = Origin(kind=kind, received_at=at, did=did, tag=chance.choice(["", "sales", "=support"]))
    moved = {
        "created_at": at,
        "expires_at": at + timedelta(seconds=300),
        "dial_at": at + timedelta(seconds=3),
    }
    subscriber = chance.choice(["anna", "ben"])
    return callback(callback_id, origin=origin, subscriber_id=subscriber, deadline_at=at, **moved)


def _story(first: Callback, fate: str, chance: random.Random) -> Iterator[Event]:
    trunk = chance.choice(TRUNKS)
    leg_a = leg(first, LegRole.A, trunk=trunk)
    rang, answered = chance.uniform(4, 9), chance.uniform(10, 20)
    yield events.DialAuthorised(at=_after(3), leg=leg_a, hold_units=500)
    if fate == "a_fails":
        yield _hung_up(4, leg_a.id, 34)
        again = leg(first, LegRole.A, trunk=trunk, id=f"{first.id}-a2")
        yield events.DialAuthorised(at=_after(6), leg=again, hold_units=500)
        yield _hung_up(7, again.id, 34)
        return
    yield events.LegRang(at=_after(rang), leg_id=leg_a.id)
    if fate == "a_no_answer":
        yield _hung_up(50, leg_a.id, 19)
        return
    yield events.LegAnswered(at=_after(answered), leg_id=leg_a.id)
    if fate == "not_accepted":
        yield events.DialogEnded(at=_after(answered + 30), reason=Reason.NOT_ACCEPTED)
        yield _hung_up(answered + 31, leg_a.id, 16)
        return
    yield events.Accepted(at=_after(answered + 2), leg_id=leg_a.id)
    if fate == "left":
        yield _hung_up(answered + 5, leg_a.id, 16)
        return
    yield events.DestinationKeyed(at=_after(30), number=FRIEND)
    leg_b = leg(first, LegRole.B, trunk=chance.choice(TRUNKS))
    yield events.DestinationAuthorised(at=_after(30.1), legs=(leg_b,), hold_units=60_000)
    if fate == "b_fails":
        yield _hung_up(32, leg_b.id, 34)
    elif fate == "b_busy":
        yield _hung_up(33, leg_b.id, 17)
    else:
        if chance.random() < 0.9:
            yield events.LegRang(at=_after(33), leg_id=leg_b.id)
        yield events.LegAnswered(at=_after(40), leg_id=leg_b.id)
        talked = chance.uniform(1, 400)
        yield _hung_up(40 + talked, leg_b.id, 16)
    end = 900
    yield _hung_up(end, leg_a.id, 16)


def _hung_up(seconds: float, leg_id: str, cause: int) -> Event:
    return events.LegHungUp(at=_after(seconds), leg_id=leg_id, q850_cause=cause, released_by=ReleasedBy.FAR)


def _after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def _moved(told: Iterator[Event], at: datetime) -> Iterator[Event]:
    for event in told:
        yield replace(event, at=event.at + (at - NOW))


def _ring(connection: Connection, trigger_id: str, at: datetime, made: Callback | None) -> None:
    connection.execute(
        insert(triggers),
        {
            "id": trigger_id,
            "received_at": at,
            "did_raw": str(SHARED_DID),
            "did": str(SHARED_DID),
            "caller_raw": str(PHONE),
            "caller": str(PHONE) if made is not None else "+14155550199",
            "trunk": "east",
            "outcome": "accepted" if made is not None else "refused",
            "reason": "" if made is not None else "unknown_caller",
            "account_id": None if made is None else made.account_id,
            "callback_id": None if made is None else made.id,
        },
    )

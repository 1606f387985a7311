"""Who would be rung, as the store knows it at this instant: the facts on which admission decides.

Reads: DIDs, numbers, subscribers, accounts, plans, decks, the country policy, live callbacks, the books.
Gives: an Applicant: the Candidate and what a callback of theirs begins with.
Knows nothing of: who is admitted (calls/admission.py).

On PostgreSQL the subscriber's row is locked until the transaction ends, so that of two rings at once only
one finds no live callback; on SQLite there is only one writing transaction anyway.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, Select, bindparam, func, select

from calls.admission import AccountState, Candidate
from calls.callback import State
from calls.policy import PolicyDirection, PolicyKind, Verdict, country_verdict
from rating.credit import first_hold
from rating.deck import NoRate
from rating.plan import Plan
from store import accountplans, caps
from store import dids as did_rows
from store.authorisation import price_of
from store.columns import UtcMicros
from store.dids import DIRECT, SHARED, Did
from store.errors import NotFound
from store.ledger import available
from store.plans import plan_in_force
from store.policies import country_policy
from store.schema import accounts, callbacks, dids, numbers, subscribers
from values.e164 import E164, country_of
from values.money import decimal_units

SOON = timedelta(minutes=5)
"""A request due later than this is no callback yet; one that is due sooner makes a ring a duplicate."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applicant:
    """A candidate, and what a callback to them is made with. `destination` is fixed by a direct DID."""

    candidate: Candidate
    plan: Plan
    currency: str
    home_country: str
    language: str
    destination: E164 | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RingFacts:
    """What is known of a ring: whether the DID is ours, and who rang it; None for a stranger."""

    did: Did | None
    did_number: E164 | None
    caller: E164 | None
    applicant: Applicant | None


def for_ring(
    connection: Connection, *, dids: Sequence[E164], callers: Sequence[E164], at: datetime
) -> RingFacts:
    """The facts of a ring. A personal or direct DID names its subscriber, a shared one goes by the caller.

    `dids` and `callers` are what the carrier may mean by its digits, the likeliest first; the first that we
    know is taken.
    """
    caller = next(
        (each for each in callers if _owner_of(connection, each, at) is not None), next(iter(callers), None)
    )
    found = (connection.execute(did_rows.FIND, {"number": str(did)}).mappings().first() for did in dids)
    row = next((each for each in found if each is not None), None)
    if row is None:
        return RingFacts(did=None, did_number=next(iter(dids), None), caller=caller, applicant=None)
    rung = did_rows.did_of(row)
    if rung.kind == SHARED:
        owner = None if caller is None else _owner_of(connection, caller, at)
    else:
        owner = connection.execute(OWNER, {"subscriber_id": rung.subscriber_id, "at": at}).mappings().first()
    number = (
        None
        if owner is None
        else _number_to_ring(connection, owner, caller if rung.kind == SHARED else None, at)
    )
    if owner is None or number is None:
        return RingFacts(did=rung, did_number=rung.number, caller=caller, applicant=None)
    applicant = _applicant(
        connection,
        owner,
        number=number,
        triggered_by=caller,
        kind=PolicyKind.RING,
        destination=rung.destination if rung.kind == DIRECT else None,
        at=at,
    )
    return RingFacts(did=rung, did_number=rung.number, caller=caller, applicant=applicant)


def for_request(
    connection: Connection, *, number: E164, account_id: str, kind: PolicyKind, at: datetime
) -> Applicant | None:
    """The facts of a request to ring `number`; None if nobody (of that account, if one is named) has it."""
    owner = _owner_of(connection, number, at)
    if owner is None or (account_id and owner["account_id"] != account_id):
        return None
    found = _NumberToRing(number=number, is_verified=owner["verified_at"] is not None)
    return _applicant(connection, owner, number=found, triggered_by=None, kind=kind, destination=None, at=at)


def trigger_number_for(connection: Connection, subscriber_id: str, number_a: E164) -> E164 | None:
    """The DID to show on an A-leg that no ring asked for.

    The subscriber's own before a shared one, one of the number's country before others;
    None if there is none in service.
    """
    rows = connection.execute(SHOWABLE, {"subscriber_id": subscriber_id}).mappings().all()
    country = country_of(number_a)
    ranked = sorted(
        rows, key=lambda row: (row["subscriber_id"] is None, row["country"] != country, row["e164"])
    )
    return E164.parse(ranked[0]["e164"]) if ranked else None


# how


def _owners() -> Select[*tuple[object, ...]]:
    return select(
        subscribers.c.id.label("subscriber_id"),
        subscribers.c.home_country,
        subscribers.c.language,
        subscribers.c.callback_number,
        accounts.c.id.label("account_id"),
        accounts.c.state,
        accounts.c.currency,
        func.coalesce(accountplans.OF_OWNER, accounts.c.plan_name).label("plan_name"),
    ).select_from(subscribers.join(accounts, accounts.c.id == subscribers.c.account_id))


OWNER = _owners().where(subscribers.c.id == bindparam("subscriber_id")).with_for_update(of=subscribers)
OWNER_OF_NUMBER = (
    _owners()
    .add_columns(numbers.c.verified_at)
    .join(numbers, numbers.c.subscriber_id == subscribers.c.id)
    .where(numbers.c.e164 == bindparam("number"))
    .where(numbers.c.rung_until.is_(None) | (numbers.c.rung_until > bindparam("at", type_=UtcMicros())))
    .with_for_update(of=subscribers)
)
NUMBERS = (
    select(numbers.c.e164, numbers.c.verified_at, numbers.c.rung_until)
    .where(numbers.c.subscriber_id == bindparam("subscriber_id"))
    .where(numbers.c.rung_until.is_(None) | (numbers.c.rung_until > bindparam("at", type_=UtcMicros())))
    .order_by(numbers.c.registered_at, numbers.c.e164)
)
# A request for later does not stand in the way of a ring now; when it is due, it waits its turn.
LIVE = (
    select(callbacks.c.id)
    .where(callbacks.c.subscriber_id == bindparam("subscriber_id"), callbacks.c.ended_at.is_(None))
    .where(
        (callbacks.c.state != State.REQUESTED.value)
        | callbacks.c.dial_at.is_(None)
        | (callbacks.c.dial_at < bindparam("soon", type_=UtcMicros()))
    )
    .limit(1)
)
SHOWABLE = select(dids).where(
    (dids.c.subscriber_id == bindparam("subscriber_id")) | dids.c.subscriber_id.is_(None)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _NumberToRing:
    number: E164
    is_verified: bool


def _owner_of(connection: Connection, number: E164, at: datetime) -> RowMapping | None:
    return connection.execute(OWNER_OF_NUMBER, {"number": str(number), "at": at}).mappings().first()


def _number_to_ring(
    connection: Connection, owner: RowMapping, caller: E164 | None, at: datetime
) -> _NumberToRing | None:
    """A traveller's number while it lasts; else the chosen one; the caller's own; the first verified one.

    A caller number that is not verified identifies nobody, so nothing counts as verified then. None without
    any number.
    """
    rows = connection.execute(NUMBERS, {"subscriber_id": owner["subscriber_id"], "at": at}).all()
    if not rows:
        return None
    known = {row.e164: row.verified_at is not None for row in rows}
    caller_holds = caller is None or known.get(str(caller), False)
    verified = [number for number, is_verified in known.items() if is_verified]
    travelling = [row.e164 for row in rows if row.rung_until is not None and row.verified_at is not None]
    fallback = str(caller) if caller is not None else next(iter(verified), next(iter(known)))
    chosen = travelling[-1] if travelling else owner["callback_number"] or fallback
    return _NumberToRing(number=E164.parse(chosen), is_verified=caller_holds and known.get(chosen, False))


def _applicant(
    connection: Connection,
    owner: RowMapping,
    *,
    number: _NumberToRing,
    triggered_by: E164 | None,
    kind: PolicyKind,
    destination: E164 | None,
    at: datetime,
) -> Applicant:
    plan = plan_in_force(connection, owner["plan_name"], at)
    needed = _first_hold_units(connection, plan, number.number, at)
    live = connection.execute(LIVE, {"subscriber_id": owner["subscriber_id"], "soon": at + SOON}).first()
    candidate = Candidate(
        account_id=owner["account_id"],
        subscriber_id=owner["subscriber_id"],
        account_state=AccountState(owner["state"]),
        number_a=number.number,
        number_verified=number.is_verified,
        has_live_callback=live is not None,
        has_rate=needed is not None,
        has_credit=needed is not None and available(connection, owner["account_id"]) >= max(needed, 1),
        country=_verdict(connection, number.number, triggered_by, kind, at),
        has_free_line=caps.has_free_line(connection, owner["account_id"], at + SOON),
        is_within_caps=_is_within_caps(connection, owner, max(needed or 0, 1), at),
    )
    return Applicant(
        candidate=candidate,
        plan=plan,
        currency=owner["currency"],
        home_country=owner["home_country"],
        language=owner["language"],
        destination=destination,
    )


def _is_within_caps(connection: Connection, owner: RowMapping, needed: int, at: datetime) -> bool:
    whose = {"account_id": owner["account_id"], "subscriber_id": owner["subscriber_id"]}
    if caps.room_units(connection, **whose, at=at) >= needed:
        return True
    caps.note_caps_reached(connection, **whose, at=at, needed_units=needed)
    return False


def _first_hold_units(connection: Connection, plan: Plan, number: E164, at: datetime) -> int | None:
    """What must be available before A is rung; None where no rate lets us ring it.

    What a caller ID costs on top is known with the route only, when A is dialled; then it is held as well.
    """
    try:
        priced = price_of(connection, plan, number, at)
    except NotFound:
        return None  # a plan whose deck is not in force yet prices nothing
    if isinstance(priced, NoRate) or priced.rate.blocked:
        return None
    return decimal_units(first_hold(plan=plan, rate_a=priced.rate))


def _verdict(
    connection: Connection, number: E164, triggered_by: E164 | None, kind: PolicyKind, at: datetime
) -> Verdict:
    rows = country_policy(connection)
    if triggered_by is not None:
        verdict = country_verdict(rows, triggered_by, PolicyDirection.TRIGGER_FROM, kind, at)
        if verdict.is_denied:
            return verdict
    return country_verdict(rows, number, PolicyDirection.CALLBACK_TO, kind, at)

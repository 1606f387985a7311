"""The customers of a benchmark, and whether what they were charged is right.

Reads: the database of a switch.
Gives: subscribers with one number each, one DID that all ring; what is wrong with a load's records.
Knows nothing of: how the calls are made.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from calls.callback import State
from calls.cdr import LegRole
from calls.policy import read_policy
from rating.deckfile import read_deck
from rating.plan import Plan
from store import callbacks, cdrs, customers, decks, dids, plans, trunks
from store.audit import Author
from store.cdrs import CallRecord
from store.database import Database
from store.policies import replace_country_policy
from store.verify import verify
from values.e164 import E164

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CLERK = Author(at=LONG_AGO, name="bench")
POLICY = Path(__file__).resolve().parents[1] / "etc" / "country_policy.csv"

DID = "+12025550100"
DESTINATION = "+61255500123"
KEYS = "0061255500123#"
"""The destination as a subscriber at home in Britain keys it."""
NEAR, FAR = "near", "far"
"""The trunk of the subscribers, and that of the destinations: each has a price for its own country only."""
PRICES = {"44": "0.10", "61": "0.24"}
COSTS = {NEAR: {"44": "0.02"}, FAR: {"61": "0.05"}}
PRICE_OF_A_CALL = Decimal("0.17")
"""30 seconds of each leg: the shortest that the plan bills, and no leg lasts longer."""
BILLED_SECONDS = 30
NOTHING = Decimal(0)
SUBSCRIBERS, ACCOUNTS = 3_000, 20


def number_of(index: int) -> str:
    """The number of that subscriber."""
    return f"+442079{400_000 + index}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a load came to in the books."""

    callbacks: int
    amount: Decimal
    talk_seconds: float
    """Of the destinations' legs, to the microsecond, summed."""


class WrongBooksError(Exception):
    """Calls were lost, billed twice or billed wrongly."""


def open_office(database: Database) -> None:
    """Put customers, prices, routes and the DID into an empty database."""
    database.call("office", _open)


def is_quiet(database: Database) -> bool:
    """Whether no callback is unfinished."""
    return not database.read("unfinished", callbacks.unfinished)


def talking(database: Database) -> int:
    """How many callbacks are in talk."""
    unfinished = database.read("unfinished", callbacks.unfinished)
    return sum(callback.state is State.TALKING for callback in unfinished)


def most_at_once(database: Database) -> int:
    """How many A-legs were up at the same moment, by the records."""
    records = database.read("records", cdrs.list_cdrs)
    a_legs = [record.cdr for record in records if record.cdr.role is LegRole.A]
    return max(
        sum(leg.invited_at <= moment.invited_at < leg.hung_up_at for leg in a_legs) for moment in a_legs
    )


def bill_since(database: Database, since: datetime) -> Bill:
    """The books of all callbacks that ended since then; WrongBooksError if any rule is broken."""
    records = database.read("records", cdrs.list_cdrs, since=since)
    wrong = [*_wrong_records(records), *database.read("verify", verify)]
    if wrong:
        raise WrongBooksError("; ".join(wrong[:5]))
    charges = [record.charge for record in records if record.charge is not None]
    talks = [
        record.cdr.hung_up_at - record.cdr.answered_at
        for record in records
        if record.cdr.role is LegRole.B and record.cdr.answered_at is not None
    ]
    return Bill(
        callbacks=len({record.cdr.callback_id for record in records}),
        amount=sum((charge.amount for charge in charges), Decimal(0)),
        talk_seconds=sum(talk.total_seconds() for talk in talks),
    )


def check_ledger(database: Database) -> None:
    """WrongBooksError if the books disagree with themselves, whatever became of the calls."""
    wrong = database.read("verify", verify)
    if wrong:
        raise WrongBooksError("; ".join(wrong[:5]))


def _wrong_records(records: Sequence[CallRecord]) -> list[str]:
    wrong = []
    legs = Counter((record.cdr.callback_id, record.cdr.role) for record in records)
    for callback_id in {record.cdr.callback_id for record in records}:
        counts = legs[callback_id, LegRole.A], legs[callback_id, LegRole.B]
        if counts != (1, 1):
            wrong.append(
                f"{callback_id} has {counts[0]} A-legs and {counts[1]} B-legs on record, not 1 and 1"
            )
    for record in records:
        if record.charge is None:
            wrong.append(f"{record.cdr.leg_id} was not answered (cause {record.cdr.q850_cause})")
        elif record.charge.billed_seconds != BILLED_SECONDS:
            wrong.append(
                f"{record.cdr.leg_id} was billed {record.charge.billed_seconds} s, not {BILLED_SECONDS}"
            )
        elif record.cdr.estimated:
            wrong.append(f"{record.cdr.leg_id} was billed by estimate")
    return wrong


def _open(connection: Any) -> None:
    rows = read_policy(POLICY.read_text().splitlines()).rows
    replace_country_policy(connection, rows, CLERK)
    _add_deck(connection, "retail", decks.SELL, PRICES)
    for name, costs in COSTS.items():
        _add_deck(connection, f"{name}-cost", decks.COST, costs)
        trunk = trunks.Trunk(name=name, carrier=name, cost_deck=f"{name}-cost")
        trunks.add_trunk(connection, trunk, CLERK)
    plan = Plan(id="", name="standard", version=1, currency="USD", deck_id="retail")
    plans.add_plan(connection, plan, effective_at=LONG_AGO, author=CLERK)
    for index in range(ACCOUNTS):
        customers.add_account(connection, _account(index), CLERK)
    for index in range(SUBSCRIBERS):
        _add_subscriber(connection, index)
    did = dids.Did(
        number=E164.parse(DID), kind=dids.SHARED, subscriber_id=None, destination=None, country="US"
    )
    dids.add_did(connection, did, CLERK)


def _add_deck(connection: Any, name: str, kind: str, rates: dict[str, str]) -> None:
    decks.add_deck(connection, name=name, kind=kind, currency="USD", author=CLERK)
    lines = ["prefix,destination,rate_per_min", *(f"{prefix},-,{rate}" for prefix, rate in rates.items())]
    rows = read_deck(lines, currency="USD", effective_at=LONG_AGO).accepted()
    decks.add_version(connection, deck_name=name, new_rates=rows, effective_at=LONG_AGO, author=CLERK)


def _account(index: int) -> customers.Account:
    return customers.Account(
        id=f"account{index}",
        name=f"Account {index}",
        currency="USD",
        zone="Europe/London",
        plan_name="standard",
        credit_limit_units=100_000_0000,
    )


def _add_subscriber(connection: Any, index: int) -> None:
    subscriber = customers.Subscriber(
        id=f"subscriber{index}",
        account_id=f"account{index % ACCOUNTS}",
        name=f"Subscriber {index}",
        home_country="GB",
    )
    customers.add_subscriber(connection, subscriber, CLERK)
    number = E164.parse(number_of(index))
    customers.add_number(connection, subscriber_id=subscriber.id, number=number, author=CLERK, verified=True)

"""Customers and calls on a running Stage, as a test's author says them.

Each test gets its own account, subscriber and trigger number, so that tests need not clean up after others.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import update

from calls.callback import Callback, OriginKind, State
from calls.limits import Limits
from calls.policy import read_policy
from calls.wishes import Request
from demo.stage import ROOT, Stage
from rating.deckfile import read_deck
from rating.plan import ALegPolicy, Plan
from store import admissions, callbacks, cdrs, customers, decks, dids, ledger, plans, schema, trunks
from store.audit import Author
from store.cdrs import CallRecord
from store.database import Database
from store.policies import replace_country_policy
from store.upgrade import upgrade
from values.e164 import E164
from world.scripts import Awaits, HangsUp, Step

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
CLERK = Author(at=LONG_AGO, name="test")
RETAIL = """prefix,destination,rate_per_min
44,United Kingdom,0.10
61,Australia,0.24
33,France,0.60
1,United States,0.05
63,Philippines,0.30
49,Germany,0.20
966,Saudi Arabia,0.40
"""
COSTS = {
    "alpha": RETAIL.replace("0.10", "0.02").replace("0.24", "0.05").replace("0.60", "0.10"),
    "beta": RETAIL.replace("0.10", "0.03").replace("0.24", "0.06").replace("0.60", "0.11"),
}
D1 = "+61255500123"
D2 = "+33199001234"
ENOUGH_SECONDS = 30.0

Result = TypeVar("Result")


class NotInTime(AssertionError):
    """What was waited for did not come about; the message shows how things stood."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traveller:
    """A subscriber of a test, with a verified number and the trigger to ring."""

    account_id: str
    subscriber_id: str
    number: str
    did: str


def leaves(traveller: Traveller) -> tuple[Step, ...]:
    """The end of a script: stay on the line until Town.leaves_after() finds that nothing more is to come."""
    return Awaits(traveller.number), HangsUp()


def opened(stage: Stage) -> Town:
    """The town of a stage whose database is made before the switch starts."""
    upgrade(stage.settings.database.url)
    town = Town(stage)
    town.open_for_business()
    return town


class Town:
    """What a test may ask of the system, beside ringing it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.world = stage.world
        self.database: Database = stage.database()
        self._counter = itertools.count(1)
        self._plans: dict[tuple[tuple[str, Any], ...], str] = {}

    def close(self) -> None:
        self.database.close()

    # customers

    def open_for_business(self) -> None:
        """Decks and trunks that all tests share."""
        self.database.call("decks", self._make_decks)
        shipped = (ROOT / "etc" / "country_policy.csv").read_text().splitlines()
        self.database.call("policy", replace_country_policy, read_policy(shipped).rows, CLERK)

    def traveller(
        self,
        *,
        credit: str = "50.00",
        country_code: str = "44",
        home_country: str = "GB",
        kind: str = dids.SHARED,
        destination: str | None = None,
        verified: bool = True,
        currency: str = "USD",
        **terms: Any,
    ) -> Traveller:
        """A new account with one subscriber, one number and one trigger number; `terms` are the plan's."""
        index = next(self._counter)
        local = {
            "44": f"20794{60000 + index}",
            "63": f"28123{4000 + index:04}",
            "966": f"11234{5000 + index:04}",
        }
        number = f"+{country_code}{local.get(country_code, f'3020{60000 + index}')}"
        made = Traveller(
            account_id=f"acct{index}",
            subscriber_id=f"sub{index}",
            number=number,
            did=f"+1202555{1000 + index}",
        )
        plan = self.plan(currency, **terms)
        account = customers.Account(
            id=made.account_id,
            name=f"Account {index}",
            currency=currency,
            zone="Europe/London",
            plan_name=plan,
            credit_limit_units=int(Decimal(credit) * 10_000),
        )
        subscriber = customers.Subscriber(
            id=made.subscriber_id, account_id=made.account_id, name="Sam", home_country=home_country
        )
        did = dids.Did(
            number=E164.parse(made.did),
            kind=kind,
            subscriber_id=None if kind == dids.SHARED else made.subscriber_id,
            destination=None if destination is None else E164.parse(destination),
            country="US",
        )

        def make(connection: Any) -> None:
            customers.add_account(connection, account, CLERK)
            customers.add_subscriber(connection, subscriber, CLERK)
            customers.add_number(
                connection,
                subscriber_id=made.subscriber_id,
                number=E164.parse(made.number),
                author=CLERK,
                verified=verified,
            )
            dids.add_did(connection, did, CLERK)

        self.database.call("traveller", make)
        return made

    def plan(self, currency: str = "USD", **terms: Any) -> str:
        """The name of a plan with those terms."""
        terms = {"deck_id": "retail", **terms}
        key = (("currency", currency), *sorted(terms.items()))
        if key not in self._plans:
            name = f"plan{len(self._plans) + 1}"
            wish = Plan(id="", name=name, version=1, currency=currency, **terms)
            self.database.call(
                "plan",
                lambda connection: plans.add_plan(connection, wish, effective_at=LONG_AGO, author=CLERK),
            )
            self._plans[key] = name
        return self._plans[key]

    # wishes

    def request(self, traveller: Traveller, **wishes: Any) -> str:
        """Ask for a callback as the web does; its id."""
        now = datetime.now(UTC)
        wish = Request(
            kind=OriginKind.WEB,
            number=E164.parse(traveller.number),
            account_id=traveller.account_id,
            received_at=now,
            **wishes,
        )
        callback_id = f"cbtest{time.time_ns()}"
        made = self.database.call(
            "request", admissions.admit_request, wish, callback_id=callback_id, limits=Limits()
        )
        assert isinstance(made, Callback), made
        return made.id

    def expire(self, callback_id: str) -> None:
        """Let so much time pass that nobody expects this callback any more."""
        long_ago = datetime.now(UTC) - timedelta(hours=1)

        def age(connection: Any) -> None:
            changed = update(schema.callbacks).where(schema.callbacks.c.id == callback_id)
            connection.execute(changed.values(dial_at=long_ago, expires_at=long_ago, deadline_at=long_ago))

        self.database.call("age", age)

    def ring(self, traveller: Traveller, *, seconds: float = 1, through: str = "alpha") -> Any:
        """Ring the trigger once and hang up; what was heard."""
        return self.world.rings(did=traveller.did, caller=traveller.number, seconds=seconds, through=through)

    def leaves_after(
        self, traveller: Traveller, destinations: int = 1, *, seconds: float = ENOUGH_SECONDS
    ) -> None:
        """Let the traveller hang up once so many destinations have ended; his script ends with `leaves`."""

        def ended() -> bool:
            found = self.callbacks_of(traveller)[-1:]
            over = [leg for callback in found for leg in callback.legs_b if leg.hung_up_at is not None]
            return len(over) >= destinations or any(callback.state.is_end for callback in found)

        self.wait_until(ended, seconds, f"the end of {destinations} destinations")
        self.world.gives(traveller.number)

    # what came of it

    def callbacks_of(self, traveller: Traveller) -> tuple[Callback, ...]:
        """The traveller's callbacks, the oldest first."""
        found = self.database.read(
            "list", callbacks.list_callbacks, account_id=traveller.account_id, limit=1000
        )
        return tuple(reversed(found))

    def callback_of(self, traveller: Traveller) -> Callback:
        """The traveller's only callback."""
        (found,) = self.callbacks_of(traveller)
        return found

    def wait_until(
        self, fact: Callable[[], Result], seconds: float = ENOUGH_SECONDS, what: str = "it"
    ) -> Result:
        """The first true value of `fact`."""
        deadline = time.monotonic() + seconds
        while not (value := fact()):
            if time.monotonic() > deadline:
                raise NotInTime(f"{what} did not come about in {seconds} s\n{self.stage.log_tail()}")
            time.sleep(0.05)
        return value

    def wait_for_state(
        self, traveller: Traveller, *states: State, seconds: float = ENOUGH_SECONDS
    ) -> Callback:
        """The traveller's only callback, once it is in one of these states."""

        def there() -> Callback | None:
            return next((each for each in self.callbacks_of(traveller) if each.state in states), None)

        found = self.wait_until(there, seconds, f"{'/'.join(states)} of {self.callbacks_of(traveller)}")
        assert found is not None
        return found

    def wait_for_end(self, traveller: Traveller, *, seconds: float = ENOUGH_SECONDS) -> Callback:
        """The traveller's only callback, once it has ended."""
        ends = [state for state in State if state.is_end]
        return self.wait_for_state(traveller, *ends, seconds=seconds)

    def records_of(self, traveller: Traveller) -> Sequence[CallRecord]:
        """The rated legs of the traveller's account, in order."""
        return self.database.read("cdrs", cdrs.list_cdrs, account_id=traveller.account_id)

    def balance_of(self, traveller: Traveller) -> Decimal:
        """What the account has posted; negative after calls."""
        units = self.database.read("balance", ledger.standing, traveller.account_id).posted_units
        return Decimal(units).scaleb(-4)

    def leftovers(self) -> list[str]:
        """What must not be there when all is quiet: open holds, unfinished callbacks, live channels."""
        found = [f"open hold {hold.id}" for hold in self.database.read("holds", ledger.open_holds)]
        unfinished = self.database.read("unfinished", callbacks.unfinished)
        found += [f"unfinished {each.id} in {each.state}" for each in unfinished]
        return found + [f"channel {line}" for line in self.stage.channels()]

    def wait_until_quiet(self, seconds: float = 20) -> None:
        """Wait until nothing is left over; NotInTime says what is."""
        deadline = time.monotonic() + seconds
        while left := self.leftovers():
            if time.monotonic() > deadline:
                raise NotInTime(f"left over: {left}\n{self.stage.log_tail()}")
            time.sleep(0.1)

    def _make_decks(self, connection: Any) -> None:
        decks.add_deck(connection, name="retail", kind=decks.SELL, currency="USD", author=CLERK)
        self._version(connection, "retail", RETAIL)
        for carrier, text in COSTS.items():
            name = f"{carrier}-cost"
            decks.add_deck(connection, name=name, kind=decks.COST, currency="USD", author=CLERK)
            self._version(connection, name, text)
            trunks.add_trunk(connection, trunks.Trunk(name=carrier, carrier=carrier, cost_deck=name), CLERK)

    def _version(self, connection: Any, name: str, text: str) -> None:
        rows = read_deck(text.splitlines(), currency="USD", effective_at=LONG_AGO).accepted()
        decks.add_version(connection, deck_name=name, new_rates=rows, effective_at=LONG_AGO, author=CLERK)


__all__ = [
    "D1",
    "D2",
    "ALegPolicy",
    "NotInTime",
    "Town",
    "Traveller",
    "leaves",
    "opened",
    "replace",
    "timedelta",
]

"""Whatever is re-rated, in whatever order: the books agree, and the last wish alone decides what is owed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import Connection
from storeworld import CLERK, LONG_AGO, NOW, advance, callback, fill, plan_of, rate, story
from throwaway_postgresql import Server, server_binaries

from billing.ledger import LedgerAccount, LedgerAccountKind
from calls import events
from rating.plan import ALegPolicy
from store import callbacks, ledger, rerated
from store.cdrs import list_cdrs
from store.database import Database
from store.decks import add_version
from store.plans import add_plan
from store.rerating import Repricing
from store.reratingrows import Mark, Wish
from store.upgrade import upgrade
from store.verify import verify
from values.money import decimal_units

MONTH = Wish(since=NOW - timedelta(days=1), until=NOW + timedelta(days=1))
OURS = LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner="acme")
LOSS = LedgerAccount(kind=LedgerAccountKind.LOSS)
PRICES = st.integers(0, 3 * 10**4).map(lambda units: str(Decimal(units).scaleb(-4)))


class Books(RuleBasedStateMachine):
    """Callbacks end, decks and plans are brought, callbacks are re-rated, some runs are killed half-way."""

    database: Database
    numbers = count()

    @initialize(credit=st.sampled_from([3_0000, 5000_0000]))
    def open(self, credit: int) -> None:
        self.decks = self.plans = 1
        self.calls = 0
        self.database.call("fill", fill, credit)

    @rule(talk=st.sampled_from([1, 29, 30, 31, 61, 400]) | st.integers(0, 3_000))
    def a_callback_ends(self, talk: int) -> None:
        first = callback(f"cb{self.calls:04d}")
        self.calls += 1

        def live(connection: Connection) -> None:
            held = ledger.available(connection, "acme")
            now = first
            callbacks.insert_callback(connection, first, announce=False)
            for told in story(first, talk):
                event = told
                if isinstance(event, events.DialAuthorised | events.DestinationAuthorised):
                    event = replace(event, hold_units=min(event.hold_units, held))
                now = advance(connection, now, event)

        self.database.call("live", live)

    @rule(price_a=PRICES, price_b=PRICES)
    def a_deck_is_brought(self, price_a: str, price_b: str) -> None:
        self.decks += 1
        rows = [rate("44", price_a), rate("1", price_b)]
        self.database.call(
            "deck", add_version, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK
        )

    @rule(seed=st.integers(0, 10**6))
    def a_plan_is_changed(self, seed: int) -> None:
        chance = Random(seed)
        self.plans += 1
        plan = plan_of(
            first_increment_s=chance.choice((1, 30, 60)),
            next_increment_s=chance.choice((1, 6, 60)),
            free_below_seconds=chance.choice((0, 30)),
            a_leg_policy=chance.choice(list(ALegPolicy)),
            connect_fee=Decimal(chance.randint(0, 100)).scaleb(-2),
            amount_places=chance.choice((2, 4)),
        )
        self.database.call("plan", add_plan, plan, effective_at=LONG_AGO, author=CLERK)

    @rule(which=st.integers(0, 99), pinned=st.booleans(), at_once=st.integers(1, 3), killed=st.booleans())
    def callbacks_are_rerated(self, which: int, pinned: bool, at_once: int, killed: bool) -> None:
        deck = f"retail:{which % self.decks + 1}" if pinned else "retail"
        wish = replace(MONTH, plan=f"standard:{which % self.plans + 1}", deck=deck)
        reference = f"r{next(self.numbers)}"
        if killed:
            self._run(wish, reference, at_once, chunks_max=1)
        self._run(wish, reference, at_once)
        before = self._owed()
        assert self._run(wish, f"{reference}-again", at_once) == 0
        assert self._owed() == before

    @invariant()
    def the_books_agree(self) -> None:
        assert self.database.read("verify", verify) == ()
        charged = sum(
            decimal_units(record.charge.amount)
            for record in self.database.read("cdrs", list_cdrs)
            if record.charge is not None
        )
        loss = self.database.read("loss", ledger.balance_units, LOSS, "EUR")
        assert self._owed() == charged + loss

    def _owed(self) -> int:
        return -self.database.read("balance", ledger.balance_units, OURS, "EUR")

    def _run(self, wish: Wish, reference: str, at_once: int, *, chunks_max: int = 10**6) -> int:
        repricing = self.database.read("begin", Repricing, wish)
        self.database.call("begin", rerated.begin, wish, reference=reference, author=CLERK)
        after: Mark | None = None
        changed = 0
        for _ in range(chunks_max):
            chunk = self.database.call(
                "rerate",
                rerated.rerate_chunk,
                repricing,
                after,
                at_once,
                reference=reference,
                author=CLERK,
            )
            changed += len(chunk.repriced)
            after = chunk.rows.last
            if after is None:
                break
        return changed


def lived(new_url: Callable[[], str], lives: int) -> None:
    """Live so many lives, each with a database of its own."""

    class Living(Books):
        def __init__(self) -> None:
            super().__init__()
            self.database = Database(new_url())

        def teardown(self) -> None:
            self.database.close()

    run_state_machine_as_test(
        Living,
        settings=settings(
            max_examples=lives,
            stateful_step_count=6,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        ),
    )


@pytest.mark.timeout(600)
def test_F148_R30_any_order_of_reratings_leaves_sound_books(tmp_path: Path) -> None:
    upgrade(f"sqlite:///{tmp_path / 'empty.db'}")
    empty = (tmp_path / "empty.db").read_bytes()
    numbers = count()

    def new_url() -> str:
        file = tmp_path / f"{next(numbers)}.db"
        file.write_bytes(empty)
        return f"sqlite:///{file}"

    lived(new_url, 6)


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_F148_R30_any_order_of_reratings_leaves_sound_books_on_postgresql() -> None:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as server:
        upgrade(server.new_database(name="rerating_empty"))
        lived(lambda: server.new_database(template="rerating_empty"), 4)

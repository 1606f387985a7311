"""I1–I10: whatever is done with money, in whatever order and however often it is broken off, the books agree.

A machine calls, pays, refunds, disputes, credits, redeems, caps, re-rates, changes decks, closes months and
breaks transactions off; an oracle that shares nothing with the product (tests/support/oracle.py) reckons
beside it.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from oracle import TAX, Books, price
from sqlalchemy import Connection, select
from storeworld import CLERK, NOW, advance, callback, fill, rate, story
from throwaway_postgresql import Server, server_binaries

from billing.ledger import EntryKind
from billing.particulars import Party
from billing.tax import TaxRow
from billing.voucher import VoucherRefusal
from calls import events
from calls.events import Event
from store import (
    accounts,
    billruns,
    callbacks,
    caps,
    creditnotes,
    disputes,
    ledger,
    payments,
    rerated,
    vouchers,
)
from store.audit import Author
from store.database import Database
from store.decks import add_version
from store.errors import Conflict, Forbidden, NotFound
from store.invoicetables import invoices
from store.rerating import Repricing
from store.reratingrows import Mark, Wish
from store.schema import entries, ledger_accounts
from store.taxes import set_tax
from store.upgrade import upgrade
from store.verify import verify
from values.money import from_units

LIMIT = 5_0000
HELD_MAX = 5_0000
"""What storeworld's story holds for both legs, if there is so much."""
BATCH = vouchers.Batch(
    id="summer", currency="EUR", units=3_0000, count=4, expires_at=datetime(2030, 1, 1, tzinfo=UTC)
)
TERMS = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{year}-{n:04}", due_days=14)
VAT = TaxRow(
    place="GB",
    group="standard",
    valid_from=NOW.date(),
    percent=Decimal(100 * TAX.numerator) / TAX.denominator,
)
PRICES = {"44": Fraction(1, 10), "1": Fraction(1, 4)}
COSTS = {"44": Fraction(1, 25), "1": Fraction(9, 100)}
UNITS = st.integers(1, 8_0000)
REFERENCES = st.sampled_from([f"r{number}" for number in range(12)])
FATES = st.sampled_from(["done", "done", "done", "killed", "lost"])
"""What becomes of a command: it is done; it is broken off before its commit; its answer is lost and it is
given again."""

PAPERS = select(invoices.c.count, invoices.c.total_units).order_by(invoices.c.count)
ISSUED, NOTES = (PAPERS.where(invoices.c.kind == kind) for kind in ("invoice", "credit_note"))
COLUMNS = select(ledger_accounts.c.id, ledger_accounts.c.balance_units)


class Killed(Exception):
    """The process ends here."""


class BooksMachine(RuleBasedStateMachine):
    """One account and its clerk."""

    new_url: ClassVar[Callable[[], str]]

    def __init__(self) -> None:
        super().__init__()
        self.database = Database(type(self).new_url())
        self.books = Books(limit=LIMIT)
        self.month = 3
        self.now = NOW
        self.calls = 0
        self.decks = [PRICES]
        self.talked: dict[str, int] = {}
        self.rerates = 0
        self.disputed: dict[str, tuple[str, str]] = {}
        self.frozen: list[Any] = []

    def teardown(self) -> None:
        self.database.close()

    # what may happen

    # Beyond the limit, where rounding, a re-rating or a correction can take it, nobody is rung.
    @precondition(lambda self: self.books.balance + LIMIT >= 0)
    @rule(talk=st.integers(1, 2_000), deck=st.integers(0, 9), fate=FATES)
    def call(self, talk: int, deck: int, fate: str) -> None:
        self.calls += 1
        self._tick()
        name, version = f"cb{self.calls}", deck % len(self.decks)
        may_hold = self.books.may_hold(self._day(self.now))
        day = self._day(self.now + (ended_after(talk) - NOW))

        def live(connection: Connection) -> None:
            now = callback(name, created_at=self.now, expires_at=self.now + timedelta(minutes=5))
            callbacks.insert_callback(connection, now, announce=False)
            for event in self._story(now, talk, version + 1, may_hold):
                now = advance(connection, now, event)

        self._do(live, fate)
        if fate != "killed":
            prices = self.decks[version]
            self.talked[name] = talk
            legs = legs_of(name, talk, prices)
            cost = price_cost(talk + 36, COSTS["44"])
            cost += price_cost(talk, COSTS["1"])
            before = {period: self.books.spent(period, day) for period in self.books.caps}
            self.books.charge(name, legs, cost, day=day, held=min(may_hold, HELD_MAX))
            for period, cap in self.books.caps.items():  # I9; lowered since, it may be passed already
                assert self.books.spent(period, day) <= max(cap, before[period])

    @rule(units=UNITS, reference=REFERENCES, top_up=st.booleans(), fate=FATES)
    def pay(self, units: int, reference: str, top_up: bool, fate: str) -> None:
        kind = EntryKind.TOP_UP if top_up else EntryKind.PAYMENT

        def act(connection: Connection) -> None:
            payments.receive(
                connection, "acme", from_units(units, "EUR"), reference, self._author(), kind=kind
            )

        def done() -> None:
            self.books.balance += units
            self.books.paid_in += units

        self._act(act, reference, (kind, units), fate, allowed=lambda: True, done=done)

    @rule(units=UNITS, reference=REFERENCES, fate=FATES)
    def refund(self, units: int, reference: str, fate: str) -> None:
        def act(connection: Connection) -> None:
            payments.refund(connection, "acme", from_units(units, "EUR"), reference, self._author())

        def done() -> None:
            self.books.balance -= units
            self.books.paid_in -= units

        allowed = lambda: units <= self.books.refundable()  # noqa: E731
        self._act(act, reference, ("refund", units), fate, allowed=allowed, done=done)

    @rule(of=REFERENCES, reference=REFERENCES, fate=FATES)
    def reverse(self, of: str, reference: str, fate: str) -> None:
        paid = self.books.done.get(of, ("nothing", 0))
        is_payment = paid[0] in {EntryKind.PAYMENT, EntryKind.TOP_UP} and of not in self.books.reversed_
        units = int(str(paid[1])) if is_payment else 0

        def act(connection: Connection) -> None:
            payments.reverse_payment(connection, "acme", of, reference, self._author())

        def done() -> None:
            self.books.reversed_.add(of)
            self.books.balance -= units
            self.books.paid_in -= units

        self._act(act, reference, ("reverse", of), fate, allowed=lambda: is_payment, done=done)

    @rule(units=st.integers(-2_0000, 2_0000).filter(bool), reference=REFERENCES, fate=FATES)
    def adjust(self, units: int, reference: str, fate: str) -> None:
        def act(connection: Connection) -> None:
            payments.adjust(connection, "acme", from_units(units, "EUR"), reference, self._author())

        def done() -> None:
            self.books.balance += units

        self._act(act, reference, ("adjust", units), fate, allowed=lambda: True, done=done)

    @rule(units=UNITS, reference=REFERENCES, fate=FATES)
    def write_off(self, units: int, reference: str, fate: str) -> None:
        def act(connection: Connection) -> None:
            payments.write_off(connection, "acme", from_units(units, "EUR"), reference, self._author())

        def done() -> None:
            self.books.balance += units

        allowed = lambda: units <= -self.books.balance  # noqa: E731
        self._act(act, reference, ("write off", units), fate, allowed=allowed, done=done)

    @rule(number=st.integers(0, BATCH.count), fate=FATES)
    def redeem(self, number: int, fate: str) -> None:
        self._tick(hours=30)  # so that wrong ones do not lock the account

        def act(connection: Connection) -> Any:
            return vouchers.redeem(connection, "acme", f"hash {number}", self._author())

        found = self._do(act, fate)
        if fate == "killed":
            return
        if number == BATCH.count:
            assert found is VoucherRefusal.UNKNOWN
        elif number not in self.books.redeemed:
            self.books.redeemed.add(number)
            self.books.balance += BATCH.units

    @precondition(lambda self: self.books.sessions)
    @rule(
        which=st.integers(0, 99),
        leg=st.sampled_from(["", "a1", "b1"]),
        units=UNITS,
        all_=st.booleans(),
        reference=REFERENCES,
        fate=FATES,
    )
    def credit(self, *, which: int, leg: str, units: int, all_: bool, reference: str, fate: str) -> None:
        name, session = self._session(which)
        line = f"{name}-{leg}" if leg else name
        left = session.left(line if leg else "")
        given = left if all_ else units

        def act(connection: Connection) -> None:
            wanted = None if all_ else from_units(units, "EUR")
            creditnotes.issue(connection, line, wanted, reference, self._author())

        said = ("credit", line, "all" if all_ else units)
        self._act(
            act,
            reference,
            said,
            fate,
            allowed=lambda: 0 < given <= left and self.books.rounds_to(name, given) > 0,
            done=lambda: self._give(name, line, given),
        )

    @precondition(lambda self: self.books.sessions)
    @rule(which=st.integers(0, 99), leg=st.sampled_from(["a1", "b1"]))
    def dispute(self, which: int, leg: str) -> None:
        name, _ = self._session(which)
        line = f"{name}-{leg}"
        if line in {known for known, state in self.disputed.values() if state == "open"}:
            return
        dispute_id = f"d{len(self.disputed)}"
        self._do(
            lambda connection: disputes.open_dispute(connection, dispute_id, line, self._author()), "done"
        )
        self.disputed[dispute_id] = (line, "open")

    @precondition(lambda self: self.disputed)
    @rule(which=st.integers(0, 99), is_right=st.booleans(), fate=FATES)
    def decide(self, which: int, is_right: bool, fate: str) -> None:
        dispute_id = sorted(self.disputed)[which % len(self.disputed)]
        line, state = self.disputed[dispute_id]
        name = line.rpartition("-")[0]
        left = self.books.sessions[name].left(line)
        if state != "open" or (is_right and self.books.rounds_to(name, left) <= 0):
            return

        def act(connection: Connection) -> None:
            if is_right:
                disputes.accept(connection, dispute_id, None, f"of {dispute_id}", self._author())
            else:
                disputes.reject(connection, dispute_id, self._author())

        self._do(act, fate)
        if fate != "killed":
            self.disputed[dispute_id] = (line, "accepted" if is_right else "rejected")
            if is_right:
                self._give(name, line, left)

    @rule(period=st.sampled_from(list(caps.CapPeriod)), units=st.none() | st.integers(0, LIMIT), fate=FATES)
    def cap(self, period: caps.CapPeriod, units: int | None, fate: str) -> None:
        """A cap is set, lowered below what is spent, raised, or taken away."""
        self._tick()
        wish = caps.SpendCap(account_id="acme", subscriber_id="", period=period, cap_units=units or 0)
        if units is None and period not in self.books.caps:
            with pytest.raises(NotFound):
                self._do(lambda connection: caps.remove_cap(connection, wish, self._author()), "done")
            return
        act = caps.set_cap if units is not None else caps.remove_cap
        self._do(lambda connection: act(connection, wish, self._author()), "done" if units is None else fate)
        if units is None:
            del self.books.caps[period]
        elif fate != "killed":
            self.books.caps[period] = units

    @rule(cents=st.integers(1, 90))
    def change_deck(self, cents: int) -> None:
        """Later calls may be priced by either deck: each leg's row was pinned when it was authorised."""
        prices = {"44": Fraction(cents, 100), "1": Fraction(cents, 50)}
        rows = [rate("44", f"{cents / 100:.2f}"), rate("1", f"{cents / 50:.2f}")]
        self._do(
            lambda connection: add_version(
                connection, deck_name="retail", new_rates=rows, effective_at=self.now, author=self._author()
            ),
            "done",
        )
        self.decks.append(prices)

    @rule(deck=st.integers(0, 9), at_once=st.integers(1, 3), fate=FATES)
    def rerate(self, deck: int, at_once: int, fate: str) -> None:
        """Whatever may still be priced anew is, by one version of the deck; a run may end half-way."""
        version = deck % len(self.decks)
        self._tick()
        self.rerates += 1
        since, until = NOW - timedelta(days=1), self.now + timedelta(days=1)
        wish = Wish(since=since, until=until, deck=f"retail:{version + 1}")
        author, name = self._author(), f"rerate {self.rerates}"

        def begin(connection: Connection) -> None:
            rerated.begin(connection, wish, reference=name, author=author)

        self._do(begin, "lost" if fate == "lost" else "done")
        self._rerate(wish, name, at_once, chunks_max=1 if fate == "killed" else 10**6)
        self._rerate(wish, name, at_once)
        for session, talk in self.talked.items():
            self.books.rerate(session, legs_of(session, talk, self.decks[version]))

    def _rerate(self, wish: Wish, name: str, at_once: int, *, chunks_max: int = 10**6) -> None:
        repricing = self.database.read("read decks", Repricing, wish)
        said = {"reference": name, "author": self._author()}
        after: Mark | None = None
        for _ in range(chunks_max):
            chunk = self.database.call(
                "rerate",
                rerated.rerate_chunk,
                repricing,
                after,
                at_once,
                **said,  # type: ignore[arg-type]
            )
            after = chunk.rows.last
            if after is None:
                break

    @precondition(lambda self: self.month < 12)
    @rule(fate=FATES)
    def close_month(self, fate: str) -> None:
        self.now = max(self.now, datetime(2026, self.month + 1, 2, 9, tzinfo=UTC))
        month_of = (2026, self.month)

        def close(connection: Connection) -> billruns.Closing:
            return billruns.close(connection, ["acme"], month_of=month_of, terms=TERMS, author=self._author())

        self._do(close, fate)
        if fate == "killed":
            self._do(close, "done")  # as the next run does
        self.books.close(self.month)
        self.month += 1

    # what must hold

    @invariant()
    def the_books_agree_with_themselves_and_with_the_oracle(self) -> None:
        assert self.database.read("verify", verify) == ()
        stand = self.database.read("standing", ledger.standing, "acme")
        assert stand.posted_units == self.books.balance
        assert stand.pending_units == 0  # I6: nobody calls, so nothing is held

    @invariant()
    def everything_sums_to_zero_and_the_carriers_have_what_they_earned(self) -> None:
        columns = dict(self.database.read("columns", rows_of, COLUMNS))
        assert sum(columns.values()) == 0
        assert columns.get("carrier_payable:carrier-x", 0) == self.books.carriers  # I10

    @invariant()
    def what_is_spent_of_each_cap_is_what_was_taken_and_nothing_is_held_at_rest(self) -> None:
        day = self._day(self.now)
        for each in self.database.read("caps", caps.cap_standings, "acme", self.now):  # I9
            assert (each.cap.cap_units, each.held_units) == (self.books.caps[each.cap.period], 0)
            assert each.spent_units == self.books.spent(each.cap.period, day)
            assert each.room_units == max(each.cap.cap_units - each.spent_units, 0)

    @invariant()
    def numbers_have_no_gap_and_what_was_written_stays(self) -> None:
        notes = self.database.read("notes", creditnotes.list_credit_notes)
        assert [each.sequence for each in notes] == list(range(1, self.books.notes + 1))
        papers = self.database.read("papers", rows_of, NOTES)
        assert [count for count, _ in papers] == list(range(1, self.books.notes + 1))
        issued = self.database.read("invoices", rows_of, ISSUED)
        assert [count for count, _ in issued] == list(range(1, len(self.books.invoices) + 1))
        assert [units for _, units in issued] == list(self.books.invoices.values())  # I7
        written = self.database.read("entries", rows_of, select(entries))
        assert set(self.frozen) <= set(written)
        self.frozen = written

    # how

    def _act(
        self,
        act: Callable[[Connection], Any],
        reference: str,
        said: tuple[object, ...],
        fate: str,
        *,
        allowed: Callable[[], bool],
        done: Callable[[], None],
    ) -> None:
        self._tick()
        known = self.books.done.get(reference)
        if known is not None and known != said:
            with pytest.raises(Conflict):
                self._do(act, "done")
            return
        if known is None and not allowed():
            with pytest.raises((Forbidden, Conflict, NotFound)):
                self._do(act, "done")
            return
        self._do(act, fate)
        if fate != "killed" and known is None:
            self.books.done[reference] = said
            done()

    def _do(self, act: Callable[[Connection], Any], fate: str) -> Any:
        def and_die(connection: Connection) -> None:
            act(connection)
            raise Killed

        if fate == "killed":
            with suppress(Killed):
                self.database.call("act", and_die)
            return None
        found = self.database.call("act", act)
        if fate == "lost" and not self._is_call(act):
            found = self.database.call("act", act)
        return found

    @staticmethod
    def _is_call(act: Callable[[Connection], Any]) -> bool:
        """A call is written down by its events, each of which is told once."""
        return act.__name__ == "live"

    def _give(self, name: str, line: str, units: int) -> None:
        self.books.give(name, line if line != name else "", units)

    def _session(self, which: int) -> Any:
        names = sorted(self.books.sessions)
        return names[which % len(names)], self.books.sessions[names[which % len(names)]]

    def _story(self, first: Any, talk: int, version: int, may_hold: int) -> Iterator[Event]:
        by = self.now - NOW
        for event in story(first, talk):
            moved = replace(event, at=event.at + by)
            if isinstance(moved, events.DialAuthorised):
                leg = replace(moved.leg, price_rate_id=f"retail:{version}:1")
                moved = replace(moved, leg=leg, hold_units=min(moved.hold_units, may_hold))
            elif isinstance(moved, events.DestinationAuthorised):
                legs = tuple(replace(leg, price_rate_id=f"retail:{version}:2") for leg in moved.legs)
                moved = replace(moved, legs=legs, hold_units=min(moved.hold_units, may_hold))
            yield moved

    @staticmethod
    def _day(at: datetime) -> date:
        """The account's day."""
        return at.astimezone(ZoneInfo("Europe/London")).date()

    def _tick(self, hours: int = 1) -> None:
        self.now += timedelta(hours=hours)

    def _author(self) -> Author:
        return replace(CLERK, at=self.now, reason="as agreed")


def rows_of(connection: Connection, wanted: Any) -> list[Any]:
    """The rows of a statement."""
    return [tuple(row) for row in connection.execute(wanted)]


def ended_after(talk: int) -> datetime:
    """When a call of storeworld's story ends that begins at NOW."""
    *_, last = story(callback(), talk)
    return last.at


def legs_of(name: str, talk: int, prices: dict[str, Fraction]) -> dict[str, int]:
    """What both legs of a call cost: A keys 32 s before B answers and leaves 5 s after B."""
    return {f"{name}-a1": price(talk + 32, prices["44"]), f"{name}-b1": price(talk, prices["1"])}


def price_cost(talked: int, per_minute: Fraction) -> int:
    """A carrier bills by the second."""
    exact = per_minute * max(talked, 0) / 60 * 10_000
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def filled(connection: Connection) -> None:
    fill(connection, LIMIT)
    set_tax(connection, VAT, CLERK)
    owner = accounts.account(connection, "acme")
    accounts.change_account(connection, replace(owner, tax_place="GB"), CLERK)
    vouchers.add_batch(connection, BATCH, [f"hash {number}" for number in range(BATCH.count)], CLERK)


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    folder = Path(mkdtemp(prefix="dialback-books-"))
    yield folder
    shutil.rmtree(folder)


COMMON = settings(deadline=None, suppress_health_check=list(HealthCheck), print_blob=True)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("examples", "steps"), [(6, 20), pytest.param(100, 40, marks=pytest.mark.slow)], ids=["few", "many"]
)
def test_I1_to_I10_hold_whatever_is_done_with_money(folder: Path, examples: int, steps: int) -> None:
    template = folder / f"template-{examples}.db"
    upgrade(f"sqlite:///{template}")
    database = Database(f"sqlite:///{template}")
    database.call("fill", filled)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    numbers = iter(range(10**6))

    def new_url() -> str:
        copy = folder / f"{examples}-{next(numbers)}.db"
        shutil.copyfile(template, copy)
        return f"sqlite:///{copy}"

    machine = type("OnSqlite", (BooksMachine,), {"new_url": staticmethod(new_url)})
    run_state_machine_as_test(
        machine, settings=settings(COMMON, max_examples=examples, stateful_step_count=steps)
    )


@pytest.mark.postgres
@pytest.mark.timeout(900)
def test_I1_to_I10_hold_on_postgresql_as_well() -> None:
    if server_binaries() is None:
        pytest.skip("no PostgreSQL server binaries (initdb, postgres) on this machine")
    with Server() as server:
        template = server.new_database(name="books")
        upgrade(template)
        database = Database(template)
        database.call("fill", filled)
        database.close()
        machine = type(
            "OnPostgresql",
            (BooksMachine,),
            {"new_url": staticmethod(lambda: server.new_database(template="books"))},
        )
        run_state_machine_as_test(machine, settings=settings(COMMON, max_examples=4, stateful_step_count=15))

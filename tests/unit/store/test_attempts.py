"""What carriers ask for attempts that nobody answered: our cost, in the books, never an account's price."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection, func, select
from storeworld import CLERK, FRIEND, LONG_AGO, NOW, callback, leg, play, rate, seconds

from billing.ledger import EntryKind, LedgerAccount, LedgerAccountKind
from billing.span import Span
from calls import events
from calls.callback import Callback, Leg, Reason, ReleasedBy
from calls.cdr import LegRole
from calls.events import Event
from store import carrierbills, ledger, receivables, reports
from store.cdrs import list_cdrs
from store.database import Database
from store.decks import add_deck, add_version
from store.explanations import attempt_explanation
from store.grouping import By, Wanted
from store.schema import attempt_costs
from store.settlement import settle
from store.trunks import Trunk, add_trunk
from store.verify import verify

MARCH = Span(starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=30), zone="UTC")
CONGESTION, NO_ANSWER = 34, 19


def add_fees(connection: Connection) -> None:
    """Carrier X asks 0.01 to ring us back and 0.002 for a destination; carrier Y 0.0333 for one."""
    rows = [rate("44", "0.04", attempt_fee=Decimal("0.01")), rate("1", "0.09", attempt_fee=Decimal("0.002"))]
    add_version(connection, deck_name="carrier-x", new_rates=rows, effective_at=LONG_AGO, author=CLERK)
    dear = [rate("1", "0.08", attempt_fee=Decimal("0.0333"))]
    add_deck(connection, name="carrier-y", kind="cost", currency="EUR", author=CLERK)
    add_version(connection, deck_name="carrier-y", new_rates=dear, effective_at=LONG_AGO, author=CLERK)
    add_trunk(connection, Trunk(name="west", carrier="carrier-y", cost_deck="carrier-y"), CLERK)


@pytest.fixture
def charging(company: Database) -> Iterator[Database]:
    """A company whose carriers ask for attempts; its books agree before and after."""
    company.call("fees", add_fees)
    yield company
    assert company.read("verify", verify) == ()


def leg_a(first: Callback, number: int = 1) -> Leg:
    return replace(leg(first, LegRole.A), id=f"{first.id}-a{number}", cost_rate_id="carrier-x:2:1")


def to_friend(first: Callback, number: int, *, trunk: str = "east", row: str = "carrier-x:2:2") -> Leg:
    return replace(leg(first, LegRole.B), id=f"{first.id}-b{number}", trunk=trunk, cost_rate_id=row)


def in_vain(each: Leg, since: float, until: float, *, cause: int, **known: bool) -> Iterable[Event]:
    yield events.DialAuthorised(at=seconds(since), leg=each, hold_units=500)
    yield gone(each, until, cause=cause, **known)


def gone(each: Leg, at: float, *, cause: int = 16, **known: bool) -> Event:
    return events.LegHungUp(
        at=seconds(at), leg_id=each.id, q850_cause=cause, released_by=ReleasedBy.FAR, **known
    )


def after_two_carriers(first: Callback) -> Iterable[Event]:
    """The first carrier of the destination fails, the second connects 31 s."""
    a, b1, b2 = leg_a(first), to_friend(first, 1, trunk="west", row="carrier-y:1:1"), to_friend(first, 2)
    yield events.DialAuthorised(at=seconds(3), leg=a, hold_units=500)
    yield events.LegAnswered(at=seconds(10), leg_id=a.id)
    yield events.DestinationKeyed(at=seconds(20), number=FRIEND)
    yield events.DestinationAuthorised(at=seconds(21), legs=(b1, b2), hold_units=50_000)
    yield gone(b1, 25, cause=CONGESTION)
    yield events.LegAnswered(at=seconds(41), leg_id=b2.id)
    yield gone(b2, 72)
    yield gone(a, 80)


def balance(company: Database, kind: LedgerAccountKind, owner: str = "") -> int:
    return company.read("balance", ledger.balance_units, LedgerAccount(kind=kind, owner=owner), "EUR")


def booked(company: Database) -> int:
    return company.read(
        "count", lambda c: int(c.execute(select(func.count()).select_from(attempt_costs)).scalar_one())
    )


def test_an_attempt_that_nobody_answers_is_our_cost_and_not_the_accounts(charging: Database) -> None:
    first = callback()
    charging.call("play", play, first, in_vain(leg_a(first), 3, 48, cause=NO_ANSWER))
    (entry,) = charging.read("entries", ledger.list_entries)
    assert (entry.kind, entry.reference, entry.at) == (EntryKind.ATTEMPTS, "cb1", seconds(48))
    assert balance(charging, LedgerAccountKind.CARRIER_PAYABLE, "carrier-x") == 100
    assert balance(charging, LedgerAccountKind.CARRIER_COST) == -100
    assert balance(charging, LedgerAccountKind.RECEIVABLE, "acme") == 0
    assert charging.read("unbilled", receivables.unbilled, account_id="acme") == ()
    (record,) = charging.read("cdrs", list_cdrs)
    assert (record.charge, record.cost, record.cost_rate_id) == (None, Decimal("0.0100"), "carrier-x:2:1")


def test_F045_a_carrier_that_failed_is_paid_for_the_attempt_beside_the_one_that_connected(
    charging: Database,
) -> None:
    first = callback()
    charging.call("play", play, first, after_two_carriers(first))
    attempts, charge = sorted(charging.read("entries", ledger.list_entries), key=lambda each: each.kind)
    assert [(str(each.ledger_account), each.units) for each in attempts.postings] == [
        ("carrier_payable:carrier-y", 333),
        ("carrier_cost", -333),
    ]
    # A: 70 s at 0.04 and 0.01 for the attempt; B: 31 s at 0.09 and 0.002.
    assert (
        sum(each.units for each in charge.postings if each.ledger_account.owner == "carrier-x") == 567 + 485
    )
    assert balance(charging, LedgerAccountKind.CARRIER_COST) == -(333 + 567 + 485)
    # A from the first key at 20 s to 80 s at 0.10; B 31 s at 0.25: no fee of any carrier.
    assert balance(charging, LedgerAccountKind.RECEIVABLE, "acme") == -(1000 + 1292)


def test_each_attempt_of_a_callback_is_booked_and_settling_twice_books_it_once(charging: Database) -> None:
    first = callback(attempts_max=2, retry_gaps_seconds=(60,))
    told = [
        *in_vain(leg_a(first, 1), 3, 48, cause=NO_ANSWER),
        *in_vain(leg_a(first, 2), 110, 155, cause=NO_ANSWER),
    ]
    ended = charging.call("play", play, first, told)
    assert charging.call("settle", settle, ended).entry_id is None
    assert booked(charging) == 2
    assert balance(charging, LedgerAccountKind.CARRIER_COST) == -200


def test_a_leg_that_surely_never_had_a_channel_costs_nothing(charging: Database) -> None:
    first = callback(quick_retry_used=True)
    told = in_vain(leg_a(first), 3, 4, cause=CONGESTION, never_dialled=True)
    charging.call("play", play, first, told)
    assert charging.read("entries", ledger.list_entries) == ()
    assert booked(charging) == 0


def test_a_leg_of_which_no_trace_is_left_may_have_reached_its_carrier_and_is_booked(
    charging: Database,
) -> None:
    first = callback()
    told = [
        events.DialAuthorised(at=seconds(3), leg=leg_a(first), hold_units=500),
        events.LegsVanished(at=seconds(90), reason=Reason.NEVER_SEEN),
    ]
    charging.call("play", play, first, told)
    assert balance(charging, LedgerAccountKind.CARRIER_COST) == -100


def test_carriers_that_ask_no_fee_get_no_entry(company: Database) -> None:
    first = callback()
    plain = leg(first, LegRole.A)
    company.call("play", play, first, in_vain(plain, 3, 48, cause=NO_ANSWER))
    assert company.read("entries", ledger.list_entries) == ()
    assert company.read("verify", verify) == ()


@pytest.mark.parametrize("by", [By.CARRIER, By.DAY, By.DESTINATION, By.ACCOUNT, By.TAG])
def test_F154_the_margin_counts_attempts_and_agrees_with_the_books(charging: Database, by: By) -> None:
    first, second = callback("cb1"), callback("cb2")
    charging.call("play", play, first, after_two_carriers(first))
    charging.call("play", play, second, in_vain(leg_a(second), 3, 48, cause=NO_ANSWER))
    lines = charging.read("takings", reports.takings, Wanted(by=by, span=MARCH))
    (whole,) = reports.total_takings(lines)
    assert whole.price_units == 1000 + 1292
    assert (whole.cost_a_units, whole.cost_b_units) == (567 + 100, 485 + 333)
    assert whole.cost_units == -balance(charging, LedgerAccountKind.CARRIER_COST)
    if by is By.CARRIER:
        assert {each.group: each.takings.cost_units for each in lines} == {
            "carrier-x": 567 + 100 + 485,
            "carrier-y": 333,
        }


def test_a_carriers_bill_is_laid_beside_its_attempts_too(charging: Database) -> None:
    first = callback()
    charging.call("play", play, first, after_two_carriers(first))
    (seen,) = charging.read("calls", carrierbills.our_calls, "carrier-y", MARCH, beyond=timedelta(0))
    assert (seen.key, seen.at, seen.seconds, seen.cost) == ("cb1-b1", seconds(21), 0, Decimal("0.0333"))


def test_an_attempt_explains_its_cost_and_comes_to_the_same_again(charging: Database) -> None:
    first = callback()
    charging.call("play", play, first, after_two_carriers(first))
    found = charging.read("explain", attempt_explanation, "cb1-b1")
    assert found is not None
    assert found.agrees
    assert found.cost_steps[1:] == ("attempt fee 0.0333", "no second is chargeable: EUR 0.0333")
    assert charging.read("explain", attempt_explanation, "cb1-b2") is None

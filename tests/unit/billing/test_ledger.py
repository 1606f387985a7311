"""Entries that sum to zero."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from priced import RATE_A, RATE_B, a_plan, leg_a, leg_b

from billing.ledger import (
    CarrierCost,
    Entry,
    EntryKind,
    LedgerAccount,
    LedgerAccountKind,
    Posting,
    UnbalancedEntry,
    adjustment_entry,
    balance_units,
    charge_entry,
    payment_entry,
    rounding_entry,
)
from rating.plan import ALegPolicy
from rating.price import SessionPrice, price_session
from values.money import money

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACME = LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner="acme")


def posted(entry: Entry) -> dict[str, int]:
    return {str(posting.ledger_account): posting.units for posting in entry.postings}


def price(**fields: Any) -> SessionPrice:
    """Return the price of W-35: 1.0517 and 2.5000."""
    given = {"plan": a_plan(a_leg_policy=ALegPolicy.FROM_ANSWER)} | fields
    return price_session(rate_a=RATE_A, cdr_a=leg_a(631), legs_b=[(leg_b(31, 631), RATE_B)], **given)


def charge(session: SessionPrice, *costs: CarrierCost) -> Entry:
    return charge_entry(id="e1", at=NOON, account_id="acme", callback_id="cb01", price=session, costs=costs)


def test_R02_R16_one_entry_holds_all_legs_price_and_cost() -> None:
    entry = charge(
        price(),
        CarrierCost(carrier="north", amount=Decimal("0.0841"), currency="USD"),
        CarrierCost(carrier="north", amount=Decimal("0.0900"), currency="USD"),
    )
    assert (entry.kind, entry.reference) == (EntryKind.CHARGE, "cb01")
    assert posted(entry) == {
        "receivable:acme": -35_517,
        "revenue": 35_517,
        "carrier_payable:north": 1_741,
        "carrier_cost": -1_741,
    }


def test_a_cost_in_another_currency_balances_in_its_own() -> None:
    entry = charge(price(), CarrierCost(carrier="east", amount=Decimal("0.0700"), currency="EUR"))
    assert [posting.currency for posting in entry.postings] == ["USD", "USD", "EUR", "EUR"]


def test_what_is_waived_is_our_loss_and_not_the_account_s() -> None:
    entry = charge(price(payable_max=Decimal("3.5500")))
    assert posted(entry) == {"receivable:acme": -35_500, "revenue": 35_517, "loss": -17}


def test_a_callback_that_costs_nothing_is_found_in_the_books_all_the_same() -> None:
    session = price_session(plan=a_plan(), rate_a=RATE_A, cdr_a=leg_a(30, accepted=None), legs_b=[])
    assert posted(charge(session)) == {"receivable:acme": 0, "revenue": 0}


def test_a_payment_favours_the_account() -> None:
    entry = payment_entry(
        id="e2", at=NOON, account_id="acme", reference="SEPA 8842", amount=money("12.40", "USD")
    )
    assert posted(entry) == {"receivable:acme": 124_000, "cash": -124_000}
    assert balance_units([charge(price()), entry], ACME, "USD") == 124_000 - 35_517
    assert balance_units([charge(price()), entry], ACME, "EUR") == 0


@pytest.mark.parametrize("amount", ["0", "-1"])
def test_a_payment_is_more_than_zero(amount: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        payment_entry(id="e", at=NOON, account_id="acme", reference="x", amount=money(amount, "USD"))


@pytest.mark.parametrize(("amount", "units"), [("5.00", 50_000), ("-5.00", -50_000)])
def test_F074_an_adjustment_moves_revenue_and_says_why(amount: str, units: int) -> None:
    entry = adjustment_entry(
        id="e", at=NOON, account_id="acme", reference="cb01-b1", amount=money(amount, "USD"), reason=" echo "
    )
    assert posted(entry) == {"receivable:acme": units, "revenue": -units}
    assert entry.reason == "echo"


@pytest.mark.parametrize(("amount", "reason", "field"), [("0", "echo", "amount"), ("5", " ", "reason")])
def test_an_adjustment_of_nothing_or_without_a_reason_is_refused(
    amount: str, reason: str, field: str
) -> None:
    with pytest.raises(ValueError, match=f"^{field}: "):
        adjustment_entry(
            id="e", at=NOON, account_id="acme", reference="x", amount=money(amount, "USD"), reason=reason
        )


def test_an_invoice_rounded_up_takes_the_difference_from_the_account() -> None:
    entry = rounding_entry(
        id="e", at=NOON, account_id="acme", invoice_number="2026-000042", rounding=money("0.0020", "USD")
    )
    assert posted(entry) == {"receivable:acme": -20, "rounding": 20}


def an_entry(*postings: Posting, at: datetime = NOON) -> Entry:
    return Entry(id="e", kind=EntryKind.PAYMENT, at=at, reference="x", postings=postings)


def posting(units: Any, currency: str = "USD") -> Posting:
    return Posting(ledger_account=ACME, units=units, currency=currency)


def test_an_entry_that_does_not_sum_to_zero_cannot_exist() -> None:
    with pytest.raises(UnbalancedEntry, match="USD postings sum to 1 units"):
        an_entry(posting(5), posting(-4))
    with pytest.raises(UnbalancedEntry, match="USD postings sum to 5"):
        an_entry(posting(5), posting(-5, "EUR"))
    with pytest.raises(UnbalancedEntry, match="no posting"):
        an_entry()


def test_an_entry_has_a_time_with_a_zone() -> None:
    with pytest.raises(ValueError, match="zone"):
        an_entry(posting(0), at=datetime(2026, 3, 2))  # noqa: DTZ001


@pytest.mark.parametrize("units", [1.0, True, 10**19])
def test_a_posting_is_whole_units_that_a_database_can_hold(units: object) -> None:
    with pytest.raises(ValueError, match="units"):
        posting(units)


def test_a_ledger_account_has_an_owner_exactly_where_it_needs_one() -> None:
    with pytest.raises(ValueError, match="name its owner"):
        LedgerAccount(kind=LedgerAccountKind.RECEIVABLE)
    with pytest.raises(ValueError, match="name no owner"):
        LedgerAccount(kind=LedgerAccountKind.REVENUE, owner="acme")

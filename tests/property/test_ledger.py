"""Any run of charges, payments, adjustments and roundings leaves the books at zero."""

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from billing.ledger import (
    CarrierCost,
    Entry,
    LedgerAccount,
    LedgerAccountKind,
    adjustment_entry,
    balance_units,
    charge_entry,
    payment_entry,
    rounding_entry,
    sums,
)
from rating.price import SessionPrice
from values.money import decimal_from_units, from_units

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
UNITS = st.integers(1, 10**9)
CURRENCIES = st.sampled_from(["USD", "EUR", "JPY"])
COSTS = st.lists(
    st.builds(
        CarrierCost,
        carrier=st.sampled_from(["north", "east"]),
        amount=st.integers(0, 10**6).map(decimal_from_units),
        currency=CURRENCIES,
    ),
    max_size=4,
)


@st.composite
def charges(draw: st.DrawFn) -> Entry:
    # A waived amount alone is the smallest price in which revenue, receivable and loss all move.
    waived = draw(st.integers(0, 10**6).map(decimal_from_units))
    price = SessionPrice(a=None, b=(), waived=waived, currency=draw(CURRENCIES))
    return charge_entry(id="e", at=NOON, account_id="acme", callback_id="cb", price=price, costs=draw(COSTS))


PAYMENTS = st.builds(
    lambda units, code: payment_entry(
        id="e", at=NOON, account_id="acme", reference="r", amount=from_units(units, code)
    ),
    UNITS,
    CURRENCIES,
)
ADJUSTMENTS = st.builds(
    lambda units, sign, code: adjustment_entry(
        id="e", at=NOON, account_id="acme", reference="r", amount=from_units(sign * units, code), reason="why"
    ),
    UNITS,
    st.sampled_from([1, -1]),
    CURRENCIES,
)
ROUNDINGS = st.builds(
    lambda units, code: rounding_entry(
        id="e", at=NOON, account_id="acme", invoice_number="1", rounding=from_units(units, code)
    ),
    st.integers(-50, 50),
    CURRENCIES,
)


@given(st.lists(charges() | PAYMENTS | ADJUSTMENTS | ROUNDINGS, max_size=30))
def test_R16_the_books_sum_to_zero_in_each_currency(entries: list[Entry]) -> None:
    postings = [posting for entry in entries for posting in entry.postings]
    assert set(sums(postings).values()) <= {0}
    accounts = {posting.ledger_account for posting in postings}
    for currency in ("USD", "EUR", "JPY"):
        assert sum(balance_units(entries, account, currency) for account in accounts) == 0


@given(st.lists(PAYMENTS, max_size=10))
def test_what_came_in_is_what_the_account_has(payments: list[Entry]) -> None:
    acme = LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner="acme")
    cash = LedgerAccount(kind=LedgerAccountKind.CASH)
    for currency in ("USD", "EUR", "JPY"):
        assert balance_units(payments, acme, currency) == -balance_units(payments, cash, currency)


@given(COSTS)
def test_R16_the_carriers_are_owed_exactly_what_the_calls_cost(costs: list[CarrierCost]) -> None:
    free = SessionPrice(a=None, b=(), waived=Decimal("0.0000"), currency="USD")
    entry = charge_entry(id="e", at=NOON, account_id="acme", callback_id="cb", price=free, costs=costs)
    for currency in ("USD", "EUR", "JPY"):
        owed = sum(
            posting.units
            for posting in entry.postings
            if posting.ledger_account.kind is LedgerAccountKind.CARRIER_PAYABLE
            and posting.currency == currency
        )
        assert decimal_from_units(owed) == sum(cost.amount for cost in costs if cost.currency == currency)

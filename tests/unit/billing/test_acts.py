from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from moneyed import Money

from billing.acts import (
    Act,
    credited,
    fee_charged,
    received,
    received_abroad,
    refunded,
    reversed_of,
    voucher_redeemed,
    written_off,
)
from billing.exchange import ExchangeRate, convert
from billing.ledger import Entry, EntryKind, sums

ACT = Act(account_id="acme", at=datetime(2026, 3, 2, tzinfo=UTC), reference="r 1", reason="because")
FIVE = Money("5.00", "EUR")


def sides(entry: Entry) -> dict[tuple[str, str], int]:
    return {(str(each.ledger_account), each.currency): each.units for each in entry.postings}


@pytest.mark.parametrize(
    ("entry", "kind", "units", "against"),
    [
        (received(ACT, FIVE), EntryKind.PAYMENT, 5_0000, "cash"),
        (received(ACT, FIVE, EntryKind.TOP_UP), EntryKind.TOP_UP, 5_0000, "cash"),
        (refunded(ACT, FIVE), EntryKind.REFUND, -5_0000, "cash"),
        (voucher_redeemed(ACT, FIVE), EntryKind.VOUCHER, 5_0000, "voucher"),
        (credited(ACT, FIVE, Money("0", "EUR"), Money("0", "EUR")), EntryKind.CREDIT_NOTE, 5_0000, "revenue"),
        (fee_charged(ACT, FIVE), EntryKind.FEE, -5_0000, "fees"),
        (written_off(ACT, FIVE), EntryKind.WRITE_OFF, 5_0000, "write_off"),
    ],
)
def test_each_act_has_its_two_sides(entry: Entry, kind: EntryKind, units: int, against: str) -> None:
    assert entry.kind is kind
    assert entry.id == f"{kind}-acme-r 1"
    assert entry.reason == "because"
    assert sides(entry) == {("receivable:acme", "EUR"): units, (against, "EUR"): -units}


def test_a_credit_note_gives_back_the_tax_as_well() -> None:
    assert sides(credited(ACT, FIVE, Money("1.00", "EUR"), Money("0", "EUR"))) == {
        ("receivable:acme", "EUR"): 6_0000,
        ("revenue", "EUR"): -5_0000,
        ("tax", "EUR"): -1_0000,
    }


def test_money_from_abroad_sums_to_zero_in_each_currency() -> None:
    rate = ExchangeRate(base="EUR", quote="USD", rate=Decimal("1.10"), on=date(2026, 3, 1))
    entry = received_abroad(ACT, convert(Money("3.60", "USD"), "EUR", rate))
    assert sides(entry) == {
        ("receivable:acme", "EUR"): 3_2700,
        ("exchange", "EUR"): -3_2700,
        ("exchange", "USD"): 3_6000,
        ("cash", "USD"): -3_6000,
    }
    assert sums(entry.postings) == {"EUR": 0, "USD": 0}
    assert entry.reason == "because: 3.60 USD at 1 EUR = 1.10 USD of 2026-03-01"


def test_a_reversal_is_the_entry_turned_round() -> None:
    entry = reversed_of(ACT, received(ACT, FIVE))
    assert sides(entry) == {("receivable:acme", "EUR"): -5_0000, ("cash", "EUR"): 5_0000}
    assert entry.kind is EntryKind.REVERSAL


@pytest.mark.parametrize("amount", ["0", "-1"])
@pytest.mark.parametrize("make", [received, refunded, voucher_redeemed, fee_charged, written_off])
def test_an_act_moves_more_than_nothing(make, amount: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="more than zero"):
        make(ACT, Money(amount, "EUR"))

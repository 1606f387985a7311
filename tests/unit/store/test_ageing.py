"""Ageing of what is owed: it is due with the invoice that asks for it. On both engines."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from moneyed import Money
from storeworld import CLERK, NOW, callback, play, story

from billing.dunning import LateFee
from billing.particulars import Party
from store import billruns, customers, dunning, ledger, payments, receivables
from store.database import Database

TERMS = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)
NOT_DUE, TO_30, TO_60, TO_90, OVER_90 = range(5)


def noon(month: int, day: int) -> datetime:
    return datetime(2026, month, day, 12, tzinfo=UTC)


def call(company: Database, name: str, at: datetime, seconds: int) -> None:
    by = at - NOW
    first = callback(name, created_at=at, expires_at=at + timedelta(minutes=5))
    told = [replace(event, at=event.at + by) for event in story(first, seconds)]
    company.call("play", play, first, told)


def close(company: Database, month: int) -> int:
    """Close it on the 2nd of the next; what the invoice comes to."""
    author = replace(CLERK, at=noon(month + 1, 2))
    closing = company.call(
        "close", billruns.close, ["acme"], month_of=(2026, month), terms=TERMS, author=author
    )
    (head,) = closing.heads
    return int(head.totals.total * 10_000)


@pytest.fixture
def billed(company: Database) -> tuple[Database, int, int]:
    """March, due on 16 April, and April, due on 16 May, and what each comes to; then a call in May."""
    call(company, "cb1", noon(3, 3), 1_500)
    march = close(company, 3)
    call(company, "cb2", noon(4, 20), 900)
    april = close(company, 4)
    call(company, "cb3", noon(5, 3), 300)
    return company, march, april


def open_on(company: Database, on: datetime) -> tuple[int, ...]:
    (found,) = company.read("ageing", receivables.receivables, on)
    alone = company.read("ageing", receivables.receivables, on, account_id="acme")
    assert alone == (found,)
    return found.ageing.open_units


def owed(company: Database) -> int:
    return -company.read("standing", ledger.standing, "acme").posted_units


def pay(company: Database, units: int, on: datetime) -> None:
    author = replace(CLERK, at=on, reason="paid")
    amount = Money(f"{units / 10_000:.4f}", "EUR")
    company.call("pay", payments.receive, "acme", amount, f"bank {on}", author)


def test_calls_that_no_invoice_has_asked_for_are_not_due(billed: Any) -> None:
    company, march, april = billed
    found = open_on(company, noon(5, 15))
    assert found == (owed(company) - march, march, 0, 0, 0)  # April is due tomorrow
    assert open_on(company, noon(3, 31)) == (8_8033, 0, 0, 0, 0)  # before it was issued and rounded
    assert open_on(company, noon(5, 16)) == (owed(company) - march - april, april, march, 0, 0)


@pytest.mark.parametrize(
    ("on", "march_in", "april_in"),
    [
        (noon(5, 15), TO_30, NOT_DUE),
        (noon(5, 16), TO_60, TO_30),
        (noon(6, 14), TO_60, TO_30),
        (noon(6, 15), TO_90, TO_60),
        (noon(7, 15), OVER_90, TO_90),
        (noon(8, 14), OVER_90, OVER_90),
    ],
)
def test_an_invoice_grows_late_by_the_day_on_which_it_was_due(
    billed: Any, on: datetime, march_in: int, april_in: int
) -> None:
    company, march, april = billed
    expected = [0] * 5
    expected[NOT_DUE] += owed(company) - march - april
    expected[march_in] += march
    expected[april_in] += april
    assert list(open_on(company, on)) == expected


def test_a_payment_settles_what_was_due_first_and_an_earlier_day_knows_nothing_of_it(billed: Any) -> None:
    company, march, april = billed
    pay(company, march + 1_0000, noon(6, 1))
    fresh = owed(company) - (april - 1_0000)
    assert open_on(company, noon(6, 2)) == (fresh, april - 1_0000, 0, 0, 0)
    assert open_on(company, noon(5, 31)) == (fresh, april, march, 0, 0)


def test_a_payment_that_is_taken_back_leaves_the_invoice_as_late_as_it_was(billed: Any) -> None:
    company, march, april = billed
    pay(company, march, noon(6, 1))
    author = replace(CLERK, at=noon(6, 2), reason="it bounced")
    company.call("reverse", payments.reverse_payment, "acme", f"bank {noon(6, 1)}", "back 1", author)
    assert open_on(company, noon(6, 3))[TO_30:] == (april, march, 0, 0)


def test_a_late_fee_is_due_with_the_invoice_that_lists_it(billed: Any) -> None:
    company, march, april = billed
    fee = LateFee(units=2_0000, printed_on=CLERK.at.date())
    company.call("fee", dunning.print_fee, "standard", fee, CLERK)
    for day in (noon(4, 16), noon(4, 23), noon(5, 6), noon(5, 13)):
        company.call("dun", dunning.run, "acme", replace(CLERK, at=day))
    fresh = owed(company) - march - april
    assert open_on(company, noon(5, 20)) == (fresh, april, march, 0, 0)
    may = close(company, 5)
    assert owed(company) == march + april + may + 2_0000
    assert open_on(company, noon(6, 3)) == (may + 2_0000, april, march, 0, 0)


def test_money_beyond_what_is_owed_is_credit_and_who_owes_nothing_is_left_out(billed: Any) -> None:
    company, _, _ = billed
    all_of_it = owed(company)
    pay(company, all_of_it, noon(6, 1))
    assert company.read("ageing", receivables.receivables, noon(6, 2)) == ()
    pay(company, 5_0000, noon(6, 3))
    (found,) = company.read("ageing", receivables.receivables, noon(6, 4))
    assert (found.ageing.credit_units, found.ageing.open_units) == (5_0000, (0, 0, 0, 0, 0))


@pytest.fixture
def alone(company: Database) -> tuple[Database, int]:
    """March, due on 16 April, and what it comes to; nothing else was ever owed."""
    call(company, "cb1", noon(3, 3), 1_500)
    return company, close(company, 3)


def dunned(company: Database) -> dict[str, int]:
    """What dunning holds to be open, which is what ageing calls late in May."""
    owner = company.read("account", customers.account, "acme")
    found = company.read("open", dunning.open_invoices, owner)
    assert sum(each.open_units for each in found) == sum(open_on(company, noon(5, 20))[1:])
    return {each.number: each.open_units for each in found}


def act(company: Database, function: Any, units: int, reference: str, *, day: int) -> None:
    author = replace(CLERK, at=noon(5, day), reason=reference)
    company.call("act", function, "acme", Money(f"{units / 10_000:.4f}", "EUR"), reference, author)


def test_what_is_taken_later_and_asked_for_by_no_invoice_opens_none_that_was_paid(alone: Any) -> None:
    company, march = alone
    pay(company, march + 100, noon(5, 1))
    act(company, payments.adjust, -3_0000, "other", day=2)
    assert dunned(company) == {}
    assert open_on(company, noon(5, 20)) == (2_9900, 0, 0, 0, 0)


def test_what_is_taken_later_is_owed_beside_an_invoice_that_is_open(alone: Any) -> None:
    company, march = alone
    act(company, payments.adjust, -5_0000, "other", day=2)
    assert dunned(company) == {"INV-0001": march}
    assert open_on(company, noon(5, 20)) == (5_0000, 0, march, 0, 0)


def test_a_correction_in_the_accounts_favour_pays_the_oldest_as_money_does(alone: Any) -> None:
    company, march = alone
    act(company, payments.adjust, march, "sorry", day=2)
    act(company, payments.adjust, -3_0000, "other", day=3)
    assert dunned(company) == {}
    assert open_on(company, noon(5, 20)) == (3_0000, 0, 0, 0, 0)


def test_a_correction_that_is_taken_back_leaves_the_invoice_as_open_as_it_was(alone: Any) -> None:
    company, march = alone
    call(company, "cb2", noon(4, 20), 900)
    april = close(company, 4)
    act(company, payments.adjust, -3_0000, "by mistake", day=3)
    act(company, payments.adjust, 3_0000, "taken back", day=4)
    assert dunned(company) == {"INV-0001": march, "INV-0002": april}
    assert open_on(company, noon(5, 20)) == (0, april, march, 0, 0)
    may = close(company, 5)  # it lists both
    assert open_on(company, noon(6, 3)) == (may, april, march, 0, 0)


def test_a_late_fee_that_is_forgiven_is_no_payment_of_the_invoice(alone: Any) -> None:
    company, march = alone
    fee = LateFee(units=2_0000, printed_on=CLERK.at.date())
    company.call("fee", dunning.print_fee, "standard", fee, CLERK)
    for day in (noon(4, 16), noon(4, 23), noon(5, 6), noon(5, 13)):
        company.call("dun", dunning.run, "acme", replace(CLERK, at=day))
    act(company, payments.adjust, 3_0000, "forgiven, and 1.00 for the trouble", day=14)
    assert dunned(company) == {"INV-0001": march - 1_0000}


def test_a_payment_that_was_given_back_and_then_bounced_opens_no_paid_invoice(alone: Any) -> None:
    company, march = alone
    pay(company, march, noon(5, 1))
    pay(company, 10_0000, noon(5, 2))
    act(company, payments.refund, 10_0000, "given back", day=3)
    author = replace(CLERK, at=noon(5, 4), reason="it bounced")
    company.call("reverse", payments.reverse_payment, "acme", f"bank {noon(5, 2)}", "back", author)
    assert dunned(company) == {}
    assert open_on(company, noon(5, 20)) == (10_0000, 0, 0, 0, 0)


def test_what_an_invoice_asks_for_after_a_refund_is_due_though_the_refund_was_of_money_that_was_there(
    alone: Any,
) -> None:
    company, march = alone
    pay(company, march + 10_0000, noon(4, 3))
    author = replace(CLERK, at=noon(4, 4), reason="given back")
    company.call("refund", payments.refund, "acme", Money("10.00", "EUR"), "given back", author)
    call(company, "cb2", noon(4, 20), 900)
    april = close(company, 4)
    assert dunned(company) == {"INV-0002": april}
    assert open_on(company, noon(5, 20)) == (0, april, 0, 0, 0)

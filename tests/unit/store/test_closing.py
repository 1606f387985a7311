"""The end of an account leaves nothing behind: what its last invoice will ask for is asked for before."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from moneyed import Money
from storeworld import CLERK, NOW, callback, play, story

from billing.particulars import Party
from billing.tax import TaxRow
from calls.admission import AccountState
from store import billruns, customers, ledger, payments
from store.audit import Author
from store.closing import Closed, close_account
from store.database import Database
from store.disputes import open_dispute, reject
from store.errors import Conflict
from store.options import Option, add_option
from store.taxes import set_tax
from store.verify import verify
from values.money import decimal_from_units

SELLER = Party(name="Dialback", country="GB")
TERMS = billruns.Terms(seller=SELLER, pattern="INV-{n:04}", due_days=14)
VAT = TaxRow(place="GB", group="standard", valid_from=date(2026, 1, 1), percent=Decimal(20))
LATER = Author(at=datetime(2026, 3, 20, 9, tzinfo=UTC), name="clerk", reason="their letter")
SECOND = Option(
    id="second",
    account_id="acme",
    name="Second",
    monthly_units=2_5000,
    currency="EUR",
    starts_on=date(2026, 3, 1),
)


@pytest.fixture
def taxed(company: Database) -> Database:
    """The company in a country with a tax of 20 %; a call of 8.8033 in March."""
    company.call("tax", set_tax, VAT, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    company.call("play", play, callback(), story(callback(), 1_500))
    return company


def move(company: Database, zone: str) -> None:
    owner = company.read("account", customers.account, "acme")
    company.call("move", customers.change_account, replace(owner, zone=zone), CLERK)


def pay(company: Database, amount: str, at: datetime = LATER.at) -> None:
    author = replace(LATER, at=at, reason="paid")
    company.call("pay", payments.receive, "acme", Money(amount, "EUR"), f"bank {amount}", author)


def close(company: Database, author: Author = LATER, write_off_as: str | None = None) -> Closed:
    return company.call("close", close_account, "acme", author, seller=SELLER, write_off_as=write_off_as)


def balance(company: Database) -> Decimal:
    return decimal_from_units(company.read("standing", ledger.standing, "acme").posted_units)


def invoiced(company: Database, month: int) -> None:
    author = Author(at=datetime(2026, month + 1, 2, 9, tzinfo=UTC), name="clerk")
    done = company.call("run", billruns.close, ["acme"], month_of=(2026, month), terms=TERMS, author=author)
    assert len(done.heads) == 1


def nothing_is_left(company: Database, *months: int) -> None:
    """Those months are invoiced, and then all is even and nobody asks for anything any more."""
    for month in months:
        invoiced(company, month)
    assert balance(company) == 0
    assert company.read("verify", verify) == ()
    later = Author(at=datetime(2026, months[-1] + 2, 2, 9, tzinfo=UTC), name="clerk")
    month_of = (2026, months[-1] + 1)
    after = company.call("run", billruns.close, ["acme"], month_of=month_of, terms=TERMS, author=later)
    assert after.idle == ("acme",)


def test_an_account_whose_calls_are_paid_without_their_tax_is_not_closed(taxed: Database) -> None:
    pay(taxed, "8.80")
    told = r"owes 1\.7600 EUR, reckoned with the invoice to come of 2026-03, which adds 1\.7567; take"
    with pytest.raises(Conflict, match=told):
        close(taxed)
    owner = taxed.read("account", customers.account, "acme")
    assert (owner.state, owner.closed_at) == (AccountState.OPEN, None)
    assert len(taxed.read("numbers", customers.list_numbers, "anna")) == 2  # a refusal has changed nothing


def test_an_account_closed_out_by_its_draft_owes_nothing_after_its_last_invoice(taxed: Database) -> None:
    pay(taxed, "10.56")
    closed = close(taxed)
    assert closed.account.state is AccountState.CLOSED
    (march,) = closed.to_come
    assert (march.first_day, march.charges_units, march.added_units) == (date(2026, 3, 1), 8_8033, 1_7567)
    assert close(taxed) == closed
    assert balance(taxed) == Decimal("1.7567")
    nothing_is_left(taxed, 3)


def test_what_is_to_be_given_back_leaves_the_tax_of_the_last_invoice(taxed: Database) -> None:
    pay(taxed, "20.00")
    with pytest.raises(Conflict, match=r"is owed 9\.4400 EUR") as refused:
        close(taxed)
    (amount,) = re.findall(r"refund add acme (\S+) --", str(refused.value))
    taxed.call("refund", payments.refund, "acme", Money(amount, "EUR"), "out 1", LATER)
    close(taxed)
    nothing_is_left(taxed, 3)


def test_a_debt_is_written_off_with_the_tax_that_its_last_invoice_will_ask_for(taxed: Database) -> None:
    pay(taxed, "8.80")
    close(taxed, write_off_as="gone 1")
    assert balance(taxed) == Decimal("1.7567")
    nothing_is_left(taxed, 3)


def test_months_that_are_over_and_an_option_are_reckoned_as_their_invoices_will_have_them(
    taxed: Database,
) -> None:
    taxed.call("option", add_option, SECOND, CLERK)
    taxed.call("end", add_option, replace(SECOND, id="third", ends_on=date(2026, 8, 1)), CLERK)
    in_april = replace(LATER, at=datetime(2026, 4, 20, 23, 30, tzinfo=UTC))  # the 21st in London
    pay(taxed, "8.80")
    with pytest.raises(Conflict, match=r"owes 13\.7600 EUR.* of 2026-03, 2026-04, which adds"):
        close(taxed, in_april)
    pay(taxed, "13.76")
    assert [each.added_units for each in close(taxed, in_april).to_come] == [1_7567 + 6_0000, 6_0000]
    nothing_is_left(taxed, 3, 4)


def test_a_month_that_was_invoiced_is_not_reckoned_again(taxed: Database) -> None:
    invoiced(taxed, 3)
    in_april = replace(LATER, at=datetime(2026, 4, 20, 9, tzinfo=UTC))
    pay(taxed, "10.56", in_april.at)
    assert sum(each.added_units for each in close(taxed, in_april).to_come) == 0
    nothing_is_left(taxed, 4)


def test_calls_after_the_last_invoice_are_reckoned_though_the_account_has_moved_to_an_earlier_day(
    taxed: Database,
) -> None:
    move(taxed, "Pacific/Kiritimati")  # where March ends at 10:00 UTC
    then = datetime(2026, 3, 31, 11, tzinfo=UTC)
    author = replace(LATER, at=then)
    taxed.call("run", billruns.close, ["acme"], month_of=(2026, 3), terms=TERMS, author=author)
    move(taxed, "Pacific/Honolulu")
    first = callback("cb2", created_at=then, expires_at=then + timedelta(minutes=5))
    told = [replace(event, at=event.at + (then - NOW)) for event in story(first, 1_500)]
    taxed.call("play", play, first, told)
    pay(taxed, "10.56", then + timedelta(hours=1))
    pay(taxed, "8.80", then + timedelta(hours=1))
    early = replace(LATER, at=then + timedelta(hours=2))  # 31 March in Honolulu
    with pytest.raises(Conflict, match=r"owes 1\.7600 EUR, reckoned with the invoice to come of 2026-04"):
        close(taxed, early)


def test_a_dispute_that_is_open_is_decided_before_an_account_is_closed(taxed: Database) -> None:
    pay(taxed, "10.56")
    taxed.call("dispute", open_dispute, "d1", "cb1-b1", LATER)
    with pytest.raises(
        Conflict, match=r"'acme' disputes 'cb1-b1'; decide it first: `dialback dispute accept d1`"
    ):
        close(taxed)
    taxed.call("reject", reject, "d1", LATER)
    close(taxed)
    nothing_is_left(taxed, 3)


def test_a_place_without_a_tax_is_named_before_an_account_is_closed(taxed: Database) -> None:
    owner = taxed.read("account", customers.account, "acme")
    taxed.call("place", customers.change_account, replace(owner, tax_place="FR"), CLERK)
    with pytest.raises(
        Conflict, match="the invoice of 2026-03 cannot be made: tax: there is no rate for place 'FR'"
    ):
        close(taxed)

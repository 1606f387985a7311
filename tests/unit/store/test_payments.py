"""Payments, refunds, corrections: each once by its reference, none beyond the rules, on both engines."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money
from sqlalchemy import Connection
from storeworld import CLERK, LONG_AGO, NOW, callback

from billing.exchange import ExchangeRate
from billing.ledger import EntryKind
from calls.admission import AccountState
from store import acts, audit, exchange, ledger, payments
from store.accounts import account, add_account
from store.acts import Outcome
from store.customers import set_account_state
from store.database import Database
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.verify import verify

AUTHOR = replace(CLERK, at=NOW, reason="as agreed")


def euros(text: str) -> Money:
    return Money(text, "EUR")


def pay(company: Database, text: str = "20.00", reference: str = "bank 1", **more: Any) -> Outcome:
    return company.call("pay", payments.receive, "acme", euros(text), reference, AUTHOR, **more)


def balance(company: Database) -> int:
    return company.read("standing", ledger.standing, "acme").posted_units


def test_a_payment_told_twice_is_one_payment_and_says_so(company: Database) -> None:
    first, second = pay(company), pay(company)
    assert (first.is_new, second.is_new) == (True, False)
    assert first.entry == second.entry
    assert balance(company) == 20_0000
    assert len(company.read("log", audit.list_noted, action="payment.add")) == 1


def test_another_payment_under_a_known_reference_is_a_conflict(company: Database) -> None:
    pay(company)
    with pytest.raises(Conflict, match=r"'bank 1' names another act of 'acme': payment.add of 20.0000 EUR; "):
        pay(company, "30.00")
    with pytest.raises(Conflict, match="names another act"):
        company.call("refund", payments.refund, "acme", euros("20.00"), "bank 1", AUTHOR)
    assert balance(company) == 20_0000


def test_accounts_and_references_that_read_alike_when_put_together_are_told_apart(company: Database) -> None:
    acme = company.read("account", account, "acme")
    company.call("other", add_account, replace(acme, id="acme-uk"), CLERK)

    def told(account_id: str, reference: str) -> Outcome:
        return company.call("pay", payments.receive, account_id, euros("20.00"), reference, AUTHOR)

    first, second = told("acme", "uk-7"), told("acme-uk", "7")
    assert not told("acme-uk", "7").is_new
    assert (first.entry.id, second.entry.id) == ("payment-acme-uk-7", "payment-acme-uk-7/acme-uk")
    for account_id, reference in (("acme", "uk-7"), ("acme-uk", "7")):
        assert company.read("standing", ledger.standing, account_id).posted_units == 20_0000
        company.call("back", payments.reverse_payment, account_id, reference, "bounce", AUTHOR)
        assert company.read("standing", ledger.standing, account_id).posted_units == 0
    assert company.read("verify", verify) == ()


def test_one_payment_told_by_eight_clerks_at_the_same_moment_is_one_payment(company: Database) -> None:
    assert sum(outcome.is_new for outcome in at_once(8, lambda: pay(company))) == 1
    assert balance(company) == 20_0000
    assert company.read("verify", verify) == ()


def test_a_payment_that_comes_to_nothing_or_to_too_much_in_the_accounts_currency_is_refused(
    company: Database,
) -> None:
    rate = ExchangeRate(base="EUR", quote="IDR", rate=Decimal(17_000), on=date(2026, 3, 1))
    company.call("rate", exchange.set_rate, rate, AUTHOR)
    told = r"amount: 1\.00 IDR at 1 EUR = 17000\.00 IDR of 2026-03-01 is nothing once it is rounded"
    with pytest.raises(Invalid, match=told):
        company.call("pay", payments.receive, "acme", Money("1.00", "IDR"), "bank 1", AUTHOR)
    dear = replace(rate, base="EUR", quote="KWD", rate=Decimal("0.0001"))
    company.call("rate", exchange.set_rate, dear, AUTHOR)
    with pytest.raises(Invalid, match=r"amount: 10{17}\.0000 EUR is refused"):
        company.call("pay", payments.receive, "acme", Money(10**13, "KWD"), "bank 1", AUTHOR)
    assert company.read("done", acts.done, "acme", "bank 1") is None


def test_a_rate_that_was_written_the_other_way_round_meanwhile_is_corrected_by_the_first_one_again(
    company: Database,
) -> None:
    day = date(2026, 3, 1)
    dollars = ExchangeRate(base="EUR", quote="USD", rate=Decimal("1.10"), on=day)
    slip = ExchangeRate(base="USD", quote="EUR", rate=Decimal("0.50"), on=day)
    for rate in (dollars, slip, dollars):
        assert company.call("rate", exchange.set_rate, rate, AUTHOR)
    assert company.read("rate", exchange.rate_between, "USD", "EUR", day) == dollars
    assert not company.call("rate", exchange.set_rate, dollars, AUTHOR)
    noted = company.read("log", audit.list_noted, action="exchange")[-1]
    assert noted.before == "rate=1 USD = 0.50 EUR"
    assert noted.after == "rate=1 EUR = 1.10 USD; source="


def test_every_act_lands_in_the_audit_log_with_the_balance_before_and_after(company: Database) -> None:
    pay(company)
    (noted,) = company.read("log", audit.list_noted, subject="acme", action="payment")
    assert (noted.actor, noted.reason, noted.at) == ("clerk", "as agreed", NOW)
    assert noted.before == "balance=0.0000 EUR"
    assert noted.after.startswith("amount=20.0000 EUR; balance=20.0000 EUR; ")
    assert "reference=bank 1" in noted.after


def test_an_act_whose_transaction_is_broken_off_leaves_nothing(company: Database) -> None:
    def pay_and_die(connection: Connection) -> None:
        payments.receive(connection, "acme", euros("20"), "bank 1", AUTHOR)
        raise LookupError

    with pytest.raises(LookupError):
        company.call("die", pay_and_die)
    assert balance(company) == 0
    assert company.read("done", acts.done, "acme", "bank 1") is None
    assert company.read("log", audit.list_noted, action="payment") == ()
    assert pay(company).is_new


@pytest.mark.parametrize("text", ["0", "-1"])
def test_a_payment_is_more_than_nothing(company: Database, text: str) -> None:
    with pytest.raises(Invalid, match="not more than zero"):
        pay(company, text)


def test_a_closed_account_may_still_pay_but_not_top_up(company: Database) -> None:
    company.call("close", set_account_state, "acme", AccountState.CLOSED, AUTHOR)
    assert pay(company).is_new
    with pytest.raises(Forbidden, match="closed"):
        pay(company, reference="card 1", kind=EntryKind.TOP_UP)


# other currencies


def set_rate(company: Database, text: str, on: date) -> bool:
    rate = ExchangeRate(base="EUR", quote="USD", rate=Decimal(text), on=on)
    return company.call("rate", exchange.set_rate, rate, AUTHOR)


def test_W47_F059_dollars_are_credited_as_euros_by_the_rate_of_their_day(company: Database) -> None:
    set_rate(company, "1.10", date(2026, 3, 1))
    set_rate(company, "1.20", date(2026, 3, 3))
    made = company.call("pay", payments.receive, "acme", Money("3.60", "USD"), "wire 1", AUTHOR)
    assert balance(company) == 3_2700
    assert made.entry.reason == "as agreed: 3.60 USD at 1 EUR = 1.10 USD of 2026-03-01"
    again = company.call("pay", payments.receive, "acme", Money("3.60", "USD"), "wire 1", AUTHOR)
    assert not again.is_new
    assert company.read("verify", verify) == ()


def test_the_day_of_a_payment_is_the_day_in_the_accounts_zone(company: Database) -> None:
    set_rate(company, "1.10", date(2026, 6, 1))
    set_rate(company, "2.00", date(2026, 6, 2))
    late = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)  # half past midnight of 2 June in London
    author = replace(AUTHOR, at=late)
    company.call("pay", payments.receive, "acme", Money("2", "USD"), "wire 1", author, at=late)
    assert balance(company) == 1_0000


def test_money_of_a_time_to_come_or_from_before_the_account_was_opened_is_refused(company: Database) -> None:
    with pytest.raises(Invalid, match=r"at: .* is still to come; write it down when the money is there"):
        pay(company, at=NOW + timedelta(seconds=1))
    with pytest.raises(Invalid, match=r"at: .* is before account 'acme' was opened; name 2026-01-01"):
        pay(company, at=LONG_AGO - timedelta(days=1))
    assert balance(company) == 0
    pay(company, at=LONG_AGO)
    assert balance(company) == 20_0000


def test_a_currency_without_a_rate_on_that_day_is_not_taken(company: Database) -> None:
    set_rate(company, "1.10", date(2026, 3, 3))
    with pytest.raises(NotFound, match=r"dialback exchange set EUR USD RATE --on 2026-03-02"):
        company.call("pay", payments.receive, "acme", Money("3.60", "USD"), "wire 1", AUTHOR)


def test_a_rate_that_was_wrong_is_corrected_by_another_row_and_old_payments_keep_theirs(
    company: Database,
) -> None:
    assert set_rate(company, "1.01", date(2026, 3, 1))
    assert not set_rate(company, "1.01", date(2026, 3, 1))
    company.call("pay", payments.receive, "acme", Money("1.01", "USD"), "wire 1", AUTHOR)
    assert set_rate(company, "1.10", date(2026, 3, 1))
    company.call("pay", payments.receive, "acme", Money("1.10", "USD"), "wire 2", AUTHOR)
    assert balance(company) == 2_0000
    assert len(company.read("rates", exchange.list_rates)) == 2
    assert company.read("verify", verify) == ()


# money back


def test_F074_a_refund_is_never_more_than_was_paid_in(company: Database) -> None:
    company.call("adjust", payments.adjust, "acme", euros("100"), "gift", AUTHOR)
    pay(company, "20.00")
    with pytest.raises(Forbidden, match=r"more than the 20.0000 EUR paid in and not yet given back"):
        company.call("refund", payments.refund, "acme", euros("20.01"), "out 1", AUTHOR)
    company.call("refund", payments.refund, "acme", euros("15.00"), "out 2", AUTHOR)
    with pytest.raises(Forbidden):
        company.call("refund", payments.refund, "acme", euros("5.01"), "out 3", AUTHOR)
    company.call("refund", payments.refund, "acme", euros("5.00"), "out 4", AUTHOR)
    assert balance(company) == 100_0000


def test_F074_a_refund_is_never_more_than_the_account_has_besides_its_holds(company: Database) -> None:
    pay(company, "20.00")
    company.call("hold", ledger.hold, callback(), 30_0000, at=NOW)
    with pytest.raises(Forbidden, match=r"more than the 0.0000 EUR to its credit"):
        company.call("refund", payments.refund, "acme", euros("0.01"), "out 1", AUTHOR)


def test_refunds_given_at_the_same_moment_never_exceed_what_was_paid(company: Database) -> None:
    pay(company, "20.00")
    numbers = iter(range(100))

    def give() -> bool:
        try:
            reference = f"out {next(numbers)}"
            return company.call("refund", payments.refund, "acme", euros("8"), reference, AUTHOR).is_new
        except Forbidden:
            return False

    assert sum(at_once(6, give)) == 2
    assert balance(company) == 4_0000


def test_a_refund_that_was_done_is_found_again_also_when_no_credit_is_left(company: Database) -> None:
    pay(company, "20.00")
    for is_new in (True, False):
        given = company.call("refund", payments.refund, "acme", euros("20"), "out 1", AUTHOR)
        assert given.is_new is is_new
    assert balance(company) == 0


def test_a_payment_that_never_was_is_taken_back_once(company: Database) -> None:
    paid = pay(company, "1000.00")
    for reference, is_new in (("oops", True), ("oops", False)):
        taken = company.call("reverse", payments.reverse_payment, "acme", "bank 1", reference, AUTHOR)
        assert taken.is_new is is_new
    assert balance(company) == 0
    assert company.read("entry", ledger.entry, paid.entry.id) == paid.entry
    with pytest.raises(Conflict, match="taken back already"):
        company.call("reverse", payments.reverse_payment, "acme", "bank 1", "oops again", AUTHOR)
    with pytest.raises(NotFound, match="has no payment 'bank 9'"):
        company.call("reverse", payments.reverse_payment, "acme", "bank 9", "oops 9", AUTHOR)
    assert company.read("verify", verify) == ()


def test_only_what_is_owed_is_written_off(company: Database) -> None:
    company.call("adjust", payments.adjust, "acme", euros("-3.10"), "late fee", AUTHOR)
    with pytest.raises(Forbidden, match=r"more than the 3.1000 EUR owed"):
        company.call("write off", payments.write_off, "acme", euros("3.11"), "wo 1", AUTHOR)
    company.call("write off", payments.write_off, "acme", euros("3.10"), "wo 1", AUTHOR)
    assert balance(company) == 0


def test_an_amount_in_another_currency_is_no_refund_and_no_correction(company: Database) -> None:
    for act in (payments.refund, payments.adjust, payments.write_off):
        with pytest.raises(Invalid, match="keeps its books in EUR"):
            company.call("act", act, "acme", Money("1", "USD"), "r", AUTHOR)


def at_once(count: int, do: Callable[[], Any]) -> list[Any]:
    """What `count` threads that start together came back with."""
    results: list[Any] = []
    start = threading.Barrier(count)

    def rush() -> None:
        start.wait()
        results.append(do())

    threads = [threading.Thread(target=rush) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == count
    return results

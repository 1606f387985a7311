"""Dunning: each step on its day and once; whatever pays the invoice ends it at once. On both engines."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from moneyed import Money
from storeworld import CLERK, LONG_AGO, NOW, callback, plan_of, play, story

from billing.dunning import DAYS, LateFee, Stage
from billing.particulars import Party
from calls.admission import AccountState
from store import audit, billruns, creditnotes, customers, dunning, ledger, mails, options, payments
from store.accounts import PREPAID
from store.database import Database
from store.errors import Conflict
from store.options import Option
from store.plans import add_plan
from store.verify import verify

TERMS = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)
ISSUED = datetime(2026, 4, 2, 9, tzinfo=UTC)
DUE = date(2026, 4, 16)
AUTHOR = replace(CLERK, at=ISSUED, reason="dunning")


@pytest.fixture
def billed(company: Database) -> Database:
    """March was closed with one call of 25 minutes: 6.30 and a bit is owed, before 16 April."""
    company.call("play", play, callback(), story(callback(), 1_500))
    company.call("close", billruns.close, ["acme"], month_of=(2026, 3), terms=TERMS, author=AUTHOR)
    return company


def run(billed: Database, on: date) -> list[str]:
    author = replace(AUTHOR, at=datetime(on.year, on.month, on.day, 9, tzinfo=UTC))
    return [each.stage for each in billed.call("dun", dunning.run, "acme", author, on=on)]


def run_until(billed: Database, last: Stage) -> list[str]:
    """Each day's run from the day on which it was due."""
    return [each for stage in Stage if DAYS[stage] <= DAYS[last] for each in run(billed, after(stage))]


def after(stage: Stage) -> date:
    return DUE + timedelta(days=DAYS[stage])


def owner(billed: Database) -> Any:
    return billed.read("account", customers.account, "acme")


def pay(billed: Database, units: int, on: date, reference: str = "bank 1") -> None:
    author = replace(AUTHOR, at=datetime(on.year, on.month, on.day, 10, tzinfo=UTC))
    billed.call("pay", payments.receive, "acme", Money(f"{units / 10_000:.4f}", "EUR"), reference, author)


def owed(billed: Database) -> int:
    return -billed.read("standing", ledger.standing, "acme").posted_units


def test_W26_F147_nothing_is_done_before_an_invoice_is_due(billed: Database) -> None:
    (open_,) = billed.read("open", dunning.open_invoices, owner(billed))
    assert (open_.number, open_.due_on, open_.open_units) == ("INV-0001", DUE, owed(billed))
    assert run(billed, DUE - timedelta(days=1)) == []
    assert run(billed, DUE) == ["first_resend"]


def test_F147_each_stage_comes_on_its_date_and_once(billed: Database) -> None:
    fee = LateFee(units=2_0000, printed_on=LONG_AGO.date())
    assert billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    before = owed(billed)
    for stage in Stage:
        assert run(billed, after(stage) - timedelta(days=1)) == []
        assert run(billed, after(stage)) == [stage.value]
        assert run(billed, after(stage)) == []
    assert owed(billed) == before + 2_0000
    assert owner(billed).state is AccountState.CLOSED
    assert owner(billed).credit_limit_units == 0
    assert billed.read("verify", verify) == ()
    assert len(billed.read("log", audit.list_noted, action="dunning")) == len(Stage) + 2


def test_F147_a_late_fee_is_that_of_the_plan_on_which_the_month_began(billed: Database) -> None:
    gold = plan_of(name="gold")
    billed.call("gold", add_plan, gold, effective_at=LONG_AGO, author=CLERK)
    fee = LateFee(units=2_0000, printed_on=LONG_AGO.date())
    billed.call("fee", dunning.print_fee, "gold", fee, AUTHOR)
    moved_at = datetime(2026, 3, 20, tzinfo=UTC)
    moved = replace(AUTHOR, at=moved_at)
    billed.call("move", customers.change_account_plan, "acme", "gold", effective_at=moved_at, author=moved)
    billed_for_april_too(billed)
    run_until(billed, Stage.CLOSE)
    run(billed, after(Stage.CLOSE) + timedelta(days=7))  # a week after the last reminder of the second
    steps = billed.read("steps", dunning.list_steps)
    assert [each.number for each in steps if each.stage == Stage.LATE_FEE] == ["INV-0002"]


def test_F147_a_late_fee_printed_after_the_purchase_is_never_charged(billed: Database) -> None:
    fee = LateFee(units=2_0000, printed_on=date(2026, 3, 2))
    billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    before = owed(billed)
    stages = ["first_resend", "second_resend", "third_resend", "limit"]
    assert run_until(billed, Stage.LIMIT) == stages
    assert owed(billed) == before


def test_F147_a_payment_stops_all_at_once_and_puts_back_what_was_taken(billed: Database) -> None:
    run_until(billed, Stage.SUSPEND)
    assert (owner(billed).state, owner(billed).credit_limit_units) == (AccountState.SUSPENDED, 0)
    pay(billed, owed(billed), after(Stage.SUSPEND))
    assert (owner(billed).state, owner(billed).credit_limit_units) == (AccountState.OPEN, 50_0000)
    assert run(billed, after(Stage.CLOSE)) == []
    assert billed.read("steps", dunning.list_steps)[-1].stage == dunning.LIFTED


def test_F147_whoever_pays_the_invoice_is_not_dunned_for_a_late_fee_that_no_invoice_lists_yet(
    billed: Database,
) -> None:
    fee = LateFee(units=2_0000, printed_on=LONG_AGO.date())
    billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    total = owed(billed)
    run_until(billed, Stage.SUSPEND)
    assert owed(billed) == total + 2_0000
    pay(billed, total, after(Stage.SUSPEND))
    assert billed.read("open", dunning.open_invoices, owner(billed)) == ()
    assert owner(billed).state is AccountState.OPEN
    assert run(billed, after(Stage.CLOSE)) == []
    for month in (4, 5):
        author = replace(AUTHOR, at=datetime(2026, month + 1, 2, tzinfo=UTC))
        billed.call("close", billruns.close, ["acme"], month_of=(2026, month), terms=TERMS, author=author)
    # That of May lists it, for it was charged then.
    found = billed.read("open", dunning.open_invoices, owner(billed))
    assert [(each.first_day, each.open_units) for each in found] == [(date(2026, 5, 1), 2_0000)]


def test_F147_an_account_that_was_closed_before_is_dunned_and_holds_up_nobody(billed: Database) -> None:
    billed.call("close", customers.set_account_state, "acme", AccountState.CLOSED, AUTHOR)
    for stage in Stage:
        run(billed, after(stage))
    stages = [each.stage for each in billed.read("steps", dunning.list_steps)]
    assert stages == [stage.value for stage in Stage if stage is not Stage.LATE_FEE]
    assert owner(billed).credit_limit_units == 50_0000, "nothing of a closed account is changed"
    pay(billed, owed(billed), after(Stage.CLOSE))
    assert owner(billed).state is AccountState.CLOSED


def test_F147_an_invoice_that_is_dunned_anew_bears_its_late_fee_once_whatever_is_printed_by_then(
    billed: Database,
) -> None:
    fee = LateFee(units=2_0000, printed_on=LONG_AGO.date())
    billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    total = owed(billed)
    run_until(billed, Stage.LATE_FEE)
    pay(billed, total, after(Stage.LATE_FEE))
    taken = replace(AUTHOR, reason="it bounced")
    billed.call("reverse", payments.reverse_payment, "acme", "bank 1", "bounce 1", taken)
    dearer = LateFee(units=3_0000, printed_on=date(2026, 2, 1))
    billed.call("fee", dunning.print_fee, "standard", dearer, AUTHOR)
    assert run_until(billed, Stage.SUSPEND)[-3:] == ["late_fee", "limit", "suspend"]
    assert owed(billed) == total + 2_0000


def test_F147_whoever_was_away_sends_one_reminder_and_the_next_a_week_later(billed: Database) -> None:
    late = after(Stage.CLOSE)
    assert [run(billed, late), run(billed, late)] == [["first_resend"], []]
    assert run(billed, late + timedelta(days=6)) == []
    assert run(billed, late + timedelta(days=7)) == ["second_resend"]
    assert owner(billed).state is AccountState.OPEN


def test_F147_a_resend_is_a_mail_in_the_queue_and_the_next_step_waits_until_it_was_sent(
    billed: Database,
) -> None:
    known = replace(owner(billed), billing_email="ada@acme.example")
    billed.call("address", customers.change_account, known, AUTHOR)
    for stage in (Stage.FIRST_RESEND, Stage.SECOND_RESEND):
        assert run(billed, after(stage)) == [stage.value]
        (mail,) = billed.read("mails", mails.list_mails)
        assert (mail.number, mail.recipient, mail.state) == ("INV-0001", "ada@acme.example", "queued")
        assert run(billed, after(Stage.CLOSE)) == [dunning.WAITS]
        billed.call("sent", mails.sent, mail.id, now=AUTHOR.at, told="250")
    stages = [(each.stage, each.told) for each in billed.read("steps", dunning.list_steps)]
    assert stages == [("first_resend", ""), ("second_resend", "")]


def test_F147_a_resend_without_an_address_says_that_nothing_was_sent(billed: Database) -> None:
    run(billed, DUE)
    (step,) = billed.read("steps", dunning.list_steps)
    assert (step.stage, step.told) == ("first_resend", "not sent: no e-mail")
    assert billed.read("mails", mails.list_mails) == ()


def test_F147_half_a_payment_stops_nothing(billed: Database) -> None:
    run_until(billed, Stage.SUSPEND)
    pay(billed, owed(billed) // 2, after(Stage.SUSPEND))
    assert owner(billed).state is AccountState.SUSPENDED
    assert run(billed, after(Stage.CLOSE)) == ["close"]


def test_an_account_suspended_by_a_person_is_not_resumed_by_a_payment(billed: Database) -> None:
    billed.call("suspend", customers.set_account_state, "acme", AccountState.SUSPENDED, AUTHOR)
    run_until(billed, Stage.SUSPEND)
    pay(billed, owed(billed), after(Stage.SUSPEND))
    assert owner(billed).state is AccountState.SUSPENDED


def test_F149_a_credit_note_of_the_whole_pays_as_well(billed: Database) -> None:
    run(billed, DUE)
    billed.call("credit", creditnotes.issue, "cb1", None, "case 7", replace(AUTHOR, reason="no sound"))
    assert billed.read("open", dunning.open_invoices, owner(billed)) == ()
    assert run(billed, after(Stage.CLOSE)) == []


def test_an_invoice_whose_payment_bounced_is_dunned_anew(billed: Database) -> None:
    run(billed, DUE)
    pay(billed, owed(billed), DUE)
    taken = replace(AUTHOR, reason="it bounced")
    billed.call("reverse", payments.reverse_payment, "acme", "bank 1", "bounce 1", taken)
    assert run(billed, after(Stage.SECOND_RESEND)) == ["first_resend"]


def test_calls_of_this_month_are_no_invoice_and_money_pays_the_oldest_first(
    billed: Database,
) -> None:
    april = callback("cb2", created_at=NOW + timedelta(days=32))
    told = [replace(event, at=event.at + timedelta(days=32)) for event in story(april, 60)]
    billed.call("play", play, april, told)
    (open_,) = billed.read("open", dunning.open_invoices, owner(billed))
    assert open_.open_units == open_.total_units
    in_may = replace(AUTHOR, at=datetime(2026, 5, 2, tzinfo=UTC))
    billed.call("close", billruns.close, ["acme"], month_of=(2026, 4), terms=TERMS, author=in_may)
    first, second = billed.read("open", dunning.open_invoices, owner(billed))
    pay(billed, first.open_units + 100, date(2026, 5, 5))
    (left,) = billed.read("open", dunning.open_invoices, owner(billed))
    assert (left.number, left.open_units) == (second.number, second.total_units - 100)


def test_a_late_fee_that_was_printed_stays_printed(billed: Database) -> None:
    fee = LateFee(units=2_0000, printed_on=DUE)
    assert billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    assert not billed.call("fee", dunning.print_fee, "standard", fee, AUTHOR)
    with pytest.raises(Conflict, match="stays printed"):
        billed.call("fee", dunning.print_fee, "standard", replace(fee, units=1), AUTHOR)


def billed_for_april_too(billed: Database) -> None:
    """A second invoice, of one minute, is to be paid before 16 May."""
    april = callback("cb2", created_at=NOW + timedelta(days=32))
    told = [replace(event, at=event.at + timedelta(days=32)) for event in story(april, 60)]
    billed.call("play", play, april, told)
    in_may = replace(AUTHOR, at=datetime(2026, 5, 2, tzinfo=UTC))
    billed.call("close", billruns.close, ["acme"], month_of=(2026, 4), terms=TERMS, author=in_may)


def test_F147_invoices_that_are_paid_one_after_the_other_give_back_all_that_was_taken(
    billed: Database,
) -> None:
    billed_for_april_too(billed)
    run_until(billed, Stage.SUSPEND)
    first, second = billed.read("open", dunning.open_invoices, owner(billed))
    paid_on = after(Stage.SUSPEND)
    pay(billed, first.open_units, paid_on)
    assert owner(billed).state is AccountState.SUSPENDED, "the second is dunned as well"
    pay(billed, second.open_units, paid_on + timedelta(days=3), "bank 2")
    assert (owner(billed).state, owner(billed).credit_limit_units) == (AccountState.OPEN, 50_0000)


def test_F147_a_payment_is_booked_also_where_the_limit_that_was_taken_has_no_place_any_more(
    billed: Database,
) -> None:
    run_until(billed, Stage.SUSPEND)
    prepaid = replace(owner(billed), kind=PREPAID)
    billed.call("prepaid", customers.change_account, prepaid, AUTHOR)
    pay(billed, owed(billed), after(Stage.SUSPEND))
    assert owed(billed) == 0
    assert (owner(billed).state, owner(billed).credit_limit_units) == (AccountState.OPEN, 0)


def test_F147_an_account_that_dunning_closes_pays_for_no_option_any_more(billed: Database) -> None:
    number = Option(
        id="second-number", account_id="acme", name="Second number", monthly_units=2_5000, currency="EUR",
        starts_on=date(2026, 4, 1),
    )  # fmt: skip
    billed.call("option", options.add_option, number, AUTHOR)
    run_until(billed, Stage.CLOSE)
    assert owner(billed).state is AccountState.CLOSED
    (ended,) = billed.read("options", options.list_options, "acme")
    assert ended.ends_on == after(Stage.CLOSE)
    assert billed.read("numbers", customers.list_numbers) == ()

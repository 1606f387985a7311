"""The close of a month: who is billed, what is refused, what is written, and that it is written once."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from moneyed import Money
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from storeworld import CLERK, LONG_AGO, callback, plan_of, play, story

from billing.invoice import Invoice, InvoiceHead
from billing.ledger import adjustment_entry, payment_entry
from billing.particulars import Party
from billing.period import month
from billing.render import forms, to_json
from billing.tax import REVERSE_CHARGE_TEXT, TaxCategory, TaxRow
from calls.admission import AccountState
from rating.plan import ALegPolicy
from staff.drafts import draft
from store import callbacks, customers, invoices, ledger, papers
from store.audit import Author
from store.billruns import Closing, Terms, close, survey
from store.closing import close_account
from store.customers import Account, add_account
from store.database import Database
from store.errors import Conflict, NotFound
from store.invoicetables import invoice_sessions
from store.options import Option, add_option, end_option
from store.plans import add_plan
from store.taxes import set_tax, tax_rows
from store.verify import verify
from values.money import decimal_from_units

MARCH, APRIL = (2026, 3), (2026, 4)
SELLER = Party(name="Dialback Ltd", country="DE", tax_id="DE123456789")
TERMS = Terms(seller=SELLER, pattern="INV-{year}-{n:04}", due_days=14)
APRIL_1 = datetime(2026, 4, 1, 12, tzinfo=UTC)
APRIL_2 = datetime(2026, 4, 2, 9, tzinfo=UTC)
MAY_2 = datetime(2026, 5, 2, 9, tzinfo=UTC)
VAT = TaxRow(place="GB", group="standard", valid_from=date(2026, 1, 1), percent=Decimal(20))


def on(at: datetime) -> Author:
    return Author(at=at, name="clerk", reason="month end")


def run(
    company: Database,
    ids: Iterable[str] = ("acme",),
    *,
    month_of: tuple[int, int] = MARCH,
    at: datetime = APRIL_2,
    terms: Terms = TERMS,
) -> Closing:
    return company.call("close", close, tuple(ids), month_of=month_of, terms=terms, author=on(at))


def head_of(company: Database, **fields: Any) -> InvoiceHead:
    (head,) = run(company, **fields).heads
    return head


def balance(company: Database) -> Decimal:
    return decimal_from_units(company.read("standing", ledger.standing, "acme").posted_units)


def call_story(company: Database, name: str = "cb1", **fields: Any) -> None:
    company.call("play", play, callback(name, **fields), story(callback(name, **fields)))


def drafted(company: Database, month_of: tuple[int, int] = MARCH, at: datetime = APRIL_2) -> Invoice:
    return company.read("draft", draft, "acme", month=month_of, now=at, seller=SELLER)


def pay(company: Database, amount: str, at: datetime, name: str = "p1") -> None:
    entry = payment_entry(id=name, at=at, account_id="acme", reference=name, amount=Money(amount, "EUR"))
    company.call("pay", ledger.post, entry)


def test_F150_a_month_is_closed_once_and_the_second_run_changes_nothing(company: Database) -> None:
    call_story(company)
    first = run(company)
    assert [head.number for head in first.heads] == ["INV-2026-0001"]
    before = balance(company)
    again = run(company)
    assert (again.heads, again.already) == ((), ("acme",))
    assert balance(company) == before
    assert len(company.read("list", papers.list_issued)) == 1
    assert company.read("verify", verify) == ()


def test_I7_lines_rounding_and_tax_are_what_the_ledger_took(company: Database) -> None:
    company.call("tax", set_tax, VAT, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    call_story(company)
    head = head_of(company)
    totals = head.totals
    assert (totals.charges, totals.rounding) == (Decimal("0.2342"), Decimal("-0.0042"))
    assert (totals.subtotal, totals.tax, totals.total) == (Decimal("0.23"), Decimal("0.05"), Decimal("0.28"))
    assert balance(company) == -totals.amount_due == Decimal("-0.28")
    made = company.read("entries", ledger.list_entries, account_id="acme", until=MARCH_PERIOD.ends_at)
    taken = sum(
        posting.units
        for entry in made
        for posting in entry.postings
        if "receivable" in str(posting.ledger_account)
    )
    assert decimal_from_units(-taken) == totals.total
    assert company.read("verify", verify) == ()


MARCH_PERIOD = month(2026, 3, "Europe/London")


def test_F067_the_final_invoice_equals_the_last_draft(company: Database) -> None:
    call_story(company)
    pay(company, "5.00", datetime(2026, 3, 20, tzinfo=UTC))
    last = drafted(company)
    head = head_of(company)
    final = company.read("invoice", papers.invoice_of, head.number)
    assert final == replace(last, number=head.number)


def test_a_month_that_is_not_over_in_the_accounts_zone_is_held(company: Database) -> None:
    # 23:30 UTC on 31 March is 00:30 on 1 April in London.
    early, late = datetime(2026, 3, 31, 22, 59, tzinfo=UTC), datetime(2026, 3, 31, 23, 1, tzinfo=UTC)
    (held,) = run(company, at=early).held
    assert held.reason == "the month is not over in Europe/London: it ends at 2026-03-31T23:00:00Z"
    assert run(company, at=late).heads


def test_a_month_with_a_callback_under_way_is_held_and_names_it(company: Database) -> None:
    events = list(story(callback()))
    company.call("play", play, callback(), events[:6])
    (held,) = run(company).held
    assert held.reason == "callback cb1 is under way"
    assert company.read("list", papers.list_issued) == ()


def test_a_month_with_a_callback_that_no_switch_has_taken_up_says_what_ends_it(company: Database) -> None:
    company.call("play", play, callback(), [])
    (held,) = run(company).held
    assert held.reason.startswith("callback cb1 waits for a switch: `dialback serve` rings it, or cancels it")


def test_a_callback_that_is_to_be_rung_in_a_later_month_holds_up_that_month_alone(company: Database) -> None:
    at = datetime(2026, 4, 20, 9, tzinfo=UTC)
    call_story(company)
    asked = callback(
        "cb2", dial_at=at, deadline_at=at + timedelta(minutes=1), expires_at=at + timedelta(minutes=5)
    )
    company.call("ask", callbacks.insert_callback, asked, announce=False)
    assert head_of(company).totals.charges > 0
    (held,) = run(company, month_of=APRIL, at=MAY_2).held
    assert held.reason.startswith("callback cb2 waits for a switch")


def test_a_callback_that_ended_and_is_not_settled_is_named(company: Database) -> None:
    call_story(company, "cb1")
    with company.engine.begin() as connection:
        connection.execute(text("DELETE FROM holds"))
        for table in ("settlements",):
            if company.is_sqlite:
                connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_no_delete"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
            connection.execute(text(f"DELETE FROM {table}"))
    assert "cb1 has ended and is not settled" in run(company).held[0].reason


def test_months_are_closed_in_order(company: Database) -> None:
    call_story(company)
    (held,) = run(company, month_of=APRIL, at=MAY_2).held
    assert held.reason == "callbacks of 2026-03 are on no invoice; run that month first"
    run(company)
    assert head_of(company, month_of=APRIL, at=MAY_2).number == "INV-2026-0002"
    (held,) = run(company, month_of=(2026, 6), at=MAY_2 + timedelta(days=90)).held
    assert held.reason == "2026-05 is not closed yet; run that month first"
    (held,) = run(company, month_of=(2026, 2), at=MAY_2).held
    assert held.reason == "a later month is closed by invoice INV-2026-0001"


def test_F061_a_month_of_no_calls_totals_nothing_and_has_no_set_up_line(company: Database) -> None:
    head = head_of(company)
    assert (head.totals.total, head.totals.amount_due) == (Decimal("0.00"), Decimal(0))
    assert head.items == ()
    invoice = company.read("invoice", papers.invoice_of, head.number)
    assert b"No calls in this period." in forms(invoice)["txt"]
    assert company.read("entries", ledger.list_entries) == ()


def test_F063_five_calls_are_five_callbacks_with_full_lines_whose_sum_is_the_total(company: Database) -> None:
    talks = (1, 29, 30, 31, 600)
    for number, talk in enumerate(talks, 1):
        made = callback(f"cb{number}")
        company.call("play", play, made, story(made, talk))
    head = head_of(company)
    invoice = company.read("invoice", papers.invoice_of, head.number)
    lines_b = [session.lines[-1] for session in invoice.sessions]
    assert [(line.talk_seconds, line.billed_seconds) for line in lines_b] == [
        (1, 30), (29, 30), (30, 30), (31, 31), (600, 600),
    ]  # fmt: skip
    for line in invoice.lines:
        assert line.at.utcoffset() is not None
        assert line.number
        assert line.destination
        assert line.increments == "30/1"
        assert line.per_minute > 0
    assert len(invoice.lines) == 2 * len(talks)
    assert sum(line.amount for line in invoice.lines) == head.totals.charges
    assert head.totals.charges + head.totals.rounding == head.totals.total == -balance(company)
    shown = forms(invoice)["txt"].decode()
    assert all(f"{line.amount:.4f}" in shown for line in invoice.lines)
    assert company.read("verify", verify) == ()


@pytest.mark.parametrize(
    ("used", "total"), [("0", "4.00"), ("19.99", "23.99"), ("20.00", "20.00"), ("20.01", "20.01")]
)
def test_V19_3_F062_the_fee_of_4_is_waived_from_20_of_use(company: Database, used: str, total: str) -> None:
    telcan = plan_of(name="standard", monthly_fee=Decimal(4), monthly_fee_waived_from=Decimal(20))
    company.call("plan", add_plan, telcan, effective_at=LONG_AGO + timedelta(days=1), author=CLERK)
    call_story(company)
    weigh(company, Decimal(used))
    last = drafted(company)
    head = head_of(company)
    assert head.totals.total == Decimal(total)
    assert (head.totals, head.items) == (last.totals, last.items)
    assert balance(company) == Decimal(used) - Decimal(total) - Decimal("0.2342")
    assert head.items[0].name.startswith("Monthly fee, plan standard")
    assert ("waived" in head.items[0].name) is (Decimal(used) >= 20)


def weigh(company: Database, amount: Decimal) -> None:
    """Let the only B-leg have cost that much, and A nothing: as if priced so."""
    with company.engine.begin() as connection:
        if company.is_sqlite:
            connection.execute(text("DROP TRIGGER charges_no_update"))
        else:
            connection.execute(text("ALTER TABLE charges DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE charges SET amount_units = 0"))
        units = int(amount * 10_000)
        connection.execute(text(f"UPDATE charges SET amount_units = {units} WHERE leg_id LIKE '%b1'"))


def test_V19_4_a_package_is_a_line_of_its_own_and_its_seconds_cost_nothing(company: Database) -> None:
    package = plan_of(name="standard", monthly_fee=Decimal(1800), package_seconds=300 * 60)
    company.call("plan", add_plan, package, effective_at=LONG_AGO + timedelta(days=1), author=CLERK)
    head = head_of(company)
    assert [(item.kind, item.name, item.amount) for item in head.items] == [
        ("package", "Package of 05:00:00, plan standard", Decimal("1800.00"))
    ]
    assert head.totals.total == Decimal("1800.00")
    assert balance(company) == Decimal(-1800)


def test_options_are_lines_with_their_own_tax_group(company: Database) -> None:
    reduced = replace(VAT, group="books", percent=Decimal("5.5"))
    for row in (VAT, reduced):
        company.call("tax", set_tax, row, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    for name, group, units in (("second-number", "standard", 2_5000), ("directory", "books", 10_0000)):
        wish = Option(
            id=name, account_id="acme", name=name, monthly_units=units, currency="EUR",
            starts_on=date(2026, 3, 15), tax_group=group,
        )  # fmt: skip
        company.call("option", add_option, wish, CLERK)
    head = head_of(company)
    assert [(line.percent, line.base, line.amount) for line in head.totals.taxes] == [
        (Decimal("5.5"), Decimal("10.00"), Decimal("0.55")),
        (Decimal(20), Decimal("2.50"), Decimal("0.50")),
    ]
    assert balance(company) == -head.totals.total == Decimal("-13.55")


def test_an_option_is_not_dated_into_a_month_that_is_invoiced(company: Database) -> None:
    run(company)
    late = Option(
        id="line-2", account_id="acme", name="Second number", monthly_units=2_5000, currency="EUR",
        starts_on=date(2026, 3, 31),
    )  # fmt: skip
    with pytest.raises(Conflict, match="'acme' is invoiced up to 2026-04-01"):
        company.call("option", add_option, late, CLERK)
    company.call("option", add_option, replace(late, starts_on=date(2026, 4, 1)), CLERK)
    assert head_of(company, month_of=APRIL, at=MAY_2).totals.items == Decimal("2.50")
    with pytest.raises(Conflict, match="the invoice of 2026-04 has 'line-2'"):
        company.call("end", end_option, "line-2", date(2026, 4, 1), CLERK)
    company.call("end", end_option, "line-2", date(2026, 4, 2), CLERK)  # April is owed whole
    company.call("again", add_option, replace(late, starts_on=date(2026, 4, 1)), CLERK)


def test_F146_a_firm_of_another_country_owes_the_tax_itself_and_the_text_says_so(company: Database) -> None:
    rate = replace(VAT, place="FR", reverse_charge=True)
    company.call("tax", set_tax, rate, CLERK)
    owner = company.read("account", customers.account, "acme")
    firm = replace(owner, tax_place="FR", tax_id="FR40303265045")
    company.call("firm", customers.change_account, firm, CLERK)
    call_story(company)
    (line,) = drafted(company).totals.taxes
    assert (line.category, line.amount) == (TaxCategory.REVERSE_CHARGE, Decimal("0.00"))
    assert line.text == REVERSE_CHARGE_TEXT
    company.call("consumer", customers.change_account, replace(firm, tax_id=""), CLERK)
    (line,) = drafted(company).totals.taxes
    assert (line.category, line.amount) == (TaxCategory.STANDARD, Decimal("0.05"))


def test_a_place_without_a_rate_is_held_once_there_are_rates(company: Database) -> None:
    assert survey_of(company).heads
    company.call("tax", set_tax, VAT, CLERK)
    (held,) = run(company).held
    assert "there is no rate for an account without a tax place" in held.reason


def survey_of(company: Database) -> Closing:
    return company.read("survey", survey, ("acme",), month_of=MARCH, now=APRIL_2, terms=TERMS)


def test_a_dry_run_says_the_same_and_writes_nothing(company: Database) -> None:
    call_story(company)
    dry = survey_of(company)
    assert company.read("list", papers.list_issued) == ()
    assert [replace(head, number="INV-2026-0001") for head in dry.heads] == list(run(company).heads)


def test_what_was_owed_goes_on_from_invoice_to_invoice(company: Database) -> None:
    call_story(company)
    pay(company, "0.10", datetime(2026, 3, 20, tzinfo=UTC))
    march = head_of(company)
    assert march.totals.amount_due == Decimal("0.13")
    pay(company, "0.13", datetime(2026, 4, 10, tzinfo=UTC), "p2")
    april = head_of(company, month_of=APRIL, at=MAY_2)
    assert april.totals.previous_owed == Decimal("0.13")
    assert [payment.reference for payment in april.payments] == ["p2"]
    assert april.totals.amount_due == 0 == balance(company)


def test_F067_a_draft_owes_the_calls_of_the_month_before_also_while_that_is_not_closed(
    company: Database,
) -> None:
    run(company, month_of=(2026, 2), at=datetime(2026, 3, 2, tzinfo=UTC))
    call_story(company)
    pay(company, "0.10", datetime(2026, 3, 20, tzinfo=UTC))
    april = drafted(company, APRIL, APRIL_1).totals
    assert april.previous_owed == april.amount_due == Decimal("0.1342") == -balance(company)


def test_F074_a_credit_stands_on_the_next_invoice_and_the_first_is_unchanged(company: Database) -> None:
    call_story(company)
    head = head_of(company)
    before = forms(company.read("invoice", papers.invoice_of, head.number))
    credit = adjustment_entry(
        id="c1", at=datetime(2026, 4, 3, tzinfo=UTC), account_id="acme", reference="case 7",
        amount=Money("5.00", "EUR"), reason="Line cb1-b1 was an engaged tone",
    )  # fmt: skip
    company.call("credit", ledger.post, credit)
    assert forms(company.read("invoice", papers.invoice_of, head.number)) == before
    april = head_of(company, month_of=APRIL, at=MAY_2)
    (line,) = april.payments
    assert (line.reference, line.amount) == ("Line cb1-b1 was an engaged tone", Decimal("5.0000"))
    assert april.totals.amount_due == Decimal("0.23") - 5


def test_F072_a_new_address_is_on_the_next_invoice_and_the_old_one_reprints_unchanged(
    company: Database,
) -> None:
    call_story(company)
    head = head_of(company)
    company.call("keep", papers.keep, head.number, forms(company.read("i", papers.invoice_of, head.number)))
    before = {form: company.read("paper", papers.paper, head.number, form) for form in ("pdf", "json", "txt")}
    owner = company.read("account", customers.account, "acme")
    moved = replace(owner, name="Acme Holding", billing_address="9 New Street")
    company.call("change", customers.change_account, moved, CLERK)
    for form, body in before.items():
        assert company.read("paper", papers.paper, head.number, form) == body
    assert forms(company.read("i", papers.invoice_of, head.number))["pdf"] == before["pdf"]
    april = head_of(company, month_of=APRIL, at=MAY_2)
    assert (april.buyer.name, april.buyer.address) == ("Acme Holding", ("9 New Street",))


def test_of_many_who_write_the_same_papers_at_once_one_does_and_the_others_find_them(
    company: Database,
) -> None:
    head = head_of(company)
    made = forms(company.read("invoice", papers.invoice_of, head.number))
    together = threading.Barrier(6)
    kept: list[bool] = []
    faults: list[Exception] = []

    def keep(connection: Connection) -> bool:
        if not company.is_sqlite:  # which has one writer at a time
            together.wait()
        return papers.keep(connection, head.number, made)

    def rush() -> None:
        try:
            kept.append(company.call("keep", keep))
        except Exception as error:  # noqa: BLE001 - a thread's fault is told by the test
            faults.append(error)

    threads = [threading.Thread(target=rush) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (faults, sorted(kept)) == ([], [False] * 5 + [True])


def test_papers_are_written_once_and_proved_by_their_hash(company: Database) -> None:
    head = head_of(company)
    made = forms(company.read("invoice", papers.invoice_of, head.number))
    assert company.read("unwritten", papers.unwritten) == (head.number,)
    assert company.call("keep", papers.keep, head.number, made) is True
    assert company.call("keep", papers.keep, head.number, made) is False
    assert company.read("unwritten", papers.unwritten) == ()
    with pytest.raises(Conflict, match="what was issued stays"):
        company.call("keep", papers.keep, head.number, made | {"txt": b"0.00"})
    with pytest.raises(NotFound, match="no invoice 'INV-9'"):
        company.read("paper", papers.paper, "INV-9", "pdf")


@pytest.mark.parametrize("table", ["invoices", "invoice_sessions", "invoice_documents"])
@pytest.mark.parametrize("change", ["UPDATE {} SET number = 'X'", "DELETE FROM {}"])
def test_F150_what_was_issued_cannot_be_changed_in_the_database(
    company: Database, table: str, change: str
) -> None:
    call_story(company)
    head = head_of(company)
    company.call("keep", papers.keep, head.number, {"json": b"{}"})
    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        company.engine.begin() as connection,
    ):
        connection.execute(text(change.format(table)))


def test_numbers_are_without_gaps_also_when_a_run_fails_in_the_middle(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.call("more", more_accounts, 5)
    run(company, ["a1"])
    monkeypatch.setattr(ledger, "post_all", broken)
    with pytest.raises(RuntimeError, match="pulled"):
        run(company, ["a2", "a3"])
    monkeypatch.undo()
    run(company, ["a2", "a3", "a4", "a5"])
    numbers = [each.number for each in company.read("list", papers.list_issued)]
    assert numbers == [f"INV-2026-{count:04}" for count in range(1, 6)]


def broken(*_: object) -> None:
    raise RuntimeError("the plug was pulled")


def more_accounts(connection: Connection, count: int) -> None:
    for number in range(1, count + 1):
        owner = Account(
            id=f"a{number}", name=f"Account {number}", currency="EUR", zone="UTC", plan_name="standard",
        )  # fmt: skip
        add_account(connection, owner, CLERK)


def test_every_callback_of_the_month_is_marked_also_those_that_nobody_answered(company: Database) -> None:
    call_story(company)
    company.call("play", play, callback("cb2"), [*story(callback("cb2"))])
    head = head_of(company)
    marked = company.read("marked", lambda connection: connection.execute(select(invoice_sessions)).all())
    assert sorted(marked) == [("cb1", head.number), ("cb2", head.number)]


def test_an_account_that_moved_to_another_zone_goes_on_where_its_last_invoice_ended(
    company: Database,
) -> None:
    call_story(company)
    run(company)
    owner = company.read("account", customers.account, "acme")
    company.call("move", customers.change_account, replace(owner, zone="Pacific/Honolulu"), CLERK)
    april = head_of(company, month_of=APRIL, at=MAY_2)
    assert april.period.starts_at == MARCH_PERIOD.ends_at
    assert april.period.ends_at == datetime(2026, 5, 1, 10, tzinfo=UTC)


def test_a_closed_account_with_nothing_to_say_gets_no_invoice(company: Database) -> None:
    company.call("state", customers.set_account_state, "acme", AccountState.CLOSED, CLERK)
    assert run(company).idle == ("acme",)


def test_a_month_that_was_over_when_the_account_was_closed_bears_its_fee_and_the_month_of_the_end_does_not(
    company: Database,
) -> None:
    telcan = plan_of(name="standard", monthly_fee=Decimal(4))
    company.call("plan", add_plan, telcan, effective_at=LONG_AGO + timedelta(days=1), author=CLERK)
    with pytest.raises(Conflict, match=r"owes 4\.0000 EUR, reckoned with the invoice to come of 2026-03"):
        company.call("close", close_account, "acme", on(APRIL_1), seller=SELLER)
    pay(company, "4.00", APRIL_1)
    company.call("close", close_account, "acme", on(APRIL_1), seller=SELLER)
    assert head_of(company).totals.total == Decimal("4.00")
    april = head_of(company, month_of=APRIL, at=MAY_2)
    assert (april.items, april.totals.amount_due) == ((), Decimal("0.0000"))


def test_a_rate_that_invoices_stand_on_is_not_changed(company: Database) -> None:
    company.call("tax", set_tax, VAT, CLERK)
    company.call("tax", set_tax, VAT, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    company.call("mend", set_tax, replace(VAT, percent=Decimal(19)), CLERK)
    run(company)
    with pytest.raises(Conflict, match="invoices are issued up to 2026-04-01"):
        company.call("tax", set_tax, VAT, CLERK)
    later = replace(VAT, valid_from=date(2026, 4, 1), percent=Decimal("22.5"))
    company.call("tax", set_tax, later, CLERK)
    assert [row.percent for row in company.read("rows", tax_rows)] == [Decimal(19), Decimal("22.5")]


def test_a_place_that_was_held_for_want_of_a_rate_is_billed_once_it_has_one(company: Database) -> None:
    company.call("tax", set_tax, VAT, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    company.call("other", add_account, replace(owner, id="lyon", tax_place="FR"), CLERK)
    assert [held.account_id for held in run(company, ("acme", "lyon")).held] == ["lyon"]
    french = replace(VAT, place="FR")
    company.call("tax", set_tax, french, CLERK)
    assert [head.account_id for head in run(company, ("acme", "lyon")).heads] == ["lyon"]
    # Now an invoice stands on it, also on what is no rate of its own for calls.
    for row in (replace(french, percent=Decimal(21)), replace(french, group="calls")):
        with pytest.raises(Conflict, match="invoices are issued up to 2026-04-01"):
            company.call("tax", set_tax, row, CLERK)


def test_an_account_that_was_held_is_asked_for_the_fee_of_that_month_before_the_next(
    company: Database,
) -> None:
    telcan = plan_of(name="telcan", monthly_fee=Decimal(4))
    company.call("plan", add_plan, telcan, effective_at=LONG_AGO, author=CLERK)
    company.call("tax", set_tax, VAT, CLERK)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    lyon = replace(owner, id="lyon", tax_place="FR", plan_name="telcan")
    company.call("other", add_account, lyon, CLERK)
    both, february = ("acme", "lyon"), (2026, 2)
    assert [held.account_id for held in run(company, both, month_of=february).held] == ["lyon"]
    company.call("tax", set_tax, replace(VAT, place="FR"), CLERK)
    (held,) = run(company, both).held
    assert (held.account_id, held.reason) == ("lyon", "2026-02 is not closed yet; run that month first")
    with pytest.raises(
        Conflict, match=r"owes 9\.6000 EUR, reckoned with the invoice to come of 2026-02, 2026-03"
    ):
        company.call("close", close_account, "lyon", on(APRIL_2), seller=SELLER)
    totals = [head_of(company, ids=both, month_of=each).totals.total for each in (february, MARCH)]
    assert totals == [Decimal("4.80"), Decimal("4.80")]


def test_a_place_that_was_billed_without_tax_gets_its_rate_from_a_later_day(company: Database) -> None:
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), CLERK)
    run(company)
    with pytest.raises(Conflict, match="invoices are issued up to 2026-04-01"):
        company.call("tax", set_tax, replace(VAT, place="FR"), CLERK)  # there was none at all
    company.call("tax", set_tax, replace(VAT, place="DE", valid_from=date(2026, 4, 1)), CLERK)
    with pytest.raises(Conflict, match="invoices are issued up to 2026-04-01"):
        company.call("tax", set_tax, VAT, CLERK)
    company.call("tax", set_tax, replace(VAT, valid_from=date(2026, 4, 1)), CLERK)


def test_F146_a_firm_is_held_while_nobody_knows_whether_it_is_of_another_country(company: Database) -> None:
    company.call("tax", set_tax, replace(VAT, reverse_charge=True), CLERK)
    owner = company.read("account", customers.account, "acme")
    firm = replace(owner, tax_place="GB", tax_id="GB123456789")
    company.call("place", customers.change_account, firm, CLERK)
    (held,) = run(company, terms=replace(TERMS, seller=replace(SELLER, country=""))).held
    assert "write `country` into [seller] of switch.toml" in held.reason
    at_home = replace(TERMS, seller=replace(SELLER, country="GB"))
    (line,) = head_of(company, terms=at_home).totals.taxes
    assert line.category is TaxCategory.STANDARD


def test_masked_numbers_are_masked_in_every_form(company: Database) -> None:
    owner = company.read("account", customers.account, "acme")
    company.call("mask", customers.change_account, replace(owner, masks_numbers=True), CLERK)
    call_story(company)
    head = head_of(company)
    made = forms(company.read("invoice", papers.invoice_of, head.number))
    for form in ("txt", "json", "csv", "html"):
        assert b"+1415555****" in made[form]
        assert b"+14155550123" not in made[form]


def test_gather_and_close_agree_on_the_whole_document(company: Database) -> None:
    call_story(company)
    facts = company.read("gather", invoices.gather, "acme", MARCH_PERIOD)
    assert facts.month.charges == sum(leg.charge.amount for leg in facts.sessions[0].legs)
    last = to_json(drafted(company))
    head = head_of(company)
    final = to_json(company.read("invoice", papers.invoice_of, head.number))
    assert final == last.replace('"number": ""', f'"number": "{head.number}"').replace(
        '"draft": true', '"draft": false'
    )


def test_every_tampering_with_invoices_is_named(company: Database) -> None:
    call_story(company)
    head = head_of(company)
    company.call("keep", papers.keep, head.number, {"json": b"{}"})
    assert company.read("verify", verify) == ()
    untied(company)
    for statement, said in (
        ("UPDATE invoice_documents SET sha256 = 'x'", "its json is not what was issued"),
        ("UPDATE invoices SET charges_units = 7", "its calls come to 2342 less 0 and 0, it says 7"),
        ("UPDATE invoices SET rounding_units = 1", "rounding come to 1, its entries took -42"),
        ("UPDATE invoices SET total_units = 1", "its total is 1, its parts sum to 2300"),
        ("UPDATE invoices SET due_units = 1", "and its total come to 2300, it asks for 1"),
        (
            "UPDATE invoices SET payments_units = 5, due_units = 2295",
            "its payments less its total are -2295, the entries of its period sum to -2300",
        ),
        (
            "UPDATE invoices SET previous_units = 7, due_units = 2307",
            "the first of its account, says that 7 was owed before; entries took 0",
        ),
        (
            "UPDATE number_series SET last = 2",
            "1 numbers are given, the highest is 1, the last is said to be 2",
        ),
        ("DELETE FROM invoice_sessions", "callback cb1 ended in the period of invoice INV-2026-0001"),
    ):
        assert any(said in sentence for sentence in tampered(company, statement)), statement


def test_a_balance_that_is_not_carried_on_from_invoice_to_invoice_is_named(company: Database) -> None:
    for day in (datetime(2026, 2, 10, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC)):
        gift = adjustment_entry(
            id=f"{day}", at=day, account_id="acme", reference="gift", amount=Money(1, "EUR"), reason="gift"
        )
        company.call("gift", ledger.post, gift)
    call_story(company)
    run(company)
    run(company, month_of=APRIL, at=MAY_2)
    assert company.read("verify", verify) == ()
    untied(company)
    slip = "UPDATE invoices SET previous_units = previous_units + 1, due_units = due_units + 1"
    (said,) = tampered(company, f"{slip} WHERE number = 'INV-2026-0002'")
    assert said == (
        "invoice INV-2026-0002 says that -7699 was owed before, invoice INV-2026-0001 asked for -7700"
    )


class TakenBackError(Exception):
    """Ends a transaction without a commit."""


def tampered(company: Database, statement: str) -> tuple[str, ...]:
    """What verify says after that statement, which is taken back."""
    found: list[str] = []

    def tamper(connection: Connection) -> None:
        connection.execute(text(statement))
        found.extend(verify(connection))
        raise TakenBackError

    with pytest.raises(TakenBackError):
        company.call("tamper", tamper)
    return tuple(found)


def untied(company: Database) -> None:
    """Take the triggers off, as somebody with the database's password could."""
    with company.engine.begin() as connection:
        for table in ("invoices", "invoice_sessions", "invoice_documents"):
            if company.is_sqlite:
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER {table}_no_{verb}"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
                connection.execute(text(f"GRANT DELETE ON {table} TO CURRENT_USER"))


def test_F150_nothing_is_dated_into_a_month_that_is_closed(company: Database) -> None:
    pay(company, "1.00", datetime(2026, 3, 20, tzinfo=UTC))
    head = head_of(company)
    with pytest.raises(Conflict, match="'acme' is invoiced up to 2026-03-31T23:00:00Z"):
        pay(company, "2.00", datetime(2026, 3, 21, tzinfo=UTC), "late")
    pay(company, "1.00", datetime(2026, 3, 20, tzinfo=UTC))  # told again: it is in the books already
    pay(company, "2.00", head.period.ends_at, "late")
    april = head_of(company, month_of=APRIL, at=MAY_2)
    assert april.totals.amount_due == Decimal("-3.0000") == -balance(company)


def test_a_months_legend_names_the_plans_that_its_calls_were_priced_by(company: Database) -> None:
    later = replace(plan_of(), a_leg_policy=ALegPolicy.FREE)
    company.call("plan", add_plan, later, effective_at=LONG_AGO, author=CLERK)
    call_story(company, "one", plan_id="standard:1")
    call_story(company, "proof", plan_id="standard:1+free")  # a number's proof, of which leg A is free
    assert drafted(company).price_list == "standard, version 1"
    call_story(company, "two", plan_id="standard:2")
    before, head = drafted(company), head_of(company)
    legend = " ".join(head.legend)
    assert "Under standard, version 1: The call to you is charged from the first key" in legend
    assert "Under standard, version 2: The call to you is free." in legend
    assert (before.legend, before.price_list) == (head.legend, head.price_list)
    april = drafted(company, APRIL, MAY_2)  # without a call the terms are those of its end
    assert april.price_list == "standard, version 2"
    assert "Under" not in " ".join(april.legend)

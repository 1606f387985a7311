"""Credit notes and disputes: never more than was charged, numbered without gaps, on both engines."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from einvoices import rules_broken
from moneyed import Money
from pdfa import clauses_broken
from sqlalchemy import Connection, text
from storeworld import CLERK, NOW, callback, play, seconds, story

from billing.invoice import LineKind, PaperKind
from billing.particulars import Party
from billing.render import forms
from billing.tax import TaxRow
from calls.callback import ReleasedBy
from calls.events import LegHungUp
from staff.drafts import draft
from store import billruns, creditnotes, customers, disputes, dunning, ledger, papers, receivables
from store.cdrs import list_cdrs
from store.creditnotes import CreditNote
from store.database import Database
from store.disputes import DisputeState
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.taxes import set_tax
from store.verify import verify
from values.money import decimal_units, half_up

AUTHOR = replace(CLERK, at=NOW, reason="one-way sound")
A_LEG, B_LEG = "cb1-a1", "cb1-b1"


@pytest.fixture
def called(company: Database) -> Database:
    """A settled call: B talked 31 s at 0.25, which is 0.1292; A 63 s from its first key at 0.10, 0.1050."""
    company.call("play", play, callback(), story(callback()))
    return company


def credit(
    called: Database, line_id: str = B_LEG, amount: str | None = None, reference: str = "case 7"
) -> tuple[CreditNote, bool]:
    wanted = None if amount is None else Money(amount, "EUR")
    return called.call("credit", creditnotes.issue, line_id, wanted, reference, AUTHOR)


def balance(called: Database) -> int:
    return called.read("standing", ledger.standing, "acme").posted_units


def charged(called: Database, line_id: str) -> int:
    return called.read("line", creditnotes.line, line_id).charged_units


def test_F074_a_line_is_given_back_with_its_reason_and_the_original_stays(company: Database) -> None:
    dear = callback("cb1")
    company.call("play", play, dear, story(dear, 1_500))  # 25 minutes at 0.25 are 6.25
    before = [each.charge for each in company.read("records", list_cdrs)]
    entry = company.read("entry", ledger.entry, "charge-cb1")
    owed = -balance(company)
    note, is_new = credit(company, amount="5.00")
    assert is_new
    assert (note.number, note.leg_id, note.units, note.reason) == (
        "CN-2026-00001",
        B_LEG,
        5_0000,
        "one-way sound",
    )
    assert balance(company) == -owed + 5_0000
    records = company.read("records", list_cdrs)
    assert [each.charge for each in records] == before
    assert [each.credited for each in records] == [0, 5]
    assert company.read("entry", ledger.entry, "charge-cb1") == entry
    assert company.read("verify", verify) == ()


def test_without_an_amount_all_that_is_left_is_given_back(called: Database) -> None:
    credit(called, amount="0.02", reference="case 6")
    note, _ = credit(called)
    assert note.units == charged(called, B_LEG) - 200
    with pytest.raises(Forbidden, match=f"nothing is left of '{B_LEG}'"):
        credit(called, reference="case 8")


def test_a_leg_is_never_credited_beyond_its_charge(called: Database) -> None:
    with pytest.raises(Forbidden, match=r"0\.1293 is more than the 0\.1292 EUR left of"):
        credit(called, amount="0.1293")
    assert called.read("notes", creditnotes.list_credit_notes) == ()


def test_a_session_is_never_credited_beyond_its_charge_whichever_way(called: Database) -> None:
    whole = charged(called, "cb1")
    assert whole == charged(called, A_LEG) + charged(called, B_LEG)
    credit(called, "cb1", amount="0.20", reference="case 1")
    note, _ = credit(called, B_LEG, reference="case 2")
    assert note.units == whole - 2000
    for line_id in (A_LEG, B_LEG, "cb1"):
        with pytest.raises(Forbidden):
            credit(called, line_id, amount="0.0001", reference=f"case {line_id}")
    assert balance(called) == 0


def test_a_credit_note_asked_for_twice_is_one(called: Database) -> None:
    (first, is_new), (second, is_second_new) = credit(called), credit(called)
    assert (is_new, is_second_new) == (True, False)
    assert first == second
    with pytest.raises(Conflict, match="names another act"):
        credit(called, amount="0.01")


def test_F074_each_series_of_numbers_counts_for_itself_and_may_be_taken_up_again(called: Database) -> None:
    def numbers(pattern: str, year: int, amounts: int) -> list[str]:
        author = replace(AUTHOR, at=AUTHOR.at.replace(year=year))
        given = []
        for index in range(amounts):
            wanted, reference = Money("0.0001", "EUR"), f"{pattern} {year} {index}"
            note, _ = called.call(
                "credit", creditnotes.issue, B_LEG, wanted, reference, author, numbering=pattern
            )
            given.append(note.number)
        return given

    yearly, endless, behind = "CN-{year}-{n:05}", "CN-{n}", "{n:03}/{year}"
    assert numbers(yearly, 2026, 2) == ["CN-2026-00001", "CN-2026-00002"]
    assert numbers(endless, 2026, 10)[-1] == "CN-10"
    assert numbers(yearly, 2027, 1) == ["CN-2027-00001"]
    assert numbers(behind, 2027, 1) == ["001/2027"]
    assert numbers(behind, 2028, 2) == ["001/2028", "002/2028"]
    assert numbers(endless, 2028, 1) == ["CN-11"]
    assert numbers(yearly, 2027, 3) == ["CN-2027-00001", "CN-2027-00002", "CN-2027-00003"]  # the first: again
    assert called.read("verify", verify) == ()


def test_before_it_is_invoiced_there_is_no_tax_to_give_back_and_nothing_is_rounded(called: Database) -> None:
    note, _ = called.call("credit", creditnotes.issue, B_LEG, None, "case 7", AUTHOR, seller=HOUSE)
    assert (note.units, note.tax_units) == (1292, 0)
    paper = called.read("paper", papers.invoice_of, note.number)
    assert (paper.corrects, paper.totals.total, paper.minor_digits) == ("", Decimal("0.1292"), 4)
    assert sorted(forms(paper)) == ["csv", "html", "json", "pdf", "txt"]
    with pytest.raises(NotFound, match="the buyer has no country"):
        called.read("xml", papers.paper, note.number, "xml")
    assert called.read("verify", verify) == ()


def test_F074_the_tax_of_the_invoice_is_given_back_at_that_invoices_rate(company: Database) -> None:
    vat = TaxRow(place="GB", group="standard", valid_from=date(2026, 1, 1), percent=Decimal(20))
    company.call("tax", set_tax, vat, AUTHOR)
    owner = company.read("account", customers.account, "acme")
    company.call("place", customers.change_account, replace(owner, tax_place="GB"), AUTHOR)
    company.call("play", play, callback(), story(callback(), 1_500))
    april = replace(AUTHOR, at=datetime(2026, 4, 2, 9, tzinfo=UTC))
    terms = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)
    company.call("close", billruns.close, ["acme"], month_of=(2026, 3), terms=terms, author=april)
    wanted = Money("5.00", "EUR")
    for _ in range(2):
        note, _is_new = company.call("credit", creditnotes.issue, B_LEG, wanted, "case 7", april)
        assert (note.units, note.tax_units) == (5_0000, 1_0000)
    assert company.read("verify", verify) == ()


def test_numbers_have_no_gap_also_when_issuing_fails_or_many_issue_at_once(called: Database) -> None:
    def issue_and_die(connection: Connection) -> None:
        creditnotes.issue(connection, B_LEG, Money("0.01", "EUR"), "lost", AUTHOR)
        raise LookupError

    credit(called, amount="0.01", reference="case 0")
    with pytest.raises(LookupError):
        called.call("die", issue_and_die)
    threads = [
        threading.Thread(target=credit, args=(called, B_LEG, "0.01", f"case {number}"))
        for number in range(1, 7)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = [each.sequence for each in called.read("notes", creditnotes.list_credit_notes)]
    assert numbers == list(range(1, 8))
    assert called.read("verify", verify) == ()


def test_a_call_that_has_not_ended_or_is_unknown_is_not_credited(called: Database) -> None:
    with pytest.raises(NotFound, match="'cb9' was charged"):
        credit(called, "cb9")


@pytest.mark.parametrize(("amount", "currency"), [("0", "EUR"), ("-1", "EUR"), ("1", "USD")])
def test_a_credit_is_more_than_nothing_and_in_the_lines_currency(
    called: Database, amount: str, currency: str
) -> None:
    with pytest.raises(Invalid, match="is no credit"):
        called.call("credit", creditnotes.issue, B_LEG, Money(amount, currency), "case 7", AUTHOR)


def test_a_credit_note_needs_a_reason(called: Database) -> None:
    with pytest.raises(Invalid, match="printed on the credit note"):
        called.call("credit", creditnotes.issue, B_LEG, None, "case 7", replace(AUTHOR, reason=" "))


# disputes


def dispute(called: Database, dispute_id: str = "d1", leg_id: str = B_LEG) -> Any:
    return called.call("dispute", disputes.open_dispute, dispute_id, leg_id, AUTHOR)


def test_F149_a_dispute_that_is_accepted_is_a_credit_note(called: Database) -> None:
    assert dispute(called).state is DisputeState.OPEN
    note, is_new = called.call("accept", disputes.accept, "d1", None, "case 7", AUTHOR)
    assert is_new
    decided = called.read("dispute", disputes.dispute, "d1")
    assert (decided.state, decided.credit_note, decided.decision) == (
        DisputeState.ACCEPTED,
        note.number,
        "one-way sound",
    )
    again, is_new = called.call("accept", disputes.accept, "d1", None, "case 7", AUTHOR)
    assert (again, is_new) == (note, False)
    with pytest.raises(Conflict, match=f"was accepted by {note.number}"):
        called.call("reject", disputes.reject, "d1", AUTHOR)
    assert called.read("verify", verify) == ()


def test_a_dispute_that_is_rejected_leaves_the_line_and_says_why(called: Database) -> None:
    dispute(called)
    owed = balance(called)
    assert called.call("reject", disputes.reject, "d1", AUTHOR)
    assert not called.call("reject", disputes.reject, "d1", AUTHOR)
    assert balance(called) == owed
    with pytest.raises(Conflict, match="was rejected"):
        called.call("accept", disputes.accept, "d1", None, "case 7", AUTHOR)
    assert dispute(called, "d2").state is DisputeState.OPEN


def test_a_leg_has_one_open_dispute_at_a_time(called: Database) -> None:
    dispute(called)
    with pytest.raises(Conflict, match="disputed already, by d1"):
        dispute(called, "d2")
    assert dispute(called, "d3", A_LEG).leg_id == A_LEG


def test_only_a_charged_leg_is_disputed(called: Database) -> None:
    with pytest.raises(Invalid, match="whole callback"):
        dispute(called, leg_id="cb1")
    with pytest.raises(NotFound):
        dispute(called, leg_id="nobody")


def test_a_leg_that_nobody_answered_cost_nothing_and_is_not_disputed(company: Database) -> None:
    first = callback()
    *begun, _, _, end = story(first)
    busy = LegHungUp(at=seconds(40), leg_id=B_LEG, q850_cause=17, released_by=ReleasedBy.FAR)
    company.call("play", play, first, [*begun, busy, end])
    with pytest.raises(Forbidden, match=f"nothing was charged for '{B_LEG}'"):
        dispute(company)
    assert company.read("disputes", disputes.list_disputes) == ()


def test_a_dispute_whose_credit_fails_stays_open(called: Database) -> None:
    dispute(called)
    with pytest.raises(Forbidden):
        called.call("accept", disputes.accept, "d1", Money("9", "EUR"), "case 7", AUTHOR)
    assert called.read("dispute", disputes.dispute, "d1").state is DisputeState.OPEN


def execute(connection: Connection, statement: str) -> None:
    connection.execute(text(statement))


def test_I1_credit_notes_and_what_was_disputed_are_never_changed(called: Database) -> None:
    dispute(called)
    called.call("accept", disputes.accept, "d1", None, "case 7", AUTHOR)
    for statement in (
        "UPDATE credit_notes SET units = units",
        "DELETE FROM credit_notes",
        "UPDATE disputes SET reason = ''",
        "DELETE FROM disputes",
    ):
        with pytest.raises(Exception, match="append-only"):
            called.call("tamper", execute, statement)


def taxed(company: Database, **of_account: Any) -> None:
    """The account bears 20 % from now on."""
    vat = TaxRow(place="GB", group="standard", valid_from=date(2026, 1, 1), percent=Decimal(20))
    company.call("tax", set_tax, vat, AUTHOR)
    owner = company.read("account", customers.account, "acme")
    changed = replace(owner, tax_place="GB", **of_account)
    company.call("place", customers.change_account, changed, AUTHOR)


def invoiced(company: Database, talk: int = 31, **of_account: Any) -> str:
    """March is closed, at 20 % tax; the number of the invoice."""
    taxed(company, **of_account)
    company.call("play", play, callback(), story(callback(), talk))
    (head,) = company.call("close", billruns.close, ["acme"], **MARCH).heads
    return str(head.number)


APRIL_2 = replace(AUTHOR, at=datetime(2026, 4, 2, 9, tzinfo=UTC))
HOUSE = Party(name="Dialback Ltd", country="DE", tax_id="DE123456789")
MARCH: dict[str, Any] = {
    "month_of": (2026, 3),
    "terms": billruns.Terms(seller=HOUSE, pattern="INV-{n:04}", due_days=14),
    "author": APRIL_2,
}


def test_F074_a_credit_of_an_invoiced_line_is_a_document_whose_sums_are_the_ledgers(
    company: Database,
) -> None:
    number = invoiced(company, masks_numbers=True)
    before = balance(company)
    note, _ = company.call("credit", creditnotes.issue, B_LEG, None, "case 7", APRIL_2, seller=HOUSE)
    # 0.1292 are 0.13, and 20 % of it 0.03.
    assert balance(company) - before == 1600
    paper = company.read("paper", papers.invoice_of, note.number)
    assert (paper.kind, paper.corrects, paper.reason) == (PaperKind.CREDIT_NOTE, number, "one-way sound")
    totals = paper.totals
    assert (totals.rounding, totals.tax, totals.total) == (
        Decimal("0.0008"),
        Decimal("0.03"),
        Decimal("0.16"),
    )
    (line,) = paper.lines
    assert (line.leg_id, line.number, line.amount) == (B_LEG, "+1415555****", Decimal("0.1292"))
    made = forms(paper)
    assert rules_broken(made["xml"]) == []
    assert b"<ram:TypeCode>381</ram:TypeCode>" in made["xml"]
    assert f"<ram:IssuerAssignedID>{number}</ram:IssuerAssignedID>".encode() in made["xml"]
    for form in ("txt", "html", "csv", "json", "xml"):
        assert b"0.16" in made[form], form
        assert b"+14155550123" not in made[form], form
    assert clauses_broken(made["pdf"], has_xml=True) == []
    company.call("keep", papers.keep, note.number, made)
    again = company.read("paper", papers.invoice_of, note.number)
    assert not company.call("keep again", papers.keep, note.number, forms(again))
    assert company.read("verify", verify) == ()


def test_F074_a_whole_callback_or_a_part_of_it_is_shown_on_the_note(company: Database) -> None:
    invoiced(company)
    part, _ = company.call("credit", creditnotes.issue, "cb1", Money("0.10", "EUR"), "case 1", APRIL_2)
    (line,) = company.read("paper", papers.invoice_of, part.number).lines
    assert (line.destination, line.amount) == ("Part of this callback", Decimal("0.1000"))
    rest, _ = company.call("credit", creditnotes.issue, "cb1", None, "case 2", APRIL_2)
    assert rest.units == 1342
    assert company.read("verify", verify) == ()


def test_however_many_pieces_an_invoice_is_given_back_in_no_more_comes_back_than_was_taken(
    company: Database,
) -> None:
    number = invoiced(company)
    before = balance(company)
    whole = charged(company, "cb1")
    for piece in range(whole // 50 + 1):  # 0.0050 is a cent by itself
        with suppress(Forbidden):  # nothing is left, or it rounds to nothing after all that was rounded up
            company.call(
                "credit", creditnotes.issue, "cb1", Money("0.0050", "EUR"), f"piece {piece}", APRIL_2
            )
    with suppress(Forbidden):
        company.call("credit", creditnotes.issue, "cb1", None, "the rest", APRIL_2)
    invoice = company.read("invoice", papers.invoice_of, number)
    assert balance(company) - before == decimal_units(invoice.totals.total)
    assert company.read("verify", verify) == ()


def test_F074_the_calls_of_a_month_are_given_back_one_by_one_to_the_cent_of_its_invoice(
    company: Database,
) -> None:
    for index in range(1, 6):
        first = callback(f"more{index}")
        company.call("play", play, first, story(first, 31 + index))
    number = invoiced(company)
    invoice = company.read("invoice", papers.invoice_of, number)
    before = balance(company)
    for session in invoice.sessions:
        reference = f"all of {session.callback_id}"
        company.call("credit", creditnotes.issue, session.callback_id, None, reference, APRIL_2, seller=HOUSE)
    assert balance(company) - before == decimal_units(invoice.totals.total)
    assert company.read("verify", verify) == ()


def test_what_rounds_to_nothing_is_no_credit_note_and_leaves_no_gap(company: Database) -> None:
    invoiced(company)
    with pytest.raises(Forbidden, match="is nothing once it is rounded to 2 decimals"):
        company.call("credit", creditnotes.issue, B_LEG, Money("0.0049", "EUR"), "case 1", APRIL_2)
    note, _ = company.call("credit", creditnotes.issue, B_LEG, Money("0.0050", "EUR"), "case 1", APRIL_2)
    assert note.number == "CN-2026-00001"


def test_F074_a_credit_before_the_invoice_is_a_line_below_zero_and_tax_is_taken_on_what_is_left(
    company: Database,
) -> None:
    dear = callback("dear")
    company.call("play", play, dear, story(dear, 1_500))
    note, _ = company.call("credit", creditnotes.issue, "dear-b1", Money("5.00", "EUR"), "case 7", APRIL_2)
    draft_ = company.read("draft", draft, "acme", month=(2026, 3), now=APRIL_2.at, seller=HOUSE)
    number = invoiced(company)
    invoice = company.read("invoice", papers.invoice_of, number)
    assert invoice.lines[2:] == draft_.lines  # the other call came later
    (credited,) = [line for line in invoice.lines if line.kind is LineKind.CREDITED]
    assert (credited.leg_id, credited.number, credited.amount) == ("dear-b1", note.number, Decimal("-5.0000"))
    assert invoice.payments == ()
    totals = invoice.totals
    charged_ = Decimal(charged(company, "dear") + charged(company, "cb1")) / 10_000
    assert totals.charges == charged_ - 5 == sum(line.amount for line in invoice.lines)
    (tax,) = totals.taxes
    assert (tax.base, tax.amount) == (totals.subtotal, half_up(totals.subtotal / 5, 2))
    for summaries in (invoice.by_day, invoice.by_destination, invoice.by_subscriber, invoice.by_tag):
        assert sum(each.amount for each in summaries) == totals.charges
        assert max(each.calls for each in summaries) == 2
    made = forms(invoice)
    assert rules_broken(made["xml"]) == []
    assert clauses_broken(made["pdf"], has_xml=True) == []
    for form in ("txt", "html", "csv", "json", "xml"):
        assert f"{totals.total}".encode() in made[form], form
    for form in ("txt", "html", "csv", "json"):
        assert note.number.encode() in made[form], form
    assert balance(company) == -decimal_units(totals.amount_due)
    assert company.read("verify", verify) == ()


def test_a_month_of_which_all_calls_were_given_back_is_an_invoice_of_nothing_that_validates(
    company: Database,
) -> None:
    call = callback("cb0")
    company.call("play", play, call, story(call))
    company.call("credit", creditnotes.issue, "cb0", None, "case 1", AUTHOR)
    taxed(company)
    (head,) = company.call("close", billruns.close, ["acme"], **MARCH).heads
    assert not head.totals.charges
    assert not head.totals.total
    assert balance(company) == 0
    invoice = company.read("invoice", papers.invoice_of, head.number)
    assert len(invoice.lines) == 3
    assert rules_broken(forms(invoice)["xml"]) == []
    assert company.read("verify", verify) == ()


def test_what_is_left_of_a_call_after_a_credit_before_its_invoice_is_given_back_by_the_next(
    company: Database,
) -> None:
    dear = callback("dear")
    company.call("play", play, dear, story(dear, 1_500))
    company.call("credit", creditnotes.issue, "dear", Money("5.00", "EUR"), "case 1", AUTHOR)
    number = invoiced(company)
    invoice = company.read("invoice", papers.invoice_of, number)
    for line_id in ("dear", "cb1"):
        note, _ = company.call("credit", creditnotes.issue, line_id, None, line_id, APRIL_2, seller=HOUSE)
        paper = company.read("paper", papers.invoice_of, note.number)
        assert sum(line.amount for line in paper.lines) == paper.totals.charges
        assert clauses_broken(forms(paper)["pdf"], has_xml=True) == []
    assert balance(company) == 0
    assert invoice.totals.charges == Decimal("4.0375")
    assert company.read("verify", verify) == ()


def test_a_credit_before_the_invoice_pays_nothing_that_is_older(company: Database) -> None:
    number = invoiced(company, 1_500)
    more = callback("more", created_at=APRIL_2.at, expires_at=APRIL_2.at + timedelta(minutes=5))
    moved = [replace(event, at=event.at + (APRIL_2.at - NOW)) for event in story(more, 1_500)]
    company.call("play", play, more, moved)
    company.call("credit", creditnotes.issue, "more", None, "case 1", APRIL_2)
    owner = company.read("account", customers.account, "acme")
    (late,) = company.read("open", dunning.open_invoices, owner)
    assert (late.number, late.open_units) == (number, late.total_units)
    assert company.read("unbilled", receivables.unbilled)[0].units == 0


def test_F074_the_next_invoice_lists_the_note_by_its_number(company: Database) -> None:
    invoiced(company)
    company.call("credit", creditnotes.issue, B_LEG, None, "case 7", APRIL_2)
    may = replace(AUTHOR, at=datetime(2026, 5, 2, 9, tzinfo=UTC))
    (head,) = company.call(
        "close", billruns.close, ["acme"], **(MARCH | {"month_of": (2026, 4), "author": may})
    ).heads
    (credit_note,) = head.payments
    assert (credit_note.kind, credit_note.reference, credit_note.amount) == (
        "credit_note",
        "CN-2026-00001: one-way sound",
        Decimal("0.1600"),
    )
    assert -balance(company) == int(head.totals.amount_due * 10_000)


def test_a_paper_of_a_credit_note_that_says_another_amount_is_named(company: Database) -> None:
    invoiced(company)
    note, _ = company.call("credit", creditnotes.issue, B_LEG, None, "case 7", APRIL_2)

    def tamper(connection: Connection) -> None:
        on = "" if connection.dialect.name == "sqlite" else " ON invoices"
        connection.execute(text(f"DROP TRIGGER IF EXISTS invoices_no_update{on}"))
        changed = "charges_units = charges_units + 1, total_units = total_units + 1"
        connection.execute(text(f"UPDATE invoices SET {changed} WHERE kind = 'credit_note'"))

    company.call("tamper", tamper)
    assert f"credit note {note.number} gives 1292 and 300 tax, its paper 1293" in " ".join(
        map(str, company.read("verify", verify))
    )

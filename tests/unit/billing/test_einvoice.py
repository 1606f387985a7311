"""The electronic form: EN 16931's own rules, run by Saxon, on invoices of every kind."""

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import verapdf
from einvoices import rules_broken
from lxml import etree
from pdfa import clauses_broken
from priced import SELLER, a_plan, a_rate, an_invoice, rated
from pypdf import PdfReader

from billing.einvoice import NotExpressible, to_xml
from billing.invoice import Invoice, PaperKind
from billing.particulars import Item, ItemKind, Party, Payment
from billing.render import to_pdf
from billing.tax import REVERSE_CHARGE_TEXT, UNTAXED, TaxCategory, TaxGroup
from billing.totals import total_digits
from billing.xmp import UnknownPdf, with_factur_x
from rating.plan import ALegPolicy

MARCH = datetime(2026, 3, 10, 8, tzinfo=UTC)
HOUSE = replace(SELLER, country="DE", tax_id="DE123456789")
FIRM = Party(
    name="Northwind Travel SARL", address=("4 rue des Écoles",), country="FR", tax_id="FR40303265045"
)
VAT = TaxGroup(label="VAT", percent=Decimal(19))
REDUCED = TaxGroup(label="VAT", percent=Decimal(7))
REVERSE = TaxGroup(
    label="VAT", percent=Decimal(0), category=TaxCategory.REVERSE_CHARGE, text=REVERSE_CHARGE_TEXT
)
ZERO_RATED = TaxGroup(label="VAT", percent=Decimal(0), category=TaxCategory.ZERO)
EXPORT = TaxGroup(label="VAT", percent=Decimal(0), category=TaxCategory.EXPORT, text="Outside the EU.")
FEE = Item(kind=ItemKind.FEE, name="Monthly fee", amount=Decimal("4.00"))
BOOK = Item(kind=ItemKind.OPTION, name="Printed directory", amount=Decimal("9.90"), tax_group="books")


def issued(calls: int = 3, **fields: Any) -> Invoice:
    sessions = [rated(number, start=MARCH + timedelta(hours=number)) for number in range(calls)]
    given: dict[str, Any] = {"seller": HOUSE, "buyer": FIRM, "tax": VAT, "items": (FEE,)}
    return an_invoice(sessions, **(given | fields))


def in_currency(currency: str, rate: str) -> Invoice:
    plan = a_plan(currency=currency, a_leg_policy=ALegPolicy.FREE)
    session = rated(1, start=MARCH, plan=replace(plan, currency="USD"), rate_b=a_rate(rate))
    legs = tuple(replace(leg, charge=replace(leg.charge, currency=currency)) for leg in session.legs)
    fee = Item(kind=ItemKind.FEE, name="Monthly fee", amount=Decimal(400))
    return an_invoice(
        [replace(session, legs=legs)], plan=plan, seller=HOUSE, buyer=FIRM, tax=VAT, items=(fee,)
    )


CASES: dict[str, Callable[[], Invoice]] = {
    "standard": issued,
    "nothing but calls": lambda: issued(items=()),
    "no calls": lambda: issued(0),
    "nothing at all": lambda: issued(0, items=()),
    "untaxed": lambda: issued(tax=None),
    "untaxed by the table": lambda: issued(tax=UNTAXED),
    "reverse charge": lambda: issued(tax=REVERSE),
    "several tax groups": lambda: issued(items=(FEE, BOOK), taxes={"books": REDUCED}),
    "zero-rated beside taxed": lambda: issued(items=(FEE, BOOK), taxes={"books": ZERO_RATED}),
    "zero-rated": lambda: issued(tax=ZERO_RATED),
    "export": lambda: issued(tax=EXPORT, buyer=replace(FIRM, country="US", tax_id="")),
    "a consumer": lambda: issued(buyer=replace(FIRM, tax_id="")),
    "paid in advance": lambda: issued(previous_owed=Decimal("-100.0000")),
    "partly paid in advance": lambda: issued(previous_owed=Decimal("-1.0000")),
    "owed from before": lambda: issued(previous_owed=Decimal("55.0000")),
    "an allowance": lambda: issued(items=(FEE, replace(FEE, name="Welcome", amount=Decimal("-1.00")))),
    "yen": lambda: in_currency("JPY", "25"),
    "dinars": lambda: in_currency("KWD", "0.2517"),
    "names to be escaped": lambda: issued(buyer=replace(FIRM, name='<&"> \x01 \ud800 é 株式会社')),
}


@pytest.mark.parametrize("name", CASES)
def test_F144_F146_the_xml_keeps_every_rule_of_EN_16931(name: str) -> None:
    assert rules_broken(to_xml(CASES[name]())) == []


def test_F074_a_credit_note_is_of_type_381_and_names_the_invoice_that_it_corrects() -> None:
    note = replace(
        issued(2, items=()), kind=PaperKind.CREDIT_NOTE, corrects="2026-000041", reason="No talk heard"
    )
    xml = to_xml(note)
    assert rules_broken(xml) == []
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml
    assert b"<ram:IssuerAssignedID>2026-000041</ram:IssuerAssignedID>" in xml


def test_the_rules_really_run() -> None:
    wrong = to_xml(issued()).replace(b"<ram:GrandTotalAmount>", b"<ram:GrandTotalAmount>9")
    assert any(rule.startswith("BR-CO-15 ") for rule in rules_broken(wrong))
    unknown = to_xml(issued()).replace(b"<ram:InvoiceCurrencyCode>USD", b"<ram:InvoiceCurrencyCode>XXQ")
    assert rules_broken(unknown)


@pytest.mark.parametrize("name", CASES)
def test_F144_the_xml_has_the_totals_of_the_invoice(name: str) -> None:
    invoice = CASES[name]()
    totals = totals_of(to_xml(invoice))
    assert totals["GrandTotalAmount"] == invoice.totals.total
    assert totals["TaxBasisTotalAmount"] == invoice.totals.subtotal
    assert totals["TaxTotalAmount"] == invoice.totals.tax
    if invoice.totals.previous_owed <= 0:
        assert totals["DuePayableAmount"] == max(invoice.totals.amount_due, Decimal(0))


def totals_of(xml: bytes) -> dict[str, Decimal]:
    root = etree.fromstring(xml)
    sums = root.iter("{*}SpecifiedTradeSettlementHeaderMonetarySummation")
    return {etree.QName(each).localname: Decimal(each.text or "") for part in sums for each in part}


def test_no_total_has_more_than_two_decimals_for_EN_16931_knows_no_more() -> None:
    assert [total_digits(currency) for currency in ("JPY", "USD", "KWD")] == [0, 2, 2]
    assert in_currency("KWD", "0.2517").totals.subtotal == Decimal("400.17")  # 400.1678
    assert in_currency("JPY", "25").totals.total == Decimal(496)  # 400 + 16.6667, and 19 % of 417


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"number": ""}, "a draft has no number"),
        ({"buyer": replace(FIRM, country="")}, "the buyer has no country"),
        ({"seller": replace(HOUSE, country="Germany")}, "the seller has no country"),
        ({"buyer": replace(FIRM, tax_id=""), "tax": REVERSE}, "tax ids of both sides"),
        ({"seller": replace(HOUSE, tax_id="")}, "has no tax id"),
        ({"tax": None, "taxes": {"standard": VAT}}, "taxed and untaxed"),
    ],
)
def test_what_EN_16931_cannot_say_is_named_and_the_PDF_comes_without_it(fields: Any, told: str) -> None:
    invoice = issued(1, **fields)
    with pytest.raises(NotExpressible, match=told):
        to_xml(invoice)
    assert not PdfReader(io.BytesIO(to_pdf(invoice))).attachments


def test_the_PDF_carries_that_very_xml() -> None:
    invoice = issued()
    attached = PdfReader(io.BytesIO(to_pdf(invoice))).attachments
    assert list(attached) == ["factur-x.xml"]
    assert attached["factur-x.xml"] == [to_xml(invoice)]


@pytest.mark.parametrize("name", ["standard", "nothing at all", "names to be escaped", "reverse charge"])
def test_the_PDF_keeps_the_clauses_of_PDF_A_3(name: str) -> None:
    assert clauses_broken(to_pdf(CASES[name]()), has_xml=True) == []


def test_a_draft_is_PDF_A_3_as_well_and_carries_no_xml() -> None:
    assert clauses_broken(to_pdf(issued(number="")), has_xml=False) == []


def test_the_clauses_are_really_read() -> None:
    pdf = to_pdf(issued(1))
    assert clauses_broken(pdf.replace(b"<pdfaid:part>3", b"<pdfaid:part>2"), has_xml=True)
    assert clauses_broken(
        pdf.replace(b"/AFRelationship/Alternative", b"/AFRelationship/Alternatify"), has_xml=True
    )
    assert clauses_broken(pdf.replace(b"/FontFile3", b"/FontFile9"), has_xml=True)
    assert clauses_broken(pdf + b"x" * 20, has_xml=True)
    assert clauses_broken(to_pdf(issued(1, number="")), has_xml=True)


@pytest.mark.timeout(300)
def test_veraPDF_finds_papers_of_every_shape_to_be_PDF_A_3(tmp_path: Path) -> None:
    note = replace(issued(2, items=()), kind=PaperKind.CREDIT_NOTE, corrects="2026-000041", reason="No talk")
    shapes = {
        name: CASES[name]()
        for name in ("standard", "nothing at all", "reverse charge", "names to be escaped")
    }
    shapes |= {"draft": issued(number=""), "credit note": note, "many pages": issued(120)}
    pdfs = {name: to_pdf(invoice) for name, invoice in shapes.items()}
    assert verapdf.clauses_broken(pdfs, tmp_path) == {name: [] for name in pdfs}


@pytest.mark.timeout(300)
def test_veraPDF_really_looks(tmp_path: Path) -> None:
    pdf = to_pdf(issued(1))
    wrong = {
        "6.1.2": b"x" + pdf,
        "6.1.3": pdf + b"x" * 20,
        "6.2.11.4.1": pdf.replace(b"/FontFile3", b"/FontFile9"),
        "6.6.4": pdf.replace(b"<pdfaid:part>3", b"<pdfaid:part>2"),
        "6.7.2.2": pdf.replace(b"/Marked true", b"/Marked null"),
        "6.8": pdf.replace(b"/AFRelationship", b"/AFRelationshop"),
    }
    told = verapdf.clauses_broken(wrong, tmp_path)
    assert {clause: {each.split(" test ")[0] for each in told[clause]} for clause in wrong} == {
        clause: {clause} for clause in wrong
    }


def test_F144_the_PDF_says_the_total_in_words_that_can_be_read_out() -> None:
    invoice = issued(calls=5)
    shown = "".join(page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(invoice))).pages)
    assert f"USD {invoice.totals.amount_due:.2f}" in shown
    assert f"Total of this invoice {invoice.totals.total:f}" in shown.replace("\n", " ")


def test_metadata_are_spliced_only_into_what_typst_writes() -> None:
    for wrong in (b"", b"%PDF-1.7", to_pdf(issued(1)).replace(b"startxref", b"startxxxx")):
        with pytest.raises(UnknownPdf):
            with_factur_x(wrong)


def test_the_issue_day_is_the_PDF_s_date() -> None:
    assert issued(1).issued_on == date(2026, 4, 1)
    assert b"D:20260401" in to_pdf(issued(1))


def test_F074_payments_and_credit_notes_of_the_period_are_told_apart() -> None:
    credit = Payment(at=MARCH, reference="A line was wrong", amount=Decimal("5.0000"), kind="credit_note")
    shown = "".join(
        page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(issued(1, payments=(credit,))))).pages
    )
    assert "credit note" in shown
    assert "A line was wrong" in shown

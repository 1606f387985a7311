"""A credit note on paper: what is given back, of which invoice and why; nothing that a month has."""

import io
import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from einvoices import rules_broken
from lxml import etree
from pdfa import clauses_broken
from priced import BUYER, SELLER, an_invoice, rated
from pypdf import PdfReader

from billing import printed
from billing.creditpaper import credit_head, credit_paper, given_of
from billing.invoice import Invoice
from billing.particulars import TaxGroup
from billing.render import to_html, to_json, to_pdf, to_table
from billing.tax import REVERSE_CHARGE_TEXT, TaxCategory

SESSION = rated(1, start=datetime(2026, 3, 10, 8, tzinfo=UTC), b_seconds=(40, 90))
HOUSE, FIRM = replace(SELLER, country="GB"), replace(BUYER, country="FR")
VAT = TaxGroup(label="VAT", percent=Decimal(20))
REVERSE = TaxGroup(
    label="VAT", percent=Decimal(0), category=TaxCategory.REVERSE_CHARGE, text=REVERSE_CHARGE_TEXT
)
REASON = "One of both sides heard nothing after twenty seconds, which the carrier's own record confirms. " * 2
OF_A_MONTH = (
    *("Use by day", "By day", "Calls by", "By destination", "By subscriber", "By tag"),
    *("Due ", "Please pay", "Price list", "No calls in this period"),
)


def a_note(amount: str = "", leg: int | None = 1, *, is_billed: bool = True, **fields: Any) -> Invoice:
    """Give back so much of a leg of the session, or of all of it; without an amount the whole."""
    invoice = an_invoice([SESSION], seller=HOUSE, buyer=FIRM, tax=fields.pop("tax", VAT))
    whole = SESSION.legs if leg is None else (SESSION.legs[leg],)
    wanted = Decimal(amount) if amount else sum((each.charge.amount for each in whole), Decimal("0.0000"))
    given: dict[str, Any] = {
        "number": "CN-2026-00001",
        "seller": HOUSE,
        "buyer": FIRM,
        "account_id": "northwind",
        "period": invoice.period,
        "issued_on": date(2026, 4, 9),
        "corrects": invoice.number if is_billed else "",
        "corrects_issued_on": invoice.issued_on if is_billed else None,
        "reason": REASON,
        "price_list": invoice.price_list,
        "numbers_masked": False,
    }
    sums = given_of(wanted, "USD", invoice if is_billed else None)
    return credit_paper(
        credit_head(sums, **(given | fields)), SESSION, "" if leg is None else whole[0].leg_id
    )


SHAPES: dict[str, Invoice] = {
    "a leg": a_note(),
    "part of a leg": a_note("0.0500"),
    "a callback": a_note(leg=None),
    "part of a callback": a_note("0.2000", leg=None),
    "reverse charge": a_note(tax=REVERSE),
    "untaxed": a_note(tax=None),
    "before its invoice": a_note(is_billed=False),
}


def readable(note: Invoice) -> dict[str, str]:
    """The forms that people read, as text on one line."""
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(to_pdf(note))).pages]
    assert len(pages) == 1
    forms = {"pdf": pages[0], "html": to_html(note).partition("<body")[2], "txt": to_table(note)}
    return {name: " ".join(text.split()).replace("&#39;", "'") for name, text in forms.items()}


@pytest.mark.parametrize("shape", SHAPES)
def test_F074_a_credit_note_is_one_page_and_shows_only_what_belongs_to_it(shape: str) -> None:
    note = SHAPES[shape]
    for form, told in readable(note).items():
        assert "CN-2026-00001" in told, form
        assert REASON.strip() in told, form
        assert printed.amount(note.totals.total, note.minor_digits) in told, form
        assert "nobody has to pay it" in told, form
        for alien in OF_A_MONTH:
            assert alien not in told, (form, alien)


def test_F074_it_names_the_invoice_that_it_corrects_and_that_one_s_day() -> None:
    for told in readable(SHAPES["a leg"]).values():
        assert "invoice 2026-000042 of 2026-04-01" in told
    for told in readable(SHAPES["before its invoice"]).values():
        assert "calls that are on no invoice yet" in told
    assert json.loads(to_json(SHAPES["a leg"]))["corrects_issued_on"] == "2026-04-01"
    assert json.loads(to_json(SHAPES["before its invoice"]))["corrects_issued_on"] == ""


def test_a_note_of_an_older_program_that_kept_no_day_prints_without_it() -> None:
    for told in readable(a_note(corrects_issued_on=None)).values():
        assert "invoice 2026-000042" in told
        assert "2026-000042 of" not in told


def test_a_part_says_what_the_whole_cost_for_it_does_not_follow_from_the_line() -> None:
    for told in readable(SHAPES["part of a leg"]).values():
        assert "part of the 0.1667 that it cost" in told
    for told in readable(SHAPES["part of a callback"]).values():
        assert "Part of this callback" in told
        assert "part of the 0.8167 that it cost" in told
    for told in readable(SHAPES["a leg"]).values():
        assert "part of" not in told


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "before its invoice"])
def test_F144_F146_its_XML_and_PDF_keep_the_rules(shape: str) -> None:
    pdf = to_pdf(SHAPES[shape])
    assert clauses_broken(pdf, has_xml=True) == []
    (xml,) = PdfReader(io.BytesIO(pdf)).attachments["factur-x.xml"]
    assert rules_broken(xml) == []
    (preceding,) = etree.fromstring(xml).iter("{*}InvoiceReferencedDocument")
    assert preceding.findtext("{*}IssuerAssignedID") == "2026-000042"
    assert preceding.findtext("{*}FormattedIssueDateTime/{*}DateTimeString") == "20260401"


def test_a_note_before_its_invoice_is_PDF_A_3_without_an_XML() -> None:
    assert clauses_broken(to_pdf(SHAPES["before its invoice"]), has_xml=False) == []

"""An invoice in every form: text, JSON, CSV, HTML, XML, PDF: the same totals, the same bytes each time.

Reads: an Invoice (billing/invoice.py), which has every figure.
Gives: text, or the bytes of a PDF; `forms` gives all that are kept of one that is issued.
Knows nothing of: files to write, who asked, what day it is (the PDF's date is an argument).

Names come from outside and may be hostile: the PDF's template gets them as data, never as source
(billing/paper.py); a CSV cell that a spreadsheet would take for a formula is quoted; control and
direction-changing characters are left out of what a person sees (billing/printed.py).
"""

import csv
import io
import json
from collections.abc import Iterator

from billing import printed
from billing.document import document
from billing.einvoice import NotExpressible, to_xml
from billing.invoice import Invoice, InvoiceSession
from billing.paper import to_pdf, to_typst
from billing.plaintext import to_table
from billing.webpage import to_html
from values.money import RATE_SCALE, plain_decimal

__all__ = [
    "forms",
    "to_csv",
    "to_html",
    "to_json",
    "to_pdf",
    "to_table",
    "to_typst",
    "to_xml",
]

CSV_COLUMNS = (
    "kind",
    "callback_id",
    "leg_id",
    "requested_at",
    "subscriber",
    "reference",
    "tag",
    "at",
    "number",
    "destination",
    "talk_seconds",
    "billed_seconds",
    "package_seconds",
    "increments",
    "rate_per_minute",
    "next_rate_per_minute",
    "surcharge_per_minute",
    "connect_fee",
    "amount",
    "currency",
)


def forms(invoice: Invoice) -> dict[str, bytes]:
    """Return every form that is kept of an issued invoice, by its name.

    `xml` is missing where EN 16931 cannot say this invoice, for a side has no country.
    """
    made = {
        "json": to_json(invoice).encode(),
        "txt": to_table(invoice).encode(),
        "csv": to_csv(invoice).encode(),
        "html": to_html(invoice).encode(),
        "pdf": to_pdf(invoice),
    }
    try:
        made["xml"] = to_xml(invoice)
    except NotExpressible:
        return made
    return made


def to_json(invoice: Invoice) -> str:
    """Return the whole invoice as JSON; amounts are strings."""
    text = json.dumps(document(invoice), ensure_ascii=False, indent=2) + "\n"
    return text.encode(errors="replace").decode()  # half a character, as JSON allows, is no UTF-8


def to_csv(invoice: Invoice) -> str:
    """Return one row a line, then items, rounding, tax and total; the amounts above the total sum to it."""
    text = io.StringIO()
    rows = csv.DictWriter(text, CSV_COLUMNS, restval="", lineterminator="\n")
    rows.writeheader()
    for session in invoice.sessions:
        rows.writerows(_csv_lines(session, invoice.currency))
    for kind, told, amount in _csv_totals(invoice):
        rows.writerow({"kind": kind, "destination": told, "amount": amount, "currency": invoice.currency})
    return text.getvalue()


def _csv_lines(session: InvoiceSession, currency: str) -> Iterator[dict[str, str]]:
    for line in session.lines:
        yield {
            "kind": str(line.kind),
            "callback_id": printed.cell(session.callback_id),
            "leg_id": printed.cell(line.leg_id),
            "requested_at": session.requested_at.isoformat(timespec="seconds"),
            "subscriber": printed.cell(session.subscriber),
            "reference": printed.cell(session.reference),
            "tag": printed.cell(line.tag),
            "at": line.at.isoformat(timespec="seconds"),
            "number": printed.cell(line.number),
            "destination": printed.cell(line.destination),
            "talk_seconds": str(line.talk_seconds),
            "billed_seconds": str(line.billed_seconds),
            "package_seconds": str(line.package_seconds),
            "increments": line.increments,
            "rate_per_minute": plain_decimal(line.per_minute, RATE_SCALE),
            "next_rate_per_minute": plain_decimal(line.next_per_minute, RATE_SCALE),
            "surcharge_per_minute": plain_decimal(line.surcharge_per_minute, RATE_SCALE),
            "connect_fee": plain_decimal(line.connect_fee, RATE_SCALE),
            "amount": plain_decimal(line.amount),
            "currency": currency,
        }


def _csv_totals(invoice: Invoice) -> Iterator[tuple[str, str, str]]:
    totals, digits = invoice.totals, invoice.minor_digits
    for item in invoice.items:
        yield str(item.kind), printed.cell(item.name), plain_decimal(item.amount)
    yield "rounding", "", plain_decimal(totals.rounding)
    for tax in totals.taxes:
        yield (
            "tax",
            printed.cell(f"{tax.label} {printed.percent(tax.percent)} %"),
            plain_decimal(tax.amount, digits),
        )
    yield "total", "", plain_decimal(totals.total, digits)

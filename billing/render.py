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
from collections.abc import Iterator, Sequence

from billing import printed
from billing.document import (
    DRAFT_NOTE,
    UNTAGGED,
    document,
    remarks,
    session_told,
    title_of,
    totals_shown,
)
from billing.einvoice import NotExpressible, to_xml
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, LineKind, PaperKind, Summary
from billing.paper import to_pdf, to_typst
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
_LEG_NAMES = {LineKind.A_LEG: "A", LineKind.B_LEG: "B", LineKind.WAIVED: "", LineKind.CREDITED: ""}
_LINE_HEADER = (
    *("", "Local time", "Number", "Destination", "Talk", "Billed"),
    *("Steps", "Rate/min", "Fee", "Amount"),
)
_LINE_WIDTHS = (3, 26, 17, 28, -8, -8, 7, -10, -8, -11)
_SUMMARY_WIDTHS = (40, -6, -10, -10, -12)
_TOTAL_WIDTHS = (40, -18)


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


def to_table(invoice: Invoice) -> str:
    """Return the invoice as plain text in columns, for a terminal or a mail."""
    period = invoice.period
    parts = [
        f"{title_of(invoice).upper()} {printed.name(invoice.number)}".rstrip(),
        *_table_correction(invoice),
        f"From      {printed.name(invoice.seller.name)}",
        f"To        {printed.name(invoice.buyer.name)} (account {printed.name(invoice.account_id)})",
        f"Period    {period.first_day} up to and not including {period.end_day}, {period.zone}",
        f"Issued    {invoice.issued_on}   {_table_due(invoice)}".rstrip(),
        f"Prices    {printed.name(invoice.price_list)}, in {invoice.currency}",
        "",
        *_table_lines(invoice.sessions),
        "",
        *_table_summary("By destination", invoice.by_destination),
        "",
        *_table_summary("By day", invoice.by_day),
        "",
        *_table_summary("By subscriber", invoice.by_subscriber),
        "",
        *_table_summary("By tag", invoice.by_tag),
        "",
        *_table_payments(invoice),
        *(_row(_TOTAL_WIDTHS, row) for row in _table_totals(invoice)),
        "",
        *(f"* {printed.one_line(tax.text)}" for tax in invoice.totals.taxes if tax.text),
        *(f"* {printed.one_line(sentence)}" for sentence in invoice.legend),
        f"* {printed.one_line(invoice.dispute)}",
    ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


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


def _table_correction(invoice: Invoice) -> Iterator[str]:
    if invoice.kind is PaperKind.CREDIT_NOTE:
        yield f"Corrects  invoice {printed.name(invoice.corrects)}: {printed.name(invoice.reason)}"


def _table_due(invoice: Invoice) -> str:
    if invoice.is_draft:
        return DRAFT_NOTE
    return "" if invoice.kind is PaperKind.CREDIT_NOTE else f"Due {invoice.due_on}"


def _table_payments(invoice: Invoice) -> Iterator[str]:
    if not invoice.payments:
        return
    yield "Payments and credits"
    for payment in invoice.payments:
        kind = payment.kind.replace("_", " ")
        told = f"{payment.at.date().isoformat()}  {kind}  {printed.name(payment.reference)}"
        yield _row(_TOTAL_WIDTHS, (told, f"{invoice.currency} {printed.amount(payment.amount, 4)}"))
    yield ""


def _table_lines(sessions: Sequence[InvoiceSession]) -> Iterator[str]:
    yield _row(_LINE_WIDTHS, _LINE_HEADER)
    yield "-" * len(_row(_LINE_WIDTHS, _LINE_HEADER))
    for session in sessions:
        yield ", ".join([session.callback_id, *session_told(session)])
        for line in session.lines:
            cells = (
                _LEG_NAMES[line.kind],
                printed.local_time(line.at),
                line.number,
                printed.name(line.destination),
                printed.duration(line.talk_seconds),
                printed.duration(line.billed_seconds),
                line.increments,
                printed.rates(line.per_minute, line.next_per_minute),
                printed.rate(line.connect_fee),
                plain_decimal(line.amount),
            )
            yield _row(_LINE_WIDTHS, cells)
            yield from _table_remarks(line)
    if not sessions:
        yield "No calls in this period."


def _table_remarks(line: InvoiceLine) -> Iterator[str]:
    told = "; ".join(remarks(line))
    if told:
        yield f"     {told}"


def _table_summary(title: str, summaries: Sequence[Summary]) -> Iterator[str]:
    yield _row(_SUMMARY_WIDTHS, (title, "Calls", "Talk", "Billed", "Amount"))
    for summary in summaries:
        talk, billed = printed.duration(summary.talk_seconds), printed.duration(summary.billed_seconds)
        label = printed.name(summary.label) or UNTAGGED
        yield _row(_SUMMARY_WIDTHS, (label, str(summary.calls), talk, billed, plain_decimal(summary.amount)))


def _table_totals(invoice: Invoice) -> Iterator[tuple[str, str]]:
    for label, amount in totals_shown(invoice):
        yield printed.name(label), f"{invoice.currency} {amount}"


def _row(widths: Sequence[int], cells: Sequence[str]) -> str:
    """Return cells in columns: a negative width aligns to the right; text that is too long is cut."""
    columns = zip(widths, cells, strict=True)
    return "  ".join(
        text[:width].ljust(width) if width > 0 else text.rjust(-width) for width, text in columns
    )

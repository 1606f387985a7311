"""An invoice on A4 paper: the bytes of a PDF, made by typst.

Reads: an Invoice.
Gives: TypstInvoice (the fixed template and the data it prints) and from it the PDF.
Knows nothing of: files to write, today's date: the PDF carries the date it is given, so that a reprint has
    the same bytes.

The template (invoice.typ) is the same for every invoice; all that comes from outside reaches it as JSON in
`sys.inputs`, so that no name can be read as markup or code. Only the fonts inside typst are used: a machine
with other fonts prints the same bytes.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from typing import Any

import typst

from billing import printed
from billing.document import DRAFT_NOTE, sum_name, totals_shown
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, LineKind, Summary
from billing.particulars import Party, Payment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LEG_NAMES = {LineKind.A_LEG: "A", LineKind.B_LEG: "B", LineKind.WAIVED: ""}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypstInvoice:
    """What typst is given: `source` is the fixed template, `data` JSON for its input `invoice`."""

    source: str
    data: str


def to_typst(invoice: Invoice) -> TypstInvoice:
    """Return the template and the texts it prints."""
    source = files("billing").joinpath("invoice.typ").read_text(encoding="utf-8")
    return TypstInvoice(source=source, data=json.dumps(_page(invoice), ensure_ascii=False))


def to_pdf(invoice: Invoice, *, created_at: datetime | None = None) -> bytes:
    """Return the PDF. Without `created_at` it is dated on midnight UTC of the day of issue."""
    day = invoice.issued_on
    created = created_at or datetime(day.year, day.month, day.day, tzinfo=UTC)
    paper = to_typst(invoice)
    return typst.compile(
        paper.source.encode(),
        format="pdf",
        sys_inputs={"invoice": paper.data},
        ignore_system_fonts=True,
        timestamp=(created - _EPOCH) // timedelta(seconds=1),
    )


def _page(invoice: Invoice) -> dict[str, Any]:
    """Return what the template prints, as texts ready to be set."""
    *sums, due = totals_shown(invoice)
    title = "Draft invoice" if invoice.is_draft else "Invoice"
    return {
        "title": title,
        "running": [printed.short(invoice.seller.name), f"{title} {printed.short(invoice.number)}".strip()],
        "draft": invoice.is_draft,
        "seller": _party(invoice.seller),
        "buyer": _party(invoice.buyer),
        "facts": _facts(invoice),
        "currency": invoice.currency,
        "sum_name": sum_name(invoice),
        "due": due[1],
        "request": _request(invoice),
        "sums": [[_name(label), amount] for label, amount in sums],
        "payments": [
            [
                payment.at.date().isoformat(),
                _name(payment.reference),
                printed.amount(payment.amount, 4),
            ]
            for payment in invoice.payments
        ],
        "by_destination": [_summary(summary) for summary in invoice.by_destination],
        "by_day": [_summary(summary) for summary in invoice.by_day],
        "sessions": [_session(session) for session in invoice.sessions],
        "charges": printed.amount(invoice.totals.charges, 4),
        "legend": [printed.breakable(sentence) for sentence in invoice.legend],
        "dispute": printed.breakable(invoice.dispute),
    }


def _request(invoice: Invoice) -> str:
    if invoice.is_draft:
        return DRAFT_NOTE
    if invoice.totals.amount_due > 0:
        return f"Please pay by {invoice.due_on}."
    return "Nothing is to be paid." if invoice.totals.amount_due == 0 else "This amount is in your favour."


def _facts(invoice: Invoice) -> list[list[str]]:
    period = invoice.period
    last_day = period.end_day - timedelta(days=1)
    return [
        ["Number", _name(invoice.number) or "not yet numbered"],
        ["Account", _name(invoice.account_id)],
        ["Period", f"{period.first_day} to {last_day}"],
        ["Time zone", period.zone],
        ["Issued", invoice.issued_on.isoformat()],
        ["Due", "not yet" if invoice.is_draft else invoice.due_on.isoformat()],
        ["Currency", invoice.currency],
        ["Price list", _name(invoice.price_list)],
    ]


def _party(party: Party) -> dict[str, Any]:
    labelled = (
        ("Tax id", party.tax_id),
        ("Registered", party.registration),
        ("E-mail", party.email),
        ("Telephone", party.phone),
        ("Web", party.website),
    )
    return {
        "name": _name(party.name),
        "address": [_name(line) for line in party.address],
        "particulars": [[label, _name(text)] for label, text in labelled if text],
        "bank": [_name(line) for line in party.bank],
    }


def _payment(payment: Payment) -> list[str]:
    day = payment.at.date().isoformat()
    return [day, _name(payment.reference), printed.amount(payment.amount, 4)]


def _summary(summary: Summary) -> list[str]:
    return [
        _name(summary.label),
        str(summary.calls),
        printed.duration(summary.talk_seconds),
        printed.duration(summary.billed_seconds),
        printed.amount(summary.amount, 4),
    ]


def _session(session: InvoiceSession) -> dict[str, Any]:
    told = [f"requested {printed.local_time(session.requested_at)}"]
    told += [_name(text) for text in (session.subscriber, session.reference) if text]
    return {
        "id": printed.name(session.callback_id),
        "told": " · ".join(told),
        "amount": printed.amount(session.amount, 4),
        "lines": [_line(line) for line in session.lines],
    }


def _line(line: InvoiceLine) -> list[str]:
    return [
        _LEG_NAMES[line.kind],
        printed.local_time(line.at),
        _name(line.number),
        _name(line.destination),
        *_measured(line),
        printed.amount(line.amount, 4),
    ]


def _measured(line: InvoiceLine) -> list[str]:
    if line.kind is LineKind.WAIVED:
        return [""] * 5
    return [
        printed.duration(line.talk_seconds),
        printed.duration(line.billed_seconds),
        line.increments,
        printed.rates(line.per_minute, line.next_per_minute),
        printed.rate(line.connect_fee),
    ]


def _name(text: str) -> str:
    return printed.breakable(printed.name(text))

"""An invoice as plain data: what JSON shows to programs.

Reads: an Invoice.
Gives: nested dicts of texts and whole numbers; amounts are texts, so that no reader makes floats of them.
Knows nothing of: layouts, files.
"""

from typing import Any

from billing import printed
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, Summary
from billing.particulars import Party
from values.money import RATE_SCALE, plain_decimal

Data = dict[str, Any]

DRAFT_NOTE = "A draft of the calls so far: nothing is due yet."
"""What people read instead of a day to pay by: a draft has no number, and calls may still come."""


def document(invoice: Invoice) -> Data:
    """Return the invoice with every figure it has."""
    return {
        "number": invoice.number,
        "draft": invoice.is_draft,
        "account": invoice.account_id,
        "seller": _party(invoice.seller),
        "buyer": _party(invoice.buyer),
        "period": {
            "first_day": invoice.period.first_day.isoformat(),
            "end_day": invoice.period.end_day.isoformat(),
            "zone": invoice.period.zone,
        },
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.due_on.isoformat(),
        "currency": invoice.currency,
        "price_list": invoice.price_list,
        "sessions": [_session(session) for session in invoice.sessions],
        "by_destination": [_summary(summary) for summary in invoice.by_destination],
        "by_day": [_summary(summary) for summary in invoice.by_day],
        "payments": [
            {
                "at": payment.at.isoformat(),
                "reference": payment.reference,
                "amount": printed.amount(payment.amount, 4),
            }
            for payment in invoice.payments
        ],
        "totals": _totals(invoice),
        "legend": list(invoice.legend),
        "dispute": invoice.dispute,
    }


def totals_shown(invoice: Invoice) -> list[tuple[str, str]]:
    """Return the labelled sums that people read, from the lines to what is due; idle ones are left out."""
    totals, digits = invoice.totals, invoice.minor_digits
    shown = [("Calls", printed.amount(totals.charges, 4))]
    if totals.rounding:
        shown.append(("Rounding", printed.amount(totals.rounding, 4)))
    if totals.taxes or totals.rounding:
        shown.append(("Subtotal", printed.amount(totals.subtotal, digits)))
    shown += [
        (
            f"{tax.label} {tax.percent:f} % of {printed.amount(tax.base, digits)}",
            printed.amount(tax.amount, digits),
        )
        for tax in totals.taxes
    ]
    shown.append(("Total of this invoice", printed.amount(totals.total, digits)))
    if totals.previous_owed or totals.payments:
        shown.append(("Owed before", printed.amount_at_least(totals.previous_owed, digits)))
        shown.append(("Payments received", printed.amount_at_least(-totals.payments, digits)))
    shown.append((sum_name(invoice), printed.amount_at_least(totals.amount_due, digits)))
    return shown


def sum_name(invoice: Invoice) -> str:
    """Return what the last sum is called: nobody is asked for that of a draft."""
    return "Owed so far" if invoice.is_draft else "Amount due"


def _party(party: Party) -> Data:
    return {
        "name": party.name,
        "address": list(party.address),
        "tax_id": party.tax_id,
        "registration": party.registration,
        "email": party.email,
        "phone": party.phone,
        "website": party.website,
        "bank": list(party.bank),
    }


def _session(session: InvoiceSession) -> Data:
    return {
        "callback_id": session.callback_id,
        "requested_at": session.requested_at.isoformat(timespec="seconds"),
        "ended_at": session.ended_at.isoformat(timespec="seconds"),
        "subscriber": session.subscriber,
        "reference": session.reference,
        "amount": printed.amount(session.amount, 4),
        "lines": [_line(line) for line in session.lines],
    }


def _line(line: InvoiceLine) -> Data:
    return {
        "kind": str(line.kind),
        "leg_id": line.leg_id,
        "at": line.at.isoformat(timespec="seconds"),
        "number": line.number,
        "destination": line.destination,
        "talk_seconds": line.talk_seconds,
        "billed_seconds": line.billed_seconds,
        "increments": line.increments,
        "rate_per_minute": plain_decimal(line.per_minute, RATE_SCALE),
        "next_rate_per_minute": plain_decimal(line.next_per_minute, RATE_SCALE),
        "connect_fee": plain_decimal(line.connect_fee, RATE_SCALE),
        "amount": printed.amount(line.amount, 4),
    }


def _summary(summary: Summary) -> Data:
    return {
        "label": summary.label,
        "calls": summary.calls,
        "talk_seconds": summary.talk_seconds,
        "billed_seconds": summary.billed_seconds,
        "amount": printed.amount(summary.amount, 4),
    }


def _totals(invoice: Invoice) -> Data:
    totals, digits = invoice.totals, invoice.minor_digits
    return {
        "charges": printed.amount(totals.charges, 4),
        "rounding": printed.amount(totals.rounding, 4),
        "subtotal": printed.amount(totals.subtotal, digits),
        "taxes": [
            {
                "label": tax.label,
                "percent": f"{tax.percent:f}",
                "base": printed.amount(tax.base, digits),
                "amount": printed.amount(tax.amount, digits),
            }
            for tax in totals.taxes
        ],
        "total": printed.amount(totals.total, digits),
        "previous_owed": printed.amount(totals.previous_owed, 4),
        "payments": printed.amount(totals.payments, 4),
        "amount_due": printed.amount(totals.amount_due, 4),
    }

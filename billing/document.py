"""An invoice as plain data: what JSON shows to programs.

Reads: an Invoice.
Gives: nested dicts of texts and whole numbers; amounts are texts, so that no reader makes floats of them.
Knows nothing of: layouts, files.
"""

from datetime import date
from typing import Any

from billing import printed
from billing.invoice import Invoice, InvoiceHead, InvoiceLine, InvoiceSession, PaperKind, Summary, TaxLine
from billing.particulars import Item, Party, Payment
from billing.tax import TaxCategory
from values.money import RATE_SCALE, plain_decimal

Data = dict[str, Any]

DRAFT_NOTE = "A draft of the calls so far: nothing is due yet."
"""What people read instead of a day to pay by: a draft has no number, and calls may still come."""


UNTAGGED = "(untagged)"
ALL_CALLS = "All calls"


def document(invoice: Invoice) -> Data:
    """Return the invoice with every figure it has."""
    return {
        "kind": str(invoice.kind),
        "number": invoice.number,
        "draft": invoice.is_draft,
        "corrects": invoice.corrects,
        "corrects_issued_on": _day(invoice.corrects_issued_on),
        "reason": invoice.reason,
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
        "numbers_masked": invoice.numbers_masked,
        "items": [_item(item, invoice.minor_digits) for item in invoice.items],
        "sessions": [_session(session) for session in invoice.sessions],
        "by_destination": [_summary(summary) for summary in invoice.by_destination],
        "by_day": [_summary(summary) for summary in invoice.by_day],
        "by_subscriber": [_summary(summary) for summary in invoice.by_subscriber],
        "by_tag": [_summary(summary) for summary in invoice.by_tag],
        "all_calls": _summary(invoice.all_calls),
        "payments": [_payment(payment) for payment in invoice.payments],
        "totals": _totals(invoice),
        "legend": list(invoice.legend),
        "dispute": invoice.dispute,
    }


def title_of(invoice: InvoiceHead) -> str:
    """Return what the paper is called."""
    named = "Credit note" if invoice.kind is PaperKind.CREDIT_NOTE else "Invoice"
    return f"Draft {named.lower()}" if invoice.is_draft else named


def totals_shown(invoice: InvoiceHead) -> list[tuple[str, str]]:
    """Return the labelled sums that people read, from the lines to what is due; idle ones are left out."""
    totals, digits = invoice.totals, invoice.minor_digits
    is_note = invoice.kind is PaperKind.CREDIT_NOTE
    shown = [("Calls", printed.amount(totals.charges, 4))] if totals.charges or not invoice.items else []
    shown += [(item.name, printed.amount(item.amount, digits)) for item in invoice.items]
    if totals.rounding:
        shown.append(("Rounding", printed.amount(totals.rounding, 4)))
    if totals.taxes or totals.rounding or invoice.items:
        shown.append(("Subtotal", printed.amount(totals.subtotal, digits)))
    shown += [(tax_told(tax, digits), printed.amount(tax.amount, digits)) for tax in totals.taxes]
    named = "Total of this credit note" if is_note else "Total of this invoice"
    shown.append((named, printed.amount(totals.total, digits)))
    if totals.previous_owed or totals.payments:
        shown.append(("Owed before", printed.amount_at_least(totals.previous_owed, digits)))
        shown.append(("Payments and credits", printed.amount_at_least(-totals.payments, digits)))
    shown.append((sum_name(invoice), printed.amount_at_least(totals.amount_due, digits)))
    return [(label, printed.grouped(amount)) for label, amount in shown]


def groups_shown(invoice: Invoice) -> list[tuple[str, str, tuple[Summary, ...]]]:
    """Return the summaries that people read, each with its title and what it groups by.

    A month without calls has none, a credit note neither; by tag only where there are tags, for all else is
    one row.
    """
    if invoice.kind is PaperKind.CREDIT_NOTE or not invoice.sessions:
        return []
    shown = [
        ("Calls by destination", "Destination", invoice.by_destination),
        ("Calls by day", "Day", invoice.by_day),
        ("Calls by subscriber", "Subscriber", invoice.by_subscriber),
    ]
    if any(summary.label for summary in invoice.by_tag):
        shown.append(("Calls by tag", "Tag", invoice.by_tag))
    return shown


def tax_told(tax: TaxLine, digits: int) -> str:
    """Return the words before a tax: label, rate and what it is taken of."""
    base = printed.grouped(printed.amount(tax.base, digits))
    if tax.category is TaxCategory.REVERSE_CHARGE:
        return f"{tax.label} 0 % of {base}, reverse charge"
    return f"{tax.label} {printed.percent(tax.percent)} % of {base}"


def remarks(line: InvoiceLine) -> list[str]:
    """Return what a line says besides its columns: package seconds, a surcharge, that it is a part."""
    told = []
    if line.charged is not None:
        told.append(f"part of the {printed.grouped(printed.amount(line.charged, 4))} that it cost")
    if line.package_seconds:
        told.append(f"{printed.duration(line.package_seconds)} of it from your package at 0.00")
    if line.surcharge_per_minute:
        told.append(f"with a surcharge of {printed.rate(line.surcharge_per_minute)} a minute")
    return told


def session_told(session: InvoiceSession) -> list[str]:
    """Return what stands beside a callback's id: when it was asked for, by whom, and what for."""
    told = [f"requested {printed.local_time(session.requested_at)}"]
    tags = sorted({line.tag for line in session.lines if line.tag})
    told += [printed.name(text) for text in (session.subscriber, session.reference) if text]
    return told + [f"tag {printed.name(tag)}" for tag in tags]


def request_of(invoice: InvoiceHead) -> str:
    """Return what is asked of whoever reads it."""
    if invoice.is_draft:
        return DRAFT_NOTE
    if invoice.kind is PaperKind.CREDIT_NOTE:
        return "It is set off against what you owe; nobody has to pay it."
    if invoice.totals.amount_due > 0:
        return f"Please pay by {invoice.due_on}."
    return "Nothing is to be paid." if invoice.totals.amount_due == 0 else "This amount is in your favour."


def payment_amount(payment: Payment, minor_digits: int) -> str:
    """Return what a payment or credit does to what is due, as their sum is printed: less bears a minus."""
    return printed.grouped(printed.amount_at_least(-payment.amount, minor_digits))


def payment_told(invoice: InvoiceHead) -> list[tuple[str, str]]:
    """Return where to pay to and what to write there, labelled; nothing where nothing is asked for."""
    if invoice.is_draft or invoice.kind is PaperKind.CREDIT_NOTE or invoice.totals.amount_due <= 0:
        return []
    bank = [("Pay to" if index == 0 else "", line) for index, line in enumerate(invoice.seller.bank)]
    return [*bank, ("Reference", invoice.number)]


def corrected(invoice: InvoiceHead) -> str:
    """Return what a credit note corrects: an invoice and its day, or calls that none has yet."""
    if not invoice.corrects:
        return "calls that are on no invoice yet"
    day = _day(invoice.corrects_issued_on)
    return f"invoice {printed.name(invoice.corrects)}" + (f" of {day}" if day else "")


def particulars_told(party: Party) -> list[tuple[str, str]]:
    """Return what is known of a side besides its name and address, labelled."""
    labelled = (
        ("Tax id", party.tax_id),
        ("Registered", party.registration),
        ("E-mail", party.email),
        ("Telephone", party.phone),
        ("Web", party.website),
    )
    return [(label, text) for label, text in labelled if text]


def sum_name(invoice: InvoiceHead) -> str:
    """Return what the last sum is called: nobody is asked for that of a draft."""
    if invoice.kind is PaperKind.CREDIT_NOTE:
        return "Credited to you"
    return "Owed so far" if invoice.is_draft else "Amount due"


def _day(day: date | None) -> str:
    return "" if day is None else day.isoformat()


def _party(party: Party) -> Data:
    return {
        "name": party.name,
        "address": list(party.address),
        "country": party.country,
        "tax_id": party.tax_id,
        "registration": party.registration,
        "email": party.email,
        "phone": party.phone,
        "website": party.website,
        "bank": list(party.bank),
    }


def _item(item: Item, digits: int) -> Data:
    return {
        "kind": str(item.kind),
        "name": item.name,
        "tax_group": item.tax_group,
        "first_day": _day(item.first_day),
        "end_day": _day(item.end_day),
        "amount": printed.amount(item.amount, digits),
    }


def _payment(payment: Payment) -> Data:
    return {
        "at": payment.at.isoformat(),
        "kind": payment.kind,
        "reference": payment.reference,
        "amount": printed.amount(payment.amount, 4),
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
        "surcharge_per_minute": plain_decimal(line.surcharge_per_minute, RATE_SCALE),
        "connect_fee": plain_decimal(line.connect_fee, RATE_SCALE),
        "package_seconds": line.package_seconds,
        "tag": line.tag,
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
        "items": printed.amount(totals.items, 4),
        "rounding": printed.amount(totals.rounding, 4),
        "subtotal": printed.amount(totals.subtotal, digits),
        "taxes": [
            {
                "label": tax.label,
                "category": str(tax.category),
                "groups": list(tax.groups),
                "text": tax.text,
                "percent": printed.percent(tax.percent),
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

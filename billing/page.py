"""What an invoice shows on paper and on a screen, as texts ready to be set: both print the same.

Reads: an Invoice.
Gives: nested lists of texts, and the heights of the chart's bars.
Knows nothing of: typst, HTML; names are still to be escaped by who sets them.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing import printed
from billing.document import DRAFT_NOTE, UNTAGGED, remarks, session_told, sum_name, title_of, totals_shown
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, LineKind, PaperKind, Summary
from billing.particulars import Party
from billing.tax import TaxCategory

Page = dict[str, Any]
BAR_HEIGHT_MAX = 1000
_LEG_NAMES = {LineKind.A_LEG: "A", LineKind.B_LEG: "B", LineKind.WAIVED: "", LineKind.CREDITED: ""}


def page_of(invoice: Invoice) -> Page:
    """Return the texts of an invoice."""
    *sums, due = totals_shown(invoice)
    title = title_of(invoice)
    return {
        "title": title,
        "running": [printed.short(invoice.seller.name), f"{title} {printed.short(invoice.number)}".strip()],
        "draft": invoice.is_draft,
        "is_note": invoice.kind is PaperKind.CREDIT_NOTE,
        "seller": _party(invoice.seller),
        "buyer": _party(invoice.buyer),
        "facts": _facts(invoice),
        "currency": invoice.currency,
        "sum_name": sum_name(invoice),
        "due": due[1],
        "request": _request(invoice),
        "sums": [[_name(label), amount] for label, amount in sums],
        "taxes": _taxes(invoice),
        "tax_texts": [printed.breakable(tax.text) for tax in invoice.totals.taxes if tax.text],
        "pay": _pay(invoice),
        "payments": [
            [
                payment.at.date().isoformat(),
                payment.kind.replace("_", " "),
                _name(payment.reference),
                printed.amount(payment.amount, 4),
            ]
            for payment in invoice.payments
        ],
        "chart": _chart(invoice),
        "summaries": _summaries(invoice),
        "sessions": [_session(session) for session in invoice.sessions],
        "charges": printed.amount(invoice.totals.charges, 4),
        "legend": [printed.breakable(sentence) for sentence in invoice.legend],
        "dispute": printed.breakable(invoice.dispute),
    }


def _request(invoice: Invoice) -> str:
    if invoice.is_draft:
        return DRAFT_NOTE
    if invoice.kind is PaperKind.CREDIT_NOTE:
        return "This amount is in your favour."
    if invoice.totals.amount_due > 0:
        return f"Please pay by {invoice.due_on}."
    return "Nothing is to be paid." if invoice.totals.amount_due == 0 else "This amount is in your favour."


def _facts(invoice: Invoice) -> list[list[str]]:
    period = invoice.period
    last_day = period.end_day - timedelta(days=1)
    facts = [
        ["Number", _name(invoice.number) or "not yet numbered"],
        ["Account", _name(invoice.account_id)],
        ["Period", f"{period.first_day} to {last_day}"],
        ["Time zone", period.zone],
        ["Issued", invoice.issued_on.isoformat()],
        ["Due", "not yet" if invoice.is_draft else invoice.due_on.isoformat()],
        ["Currency", invoice.currency],
        ["Price list", _name(invoice.price_list)],
    ]
    if invoice.kind is PaperKind.CREDIT_NOTE:
        facts[5:6] = [["Corrects", _name(invoice.corrects)], ["Reason", _name(invoice.reason)]]
    return facts


def _party(party: Party) -> Page:
    labelled = (
        ("Tax id", party.tax_id),
        ("Registered", party.registration),
        ("E-mail", party.email),
        ("Telephone", party.phone),
        ("Web", party.website),
    )
    country = [party.country] if party.country else []
    return {
        "name": _name(party.name),
        "address": [_name(line) for line in (*party.address, *country)],
        "particulars": [[label, _name(text)] for label, text in labelled if text],
        "bank": [_name(line) for line in party.bank],
    }


def _taxes(invoice: Invoice) -> list[list[str]]:
    digits = invoice.minor_digits
    rows = []
    for tax in invoice.totals.taxes:
        reverse = tax.category is TaxCategory.REVERSE_CHARGE
        told = "reverse charge" if reverse else ", ".join(tax.groups)
        rate = f"{printed.percent(tax.percent)} %"
        base, amount = printed.amount(tax.base, digits), printed.amount(tax.amount, digits)
        rows.append([_name(tax.label), _name(told), rate, base, amount])
    return rows


def _pay(invoice: Invoice) -> list[list[str]]:
    if invoice.is_draft or invoice.kind is PaperKind.CREDIT_NOTE or invoice.totals.amount_due <= 0:
        return []
    bank = [["Pay to" if index == 0 else "", _name(line)] for index, line in enumerate(invoice.seller.bank)]
    return [*bank, ["Reference", _name(invoice.number)], ["Due", invoice.due_on.isoformat()]]


def _chart(invoice: Invoice) -> Page:
    """Return a bar for each day of the period; the whole is told in a sentence for who cannot see it."""
    period = invoice.period
    days = (period.end_day - period.first_day).days
    used = {summary.label: summary.amount for summary in invoice.by_day}
    top = max(used.values(), default=Decimal(0))
    bars = []
    for index in range(days):
        day = period.first_day + timedelta(days=index)
        amount = used.get(day.isoformat(), Decimal(0))
        height = int(amount * BAR_HEIGHT_MAX / top) if top > 0 and amount > 0 else 0
        bars.append([str(day.day), max(height, 8 if amount > 0 else 0), printed.amount(amount, 4)])
    busiest = max(used, key=lambda day: (used[day], day), default="")
    told = f"Use by day: {len(used)} of {days} days with calls"
    if busiest and top > 0:
        told += f", most on {busiest}: {invoice.currency} {printed.amount(top, 4)}"
    return {"bars": bars, "told": f"{told}.", "top": printed.amount(top, 4)}


def _summaries(invoice: Invoice) -> list[Page]:
    """Return the tables of groups; by tag only where there are tags, for all else is one row."""
    tables = [
        ("Calls by destination", "Destination", invoice.by_destination),
        ("Calls by day", "Day", invoice.by_day),
        ("Calls by subscriber", "Subscriber", invoice.by_subscriber),
    ]
    if any(summary.label for summary in invoice.by_tag):
        tables.append(("Calls by tag", "Tag", invoice.by_tag))
    return [
        {"title": title, "first": first, "rows": [_summary(row) for row in rows]}
        for title, first, rows in tables
        if rows
    ]


def _summary(summary: Summary) -> list[str]:
    return [
        _name(summary.label) or UNTAGGED,
        str(summary.calls),
        printed.duration(summary.talk_seconds),
        printed.duration(summary.billed_seconds),
        printed.amount(summary.amount, 4),
    ]


def _session(session: InvoiceSession) -> Page:
    return {
        "id": printed.name(session.callback_id),
        "told": " · ".join(map(printed.breakable, session_told(session))),
        "amount": printed.amount(session.amount, 4),
        "lines": [_line(line) for line in session.lines],
        "remarks": [
            f"Leg {_LEG_NAMES[line.kind] or '-'}, {_name(line.number)}: {_name('; '.join(remarks(line)))}"
            for line in session.lines
            if remarks(line)
        ],
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
    if line.kind in {LineKind.WAIVED, LineKind.CREDITED}:
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

"""What an invoice shows on paper and on a screen, as texts ready to be set: both print the same.

Reads: an Invoice.
Gives: nested lists of texts, and the heights of the chart's bars.
Knows nothing of: typst, HTML; names are still to be escaped by who sets them.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from billing import printed
from billing.document import (
    ALL_CALLS,
    UNTAGGED,
    corrected,
    groups_shown,
    particulars_told,
    payment_amount,
    payment_told,
    remarks,
    request_of,
    session_told,
    sum_name,
    title_of,
    totals_shown,
)
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, LineKind, PaperKind, Summary
from billing.particulars import Party
from billing.postal import postal_lines
from billing.tax import TaxCategory
from values.money import AMOUNT_SCALE

Page = dict[str, Any]
BAR_HEIGHT_MAX = 1000
_LEG_NAMES = {LineKind.A_LEG: "A", LineKind.B_LEG: "B", LineKind.WAIVED: "", LineKind.CREDITED: ""}


def page_of(invoice: Invoice) -> Page:
    """Return the texts of an invoice. A credit note says what is given back and why, and nothing else."""
    *sums, due = totals_shown(invoice)
    moved = [payment_amount(payment, invoice.minor_digits) for payment in invoice.payments]
    title, is_note = title_of(invoice), invoice.kind is PaperKind.CREDIT_NOTE
    return {
        "title": title,
        "running": [printed.short(invoice.seller.name), f"{title} {printed.short(invoice.number)}".strip()],
        "draft": invoice.is_draft,
        "is_note": is_note,
        "seller": _party(invoice.seller),
        "buyer": _party(invoice.buyer),
        "facts": _note_facts(invoice) if is_note else _facts(invoice),
        "reason": printed.breakable(invoice.reason),
        "currency": invoice.currency,
        "sum_name": sum_name(invoice),
        "due": due[1],
        "request": request_of(invoice),
        "sums": [[_name(label), amount] for label, amount in sums],
        # Behind each amount, the last one that of the sum due: unseen zeros that bring point below point.
        "sums_room": printed.lacking([amount for _, amount in (*sums, due)]),
        "taxes": _taxes(invoice),
        "tax_texts": [printed.breakable(tax.text) for tax in invoice.totals.taxes if tax.text],
        "pay": [[label, _name(text)] for label, text in payment_told(invoice)],
        "payments": [
            [
                payment.at.date().isoformat(),
                payment.kind.replace("_", " "),
                _name(payment.reference),
                amount,
            ]
            for payment, amount in zip(invoice.payments, moved, strict=True)
        ],
        "payments_room": printed.lacking(moved),
        "chart": None if is_note or not invoice.sessions else _chart(invoice),
        "summaries": [_group(*group) for group in groups_shown(invoice)],
        "sessions_title": "What is credited" if is_note else "Every call",
        "sessions": [_session(session) for session in invoice.sessions],
        # The last row of every table of calls, as long as those of the summaries.
        "together": _summary(
            f"{'Together' if is_note else ALL_CALLS}, {invoice.currency}", invoice.all_calls
        ),
        "legend_title": f"How this {'credit note' if is_note else 'invoice'} is reckoned",
        "legend": [printed.breakable(sentence) for sentence in invoice.legend],
        "dispute": printed.breakable(invoice.dispute),
    }


def _facts(invoice: Invoice) -> list[list[str]]:
    last_day = invoice.period.end_day - timedelta(days=1)
    return [
        ["Number", _name(invoice.number) or "not yet numbered"],
        ["Issued", invoice.issued_on.isoformat()],
        ["Due", "not yet" if invoice.is_draft else invoice.due_on.isoformat()],
        ["Period", f"{invoice.period.first_day} to {last_day}, {invoice.period.zone}"],
        ["Account", _name(invoice.account_id)],
        ["Price list", f"{_name(invoice.price_list)}, in {invoice.currency}"],
    ]


def _note_facts(invoice: Invoice) -> list[list[str]]:
    return [
        ["Number", _name(invoice.number)],
        ["Issued", invoice.issued_on.isoformat()],
        ["Corrects", printed.breakable(corrected(invoice))],
        ["Account", _name(invoice.account_id)],
    ]


def _party(party: Party) -> Page:
    return {
        "name": _name(party.name),
        "address": [_name(line) for line in postal_lines(party)],
        "particulars": [[label, _name(text)] for label, text in particulars_told(party)],
    }


def _taxes(invoice: Invoice) -> list[list[str]]:
    """Return what is taxed at which rate, where there is more than the one that the sums name already."""
    if len(invoice.totals.taxes) <= 1:
        return []
    digits = invoice.minor_digits
    rows = []
    for tax in invoice.totals.taxes:
        reverse = tax.category is TaxCategory.REVERSE_CHARGE
        told = "reverse charge" if reverse else ", ".join(tax.groups)
        rate = f"{printed.percent(tax.percent)} %"
        rows.append(
            [_name(tax.label), _name(told), rate, _amount(tax.base, digits), _amount(tax.amount, digits)]
        )
    return rows


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
        bars.append([str(day.day), max(height, 8 if amount > 0 else 0), _amount(amount)])
    busiest = max(used, key=lambda day: (used[day], day), default="")
    told = f"Calls on {len(used)} of {days} days"
    if busiest and top > 0:
        told += f", most on {busiest}: {invoice.currency} {_amount(top)}"
    return {"bars": bars, "told": f"{told}.", "top": _amount(top)}


def _group(title: str, first: str, summaries: Sequence[Summary]) -> Page:
    rows = [_summary(_cell(summary.label) or UNTAGGED, summary) for summary in summaries]
    return {"title": title, "first": first, "rows": rows}


def _summary(label: str, summary: Summary) -> list[str]:
    return [
        label,
        str(summary.calls),
        printed.duration(summary.talk_seconds),
        printed.duration(summary.billed_seconds),
        _amount(summary.amount),
    ]


def _session(session: InvoiceSession) -> Page:
    return {
        "id": printed.name(session.callback_id),
        "told": " · ".join(map(printed.breakable, session_told(session))),
        "amount": _amount(session.amount),
        "lines": [_line(line) for line in session.lines],
        "remarks": [_remark(line) for line in session.lines if remarks(line)],
    }


def _line(line: InvoiceLine) -> list[str]:
    return [
        _LEG_NAMES[line.kind],
        printed.local_time(line.at),
        _cell(line.number),
        _cell(line.destination),
        *_measured(line),
        _amount(line.amount),
    ]


def _remark(line: InvoiceLine) -> str:
    told, leg = _name("; ".join(remarks(line))), _LEG_NAMES[line.kind]
    return f"Leg {leg}, {_name(line.number)}: {told}" if leg else told


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


def _amount(value: Decimal, digits: int = AMOUNT_SCALE) -> str:
    return printed.grouped(printed.amount(value, digits))


def _name(text: str) -> str:
    return printed.breakable(printed.name(text))


def _cell(text: str) -> str:
    return printed.breakable(printed.name(text), printed.CELL_WORD_MAX)

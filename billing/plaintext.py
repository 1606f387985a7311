"""An invoice as plain text in columns, for a terminal or a mail: a hundred characters wide, nothing cut.

Reads: an Invoice.
Gives: the text.
Knows nothing of: terminals, colours.

What has no place in its column stands on a line of its own: a name, a destination, what a line says besides.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

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
    title_of,
    totals_shown,
)
from billing.invoice import Invoice, InvoiceLine, InvoiceSession, LineKind, PaperKind, Summary
from billing.particulars import Party
from billing.postal import postal_lines
from values.money import AMOUNT_SCALE

WIDTH = 100
_LABEL_WIDTH = 11
_LEG_NAMES = {LineKind.A_LEG: "A", LineKind.B_LEG: "B", LineKind.WAIVED: "", LineKind.CREDITED: ""}
_LINE_HEADER = ("", "Local time", "Number", "Talk", "Billed", "Steps", "Rate/min", "Amount")
_LINE_WIDTHS = (1, 26, 16, -8, -8, -6, -9, -12)
_SUMMARY_WIDTHS = (44, -6, -10, -10, -14)
_SUM_WIDTHS = (44, -26)


def to_table(invoice: Invoice) -> str:
    """Return the text; the same invoice gives the same text."""
    is_note = invoice.kind is PaperKind.CREDIT_NOTE
    parts = [
        f"{title_of(invoice).upper()} {printed.name(invoice.number)}".rstrip(),
        "",
        *_letterhead(invoice.seller),
        "",
        *_buyer(invoice, "Credited to" if is_note else "Billed to"),
        *(_note_facts(invoice) if is_note else _facts(invoice)),
        "",
        *_lines(invoice.sessions),
        "",
        *_summaries(invoice),
        *_payments(invoice),
        *_sums(invoice),
        "",
        *_wrapped(request_of(invoice)),
        *(_labelled(label, text) for label, text in payment_told(invoice)),
        "",
        *_sentences(invoice),
    ]
    return "\n".join(line.rstrip() for line in parts) + "\n"


def _letterhead(seller: Party) -> Iterator[str]:
    yield from _wrapped(printed.name(seller.name))
    yield from _party(seller)


def _buyer(invoice: Invoice, label: str) -> Iterator[str]:
    yield _labelled(label, f"{printed.name(invoice.buyer.name)} (account {printed.name(invoice.account_id)})")
    for line in _party(invoice.buyer):
        yield _labelled("", line)


def _party(party: Party) -> Iterator[str]:
    for told in (
        [printed.name(line) for line in postal_lines(party)],
        [f"{label} {printed.name(text)}" for label, text in particulars_told(party)],
    ):
        if told:
            yield from _wrapped(", ".join(told), WIDTH - _LABEL_WIDTH)


def _facts(invoice: Invoice) -> Iterator[str]:
    last_day = invoice.period.end_day - timedelta(days=1)
    yield _labelled("Period", f"{invoice.period.first_day} to {last_day}, {invoice.period.zone}")
    yield _labelled("Issued", invoice.issued_on.isoformat())
    if not invoice.is_draft:
        yield _labelled("Due", invoice.due_on.isoformat())
    yield _labelled("Prices", f"{printed.name(invoice.price_list)}, in {invoice.currency}")


def _note_facts(invoice: Invoice) -> Iterator[str]:
    yield _labelled("Issued", invoice.issued_on.isoformat())
    yield _labelled("Corrects", corrected(invoice))
    yield _labelled("Reason", invoice.reason)


def _lines(sessions: Sequence[InvoiceSession]) -> Iterator[str]:
    if not sessions:
        yield "No calls in this period."
        return
    yield from _row(_LINE_WIDTHS, _LINE_HEADER)
    yield "-" * WIDTH
    for session in sessions:
        yield from _wrapped(", ".join([session.callback_id, *session_told(session)]))
        for line in session.lines:
            yield from _row(_LINE_WIDTHS, _cells(line))
            yield from (f"   {told}" for told in _wrapped("; ".join(_words(line)), WIDTH - 3))


def _cells(line: InvoiceLine) -> Sequence[str]:
    at, amount = printed.local_time(line.at), printed.grouped(printed.amount(line.amount, AMOUNT_SCALE))
    if line.kind in {LineKind.WAIVED, LineKind.CREDITED}:
        return (_LEG_NAMES[line.kind], at, line.number, "", "", "", "", amount)
    return (
        _LEG_NAMES[line.kind],
        at,
        line.number,
        printed.duration(line.talk_seconds),
        printed.duration(line.billed_seconds),
        line.increments,
        printed.rate(line.per_minute),
        amount,
    )


def _words(line: InvoiceLine) -> list[str]:
    told = [printed.name(line.destination)]
    if line.next_per_minute != line.per_minute:
        told.append(f"after the first step {printed.rate(line.next_per_minute)} a minute")
    if line.connect_fee:
        told.append(f"with a fee of {printed.rate(line.connect_fee)} for the call")
    return told + remarks(line)


def _summaries(invoice: Invoice) -> Iterator[str]:
    for title, _, summaries in groups_shown(invoice):
        yield from _row(_SUMMARY_WIDTHS, (title, "Calls", "Talk", "Billed", "Amount"))
        for each in summaries:
            yield from _row(_SUMMARY_WIDTHS, _summary(printed.name(each.label) or UNTAGGED, each))
        if len(summaries) > 1:
            yield from _row(_SUMMARY_WIDTHS, _summary(ALL_CALLS, invoice.all_calls))
        yield ""


def _summary(label: str, summary: Summary) -> Sequence[str]:
    return (
        label,
        str(summary.calls),
        printed.duration(summary.talk_seconds),
        printed.duration(summary.billed_seconds),
        printed.grouped(printed.amount(summary.amount, AMOUNT_SCALE)),
    )


def _payments(invoice: Invoice) -> Iterator[str]:
    if not invoice.payments:
        return
    yield "Payments and credits"
    amounts = [payment_amount(payment, invoice.minor_digits) for payment in invoice.payments]
    for payment, amount, room in zip(invoice.payments, amounts, printed.lacking(amounts), strict=True):
        kind = payment.kind.replace("_", " ")
        told = f"{payment.at.date().isoformat()}  {kind}  {printed.name(payment.reference)}"
        yield from _row(_SUM_WIDTHS, (told, f"{invoice.currency} {amount}{' ' * len(room)}"))
    yield ""


def _sums(invoice: Invoice) -> Iterator[str]:
    shown = totals_shown(invoice)
    rooms = printed.lacking([amount for _, amount in shown])
    for (label, amount), room in zip(shown, rooms, strict=True):
        told = f"{invoice.currency} {amount}{' ' * len(room)}"
        yield from _row(_SUM_WIDTHS, (printed.name(label), told))


def _sentences(invoice: Invoice) -> Iterator[str]:
    told = [tax.text for tax in invoice.totals.taxes if tax.text]
    for sentence in (*told, *invoice.legend, invoice.dispute):
        first, *others = _wrapped(sentence, WIDTH - 2) or [""]
        yield f"* {first}"
        yield from (f"  {line}" for line in others)


def _labelled(label: str, text: str) -> str:
    first, *others = _wrapped(text, WIDTH - _LABEL_WIDTH - 1) or [""]
    return "\n".join(
        [f"{label:<{_LABEL_WIDTH}} {first}", *(f"{'':<{_LABEL_WIDTH}} {line}" for line in others)]
    )


def _wrapped(text: str, width: int = WIDTH) -> list[str]:
    return textwrap.wrap(printed.one_line(text), width, break_long_words=False, break_on_hyphens=False)


def _row(widths: Sequence[int], cells: Iterable[str]) -> Iterator[str]:
    """Yield cells in columns: a negative width aligns to the right; what is too long goes on its own line."""
    first, *others = cells
    if printed.width(first) > widths[0]:
        yield from _wrapped(first)
        first = ""
    columns = zip(widths, (first, *others), strict=True)
    yield "  ".join(printed.padded(text, width) for width, text in columns)

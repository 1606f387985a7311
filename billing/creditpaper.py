"""A credit note as a paper: the invoice that it corrects, why, and the lines that are given back.

Reads: what is given back of a callback or of one of its legs, the tax that its invoice took, both sides.
Gives: Given, the sums; the head of the paper; the paper itself, an Invoice that billing/render.py prints.
Knows nothing of: numbers of credit notes, databases.

Laws:
1. What corrects an invoice is rounded to the minor unit, as that invoice was, and bears its tax rate. All
   notes that correct one invoice are rounded, and taxed, by their sum: however many pieces it is given back
   in, no more comes back than was taken.
2. What is given back before there is an invoice stays as fine as the charge that it undoes, and bears no
   tax: the invoice to come has it among its calls, and takes tax on what is left.
"""

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.invoice import (
    Invoice,
    InvoiceHead,
    InvoiceLine,
    InvoiceSession,
    LineKind,
    PaperKind,
    printed_session,
    with_sessions,
)
from billing.legend import LEGS
from billing.particulars import ZERO, Party, RatedSession
from billing.period import Period
from billing.tax import CALLS
from billing.totals import TaxLine, Totals, total_digits
from values.money import AMOUNT_SCALE, half_up

PART = "Part of this callback"


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a credit note gives: `net` as it was charged, what rounding adds or takes, and tax on top."""

    currency: str
    net: Decimal
    subtotal: Decimal
    digits: int = AMOUNT_SCALE
    tax: TaxLine | None = None

    @property
    def rounding(self) -> Decimal:
        """Return what rounding adds to the net sum."""
        return self.subtotal - self.net

    @property
    def tax_amount(self) -> Decimal:
        """Return the tax that is given back."""
        return ZERO if self.tax is None else self.tax.amount

    @property
    def total(self) -> Decimal:
        """Return what the account gets."""
        return self.subtotal + self.tax_amount


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBefore:
    """What the notes that corrected an invoice before gave, all together."""

    net: Decimal = ZERO
    subtotal: Decimal = ZERO
    tax: Decimal = ZERO


NOTHING_BEFORE = GivenBefore()


def given_of(
    net: Decimal, currency: str, corrects: InvoiceHead | None, before: GivenBefore = NOTHING_BEFORE
) -> Given:
    """Return the sums of a credit: of calls of an issued invoice, or (None) of calls that are on none yet."""
    if corrects is None:
        return Given(currency=currency, net=net, subtotal=net)
    digits = total_digits(currency)
    whole = half_up(before.net + net, digits)
    subtotal = max(whole - before.subtotal, half_up(ZERO, digits))
    taken = next((each for each in corrects.totals.taxes if CALLS in each.groups), None)
    if taken is None:
        return Given(currency=currency, net=net, subtotal=subtotal, digits=digits)
    tax_of_whole = half_up(Fraction(whole) * Fraction(taken.percent) / 100, digits)
    amount = max(tax_of_whole - before.tax, half_up(ZERO, digits))
    return Given(
        currency=currency,
        net=net,
        subtotal=subtotal,
        digits=digits,
        tax=replace(taken, base=subtotal, amount=amount, groups=(CALLS,)),
    )


def credit_head(
    given: Given,
    *,
    number: str,
    seller: Party,
    buyer: Party,
    account_id: str,
    period: Period,
    issued_on: date,
    corrects: str,
    corrects_issued_on: date | None,
    reason: str,
    price_list: str,
    numbers_masked: bool,
) -> InvoiceHead:
    """Return the head of the paper; `period` is that of the calls, `corrects` empty before an invoice."""
    totals = Totals(
        charges=given.net,
        rounding=given.rounding,
        subtotal=given.subtotal,
        taxes=() if given.tax is None else (given.tax,),
        total=given.total,
        previous_owed=ZERO,
        payments=ZERO,
        amount_due=given.total,
    )
    rounded = f"The sum is rounded half-up to {given.digits} decimals once: that is the line Rounding."
    return InvoiceHead(
        number=number,
        kind=PaperKind.CREDIT_NOTE,
        seller=seller,
        buyer=buyer,
        account_id=account_id,
        period=period,
        issued_on=issued_on,
        due_on=issued_on,
        currency=given.currency,
        minor_digits=given.digits,
        price_list=price_list,
        totals=totals,
        legend=(
            LEGS,
            *((rounded,) if given.rounding else ()),
            f"Times are local in {period.zone}.",
        ),
        dispute=_question(seller),
        numbers_masked=numbers_masked,
        corrects=corrects,
        corrects_issued_on=corrects_issued_on,
        reason=reason,
    )


def credit_paper(head: InvoiceHead, session: RatedSession, leg_id: str) -> Invoice:
    """Return the paper: the leg at what is given back of it, or the callback where `leg_id` is empty."""
    whole = printed_session(session, head)
    wanted = head.totals.charges
    if not leg_id and whole.amount == wanted:
        return with_sessions(head, [whole])
    leg = next((line for line in whole.lines if line.leg_id == leg_id and leg_id), None)
    line = _part(whole, wanted) if leg is None else _credited(leg, wanted)
    return with_sessions(head, [replace(whole, lines=(line,), amount=wanted)])


def _question(seller: Party) -> str:
    contact = " or ".join(text for text in (seller.email, seller.phone) if text) or seller.name
    return f"If something is wrong with it, write to {contact or 'us'} with the number of this note."


def _credited(line: InvoiceLine, amount: Decimal) -> InvoiceLine:
    return line if line.amount == amount else replace(line, amount=amount, charged=line.amount)


def _part(whole: InvoiceSession, amount: Decimal) -> InvoiceLine:
    return InvoiceLine(
        kind=LineKind.CREDITED,
        leg_id=whole.callback_id,
        at=whole.ended_at,
        number="",
        destination=PART,
        talk_seconds=0,
        billed_seconds=0,
        per_minute=ZERO,
        next_per_minute=ZERO,
        connect_fee=ZERO,
        increments="",
        amount=amount,
        charged=whole.amount,
        tag=whole.lines[0].tag if whole.lines else "",
    )

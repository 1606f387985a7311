"""An invoice: a period, the callbacks that ended in it, and their lines and totals.

Reads: rated callbacks (rating/price.py), both sides' legal data, payments, a tax group.
Gives: Invoice, whole: every form of it (billing/render.py) prints these fields and computes nothing.
Knows nothing of: files, databases, layouts; draft or final are the same but for the number.

Laws:
1. A callback belongs to the period in which it ended, in the account's zone; periods are half-open.
2. Lines have 4 decimals. The total is rounded to the minor unit once; what that adds or takes is a line.
3. Tax is taken once for each tax group, on the rounded subtotal.
4. Summaries by day and by destination each equal the sum of the lines.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from operator import attrgetter
from zoneinfo import ZoneInfo

from billing.particulars import ZERO, Party, Payment, RatedLeg, RatedSession, TaxGroup
from billing.period import Period
from calls.cdr import LegRole
from rating.plan import Plan
from values.money import half_up, minor_digits


class LineKind(StrEnum):
    """What a line stands for."""

    A_LEG = "a_leg"
    B_LEG = "b_leg"
    WAIVED = "waived"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One row; `at` is local time with its zone. The amount follows from the other fields."""

    kind: LineKind
    leg_id: str
    at: datetime
    number: str
    destination: str
    talk_seconds: int
    billed_seconds: int
    per_minute: Decimal
    next_per_minute: Decimal
    connect_fee: Decimal
    increments: str
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceSession:
    """The lines of one callback together."""

    callback_id: str
    requested_at: datetime
    ended_at: datetime
    subscriber: str
    reference: str
    lines: tuple[InvoiceLine, ...]
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The lines that share a day or a destination."""

    label: str
    calls: int
    talk_seconds: int
    billed_seconds: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """The tax of one group, in the minor unit."""

    label: str
    percent: Decimal
    base: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All sums. `charges` has 4 decimals, `rounding` leads to `subtotal`; the rest is in the minor unit.

    `previous_owed` and `amount_due` are positive where the account owes; `amount_due` is
    previous_owed - payments + total.
    """

    charges: Decimal
    rounding: Decimal
    subtotal: Decimal
    taxes: tuple[TaxLine, ...]
    total: Decimal
    previous_owed: Decimal
    payments: Decimal
    amount_due: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """Everything that is printed. `number` is empty in a draft."""

    number: str
    seller: Party
    buyer: Party
    account_id: str
    period: Period
    issued_on: date
    due_on: date
    currency: str
    minor_digits: int
    price_list: str
    sessions: tuple[InvoiceSession, ...]
    by_destination: tuple[Summary, ...]
    by_day: tuple[Summary, ...]
    payments: tuple[Payment, ...]
    totals: Totals
    legend: tuple[str, ...]
    dispute: str

    @property
    def is_draft(self) -> bool:
        """Whether it has no number yet."""
        return not self.number

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """Return all lines in printed order."""
        return tuple(line for session in self.sessions for line in session.lines)


def build_invoice(
    *,
    number: str,
    seller: Party,
    buyer: Party,
    account_id: str,
    plan: Plan,
    period: Period,
    issued_on: date,
    due_on: date,
    sessions: Iterable[RatedSession],
    previous_owed: Decimal = ZERO,
    payments: Sequence[Payment] = (),
    tax: TaxGroup | None = None,
    dispute: str = "",
) -> Invoice:
    """Return the invoice of a period; callbacks and payments outside it are left out.

    `plan` is the account's at the end of the period: it gives the currency and the legend; each line says
    its own increments. Legs that nobody answered are not printed, for they cost nothing.
    """
    zone = ZoneInfo(period.zone)
    inside = sorted(
        (session for session in sessions if period.holds(session.ended_at)),
        key=attrgetter("ended_at", "callback_id"),
    )
    printed = tuple(
        printed for session in inside if (printed := _session(session, plan.currency, zone)).lines
    )
    paid = tuple(
        replace(payment, at=payment.at.astimezone(zone)) for payment in payments if period.holds(payment.at)
    )
    return Invoice(
        number=number,
        seller=seller,
        buyer=buyer,
        account_id=account_id,
        period=period,
        issued_on=issued_on,
        due_on=due_on,
        currency=plan.currency,
        minor_digits=minor_digits(plan.currency),
        price_list=f"{plan.name}, version {plan.version}",
        sessions=printed,
        by_destination=_summaries(printed, lambda _, line: line.destination),
        by_day=_summaries(printed, lambda session, _: session.ended_at.date().isoformat()),
        payments=paid,
        totals=_totals(printed, plan.currency, previous_owed, paid, tax),
        legend=_legend(plan, period),
        dispute=dispute or _dispute(seller),
    )


def _session(session: RatedSession, currency: str, zone: ZoneInfo) -> InvoiceSession:
    lines = [_line(leg, leg.answered_at, zone) for leg in session.legs if leg.answered_at is not None]
    for leg in session.legs:
        if leg.charge.currency != currency:
            raise ValueError(
                f"leg {leg.leg_id} is charged in {leg.charge.currency}, the invoice is in {currency}"
            )
    if session.waived:
        lines.append(_waived(session, zone))
    return InvoiceSession(
        callback_id=session.callback_id,
        requested_at=session.requested_at.astimezone(zone),
        ended_at=session.ended_at.astimezone(zone),
        subscriber=session.subscriber,
        reference=session.reference,
        lines=tuple(lines),
        amount=_sum(lines),
    )


def _line(leg: RatedLeg, answered_at: datetime, zone: ZoneInfo) -> InvoiceLine:
    charge = leg.charge
    return InvoiceLine(
        kind=LineKind.A_LEG if leg.role is LegRole.A else LineKind.B_LEG,
        leg_id=leg.leg_id,
        at=answered_at.astimezone(zone),
        number=leg.number,
        destination=charge.destination,
        talk_seconds=charge.talk_seconds,
        billed_seconds=charge.billed_seconds,
        per_minute=charge.per_minute,
        next_per_minute=charge.next_per_minute,
        connect_fee=charge.connect_fee,
        increments=f"{charge.first_increment_s}/{charge.next_increment_s}",
        amount=charge.amount,
    )


def _waived(session: RatedSession, zone: ZoneInfo) -> InvoiceLine:
    return InvoiceLine(
        kind=LineKind.WAIVED,
        leg_id=session.callback_id,
        at=session.ended_at.astimezone(zone),
        number="",
        destination="Over your limit, not charged",
        talk_seconds=0,
        billed_seconds=0,
        per_minute=ZERO,
        next_per_minute=ZERO,
        connect_fee=ZERO,
        increments="",
        amount=-session.waived,
    )


def _summaries(
    sessions: Sequence[InvoiceSession], label: Callable[[InvoiceSession, InvoiceLine], str]
) -> tuple[Summary, ...]:
    groups: dict[str, list[InvoiceLine]] = {}
    for session in sessions:
        for line in session.lines:
            groups.setdefault(label(session, line), []).append(line)
    return tuple(
        Summary(
            label=name,
            calls=sum(line.kind is not LineKind.WAIVED for line in lines),
            talk_seconds=sum(line.talk_seconds for line in lines),
            billed_seconds=sum(line.billed_seconds for line in lines),
            amount=_sum(lines),
        )
        for name, lines in sorted(groups.items())
    )


def _totals(
    sessions: Sequence[InvoiceSession],
    currency: str,
    previous_owed: Decimal,
    payments: Sequence[Payment],
    tax: TaxGroup | None,
) -> Totals:
    digits = minor_digits(currency)
    charges = sum((session.amount for session in sessions), ZERO)
    subtotal = half_up(charges, digits)
    taxes = () if tax is None else (_tax_line(tax, subtotal, digits),)
    total = subtotal + sum((line.amount for line in taxes), Decimal(0))
    paid = sum((payment.amount for payment in payments), ZERO)
    return Totals(
        charges=charges,
        rounding=subtotal - charges,
        subtotal=subtotal,
        taxes=taxes,
        total=total,
        previous_owed=previous_owed,
        payments=paid,
        amount_due=previous_owed - paid + total,
    )


def _tax_line(tax: TaxGroup, subtotal: Decimal, digits: int) -> TaxLine:
    amount = half_up(Fraction(subtotal) * Fraction(tax.percent) / 100, digits)
    return TaxLine(label=tax.label, percent=tax.percent, base=subtotal, amount=amount)


def _legend(plan: Plan, period: Period) -> tuple[str, ...]:
    first, following = plan.first_increment_s, plan.next_increment_s
    digits = minor_digits(plan.currency)
    legend = [
        "Talk time runs from answer to hang-up of each leg, rounded up to whole seconds once.",
        f"Billed time is at least {first} s, then steps of {following} s, unless the line says otherwise.",
        "Unanswered calls cost nothing.",
        f"{plan.a_leg_policy.printed} Its minimum applies once for each callback.",
        f"Each leg is rounded half-up to 4 decimals, the invoice total half-up to {digits} decimals once.",
        f"Times are local in {period.zone}. A callback belongs to the day and the period in which it ended.",
    ]
    if plan.free_below_seconds:
        free = f"Calls to destinations shorter than {plan.free_below_seconds} s are free."
        legend.insert(3, free)
    return tuple(legend)


def _dispute(seller: Party) -> str:
    contact = " or ".join(text for text in (seller.email, seller.phone) if text) or seller.name
    return (
        f"To dispute a line, write to {contact} with the invoice number and the callback id printed above the"
        " line. We answer with the call's own record; a line that is wrong is credited, the rest stays due."
    )


def _sum(lines: Iterable[InvoiceLine]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)

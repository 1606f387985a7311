"""An invoice: a period, the callbacks that ended in it, and their lines and totals.

Reads: rated callbacks (rating/price.py), both sides' legal data, items, payments, tax groups.
Gives: Invoice, whole: every form of it (billing/render.py) prints these fields and computes nothing.
Knows nothing of: files, databases, layouts; draft or final are the same but for the number.

An invoice is made in two steps, so that the books of a month can be closed before its papers are written:
`head_of` says everything but the calls and needs of them only their sum, `completed` adds the calls, and
refuses calls that have another sum.

Laws:
1. A callback belongs to the period in which it ended, in the account's zone; periods are half-open.
2. Lines have 4 decimals; totals are reckoned in billing/totals.py and nowhere else.
3. What was given back of a callback before it was invoiced is a line of it, below zero: so tax is taken on
   what the calls come to.
4. Summaries by day, destination, subscriber and tag each equal the sum of the lines; untagged is a group.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from operator import attrgetter
from zoneinfo import ZoneInfo

from billing.legend import dispute_of, legend_of, price_list_of
from billing.particulars import ZERO, CallCredit, Item, Party, Payment, RatedLeg, RatedSession
from billing.period import Period
from billing.printed import masked_number
from billing.tax import TaxGroup
from billing.totals import TaxLine, Totals, reckon, total_digits
from calls.cdr import LegRole
from rating.plan import Plan

__all__ = [
    "Invoice",
    "InvoiceHead",
    "InvoiceLine",
    "InvoiceSession",
    "LineKind",
    "Summary",
    "TaxLine",
    "Totals",
    "build_invoice",
    "completed",
    "head_of",
    "printed_session",
    "with_sessions",
]


class LineKind(StrEnum):
    """What a line stands for."""

    A_LEG = "a_leg"
    B_LEG = "b_leg"
    WAIVED = "waived"
    CREDITED = "credited"


OF_LEGS = frozenset({LineKind.A_LEG, LineKind.B_LEG})
GIVEN_BACK = "Given back by credit note"


class PaperKind(StrEnum):
    """Whether it asks for money or gives some back."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceLine:
    """One row; `at` is local time with its zone. The amount follows from the other fields.

    `charged` stands only in a credit note that gives back a part: what the whole line cost.
    """

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
    charged: Decimal | None = None
    package_seconds: int = 0
    surcharge_per_minute: Decimal = ZERO
    tag: str = ""


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
    """The lines that share a day, a destination, a subscriber or a tag; `label` is empty for the untagged.

    `calls` are callbacks, as customers count: the A-leg and its B-legs are one, in each group that has a leg.
    """

    label: str
    calls: int
    talk_seconds: int
    billed_seconds: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceHead:
    """Everything that is printed but the calls. `number` is empty in a draft.

    A credit note differs by its `kind`: it names the invoice that it corrects, that one's day, and why.
    """

    number: str
    kind: PaperKind = PaperKind.INVOICE
    seller: Party
    buyer: Party
    account_id: str
    period: Period
    issued_on: date
    due_on: date
    currency: str
    minor_digits: int
    price_list: str
    items: tuple[Item, ...] = ()
    payments: tuple[Payment, ...] = ()
    totals: Totals
    legend: tuple[str, ...]
    dispute: str
    numbers_masked: bool = False
    corrects: str = ""
    corrects_issued_on: date | None = None
    reason: str = ""

    @property
    def is_draft(self) -> bool:
        """Whether it has no number yet."""
        return not self.number


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice(InvoiceHead):
    """Everything that is printed."""

    sessions: tuple[InvoiceSession, ...]
    by_destination: tuple[Summary, ...]
    by_day: tuple[Summary, ...]
    by_subscriber: tuple[Summary, ...]
    by_tag: tuple[Summary, ...]

    @property
    def lines(self) -> tuple[InvoiceLine, ...]:
        """Return all lines in printed order."""
        return tuple(line for session in self.sessions for line in session.lines)

    @property
    def all_calls(self) -> Summary:
        """Return what the groups of each kind come to; a call that stands in two of them counts once."""
        return _summary("", [(session, line) for session in self.sessions for line in session.lines])


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
    items: Sequence[Item] = (),
    previous_owed: Decimal = ZERO,
    payments: Sequence[Payment] = (),
    plans: Sequence[Plan] = (),
    tax: TaxGroup | None = None,
    taxes: Mapping[str, TaxGroup] | None = None,
    dispute: str = "",
    numbers_masked: bool = False,
) -> Invoice:
    """Return the invoice of a period; callbacks outside it are left out.

    `plan` is the account's at the end of the period and gives the currency; `plans` are those that the calls
    were priced by, for the legend: none is that one. Legs that nobody answered are not printed, for they
    cost nothing.
    """
    inside = tuple(session for session in sessions if period.holds(session.ended_at))
    head = head_of(
        number=number,
        seller=seller,
        buyer=buyer,
        account_id=account_id,
        plan=plan,
        period=period,
        issued_on=issued_on,
        due_on=due_on,
        charges=sum((_charged(session) for session in inside), ZERO),
        items=items,
        previous_owed=previous_owed,
        payments=payments,
        plans=plans,
        tax=tax,
        taxes=taxes,
        dispute=dispute,
        numbers_masked=numbers_masked,
    )
    return completed(head, inside)


def head_of(
    *,
    number: str,
    seller: Party,
    buyer: Party,
    account_id: str,
    plan: Plan,
    period: Period,
    issued_on: date,
    due_on: date,
    charges: Decimal,
    items: Sequence[Item] = (),
    previous_owed: Decimal = ZERO,
    payments: Sequence[Payment] = (),
    plans: Sequence[Plan] = (),
    tax: TaxGroup | None = None,
    taxes: Mapping[str, TaxGroup] | None = None,
    dispute: str = "",
    numbers_masked: bool = False,
) -> InvoiceHead:
    """Return all of an invoice but its calls, which sum to `charges`; payments outside are left out."""
    zone = ZoneInfo(period.zone)
    paid = tuple(
        replace(payment, at=payment.at.astimezone(zone)) for payment in payments if period.holds(payment.at)
    )
    return InvoiceHead(
        number=number,
        seller=seller,
        buyer=buyer,
        account_id=account_id,
        period=period,
        issued_on=issued_on,
        due_on=due_on,
        currency=plan.currency,
        minor_digits=total_digits(plan.currency),
        price_list=price_list_of(plans or [plan]),
        items=tuple(items),
        payments=paid,
        totals=reckon(
            charges=charges,
            items=items,
            currency=plan.currency,
            tax=tax,
            taxes=taxes or {},
            previous_owed=previous_owed,
            payments=paid,
        ),
        legend=legend_of(plans or [plan], period),
        dispute=dispute or dispute_of(seller),
        numbers_masked=numbers_masked,
    )


def completed(head: InvoiceHead, sessions: Iterable[RatedSession]) -> Invoice:
    """Return the invoice of that head with its calls; ValueError if they sum to something else."""
    in_order = sorted(sessions, key=attrgetter("ended_at", "callback_id"))
    return with_sessions(head, [printed_session(session, head) for session in in_order])


def with_sessions(head: InvoiceHead, made: Iterable[InvoiceSession]) -> Invoice:
    """Return the invoice of that head with these callbacks; ValueError if they sum to something else."""
    printed = tuple(session for session in made if session.lines)
    charges = sum((session.amount for session in printed), ZERO)
    if charges != head.totals.charges:
        told = f"{head.totals.charges:f}, its calls sum to {charges:f}"
        raise ValueError(f"invoice {head.number or 'draft'} of {head.account_id} says {told}")
    return Invoice(
        **{field.name: getattr(head, field.name) for field in fields(InvoiceHead)},
        sessions=printed,
        by_destination=_summaries(printed, lambda _, line: line.destination),
        by_day=_summaries(printed, lambda session, _: session.ended_at.date().isoformat()),
        by_subscriber=_summaries(printed, lambda session, _: session.subscriber),
        by_tag=_summaries(printed, lambda _, line: line.tag),
    )


def _charged(session: RatedSession) -> Decimal:
    answered = (leg.charge.amount for leg in session.legs if leg.answered_at is not None)
    given = sum((credit.amount for credit in session.credits), ZERO)
    return sum(answered, ZERO) - session.waived - given


def printed_session(session: RatedSession, head: InvoiceHead) -> InvoiceSession:
    """Return a callback with its lines as that invoice prints them; ValueError in another currency."""
    zone = ZoneInfo(head.period.zone)
    for leg in session.legs:
        if leg.charge.currency != head.currency:
            raise ValueError(
                f"leg {leg.leg_id} is charged in {leg.charge.currency}, the invoice is in {head.currency}"
            )
    lines = [
        _line(session, leg, leg.answered_at.astimezone(zone), masked=head.numbers_masked)
        for leg in session.legs
        if leg.answered_at is not None
    ]
    if session.waived:
        lines.append(_waived(session, zone))
    lines += [_given_back(session, credit, zone) for credit in session.credits]
    return InvoiceSession(
        callback_id=session.callback_id,
        requested_at=session.requested_at.astimezone(zone),
        ended_at=session.ended_at.astimezone(zone),
        subscriber=session.subscriber,
        reference=session.reference,
        lines=tuple(lines),
        amount=_sum(lines),
    )


def _line(session: RatedSession, leg: RatedLeg, at: datetime, *, masked: bool) -> InvoiceLine:
    charge = leg.charge
    return InvoiceLine(
        kind=LineKind.A_LEG if leg.role is LegRole.A else LineKind.B_LEG,
        leg_id=leg.leg_id,
        at=at,
        number=masked_number(leg.number) if masked else leg.number,
        destination=charge.destination,
        talk_seconds=charge.talk_seconds,
        billed_seconds=charge.billed_seconds,
        per_minute=charge.per_minute,
        next_per_minute=charge.next_per_minute,
        connect_fee=charge.connect_fee,
        increments=f"{charge.first_increment_s}/{charge.next_increment_s}",
        amount=charge.amount,
        package_seconds=charge.package_seconds,
        surcharge_per_minute=charge.surcharge_per_minute,
        tag=leg.tag or session.tag,
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
        tag=session.tag,
    )


def _given_back(session: RatedSession, credit: CallCredit, zone: ZoneInfo) -> InvoiceLine:
    tag = next((leg.tag for leg in session.legs if leg.leg_id == credit.leg_id), "")
    return InvoiceLine(
        kind=LineKind.CREDITED,
        leg_id=credit.leg_id or session.callback_id,
        at=credit.at.astimezone(zone),
        number=credit.number,
        destination=GIVEN_BACK,
        talk_seconds=0,
        billed_seconds=0,
        per_minute=ZERO,
        next_per_minute=ZERO,
        connect_fee=ZERO,
        increments="",
        amount=-credit.amount,
        tag=tag or session.tag,
    )


def _summaries(
    sessions: Sequence[InvoiceSession], label: Callable[[InvoiceSession, InvoiceLine], str]
) -> tuple[Summary, ...]:
    groups: dict[str, list[tuple[InvoiceSession, InvoiceLine]]] = {}
    for session in sessions:
        for line in session.lines:
            groups.setdefault(label(session, line), []).append((session, line))
    return tuple(_summary(name, lines) for name, lines in sorted(groups.items()))


def _summary(label: str, group: Sequence[tuple[InvoiceSession, InvoiceLine]]) -> Summary:
    return Summary(
        label=label,
        calls=len({session.callback_id for session, line in group if line.kind in OF_LEGS}),
        talk_seconds=sum(line.talk_seconds for _, line in group),
        billed_seconds=sum(line.billed_seconds for _, line in group),
        amount=_sum(line for _, line in group),
    )


def _sum(lines: Iterable[InvoiceLine]) -> Decimal:
    return sum((line.amount for line in lines), ZERO)

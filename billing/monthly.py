"""A month of an account: what is known of it becomes an invoice's head, and the entries that close it.

Reads: MonthFacts, the seller, the tax table.
Gives: InvoiceHead; Entries whose sum, with those of the calls, is the invoice's total (law I7).
Knows nothing of: where facts and entries are kept; which month is over.

The entries of an invoice are dated on the last microsecond of its period, so that a period's entries are
its invoice's lines, and what was owed at its end is what the invoice says.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from billing.invoice import InvoiceHead, head_of
from billing.ledger import Entry, EntryKind, LedgerAccount, LedgerAccountKind, Posting
from billing.particulars import ZERO, Item, Party, Payment
from billing.period import Period
from billing.tax import CALLS, TaxRow, tax_of
from billing.totals import plan_items
from rating.plan import Plan
from values.money import decimal_units

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthFacts:
    """All that an invoice says besides its calls; of them only the sum.

    `plan` is the account's at the period's end, `plans_used` those that its answered legs were priced by.
    `is_active`: the account was open at the period's end, so its plan's monthly fee is due.
    """

    account_id: str
    buyer: Party
    plan: Plan
    period: Period
    charges: Decimal
    previous_owed: Decimal
    payments: tuple[Payment, ...] = ()
    options: tuple[Item, ...] = ()
    plans_used: tuple[Plan, ...] = ()
    is_active: bool = True
    tax_place: str = ""
    numbers_masked: bool = False

    @property
    def has_items(self) -> bool:
        """Whether the month asks for something besides calls: an option, or the fee of the plan."""
        return bool(self.options or (self.is_active and self.plan.monthly_fee))

    @property
    def is_idle(self) -> bool:
        """Whether nothing at all happened and nothing is owed."""
        return not (self.charges or self.previous_owed or self.payments or self.options)


def monthly_head(
    facts: MonthFacts,
    *,
    number: str,
    seller: Party,
    taxes: tuple[TaxRow, ...],
    issued_on: date,
    due_on: date,
) -> InvoiceHead:
    """Return the head of that month's invoice; TaxRefused if no rate can be said for the account's place."""
    period = facts.period
    items = facts.options
    if facts.is_active:
        days = {"first_day": period.first_day, "end_day": period.end_day}
        items = (*plan_items(facts.plan, facts.charges, **days), *items)
    groups = {CALLS, *(item.tax_group for item in items)}
    return head_of(
        number=number,
        seller=seller,
        buyer=facts.buyer,
        account_id=facts.account_id,
        plan=facts.plan,
        period=period,
        issued_on=issued_on,
        due_on=due_on,
        charges=facts.charges,
        items=items,
        previous_owed=facts.previous_owed,
        payments=facts.payments,
        plans=facts.plans_used,
        taxes={
            group: tax_of(
                taxes,
                group=group,
                place=facts.tax_place,
                seller_country=seller.country,
                tax_id=facts.buyer.tax_id,
                on=period.end_day - timedelta(days=1),
            )
            for group in sorted(groups)
        },
        numbers_masked=facts.numbers_masked,
    )


def closing_entries(head: InvoiceHead) -> tuple[Entry, ...]:
    """Return the entries that an invoice adds to those of its calls: items, tax, rounding; none at 0."""
    at = head.period.ends_at - _MICROSECOND
    totals = head.totals
    made = (
        _entry(head, EntryKind.FEE, at, LedgerAccountKind.FEES, totals.items),
        _entry(head, EntryKind.TAX, at, LedgerAccountKind.TAX, totals.tax),
        _entry(head, EntryKind.ROUNDING, at, LedgerAccountKind.ROUNDING, totals.rounding),
    )
    return tuple(entry for entry in made if entry is not None)


def _entry(
    head: InvoiceHead, kind: EntryKind, at: datetime, house: LedgerAccountKind, amount: Decimal
) -> Entry | None:
    if not amount:
        return None
    units = decimal_units(amount + ZERO)
    receivable = LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner=head.account_id)
    return Entry(
        id=f"{kind}-{head.number}",
        kind=kind,
        at=at,
        reference=head.number,
        postings=(
            Posting(ledger_account=receivable, units=-units, currency=head.currency),
            Posting(ledger_account=LedgerAccount(kind=house), units=units, currency=head.currency),
        ),
    )

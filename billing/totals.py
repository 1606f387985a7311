"""The sums of an invoice: calls and items, rounding, tax by group, what is due.

Reads: the sum of the call charges, items, tax groups, what was owed and what moved.
Gives: Totals.
Knows nothing of: single calls, databases: the calls' sum may come from lines or from SQL, it is the same.

Laws:
1. Lines have 4 decimals. Each tax group's sum is rounded to the minor unit once; what that adds or
   takes is `rounding`.
2. Tax is taken once for each tax group, on the rounded subtotal.
3. A monthly fee is waived by the rounded call charges before tax.
4. No total has more than two decimals, also where the currency has three: EN 16931 knows no more (BR-DEC-12).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from billing.particulars import ZERO, Item, ItemKind, Payment
from billing.printed import amount_at_least, duration
from billing.tax import CALLS, UNTAXED, TaxCategory, TaxGroup
from rating.plan import Plan
from values.money import half_up, minor_digits

TOTAL_DIGITS_MAX = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxLine:
    """The tax of one group, in the minor unit. `groups` are the names of the groups that bear it together."""

    label: str
    percent: Decimal
    base: Decimal
    amount: Decimal
    category: TaxCategory = TaxCategory.STANDARD
    text: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """All sums. `charges` are the calls with 4 decimals, `items` what recurs; `rounding` leads to `subtotal`.

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
    items: Decimal = ZERO

    @property
    def tax(self) -> Decimal:
        """Return the tax of all groups."""
        return sum((line.amount for line in self.taxes), Decimal(0))


def total_digits(currency: str) -> int:
    """Return how many decimals an invoice's totals have in that currency."""
    return min(minor_digits(currency), TOTAL_DIGITS_MAX)


def reckon(
    *,
    charges: Decimal,
    items: Sequence[Item],
    currency: str,
    tax: TaxGroup | None,
    taxes: Mapping[str, TaxGroup],
    previous_owed: Decimal,
    payments: Iterable[Payment],
) -> Totals:
    """Return all sums. `tax` is what groups bear that `taxes` does not name; None: they bear none."""
    digits = total_digits(currency)
    # A month without calls has no tax line of its own for them, unless there is nothing else.
    sums = {CALLS: charges} if charges or not items else {}
    for item in items:
        sums[item.tax_group] = sums.get(item.tax_group, ZERO) + item.amount
    lines = _tax_lines(sums, tax, taxes, digits)
    subtotal = sum((line.base for line in lines), half_up(Decimal(0), digits))
    # Shown is what is owed to somebody, or has to be said: no tax at all goes without a line.
    shown = tuple(line for line in lines if line.category is not TaxCategory.UNTAXED)
    total = subtotal + sum((line.amount for line in shown), Decimal(0))
    paid = sum((payment.amount for payment in payments), ZERO)
    recurring = sum((item.amount for item in items), ZERO)
    return Totals(
        charges=charges,
        items=recurring,
        rounding=subtotal - charges - recurring,
        subtotal=subtotal,
        taxes=shown,
        total=total,
        previous_owed=previous_owed,
        payments=paid,
        amount_due=previous_owed - paid + total,
    )


def _tax_lines(
    sums: Mapping[str, Decimal], tax: TaxGroup | None, taxes: Mapping[str, TaxGroup], digits: int
) -> tuple[TaxLine, ...]:
    """Return one line for each category and rate: groups that bear the same are taxed together."""
    bearing: dict[tuple[TaxCategory, Decimal], list[str]] = {}
    named: dict[tuple[TaxCategory, Decimal], TaxGroup] = {}
    for name in sums:
        borne = taxes.get(name, tax) or UNTAXED
        bearing.setdefault((borne.category, borne.percent), []).append(name)
        named.setdefault((borne.category, borne.percent), borne)
    made = []
    for key, names in bearing.items():
        group = named[key]
        base = half_up(sum((sums[name] for name in names), ZERO), digits)
        amount = half_up(Fraction(base) * Fraction(group.percent) / 100, digits)
        made.append(
            TaxLine(
                label=group.label,
                percent=group.percent,
                base=base,
                amount=amount,
                category=group.category,
                text=group.text,
                groups=tuple(names),
            )
        )
    return tuple(made)


def plan_items(plan: Plan, charges: Decimal, *, first_day: date, end_day: date) -> tuple[Item, ...]:
    """Return a plan's fee of the month, or that it is waived; nothing where the plan has none.

    A plan with included seconds sells a package, and its fee says so.
    """
    digits = total_digits(plan.currency)
    if not plan.monthly_fee:
        return ()
    kind, name, amount = ItemKind.FEE, f"Monthly fee, plan {plan.name}", half_up(plan.monthly_fee, digits)
    if plan.package_seconds:
        kind = ItemKind.PACKAGE
        name = f"Package of {duration(plan.package_seconds)}, plan {plan.name}"
    waived_from = plan.monthly_fee_waived_from
    if waived_from is not None and half_up(charges, digits) >= waived_from:
        name += f": waived, for your calls reach {plan.currency} {amount_at_least(waived_from, digits)}"
        amount = ZERO
    return (Item(kind=kind, name=name, amount=amount, first_day=first_day, end_day=end_day),)

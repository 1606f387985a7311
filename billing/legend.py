"""The sentences that say how an invoice is reckoned, and what to do where it looks wrong.

Reads: a Plan, a Period, the seller.
Gives: sentences.
Knows nothing of: lines, amounts.
"""

from billing.particulars import Party
from billing.period import Period
from billing.totals import total_digits
from rating.plan import Plan


def legend_of(plan: Plan, period: Period) -> tuple[str, ...]:
    """Return increments, rounding, what the call to the account costs, the zone."""
    first, following = plan.first_increment_s, plan.next_increment_s
    digits = total_digits(plan.currency)
    legend = [
        "Talk time runs from answer to hang-up of each leg, rounded up to whole seconds once.",
        f"Billed time is at least {first} s, then steps of {following} s, unless the line says otherwise.",
        "Unanswered calls cost nothing.",
        f"{plan.a_leg_policy.printed} Its minimum applies once for each callback.",
        (
            f"Each leg is rounded half-up to {plan.amount_places} decimals, the invoice total half-up to"
            f" {digits} decimals once; what that adds or takes is the line Rounding."
        ),
        f"Times are local in {period.zone}. A callback belongs to the day and the period in which it ended.",
    ]
    if plan.package_seconds:
        legend.append("Seconds that your package covers are billed at 0; they are used before money.")
    if plan.free_below_seconds:
        free = f"Calls to destinations shorter than {plan.free_below_seconds} s are free."
        legend.insert(3, free)
    return tuple(legend)


def dispute_of(seller: Party) -> str:
    """Return whom to write to about a line, and what happens then."""
    contact = " or ".join(text for text in (seller.email, seller.phone) if text) or seller.name
    return (
        f"To dispute a line, write to {contact} with the invoice number and the callback id printed above the"
        " line. We answer with the call's own record; a line that is wrong is credited, the rest stays due."
    )

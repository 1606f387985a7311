"""The sentences that say how an invoice is reckoned, and what to do where it looks wrong.

Reads: a Plan, a Period, the seller.
Gives: sentences.
Knows nothing of: lines, amounts.
"""

from billing.particulars import Party
from billing.period import Period
from billing.printed import amount_at_least
from billing.totals import total_digits
from rating.plan import ALegPolicy, Plan

LEGS = "Leg A is the call to you, leg B the call to your destination."


def legend_of(plan: Plan, period: Period) -> tuple[str, ...]:
    """Return which seconds count, increments, rounding, bounds, the zone: what a line follows from."""
    first, following = plan.first_increment_s, plan.next_increment_s
    digits = total_digits(plan.currency)
    return (
        f"{LEGS} What nobody answers costs nothing.",
        _leg_a(plan.a_leg_policy),
        "The call to your destination is charged from its answer to its end.",
        *_exceptions(plan),
        (
            "Talk is the time that is charged, rounded up to whole seconds once for each leg. Billed is at"
            f" least {first} s, then steps of {following} s, unless the line says otherwise."
        ),
        (
            f"Each leg is rounded half-up to {plan.amount_places} decimals, the invoice total half-up to"
            f" {digits} decimals once; what that adds or takes is the line Rounding."
        ),
        f"These are the terms of {plan.name}, version {plan.version}; calls made under others keep those.",
        f"Times are local in {period.zone}. A callback belongs to the day and the period in which it ended.",
    )


def dispute_of(seller: Party) -> str:
    """Return whom to write to about a line, and what happens then."""
    contact = " or ".join(text for text in (seller.email, seller.phone) if text) or seller.name
    return (
        f"To dispute a line, write to {contact} with the invoice number and the callback id printed above the"
        " line. We answer with the call's own record; a line that is wrong is credited, the rest stays due."
    )


def _leg_a(policy: ALegPolicy) -> str:
    minimum = "" if policy is ALegPolicy.FREE else " Its minimum applies once for each callback."
    return f"{policy.printed}{minimum}"


def _exceptions(plan: Plan) -> list[str]:
    told = []
    if plan.free_below_seconds:
        told.append(f"Calls to destinations shorter than {plan.free_below_seconds} s are free.")
    if plan.package_seconds:
        told.append("Seconds that your package covers are billed at 0; they are used before money.")
    for bound, words in ((plan.call_price_min, "at least"), (plan.call_price_max, "at most")):
        if bound is not None:
            digits = total_digits(plan.currency)
            told.append(
                f"A leg that is charged costs {words} {plan.currency} {amount_at_least(bound, digits)}."
            )
    return told

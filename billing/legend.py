"""The sentences that say how an invoice is reckoned, and what to do where it looks wrong.

Reads: the Plans that its lines were priced by, a Period, the seller.
Gives: sentences.
Knows nothing of: lines, amounts.

What all plans have in common is said once; where they differ, each sentence names its plan.
"""

from collections.abc import Iterator, Sequence

from billing.particulars import Party
from billing.period import Period
from billing.printed import amount_at_least
from billing.totals import total_digits
from rating.plan import ALegPolicy, Plan

LEGS = "A call is one callback: leg A is the call to you, each leg B one to a destination."


def legend_of(plans: Sequence[Plan], period: Period) -> tuple[str, ...]:
    """Return which seconds count, increments, rounding, bounds, the zone: what a line follows from."""
    return (
        f"{LEGS} In tables it counts once wherever it has a leg. What nobody answers costs nothing.",
        *_told(plans),
        f"Times are local in {period.zone}. A call belongs to the day and the period in which it ended.",
    )


def price_list_of(plans: Sequence[Plan]) -> str:
    """Return the plans by name and version, in the order in which calls were made under them."""
    return "; ".join(map(_named, plans))


def dispute_of(seller: Party) -> str:
    """Return whom to write to about a line, and what happens then."""
    contact = " or ".join(text for text in (seller.email, seller.phone) if text) or seller.name
    return (
        f"To dispute a line, write to {contact} with the invoice number and the callback id printed above the"
        " line. We answer with the call's own record; a line that is wrong is credited, the rest stays due."
    )


def _told(plans: Sequence[Plan]) -> Iterator[str]:
    for alike in zip(*map(_sentences, plans), strict=True):
        for sentence in dict.fromkeys(filter(None, alike)):
            under = [_named(plan) for plan, said in zip(plans, alike, strict=True) if said == sentence]
            yield sentence if len(under) == len(plans) else f"Under {' and '.join(under)}: {sentence}"
    if len(plans) > 1:
        yield f"Each call keeps the terms under which it began: {price_list_of(plans)}."


def _sentences(plan: Plan) -> tuple[str, ...]:
    """Return what a plan says, each thing at its place; an empty text where it says nothing of it."""
    digits = total_digits(plan.currency)
    cents = f"{digits} decimals" if digits else f"whole {plan.currency}"
    free, package = plan.free_below_seconds, plan.package_seconds
    return (
        _leg_a(plan.a_leg_policy),
        "The call to your destination is charged from its answer to its end.",
        f"Calls to destinations shorter than {free} s are free." if free else "",
        "Seconds that your package covers are billed at 0; they are used before money." if package else "",
        *(
            f"A leg that is charged costs {words} {plan.currency} {amount_at_least(bound, digits)}."
            if bound is not None
            else ""
            for bound, words in ((plan.call_price_min, "at least"), (plan.call_price_max, "at most"))
        ),
        "Talk is the time that is charged, rounded up to whole seconds once for each leg.",
        (
            f"Billed is at least {plan.first_increment_s} s, then steps of {plan.next_increment_s} s, unless"
            " the line says otherwise."
        ),
        (
            f"Each leg is rounded half-up to {plan.amount_places} decimals, the invoice total half-up to"
            f" {cents} once; what that adds or takes is the line Rounding."
        ),
    )


def _leg_a(policy: ALegPolicy) -> str:
    minimum = "" if policy is ALegPolicy.FREE else " Its minimum applies once for each callback."
    return f"{policy.printed}{minimum}"


def _named(plan: Plan) -> str:
    return f"{plan.name}, version {plan.version}"

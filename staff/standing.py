"""Where a callback and its legs stand now, as rows.

Reads: a Callback; what it came to.
Gives: rows of plain values.
Knows nothing of: how they are printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from calls.callback import Callback, Leg, disposition_of
from staff.listing import amount, moment

if TYPE_CHECKING:
    from store.outcomes import Total

LISTED = (
    *("id", "state", "account", "subscriber", "number", "destination"),
    *("origin", "created_at", "reason"),
)
SPARE = ("origin", "subscriber", "account", "number")
COST = ("amount", "waived", "credited", "net", "currency")
LEGS = ("leg", "role", "number", "trunk", "now", "rang_at", "answered_at", "hung_up_at", "cause")
LEGS_SPARE = ("role", "cause", "trunk", "rang_at", "hung_up_at")
"""What a list goes without where there is no room for all, the most dispensable first."""


def line(callback: Callback) -> dict[str, object]:
    """What a list tells of it."""
    return {
        "id": callback.id,
        "state": callback.state,
        "account": callback.account_id,
        "subscriber": callback.subscriber_id,
        "number": callback.number_a,
        "destination": callback.destination,
        "origin": callback.origin.label,
        "created_at": callback.created_at,
        "reason": callback.reason,
    }


def record(callback: Callback) -> dict[str, object]:
    """All that is known of it, its legs left out."""
    is_held = bool(callback.hold_units) and not callback.state.is_end
    return {
        **line(callback),
        "plan": callback.plan_id,
        "dial_at": callback.dial_at,
        "attempts": f"{callback.attempts_made} of {callback.attempts_max}",
        "on_hold": f"{amount(callback.hold_units, callback.currency)} {callback.currency}"
        if is_held
        else None,
        "ended_at": callback.ended_at,
        "cancelled_by": callback.cancelled_by,
        "reference": callback.origin.reference,
        "tag": callback.origin.tag,
    }


def cost(total: Total | None) -> dict[str, object]:
    """What it came to, before tax; nothing until its books are closed."""
    if total is None:
        return dict.fromkeys(COST)
    units = (total.units, total.waived_units, total.credited_units, total.net_units)
    told = (amount(each, total.currency) for each in units)
    return dict(zip(COST, (*told, total.currency), strict=True))


def leg_rows(callback: Callback) -> list[dict[str, object]]:
    """One row for each leg in the order of dialling, the planned ones last."""
    return [_leg(leg) for leg in (*callback.legs, *callback.planned)]


def standing_of(leg: Leg) -> str:
    """What the leg does now, in a word; once it is gone, how it ended."""
    if leg.hung_up_at is not None:
        return f"ended: {disposition_of(leg)}"
    if leg.ordered_at is None:
        return "planned"
    if leg.answered_at is None:
        return "dialling" if leg.rang_at is None else "ringing"
    return "answered" if leg.accepted_at is None else "accepted"


def _leg(leg: Leg) -> dict[str, object]:
    return {
        "leg": leg.id,
        "role": leg.role,
        "number": leg.number,
        "trunk": leg.trunk,
        "now": standing_of(leg),
        "rang_at": moment(leg.rang_at, "microseconds"),
        "answered_at": moment(leg.answered_at, "microseconds"),
        "hung_up_at": moment(leg.hung_up_at, "microseconds"),
        "cause": leg.q850_cause,
    }

"""The legs of a callback as rows: where each stands now.

Reads: a Callback.
Gives: rows of plain values.
Knows nothing of: how they are printed.
"""

from __future__ import annotations

from calls.callback import Callback, Leg, disposition_of
from staff.listing import moment


def leg_rows(callback: Callback) -> list[dict[str, object]]:
    """One row for each leg in the order of dialling, the planned ones last."""
    return [_row(leg) for leg in (*callback.legs, *callback.planned)]


def standing_of(leg: Leg) -> str:
    """What the leg does now, in a word; once it is gone, how it ended."""
    if leg.hung_up_at is not None:
        return f"ended: {disposition_of(leg)}"
    if leg.ordered_at is None:
        return "planned"
    if leg.answered_at is None:
        return "dialling" if leg.rang_at is None else "ringing"
    return "answered" if leg.accepted_at is None else "accepted"


def _row(leg: Leg) -> dict[str, object]:
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

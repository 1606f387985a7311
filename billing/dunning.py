"""Dunning: what is done about an invoice that is not paid, and on which day.

Reads: the day an invoice is due, what was done when, a late fee and the day from which it was printed.
Gives: the step that is due by a day; never one before those that come first, never two at once.
Knows nothing of: who is told how, whether the invoice was paid meanwhile.

An invoice issued on 1 June with 15 days is to be paid before 16 June: that day it is due, and late (W-26).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Stage(StrEnum):
    """What is done; in this order."""

    FIRST_RESEND = "first_resend"
    SECOND_RESEND = "second_resend"
    THIRD_RESEND = "third_resend"
    LATE_FEE = "late_fee"
    LIMIT = "limit"
    SUSPEND = "suspend"
    CLOSE = "close"


DAYS = {
    Stage.FIRST_RESEND: 0,
    Stage.SECOND_RESEND: 7,
    Stage.THIRD_RESEND: 20,
    Stage.LATE_FEE: 27,
    Stage.LIMIT: 34,
    Stage.SUSPEND: 41,
    Stage.CLOSE: 90,
}
"""Days after the invoice was due. The resends are the trade's; the rest leaves a week to answer each time."""

RESENDS = frozenset({Stage.FIRST_RESEND, Stage.SECOND_RESEND, Stage.THIRD_RESEND})


@dataclass(frozen=True, slots=True, kw_only=True)
class LateFee:
    """A fee for paying late; only who bought after it was printed owes it."""

    units: int
    printed_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A stage and its day."""

    stage: Stage
    on: date


def due_on(issued_on: date, days: int) -> date:
    """Return the day before which an invoice is to be paid."""
    return issued_on + timedelta(days=days)


def step_due(
    *, due: date, today: date, done: Mapping[Stage, date], fee: LateFee | None, bought_from: date
) -> Step | None:
    """Return what is to be done now: the first stage that was not done, one at a time.

    `done` has the day on which each was done; `bought_from` is the first day that is invoiced. Where a stage
    was done late the next one waits as long after it as it always does: there is time to answer each.
    """
    is_fee_owed = fee is not None and fee.units > 0 and fee.printed_on <= bought_from
    before = 0
    for stage, days in DAYS.items():
        if stage is Stage.LATE_FEE and not is_fee_owed:
            continue
        if stage not in done:
            on = due + timedelta(days=days)
            if done:
                on = max(on, max(done.values()) + timedelta(days=days - before))
            return Step(stage=stage, on=on) if on <= today else None
        before = days
    return None

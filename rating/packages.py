"""Packages of minutes and the monthly fee: what a plan gives and asks each month.

Reads: a Plan, the call charges of a month, what was left of the month before.
Gives: Package: what of a month's minutes is granted, carried, used, promised and left; the fee that is due.
Knows nothing of: where any of it is kept, calls.

A month is one of the calendar in the account's zone, written 2026-03. Seconds are promised to a call that
runs as credit is held for it, so that calls at once never use the same minute twice.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from rating.plan import Plan

DECEMBER = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The billed seconds that one month gives to an account, and where they are."""

    month: str
    granted: int
    carried: int = 0
    used: int = 0
    promised: int = 0

    @property
    def unused(self) -> int:
        """Return what no ended call has used: at the month's end it rolls over or lapses."""
        return max(self.granted + self.carried - self.used, 0)

    @property
    def left(self) -> int:
        """Return what may be promised to a further call."""
        return max(self.unused - self.promised, 0)


def month_of(instant: datetime, zone: str) -> str:
    """Return the month of an instant in a zone."""
    return f"{instant.astimezone(ZoneInfo(zone)):%Y-%m}"


def month_after(month: str) -> str:
    """Return the month that follows."""
    year, number = int(month[:4]), int(month[5:])
    return f"{year + number // DECEMBER:04d}-{number % DECEMBER + 1:02d}"


def renewed(plan: Plan, month: str, *, unused: int) -> Package:
    """Return the package of a new month; `unused` was left of the month before."""
    carried = unused if plan.package_rolls_over else 0
    return Package(month=month, granted=plan.package_seconds, carried=carried)


def monthly_fee_due(plan: Plan, call_charges: Decimal) -> Decimal:
    """Return the fee of a month whose calls came to that much, rounded, before tax."""
    waived_from = plan.monthly_fee_waived_from
    return Decimal(0) if waived_from is not None and call_charges >= waived_from else plan.monthly_fee

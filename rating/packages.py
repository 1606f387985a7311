"""Packages of minutes and the monthly fee: what a plan gives and asks each month.

Reads: a Plan, the call charges of a month, what was left of the month before.
Gives: Package: what of a month's minutes is granted, carried, used, promised and left; the fee that is due.
A Meter, which lets calls use a package one after the other.
Knows nothing of: where any of it is kept, calls.

A month is one of the calendar in the account's zone, written 2026-03. Seconds are promised to a call that
runs as credit is held for it, so that calls at once never use the same minute twice.
"""

from collections.abc import Iterator
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


class Meter:
    """The package of one account over the months of a zone, used by calls in their order.

    What is left rolls over to later months as they come; a month before the first one is granted plainly.
    """

    def __init__(self, plan: Plan, zone: str) -> None:
        """Nothing is used yet."""
        self._plan = plan
        self._zone = zone
        self._left: dict[str, int] = {}

    def take(self, seconds: int, at: datetime) -> int:
        """Return how many of the seconds the package of that month pays for; they are used then."""
        month = month_of(at, self._zone)
        if month not in self._left:
            self._open(month)
        taken = min(seconds, self._left[month])
        self._left[month] -= taken
        return taken

    def _open(self, month: str) -> None:
        last = max(self._left, default=month)
        unused = self._left.get(last, 0)
        for each in _months_after(last, month):
            self._left[each] = unused = renewed(self._plan, each, unused=unused).left
        self._left.setdefault(month, renewed(self._plan, month, unused=0).left)


def _months_after(month: str, last: str) -> Iterator[str]:
    while month < last:
        month = month_after(month)
        yield month


def monthly_fee_due(plan: Plan, call_charges: Decimal) -> Decimal:
    """Return the fee of a month whose calls came to that much, rounded, before tax."""
    waived_from = plan.monthly_fee_waived_from
    return Decimal(0) if waived_from is not None and call_charges >= waived_from else plan.monthly_fee

"""How late the money is that an account owes: payments settle what was due first.

Reads: what is owed, and what was asked for with the days that each sum is late; in 10^-4 units.
Gives: Ageing: what is still open of each lateness. Its sum is the balance, to the last unit.
Knows nothing of: accounts, databases, how late is too late.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

EDGES_DAYS = (0, 30, 60, 90)
"""The last day of each column: not due; 1 to 30 days late; to 60; to 90; the rest is later still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A sum that the account was asked for; 0 days late: it is not to be paid yet."""

    units: int
    days_late: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """`open_units` from what is not due to what is latest; `credit_units`: paid beyond all charges."""

    open_units: tuple[int, ...]
    credit_units: int

    @property
    def owed_units(self) -> int:
        """Return what the account owes; negative where it has money with us."""
        return sum(self.open_units) - self.credit_units


def age(owed_units: int, asked: Iterable[Asked]) -> Ageing:
    """Return what is open of each lateness. `asked` goes from what is due last down to what was due first.

    What is owed beyond all that was asked for is as late as the oldest of it.
    """
    left = max(owed_units, 0)
    still_open = [0] * (len(EDGES_DAYS) + 1)
    column = 0
    for each in asked:
        column = bisect_left(EDGES_DAYS, each.days_late)
        unpaid = min(left, max(each.units, 0))
        still_open[column] += unpaid
        left -= unpaid
    still_open[column] += left
    return Ageing(open_units=tuple(still_open), credit_units=max(-owed_units, 0))


def days_late(due_on: date, today: date) -> int:
    """Return which day of being late it is: on the day it is due the first, before that none (W-26)."""
    return max((today - due_on).days + 1, 0)

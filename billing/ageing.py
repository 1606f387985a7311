"""How late the money is that an account owes: payments settle what was asked for first.

Reads: what is owed, and what was asked for with the days that each sum is late; in 10^-4 units.
Gives: what is still open of each sum; Ageing: of each lateness. Its sum is the balance, to the last unit.
Knows nothing of: accounts, databases, how late is too late.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
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


def unpaid(owed_units: int, asked: Iterable[int]) -> tuple[int, ...]:
    """Return what is open of each sum. `asked` goes from what was asked for last down to the first.

    Money pays what was asked for first, so what is still owed is owed on the newest.
    """
    left = max(owed_units, 0)
    still_open: list[int] = []
    for units in asked:
        still_open.append(min(left, max(units, 0)))
        left -= still_open[-1]
    return tuple(still_open)


def still_asked(moved: Iterable[int]) -> int:
    """Return what people ask for by hand, of sums in the order in which they were booked.

    A sum below zero is in the account's favour: it takes back what was asked for before it. Of what it is
    beyond that, nothing is kept here: it is money.
    """
    asked = 0
    for units in moved:
        asked = max(asked + units, 0)
    return asked


def age(owed_units: int, asked: Sequence[Asked]) -> Ageing:
    """Return what is open of each lateness. `asked` goes from what was asked for last down to the first.

    What is owed beyond all that was asked for is not due: nobody was told to pay it.
    """
    columns = [0] * (len(EDGES_DAYS) + 1)
    for each, units in zip(asked, unpaid(owed_units, [each.units for each in asked]), strict=True):
        columns[bisect_left(EDGES_DAYS, each.days_late)] += units
    columns[0] += max(owed_units, 0) - sum(columns)
    return Ageing(open_units=tuple(columns), credit_units=max(-owed_units, 0))


def days_late(due_on: date, today: date) -> int:
    """Return which day of being late it is: on the day it is due the first, before that none (W-26)."""
    return max((today - due_on).days + 1, 0)

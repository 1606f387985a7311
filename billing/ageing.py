"""How old the money is that an account owes: payments settle the oldest charges first.

Reads: what was charged, by age, and what was paid; both in 10^-4 units.
Gives: Ageing: what is still open of each age. Its sum is the balance, to the last unit.
Knows nothing of: accounts, databases, how old is too old.
"""

from collections.abc import Sequence
from dataclasses import dataclass

EDGES_DAYS = (30, 60, 90)
"""Where one column ends and the next begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ageing:
    """`open_units` from the youngest column to the oldest; `credit_units`: paid beyond all charges."""

    open_units: tuple[int, ...]
    credit_units: int

    @property
    def owed_units(self) -> int:
        """Return what the account owes; negative where it has money with us."""
        return sum(self.open_units) - self.credit_units


def age(charged_units: Sequence[int], credited_units: int) -> Ageing:
    """Return what is open. `charged_units` go from the youngest column to the oldest."""
    left = credited_units
    still_open = []
    for charged in reversed(charged_units):
        settled = min(left, charged)
        left -= settled
        still_open.append(charged - settled)
    return Ageing(open_units=tuple(reversed(still_open)), credit_units=left)

"""Alerts: an account is told when its credit is used up so far, or its balance is this low.

Reads: a rule, what an account owes and may owe, in 10^-4 units.
Gives: whether the rule speaks.
Knows nothing of: when it spoke last (once a month), how the alert is delivered.
"""

from dataclasses import dataclass
from enum import StrEnum


class AlertKind(StrEnum):
    """What an alert looks at."""

    CREDIT_USED = "credit_used"
    LOW_BALANCE = "low_balance"
    SPEND_CAP = "spend_cap"
    """A cap on spending kept a call from being made; the cap itself is the rule (store/caps.py)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRule:
    """`threshold` is whole percent of the credit limit, or an amount in units that is left to spend."""

    kind: AlertKind
    threshold: int

    def speaks(self, *, posted_units: int, credit_limit_units: int) -> bool:
        """Whether it is time: exactly at its percentage, and below its amount.

        With a limit of 50.00 a rule of 90 % is silent when 44.99 is owed, and speaks at 45.00.
        """
        match self.kind:
            case AlertKind.CREDIT_USED:
                owed_units = max(-posted_units, 0)
                return credit_limit_units > 0 and owed_units * 100 >= credit_limit_units * self.threshold
            case AlertKind.LOW_BALANCE:
                return posted_units + credit_limit_units < self.threshold
            case AlertKind.SPEND_CAP:
                return False  # not the balance speaks here, but the call that was not made

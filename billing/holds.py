"""Holds: credit set aside for a running callback, until it is posted, voided or expires.

Reads: amounts in 10^-4 units, the posted balance and the credit limit of an account.
Gives: Hold, whose every change is a new Hold; Standing, which says what is available.
Knows nothing of: where holds are kept, how an account is locked meanwhile, clocks.

Laws:
1. open → raised* → posted | voided | expired; each hold ends once, and nothing follows an end.
2. One hold for each callback; its id is the callback's. The same id with other fields is an error.
3. A hold is opened or raised only within what is available, under the account's lock.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from values.money import UNITS_MAX, currency_code


class HoldState(StrEnum):
    """The condition a hold is in; the last three are ends."""

    OPEN = "open"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class HoldEnded(RuntimeError):
    """The hold ended before: a second end, or a raise after the end, would count money twice."""


class HoldConflict(RuntimeError):
    """This id belongs to a hold with other fields: two callbacks would share one reservation."""


class OverLimit(RuntimeError):
    """The account has less available than is to be held; `shortfall_units` are missing."""

    def __init__(self, needed_units: int, available_units: int) -> None:
        """Keep the shortfall for the spoken reason."""
        super().__init__(f"{needed_units} units are needed, {available_units} are available")
        self.shortfall_units = needed_units - available_units


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Credit set aside; `units` is what is held, `posted_units` what was charged in the end."""

    id: str
    account_id: str
    currency: str
    units: int
    state: HoldState = HoldState.OPEN
    posted_units: int = 0

    def __post_init__(self) -> None:
        """Refuse negative or oversized amounts."""
        currency_code(self.currency)
        for name, units in (("units", self.units), ("posted_units", self.posted_units)):
            if not isinstance(units, int) or not 0 <= units <= UNITS_MAX:
                raise ValueError(f"hold {self.id}: {name} is a whole number from 0 to {UNITS_MAX}")

    @property
    def is_open(self) -> bool:
        """Whether it still takes from what is available."""
        return self.state is HoldState.OPEN

    @property
    def pending_units(self) -> int:
        """Return what it takes from what is available now."""
        return self.units if self.is_open else 0

    def raise_to(self, units: int) -> "Hold":
        """Return the hold with at least `units`; it never shrinks before its end."""
        self._must_be_open("raised")
        return replace(self, units=max(self.units, units))

    def post(self, units: int) -> "Hold":
        """Return the hold ended by a charge of `units`; what was held besides is free again."""
        self._must_be_open("posted")
        return replace(self, state=HoldState.POSTED, posted_units=units)

    def void(self) -> "Hold":
        """Return the hold ended without a charge."""
        self._must_be_open("voided")
        return replace(self, state=HoldState.VOIDED)

    def expire(self) -> "Hold":
        """Return the hold ended because nobody ended it in time."""
        self._must_be_open("expired")
        return replace(self, state=HoldState.EXPIRED)

    def repeats(self, asked: "Hold") -> bool:
        """Whether `asked` is this very hold again; the same id with other fields is a HoldConflict."""
        if asked.id != self.id:
            return False
        if (asked.account_id, asked.currency) != (self.account_id, self.currency):
            raise HoldConflict(f"hold {self.id} exists for another account or currency")
        if not self.is_open:
            raise HoldConflict(f"hold {self.id} exists and is {self.state}")
        if asked.units != self.units:
            raise HoldConflict(f"hold {self.id} exists with {self.units} units, not {asked.units}: raise it")
        return True

    def _must_be_open(self, wish: str) -> None:
        if not self.is_open:
            raise HoldEnded(f"hold {self.id} is {self.state}; it cannot be {wish}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What an account may still spend; all live callbacks share it. Positive favours the account."""

    posted_units: int
    pending_units: int
    credit_limit_units: int

    @property
    def available_units(self) -> int:
        """Return posted minus pending plus the credit limit."""
        return self.posted_units - self.pending_units + self.credit_limit_units


def open_hold(*, id: str, account_id: str, currency: str, units: int, standing: Standing) -> Hold:  # noqa: A002
    """Return a new hold, or raise OverLimit; `standing` was read under the account's lock."""
    if units > standing.available_units:
        raise OverLimit(units, standing.available_units)
    return Hold(id=id, account_id=account_id, currency=currency, units=units)


def raise_hold(hold: Hold, *, units: int, standing: Standing) -> Hold:
    """Return the hold with at least `units`, or raise OverLimit; `standing` counts the hold itself."""
    more = units - hold.units
    if more > 0 and more > standing.available_units:
        raise OverLimit(units, standing.available_units + hold.units)
    return hold.raise_to(units)

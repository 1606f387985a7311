"""An oracle of the books: what an account's money must come to, reckoned on fingers.

Reads: what happened, as plain numbers.
Gives: balances in 10^-4 units.
Knows nothing of: the product. It imports none of it, so that both are wrong together only by chance.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

CENT = 100
"""Units in a cent."""
TAX = Fraction(1, 5)
FIRST_YEAR = 2026


def to_cents(units: int) -> int:
    """Half-up to whole cents; nothing here is below zero."""
    return (2 * units + CENT) // (2 * CENT) * CENT


def taxed(cents: int) -> int:
    """An amount of whole cents with the tax on it, which is rounded once."""
    exact = cents * TAX
    return cents + to_cents(exact.numerator // exact.denominator)


def price(talked: int, per_minute: Fraction) -> int:
    """30/1: at least 30 s, then by the second; half-up to whole units, once."""
    billed = 0 if talked <= 0 else max(talked, 30)
    exact = per_minute * billed / 60 * 10_000
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


@dataclass
class Session:
    """A charged callback: units by leg, what was waived, what was given back by leg ("" is the whole).

    `day` is the account's on which it ended, `month` counts on from January of that account's first year;
    `spent` is what was taken when it ended; `is_short`: not all of it could be.
    """

    legs: dict[str, int]
    waived: int
    day: date
    month: int
    spent: int
    is_short: bool
    given: dict[str, int] = field(default_factory=dict)

    def left(self, leg: str) -> int:
        """What may still be given back of a leg, or of all with ""."""
        whole = sum(self.legs.values()) - self.waived - sum(self.given.values())
        return whole if not leg else min(self.legs[leg] - self.given.get(leg, 0), whole)


@dataclass
class Books:
    """One account's money."""

    limit: int
    balance: int = 0
    paid_in: int = 0
    carriers: int = 0
    sessions: dict[str, Session] = field(default_factory=dict)
    done: dict[str, tuple[object, ...]] = field(default_factory=dict)
    reversed_: set[str] = field(default_factory=set)
    redeemed: set[int] = field(default_factory=set)
    notes: int = 0
    invoices: dict[int, int] = field(default_factory=dict)
    corrected: dict[int, int] = field(default_factory=dict)
    caps: dict[str, int] = field(default_factory=dict)

    @property
    def available(self) -> int:
        """What may still be spent."""
        return max(self.balance + self.limit, 0)

    def refundable(self) -> int:
        """The most that may be given back in money."""
        return min(self.balance, self.paid_in)

    def spent(self, period: str, day: date) -> int:
        """What is paid for calls of the day, the week from Monday on, or the month of that day, as of now."""
        same: dict[str, Callable[[date], object]] = {
            "day": lambda each: each,
            "week": lambda each: each.isocalendar()[:2],
            "month": lambda each: (each.year, each.month),
        }
        key = same[period]
        return sum(each.left("") for each in self.sessions.values() if key(each.day) == key(day))

    def room(self, day: date) -> int:
        """The least that any cap leaves on that day; without a cap there is no end of it."""
        left = [max(cap - self.spent(period, day), 0) for period, cap in self.caps.items()]
        return min(left, default=10**15)

    def may_hold(self, day: date) -> int:
        """What a callback may set aside on that day."""
        return min(self.available, self.room(day))

    def charge(self, name: str, legs: dict[str, int], cost: int, *, day: date, held: int) -> None:
        """A call ended: it is paid as far as there was money and no cap; the carriers earn all the same."""
        gross = sum(legs.values())
        taken = min(gross, self.available, max(self.room(day), held))
        month = (day.year - FIRST_YEAR) * 12 + day.month
        self.sessions[name] = Session(
            legs=legs, waived=gross - taken, day=day, month=month, spent=taken, is_short=taken < gross
        )
        self.balance -= taken
        self.carriers += cost

    def rounds_to(self, name: str, given: int) -> int:
        """A credit without tax: to the cent once its month is closed, and all such credits of it together."""
        month = self.sessions[name].month
        if month not in self.invoices:
            return given
        before = self.corrected.get(month, 0)
        return to_cents(before + given) - to_cents(before)

    def give(self, name: str, line: str, units: int) -> None:
        """A credit note: before the month is closed the call comes to less; then tax is given back, too."""
        session = self.sessions[name]
        session.given[line] = session.given.get(line, 0) + units
        self.notes += 1
        if session.month not in self.invoices:
            self.balance += units
            return
        before = self.corrected.get(session.month, 0)
        after = self.corrected[session.month] = before + units
        self.balance += taxed(to_cents(after)) - taxed(to_cents(before))

    def rerate(self, name: str, legs: dict[str, int]) -> None:
        """A session is priced anew, unless it is on an invoice or some of it was given back."""
        session = self.sessions[name]
        if session.month in self.invoices or session.given:
            return
        paid = sum(session.legs.values()) - session.waived
        session.legs = legs
        # Who could not pay all of it at first pays no more than then.
        session.waived = max(sum(legs.values()) - session.spent, 0) if session.is_short else 0
        self.balance += paid - (sum(legs.values()) - session.waived)

    def close(self, month: int) -> None:
        """A month was closed: what its calls came to, less credits, is rounded to cents once, and taxed."""
        exact = sum(each.left("") for each in self.sessions.values() if each.month == month)
        self.invoices[month] = taxed(to_cents(exact))
        self.balance -= self.invoices[month] - exact

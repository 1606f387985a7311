"""What a call must cost, worked out a second time from the phones' own times; and where the bill differs.

Reads: lengths in microseconds as phones logged them, the deck's file, the plan's steps, what was billed.
Gives: a line for each leg with both sums side by side, and what disagrees in words.
Knows nothing of: rating/, billing/, the database. It is a second opinion: no code is shared.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What the company sells: prices for a minute by prefix, and the steps in which seconds are billed."""

    prices: Mapping[str, Fraction]
    first_s: int
    next_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witnessed:
    """One leg as its own phone has it: at least and at most so long."""

    name: str
    number: str
    shortest_us: int
    longest_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """One leg as the books have it."""

    number: str
    talk_us: int
    seconds: int
    amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Both opinions on one leg. `due` has two bills only where the clocks' tolerance spans a full second."""

    witnessed: Witnessed | None
    billed: Billed | None
    due: tuple[tuple[int, Decimal], ...]
    apart_us: int
    complaint: str

    @property
    def agrees(self) -> bool:
        return not self.complaint


def read_prices(lines: Iterable[str]) -> dict[str, Fraction]:
    """Return the price of a minute by prefix, of the rows that are open."""
    return {
        row["prefix"]: Fraction(row["rate_per_min"])
        for row in csv.DictReader(lines)
        if row["status"] == "open"
    }


def bill(talk_us: int, number: str, terms: Terms) -> tuple[int, Decimal]:
    """Return billed seconds and the amount of a leg, by hand.

    Seconds upwards; at least the first step, then whole further ones; the amount half-up to 4 decimals.
    """
    talked = (talk_us + SECOND_US - 1) // SECOND_US
    if talked == 0:
        return 0, Decimal("0.0000")
    seconds = terms.first_s
    while seconds < talked:
        seconds += terms.next_s
    ten_thousandths = _price(number, terms) * seconds / 60 * 10_000
    rounded = (2 * ten_thousandths.numerator + ten_thousandths.denominator) // (
        2 * ten_thousandths.denominator
    )
    return seconds, Decimal(rounded).scaleb(-4)


def compare(
    witnessed: Sequence[Witnessed], billed: Sequence[Billed], terms: Terms, *, apart_max_us: int
) -> tuple[Line, ...]:
    """Return a line for each leg that a phone saw or the books have; both are in order of time.

    `apart_max_us` is by how much the two clocks may differ.
    """
    numbers = dict.fromkeys([*(leg.number for leg in witnessed), *(leg.number for leg in billed)])
    return tuple(
        _line(seen, booked, terms, apart_max_us)
        for number in numbers
        for seen, booked in zip_longest(
            [leg for leg in witnessed if leg.number == number],
            [leg for leg in billed if leg.number == number],
        )
    )


def total_due(lines: Iterable[Line]) -> frozenset[Decimal]:
    """Return every total that the lines allow: one, but for tolerance."""
    totals = {Decimal("0.0000")}
    for line in lines:
        totals = {total + amount for total in totals for _, amount in line.due}
    return frozenset(totals)


def complaints_about_totals(lines: Sequence[Line], totals: Mapping[str, Decimal]) -> list[str]:
    """Return what is wrong with totals that come from elsewhere: the balance, the invoice."""
    due = total_due(lines)
    wanted = " or ".join(str(amount) for amount in sorted(due))
    return [
        f"{name} says {amount}, the phones say {wanted}"
        for name, amount in totals.items()
        if amount not in due
    ]


def _line(seen: Witnessed | None, booked: Billed | None, terms: Terms, apart_max_us: int) -> Line:
    if seen is None:
        assert booked is not None
        complaint = (
            "" if booked.amount == 0 else f"{booked.number} was billed, but no phone of that number talked"
        )
        return Line(witnessed=None, billed=booked, due=(), apart_us=0, complaint=complaint)
    due = _due(seen, terms, apart_max_us)
    if booked is None:
        complaint = f"{seen.name} talked, but no leg to {seen.number} was billed"
        return Line(witnessed=seen, billed=None, due=due, apart_us=0, complaint=complaint)
    apart_us = _apart(seen, booked)
    return Line(
        witnessed=seen,
        billed=booked,
        due=due,
        apart_us=apart_us,
        complaint=_complaint(seen, booked, due, apart_us, apart_max_us),
    )


def _complaint(
    seen: Witnessed, booked: Billed, due: tuple[tuple[int, Decimal], ...], apart_us: int, apart_max_us: int
) -> str:
    wanted = " or ".join(f"{seconds} s for {amount}" for seconds, amount in due)
    wrong = []
    if (booked.seconds, booked.amount) not in due:
        wrong.append(f"billed {booked.seconds} s for {booked.amount}, due are {wanted}")
    if abs(apart_us) > apart_max_us:
        most_ms = apart_max_us // 1000
        wrong.append(f"the clocks are {apart_us / 1000:+.1f} ms apart, at most {most_ms} ms are allowed")
    return f"{seen.name}: {'; '.join(wrong)}" if wrong else ""


def _due(seen: Witnessed, terms: Terms, apart_max_us: int) -> tuple[tuple[int, Decimal], ...]:
    """Every bill between the shortest and the longest time that the phone's clock allows."""
    least = max(seen.shortest_us - apart_max_us, 1)
    most = seen.longest_us + apart_max_us
    lengths = [least, *range(least - least % SECOND_US + SECOND_US, most, SECOND_US), most]
    return tuple(dict.fromkeys(bill(length, seen.number, terms) for length in lengths))


def _apart(seen: Witnessed, booked: Billed) -> int:
    """How far the books' length lies outside what the phone's clock says; 0 within."""
    if booked.talk_us < seen.shortest_us:
        return booked.talk_us - seen.shortest_us
    return max(booked.talk_us - seen.longest_us, 0)


def _price(number: str, terms: Terms) -> Fraction:
    digits = number.lstrip("+")
    fitting = [prefix for prefix in terms.prices if digits.startswith(prefix)]
    return terms.prices[max(fitting, key=len)]

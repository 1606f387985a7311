"""The amount of a charge, worked out from its sentences alone, as a reader would.

Reads: the steps of a Charge (rating/steps.py), as text.
Gives: the amount that follows from them.
Knows nothing of: the code of rating/.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from math import floor

SECONDS = re.compile(r"(\d+) s at ([\d.]+) a minute")
FEE = re.compile(r"(?:connect|attempt) fee ([\d.]+)")
LEAST = re.compile(r"at least ([\d.]+)")
MOST = re.compile(r"at most ([\d.]+)")
ROUNDED = re.compile(r"rounded half-up to (\d) decimals: [A-Z]{3} ([\d.]+)")


def recomputed(steps: Sequence[str]) -> Decimal:
    """The sum of the steps, within their bounds, rounded as they say."""
    exact, least, most, places = Fraction(0), Fraction(0), None, 4
    for step in steps:
        if found := SECONDS.match(step):
            exact += int(found[1]) * Fraction(found[2]) / 60
        elif found := FEE.fullmatch(step):
            exact += Fraction(found[1])
        elif found := LEAST.fullmatch(step):
            least = Fraction(found[1])
        elif found := MOST.fullmatch(step):
            most = Fraction(found[1])
        elif found := ROUNDED.fullmatch(step):
            places = int(found[1])
    rounded = Fraction(floor(exact * 10**places + Fraction(1, 2)), 10**places)
    bounded = max(rounded, least)
    amount = bounded if most is None else min(bounded, most)
    return Decimal(amount.numerator) / Decimal(amount.denominator)


def seconds_told(steps: Sequence[str]) -> tuple[int, int]:
    """The billed seconds and those of the package, as the sentences say."""
    billed = [int(found[1]) for step in steps if (found := re.search(r"billed (\d+) s$", step))]
    covered = [int(found[1]) for step in steps if (found := re.match(r"(\d+) s of the package", step))]
    return sum(billed), sum(covered)

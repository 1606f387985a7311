"""Decks and calls for the rating benchmarks: the same seed gives the same again.

Reads: how many.
Gives: Rates whose prefixes lie as those of real decks do, numbers below them, seconds.
Knows nothing of: what is measured.

A real deck has few areas with many prefixes each: a hundred thousand begin with the same digit. So prefixes
are drawn below areas of three to six digits, one to three digits longer.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

from rating.plan import Plan
from rating.rate import Rate

SEED = 20_260_301
PREFIXES_AN_AREA = 330
SINCE = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
INCREMENTS = ((30, 1), (60, 60), (1, 1), (30, 6), (60, 1))
PLAN = Plan(id="bench:1", name="bench", version=1, currency="USD", deck_id="bench")


def prefixes(count: int) -> list[str]:
    """So many distinct prefixes, in order."""
    chance = Random(SEED)
    found: set[str] = set()
    while len(found) < count:
        area = str(chance.randrange(100, 10 ** chance.randint(3, 6)))
        found.add(area)
        for _ in range(PREFIXES_AN_AREA):
            digits = chance.randint(1, 3)
            found.add(f"{area}{chance.randrange(10**digits):0{digits}d}")
    return sorted(sorted(found, key=lambda prefix: (len(prefix), prefix))[:count])


def rates(count: int) -> list[Rate]:
    """So many rows; a fifth of them with increments, a tenth with a fee of their own."""
    chance = Random(SEED + 1)
    made = []
    for row, prefix in enumerate(prefixes(count), start=1):
        first, following = chance.choice(INCREMENTS) if chance.random() < 0.2 else (None, None)
        made.append(
            Rate(
                id=f"bench:1:{row}",
                prefix=prefix,
                destination=f"Zone {prefix[:4]}",
                per_minute=Decimal(chance.randrange(50, 90_000)).scaleb(-4),
                connect_fee=Decimal(chance.randrange(1, 50)).scaleb(-2) if chance.random() < 0.1 else None,
                first_increment_s=first,
                next_increment_s=following,
                valid_from=SINCE,
                currency="USD",
            )
        )
    return made


def calls(deck: Sequence[Rate], count: int) -> tuple[list[str], list[int]]:
    """Numbers of 11 to 13 digits below prefixes of the deck, and seconds talked."""
    chance = Random(SEED + 2)
    numbers = []
    for _ in range(count):
        prefix = deck[chance.randrange(len(deck))].prefix
        length = chance.randint(11, 13)
        numbers.append(f"{prefix}{chance.randrange(10**10):010d}"[:length])
    return numbers, [chance.randrange(1, 900) for _ in range(count)]

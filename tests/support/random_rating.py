"""Decks, plans and calls drawn by chance, full of the cases in which rating systems go wrong.

Reads: a random.Random, so that a seed gives the same again.
Gives: RandomDeck, RandomCall.
Knows nothing of: what a call costs.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

from calls.cdr import LegRole
from rating.bands import read_bands
from rating.origin import OriginClass
from rating.plan import ALegPolicy, Plan
from rating.rate import Rate, Surcharge

NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
YEAR_SECONDS = 366 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomCall:
    """One leg: `origin` is the class of the caller ID shown, `package` what a package promises to it."""

    digits: str
    at: datetime
    role: LegRole
    talk_seconds: int
    origin: OriginClass | None = None
    package: int | None = None


def random_rates(chance: Random, rows_max: int = 80) -> tuple[Rate, ...]:
    """Rows whose prefixes nest in each other, some dated, some blocked, some of a time band.

    No two of one prefix and band start together.
    """
    kept: dict[tuple[str, str, datetime], Rate] = {}
    prefixes: list[str] = []
    for row in range(chance.randint(1, rows_max)):
        prefix = _prefix(chance, prefixes)
        prefixes.append(prefix)
        starts = NEW_YEAR + timedelta(days=chance.choice((-900, 0, 0, 31, 59, chance.randint(-30, 400))))
        rate = Rate(
            id=f"deck:1:{row}",
            prefix=prefix,
            destination=f"Place {row}",
            per_minute=_price(chance),
            next_per_minute=_price(chance) if chance.random() < 0.2 else None,
            connect_fee=_price(chance) if chance.random() < 0.2 else None,
            first_increment_s=_increment(chance) if chance.random() < 0.3 else None,
            next_increment_s=_increment(chance) if chance.random() < 0.3 else None,
            valid_from=starts,
            valid_till=starts + timedelta(days=chance.randint(1, 300)) if chance.random() < 0.2 else None,
            blocked=chance.random() < 0.08,
            currency="USD",
            band=chance.choice(("peak", "night", "unknown")) if chance.random() < 0.25 else "",
            surcharges=_surcharges(chance) if chance.random() < 0.2 else (),
            attempt_fee=_price(chance) if chance.random() < 0.1 else None,
        )
        kept[prefix, rate.band, rate.valid_from] = rate
    return tuple(kept.values())


def random_plan(chance: Random) -> Plan:
    """Price terms of every kind."""
    has_package, places = chance.random() < 0.3, chance.choice((4, 4, 4, 3, 2))
    least = Decimal(chance.randint(0, 50)).scaleb(-places) if chance.random() < 0.2 else None
    return Plan(
        id="random:1",
        name="random",
        version=1,
        currency="USD",
        deck_id="deck",
        first_increment_s=_increment(chance),
        next_increment_s=_increment(chance),
        free_below_seconds=chance.choice((0, 0, 0, 3, 4, 30, 60)),
        connect_fee=_price(chance) if chance.random() < 0.4 else Decimal(0),
        a_leg_policy=chance.choice(list(ALegPolicy)),
        amount_places=places,
        call_price_min=least,
        call_price_max=(least or 0) + Decimal(chance.randint(0, 5000)).scaleb(-places)
        if chance.random() < 0.2
        else None,
        package_seconds=18_000 if has_package else 0,
        overage_per_minute=_price(chance) if has_package and chance.random() < 0.5 else None,
        zone=chance.choice(("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu")),
        bands=read_bands("peak=Mo-Fr 08:00-20:00; night=Mo-Su 22:17-06:00") if chance.random() < 0.5 else (),
    )


def random_call(chance: Random, rates: tuple[Rate, ...], plan: Plan) -> RandomCall:
    """A call, mostly to a number that some row is for, at an instant on or near its dates."""
    near = chance.choice(rates)
    digits = near.prefix if chance.random() < 0.9 else chance.choice("123456789")
    digits = (digits + "".join(chance.choice("0123456789") for _ in range(15)))[: chance.randint(7, 15)]
    if chance.random() < 0.2:
        at = near.valid_from + timedelta(microseconds=chance.choice((-1, 0, 1)))
    elif chance.random() < 0.1 and near.valid_till is not None:
        at = near.valid_till + timedelta(microseconds=chance.choice((-1, 0, 1)))
    else:
        at = NEW_YEAR + timedelta(microseconds=chance.randrange(YEAR_SECONDS * 10**6))
    if chance.random() < 0.2:
        at = at.replace(minute=chance.choice((0, 17, 59)), second=0, microsecond=0)
    return RandomCall(
        digits=digits,
        at=at,
        role=chance.choice(list(LegRole)),
        talk_seconds=_seconds(chance),
        origin=chance.choice((None, *OriginClass)),
        package=chance.choice((0, 30, 61, 10_000))
        if plan.package_seconds and chance.random() < 0.3
        else None,
    )


def _surcharges(chance: Random) -> tuple[Surcharge, ...]:
    classes = chance.sample(list(OriginClass), chance.randint(1, 4))
    return tuple(Surcharge(origin=each, per_minute=_price(chance)) for each in classes)


def _prefix(chance: Random, earlier: list[str]) -> str:
    stem = chance.choice(earlier) if earlier and chance.random() < 0.7 else chance.choice("123456789")
    return (stem + "".join(chance.choice("0123456789") for _ in range(chance.choice((0, 0, 1, 1, 2, 5)))))[
        :15
    ]


def _price(chance: Random) -> Decimal:
    places = chance.choice((2, 3, 4, 4, 6, 8))
    largest = chance.choice((1, 100, 10**4, 10**10)) if chance.random() < 0.02 else 3
    return Decimal(chance.randint(0, largest * 10**places)).scaleb(-places)


def _increment(chance: Random) -> int:
    return chance.choice((1, 1, 6, 10, 30, 30, 60, 60, chance.randint(1, 3600)))


def _seconds(chance: Random) -> int:
    return chance.choice(
        (0, 1, 29, 30, 31, 59, 60, 61, *(chance.randint(0, 300) for _ in range(5)), chance.randint(0, 7200))
    )

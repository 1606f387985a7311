"""Every vector of a single leg, by its id, three ways: the pure function, a column, the slow oracle.

A value marked ✗ is one that some system prints; none of the three ways may come to it.
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from priced import LegRole, a_plan, a_rate
from slow_rating import slow_charge

from rating.bulk import ORIGINS, BulkDeck, BulkTerms, number_column, plain_legs
from rating.origin import OriginClass
from rating.plan import Plan
from rating.price import Pins, price_leg, whole_seconds
from rating.rate import Rate, Surcharge
from values.money import decimal_from_units


@dataclass(frozen=True, kw_only=True)
class Vector:
    """A rate, increments, talk, and what it comes to; `wrong` are the published ✗ values of either kind."""

    ids: str
    increments: str
    talk: int
    billed: int
    amount: str = ""
    per_minute: str = "0.0850"
    row: dict[str, Any] | None = None
    plan: dict[str, Any] | None = None
    wrong: tuple[int | str, ...] = ()
    origin: OriginClass | None = None

    @property
    def rate(self) -> Rate:
        return a_rate(self.per_minute, **(self.row or {}))

    @property
    def terms(self) -> Plan:
        return a_plan(self.increments, **(self.plan or {}))


def v(ids: str, increments: str, talk: int, billed: int, amount: str = "", **more: Any) -> Vector:
    return Vector(ids=ids, increments=increments, talk=talk, billed=billed, amount=amount, **more)


CGRATES: dict[str, Any] = {
    "per_minute": "0.2",
    "row": {"connect_fee": Decimal("0.4"), "next_per_minute": Decimal("0.1")},
}
SURCHARGED: dict[str, Any] = {
    "surcharges": (Surcharge(origin=OriginClass.INVALID, per_minute=Decimal("0.25")),)
}
W27 = {
    "30/1": "30 0.0425 30 0.0425 30 0.0425 31 0.0439 59 0.0836 61 0.0864 119 0.1686 3599 5.0986",
    "30/6": "30 0.0425 30 0.0425 30 0.0425 36 0.0510 60 0.0850 66 0.0935 120 0.1700 3600 5.1000",
    "60/1": "60 0.0850 60 0.0850 60 0.0850 60 0.0850 60 0.0850 61 0.0864 119 0.1686 3599 5.0986",
    "60/60": "60 0.0850 60 0.0850 60 0.0850 60 0.0850 60 0.0850 120 0.1700 120 0.1700 3600 5.1000",
    "1/1": "1 0.0014 29 0.0411 30 0.0425 31 0.0439 59 0.0836 61 0.0864 119 0.1686 3599 5.0986",
}
W29 = ((0, 0), (1, 30), (29_000_001, 30), (30_000_000, 30), (30_000_001, 31), (31_000_000, 31))
V19_2 = {
    ("30/1", 0): "0 0 30 .12 30 .12 30 .12 31 .124 60 .24 61 .244 90 .36 3600 14.4",
    ("30/1", 30): "0 0 0 0 0 0 30 .12 31 .124 60 .24 61 .244 90 .36 3600 14.4",
    ("60/60", 0): "0 0 60 .24 60 .24 60 .24 60 .24 60 .24 120 .48 120 .48 3600 14.4",
}


def _table(ids: str, increments: str, talks: tuple[int, ...], cells: str, **more: Any) -> list[Vector]:
    told = cells.split()
    return [
        v(ids, increments, talk, int(billed), amount, **more)
        for talk, billed, amount in zip(talks, told[::2], told[1::2], strict=True)
    ]


VECTORS = (
    v("W01", "30/6", 32, 36, "0.0036", per_minute="0.006"),
    v("W02", "30/6", 57, 60, "0.0060", per_minute="0.006", wrong=("0.003",)),
    v("W03", "30/6", 75, 78, "0.0078", per_minute="0.006", wrong=("0.006",)),
    v("W04", "30/1", 22, 30, "0.3200", per_minute="0.64"),
    v("W04", "1/1", 22, 22, "0.0917", per_minute="0.25"),
    v("W05", "1/1", 15, 15, "0.2500", per_minute="1.00"),
    v("W05", "10/10", 15, 20, "0.3333", per_minute="1.00"),
    v("W05", "20/20", 15, 20, "0.3333", per_minute="1.00"),
    v("W06", "10/1", 5, 10),
    v("W06", "10/1", 25, 25),
    v("W06", "10/30", 5, 10, wrong=(30,)),
    v("W07", "30/6", 10, 30),
    v("W07", "30/6", 31, 36),
    v("W25", "30/6", 32, 36),
    v("W08", "30/1", 20, 30),
    v("W08", "30/1", 21, 30),
    v("W09", "6/6", 10, 12),
    v("W09", "6/6", 15, 18),
    v("W10", "60/60", 5, 60, "0.0100", per_minute="0.01"),
    v("W10", "60/60", 50, 60, "0.0100", per_minute="0.01"),
    v("W10", "6/6", 5, 6, "0.0010", per_minute="0.01"),
    v("W11", "60/1", 20, 60, "0.6000", **CGRATES),
    v("W12", "60/1", 85, 85, "0.6417", wrong=("0.6418",), **CGRATES),
    v("W14", "30/1", 180, 180, "0.3000", per_minute="0.1", wrong=("0.3001", "0.30006")),
    v("W15", "1/1", 90, 90, "90", per_minute="60"),
    v("W15", "1/1", 0, 0, "0", per_minute="60"),
    v("W16_W18_W19_W20", "60/11", 560, 566, "0.0009", per_minute="0.0001", wrong=("0.0010", "0.0011")),
    v("W17_W18_W19_W20", "12/13", 560, 571, "9.5167", per_minute="1.0", wrong=("9.5166",)),
    v("W21", "1/1", 60, 60, "0.28", per_minute="0.28"),
    v("W22", "60/1", 1, 0, plan={"free_below_seconds": 4}, wrong=(60,)),
    v("W22", "60/1", 3, 0, plan={"free_below_seconds": 4}),
    v("W22", "60/1", 4, 60, plan={"free_below_seconds": 4}),
    *(
        vector
        for increments, cells in W27.items()
        for vector in _table("W27", increments, (1, 29, 30, 31, 59, 61, 119, 3599), cells)
    ),
    v("W28", "30/60", 31, 90, wrong=(60,)),
    v("W28", "20/60", 21, 80, wrong=(60,)),
    v("W28", "20/60", 61, 80, wrong=(120,)),
    v("W28", "10/30", 61, 70, wrong=(90,)),
    v("W28", "60/11", 61, 71, wrong=(66,)),
    v("W28", "1/6", 7, 7, wrong=(12,)),
    *(v("W29", "30/1", whole_seconds(micros), billed) for micros, billed in W29),
    v("W36", "30/1", 600, 600, "2.5000", per_minute="0.25", wrong=("2.6292",)),
    v("W37", "1/1", 3, 3, "0.0125", per_minute="0.25", wrong=("0.1375",)),
    v("W42", "30/1", 31, 31, "0.0439", wrong=("0.04", "0.05")),
    v("W44", "30/1", 120, 120, "0.1700", per_minute="0.085", wrong=("0.1800",)),
    v("W45", "1/1", 300, 300, "0.1000", per_minute="0.02", row=SURCHARGED, origin=OriginClass.EEA),
    v("W45", "1/1", 300, 300, "1.3500", per_minute="0.02", row=SURCHARGED, origin=OriginClass.INVALID),
    v("W46", "30/1", 60, 60, "0.2900", per_minute="0.24", row={"connect_fee": Decimal("0.05")}),
    v("W49", "30/1", 250, 250, "1.0000", per_minute="0.24"),
    *(
        vector
        for (increments, free_below), cells in V19_2.items()
        for vector in _table(
            "V19_2",
            increments,
            (0, 1, 29, 30, 31, 60, 61, 90, 3600),
            cells,
            per_minute="0.24",
            plan={"free_below_seconds": free_below},
        )
    ),
)
IDS = [f"{vector.ids}-{vector.increments}-{vector.talk}s" for vector in VECTORS]


def in_column(vector: Vector) -> tuple[int, Decimal]:
    """The middle leg of three, so that its neighbours have their chance to spoil it."""
    deck = BulkDeck([a_rate("9.99", "9"), vector.rate])
    legs = plain_legs(
        number_column(["9", "1", "9"]),
        np.zeros(3, dtype=np.int64),
        np.array([7, vector.talk, 7], dtype=np.int64),
        np.array([True, False, True]),
    )
    if vector.origin:
        legs.origins[:] = ORIGINS.index(vector.origin)
    prices = BulkTerms(deck, vector.terms).price_rows(np.array([0, 1, 0], dtype=np.int32), legs)
    return int(prices.billed_seconds[1]), decimal_from_units(int(prices.amount_units[1]))


@pytest.mark.parametrize("vector", VECTORS, ids=IDS)
def test_the_vectors_three_ways(vector: Vector) -> None:
    surcharge = vector.rate.surcharge(vector.origin) if vector.origin else Decimal(0)
    charge = price_leg(
        rate=vector.rate,
        plan=vector.terms,
        talk_seconds=vector.talk,
        role=LegRole.B,
        pins=Pins(surcharge_per_minute=surcharge),
    )
    slow = slow_charge(vector.rate, vector.terms, "B", vector.talk, origin=vector.origin or "")
    for billed, amount in ((charge.billed_seconds, charge.amount), in_column(vector), slow):
        assert billed == vector.billed
        assert billed not in vector.wrong
        if vector.amount:
            assert Fraction(amount) == Fraction(vector.amount)
        assert all(Fraction(amount) != Fraction(wrong) for wrong in vector.wrong if isinstance(wrong, str))


def test_W16_the_exact_price_and_with_tax_before_any_rounding() -> None:
    exact = Fraction(566, 60) * Fraction("0.0001")
    assert exact == Fraction(849, 900_000)  # 0.00094333…
    assert abs(exact * Fraction("1.23") - Fraction("0.0011603")) < Fraction(1, 10**8)


def test_W13_a_price_in_three_steps_is_none_of_first_and_next() -> None:
    # 0.8, then 60 s at 0.4 in steps of 30 s, then 0.2 in steps of 10 s: 20 s cost 1.0000, 85 s 1.3000.
    # A row has one first increment and one next, so it meets one of the two: no such deck can be brought.
    row = a_rate("0.4", connect_fee=Decimal("0.8"), next_per_minute=Decimal("0.2"))
    charge = {
        talk: price_leg(rate=row, plan=a_plan("60/10"), talk_seconds=talk, role=LegRole.B).amount
        for talk in (20, 85)
    }
    assert charge == {20: Decimal("1.2000"), 85: Decimal("1.3000")}

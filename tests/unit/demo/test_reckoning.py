"""The second opinion on a bill: what it makes due, and that it finds what differs."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from demo.reckoning import (
    Billed,
    Line,
    Terms,
    Witnessed,
    bill,
    compare,
    complaints_about_totals,
    read_prices,
    total_due,
)

DECK = """prefix,destination,rate_per_min,status
44,United Kingdom,0.1000,open
447,"United Kingdom, mobile",0.1400,open
449,"United Kingdom, premium",,blocked
61,Australia,0.1240,open
""".splitlines()
TERMS = Terms(prices=read_prices(DECK), first_s=30, next_s=1)
LONDON, SYDNEY = "+442079460101", "+61255500123"
SEEN = Witnessed(name="Sydney", number=SYDNEY, shortest_us=40_470_000, longest_us=40_470_000)
BILLED = Billed(number=SYDNEY, talk_us=40_468_000, seconds=41, amount=Decimal("0.0847"))


def compared(witnessed: Sequence[Witnessed], billed: Sequence[Billed]) -> tuple[Line, ...]:
    return compare(witnessed, billed, TERMS, apart_max_us=20_000)


@pytest.mark.parametrize(
    ("talk_us", "seconds", "amount"),
    [
        (0, 0, "0.0000"),
        (1, 30, "0.0620"),
        (30_000_000, 30, "0.0620"),
        (30_000_001, 31, "0.0641"),  # 31 × 0.124 / 60 = 0.064066…
        (41_000_000, 41, "0.0847"),
        (45_000_000, 45, "0.0930"),
    ],
)
def test_a_leg_costs_its_seconds_upwards_and_at_least_the_first_step(
    talk_us: int, seconds: int, amount: str
) -> None:
    assert bill(talk_us, SYDNEY, TERMS) == (seconds, Decimal(amount))


def test_further_steps_are_whole() -> None:
    assert bill(31_000_000, SYDNEY, replace(TERMS, next_s=6))[0] == 36
    assert bill(31_000_000, SYDNEY, replace(TERMS, next_s=60))[0] == 90


def test_half_of_the_last_decimal_goes_up() -> None:
    assert bill(30_000_000, LONDON, replace(TERMS, prices={"44": Fraction("0.0003")}))[1] == Decimal("0.0002")


def test_the_longest_prefix_of_an_open_row_gives_the_price() -> None:
    assert bill(60_000_000, "+447700900123", TERMS)[1] == Decimal("0.1400")
    assert bill(60_000_000, LONDON, TERMS)[1] == Decimal("0.1000")
    assert "449" not in TERMS.prices


def test_equal_opinions_agree() -> None:
    (line,) = compared([SEEN], [BILLED])
    assert line.agrees
    assert line.due == ((41, Decimal("0.0847")),)
    assert line.apart_us == -2000


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"seconds": 42, "amount": Decimal("0.0868")}, "billed 42 s for 0.0868, due are 41 s for 0.0847"),
        ({"seconds": 30, "amount": Decimal("0.0620")}, "billed 30 s"),
        ({"amount": Decimal("0.0848")}, "billed 41 s for 0.0848"),
        ({"seconds": 0, "amount": Decimal("0.0000")}, "billed 0 s"),
        ({"talk_us": 40_700_000}, "the clocks are +230.0 ms apart"),
        ({"talk_us": 40_440_000}, "the clocks are -30.0 ms apart"),
    ],
)
def test_what_differs_on_a_leg_is_found_and_named(wrong: dict, told: str) -> None:
    (line,) = compared([SEEN], [replace(BILLED, **wrong)])
    assert not line.agrees
    assert line.complaint.startswith("Sydney: ")
    assert told in line.complaint


def test_a_talk_that_nobody_billed_is_found() -> None:
    (line,) = compared([SEEN], [])
    assert line.complaint == f"Sydney talked, but no leg to {SYDNEY} was billed"


def test_a_bill_for_a_talk_that_no_phone_had_is_found() -> None:
    agreed, extra = compared([SEEN], [BILLED, BILLED])
    assert agreed.agrees
    assert extra.complaint == f"{SYDNEY} was billed, but no phone of that number talked"


def test_a_leg_that_nobody_answered_may_stand_in_the_books_at_nothing() -> None:
    (line,) = compared([], [Billed(number=LONDON, talk_us=0, seconds=0, amount=Decimal("0.0000"))])
    assert line.agrees


def test_two_calls_to_one_number_are_compared_in_their_order() -> None:
    short = Witnessed(name="Sydney", number=SYDNEY, shortest_us=3_500_000, longest_us=3_500_000)
    short_billed = Billed(number=SYDNEY, talk_us=3_501_000, seconds=30, amount=Decimal("0.0620"))
    assert all(line.agrees for line in compared([SEEN, short], [BILLED, short_billed]))
    assert not any(line.agrees for line in compared([SEEN, short], [short_billed, BILLED]))


def test_across_a_full_second_either_bill_is_due_but_no_third() -> None:
    seen = replace(SEEN, shortest_us=40_990_000, longest_us=40_990_000)
    for talk_us, seconds, amount in ((40_995_000, 41, "0.0847"), (41_001_000, 42, "0.0868")):
        billed = Billed(number=SYDNEY, talk_us=talk_us, seconds=seconds, amount=Decimal(amount))
        assert compared([seen], [billed])[0].agrees
    assert not compared([seen], [replace(BILLED, talk_us=40_995_000, seconds=40)])[0].agrees


def test_a_clock_that_starts_within_a_key_press_may_start_anywhere_in_it() -> None:
    seen = replace(SEEN, shortest_us=40_300_000, longest_us=40_550_000)
    assert compared([seen], [replace(BILLED, talk_us=40_430_000)])[0].apart_us == 0


def test_totals_from_elsewhere_are_held_against_the_sum_of_the_legs() -> None:
    lines = compared([SEEN], [BILLED])
    assert total_due(lines) == {Decimal("0.0847")}
    good, bad = Decimal("0.0847"), Decimal("0.0900")
    assert complaints_about_totals(lines, {"the balance": good, "the invoice": good}) == []
    assert complaints_about_totals(lines, {"the balance": good, "the invoice": bad}) == [
        "the invoice says 0.0900, the phones say 0.0847"
    ]


def test_on_a_machine_whose_clocks_may_be_further_apart_both_bills_of_that_time_are_due() -> None:
    late = replace(BILLED, talk_us=40_505_000)
    (line,) = compare([SEEN], [late], TERMS, apart_max_us=40_000)
    assert line.agrees
    seen = replace(SEEN, shortest_us=40_970_000, longest_us=40_970_000)
    assert [seconds for seconds, _ in compare([seen], [BILLED], TERMS, apart_max_us=40_000)[0].due] == [
        41,
        42,
    ]

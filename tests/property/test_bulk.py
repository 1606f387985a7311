"""A column of legs is priced as the pure function prices each, and as a slow oracle without shared code."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rating import RandomCall, random_call, random_plan, random_rates
from slow_rating import slow_price

import rating.prefixtable
from calls.cdr import LegRole
from rating.bulk import BulkDeck, BulkLegs, BulkPrices, BulkTerms, Finding, micros_of
from rating.deck import Deck, NoRate
from rating.plan import Plan
from rating.prefixes import Prefixes
from rating.prefixtable import NOWHERE, PrefixTable, number_column
from rating.price import price_leg
from rating.rate import Rate
from values.e164 import E164
from values.money import decimal_from_units, decimal_units

LEGS_A_DECK = 500
DIGITS = st.text("0123456789", min_size=1, max_size=15)


def columns(calls: Sequence[RandomCall]) -> BulkLegs:
    return BulkLegs(
        numbers=number_column([call.digits for call in calls]),
        at=np.array([micros_of(call.at) for call in calls], dtype=np.int64),
        talk_seconds=np.array([call.talk_seconds for call in calls], dtype=np.int64),
        is_a=np.array([call.role is LegRole.A for call in calls], dtype=np.bool_),
    )


def line(prices: BulkPrices, leg: int) -> tuple[str, int, int, int]:
    """One leg of the column: what came of it, its row, billed seconds, amount."""
    finding = Finding(int(prices.findings[leg])).name.lower()
    return finding, int(prices.rows[leg]), int(prices.billed_seconds[leg]), int(prices.amount_units[leg])


def alone(deck: Deck, plan: Plan, call: RandomCall) -> tuple[str, int, int, int]:
    """The same leg by the pure function."""
    found = deck.find(E164(call.digits), call.at)
    if isinstance(found, NoRate):
        return found.reason.value, NOWHERE, 0, 0
    row = deck.rates.index(found)
    if found.blocked:
        return "blocked", row, 0, 0
    charge = price_leg(rate=found, plan=plan, talk_seconds=call.talk_seconds, role=call.role)
    return "priced", row, charge.billed_seconds, decimal_units(charge.amount)


def by_oracle(rates: Sequence[Rate], plan: Plan, call: RandomCall) -> tuple[str, int, int, int]:
    """The same leg by the oracle."""
    slow = slow_price(rates, plan, call.digits, call.at, call.role.value, call.talk_seconds)
    units = slow.amount * 10_000
    assert units.denominator == 1
    return slow.why, slow.row, slow.billed, units.numerator


def compare(chance: Random, legs: int) -> None:
    """Price so many random legs three ways; a new deck and plan every LEGS_A_DECK."""
    for _ in range(0, legs, LEGS_A_DECK):
        rates, plan = random_rates(chance), random_plan(chance)
        deck = Deck(id="deck:1", name="deck", version=1, currency="USD", rates=rates)
        calls = [random_call(chance, rates) for _ in range(min(LEGS_A_DECK, legs))]
        in_bulk = BulkTerms(BulkDeck(rates), plan).price(columns(calls))
        for leg, call in enumerate(calls):
            expected = by_oracle(rates, plan, call)
            assert alone(deck, plan, call) == expected, (plan, call)
            assert line(in_bulk, leg) == expected, (plan, call)


def test_F046_F050_three_ways_to_price_agree_on_5_000_random_legs() -> None:
    compare(Random(1), 5_000)


@pytest.mark.slow
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("part", range(10))
def test_F046_F050_three_ways_to_price_agree_on_a_million_random_legs(part: int) -> None:
    compare(Random(1_000 + part), 100_000)


@settings(deadline=None, max_examples=30)
@given(st.randoms(use_true_random=False), st.integers(1, 40))
def test_a_column_is_priced_as_the_pure_function_prices_each_leg(chance: Random, legs: int) -> None:
    compare(chance, legs)


@settings(deadline=None)
@given(st.sets(DIGITS, max_size=60), st.lists(DIGITS, max_size=40), st.integers(0, 8))
def test_F050_the_prefix_table_finds_what_one_dictionary_finds(
    prefixes: set[str], numbers: list[str], blocks_max: int
) -> None:
    ordered = sorted(prefixes)
    numbers = [*numbers, *(f"{prefix}5"[:15] for prefix in ordered)]
    one_by_one = Prefixes((prefix, place) for place, prefix in enumerate(ordered))
    with pytest.MonkeyPatch.context() as patch:
        # Few blocks, so that the sorted lists have their turn as well.
        patch.setattr(rating.prefixtable, "BLOCKS_MAX", blocks_max)
        table = PrefixTable(number_column(ordered))
    found = table.find(number_column(numbers))
    assert [int(place) for place in found] == [next(one_by_one.matches(each), NOWHERE) for each in numbers]
    for place, prefix in enumerate(ordered):
        shorter = [*one_by_one.matches(prefix), NOWHERE][1]
        assert table.shorter[place] == shorter


def test_a_number_shorter_than_a_prefix_is_not_taken_for_one_with_zeros() -> None:
    table = PrefixTable(number_column(["44", "4420", "442000"]))
    assert [int(place) for place in table.find(number_column(["442", "4420", "44200", "442000"]))] == [
        0,
        1,
        1,
        2,
    ]


@pytest.mark.parametrize("text", ["", "44 20", "+44", "4420x", "٤٤٢٠", "1" * 16, "44\x0020"])
def test_what_is_no_number_of_digits_is_no_column(text: str) -> None:
    with pytest.raises(ValueError, match=r"digits|ascii"):
        number_column(["442079460123", text])


def test_an_amount_beyond_64_bits_on_the_way_is_still_exact() -> None:
    chance = Random(7)
    rates, plan = random_rates(chance, 1), random_plan(chance)
    dear = [replace(rates[0], per_minute=decimal_from_units(10**14), blocked=False, valid_till=None)]
    call = RandomCall(
        digits=f"{dear[0].prefix}5555555"[:15], at=dear[0].valid_from, role=LegRole.A, talk_seconds=7_200
    )
    prices = BulkTerms(BulkDeck(dear), plan).price(columns([call]))
    assert line(prices, 0) == by_oracle(dear, plan, call)
    assert prices.amount_units[0] > 2**53


@pytest.mark.parametrize("seconds", [-1, 1_000_001])
def test_seconds_that_no_call_has_are_refused(seconds: int) -> None:
    rates = random_rates(Random(3))
    call = RandomCall(digits="442079460123", at=rates[0].valid_from, role=LegRole.B, talk_seconds=seconds)
    with pytest.raises(ValueError, match="talk_seconds"):
        BulkTerms(BulkDeck(rates), random_plan(Random(3))).price(columns([call]))


def test_no_leg_is_no_price() -> None:
    rates = random_rates(Random(3))
    assert len(BulkTerms(BulkDeck(rates), random_plan(Random(3))).price(columns([])).rows) == 0

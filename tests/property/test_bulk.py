"""A column of legs is priced as the pure function prices each, and as a slow oracle without shared code."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from priced import START, a_plan, a_rate
from random_rating import RandomCall, random_call, random_plan, random_rates
from slow_rating import slow_price

import rating.prefixtable
from calls.cdr import Cdr, Disposition, LegRole
from rating.bands import band_at
from rating.bulk import ORIGINS, BulkDeck, BulkLegs, BulkPrices, BulkTerms, Finding
from rating.bulksessions import NEVER, SessionLegs, price_sessions
from rating.dateddeck import DatedDeck
from rating.deck import Deck, NoRate
from rating.plan import Plan
from rating.prefixes import Prefixes
from rating.prefixtable import NOWHERE, PrefixTable, number_column
from rating.price import Pins, price_leg, price_session
from rating.rate import Rate
from values.e164 import E164
from values.instants import micros
from values.money import decimal_units

LEGS_A_DECK = 500
SEEDS = st.integers(0, 2**32)
DIGITS = st.text("0123456789", min_size=1, max_size=15)


def columns(calls: Sequence[RandomCall]) -> BulkLegs:
    return BulkLegs(
        numbers=number_column([call.digits for call in calls]),
        at=np.array([micros(call.at) for call in calls], dtype=np.int64),
        talk_seconds=np.array([call.talk_seconds for call in calls], dtype=np.int64),
        is_a=np.array([call.role is LegRole.A for call in calls], dtype=np.bool_),
        origins=np.array(
            [ORIGINS.index(call.origin) if call.origin else -1 for call in calls], dtype=np.int64
        ),
        package_seconds=np.array(
            [-1 if call.package is None else call.package for call in calls], dtype=np.int64
        ),
    )


def line(prices: BulkPrices, leg: int) -> tuple[str, int, int, int]:
    """One leg of the column: what came of it, its row, billed seconds, amount."""
    finding = Finding(int(prices.findings[leg])).name.lower()
    return finding, int(prices.rows[leg]), int(prices.billed_seconds[leg]), int(prices.amount_units[leg])


def alone(deck: Deck, plan: Plan, call: RandomCall) -> tuple[str, int, int, int]:
    """The same leg by the pure function."""
    found = deck.find(E164(call.digits), call.at, band_at(plan.bands, plan.zone, call.at))
    if isinstance(found, NoRate):
        return found.reason.value, NOWHERE, 0, 0
    row = deck.rates.index(found)
    if found.blocked:
        return "blocked", row, 0, 0
    charge = price_leg(
        rate=found, plan=plan, talk_seconds=call.talk_seconds, role=call.role, pins=pins_of(found, call)
    )
    return "priced", row, charge.billed_seconds, decimal_units(charge.amount)


def pins_of(rate: Rate, call: RandomCall) -> Pins:
    return Pins(
        surcharge_per_minute=rate.surcharge(call.origin) if call.origin else Decimal(0),
        in_package=call.package is not None,
        package_seconds=call.package or 0,
    )


def by_oracle(rates: Sequence[Rate], plan: Plan, call: RandomCall) -> tuple[str, int, int, int]:
    """The same leg by the oracle."""
    leg = (call.digits, call.at, call.role.value, call.talk_seconds)
    slow = slow_price(rates, plan, *leg, origin=call.origin or "", package=call.package)
    units = slow.amount * 10_000
    assert units.denominator == 1
    return slow.why, slow.row, slow.billed, units.numerator


def compare(chance: Random, legs: int) -> None:
    """Price so many random legs three ways; a new deck and plan every LEGS_A_DECK."""
    for _ in range(0, legs, LEGS_A_DECK):
        rates, plan = random_rates(chance), random_plan(chance)
        deck = Deck(id="deck:1", name="deck", version=1, currency="USD", rates=rates)
        calls = [random_call(chance, rates, plan) for _ in range(min(LEGS_A_DECK, legs))]
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
@given(SEEDS, st.integers(1, 40))
def test_a_column_is_priced_as_the_pure_function_prices_each_leg(seed: int, legs: int) -> None:
    compare(Random(seed), legs)


def random_session(
    chance: Random, number: int, rates: tuple[Rate, ...], plan: Plan
) -> list[tuple[Cdr, RandomCall]]:
    """The A-leg and up to four B-legs of a callback, with what was pinned for each."""

    def leg(role: LegRole, index: int, **times: Any) -> tuple[Cdr, RandomCall]:
        pinned = replace(random_call(chance, rates, plan), role=role)
        if role is LegRole.A:
            pinned = replace(pinned, package=None)
        cdr = Cdr(
            leg_id=f"{number}-{role}{index}",
            callback_id=str(number),
            role=role,
            number=E164(pinned.digits),
            trunk="t",
            invited_at=pinned.at,
            rang_at=None,
            q850_cause=16,
            disposition=Disposition.ANSWERED,
            **times,
        )
        return cdr, pinned

    start = START + timedelta(microseconds=chance.randrange(10**12))
    clock = key = start + timedelta(microseconds=chance.randrange(20 * 10**6))
    legs = []
    for index in range(chance.randint(0, 4)):
        answered = clock + timedelta(microseconds=chance.randrange(30 * 10**6))
        clock = answered + timedelta(
            microseconds=chance.choice((0, 1, 29_000_001, 30_000_000, chance.randrange(10**9)))
        )
        legs.append(leg(LegRole.B, index, answered_at=answered, accepted_at=None, hung_up_at=clock))
    ended = clock + timedelta(microseconds=chance.choice((-500_000, 0, chance.randrange(10**7))))
    accepted = key if legs or chance.random() < 0.5 else None
    return [leg(LegRole.A, 0, answered_at=start, accepted_at=accepted, hung_up_at=max(ended, start)), *legs]


def pure_session(deck: Deck, plan: Plan, legs: list[tuple[Cdr, RandomCall]]) -> list[tuple[int, int]] | None:
    """Billed seconds and amount of each leg by the pure function; None where a leg has no price."""
    rates, pins = [], {}
    for cdr, call in legs:
        rate = deck.find(cdr.number, call.at, band_at(plan.bands, plan.zone, call.at))
        if isinstance(rate, NoRate) or rate.blocked:
            return None
        rates.append(rate)
        pins[cdr.leg_id] = pins_of(rate, call)
    session = price_session(
        plan=plan,
        rate_a=rates[0],
        cdr_a=legs[0][0],
        legs_b=[(cdr, rate) for (cdr, _), rate in zip(legs[1:], rates[1:], strict=True)],
        pins=pins,
    )
    return [(charge.billed_seconds, decimal_units(charge.amount)) for charge in session.charges]


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 40))
def test_F053_callbacks_in_columns_are_priced_as_the_pure_function_prices_each(seed: int, count: int) -> None:
    chance = Random(seed)
    rates, plan = random_rates(chance), random_plan(chance)
    deck = Deck(id="deck:1", name="deck", version=1, currency="USD", rates=rates)
    sessions = [random_session(chance, number, rates, plan) for number in range(count)]
    flat = [(number, *leg) for number, legs in enumerate(sessions) for leg in legs]
    found = price_sessions(
        DatedDeck([datetime(1970, 1, 1, tzinfo=UTC)], lambda _: rates), plan, session_columns(flat), count
    )
    for number, legs in enumerate(sessions):
        expected = pure_session(deck, plan, legs)
        assert bool(found.is_priced[number]) == (expected is not None)
        if expected is not None:
            places = [place for place, leg in enumerate(flat) if leg[0] == number]
            columns_ = (found.legs.billed_seconds, found.legs.amount_units)
            assert [tuple(int(column[place]) for column in columns_) for place in places] == expected
            assert int(found.gross_units[number]) == sum(amount for _, amount in expected)


def session_columns(flat: Sequence[tuple[int, Cdr, RandomCall]]) -> SessionLegs:
    legs = columns([call for _, _, call in flat])

    def instants(times: Iterable[datetime | None]) -> Any:
        return np.array([NEVER if time is None else micros(time) for time in times], dtype=np.int64)

    return SessionLegs(
        session=np.array([number for number, _, _ in flat], dtype=np.int64),
        numbers=legs.numbers,
        is_a=legs.is_a,
        authorised=legs.at,
        answered=instants(cdr.answered_at for _, cdr, _ in flat),
        accepted=instants(cdr.accepted_at for _, cdr, _ in flat),
        ended=instants(cdr.hung_up_at for _, cdr, _ in flat),
        origins=legs.origins,
        package_seconds=legs.package_seconds,
    )


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
    dear, plan = [a_rate("10000000000", "1")], a_plan()
    call = RandomCall(digits="12125550100", at=START, role=LegRole.A, talk_seconds=7_200)
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

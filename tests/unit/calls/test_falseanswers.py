"""F152, R-36: a carrier that answers by itself is found within fifty calls, an honest one is left alone."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from calls.falseanswers import CALLS_LOOKED_AT, Answer, Tally, score, tally

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def answer(*, rang_for: float | None, talked: float) -> Answer:
    answered_at = NOON + timedelta(seconds=30)
    rang_at = None if rang_for is None else answered_at - timedelta(seconds=rang_for)
    return Answer(
        rang_at=rang_at, answered_at=answered_at, hung_up_at=answered_at + timedelta(seconds=talked)
    )


def honest(chance: random.Random) -> Answer:
    """People, voicemail and wrong numbers: some answers are quick, some talks short."""
    rang_for = 0.5 if chance.random() < 0.05 else chance.uniform(1, 25)
    talked = chance.uniform(1, 6) if chance.random() < 0.1 else chance.expovariate(1 / 150) + 6
    return answer(rang_for=rang_for, talked=talked)


def made_up(chance: random.Random) -> Answer:
    """A carrier's own answer: at once or without ringing; callers leave soon."""
    return answer(rang_for=chance.choice([None, 0.2]), talked=chance.uniform(1, 6))


def honest_route(chance: random.Random, calls: int = 500) -> Tally:
    return tally([honest(chance) for _ in range(calls)])


def calls_of(chance: random.Random, share: float) -> Iterator[Answer]:
    while True:
        yield made_up(chance) if chance.random() < share else honest(chance)


@pytest.mark.parametrize("others", [True, False], ids=["beside another carrier", "alone"])
def test_F152_R_36_twenty_percent_of_false_answers_are_flagged_within_fifty_calls(others: bool) -> None:
    missed = 0
    for seed in range(200):
        chance = random.Random(seed)
        elsewhere = honest_route(chance) if others else Tally()
        # Every fifth answer is made up, wherever in the five.
        seen = [
            made_up(chance) if place == chance_place else honest(chance)
            for _ in range(CALLS_LOOKED_AT // 5)
            for chance_place in [chance.randrange(5)]
            for place in range(5)
        ]
        missed += not score(tally(seen), elsewhere).is_flagged
    assert missed == 0


def test_F152_a_route_is_flagged_at_some_point_of_its_first_fifty_calls_also_if_they_fall_at_random() -> None:
    found = 0
    for seed in range(100):
        chance = random.Random(seed)
        elsewhere = honest_route(chance)
        calls = calls_of(chance, 0.2)
        seen: list[Answer] = []
        while len(seen) < CALLS_LOOKED_AT:
            seen.append(next(calls))
            if score(tally(seen), elsewhere).is_flagged:
                found += 1
                break
    assert found >= 97  # in a few of all rows of fifty chance deals the carrier far fewer than ten


def test_an_honest_route_is_left_alone() -> None:
    flagged = 0
    for seed in range(200):
        chance = random.Random(seed)
        seen = tally([honest(chance) for _ in range(CALLS_LOOKED_AT)])
        flagged += score(seen, honest_route(chance)).is_flagged
    assert flagged <= 4


def test_a_network_that_never_sends_ringing_is_not_flagged_for_that_alone() -> None:
    seen = tally([answer(rang_for=None, talked=120)] * 50)
    judged = score(seen, tally([answer(rang_for=5, talked=130)] * 50))
    assert judged.signs == ("no ringing",)
    assert not judged.is_flagged


def test_two_signs_beside_each_other_flag_a_route() -> None:
    seen = tally([answer(rang_for=None, talked=20)] * 50)
    judged = score(seen, tally([answer(rang_for=5, talked=130)] * 50))
    assert judged.signs == ("no ringing", "short talks")
    assert judged.is_flagged


@pytest.mark.parametrize(
    ("rang_for", "talked", "suspect"),
    [
        (0.999, 6, True),
        (1, 6, False),
        (0.999, 6.000001, False),
        (None, 6, True),
        (None, 7, False),
        (5, 2, False),
    ],
)
def test_an_answer_is_suspect_with_two_signs(rang_for: float | None, talked: float, suspect: bool) -> None:
    assert answer(rang_for=rang_for, talked=talked).is_suspect is suspect


def test_a_few_calls_prove_nothing() -> None:
    assert not score(tally([answer(rang_for=None, talked=2)]), Tally()).is_flagged
    assert not score(Tally(), Tally()).is_flagged

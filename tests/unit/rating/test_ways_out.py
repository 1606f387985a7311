"""What a trunk may show, how good its calls were, where a number was ported to, what a month's fee is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from priced import START, a_plan

from rating.callerid import shown_at
from rating.origin import OriginClass
from rating.packages import Package, month_after, month_of, monthly_fee_due, renewed
from rating.portability import Answers
from rating.quality import Floors, Latest, quality_problem
from values.e164 import E164

PARIS, LONDON, LYON = map(E164.parse, ("+33142685300", "+442079460123", "+33472000000"))


@pytest.mark.parametrize(
    ("permitted", "shown", "origin"),
    [
        (frozenset(OriginClass), LONDON, OriginClass.NON_EEA),
        (frozenset({OriginClass.SAME_COUNTRY}), LYON, OriginClass.SAME_COUNTRY),
        (frozenset({OriginClass.INVALID}), None, OriginClass.INVALID),
    ],
)
def test_R27_the_first_wish_that_a_trunk_permits_is_shown(
    permitted: frozenset[OriginClass], shown: E164 | None, origin: OriginClass
) -> None:
    found = shown_at(PARIS, (LONDON, LYON), permitted)
    assert (found.caller_id, found.origin, found.is_permitted) == (shown, origin, True)


def test_R27_a_trunk_that_permits_nothing_of_ours_takes_no_call() -> None:
    assert not shown_at(PARIS, (LONDON,), frozenset({OriginClass.EEA})).is_permitted


@pytest.mark.parametrize(
    ("latest", "problem"),
    [
        (Latest(attempts=20, answered=8, talk_microseconds=8 * 30 * 10**6), ""),
        (Latest(attempts=20, answered=7, talk_microseconds=7 * 30 * 10**6), "35.00 % of its last 20 calls"),
        (Latest(attempts=19, answered=0, talk_microseconds=0), ""),
        (Latest(attempts=40, answered=40, talk_microseconds=40 * 19 * 10**6), "its last calls lasted 19.0 s"),
        (Latest(attempts=40, answered=40, talk_microseconds=40 * 20 * 10**6), ""),
    ],
)
def test_R36_a_trunk_below_its_floors_rests_once_enough_calls_show_it(latest: Latest, problem: str) -> None:
    found = quality_problem(Floors(asr_percent=40, acd_seconds=20), latest)
    assert found.startswith(problem)
    assert bool(found) == bool(problem)


@dataclass
class Source:
    """A portability source that counts its questions."""

    asked: list[E164] = field(default_factory=list)

    def resolve(self, number: E164, at: datetime) -> str:
        self.asked.append(number)
        return "3367"


def test_F141_an_answer_about_a_number_is_kept_for_a_minute() -> None:
    source, answers = Source(), Answers()
    times = [START, START + timedelta(seconds=59), START + timedelta(seconds=60), START - timedelta(days=9)]
    assert {answers.resolve(source, PARIS, at) for at in times} == {"3367"}
    assert len(source.asked) == 3


@pytest.mark.parametrize(
    ("use", "total"), [("0", "4.00"), ("19.99", "23.99"), ("20.00", "20.00"), ("20.01", "20.01")]
)
def test_V19_3_F062_the_fee_is_waived_from_so_much_use_on(use: str, total: str) -> None:
    plan = a_plan(monthly_fee=Decimal(4), monthly_fee_waived_from=Decimal(20))
    assert Decimal(use) + monthly_fee_due(plan, Decimal(use)) == Decimal(total)


def test_a_fee_without_a_threshold_is_always_due_and_a_plan_without_a_fee_asks_none() -> None:
    assert monthly_fee_due(a_plan(monthly_fee=Decimal(4)), Decimal(1000)) == 4
    assert monthly_fee_due(a_plan(), Decimal(0)) == 0


def test_months_follow_each_other_in_the_account_s_zone() -> None:
    assert [month_after(month) for month in ("2026-01", "2026-11", "2026-12")] == [
        "2026-02",
        "2026-12",
        "2027-01",
    ]
    assert month_of(datetime.fromisoformat("2026-03-31T23:30:00+00:00"), "Europe/London") == "2026-04"


def test_a_renewal_carries_what_is_unused_and_never_less_than_nothing() -> None:
    spent = Package(month="2026-03", granted=100, carried=20, used=150, promised=5)
    assert (spent.unused, spent.left) == (0, 0)
    rolls = a_plan(package_seconds=100, package_rolls_over=True)
    assert renewed(rolls, "2026-04", unused=30).left == 130
    assert renewed(a_plan(package_seconds=100), "2026-04", unused=30).left == 100

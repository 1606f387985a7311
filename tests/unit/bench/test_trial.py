"""What a benchmark calls clean, and how its figures are made of samples."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta

import pytest

from bench import trial
from bench.__main__ import BENCHES, main
from bench.calls import Results
from bench.processes import Process
from bench.sides import Wishes
from bench.trial import Offer, Trial, percentile
from world.sipp import Moment, Tally

NOW = datetime(2026, 1, 1, tzinfo=UTC)
OFFER = Offer(calls=3, per_second=10)


def moment(what: str, number: str, seconds: float) -> Moment:
    return Moment(what=what, number=number, at=NOW + timedelta(seconds=seconds))


def test_a_wait_is_counted_from_the_wish_to_the_invite_of_the_same_number() -> None:
    wishes = Wishes(at={"+441": NOW, "+442": NOW + timedelta(seconds=1)}, rung=None)
    moments = [moment("INVITED", "442", 1.5), moment("ANSWERED", "442", 9), moment("INVITED", "441", 0.25)]
    assert trial._waits(wishes, moments) == (0.25, 0.5)


def test_a_wish_without_a_call_is_a_fault() -> None:
    assert trial._late((0.1, 0.1), OFFER) == ["1 wishes led to no call"]


def test_a_side_that_lets_one_wish_in_twenty_wait_a_second_does_not_keep_up() -> None:
    assert trial._late((0.1, 0.1, 0.1), OFFER) == []
    assert trial._late((0.1, 0.1, 1.6), OFFER) == ["one wish in twenty waited over 1.6 s for its call"]


@pytest.mark.parametrize(
    ("succeeded", "failed", "clean"), [(3, 0, True), (2, 1, False), (2, 0, False), (3, 1, False)]
)
def test_a_load_is_clean_only_if_every_call_went_well(succeeded: int, failed: int, clean: bool) -> None:
    tally = Tally(started=3, succeeded=succeeded, failed=failed, live=0, retransmissions=0)
    assert (trial._faults_of("callers", tally, 3) == []) is clean


def test_a_percentile_is_a_sample() -> None:
    samples = tuple(float(each) for each in range(1, 101))
    assert percentile(samples, 0.5) == 50
    assert percentile(samples, 0.95) == 95
    assert percentile((7.0,), 0.95) == 7


def test_a_median_is_taken_over_the_rounds() -> None:
    trials = [
        Trial(offer=OFFER, cpu_ms={"Asterisk": cost}, waits=(), amount="0", faults=()) for cost in (9, 2, 4)
    ]
    assert Results(trials=trials).median_of(lambda each: each.cpu_ms["Asterisk"]) == 4


def test_a_process_s_time_is_what_the_kernel_counts() -> None:
    me = Process(pid=os.getpid())
    before, also = me.cpu_seconds(), time.process_time()
    sum(range(200_000))
    assert me.cpu_seconds() - before == pytest.approx(time.process_time() - also, abs=0.01)
    assert me.memory_bytes() > 1_000_000


def test_benches_are_listed_and_a_strange_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    told = capsys.readouterr().out
    assert all(f"  {name} " in told for name in BENCHES)
    assert main(["strange"]) == 2
    assert "there is no 'strange'" in capsys.readouterr().err

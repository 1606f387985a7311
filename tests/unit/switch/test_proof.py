"""How late the last proof of life is, and what may not move it."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sample_callbacks import at
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from switch.proof import LOOK_SECONDS, ProofOfLife

PONG_AGE_SECONDS = 1.5


class FakeAmi:
    """A login whose latest pong is so old."""

    logged_in = True

    def pong_age_seconds(self) -> float:
        return PONG_AGE_SECONDS


class FakeStore:
    """Takes what is written."""

    def run(self, *_: object) -> "Deferred[None]":
        return succeed(None)


class Watched:
    """An Asterisk that is proved to live, on clocks of the test."""

    def __init__(self) -> None:
        self.clock, self.ami, self.step = Clock(), FakeAmi(), timedelta(0)
        store: Any = FakeStore()
        ami: Any = self.ami
        self.proof = ProofOfLife(reactor=self.clock, wall=self.wall, ami=ami, database=store, node="main")
        self.proof.start()

    def wall(self) -> datetime:
        return at(self.clock.seconds()) + self.step


@pytest.fixture
def watched() -> Watched:
    return Watched()


def test_F3_the_proof_is_as_late_as_the_pong_and_a_look_at_most(watched: Watched) -> None:
    for _ in range(38):
        watched.clock.advance(0.25)
    watched.ami.logged_in = False
    assert watched.wall() - watched.proof.last() <= timedelta(seconds=PONG_AGE_SECONDS + LOOK_SECONDS)


def test_an_event_is_a_proof_that_an_older_pong_does_not_take_back(watched: Watched) -> None:
    watched.clock.advance(0.9)
    watched.proof.seen()
    watched.clock.advance(0.1)
    assert watched.proof.last() == at(0.9)


def test_F18_a_clock_that_is_set_back_does_not_prolong_the_proof(watched: Watched) -> None:
    watched.proof.seen()
    watched.step = timedelta(hours=-1)
    watched.clock.advance(5)
    assert watched.proof.last() <= watched.wall()

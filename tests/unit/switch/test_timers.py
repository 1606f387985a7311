"""One timer a key, set from instants; a step of the wall clock moves nothing that is set."""

from datetime import UTC, datetime, timedelta

from twisted.internet.task import Clock

from switch.timers import Timers

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


class Wall:
    """A wall clock that somebody may step."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.step = timedelta(0)

    def __call__(self) -> datetime:
        return NOON + timedelta(seconds=self._clock.seconds()) + self.step


def made() -> tuple[Clock, Wall, Timers, list[str]]:
    clock = Clock()
    wall = Wall(clock)
    return clock, wall, Timers(reactor=clock, wall=wall), []


def test_a_call_is_made_at_its_instant_and_not_before() -> None:
    clock, _wall, timers, called = made()
    timers.set("a", NOON + timedelta(seconds=3), called.append)
    clock.advance(2.999)
    assert called == []
    clock.advance(0.001)
    assert called == ["a"]
    assert len(timers) == 0


def test_an_instant_that_has_passed_is_reached_at_once_but_not_inside_the_setting() -> None:
    clock, _wall, timers, called = made()
    timers.set("a", NOON - timedelta(hours=1), called.append)
    assert called == []
    clock.advance(0)
    assert called == ["a"]


def test_a_key_has_one_call_the_latest() -> None:
    clock, _wall, timers, called = made()
    timers.set("a", NOON + timedelta(seconds=1), lambda key: called.append("first"))
    timers.set("a", NOON + timedelta(seconds=5), lambda key: called.append("second"))
    assert len(timers) == 1
    clock.advance(10)
    assert called == ["second"]


def test_keys_do_not_disturb_each_other() -> None:
    clock, _wall, timers, called = made()
    timers.set("a", NOON + timedelta(seconds=2), called.append)
    timers.set("b", NOON + timedelta(seconds=1), called.append)
    timers.cancel("a")
    clock.advance(3)
    assert called == ["b"]


def test_cancelling_what_is_not_set_or_has_fired_is_nothing() -> None:
    clock, _wall, timers, called = made()
    timers.cancel("a")
    timers.set("a", NOON, called.append)
    clock.advance(0)
    timers.cancel("a")
    assert called == ["a"]


def test_I19_cancelling_all_leaves_nothing_in_the_reactor() -> None:
    clock, _wall, timers, called = made()
    for key in "abc":
        timers.set(key, NOON + timedelta(seconds=1), called.append)
    timers.cancel_all()
    assert (len(timers), clock.getDelayedCalls()) == (0, [])


def test_a_call_may_set_its_own_key_again() -> None:
    clock, _wall, timers, called = made()

    def again(key: str) -> None:
        called.append(key)
        if len(called) < 3:
            timers.set(key, NOON + timedelta(seconds=clock.seconds() + 1), again)

    timers.set("a", NOON, again)
    clock.pump([0, 1, 1, 1])
    assert called == ["a"] * 3
    assert len(timers) == 0


def test_a_step_of_the_wall_clock_does_not_move_a_set_timer() -> None:
    for step in (timedelta(hours=1), timedelta(hours=-1)):
        clock, wall, timers, called = made()
        timers.set("a", NOON + timedelta(seconds=2), called.append)
        wall.step = step
        clock.advance(1.9)
        assert called == []
        clock.advance(0.1)
        assert called == ["a"]


def test_a_timer_set_again_for_the_same_instant_is_not_moved_by_a_step_in_between() -> None:
    clock, wall, timers, called = made()
    deadline = NOON + timedelta(seconds=60)
    call = called.append
    timers.set("a", deadline, call)
    clock.advance(10)
    wall.step = timedelta(hours=1)
    timers.set("a", deadline, call)
    clock.advance(49)
    assert called == []
    clock.advance(1)
    assert called == ["a"]

"""A conductor with books in memory and an Asterisk that only writes down what it is ordered.

Reads: nothing.
Gives: FakeSwitch: the real Conductor and Recovery on a Clock, everything else played.
Knows nothing of: SQL, sockets, threads. Every Deferred has fired when a call returns.
"""

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog
from sample_callbacks import CALLBACK_ID, LIMITS, at, leg_a, legs_b, requested
from twisted.internet.defer import Deferred, fail, maybeDeferred, succeed
from twisted.internet.task import Clock

from calls import events
from calls.callback import Callback, Leg, Reason
from calls.commands import Command, Settle
from calls.events import Event
from calls.transitions import step
from switch.conductor import Conductor
from switch.errors import OriginateRefusedError
from switch.orders import LiveChannel
from switch.recovery import Recovery
from values.e164 import E164

START = 100.0
"""The fake reactor's seconds at the instant sample_callbacks.T0."""


class StoreAway(Exception):
    """The fake store does not answer."""


class FakeBooks:
    """The store in memory: the real step(), one at a time; it may be away."""

    Unavailable = StoreAway

    def __init__(self, wall: Callable[[], datetime]) -> None:
        self._wall = wall
        self.is_away = False
        self.refuses_a: Reason | None = None
        self.refuses_b: Reason | None = None
        self.rows: dict[str, Callback] = {}
        self.settled: Counter[str] = Counter()

    def advance(
        self, before: Callback, event: Event | None, gather: Callable[[Any, Callback], Event] | None
    ) -> "Deferred[tuple[Callback, tuple[Command, ...]]]":
        if self.is_away:
            return fail(StoreAway("away"))
        return maybeDeferred(self._advance, before, event, gather)

    def _advance(
        self, before: Callback, event: Event | None, gather: Callable[[Any, Callback], Event] | None
    ) -> tuple[Callback, tuple[Command, ...]]:
        assert self.rows.get(before.id, before) == before, (
            "a step was made from a callback that is not the stored one"
        )
        if event is None:
            assert gather is not None
            event = gather(None, before)
        after, commands = step(before, event, LIMITS)
        self.rows[after.id] = after
        self.settled[after.id] += sum(isinstance(command, Settle) for command in commands)
        return after, commands

    def authorise_a(self, _connection: object, callback: Callback) -> Event:
        if self._wall() >= callback.expires_at:
            return events.DialRefused(at=self._wall(), reason=Reason.EXPIRED)
        if self.refuses_a is not None:
            return events.DialRefused(at=self._wall(), reason=self.refuses_a)
        return events.DialAuthorised(at=self._wall(), leg=leg_a(callback), hold_units=500)

    def authorise_b(self, number: E164, _tag: str = "") -> Callable[[Any, Callback], Event]:
        def gather(_connection: object, callback: Callback) -> Event:
            if self.refuses_b is not None:
                return events.DestinationRefused(at=self._wall(), reason=self.refuses_b)
            legs = legs_b(callback, routes=2, number=number)
            return events.DestinationAuthorised(at=self._wall(), legs=legs, hold_units=48_000)

        return gather


class FakeAsterisk:
    """Writes down what it is ordered; it may refuse, or be lost while it is asked."""

    def __init__(self) -> None:
        self.is_reachable = True
        self.originated: list[str] = []
        self.hung_up: list[str] = []
        self.live: list[str] = []
        self.asked = 0
        self.refuses = False
        self.is_lost_when_asked = False

    async def originate(self, _callback: Callback, leg: Leg) -> None:
        self.originated.append(leg.id)
        if self.refuses:
            raise OriginateRefusedError("no such endpoint")
        if self.is_lost_when_asked:
            raise ConnectionResetError("lost while it was asked")
        self.live.append(leg.id)

    async def hang_up(self, leg_id: str) -> None:
        if self.is_lost_when_asked:
            raise ConnectionResetError("lost while it was asked")
        self.hung_up.append(leg_id)

    async def live_channels(self) -> tuple[LiveChannel, ...]:
        self.asked += 1
        if self.is_lost_when_asked:
            raise ConnectionResetError("lost while it was asked")
        return tuple(
            LiveChannel(leg_id=leg_id, channel=f"PJSIP/{leg_id}", is_up=True) for leg_id in self.live
        )


class FakeSwitch:
    """The switch's middle, on a clock."""

    def __init__(self, *, callbacks_max: int = 0, cel_file: Path | None = None, guard: float = 0) -> None:
        self.clock = Clock()
        self.clock.advance(START)
        self.books = FakeBooks(self.wall)
        self.asterisk = FakeAsterisk()
        self.proof_of_life = self.wall()
        self.conductor = Conductor(
            reactor=self.clock,
            wall=self.wall,
            books=self.books,  # type: ignore[arg-type]
            asterisk=self.asterisk,
            limits=LIMITS,
            callbacks_max=callbacks_max,
            log=structlog.get_logger(),
        )
        self.recovery = Recovery(
            conductor=self.conductor,
            orders=self.asterisk,  # type: ignore[arg-type]
            cel_file=cel_file,
            read=lambda function, *arguments: succeed(function(*arguments)),
            wall=self.wall,
            proof_of_life=lambda: self.proof_of_life,
            log=structlog.get_logger(),
        )
        self.conductor.look_up_with(self.recovery.look_up)

    def wall(self) -> datetime:
        return at(self.clock.seconds() - START)

    @property
    def seconds(self) -> float:
        return self.clock.seconds() - START

    def pass_time(self, seconds: float, step_seconds: float = 0.5) -> None:
        """Let time pass in small steps: Clock.advance runs late timers at the last instant only."""
        left = seconds
        while left > 0:
            self.clock.advance(min(step_seconds, left))
            left -= step_seconds

    def take(self, callback_id: str = CALLBACK_ID, **how: Any) -> Callback:
        """A new request, due now, in the conductor's care."""
        callback = requested(callback_id=callback_id, dial_at=self.wall(), **how)
        self.conductor.follow(callback)
        self.clock.advance(0)
        return callback

    def tell(self, event: Event, callback_id: str = CALLBACK_ID) -> None:
        """A fact; its consequences have been performed when this returns, unless something is away."""
        self.conductor.news(callback_id, event)

    def state(self, callback_id: str = CALLBACK_ID) -> str:
        """The stored state."""
        return str(self.books.rows[callback_id].state)

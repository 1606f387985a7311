"""Callbacks without a telephone: each fact of a call is told to the books, at the instant it would come.

Reads: a Part of the cast and the month.
Gives: the callback as it ended, admitted, authorised, held and settled by the functions that serve calls.
Knows nothing of: rows, prices; what is charged follows from the facts alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from calls import events
from calls.admission import Refused
from calls.callback import Callback, ReleasedBy
from calls.wishes import Ring
from staff.exits import ERROR, Stop
from staff.practicecast import ABROAD, DID
from store import admissions
from switch.books import Books, RingTimes
from values.e164 import E164
from values.ids import EPOCH

if TYPE_CHECKING:
    from calls.events import Event
    from store.database import Connection, Database
    from switch.settings import SwitchSettings

TRUNK, COUNTRY = "north", "GB"
NORMAL, BUSY, NO_ANSWER = 16, 17, 19
"""ITU-T Q.850."""


class Rehearsal:
    """Plays callbacks one after the other."""

    def __init__(
        self, database: Database, settings: SwitchSettings, new_id: Callable[[datetime], str]
    ) -> None:
        """`new_id` gives an id that nobody has, made at an instant."""
        self._limits = settings.limits()
        self._new_id = new_id
        self._now = EPOCH
        self._books = Books(
            database=database,
            wall=lambda: self._now,
            limits=self._limits,
            ring_times=RingTimes(
                a_seconds=settings.a_ring_seconds,
                b_seconds=settings.b_ring_seconds,
                absolute_seconds=settings.absolute_seconds,
            ),
        )

    def play(
        self, connection: Connection, caller: str, rings_at: datetime, talks: tuple[tuple[str, int], ...]
    ) -> Callback:
        """Let the caller ring, be rung back, and talk to each in turn; without a talk nobody answers."""
        scene = _Scene(self._books, connection, self._admitted(connection, caller, rings_at))
        scene.on(events.TriggerReleased(at=self._after(3)))
        self._after(self._limits.guard_seconds)
        scene.on(self._books.authorise_a(connection, scene.callback))
        a_leg = scene.newest
        scene.on(events.LegRang(at=self._after(4), leg_id=a_leg))
        if talks:
            scene.on(events.LegAnswered(at=self._after(6), leg_id=a_leg))
            scene.on(events.Accepted(at=self._after(3), leg_id=a_leg))
        for place, seconds in talks:
            self._talk(scene, E164.parse(ABROAD[place]), seconds)
        ends = self._after(2 if talks else self._limits.settle_seconds)
        scene.on(_hung_up(a_leg, ends, NORMAL if talks else NO_ANSWER))
        if not scene.callback.state.is_end:
            raise Stop(f"callback {scene.callback.id} did not end: it is {scene.callback.state}", ERROR)
        return scene.callback

    def _talk(self, scene: _Scene, number: E164, seconds: int) -> None:
        scene.on(events.DestinationKeyed(at=self._after(9), number=number))
        self._after(0.1)
        scene.on(self._books.authorise_b(number)(scene.connection, scene.callback))
        b_leg = scene.newest
        scene.on(events.LegRang(at=self._after(3), leg_id=b_leg))
        if seconds:
            scene.on(events.LegAnswered(at=self._after(5), leg_id=b_leg))
        # A fraction of a second as every call has one: what counts is rounded up to the whole second.
        scene.on(_hung_up(b_leg, self._after(seconds - 0.36 if seconds else 1), NORMAL if seconds else BUSY))

    def _admitted(self, connection: Connection, caller: str, rings_at: datetime) -> Callback:
        self._now = rings_at
        ring = Ring(
            trigger_id=self._new_id(rings_at),
            channel_id="practice",
            did_raw=DID,
            caller_number_raw=caller,
            caller_name_raw="",
            is_withheld=False,
            is_diverted=False,
            trunk=TRUNK,
            ingress_country=COUNTRY,
            received_at=rings_at,
        )
        made = admissions.admit_ring(
            connection, ring, callback_id=self._new_id(rings_at), limits=self._limits
        )
        if isinstance(made, Refused):
            raise Stop(f"{caller} is refused: {made.reason}", ERROR)
        return made

    def _after(self, seconds: float) -> datetime:
        self._now += timedelta(seconds=seconds)
        return self._now


class _Scene:
    """A callback on its way."""

    def __init__(self, books: Books, connection: Connection, callback: Callback) -> None:
        self._books = books
        self._ordered: tuple[int, ...] = ()
        self.connection = connection
        self.callback = callback

    @property
    def newest(self) -> str:
        """The leg that was dialled last."""
        if not self.callback.legs:
            raise Stop(f"callback {self.callback.id} rings nobody: {self.callback.reason}", ERROR)
        return self.callback.legs[-1].id

    def on(self, event: Event) -> None:
        """Tell it a fact: one step, written down."""
        made = self._books.take(self.connection, self.callback, event, self._ordered)
        self.callback, self._ordered = made.callback, made.ordered


def _hung_up(leg_id: str, at: datetime, cause: int) -> events.LegHungUp:
    who = ReleasedBy.US if cause == NO_ANSWER else ReleasedBy.FAR
    return events.LegHungUp(at=at, leg_id=leg_id, q850_cause=cause, released_by=who)

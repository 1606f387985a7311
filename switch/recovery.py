"""Brings our books and Asterisk's channels together after either was away.

Reads: the callbacks that have not ended, the channels that live, the CEL file.
Gives: the events that were missed; orders to end channels that belong to nobody.
Knows nothing of: how a callback moves.

Run at start, at each AMI login and when a deadline passes. Nobody is ever rung again here: a leg whose
outcome is unknown is looked up by its id: alive, it is adopted; ended, it is closed from its evidence;
never seen, the callback has failed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred

from calls import events
from calls.callback import Callback, Leg, Reason, ReleasedBy, State
from calls.events import Event
from switch.conductor import Conductor
from switch.evidence import LegEvidence, evidence_of
from switch.legs import LegNews, callback_id_of
from switch.orders import AsteriskOrders, LiveChannel

ASKED_MAX = 3
"""How often a list of channels that does not come in time is asked for, AMI's own deadline apart."""
JUST_ORDERED = timedelta(seconds=2)
"""An order this young may still be on its way through Asterisk: its silence proves nothing."""


class Reader(Protocol):
    """Runs a function beside the reactor, such as store.database.Database.beside."""

    def __call__(self, function: Callable[..., Any], /, *args: Any) -> "Deferred[Any]":
        """A Deferred with the function's result."""


class Recovery:
    """Looks up what became of legs."""

    def __init__(
        self,
        *,
        conductor: Conductor,
        orders: AsteriskOrders,
        cel_file: Path | None,
        read: Reader,
        wall: Callable[[], datetime],
        proof_of_life: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`proof_of_life` is the last instant at which Asterisk surely lived; a crash bills up to there."""
        self._conductor = conductor
        self._orders = orders
        self._cel_file = cel_file
        self._read = read
        self._wall = wall
        self._proof_of_life = proof_of_life
        self._log = log

    async def resync(self) -> None:
        """Compare everything unfinished with everything that lives."""
        # What a new Asterisk tells proves nothing of the calls that died with the old one.
        proved_at = self._proof_of_life()
        shown = await self._shown()
        if shown is None:
            return
        callbacks = [callback for callback in self._conductor.unfinished() if callback.live_legs]
        known = await self._evidence(callbacks)
        for callback in callbacks:
            # Each for itself: one that cannot be saved now keeps no other waiting.
            self._conductor.spawn(self._compare(callback, shown, known, proved_at))
        for leg_id in shown.live:
            if not self._is_ours(leg_id):
                await self._end_orphan(leg_id)

    async def look_up(self, callback: Callback) -> None:
        """Compare one callback with the channels that live."""
        shown = await self._shown()
        if shown is not None:
            known = await self._evidence([callback])
            await self._compare(callback, shown, known, self._proof_of_life())

    def hear(self, news: LegNews) -> None:
        """Take what AMI tells of a leg; an end after an unheard answer is first held against the evidence.

        A channel may show itself after its leg was given up, if Asterisk was slower than we had waited:
        nobody would speak to whoever answers it, so it is ended.
        """
        match news.event:
            case events.LegRang(leg_id=leg_id) | events.LegAnswered(leg_id=leg_id) if not self._is_ours(
                leg_id
            ):
                self._conductor.spawn(self._end_orphan(leg_id))
            case events.LegHungUp(answer_unseen=True) as ended:
                self._conductor.spawn(self._hear_of_end(news.callback_id, ended))
            case _:
                self._conductor.news(news.callback_id, news.event)

    async def _end_orphan(self, leg_id: str) -> None:
        self._log.warning("recovery.orphan", leg=leg_id)
        try:
            await self._orders.hang_up(leg_id)
        except ConnectionError as error:  # the next login finds it again
            self._log.warning("recovery.orphan_lives", leg=leg_id, error=str(error))

    async def _hear_of_end(self, callback_id: str, ended: events.LegHungUp) -> None:
        callback = self._conductor.callback(callback_id)
        leg = callback.leg(ended.leg_id) if callback is not None else None
        if callback is not None and leg is not None and leg.answered_at is None:
            found = (await self._evidence([callback])).get(leg.id)
            if found is not None and found.answered_at is not None:
                answered = events.LegAnswered(at=found.answered_at, leg_id=leg.id)
                await self._conductor.tell(callback_id, answered)
        await self._conductor.tell(callback_id, ended)

    def _is_ours(self, leg_id: str) -> bool:
        callback = self._conductor.callback(callback_id_of(leg_id))
        leg = callback.leg(leg_id) if callback is not None else None
        return leg is not None and leg.is_live

    async def _shown(self) -> "_Shown | None":
        """The channels that live; None if Asterisk does not say: the next login or deadline asks again."""
        for _ in range(ASKED_MAX):
            if not self._orders.is_reachable:
                return None
            asked_at = self._wall()
            try:
                channels = await self._orders.live_channels()
            except ConnectionError as error:
                self._log.warning("recovery.no_answer", error=str(error))
            else:
                return _Shown(at=asked_at, live={channel.leg_id: channel for channel in channels})
        return None

    async def _evidence(self, callbacks: Iterable[Callback]) -> Mapping[str, LegEvidence]:
        legs = [leg.id for callback in callbacks for leg in callback.live_legs]
        if self._cel_file is None or not legs:
            return {}
        known: Mapping[str, LegEvidence] = await self._read(evidence_of, self._cel_file, legs)
        return known

    async def _compare(
        self, callback: Callback, shown: "_Shown", known: Mapping[str, LegEvidence], proved_at: datetime
    ) -> None:
        findings = find_out(callback, shown.live, known, now=shown.at)
        for event in findings.missed:
            await self._conductor.tell(callback.id, event)
        if findings.vanished:
            await self._close(callback.id, findings, proved_at)

    async def _close(self, callback_id: str, findings: "Findings", proved_at: datetime) -> None:
        """Close the legs of which neither a channel nor a line of evidence is left."""
        callback = self._conductor.callback(callback_id)
        if callback is None:
            return
        gone = [leg for leg in callback.live_legs if leg.id in findings.vanished]
        answered = [leg.answered_at for leg in gone if leg.answered_at is not None]
        at = max([proved_at, *answered]) if answered else self._wall()
        self._log.warning("recovery.vanished", callback=callback_id, legs=sorted(findings.vanished))
        if findings.some_live or callback.state is State.RELEASING:
            # The table ends a callback whose legs go one by one; RELEASING has its end already.
            for leg in gone:
                await self._conductor.tell(callback_id, _estimated_end(leg, at))
        elif gone:
            reason = Reason.VANISHED if answered else Reason.NEVER_SEEN
            await self._conductor.tell(callback_id, events.LegsVanished(at=at, reason=reason))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """The channels by leg id as Asterisk showed them, no earlier than `at`."""

    at: datetime
    live: Mapping[str, LiveChannel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What was missed of a callback in order of time, the legs that left no trace, and whether one lives."""

    missed: tuple[Event, ...]
    vanished: frozenset[str]
    some_live: bool


def find_out(
    callback: Callback,
    live: Mapping[str, LiveChannel],
    known: Mapping[str, LegEvidence],
    *,
    now: datetime,
) -> Findings:
    """Compare what we believe of each live leg with the channels and with the evidence."""
    missed: list[Event] = []
    vanished: set[str] = set()
    for leg in callback.live_legs:
        evidence = known.get(leg.id, LegEvidence(leg_id=leg.id))
        if leg.answered_at is None and evidence.answered_at is not None:
            missed.append(events.LegAnswered(at=evidence.answered_at, leg_id=leg.id))
        if leg.id in live:
            if leg.rang_at is None and leg.answered_at is None and live[leg.id].is_ringing:
                # Whoever was heard to ring once is not rung again by a later fault of the carrier.
                missed.append(events.LegRang(at=now, leg_id=leg.id))
            continue
        if evidence.hung_up_at is not None:
            missed.append(_hung_up(leg, evidence))
        elif leg.ordered_at is not None and now - leg.ordered_at > JUST_ORDERED:
            vanished.add(leg.id)
    return Findings(
        missed=tuple(sorted(missed, key=lambda event: event.at)),
        vanished=frozenset(vanished),
        some_live=any(leg.id in live for leg in callback.live_legs),
    )


def _estimated_end(leg: Leg, at: datetime) -> events.LegHungUp:
    return events.LegHungUp(
        at=at, leg_id=leg.id, q850_cause=0, released_by=ReleasedBy.FAR, estimated=leg.answered_at is not None
    )


def _hung_up(leg: Leg, evidence: LegEvidence) -> events.LegHungUp:
    assert evidence.hung_up_at is not None
    return events.LegHungUp(
        at=evidence.hung_up_at,
        leg_id=leg.id,
        q850_cause=evidence.q850_cause,
        released_by=ReleasedBy.FAR,
        ringing_unseen=True,
    )

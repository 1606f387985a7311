"""What a ring leads to: a record always, a callback if the caller is admitted.

Reads: rings from the AGI scripts.
Gives: committed trigger records; new callbacks for the conductor to follow.
Knows nothing of: AGI, AMI, what becomes of a callback afterwards.
"""

from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred

from calls import events
from calls.admission import Refused
from calls.callback import callback_id
from calls.limits import Limits
from calls.wishes import Ring
from store import admissions
from store.database import Database
from store.errors import StoreUnavailable
from switch.conductor import Conductor


class TriggerDesk:
    """Takes rings."""

    def __init__(
        self,
        *,
        database: Database,
        conductor: Conductor,
        limits: Limits,
        new_id: Callable[[], str],
        wall: Callable[[], datetime],
        log: FilteringBoundLogger,
    ) -> None:
        """`new_id` gives fresh ids (values/ids.py)."""
        self._database = database
        self._conductor = conductor
        self._limits = limits
        self._new_id = new_id
        self._wall = wall
        self._log = log
        self._callback_of: dict[str, str] = {}

    def rang(self, ring: Ring) -> "Deferred[None]":
        """Write the ring down, with what came of it; fires when it is committed."""
        return Deferred.fromCoroutine(self._rang(ring))

    def released(self, ring: Ring) -> None:
        """The trigger's line is free: the guard delay of its callback starts."""
        self._conductor.spawn(self._released(ring, self._wall()))

    async def _rang(self, ring: Ring) -> None:
        try:
            outcome = await self._database.run(
                "admit ring",
                admissions.admit_ring,
                ring,
                callback_id=callback_id(self._new_id()),
                limits=self._limits,
                stopping=self._conductor.draining,
            )
        except StoreUnavailable as error:
            self._log.error("trigger.not_recorded", trigger=ring.trigger_id, error=str(error))
            return
        if isinstance(outcome, Refused):
            self._log.info("trigger.refused", trigger=ring.trigger_id, reason=str(outcome.reason))
            return
        self._log.info("trigger.accepted", trigger=ring.trigger_id, callback=outcome.id)
        self._callback_of[ring.trigger_id] = outcome.id
        self._conductor.follow(outcome)

    async def _released(self, ring: Ring, at: datetime) -> None:
        callback_id = self._callback_of.pop(ring.trigger_id, None)
        if callback_id is not None and await self._conductor.tell(callback_id, events.TriggerReleased(at=at)):
            return  # the callback's step has noted it
        try:
            await self._database.run("note release", admissions.note_release, ring.trigger_id, at)
        except StoreUnavailable as error:
            self._log.warning("trigger.release_not_recorded", trigger=ring.trigger_id, error=str(error))

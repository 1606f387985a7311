"""Moves every callback: an event comes in, step() decides, the store commits, then the orders are performed.

Reads: events from AMI, AGI sessions, timers, the store's inbox.
Gives: the only writes to a callback; orders to Asterisk and to the AGI sessions.
Knows nothing of: SQL, AGI bytes, prices.

Save, then speak: the next state and its commands are committed in one transaction and performed after it.
A crash in between leaves a list of what is to be looked up, never a call that nobody wrote down.
"""

from collections import deque
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime, timedelta
from typing import Any, Protocol

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred, DeferredLock
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from calls import events
from calls.callback import WAITING, Callback, Leg, ReleasedBy, State
from calls.commands import Authorise, Command, DialB, HangUp, OriginateA, RunDialog
from calls.events import Event
from calls.limits import Limits
from calls.transitions import IllegalEventError, is_stale
from switch.books import Books, Gather
from switch.errors import OriginateRefusedError
from switch.mailbox import Mailbox
from switch.timers import Timers

STORE_RETRY_SECONDS = 1.0
AMI_RETRY_SECONDS = 1.0
FAULT_RETRY_SECONDS = 60
CHANNEL_FAILED_CAUSE = 34
MAY_GATHER = WAITING | {State.AUTHORIZING}


class Asterisk(Protocol):
    """What the conductor orders from Asterisk; switch/orders.py carries it out over AMI."""

    @property
    def is_reachable(self) -> bool:
        """Whether orders can be given now."""

    async def originate(self, callback: Callback, leg: Leg) -> None:
        """Ring A once. OriginateRefusedError: it surely did not ring. AmiLostError: nobody knows."""

    async def hang_up(self, leg_id: str) -> None:
        """End that leg's channel if it lives."""


class Conductor:
    """The one writer of callbacks."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        wall: Callable[[], datetime],
        books: Books,
        asterisk: Asterisk,
        limits: Limits,
        callbacks_max: int,
        log: FilteringBoundLogger,
    ) -> None:
        """`callbacks_max` caps the callbacks in progress, 0 for no cap; the rest waits its turn."""
        self._reactor = reactor
        self._wall = wall
        self._books = books
        self._asterisk = asterisk
        self._limits = limits
        self._callbacks_max = callbacks_max
        self._log = log
        self._callbacks: dict[str, Callback] = {}
        self._locks: dict[str, DeferredLock] = {}
        self._mailboxes: dict[str, Mailbox] = {}
        self._waiting_turn: deque[str] = deque()
        self._in_progress: set[str] = set()
        self._timers = Timers(reactor=reactor, wall=wall)
        self._tasks: set[Deferred[Any]] = set()
        self._changed: list[Deferred[None]] = []
        self._look_up: Callable[[Callback], Coroutine[Deferred[Any], Any, None]] | None = None
        self.draining = False

    # what is known

    @property
    def in_progress(self) -> int:
        """How many callbacks have a leg up or being tried."""
        return len(self._in_progress)

    def callback(self, callback_id: str) -> Callback | None:
        """The callback as it stands; None if it has ended or is not ours."""
        return self._callbacks.get(callback_id)

    def unfinished(self) -> tuple[Callback, ...]:
        """Every callback that has not ended."""
        return tuple(self._callbacks.values())

    def knows(self, callback_id: str) -> bool:
        """Whether this callback is being followed."""
        return callback_id in self._callbacks

    def look_up_with(self, look_up: Callable[[Callback], Coroutine[Deferred[Any], Any, None]]) -> None:
        """How to find out what became of a callback's legs when a deadline passes (switch/recovery.py)."""
        self._look_up = look_up

    # what happens

    def follow(self, callback: Callback) -> None:
        """Take a committed callback into care: from now on its timers run here."""
        self._callbacks[callback.id] = callback
        if callback.state not in WAITING:
            self._in_progress.add(callback.id)
        self._arm(callback)

    def news(self, callback_id: str, event: Event) -> None:
        """Take a fact without waiting for its consequences."""
        self.spawn(self._advance(callback_id, event, None))

    async def tell(self, callback_id: str, event: Event) -> bool:
        """Take a fact; returns when its consequences are committed and ordered, False if it was no news."""
        return await self._advance(callback_id, event, None)

    def mailbox(self, leg_id: str) -> Mailbox:
        """The orders for the AGI session of that A-leg."""
        return self._mailboxes.setdefault(leg_id, Mailbox())

    def spawn(self, work: Coroutine[Deferred[Any], Any, object]) -> None:
        """Run `work` beside everything else; a fault in it is logged and hurts nobody else."""
        task: Deferred[Any] = Deferred.fromCoroutine(work)
        self._tasks.add(task)

        def done(_result: object) -> None:
            self._tasks.discard(task)
            self._wake()

        task.addErrback(
            lambda failure: self._log.error("conductor.task_failed", failure=failure.getTraceback())
        )
        task.addBoth(done)

    async def idle(self) -> None:
        """Wait until no callback is in progress."""
        while self._in_progress or self._tasks:
            change: Deferred[None] = Deferred()
            self._changed.append(change)
            await change

    def stop(self) -> None:
        """Let go of every timer; what is unfinished is taken up at the next start."""
        self._timers.cancel_all()
        for mailbox in self._mailboxes.values():
            mailbox.close()

    # one step

    async def _advance(self, callback_id: str, event: Event | None, gather: Gather | None) -> bool:
        lock = self._locks.setdefault(callback_id, DeferredLock())
        await lock.acquire()
        try:
            before = self._callbacks.get(callback_id)
            if before is None or (event is not None and is_stale(before, event)):
                self._log.debug("callback.stale_event", callback=callback_id, event_name=type(event).__name__)
                return False
            if gather is not None and before.state not in MAY_GATHER:
                return False  # it was cancelled, or A has left, while the decision waited for its turn
            after, commands = await self._commit(before, event, gather)
            if after is before:
                return False
            self._remember(before, after)
            self._perform(after, commands)
            return True
        except IllegalEventError as error:
            self._log.error("callback.illegal_event", callback=callback_id, error=str(error))
            return False
        finally:
            lock.release()
            if callback_id not in self._callbacks:
                self._locks.pop(callback_id, None)
            self._wake()

    async def _commit(
        self, before: Callback, event: Event | None, gather: Gather | None
    ) -> tuple[Callback, tuple[Command, ...]]:
        """Commit the step; while the store is away the fact waits, for the far end goes on all the same."""
        while True:
            try:
                return await self._books.advance(before, event, gather)
            except self._books.Unavailable as error:
                self._log.warning("store.unavailable", callback=before.id, error=str(error))
                if gather is not None and before.state is State.AUTHORIZING and before.leg_a is not None:
                    # Without the store there is no hold, and without a hold no destination is dialled.
                    self.spawn(self._hang_up(before.leg_a.id))
                    return before, ()
                await self._pause(STORE_RETRY_SECONDS)

    def _remember(self, before: Callback, after: Callback) -> None:
        self._log.info(
            "callback.moved",
            callback=after.id,
            was=str(before.state),
            state=str(after.state),
            reason=str(after.reason or ""),
        )
        if after.state.is_end:
            self._callbacks.pop(after.id, None)
            self._timers.cancel(after.id)
            for leg in after.legs:
                box = self._mailboxes.pop(leg.id, None)
                if box is not None:
                    box.close()
        else:
            self._callbacks[after.id] = after
            self._arm(after)
        if after.state.is_end or after.state in WAITING:
            self._in_progress.discard(after.id)
            self._next_in_turn()

    def _perform(self, callback: Callback, commands: Iterable[Command]) -> None:
        for command in commands:
            match command:
                case OriginateA(leg=leg):
                    self.spawn(self._originate(callback, leg))
                case HangUp(leg_id=leg_id):
                    self.spawn(self._hang_up(leg_id))
                case RunDialog() | DialB() if callback.leg_a is not None:
                    self.mailbox(callback.leg_a.id).put(command)
                case Authorise(number=number, tag=tag):
                    self.spawn(self._advance(callback.id, None, self._books.authorise_b(number, tag)))
                case _:
                    pass  # bookkeeping was done inside the transaction

    async def _originate(self, callback: Callback, leg: Leg) -> None:
        try:
            await self._asterisk.originate(callback, leg)
        except OriginateRefusedError as error:
            self._log.warning("originate.refused", callback=callback.id, leg=leg.id, error=str(error))
            await self.tell(callback.id, self.leg_failed(leg.id, CHANNEL_FAILED_CAUSE))
        except ConnectionError as error:
            # The outcome is unknown: never ring again, the next resync looks the id up.
            self._log.warning("originate.unknown", callback=callback.id, leg=leg.id, error=str(error))

    async def _hang_up(self, leg_id: str) -> None:
        try:
            await self._asterisk.hang_up(leg_id)
        except ConnectionError as error:
            self._log.warning("hangup.not_sent", leg=leg_id, error=str(error))

    def leg_failed(self, leg_id: str, q850_cause: int, *, never_dialled: bool = True) -> events.LegHungUp:
        """The fact that a leg never got a channel, or (False) that nobody was there to see it."""
        return events.LegHungUp(
            at=self._wall(),
            leg_id=leg_id,
            q850_cause=q850_cause,
            released_by=ReleasedBy.FAR,
            never_dialled=never_dialled,
        )

    # time

    def _arm(self, callback: Callback) -> None:
        if callback.state in WAITING and callback.dial_at is not None:
            self._timers.set(callback.id, callback.dial_at, self._due)
        elif callback.deadline_at is not None:
            self._timers.set(callback.id, callback.deadline_at, self._deadline)

    def _due(self, callback_id: str) -> None:
        callback = self._callbacks.get(callback_id)
        if callback is None or callback.state not in WAITING or self.draining:
            return
        if callback.expires_at <= self._wall():
            # Refused as stale, or cancelled if somebody asked for that while no switch was running.
            self.spawn(self._start(callback_id))
        elif not self._asterisk.is_reachable:
            retry_at = self._wall() + timedelta(seconds=AMI_RETRY_SECONDS)
            self._timers.set(callback_id, retry_at, self._due)
        elif self._callbacks_max and len(self._in_progress) >= self._callbacks_max:
            self._waiting_turn.append(callback_id)
            self._timers.set(callback_id, callback.expires_at, self._due)
        else:
            self._in_progress.add(callback_id)
            self.spawn(self._start(callback_id))

    async def _start(self, callback_id: str) -> None:
        try:
            await self._advance(callback_id, None, self._books.authorise_a)
        finally:
            callback = self._callbacks.get(callback_id)
            if callback is None or callback.state in WAITING:
                self._in_progress.discard(callback_id)
                self._next_in_turn()
            if callback is not None and callback.state in WAITING and callback_id not in self._timers:
                # A fault of ours stopped it: it is not tried for ever, but it does come to an end.
                soonest = self._wall() + timedelta(seconds=FAULT_RETRY_SECONDS)
                self._timers.set(callback_id, max(callback.expires_at, soonest), self._due)

    def _next_in_turn(self) -> None:
        while self._waiting_turn and len(self._in_progress) < self._callbacks_max:
            self._due(self._waiting_turn.popleft())

    def _deadline(self, callback_id: str) -> None:
        self.spawn(self._overdue(callback_id))

    async def _overdue(self, callback_id: str) -> None:
        before = self._callbacks.get(callback_id)
        if before is None:
            return
        if self._look_up is not None and before.live_legs:
            await self._look_up(before)
        after = self._callbacks.get(callback_id)
        if after is not None and after == before:
            await self.tell(callback_id, events.DeadlinePassed(at=self._wall()))

    def _pause(self, seconds: float) -> Deferred[None]:
        pause: Deferred[None] = Deferred()
        call: IDelayedCall = self._reactor.callLater(seconds, pause.callback, None)
        assert call.active()
        return pause

    def _wake(self) -> None:
        waiting, self._changed = self._changed, []
        for change in waiting:
            change.callback(None)

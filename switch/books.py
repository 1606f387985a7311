"""One step of a callback as one transaction: gather, decide, write.

Reads: a callback, an event or the facts from which to make one.
Gives: the callback as committed, and the commands to perform; its price in the books when it ends.
Knows nothing of: Asterisk, timers, the order of things.

Whatever authorises a leg runs here, under the account's lock, in the transaction that also holds the credit:
between the check and the hold nobody else can spend it.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from calls import events
from calls.admission import AccountState
from calls.callback import Callback, Leg, Reason, cdr_of, next_leg_id
from calls.cdr import LegRole, raw_microseconds
from calls.commands import Command, Settle
from calls.events import Event
from calls.limits import Limits
from calls.policy import PolicyDirection, PolicyKind, country_verdict
from calls.transitions import is_stale, step
from rating.credit import LongestTalk, Shortfall, a_seconds_at_b_answer, first_hold, longest_talk
from rating.plan import Plan
from rating.price import Pins, price_leg, talk_seconds
from rating.routes import Route
from rating.terms import pins_of
from store import admissions, callbacks, caps, customers, decks, ledger, packages, tags
from store.authorisation import Offered, offer, package_left
from store.database import Connection, Database
from store.errors import StoreUnavailable
from store.settlement import settle
from values.e164 import E164, dialling_refusal
from values.money import decimal_from_units, decimal_units, rate_units
from values.refusal import RefusalReason

ENGAGED_RETRY = timedelta(seconds=5)
"""How soon a callback whose subscriber is on another one looks again."""
CHANNEL_RETRY = timedelta(seconds=1)
"""How soon a callback that waits for a free channel looks again."""
Gather = Callable[[Connection, Callback], Event]
"""Reads what is needed for a decision and gives the event it amounts to; runs inside the transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RingTimes:
    """How long each leg may ring, in seconds, and how long an A-leg may last altogether."""

    a_seconds: int
    b_seconds: int
    absolute_seconds: int


class Books:
    """The store as the conductor uses it."""

    Unavailable = StoreUnavailable

    def __init__(
        self, *, database: Database, wall: Callable[[], datetime], limits: Limits, ring_times: RingTimes
    ) -> None:
        """`wall` gives aware UTC datetimes."""
        self._database = database
        self._wall = wall
        self._limits = limits
        self._ring_times = ring_times
        self._ordered: dict[str, tuple[int, ...]] = {}
        self._in_doubt: set[str] = set()

    def advance(
        self, before: Callback, event: Event | None, gather: Gather | None
    ) -> "Deferred[tuple[Callback, tuple[Command, ...]]]":
        """Commit one step, from the event or from what `gather` makes of the facts."""
        ordered = self._ordered.pop(before.id, ())
        advance = self._advance_in_doubt if before.id in self._in_doubt else self._advance
        advanced = self._database.run("advance callback", advance, before, event, gather, ordered)
        advanced.addErrback(self._note_doubt, before.id)
        return advanced.addCallback(self._note_orders)

    def _note_doubt(self, failure: Failure, callback_id: str) -> Failure:
        """A store that went away while committing may have done it: the next step looks first."""
        if failure.check(StoreUnavailable):
            self._in_doubt.add(callback_id)
        return failure

    def _advance_in_doubt(
        self,
        connection: Connection,
        before: Callback,
        event: Event | None,
        gather: Gather | None,
        ordered: tuple[int, ...],
    ) -> "Advanced":
        """As _advance, from what the store has; a step that it has already is given as it was committed."""
        stored = callbacks.load(connection, before.id)
        if stored == before:
            return self._advance(connection, before, event, gather, ordered)
        if event is None or is_stale(stored, event) or step(before, event, self._limits)[0] == stored:
            # None of its orders was performed: the conductor never heard that they were committed.
            undone = [each for each in callbacks.undone_commands(connection) if each.callback_id == stored.id]
            return Advanced(
                callback=stored,
                commands=tuple(each.command for each in undone),
                ordered=tuple(each.id for each in undone),
            )
        return self._advance(connection, stored, event, None, ordered)

    def _advance(
        self,
        connection: Connection,
        before: Callback,
        event: Event | None,
        gather: Gather | None,
        ordered: tuple[int, ...],
    ) -> "Advanced":
        if event is None:
            assert gather is not None
            event = gather(connection, before)
        return self.take(connection, before, event, ordered)

    def take(
        self, connection: Connection, before: Callback, event: Event, ordered: tuple[int, ...] = ()
    ) -> "Advanced":
        """One step in a transaction that is open; `ordered` are the orders of the steps before it."""
        after, commands = step(before, event, self._limits)
        if any(isinstance(command, Settle) for command in commands):
            settle(connection, after)
        if isinstance(event, events.TriggerReleased):
            admissions.note_release(connection, before.origin.trigger_id, event.at)
        # What the steps before ordered has been performed by now: else this event would not have come.
        ids = callbacks.save_step(connection, before, after, commands, event, done=ordered)
        return Advanced(callback=after, commands=commands, ordered=ids)

    def _note_orders(self, advanced: "Advanced") -> tuple[Callback, tuple[Command, ...]]:
        self._in_doubt.discard(advanced.callback.id)
        if advanced.ordered and not advanced.callback.state.is_end:
            self._ordered[advanced.callback.id] = advanced.ordered
        return advanced.callback, advanced.commands

    # may A be rung?

    def authorise_a(self, connection: Connection, callback: Callback) -> Event:
        """DialAuthorised with the A-leg and its hold, DialRefused, or Cancelled if somebody asked for it."""
        now = self._wall()
        by = callbacks.cancel_requested_by(connection, callback.id)
        if by:
            return events.Cancelled(at=now, by=by)
        if now >= callback.expires_at:
            return events.DialRefused(at=now, reason=Reason.EXPIRED)
        if callbacks.is_subscriber_engaged(connection, callback):
            return events.DialPostponed(at=now, dial_at=now + ENGAGED_RETRY)
        refusal = _may_not_ring(connection, callback, now)
        if refusal is not None:
            return events.DialRefused(at=now, reason=refusal)
        plan = customers.plan(connection, callback.plan_id)
        offered = offer(connection, plan, callback.number_a, now, wishes=(callback.caller_id_a,))
        if offered is Reason.TRY_LATER:
            return events.DialPostponed(at=now, dial_at=now + CHANNEL_RETRY)
        if isinstance(offered, Reason):
            return events.DialRefused(at=now, reason=offered)
        pins = offered.pins(plan, LegRole.A)
        hold_units = decimal_units(first_hold(plan=plan, rate_a=offered.price, pins_a=pins))
        available = ledger.available(connection, callback.account_id, for_update=True) + callback.hold_units
        if available < hold_units or (available <= 0 and not callback.is_verification):
            return events.DialRefused(at=now, reason=Reason.NO_CREDIT)
        if caps.is_over_its_lines(connection, callback.account_id, callback.id):
            return events.DialPostponed(at=now, dial_at=now + ENGAGED_RETRY)
        if _cap_room(connection, callback, now) < hold_units:
            return _refuse_by_cap(connection, callback, now, hold_units)
        held = ledger.hold(connection, callback, hold_units, at=now)
        # A retry takes another way: what failed to ring may have been the carrier's fault.
        tried = sum(1 for leg in callback.legs if leg.role is LegRole.A)
        route = offered.routes[tried % len(offered.routes)]
        leg = _leg(callback, LegRole.A, offered, route, pins, ring_seconds=self._ring_times.a_seconds)
        leg = replace(leg, tag=tags.tag_of_subscriber(connection, callback))
        return events.DialAuthorised(at=now, leg=leg, hold_units=held.units)

    # may B be dialled?

    def authorise_b(self, number: E164, keyed_tag: str = "") -> Gather:
        """Decides on a destination: DestinationAuthorised, with routes and hold, or DestinationRefused."""

        def gather(connection: Connection, callback: Callback) -> Event:
            now = self._wall()
            plan = customers.plan(connection, callback.plan_id)
            offered = self._destination_offer(connection, callback, plan, number, now)
            if isinstance(offered, Reason):
                return events.DestinationRefused(at=now, reason=offered)
            quoted = self._quote(connection, callback, plan, offered, now)
            if isinstance(quoted, events.DestinationAuthorised):
                tag = tags.tag_of_destination(connection, callback, number, keyed_tag)
                return replace(quoted, legs=tuple(replace(leg, tag=tag) for leg in quoted.legs))
            return quoted

        return gather

    def _quote(
        self, connection: Connection, callback: Callback, plan: Plan, offered: Offered, now: datetime
    ) -> Event:
        """Fix the price and, for each route, the longest talk; hold what the dearest comes to.

        What the package is to pay for is promised in the same transaction, under the same lock.
        """
        leg_a = callback.leg_a
        if leg_a is None or leg_a.answered_at is None:
            return events.DestinationRefused(at=now, reason=Reason.TRY_LATER)
        credit = ledger.available(connection, callback.account_id, for_update=True) + callback.hold_units
        room = _cap_room(connection, callback, now)
        free = min(credit, room)
        earlier = _earlier_talk(connection, callback, plan)
        left = package_left(
            connection, callback.account_id, plan, offered.number, now, callback_id=callback.id
        )
        pins = offered.pins(plan, LegRole.B, left - earlier.package_seconds)
        legs: list[Leg] = []
        hold_units = promised = 0
        for tried, route in enumerate(offered.routes, start=1):
            talk = self._longest_talk(connection, callback, plan, offered, pins, earlier, free, tried, now)
            if isinstance(talk, Shortfall):
                break
            hold_units = max(hold_units, decimal_units(talk.cost))
            promised = max(promised, talk.package_seconds)
            so_far = replace(callback, planned=tuple(legs))
            fixed = replace(pins, package_seconds=talk.package_seconds)
            leg = _leg(so_far, LegRole.B, offered, route, fixed, ring_seconds=self._ring_times.b_seconds)
            legs.append(replace(leg, talk_seconds_max=talk.seconds))
        if not legs and room < credit:
            _note_cap(connection, callback, now, room + 1)
            return events.DestinationRefused(at=now, reason=Reason.SPEND_CAP)
        if not legs:
            return events.DestinationRefused(at=now, reason=Reason.NO_CREDIT)
        if plan.package_seconds:
            packages.promise(
                connection,
                callback_id=callback.id,
                account_id=callback.account_id,
                plan=plan,
                seconds=earlier.package_seconds + promised,
                at=now,
            )
        held = ledger.hold(connection, callback, hold_units, at=now)
        return events.DestinationAuthorised(at=now, legs=tuple(legs), hold_units=held.units)

    def _longest_talk(  # noqa: PLR0917 - one step of _quote, with all that it has gathered
        self,
        connection: Connection,
        callback: Callback,
        plan: Plan,
        offered: Offered,
        pins: Pins,
        earlier: "_EarlierTalk",
        free_units: int,
        tried: int,
        now: datetime,
    ) -> LongestTalk | Shortfall:
        leg_a = callback.leg_a
        assert leg_a is not None
        assert leg_a.answered_at is not None
        # A is charged while every route before this one rings in vain.
        ring_seconds = self._ring_times.b_seconds * tried
        up_seconds = (now + timedelta(seconds=ring_seconds) - leg_a.answered_at) // timedelta(seconds=1)
        return longest_talk(
            available=decimal_from_units(free_units),
            plan=plan,
            rate_a=decks.rate(connection, leg_a.price_rate_id),
            rate_b=offered.price,
            a_seconds_at_b_answer=a_seconds_at_b_answer(
                plan=plan,
                answered_at=leg_a.answered_at,
                accepted_at=leg_a.accepted_at,
                dial_b_at=now,
                ring_seconds=ring_seconds,
                earlier_bridged_microseconds=earlier.charged_microseconds,
            ),
            earlier_cost=earlier.cost,
            seconds_max=self._ring_times.absolute_seconds - up_seconds,
            pins_a=pins_of(leg_a, plan),
            pins_b=pins,
        )

    def _destination_offer(
        self, connection: Connection, callback: Callback, plan: Plan, number: E164, now: datetime
    ) -> Offered | Reason:
        if customers.account_state(connection, callback.account_id) is not AccountState.OPEN:
            return Reason.ACCOUNT_CLOSED
        refusal = dialling_refusal(number, callback.home_country or None)
        if refusal:
            emergency = refusal.reason in {RefusalReason.EMERGENCY, RefusalReason.SHORT_CODE}
            return Reason.EMERGENCY if emergency else Reason.NUMBER_REFUSED
        if customers.is_own_did(connection, number):
            return Reason.OWN_NUMBER
        policy = customers.country_policy(connection)
        verdict = country_verdict(policy, number, PolicyDirection.TERMINATE_TO, PolicyKind.ANY, now)
        if verdict.is_denied:
            return Reason.COUNTRY_DENIED
        shown = customers.caller_id_for(connection, callback, now)
        return offer(connection, plan, number, now, wishes=(shown,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advanced:
    """A step as it is committed: the callback, its commands, and the ids of those that are orders."""

    callback: Callback
    commands: tuple[Command, ...]
    ordered: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _EarlierTalk:
    """What this callback's B-legs that have ended come to."""

    cost: Decimal
    charged_microseconds: int
    package_seconds: int


def _leg(
    callback: Callback,
    role: LegRole,
    offered: Offered,
    route: Route,
    pins: Pins,
    *,
    ring_seconds: int,
) -> Leg:
    """A leg with all that is pinned for it; quoted, held and billed by nothing else."""
    return Leg(
        id=next_leg_id(callback, role),
        role=role,
        number=offered.number,
        trunk=route.trunk,
        caller_id_shown=route.shown,
        price_rate_id=offered.price.id,
        cost_rate_id=route.cost.id,
        ring_seconds=ring_seconds,
        origin_class=route.origin.value,
        surcharge_per_minute=rate_units(pins.surcharge_per_minute),
        package_seconds=pins.package_seconds,
    )


def _cap_room(connection: Connection, callback: Callback, now: datetime) -> int:
    """What its caps leave to this callback, its own hold included; asked under the account's lock."""
    return caps.room_units(
        connection,
        account_id=callback.account_id,
        subscriber_id=callback.subscriber_id,
        at=now,
        callback_id=callback.id,
    )


def _refuse_by_cap(
    connection: Connection, callback: Callback, now: datetime, needed_units: int
) -> events.DialRefused:
    _note_cap(connection, callback, now, needed_units)
    return events.DialRefused(at=now, reason=Reason.SPEND_CAP)


def _note_cap(connection: Connection, callback: Callback, now: datetime, needed_units: int) -> None:
    caps.note_caps_reached(
        connection,
        account_id=callback.account_id,
        subscriber_id=callback.subscriber_id,
        at=now,
        needed_units=needed_units,
    )


def _may_not_ring(connection: Connection, callback: Callback, now: datetime) -> Reason | None:
    """What stands against ringing A, whatever the credit, or None. Suspended accounts keep self-care."""
    state = customers.account_state(connection, callback.account_id)
    if callback.is_verification:
        is_theirs = customers.registered_to(connection, callback, now) is not None
        barred = state is AccountState.CLOSED
    else:
        is_theirs = customers.is_verified_for(connection, callback, now)
        barred = state is not AccountState.OPEN
    if barred:
        return Reason.ACCOUNT_CLOSED
    return None if is_theirs else Reason.NUMBER_REFUSED


def _earlier_talk(connection: Connection, callback: Callback, plan: Plan) -> _EarlierTalk:
    cost, microseconds, package_seconds = Decimal(0), 0, 0
    for leg in callback.legs_b:
        if leg.answered_at is None or leg.hung_up_at is None:
            continue
        charge = price_leg(
            rate=decks.rate(connection, leg.price_rate_id),
            plan=plan,
            talk_seconds=talk_seconds(leg.answered_at, leg.hung_up_at),
            role=LegRole.B,
            pins=pins_of(leg, plan),
        )
        cost += charge.amount
        package_seconds += charge.package_seconds
        if charge.is_charged:
            microseconds += raw_microseconds(cdr_of(callback, leg))
    return _EarlierTalk(cost=cost, charged_microseconds=microseconds, package_seconds=package_seconds)

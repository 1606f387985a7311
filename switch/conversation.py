"""The AGI script of an A-leg: speaks with the subscriber and dials where the conductor says.

Reads: orders from the A-leg's mailbox, keys from the subscriber, Dial's outcome.
Gives: the events that only this session can know.
Knows nothing of: prices, the store, AMI.

It runs in a greenlet: each wait holds a Deferred and no thread. Orders come from the conductor, one at a
time. When the channel is gone the script ends; AMI and CEL tell the rest.
"""

import hmac
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from calls import events
from calls.callback import Callback, Leg, Reason, State
from calls.commands import DialB, Opening, RunDialog
from calls.directory import Directory
from calls.events import Event
from ivr import session
from ivr.prompts import DEFAULT_LANGUAGE, language_to_speak
from switch.conductor import Conductor
from switch.fastagi import AgiSession, Refused, Script
from switch.legs import (
    NORMAL_CLEARING_CAUSE,
    STATUSES_OF_A_CHANNEL,
    LegWatch,
    callback_id_of,
    cause_of_status,
    dial_arguments,
)
from switch.line import AgiLine
from switch.orders import AsteriskOrders
from wire.agi import Environment

AMI_LAG_SECONDS = 1.0
"""AMI and AGI are two sockets: what one tells may come this much after the other."""
ANSWERED_STATUS = "ANSWER"


class Sounds(Protocol):
    """The recorded prompts on this machine (pbx/sounds.py)."""

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages in which our prompts are installed."""

    def seconds_of(self, sound: str, language: str) -> float:
        """How long a sound lasts."""


class Conversations:
    """Serves the AGI sessions of A-legs."""

    def __init__(
        self,
        *,
        reactor: IReactorTime,
        wall: Callable[[], datetime],
        conductor: Conductor,
        orders: AsteriskOrders,
        watch: LegWatch,
        look_up: Callable[[Callback], Coroutine[Deferred[Any], Any, None]],
        sounds: Sounds,
        directory: Callable[[Callback], Deferred[Directory]],
    ) -> None:
        """`look_up` finds out what became of a callback's legs (switch/recovery.py).

        `directory` gives what the subscriber may key instead of a number; an empty one if it cannot.
        """
        self._directory = directory
        self._reactor = reactor
        self._wall = wall
        self._conductor = conductor
        self._orders = orders
        self._watch = watch
        self._look_up = look_up
        self._sounds = sounds

    def route(self, environment: Environment) -> Script | Refused:
        """The script of an `ivr/<leg id>/<token>` session; a stranger is refused."""
        _, leg_id, token = (*environment.script.split("/", 2), "", "")[:3]
        if not hmac.compare_digest(token.encode(), self._orders.token(leg_id).encode()):
            return Refused(reason="its token is not the leg's")
        if environment.uniqueid != leg_id:
            return Refused(reason="its channel is not the leg's")
        if not self._conductor.knows(callback_id_of(leg_id)):
            return Refused(reason="its callback has ended or is not ours")

        def script(agi: AgiSession) -> None:
            self._converse(agi, leg_id)

        return script

    def _converse(self, agi: AgiSession, leg_id: str) -> None:
        callback_id = callback_id_of(leg_id)
        answered_at = self._reactor.seconds()
        # Taken while the callback is surely known: one that ends meanwhile closes it.
        mailbox = self._conductor.mailbox(leg_id)
        self._conductor.spawn(self._prove_answer(callback_id, leg_id, self._wall()))
        try:
            self._set_up(agi, callback_id)
            line = AgiLine(agi)
            while (order := agi.wait_unless_hung_up(mailbox.get())) is not None:
                match order:
                    case RunDialog():
                        self._speak(agi, line, callback_id, order, answered_at)
                    case DialB(leg=leg):
                        self._dial(agi, callback_id, leg)
        finally:
            mailbox.abandon(partial(self._not_carried_out, callback_id))

    def _not_carried_out(self, callback_id: str, order: RunDialog | DialB) -> None:
        """A has left between keying a number and our Dial: that leg never had a channel to tell its end."""
        if isinstance(order, DialB):
            self._conductor.news(callback_id, self._conductor.leg_failed(order.leg.id, NORMAL_CLEARING_CAUSE))

    def _set_up(self, agi: AgiSession, callback_id: str) -> None:
        """Give the channel the subscriber's language and the plan's in-call key."""
        callback = self._conductor.callback(callback_id)
        if callback is None:
            return
        if (language := self._language_of(callback)) != DEFAULT_LANGUAGE:
            agi.set_variable("CHANNEL(language)", language)
        if callback.in_call_key:
            agi.set_variable("FEATUREMAP(disconnect)", callback.in_call_key)

    def _language_of(self, callback: Callback) -> str:
        return language_to_speak(callback.language, self._sounds.languages)

    def _speak(
        self, agi: AgiSession, line: AgiLine, callback_id: str, order: RunDialog, answered_at: float
    ) -> None:
        callback = self._conductor.callback(callback_id)
        if callback is None or callback.leg_a is None:
            return
        leg_id = callback.leg_a.id

        def accepted() -> None:
            # AMI has told of the key already, unless it is away; then this is dropped as stale.
            self._tell(agi, callback_id, events.Accepted(at=self._wall(), leg_id=leg_id))

        dialog = session.Session(
            rules=rules_of(callback, agi.wait(self._directory(callback))),
            accepted=callback.accepted_at is not None,
            seconds_of=partial(self._sounds.seconds_of, language=self._language_of(callback)),
            seconds_since_answer=lambda: self._reactor.seconds() - answered_at,
            on_accepted=accepted,
        )
        code = self._orders.spoken_code(callback_id)
        outcome = dialog.run(opening_of(order, callback, code=code), line)
        self._tell(agi, callback_id, self._event_of(outcome, callback))

    def _event_of(self, outcome: session.Outcome, callback: Callback) -> Event:
        now = self._wall()
        match outcome:
            case session.DestinationKeyed(number=number, tag=tag):
                return events.DestinationKeyed(at=now, number=number, tag=tag)
            case session.ConnectFixed():
                assert callback.destination is not None
                return events.DestinationKeyed(at=now, number=callback.destination)
            case session.NotAccepted():
                return events.DialogEnded(at=now, reason=Reason.NOT_ACCEPTED)
            case session.GaveUp():
                return events.DialogEnded(at=now, reason=Reason.GAVE_UP)
            case session.CodeSpoken():
                return events.DialogEnded(at=now, reason=Reason.CODE_SPOKEN)

    def _dial(self, agi: AgiSession, callback_id: str, leg: Leg) -> None:
        callback = self._conductor.callback(callback_id)
        if callback is None:
            return
        status, gaps = "", self._watch.gaps
        try:
            self._show_caller_id(agi, leg)
            dialled = self._orders.dialled(leg.number, leg.trunk)
            agi.appexec(
                "Dial", ",".join(dial_arguments(leg, dialled=dialled, in_call_key=callback.in_call_key))
            )
            status = agi.get_variable("DIALSTATUS")
        finally:
            # Also when the subscriber has left: a leg that never got a channel is told by nobody else.
            self._conductor.spawn(self._account_for(callback_id, leg.id, status, gaps))

    def _show_caller_id(self, agi: AgiSession, leg: Leg) -> None:
        """Set what the destination sees: a number that is allowed for this leg, or nothing."""
        if leg.caller_id_shown is None:
            agi.set_variable("CALLERID(num-pres)", "prohib")
        else:
            agi.set_variable("CALLERID(num)", str(leg.caller_id_shown))
            agi.set_variable("CALLERID(num-pres)", "allowed")

    async def _account_for(self, callback_id: str, leg_id: str, status: str, gaps: int) -> None:
        """Make sure that the end of a B-leg is known after Dial has returned.

        `gaps` are the watch's from before Dial. Without a status A has left in Dial: then silence about B is
        no proof unless AMI was heard all the time, and an answer to a question shows that it was.
        """
        await deferLater(self._reactor, AMI_LAG_SECONDS)
        callback = self._with_live(callback_id, leg_id)
        if callback is None:
            return
        leg = callback.leg(leg_id)
        was_up = status == ANSWERED_STATUS or (leg is not None and leg.answered_at is not None)
        if was_up or not status or self._watch.has_seen(leg_id):
            await self._look_up(callback)
            if was_up or self._watch.has_seen(leg_id) or not self._heard_all_since(gaps):
                return  # the next resync tells more
        if self._with_live(callback_id, leg_id) is not None:
            # In doubt its carrier was asked, and will ask for the attempt.
            nothing_shown = self._heard_all_since(gaps) and not self._watch.has_shown(leg_id)
            never_dialled = nothing_shown and status not in STATUSES_OF_A_CHANNEL
            failed = self._conductor.leg_failed(leg_id, cause_of_status(status), never_dialled=never_dialled)
            await self._conductor.tell(callback_id, failed)

    def _with_live(self, callback_id: str, leg_id: str) -> Callback | None:
        """The callback, if that leg of it is not known to be gone."""
        callback = self._conductor.callback(callback_id)
        leg = callback.leg(leg_id) if callback is not None else None
        return callback if leg is not None and leg.is_live else None

    def _heard_all_since(self, gaps: int) -> bool:
        return self._orders.is_reachable and self._watch.gaps == gaps

    async def _prove_answer(self, callback_id: str, leg_id: str, at: datetime) -> None:
        """An AGI session runs on an answered channel only: say so if AMI does not."""
        await deferLater(self._reactor, AMI_LAG_SECONDS)
        callback = self._conductor.callback(callback_id)
        if callback is not None and callback.state is State.DIALING_A:
            await self._conductor.tell(callback_id, events.LegAnswered(at=at, leg_id=leg_id))

    def _tell(self, agi: AgiSession, callback_id: str, event: Event) -> None:
        agi.wait(Deferred.fromCoroutine(self._conductor.tell(callback_id, event)))


def rules_of(callback: Callback, directory: Directory) -> session.Rules:
    """How this subscriber is asked, by the plan that was pinned when the callback began."""
    home = callback.home_country or None
    return session.Rules(
        normalise=session.number_reader(home),
        home_country=home,
        follow_on_key=callback.follow_on_key,
        directory=directory,
    )


def opening_of(order: RunDialog, callback: Callback, *, code: str) -> session.Opening:
    """How the dialog begins, in its own words; `code` is what a verification speaks."""
    match order.opening:
        case Opening.WELCOME:
            return session.Welcome(fixed_destination=callback.destination)
        case Opening.ASK_AGAIN:
            return session.AskAgain(reason=order.reason or Reason.TRY_LATER)
        case Opening.FOLLOW_ON:
            return session.FollowOn(reason=order.reason)
        case Opening.NEXT_NUMBER:
            return session.NextNumber()
        case Opening.SPEAK_CODE:
            return session.SpeakCode(code=code)

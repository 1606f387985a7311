"""The AMI client: one lasting login, questions matched with their answers, events in order.

Reads: the manager connection of our Asterisk.
Gives: AmiService: send() and send_list() as Deferreds; on_event and on_connected called in order.
Knows nothing of: callbacks, what the events mean.

Laws
1. AMI never repeats an event: on_connected is called after each login and must look at what lives.
2. Every question ends: with its answer, with ActionRefused, with AmiLost (it may have been carried out), or
   with AmiNotSent (it surely was not). Nothing is ever sent twice.
3. A peer that stays silent is given up after PING_SECONDS + PING_DEADLINE_SECONDS, below 10 s.
4. A wrong password or rights too broad are errors of configuration: AmiLoginRefused, never "try again".
"""

from collections.abc import Callable, Collection, Mapping
from hashlib import md5
from types import MappingProxyType

import structlog
from twisted.application.internet import ClientService, backoffPolicy
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IReactorTime, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from switch.amiprotocol import (
    ACTION_SECONDS,
    ActionRefused,
    AmiError,
    AmiLost,
    AmiNotSent,
    AmiProtocol,
    AmiTimeout,
    Answer,
)
from wire.ami import Message, OriginateVariable

__all__ = [
    "ActionRefused",
    "AmiError",
    "AmiLoginRefused",
    "AmiLost",
    "AmiNotSent",
    "AmiService",
    "AmiTimeout",
    "Message",
]

PING_SECONDS = 2.0
PING_DEADLINE_SECONDS = 3.0
"""With PING_SECONDS: a half-open connection is found within 5 s; the goal is 10."""
RETRY_SECONDS_MAX = 4.0
"""Between two tries; so live calls are adopted soon after Asterisk is back."""
EXCESS_ACTIONS = ("Command", "CreateConfig", "ModuleLoad", "UpdateConfig")
"""Whoever may do one of these may do anything on Asterisk's machine; the switch needs none."""

_NOTHING: Mapping[str, str] = MappingProxyType({})


class AmiLoginRefused(AmiError):
    """AMI refuses this user, or gives it rights that it must not have: correct [ami] and manager.conf."""


class AmiService:
    """Keeps one login to AMI alive from start() to stop()."""

    def __init__(
        self,
        reactor: IReactorTime,
        endpoint: IStreamClientEndpoint,
        *,
        user: str,
        secret: str,
        on_event: Callable[[Message], object],
        on_connected: Callable[[], object],
        on_lost: Callable[[], object] = lambda: None,
        subscribed: Collection[str] | None = None,
        event_mask: str = "on",
        allowed_variables: Collection[str] = tuple(OriginateVariable),
        excess_actions: Collection[str] = EXCESS_ACTIONS,
        retry_policy: Callable[[int], float] | None = None,
    ) -> None:
        """Stays quiet until start().

        `subscribed` names the events that on_event gets, None for all; `event_mask` is AMI's own filter
        (`on`, or classes such as `call,dtmf`).
        `on_connected` is called after each login, before any event that follows it; `on_lost` after the
        end of a login, when all its questions have failed.
        """
        self._reactor = reactor
        self._user = user
        self._secret = secret
        self._on_event = on_event
        self._on_connected = on_connected
        self._on_lost = on_lost
        self._subscribed = None if subscribed is None else frozenset(subscribed)
        self._event_mask = event_mask
        self._allowed_variables = frozenset(allowed_variables)
        self._excess_actions = frozenset(excess_actions)
        self._backoff = retry_policy or backoffPolicy(initialDelay=0.25, maxDelay=RETRY_SECONDS_MAX)
        self._failed_logins = 0
        self._log = structlog.get_logger("switch.ami")
        # Logging in as ClientService's prepareConnection would be natural, but a connection that is lost
        # meanwhile makes its state machine raise NoTransition (Twisted 26.10). So it is told of every TCP
        # connection, and the delay before the next counts the logins that failed.
        self._client = ClientService(endpoint, _Connections(self._connection), self._delay, reactor)
        self._protocol: AmiProtocol | None = None
        self._is_logged_in = False
        self._pong_at = 0.0
        self._watchdog = LoopingCall(self._ping)
        self._watchdog.clock = reactor
        self._login_waiters: list[Deferred[None]] = []

    # ---- for the switch ---------------------------------------------------------------------------

    @property
    def logged_in(self) -> bool:
        """Whether actions can be sent now."""
        return self._is_logged_in

    def pong_age_seconds(self) -> float:
        """How long ago AMI last proved that it is there; nothing should be dialled on an old proof."""
        return self._reactor.seconds() - self._pong_at if self._is_logged_in else float("inf")

    def start(self) -> None:
        """Connect, and connect again whenever the connection is lost."""
        self._client.startService()

    def stop(self) -> "Deferred[None]":
        """Fires when the connection is closed; questions still open fail with AmiLost."""
        stopped = self._client.stopService()
        if self._protocol is not None:
            self._protocol.give_up("Dialback is stopping")
        return stopped

    def when_logged_in(self) -> "Deferred[None]":
        """Fires at the next login, now if logged in; fails with AmiLoginRefused if that is hopeless."""
        if self._is_logged_in:
            return succeed(None)
        waiter: Deferred[None] = Deferred(self._forget_waiter)
        self._login_waiters.append(waiter)
        return waiter

    def send(
        self,
        action: str,
        headers: Mapping[str, str] = _NOTHING,
        variables: Mapping[str, str] = _NOTHING,
        *,
        deadline_seconds: float = ACTION_SECONDS,
    ) -> "Deferred[Message]":
        """The answer to one action. Fails with ActionRefused, AmiNotSent, AmiLost or LocalProtocolError."""
        asked = self._ask(action, headers, variables, deadline_seconds)
        return asked.addCallback(lambda answer: answer.response)

    def send_list(
        self, action: str, headers: Mapping[str, str] = _NOTHING, *, deadline_seconds: float = ACTION_SECONDS
    ) -> "Deferred[tuple[Message, ...]]":
        """The items of an action that answers with a list, such as CoreShowChannels; fails as send() does."""
        asked = self._ask(action, headers, _NOTHING, deadline_seconds)
        return asked.addCallback(lambda answer: answer.items)

    # ---- inside -----------------------------------------------------------------------------------

    def _ask(
        self, action: str, headers: Mapping[str, str], variables: Mapping[str, str], deadline_seconds: float
    ) -> "Deferred[Answer]":
        if self._protocol is None or not self._is_logged_in:
            return fail(AmiNotSent(f"{action} was not sent: there is no login to AMI"))
        return self._protocol.ask(
            action,
            headers,
            variables,
            deadline_seconds=deadline_seconds,
            allowed_variables=self._allowed_variables,
        )

    def _delay(self, attempt: int) -> float:
        return self._backoff(max(attempt, self._failed_logins))

    def _connection(self) -> AmiProtocol:
        return AmiProtocol(
            clock=self._reactor,
            subscribed=self._subscribed,
            on_banner=self._begin_login,
            on_event=self._on_event,
            on_lost=self._lost,
            log=self._log,
        )

    def _begin_login(self, protocol: AmiProtocol) -> None:
        self._protocol = protocol
        login = Deferred.fromCoroutine(self._login(protocol))
        login.addCallbacks(
            self._login_done, self._login_failed, callbackArgs=(protocol,), errbackArgs=(protocol,)
        )

    async def _login(self, protocol: AmiProtocol) -> None:
        challenge = await protocol.ask("Challenge", {"AuthType": "MD5"})
        proof = (challenge.response.fields.get("Challenge", "") + self._secret).encode()
        key = md5(proof, usedforsecurity=False).hexdigest()  # the only challenge that AMI offers
        login = {"AuthType": "MD5", "Username": self._user, "Key": key, "Events": "off"}
        try:
            await protocol.ask("Login", login)
        except ActionRefused as refusal:
            if refusal.text == "Authentication failed":
                message = f"AMI does not accept user {self._user!r} with this secret"
                raise AmiLoginRefused(message) from refusal
            raise
        commands = (await protocol.ask("ListCommands")).response
        excess = sorted(self._excess_actions & commands.fields.keys())
        if excess:
            raise AmiLoginRefused(f"AMI user {self._user!r} may do more than it should: {', '.join(excess)}")

        # Last, so that not one event comes before on_connected.
        await protocol.ask("Events", {"EventMask": self._event_mask})

    def _login_done(self, _: None, protocol: AmiProtocol) -> None:
        self._failed_logins = 0
        self._is_logged_in = True
        self._pong_at = self._reactor.seconds()
        self._watchdog.start(PING_SECONDS, now=False)
        self._log.info("logged in to AMI", user=self._user, banner=protocol.banner)
        self._on_connected()
        waiters, self._login_waiters = self._login_waiters, []
        for waiter in waiters:
            waiter.callback(None)

    def _login_failed(self, failure: Failure, protocol: AmiProtocol) -> None:
        if not isinstance(failure.value, AmiError):
            failure.raiseException()
        self._failed_logins += 1
        self._log.error("no login to AMI", user=self._user, reason=failure.getErrorMessage())
        protocol.give_up(failure.getErrorMessage())
        if isinstance(failure.value, AmiLoginRefused):
            waiters, self._login_waiters = self._login_waiters, []
            for waiter in waiters:
                waiter.errback(failure)

    def _lost(self, protocol: AmiProtocol, reason: str) -> None:
        if protocol is not self._protocol:
            return
        self._protocol = None
        if self._watchdog.running:
            self._watchdog.stop()
        if self._is_logged_in:
            self._is_logged_in = False
            self._log.warning("AMI connection lost", reason=reason)
            self._on_lost()

    def _ping(self) -> "Deferred[None]":
        def answered(_: Message) -> None:
            self._pong_at = self._reactor.seconds()

        def silent(failure: Failure) -> None:
            if not isinstance(failure.value, AmiError):
                failure.raiseException()
            if self._protocol is not None and isinstance(failure.value, AmiTimeout):
                self._protocol.give_up(f"no answer to Ping in {PING_DEADLINE_SECONDS:g} s")

        return self.send("Ping", deadline_seconds=PING_DEADLINE_SECONDS).addCallbacks(answered, silent)

    def _forget_waiter(self, waiter: "Deferred[None]") -> None:
        if waiter in self._login_waiters:
            self._login_waiters.remove(waiter)


class _Connections(Factory):
    noisy = False

    def __init__(self, build: Callable[[], AmiProtocol]) -> None:
        self._build = build

    def buildProtocol(self, addr: object) -> AmiProtocol:  # noqa: N802 - Twisted's name
        return self._build()

"""One AMI connection: questions out, their answers and everything else in.

Reads: bytes of the manager connection.
Gives: AmiProtocol.ask(), and the errors that a question can end with.
Knows nothing of: logins, when to connect again.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure

from wire.ami import AmiDecoder, Banner, Message, OriginateVariable, encode_action
from wire.errors import LocalProtocolError, RemoteProtocolError

ACTION_SECONDS = 5.0
"""AMI answers in milliseconds; Originate is sent with Async, so none of ours takes longer."""
BANNER_SECONDS = 5.0
"""Asterisk greets at once; what accepts and says nothing is not Asterisk, or is stuck."""
QUESTIONS_MAX = 1_000
"""Far more than a busy switch has open; more means that answers do not come."""
LIST_ITEMS_MAX = 100_000
"""Items of one list answer; 10 for each channel that Asterisk could carry."""


class AmiError(Exception):
    """A question to AMI got no good answer."""


class AmiNotSent(AmiError, ConnectionError):
    """The action was not sent; nothing has happened, it may be tried later."""


class AmiLost(AmiError, ConnectionError):
    """The action was sent and no answer came: it may or may not have been carried out. Look, never resend."""


class AmiTimeout(AmiLost):
    """The answer did not come in time; the connection still stands."""


class ActionRefused(AmiError):
    """Asterisk answered with an error; nothing was done."""

    def __init__(self, action: str, answer: Message) -> None:
        """`answer` is Asterisk's response, with its reason in `Message`."""
        self.answer = answer
        self.text = answer.fields.get("Message", "")
        super().__init__(f"AMI refused {action}: {self.text or answer.response}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one action."""

    response: Message
    items: tuple[Message, ...] = ()
    """The events of a list answer, in order, without the one that ends it."""


@dataclass(slots=True, kw_only=True)
class _Question:
    action: str
    deferred: "Deferred[Answer]"
    deadline: IDelayedCall
    response: Message | None = None
    items: list[Message] = field(default_factory=list)


class AmiProtocol(Protocol):
    """Questions and answers on one connection; events go to `on_event` in order."""

    def __init__(
        self,
        *,
        clock: IReactorTime,
        subscribed: Collection[str] | None,
        on_banner: Callable[["AmiProtocol"], object],
        on_event: Callable[[Message], object],
        on_lost: Callable[["AmiProtocol", str], object],
        log: FilteringBoundLogger,
    ) -> None:
        """`on_banner` when Asterisk has greeted; `on_lost` after every open question has failed."""
        self.banner = ""
        self._clock = clock
        self._subscribed = None if subscribed is None else frozenset(subscribed)
        self._decoder = AmiDecoder(subscribed)
        self._on_banner = on_banner
        self._on_event = on_event
        self._on_lost = on_lost
        self._log = log
        self._questions: dict[str, _Question] = {}
        self._last_id = 0
        self._lost_reason = ""
        self._banner_deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:  # noqa: N802 - Twisted's name
        """Wait for Asterisk's greeting."""
        transport = self._transport()
        if ITCPTransport.providedBy(transport):
            transport.setTcpNoDelay(True)
        self._banner_deadline = self._clock.callLater(BANNER_SECONDS, self.give_up, "no greeting from AMI")

    def ask(
        self,
        action: str,
        headers: Mapping[str, str] = MappingProxyType({}),
        variables: Mapping[str, str] = MappingProxyType({}),
        *,
        deadline_seconds: float = ACTION_SECONDS,
        allowed_variables: Collection[str] = tuple(OriginateVariable),
    ) -> "Deferred[Answer]":
        """The answer to one action, a list answer gathered to its end."""
        if self._lost_reason:
            return fail(AmiNotSent(f"{action} was not sent: {self._lost_reason}"))
        if len(self._questions) >= QUESTIONS_MAX:
            return fail(AmiNotSent(f"{action} was not sent: {QUESTIONS_MAX} actions wait for an answer"))
        self._last_id += 1
        action_id = f"dialback-{self._last_id}"
        try:
            data = encode_action(
                action, {"ActionID": action_id, **headers}, variables, allowed_variables=allowed_variables
            )
        except LocalProtocolError:
            return fail()
        deferred: Deferred[Answer] = Deferred()
        deadline = self._clock.callLater(deadline_seconds, self._too_late, action_id)
        self._questions[action_id] = _Question(action=action, deferred=deferred, deadline=deadline)
        self._transport().write(data)
        return deferred

    def give_up(self, reason: str) -> None:
        """Cut the connection now; a peer that is silent would not notice a polite close."""
        if not self._lost_reason:
            self._lost_reason = reason
            self._transport().abortConnection()

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 - Twisted's name
        """Deliver what is complete; a peer that does not speak AMI is given up."""
        try:
            messages = self._decoder.feed(data)
        except RemoteProtocolError as error:
            self.give_up(str(error))
            return
        for message in messages:
            if self._lost_reason:
                return
            if isinstance(message, Banner):
                self._greeted(message)
            elif message.event:  # asked first: OriginateResponse is an event with a header Response
                self._take_event(message)
            else:
                self._take_response(message)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override] # noqa: N802 - Twisted's name
        """Every open question fails: nobody will answer it."""
        self._cancel_banner_deadline()
        self._lost_reason = self._lost_reason or reason.getErrorMessage()
        questions, self._questions = self._questions, {}
        for question in questions.values():
            question.deadline.cancel()
            question.deferred.errback(AmiLost(f"{question.action} got no answer: {self._lost_reason}"))
        self._on_lost(self, self._lost_reason)

    def _greeted(self, banner: Banner) -> None:
        self._cancel_banner_deadline()
        self.banner = banner.text
        self._on_banner(self)

    def _take_response(self, message: Message) -> None:
        question = self._questions.get(message.action_id)
        if question is None:
            # Late, after its deadline; or about an action that Asterisk could not even parse.
            text = message.fields.get("Message", "")
            self._log.warning("an AMI answer to no open question", answer=text, id=message.action_id)
        elif message.response == "Error":
            self._close(message.action_id).errback(ActionRefused(question.action, message))
        elif message.fields.get("EventList", "").lower() == "start":
            question.response = message
        else:
            self._close(message.action_id).callback(Answer(response=message))

    def _take_event(self, message: Message) -> None:
        question = self._questions.get(message.action_id)
        if question is not None and question.response is not None:
            self._take_item(question, message)
        elif self._subscribed is None or message.event in self._subscribed:
            self._on_event(message)
        else:
            self._log.debug("an AMI event of no open question", name=message.event, id=message.action_id)

    def _take_item(self, question: _Question, message: Message) -> None:
        if message.fields.get("EventList", "") == "":
            question.items.append(message)
            if len(question.items) > LIST_ITEMS_MAX:
                self.give_up(f"a list answer to {question.action} without an end")
            return
        assert question.response is not None
        if message.fields.get("EventList", "").lower() == "complete":
            answer = Answer(response=question.response, items=tuple(question.items))
            self._close(message.action_id).callback(answer)
        else:
            self._close(message.action_id).errback(ActionRefused(question.action, message))

    def _close(self, action_id: str) -> "Deferred[Answer]":
        question = self._questions.pop(action_id)
        if question.deadline.active():
            question.deadline.cancel()
        return question.deferred

    def _too_late(self, action_id: str) -> None:
        question = self._questions[action_id]
        self._close(action_id).errback(AmiTimeout(f"no answer to {question.action} in time"))

    def _cancel_banner_deadline(self) -> None:
        if self._banner_deadline is not None and self._banner_deadline.active():
            self._banner_deadline.cancel()

    def _transport(self) -> ITCPTransport:
        assert self.transport is not None
        return self.transport  # type: ignore[return-value] # abortConnection is ITCPTransport's

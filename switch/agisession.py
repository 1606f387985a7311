"""One AGI session: pyst2's verbs in a greenlet, over any transport.

Reads: bytes of one FastAGI connection, through feed().
Gives: AgiSession, which a script calls like pyst2's AGI; on_hangup() for whoever else must know.
Knows nothing of: sockets, what scripts do.

pyst2's verbs and exceptions are used, its transport is not: it writes str to sockets, takes over SIGHUP,
reads HANGUP as a reply, quotes nothing and logs every line to stderr. tests/unit/switch/test_pyst2_faults.py
pins each of these.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from asterisk.agi import (
    AGI,
    AGIAppError,
    AGIDBError,
    AGIException,
    AGIHangup,
    AGIInvalidCommand,
    AGIResultHangup,
    AGISIGHUPHangup,
    AGISIGPIPEHangup,
    AGIUnknownError,
    AGIUsageError,
)
from greenlet import GreenletExit, getcurrent, greenlet
from structlog.typing import FilteringBoundLogger
from twisted.internet.defer import CancelledError, Deferred, execute, succeed
from twisted.python.failure import Failure

from switch.greenlets import Greenlets, wake
from wire.agi import AgiDecoder, AgiEvent, Environment, HungUp, Reply, encode_command
from wire.errors import LocalProtocolError, RemoteProtocolError

T = TypeVar("T")
Script = Callable[["AgiSession"], object]
"""What route() gives: called in a greenlet with the session; the call is let go when it returns."""


class AgiSession(AGI):  # type: ignore[misc] # pyst2 is published without types
    """What a script holds of its call: pyst2's verbs, and wait()."""

    def __init__(
        self,
        *,
        write: Callable[[bytes], object],
        close: Callable[[], object],
        begin: Callable[["AgiSession"], object],
        log: FilteringBoundLogger,
    ) -> None:
        """`begin` is called once, when the environment is here: it runs a script, or closes."""
        # pyst2's own __init__ is left out on purpose: it takes over SIGHUP and reads sys.stdin.
        self.environment = Environment(text="")
        self._plain_log = log
        self._write = write
        self._close = close
        self._begin = begin
        self._decoder = AgiDecoder()
        self._greenlet: greenlet | None = None
        self._is_asking = False
        self._hangup_reason = ""
        self._is_lost = False
        self._hangup_waiters: list[Deferred[str]] = []

    # ---- for scripts ------------------------------------------------------------------------------

    def wait(self, deferred: "Deferred[T]") -> T:
        """The Deferred's result, once it is here; other calls go on meanwhile. Its failure is raised.

        A hang-up does not end the wait: whoever fires the Deferred decides. See on_hangup().
        """
        current = self._own_greenlet()
        box: list[T | Failure] = []
        is_asleep = False

        def arrived(result: T | Failure) -> None:
            box.append(result)
            if is_asleep:
                wake(current)

        deferred.addBoth(arrived)
        if not box:
            is_asleep = True
            current.parent.switch()
        (result,) = box
        if isinstance(result, Failure):
            result.raiseException()
        return result

    def wait_unless_hung_up(self, deferred: "Deferred[T]") -> T:
        """Like wait(), but a hang-up cancels the Deferred and raises AGISIGHUPHangup."""
        self.test_hangup()
        hangup = self.on_hangup()
        hangup.addCallbacks(lambda _: deferred.cancel(), lambda failure: failure.trap(CancelledError))
        try:
            return self.wait(deferred)
        finally:
            hangup.cancel()
            self.test_hangup()

    @property
    def log(self) -> FilteringBoundLogger:
        """A log whose lines name the call."""
        script = self.environment.script.partition("/")[0]  # what follows may be a secret token
        return self._plain_log.bind(call=self.environment.uniqueid, script=script)

    @property
    def env(self) -> dict[str, str]:
        """The environment as pyst2's verbs know it."""
        return {f"agi_{key}": value for key, value in self.environment.fields}

    def execute(self, command: str, *args: object) -> dict[str, tuple[str, str]]:
        """Send one command and give its answer in pyst2's form; every verb comes through here.

        Raises AGIHangup's kin when the call is gone, AGIAppError on `result=-1` (which is most often a
        hang-up that Asterisk has not announced yet), and pyst2's other errors for 510 and 520.
        """
        if self._hangup_reason:
            self.test_hangup()
        line = encode_command(*command.split(), *[arg for arg in args if arg != "" or type(arg) is _Kept])
        current = self._own_greenlet()
        self._is_asking = True
        self._write(line)
        reply = current.parent.switch()
        if type(reply) is Reply and reply.code == 200:
            return _result_of(reply)
        raise reply if isinstance(reply, AGIHangup) else self._error_of(reply)

    def test_hangup(self) -> None:
        """Raise what pyst2 raises when the call is gone already."""
        if self._is_lost:
            raise AGISIGPIPEHangup(self._hangup_reason)
        if self._hangup_reason:
            raise AGISIGHUPHangup(self._hangup_reason)

    @property
    def has_hung_up(self) -> bool:
        """Whether Asterisk said so, or the connection is lost."""
        return bool(self._hangup_reason)

    def on_hangup(self) -> "Deferred[str]":
        """Fires with the reason when the channel hangs up or the connection is lost; now, if it has."""
        if self._hangup_reason:
            return succeed(self._hangup_reason)
        waiter: Deferred[str] = Deferred(self._forget_waiter)
        self._hangup_waiters.append(waiter)
        return waiter

    # pyst2 quotes these twice: its own quotes would become part of the family and the key.
    def database_get(self, family: str, key: str) -> str:
        """The value in Asterisk's database; AGIDBError if there is none."""
        result, value = self.execute("DATABASE GET", self._quote(family), self._quote(key))["result"]
        if result != "1":
            raise AGIDBError(f"Key not found in database: family={family}, key={key}")
        return value

    def _quote(self, string: object) -> str:
        # encode_command quotes; here it is only noted that an empty argument is meant to be sent.
        return _Kept(string)

    # ---- for the transport ------------------------------------------------------------------------

    def feed(self, data: bytes) -> None:
        """Take what Asterisk sent. Raises RemoteProtocolError when this connection must be given up."""
        events = self._decoder.feed(data)
        if len(events) == 1:
            self._take(events[0])
            return  # as nearly always; what follows guards the rest
        # Asterisk answers once to each command and speaks first once; more at a time was smuggled in, and
        # would be taken for the answer to a command that the script has not even sent.
        if len([event for event in events if not isinstance(event, HungUp)]) > 1:
            raise RemoteProtocolError("more than one answer at a time")
        for event in events:
            self._take(event)

    def lost(self, reason: str) -> None:
        """The connection is gone: a command under way ends as a hang-up, later ones too."""
        self._is_lost = True
        self._hung_up(reason)
        if self._is_asking:
            self._is_asking = False
            wake(self._greenlet, AGISIGPIPEHangup(reason))
        # The transport holds the session; without the way back it goes when it is let go, not at the
        # next collection, which costs a busy switch a tenth of its time.
        self._write = self._close = self._begin = _nowhere

    def run(self, script: Script, ended: Callable[[], object], greenlets: Greenlets) -> None:
        """Run the script in a greenlet; `ended` is called after it. Its errors end with this call."""

        def body() -> None:
            # execute() turns whatever the script raises into a Failure: left alone it would be raised in
            # the parent, which may be another call's script.
            execute(script, self).addErrback(self._script_failed)
            self._greenlet = None
            self._close()
            ended()

        self._greenlet = greenlets.take()
        wake(self._greenlet, body)

    # ---- inside -----------------------------------------------------------------------------------

    def _own_greenlet(self) -> Any:
        current = getcurrent()
        if current is not self._greenlet:
            raise LocalProtocolError("only the session's own script may wait on it")
        if self._is_asking:
            raise LocalProtocolError("an AGI command is under way already")
        return current

    def _take(self, event: AgiEvent) -> None:
        if isinstance(event, Reply):
            if not self._is_asking:
                raise RemoteProtocolError(f"an answer to no command: {event.code}")
            self._is_asking = False
            wake(self._greenlet, event)
        elif isinstance(event, Environment):
            self.environment = event
            self._begin(self)
        else:
            self._hung_up("the channel hung up")

    def _forget_waiter(self, waiter: "Deferred[str]") -> None:
        if waiter in self._hangup_waiters:
            self._hangup_waiters.remove(waiter)

    def _hung_up(self, reason: str) -> None:
        if self._hangup_reason:
            return
        self._hangup_reason = reason
        waiters, self._hangup_waiters = self._hangup_waiters, []
        for waiter in waiters:
            waiter.callback(reason)

    def _script_failed(self, failure: Failure) -> None:
        if isinstance(failure.value, AGIHangup):
            self.log.debug("script ended by hang-up", reason=str(failure.value))
        elif isinstance(failure.value, GreenletExit):
            self.log.debug("script dropped at exit")
        elif isinstance(failure.value, AGIAppError):
            # Nearly every call ends so: Asterisk answers the same either way, and says HANGUP after it.
            self.log.info("the call is gone, or an application failed", error=str(failure.value))
        else:
            self.log.error("script failed", error=failure.getErrorMessage(), traceback=failure.getTraceback())

    def _error_of(self, reply: Reply) -> AGIException:
        match reply.code:
            case 510:
                return AGIInvalidCommand(reply.text)
            case 511:
                self._hung_up("the channel is dead")
                return AGISIGHUPHangup(reply.text)
            case 520:
                return AGIUsageError(reply.text)
            case _:
                return AGIUnknownError(reply.code, "Unhandled code or undefined response")


def _result_of(reply: Reply) -> dict[str, tuple[str, str]]:
    # A variable may hold the word: only with a negative result does it mean a hang-up.
    if reply.result == "-1":
        if reply.data == "hangup":
            raise AGIResultHangup("User hungup during execution")
        raise AGIAppError("Error executing application, or hangup")
    result = {"result": (reply.result, reply.data)}
    for key, value in reply.extra:
        result.setdefault(key, (value, ""))
    return result


def _nowhere(*_: object) -> None:
    """Where a session without a connection writes to."""


class _Kept(str):
    """An argument that is sent even if it is empty; pyst2 leaves out empty ones that it does not quote."""

    __slots__ = ()

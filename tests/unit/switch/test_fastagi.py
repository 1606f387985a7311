"""The FastAGI server: scripts in greenlets, hang-ups, errors that stay with their call, strangers."""

import gc
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import pytest
from agi_line import AgiLine, environment
from asterisk.agi import (
    AGIAppError,
    AGIDBError,
    AGIHangup,
    AGIInvalidCommand,
    AGIResultHangup,
    AGISIGHUPHangup,
    AGISIGPIPEHangup,
    AGIUnknownError,
    AGIUsageError,
)
from greenlet import getcurrent
from structlog.testing import capture_logs
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock

from switch.fastagi import ENVIRONMENT_SECONDS, AgiSession, FastAgiFactory, Refused, Script
from switch.greenlets import GREENLETS_IDLE_MAX
from wire.agi import ENVIRONMENT_BYTES_MAX, Environment
from wire.errors import LocalProtocolError


def serving(script: Script, clock: Clock | None = None, **limits: Any) -> FastAgiFactory:
    return FastAgiFactory(clock or Clock(), lambda environment: script, **limits)


class Doing:
    """A script that does one thing and remembers what came of it."""

    def __init__(self, action: Callable[[AgiSession], object]) -> None:
        self.action = action
        self.result: object = None
        self.error: BaseException | None = None
        self.session: AgiSession

    def __call__(self, agi: AgiSession) -> None:
        self.session = agi
        try:
            self.result = self.action(agi)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test looks at it
            self.error = error


def outcome(action: Callable[[AgiSession], object], *said: bytes) -> Doing:
    doing = Doing(action)
    line = AgiLine(serving(doing))
    line.says(environment())
    for data in said:
        line.says(data)
    return doing


def test_a_script_reads_as_if_it_blocked_and_the_call_is_let_go_when_it_returns() -> None:
    seen = []

    def script(agi: AgiSession) -> None:
        seen.append(agi.get_variable("X"))
        seen.append(agi.get_data("dialback/hello&beep", 0, 16))

    factory = serving(script)
    line = AgiLine(factory)
    line.says(environment())
    assert line.heard() == "GET VARIABLE X\n"
    line.says(b"200 result=1 (v")
    line.says(b"alue)\n")
    assert line.heard() == "GET DATA dialback/hello&beep 0 16\n"
    assert factory.session_count == 1
    line.says(b"200 result=123 (timeout)\n")
    assert seen == ["value", "123"]
    assert not line.is_open
    assert factory.session_count == 0


def test_the_environment_and_its_arguments_reach_the_script() -> None:
    doing = Doing(lambda agi: (agi.environment.arguments, agi.env["agi_uniqueid"]))
    AgiLine(serving(doing)).says(environment("ivr/x", "cb1-a1", "a", "b"))
    assert doing.result == (("a", "b"), "cb1-a1")


def test_route_chooses_the_script_or_refuses() -> None:
    doing = Doing(lambda agi: agi.environment.script)

    def route(environment: Environment) -> Script | Refused:
        return doing if environment.script.startswith("ivr/") else Refused(reason="no such script")

    factory = FastAgiFactory(Clock(), route)
    stranger = AgiLine(factory)
    stranger.says(environment("shell/x"))
    assert not stranger.is_open
    assert stranger.heard() == ""
    AgiLine(factory).says(environment("ivr/x"))
    assert doing.result == "ivr/x"


def test_wait_gives_the_result_of_a_deferred_or_raises_its_failure() -> None:
    due: Deferred[str] = Deferred()
    doing = outcome(lambda agi: agi.wait(due))
    assert doing.result is None
    due.callback("here")
    assert doing.result == "here"
    assert outcome(lambda agi: agi.wait(succeed(7))).result == 7
    failing: Deferred[str] = Deferred()
    doing = outcome(lambda agi: agi.wait(failing))
    failing.errback(KeyError("no"))
    assert isinstance(doing.error, KeyError)


def test_one_script_may_fire_what_another_waits_for_and_both_go_on() -> None:
    due: Deferred[str] = Deferred()
    order = []

    def waiter(agi: AgiSession) -> None:
        order.append(agi.wait(due))
        agi.answer()
        order.append("waiter done")

    def firer(agi: AgiSession) -> None:
        due.callback("fired")
        order.append("firer goes on")
        agi.answer()
        order.append("firer done")

    first, second = AgiLine(serving(waiter)), AgiLine(serving(firer))
    first.says(environment())
    second.says(environment())
    assert order == ["fired", "firer goes on"]
    first.says(b"200 result=0\n")
    second.says(b"200 result=0\n")
    assert order == ["fired", "firer goes on", "waiter done", "firer done"]


def test_a_script_that_fails_when_another_wakes_it_does_not_harm_the_other() -> None:
    due: Deferred[str] = Deferred()

    def waiter(agi: AgiSession) -> None:
        agi.wait(due)
        raise ZeroDivisionError

    firer = Doing(lambda agi: due.callback("x"))
    AgiLine(serving(waiter)).says(environment())
    with capture_logs() as logs:
        AgiLine(serving(firer)).says(environment())
    assert firer.error is None
    assert [entry["event"] for entry in logs] == ["script failed"]


def test_an_error_in_a_script_ends_its_call_only_and_is_logged_with_its_call() -> None:
    def script(agi: AgiSession) -> None:
        if agi.environment.uniqueid == "bad":
            raise ZeroDivisionError("oops")
        agi.answer()

    factory = serving(script)
    good, bad = AgiLine(factory), AgiLine(factory)
    good.says(environment(uniqueid="good"))
    with capture_logs() as logs:
        bad.says(environment("ivr/bad/secret-token", uniqueid="bad"))
    (entry,) = logs
    assert entry["call"] == "bad"
    assert entry["error"] == "oops"
    assert entry["log_level"] == "error"
    assert "secret-token" not in str(entry)
    assert not bad.is_open
    assert good.is_open
    assert good.heard() == "ANSWER\n"


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (b"200 result=-1\n", AGIAppError),
        (b"200 result=-1 (hangup)\n", AGIResultHangup),
        (b"510 Invalid or unknown command\n", AGIInvalidCommand),
        (b"511 Command Not Permitted on a dead channel\n", AGISIGHUPHangup),
        (b"520-Invalid\nUsage\n520 End of proper usage.\n", AGIUsageError),
        (b"520 Invalid command syntax.\n", AGIUsageError),
        (b"503 What\n", AGIUnknownError),
    ],
)
def test_answers_become_pyst2_exceptions(reply: bytes, error: type[Exception]) -> None:
    assert type(outcome(lambda agi: agi.appexec("Wait", "30"), reply).error) is error


def test_a_hang_up_before_the_answer_does_not_eat_the_answer() -> None:
    # Asterisk announces the hang-up, then reads our command, then answers it in dead mode.
    doing = outcome(lambda agi: agi.get_variable("X"), b"HANGUP\n", b"200 result=1 (kept)\n")
    assert doing.result == "kept"


def test_after_a_hang_up_no_command_is_sent() -> None:
    due: Deferred[None] = Deferred()
    doing = Doing(lambda agi: (agi.wait(due), agi.answer()))
    line = AgiLine(serving(doing))
    line.says(environment())
    line.says(b"HANGUP\n")
    due.callback(None)
    assert isinstance(doing.error, AGISIGHUPHangup)
    assert line.heard() == ""


def test_a_lost_connection_ends_the_command_under_way() -> None:
    doing = Doing(lambda agi: agi.appexec("Dial", "PJSIP/441@a,30,gi"))
    factory = serving(doing)
    line = AgiLine(factory)
    line.says(environment())
    line.cut()
    assert isinstance(doing.error, AGISIGPIPEHangup)
    assert factory.session_count == 0


@pytest.mark.parametrize("end", [b"HANGUP\n", b"511 dead\n", None, b"\xff\n"])
def test_on_hangup_fires_once_for_every_way_a_call_ends(end: bytes | None) -> None:
    doing = Doing(lambda agi: agi.answer())
    line = AgiLine(serving(doing))
    line.says(environment())
    reasons: list[str] = []
    doing.session.on_hangup().addCallback(reasons.append)
    cancelled = doing.session.on_hangup()
    cancelled.addErrback(lambda _: None)
    cancelled.cancel()
    if end is None:
        line.cut()
    else:
        line.says(end)
    assert len(reasons) == 1
    assert reasons[0]
    assert doing.session.has_hung_up
    doing.session.on_hangup().addCallback(reasons.append)
    assert len(reasons) == 2


def test_a_hang_up_ends_wait_unless_hung_up_but_not_wait() -> None:
    due: Deferred[None] = Deferred()
    doing = outcome(lambda agi: agi.wait_unless_hung_up(due), b"HANGUP\n")
    assert isinstance(doing.error, AGISIGHUPHangup)
    assert due.called
    still: Deferred[str] = Deferred()
    doing = outcome(lambda agi: agi.wait(still), b"HANGUP\n")
    assert doing.error is None
    still.callback("committed")
    assert doing.result == "committed"
    good: Deferred[int] = Deferred()
    doing = outcome(lambda agi: agi.wait_unless_hung_up(good))
    good.callback(1)
    assert doing.result == 1


def test_only_the_sessions_own_script_may_wait_on_it() -> None:
    doing = Doing(lambda agi: agi.answer())
    AgiLine(serving(doing)).says(environment())
    with pytest.raises(LocalProtocolError):
        doing.session.answer()
    with pytest.raises(LocalProtocolError):
        doing.session.wait(succeed(1))


def test_a_command_that_no_quoting_can_carry_is_not_sent_and_the_session_goes_on() -> None:
    def action(agi: AgiSession) -> str:
        with pytest.raises(LocalProtocolError):
            agi.verbose("a\nEXEC System x")
        return str(agi.get_variable("X"))

    assert outcome(action, b"200 result=1 (ok)\n").result == "ok"


def test_a_value_in_asterisks_database_that_is_missing_is_an_AGIDBError() -> None:
    assert isinstance(outcome(lambda agi: agi.database_get("f", "k"), b"200 result=0\n").error, AGIDBError)
    assert outcome(lambda agi: agi.database_get("f", "k"), b"200 result=1 (v)\n").result == "v"


def test_an_answer_to_no_command_ends_that_call() -> None:
    due: Deferred[None] = Deferred()
    doing = Doing(lambda agi: agi.wait(due))
    line = AgiLine(serving(doing))
    line.says(environment())
    with capture_logs():
        line.says(b"200 result=1\n")
    assert not line.is_open


def test_an_answer_sent_ahead_of_its_command_is_not_believed() -> None:
    doing = Doing(lambda agi: (agi.get_variable("A"), agi.get_variable("B")))
    line = AgiLine(serving(doing))
    line.says(environment())
    line.says(b"200 result=1 (x) y=\n200 result=1 (smuggled)\n")
    assert isinstance(doing.error, AGIHangup)
    assert not line.is_open


def test_when_idle_fires_when_the_last_script_is_over() -> None:
    factory = serving(Doing(lambda agi: agi.answer()))
    assert factory.when_idle().called
    first, second = AgiLine(factory), AgiLine(factory)
    first.says(environment())
    second.says(environment())
    idle = factory.when_idle()
    first.says(b"200 result=0\n")
    assert not idle.called
    second.says(b"200 result=0\n")
    assert idle.called


def test_close_all_ends_every_script_as_a_hang_up() -> None:
    doing = Doing(lambda agi: agi.appexec("Dial", "x"))
    factory = serving(doing)
    line, half = AgiLine(factory), AgiLine(factory)
    line.says(environment())
    factory.close_all()
    assert isinstance(doing.error, AGISIGPIPEHangup)
    assert not line.is_open
    assert not half.is_open
    assert factory.when_idle().called


def test_T23_strangers_are_closed_before_a_byte_is_read() -> None:
    factory = FastAgiFactory(Clock(), lambda _: Refused(reason="x"), allowed_peers={"127.0.0.1"})
    assert AgiLine(factory, host="192.0.2.7").protocol is None
    assert AgiLine(factory, host="127.0.0.1").protocol is not None


def test_T23_the_environment_must_come_within_its_seconds() -> None:
    clock = Clock()
    doing = Doing(lambda agi: agi.answer())
    factory = serving(doing, clock)
    slow, quick = AgiLine(factory), AgiLine(factory)
    slow.says(b"agi_network: yes\n")
    quick.says(environment())
    clock.advance(ENVIRONMENT_SECONDS - 1)
    late = AgiLine(factory)
    clock.advance(1)
    assert not slow.is_open
    assert late.is_open
    clock.advance(ENVIRONMENT_SECONDS)
    assert not late.is_open
    assert quick.is_open
    clock.advance(5 * 3600)  # asterisk-java#274 five_hour_call: a silent Dial is no reason to hang up
    assert quick.is_open
    assert clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    "garbage",
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 1_000_000, b"agi_x: y\n" * 65, b"\n\n", b"x" * 8_193],
)
def test_T23_garbage_closes_its_own_connection_and_others_go_on(garbage: bytes) -> None:
    doing = Doing(lambda agi: agi.get_variable("X"))
    factory = FastAgiFactory(
        Clock(), lambda environment: doing if environment.script else Refused(reason="no script")
    )
    good, bad = AgiLine(factory), AgiLine(factory)
    good.says(environment())
    bad.says(garbage)
    assert not bad.is_open
    assert bad.heard() == ""
    good.says(b"200 result=1 (fine)\n")
    assert doing.result == "fine"


def test_T23_a_client_that_closes_before_the_blank_line_leaves_nothing() -> None:
    clock = Clock()
    factory = serving(Doing(lambda agi: agi.answer()), clock)
    for data in (b"", b"agi_net", b"agi_network: yes\n"):
        line = AgiLine(factory)
        line.says(data)
        line.cut()
    assert factory.unproved_count == 0
    assert factory.session_count == 0
    clock.advance(ENVIRONMENT_SECONDS)
    assert clock.getDelayedCalls() == []


def test_T29_five_thousand_half_open_connections_are_few_and_real_calls_go_on() -> None:
    clock = Clock()
    doing = Doing(lambda agi: agi.get_variable("X"))
    factory = serving(doing, clock, unproved_max=64)
    with capture_logs() as logs:
        half_open = [AgiLine(factory) for _ in range(5_000)]
        real = AgiLine(factory)
        real.says(environment())
    assert factory.unproved_count == 63
    assert sum(line.is_open for line in half_open) == 63
    real.says(b"200 result=1 (fine)\n")
    assert doing.result == "fine"
    assert len(logs) == 1  # no log flood
    assert len(clock.getDelayedCalls()) == 1
    clock.advance(ENVIRONMENT_SECONDS)
    assert factory.unproved_count == 0
    assert clock.getDelayedCalls() == []


def test_more_sessions_than_allowed_are_refused() -> None:
    factory = serving(Doing(lambda agi: agi.answer()), sessions_max=1)
    AgiLine(factory).says(environment())
    assert AgiLine(factory).protocol is None


def test_an_environment_at_its_limits_is_served() -> None:
    doing = Doing(lambda agi: len(agi.environment.get("arg_1")))
    block = environment("ivr", "u", "")[:-2] + b"\n"
    filler = b"agi_arg_9: " + b"x" * (ENVIRONMENT_BYTES_MAX - len(block) - 40) + b"\n\n"
    AgiLine(serving(doing)).says(block + filler)
    assert doing.result == 0


def test_ended_calls_leave_no_session_behind() -> None:
    def living() -> int:
        gc.collect()
        return sum(isinstance(thing, AgiSession) for thing in gc.get_objects())

    before = living()
    factory = serving(Doing(lambda agi: agi.answer()))
    line: AgiLine | None = None
    for _ in range(20):
        line = AgiLine(factory)
        line.says(environment())
        line.says(b"200 result=0\n")
    line = None
    assert living() <= before + 1  # Doing remembers its last session


def test_what_a_call_binds_to_its_context_is_gone_for_the_next_in_the_same_greenlet() -> None:
    bound: ContextVar[str] = ContextVar("bound", default="nothing")
    greenlets, seen = set(), []

    def script(agi: AgiSession) -> None:
        greenlets.add(id(getcurrent()))
        seen.append(bound.get())
        bound.set(agi.environment.uniqueid)
        agi.answer()
        seen.append(bound.get())

    factory = serving(script)
    for call in ("one", "two"):
        line = AgiLine(factory)
        line.says(environment(uniqueid=call))
        line.says(b"200 result=0\n")
    assert seen == ["nothing", "one", "nothing", "two"]
    assert len(greenlets) == 1


def test_a_burst_of_calls_leaves_few_greenlets() -> None:
    factory = serving(Doing(lambda agi: agi.answer()))
    lines = [AgiLine(factory) for _ in range(200)]
    for line in lines:
        line.says(environment())
    for line in lines:
        line.says(b"200 result=0\n")
    assert len(factory.greenlets) == GREENLETS_IDLE_MAX

"""pyst2 0.5.1's faults that AgiSession works round, each pinned on pyst2 itself and on ours.

When one of the first halves fails, pyst2 has mended that fault and the work-around can go.
"""

import importlib
import io
import signal
from collections.abc import Iterator

import pytest
from agi_line import AgiLine, environment
from asterisk.agi import AGI, AGIResultHangup
from twisted.internet.task import Clock

from switch.fastagi import AgiSession, FastAgiFactory


@pytest.fixture(autouse=True)
def sighup_as_before() -> Iterator[None]:
    """pyst2 takes the signal over; give it back."""
    before = signal.getsignal(signal.SIGHUP)
    yield
    signal.signal(signal.SIGHUP, before)


class Ours:
    """One AgiSession and what it sent."""

    def __init__(self, *replies: bytes) -> None:
        self.replies = replies

    def heard(self, call: str, *args: object) -> tuple[str, object]:
        results: list[object] = []

        def script(agi: AgiSession) -> None:
            results.append(getattr(agi, call)(*args))

        line = AgiLine(FastAgiFactory(Clock(), lambda environment: script))
        line.says(environment())
        for reply in self.replies:
            line.says(reply)
        return line.heard(), results[0] if results else None


def pyst2(*replies: str, stderr: io.StringIO | None = None) -> tuple[AGI, io.StringIO]:
    """pyst2's own AGI over text streams."""
    sent = io.StringIO()
    source = io.StringIO("agi_network: yes\n\n" + "".join(replies))
    return AGI(source, sent, stderr or io.StringIO()), sent


def test_it_writes_text_to_streams_of_bytes() -> None:
    agi = AGI(io.BytesIO(b"\n"), io.BytesIO(), io.StringIO())
    with pytest.raises(TypeError):
        agi.answer()
    assert Ours().heard("answer")[0] == "ANSWER\n"  # AgiLine's transport takes bytes only


def test_it_takes_over_sighup() -> None:
    pyst2()
    assert signal.getsignal(signal.SIGHUP) != signal.SIG_DFL
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    Ours().heard("answer")
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_DFL


def test_it_takes_the_line_hangup_for_a_reply() -> None:
    agi, _ = pyst2("HANGUP\n", "200 result=1 (value)\n")
    with pytest.raises(ValueError, match="invalid literal"):
        agi.get_variable("X")
    assert Ours(b"HANGUP\n", b"200 result=1 (value)\n").heard("get_variable", "X")[1] == "value"


def test_it_quotes_nothing() -> None:
    agi, sent = pyst2("200 result=1\n")
    agi.set_variable("X", 'a" "b\nEXEC System x')
    assert sent.getvalue() == 'SET VARIABLE "X" "a" "b\nEXEC System x"\n'  # two commands
    assert Ours().heard("set_variable", "X", 'a" "b\\')[0] == 'SET VARIABLE X "a\\" \\"b\\\\"\n'
    assert Ours().heard("set_variable", "X", "a\nEXEC System x")[0] == ""


def test_it_splits_unquoted_arguments_at_blanks() -> None:
    agi, sent = pyst2("200 result=0\n")
    agi.stream_file("two words")
    assert sent.getvalue() == 'STREAM FILE two words "" 0\n'
    assert Ours().heard("stream_file", "two words")[0] == 'STREAM FILE "two words" "" 0\n'


def test_empty_arguments_go_out_only_where_pyst2_means_them() -> None:
    assert Ours().heard("hangup")[0] == "HANGUP\n"
    assert Ours().heard("channel_status")[0] == "CHANNEL STATUS\n"
    assert Ours().heard("appexec", "NoOp")[0] == 'EXEC NoOp ""\n'


def test_it_logs_every_line_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    log = io.StringIO()
    agi, _ = pyst2("200 result=1234\n", stderr=log)
    agi.get_data("enter-pin")
    assert "1234" in log.getvalue()
    Ours(b"200 result=1234\n").heard("get_data", "enter-pin")
    assert capsys.readouterr() == ("", "")


def test_it_takes_a_variable_that_says_hangup_for_a_hang_up() -> None:
    agi, _ = pyst2("200 result=1 (hangup)\n")
    with pytest.raises(AGIResultHangup):
        agi.execute("GET FULL VARIABLE", '"X"')
    answer = Ours(b"200 result=1 (hangup)\n").heard("execute", "GET FULL VARIABLE", "X")[1]
    assert answer == {"result": ("1", "hangup")}


def test_it_quotes_database_keys_twice() -> None:
    agi, sent = pyst2("200 result=1 (v)\n")
    agi.database_get("family", "key")
    assert sent.getvalue() == 'DATABASE GET ""family"" ""key""\n'
    assert Ours().heard("database_get", "family", "key")[0] == "DATABASE GET family key\n"


def test_its_fastagi_module_does_not_import_on_python_3() -> None:
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module("asterisk.fastagi")


def test_it_never_ends_on_a_usage_block_that_stops() -> None:
    # readline() gives "" for ever at the end of the stream, and the loop waits for "520".
    agi, _ = pyst2("520-Invalid command syntax\n", "520 End of proper usage.\n")
    with pytest.raises(Exception, match="End of proper usage"):
        agi.answer()
    line, result = Ours(b"520-Invalid command syntax\n").heard("answer")
    assert (line, result) == ("ANSWER\n", None)

"""AGI framing and quoting."""

import pytest

from wire.agi import (
    COMMAND_BYTES_MAX,
    ENVIRONMENT_BYTES_MAX,
    ENVIRONMENT_LINES_MAX,
    REPLY_LINE_BYTES_MAX,
    USAGE_LINES_MAX,
    AgiDecoder,
    Environment,
    HungUp,
    Reply,
    encode_command,
)
from wire.errors import LocalProtocolError, RemoteProtocolError

ENVIRONMENT = (
    b"agi_network: yes\nagi_network_script: ivr/cb1-a1/token\nagi_request: agi://h/ivr/cb1-a1/token\n"
    b"agi_channel: PJSIP/carrier-00000001\nagi_uniqueid: cb1-a1\nagi_accountcode: \n"
    b"agi_arg_1: one\nagi_arg_2: two\n\n"
)


def replies_to(*lines: bytes) -> list[object]:
    decoder = AgiDecoder()
    decoder.feed(ENVIRONMENT)
    return list(decoder.feed(b"".join(line + b"\n" for line in lines)))


def test_the_environment_gives_script_channel_and_arguments() -> None:
    (environment,) = AgiDecoder().feed(ENVIRONMENT)
    assert isinstance(environment, Environment)
    assert environment.script == "ivr/cb1-a1/token"
    assert environment.uniqueid == "cb1-a1"
    assert environment.channel == "PJSIP/carrier-00000001"
    assert environment.get("accountcode") == ""
    assert environment.arguments == ("one", "two")
    assert environment.get("never_sent") == ""


def test_the_first_value_of_a_key_counts_and_the_repetition_is_told() -> None:
    (environment,) = AgiDecoder().feed(b"agi_uniqueid: ours\nagi_uniqueid: theirs\n\n")
    assert isinstance(environment, Environment)
    assert environment.uniqueid == "ours"
    assert environment.repeated == ("uniqueid",)


def test_an_environment_line_may_hold_colons_blanks_and_any_byte() -> None:
    (environment,) = AgiDecoder().feed(b"agi_calleridname:  a: \xff b \n\n")
    assert isinstance(environment, Environment)
    assert environment.get("calleridname") == " a: \xff b "


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\n",
        b"agi_x\n",
        b"AGI_x: 1\n",
        b"agi_x: \0\n",
        b"HANGUP\n",
        b"\x16\x03\x01\n",
        b"x" * (ENVIRONMENT_BYTES_MAX + 1),
        b"agi_x: " + b"x" * ENVIRONMENT_BYTES_MAX + b"\n",
        b"".join(b"agi_%d: x\n" % line for line in range(ENVIRONMENT_LINES_MAX + 1)),
        b"agi_a: " + b"x" * 5_000 + b"\nagi_b: " + b"x" * 5_000 + b"\n",
    ],
)
def test_what_is_no_environment_is_refused(garbage: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        AgiDecoder().feed(garbage)


@pytest.mark.parametrize(
    ("line", "result", "data", "extra"),
    [
        (b"200 result=0", "0", "", ()),
        (b"200 result=-1", "-1", "", ()),
        (b"200 result=123 (timeout)", "123", "timeout", ()),
        (b"200 result= (timeout)", "", "timeout", ()),
        (b"200 result=", "", "", ()),
        (b"200 result=*9", "*9", "", ()),
        (b"200 result=1 ()", "1", "", ()),
        (b"200 result=1 (a) result=-1 (b)", "1", "a) result=-1 (b", ()),
        (b"200 result=49 endpos=8000", "49", "", (("endpos", "8000"),)),
        (b"200 result=35 (dtmf) endpos=160", "35", "dtmf", (("endpos", "160"),)),
        (b"200 result=0 Gosub complete", "0", "", ()),
    ],
)
def test_the_forms_of_a_200_reply(line: bytes, result: str, data: str, extra: tuple[object, ...]) -> None:
    (reply,) = replies_to(line)
    assert isinstance(reply, Reply)
    assert (reply.code, reply.result, reply.data, reply.extra) == (200, result, data, extra)


def test_a_provisional_100_is_no_answer() -> None:
    assert len(replies_to(b"100 result=0 Trying...", b"200 result=0 Gosub complete")) == 1


def test_510_and_511_keep_their_sentence() -> None:
    refused, dead = replies_to(
        b"510 Invalid or unknown command",
        b"511 Command Not Permitted on a dead channel or intercept routine",
    )
    assert refused == Reply(code=510, text="Invalid or unknown command")
    assert isinstance(dead, Reply)
    assert dead.code == 511


def test_a_520_block_is_one_reply() -> None:
    block, after = replies_to(
        b"520-Invalid command syntax.  Proper usage follows:",
        b"Usage: EXEC",
        b"HANGUP",
        b"200 result=1 (not an answer)",
        b"",
        b"520 End of proper usage.",
        b"200 result=0",
    )
    assert isinstance(block, Reply)
    assert block.code == 520
    assert "not an answer" in block.text
    assert after == Reply(code=200, result="0", text="result=0")


def test_a_520_without_documentation_is_one_line() -> None:
    (reply,) = replies_to(b"520 Invalid command syntax.  Proper usage not available.")
    assert isinstance(reply, Reply)
    assert reply.code == 520


def test_a_usage_block_without_end_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        replies_to(b"520-x", *[b"y"] * USAGE_LINES_MAX)


def test_the_bare_line_hangup_is_no_reply() -> None:
    assert replies_to(b"HANGUP") == [HungUp()]


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hangup",
        b"HANGUP ",
        b"200",
        b"200 ok",
        b"200 result=1 (a value with a line end",
        b"and its second half)",
        b"20 result=1",
        b"200  result=1",
        b"\xff\xfe",
        b"200 result=1 (" + b"x" * REPLY_LINE_BYTES_MAX + b")",
    ],
)
def test_what_is_no_reply_is_refused(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        replies_to(line)


def test_plain_words_go_out_plain_and_all_others_quoted() -> None:
    assert (
        encode_command("GET", "DATA", "dialback/hello&beep", 0, 16) == b"GET DATA dialback/hello&beep 0 16\n"
    )
    assert encode_command("SET", "VARIABLE", "X", 'a "b" \\') == b'SET VARIABLE X "a \\"b\\" \\\\"\n'
    assert encode_command("EXEC", "NoOp", "") == b'EXEC NoOp ""\n'
    assert encode_command("VERBOSE", "ü$") == '"VERBOSE" "ü$"\n'.replace('"VERBOSE"', "VERBOSE").encode()


@pytest.mark.parametrize(
    "parts",
    [
        (),
        ("VERBOSE", "a\nHANGUP"),
        ("VERBOSE", "a\r"),
        ("VERBOSE", "a\0b"),
        ("VERBOSE", "\udcff"),
        ("VERBOSE", "x" * COMMAND_BYTES_MAX),
        ("VERBOSE", *["x"] * 120),
        ("failure",),
        ("FAILUREs", "x"),
    ],
)
def test_what_no_quoting_can_carry_is_refused(parts: tuple[str, ...]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_command(*parts)

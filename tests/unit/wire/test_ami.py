"""AMI framing, intake and encoding."""

import pytest

from wire.ami import (
    BANNER_BYTES_MAX,
    HEADERS_MAX,
    MESSAGE_BYTES_MAX,
    AmiDecoder,
    Banner,
    Message,
    OriginateVariable,
    encode_action,
)
from wire.errors import LocalProtocolError, RemoteProtocolError

BANNER = b"Asterisk Call Manager/13.0.0\r\n"


def messages(data: bytes, *subscribed: str) -> list[Message]:
    decoder = AmiDecoder(subscribed or None)
    return [found for found in decoder.feed(BANNER + data) if isinstance(found, Message)]


@pytest.mark.parametrize(
    "banner",
    [
        BANNER,
        b"Asterisk Call Manager/2.10.6\r\n",
        b"Asterisk Call Manager/11.0.0\n",
        b"Asterisk Call Manager\r\n",
    ],
)
def test_every_banner_of_asterisk_is_understood(banner: bytes) -> None:
    (found,) = AmiDecoder().feed(banner)
    assert found == Banner(text=banner.decode().strip())


@pytest.mark.parametrize("greeting", [b"SSH-2.0-OpenSSH_9.2\r\n", b"\r\n", b"\xff" * (BANNER_BYTES_MAX + 1)])
def test_something_else_on_the_port_is_refused(greeting: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        AmiDecoder().feed(greeting)


def test_an_event_is_a_mapping_of_its_headers() -> None:
    (event,) = messages(b"Event: Hangup\r\nCause: 16\r\nConnectedLineName:\r\nA:b: c\r\n\r\n")
    assert event.event == "Hangup"
    assert event.response == ""
    assert event["Cause"] == "16"
    assert event.get("Nothing") is None
    assert dict(event) == {"Event": "Hangup", "Cause": "16", "ConnectedLineName": "", "A": "b: c"}


def test_repeated_headers_are_all_kept_and_the_first_counts() -> None:
    (event,) = messages(b"Event: Newstate\r\nChanVariable: a=1\r\nChanVariable: b=2\r\n\r\n")
    assert event["ChanVariable"] == "a=1"
    assert event.all("ChanVariable") == ("a=1", "b=2")


def test_the_output_of_a_command_is_its_lines_in_old_and_new_form() -> None:
    (new,) = messages(b"Response: Success\r\nMessage: x\r\nOutput: 1\r\nOutput: \r\nOutput: a: b\r\n\r\n")
    assert new.output == ("1", "", "a: b")
    (old,) = messages(b"Response: Follows\r\n520-Invalid command\r\n520 End\r\n--END COMMAND--\r\n\r\n")
    assert old.output == ("520-Invalid command", "520 End", "--END COMMAND--")


def test_a_bare_line_feed_is_part_of_the_value() -> None:
    # Originate's "Uniqueid length exceeds maximum of 149\n" is written so by main/manager.c.
    (answer,) = messages(b"Response: Error\r\nMessage: too long 149\n\r\n\r\n")
    assert answer["Message"] == "too long 149"
    (event,) = messages(b"Event: X\r\nValue: a\nEvent: Hangup\r\n\r\n")
    assert event.event == "X"
    assert event["Value"] == "a\nEvent: Hangup"


def test_what_nobody_subscribed_to_is_dropped_but_never_an_answer() -> None:
    found = messages(
        b"Event: RTCPSent\r\nX: 1\r\n\r\nEvent: Hangup\r\nX: 2\r\n\r\nEvent: HangupRequest\r\nX: 3\r\n\r\n"
        b"Event: CoreShowChannel\r\nActionID: 7\r\n\r\nResponse: Success\r\nActionID: 7\r\n\r\n",
        "Hangup",
    )
    assert [message.event or message.response for message in found] == [
        "Hangup",
        "CoreShowChannel",
        "Success",
    ]


def test_empty_lines_too_many_are_skipped() -> None:
    assert len(messages(b"\r\n\r\n\r\nEvent: A\r\n\r\n\r\nEvent: B\r\n\r\n\r\n\r\n")) == 2


def test_a_message_without_end_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        messages(b"Event: X\r\nY: " + b"z" * (MESSAGE_BYTES_MAX + 1))
    with pytest.raises(RemoteProtocolError):
        messages(b"Event: X\r\nY: " + b"z" * MESSAGE_BYTES_MAX + b"\r\n\r\n")


def test_an_action_is_its_headers_and_one_variable_a_header() -> None:
    variables: dict[str, str] = {OriginateVariable.LEG: "cb1-a1", OriginateVariable.ABSOLUTE: "7200"}
    assert encode_action("Originate", {"ActionID": "1", "CallerID": ""}, variables) == (
        b"Action: Originate\r\nActionID: 1\r\nCallerID: \r\n"
        b"Variable: DIALBACK_LEG=cb1-a1\r\nVariable: DIALBACK_ABSOLUTE=7200\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("name", "headers"),
    [
        ("Ping\r\nAction: Command", {}),
        ("", {}),
        ("Hangup", {"Channel": "a\nAction: Command"}),
        ("Hangup", {"Channel": "a\r"}),
        ("Hangup", {"Channel": "a\0b"}),
        ("Hangup", {"Channel": "a\x1b[0m"}),
        ("Hangup", {"Channel": "a\x7f"}),
        ("Hangup", {"Channel": "\udcff"}),
        ("Hangup", {"Channel": " a"}),
        ("Hangup", {"Channel": "x" * 900}),
        ("Hangup", {"Cha\nnnel": "a"}),
        ("Hangup", {"Channel:": "a"}),
        ("Hangup", {"": "a"}),
        ("Hangup", {"Action": "Command"}),
        ("Hangup", {"aCTION": "Command"}),
        ("Hangup", {"Channel": "a", "channel": "b"}),
        ("Originate", {"Variable": "A=1,B=2"}),
        ("Hangup", {f"X{number}": "" for number in range(HEADERS_MAX)}),
    ],
)
def test_headers_that_asterisk_would_read_otherwise_are_refused(name: str, headers: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_action(name, headers)


@pytest.mark.parametrize(
    "variables",
    [
        {"DIALBACK_LEG": "a,b"},
        {"DIALBACK_LEG": "a,SHELL=b"},
        {"DIALBACK_LEG": "${SHELL(id)}"},
        {"DIALBACK_LEG": 'a"b'},
        {"DIALBACK_LEG": "a b"},
        {"DIALBACK_LEG": "٣"},
        {"DIALBACK_LEG": "a\n"},
        {"DIALBACK_LEG": "x" * 900},
        {"SHELL(id)": "1"},
        {"CDR_PROP(disable)": "1"},
        {"dialback_leg": "1"},
    ],
)
def test_T21_only_known_variables_with_plain_values_are_sent(variables: dict[str, str]) -> None:
    with pytest.raises(LocalProtocolError):
        encode_action("Originate", {}, variables)


def test_T21_a_name_that_breaks_out_is_refused_even_when_allowed() -> None:
    with pytest.raises(LocalProtocolError):
        encode_action("Originate", {}, {"A\r\nB": "1"}, allowed_variables=("A\r\nB",))

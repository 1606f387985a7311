"""Orders over the manager interface, against a server that a test plays."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from world.control import Control, OrderRefused

LOGGED_IN = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"


@contextmanager
def server(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    received: list[bytes] = []

    def serve() -> None:
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"Asterisk Call Manager/11.0.0\r\n")
            for answer in answers:
                received.append(b"".join(iter(stream.readline, b"\r\n")))
                connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1], received
        thread.join(5)


def test_an_order_is_sent_with_its_variables_and_answered() -> None:
    with server(LOGGED_IN, b"Event: Other\r\n\r\nResponse: Success\r\nCoreCurrentCalls: 3\r\n\r\n") as (
        port,
        received,
    ):
        control = Control("127.0.0.1", port, "world", "secret")
        answer = control.order("CoreStatus", {"A": "b"}, [("X", "1"), ("Y", "2")])
        control.close()
    assert answer["CoreCurrentCalls"] == "3"
    assert received[1] == b"Action: CoreStatus\r\nA: b\r\nVariable: X=1\r\nVariable: Y=2\r\n"


def test_a_refusal_is_raised_with_its_message() -> None:
    with server(LOGGED_IN, b"Response: Error\r\nMessage: Permission denied\r\n\r\n") as (port, _):
        control = Control("127.0.0.1", port, "world", "secret")
        with pytest.raises(OrderRefused, match="DBPut: Permission denied"):
            control.order("DBPut", {})
        control.close()


@pytest.mark.parametrize("value", ["a\r\nAction: Originate", "a\0b", "x" * 1001])
def test_what_is_not_one_line_is_never_sent(value: str) -> None:
    with server(LOGGED_IN) as (port, _):
        control = Control("127.0.0.1", port, "world", "secret")
        with pytest.raises(OrderRefused, match="not a manager line"):
            control.order("DBPut", {"Val": value})
        control.close()


def test_a_closed_connection_is_an_error_not_a_wait() -> None:
    with server(LOGGED_IN) as (port, _):
        control = Control("127.0.0.1", port, "world", "secret")
    with pytest.raises((OrderRefused, OSError)):
        control.order("CoreStatus", {})
    control.close()

"""Orders to the world's Asterisk over its manager interface, one at a time.

Reads: host, port, secret.
Gives: `order()`, which returns the answer or raises OrderRefused.
Knows nothing of: phones, scripts, events (it asks for none).
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Mapping, Sequence

ANSWER_SECONDS_MAX = 10.0
LINE_BYTES_MAX = 1000
"""manager.c reads lines into 1,025 bytes."""


class OrderRefused(RuntimeError):
    """The world's Asterisk did not do what it was told."""


class Control:
    """A logged-in manager session; may be used from several threads."""

    def __init__(self, host: str, port: int, user: str, secret: str) -> None:
        self._lock = threading.Lock()
        self._socket = socket.create_connection((host, port), timeout=ANSWER_SECONDS_MAX)
        self._stream = self._socket.makefile("rb")
        self._stream.readline()  # the banner
        self.order("Login", {"Username": user, "Secret": secret, "Events": "off"})

    def order(
        self, action: str, headers: Mapping[str, str], variables: Sequence[tuple[str, str]] = ()
    ) -> dict[str, str]:
        """Return the headers of the answer."""
        lines = [f"Action: {action}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Variable: {name}={value}" for name, value in variables]
        for line in lines:
            if any(mark in line for mark in "\r\n\0") or len(line.encode()) > LINE_BYTES_MAX:
                raise OrderRefused(f"{action}: not a manager line: {line[:80]!r}")
        with self._lock:
            self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
            answer = self._read_answer()
        if answer.get("Response") not in {"Success", "Goodbye"}:
            raise OrderRefused(f"{action}: {answer.get('Message', answer)}")
        return answer

    def close(self) -> None:
        """Leave; the session ends with its connection."""
        self._stream.close()
        self._socket.close()

    def _read_answer(self) -> dict[str, str]:
        while True:
            message: dict[str, str] = {}
            while (line := self._stream.readline()) not in (b"\r\n", b""):
                name, _, value = line.decode(errors="replace").rstrip("\r\n").partition(": ")
                message[name] = value
            if "Response" in message:
                return message
            if line == b"":
                raise OrderRefused("the world's Asterisk closed its manager connection")

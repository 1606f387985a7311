"""AMI: what Asterisk's manager interface says, and what may be asked of it.

Reads: bytes of one manager connection, in any chunks.
Gives: the Banner once, then Messages, only those that somebody wants; the bytes of one action.
Knows nothing of: sockets, logins, which answer belongs to which question.

Laws
1. Any chunking of the same bytes gives the same messages, or the same refusal.
2. A message ends at an empty line, a line at CR LF. A bare LF is part of a value: Asterisk writes one
   into a few error texts.
3. An event that nobody subscribed to is dropped by its name alone, unparsed: measured on 2 cores, 600,000
   a second against 106,000 with every event of 20 headers parsed.
4. encode_action gives one message that Asterisk's own get_input and astman_get_header (main/manager.c)
   take apart into exactly the headers given, or it refuses.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from wire.errors import LocalProtocolError, RemoteProtocolError

BANNER_BYTES_MAX = 256
"""Asterisk 22 sends 29 bytes; a longer first line comes from something that is not Asterisk."""
MESSAGE_BYTES_MAX = 4 * 1024 * 1024
"""The longest answer is a Command's output: 4 MiB is `core show channels` with 40,000 of them."""
LINE_BYTES_MAX = 900
"""Asterisk discards an action with a line over 1,024 bytes (mansession_session.inbuf); a margin below."""
HEADERS_MAX = 100
"""Asterisk refuses more than 128 headers (AST_MAX_MANHEADERS); a margin below."""


class OriginateVariable(StrEnum):
    """The channel variables that Dialback sets from outside; no other name is ever sent."""

    LEG = "DIALBACK_LEG"
    TOKEN = "DIALBACK_TOKEN"  # noqa: S105 - the name of a variable
    ABSOLUTE = "DIALBACK_ABSOLUTE"
    FORWARD_CONTEXT = "FORWARD_CONTEXT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Banner:
    """The first line: what answers, and the version of its protocol (not of Asterisk)."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Mapping[str, str]):
    """One event or response: a mapping of its headers, spelled as Asterisk spells them."""

    headers: tuple[tuple[str, str], ...]
    """All of them in order, repeated ones too; a line without a colon has an empty name."""
    fields: Mapping[str, str] = field(compare=False, repr=False)
    """By name; the first of repeated headers counts."""

    def __getitem__(self, name: str) -> str:
        """The first header of that name."""
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        """The names of the headers, each once."""
        return iter(self.fields)

    def __len__(self) -> int:
        """How many names there are."""
        return len(self.fields)

    @property
    def event(self) -> str:
        """The event's name; empty for a response."""
        return self.fields.get("Event", "")

    @property
    def response(self) -> str:
        """Success, Error, Goodbye…; empty for an event."""
        return self.fields.get("Response", "")

    @property
    def action_id(self) -> str:
        """The id of the action that this answers; empty for ordinary events."""
        return self.fields.get("ActionID", "")

    def all(self, name: str) -> tuple[str, ...]:
        """Every header of that name, in order: `Output`, and so on."""
        return tuple(value for header, value in self.headers if header == name)

    @property
    def output(self) -> tuple[str, ...]:
        """The lines of a Command's answer, also those that older versions send without `Output:`."""
        return tuple(value for header, value in self.headers if header in {"Output", ""})


class AmiDecoder:
    """Bytes in, messages out, for one connection; raises RemoteProtocolError when it is no AMI."""

    def __init__(self, subscribed: Collection[str] | None = None) -> None:
        """`subscribed` names the events wanted; None wants all. Answers always come through."""
        self._rest = bytearray()
        self._banner_is_due = True
        self._subscribed = None if subscribed is None else frozenset(name.encode() for name in subscribed)

    def feed(self, data: bytes) -> list[Banner | Message]:
        """The banner and messages that are complete with these bytes; the rest waits."""
        found: list[Banner | Message] = []
        searched = max(0, len(self._rest) - len(_MESSAGE_END) + 1)
        self._rest += data
        if self._banner_is_due:
            banner = self._take_banner()
            if banner is None:
                return found
            found.append(banner)
            searched = 0
        if self._rest.find(_MESSAGE_END, searched) >= 0:
            *blocks, rest = bytes(self._rest).split(_MESSAGE_END)
            self._rest = bytearray(rest)
            for whole in blocks:
                block = whole.lstrip(b"\r\n")  # an empty line too many between two messages
                if len(block) > MESSAGE_BYTES_MAX:
                    raise RemoteProtocolError("a message from AMI without an end")
                if self._is_wanted(block):
                    found.append(_parsed(block))
        if len(self._rest) > MESSAGE_BYTES_MAX + len(_MESSAGE_END):
            raise RemoteProtocolError("a message from AMI without an end")
        return found

    def _take_banner(self) -> Banner | None:
        line, end, rest = bytes(self._rest).partition(b"\n")
        if len(line) > BANNER_BYTES_MAX:
            raise RemoteProtocolError("no banner of an Asterisk manager interface")
        if not end:
            return None
        text = line.decode("latin-1").removesuffix("\r")
        if not text.startswith(_BANNER):
            raise RemoteProtocolError(f"no banner of an Asterisk manager interface: {text[:80]!r}")
        self._rest = bytearray(rest)
        self._banner_is_due = False
        return Banner(text=text)

    def _is_wanted(self, block: bytes) -> bool:
        if self._subscribed is None or not block.startswith(_EVENT):
            return block != b""
        end = block.find(b"\r\n")
        name = block[len(_EVENT) : end if end >= 0 else len(block)]
        # Items of a list come as events that nobody subscribes to, but with the id of the question.
        return name in self._subscribed or _ACTION_ID in block


def encode_action(
    name: str,
    headers: Mapping[str, str] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
    *,
    allowed_variables: Collection[str] = tuple(OriginateVariable),
) -> bytes:
    """One action; each header and variable arrives exactly as given.

    Raises LocalProtocolError for anything that Asterisk would read differently: control bytes, a name
    given twice, long lines, many headers, commas and other separators in variables.
    """
    if _HEADER_NAME.fullmatch(name) is None:
        raise LocalProtocolError(f"no name of an AMI action: {name[:40]!r}")
    if len(headers) + len(variables) + 1 > HEADERS_MAX:
        raise LocalProtocolError(f"more than {HEADERS_MAX} headers in one AMI action")
    lines = [b"Action: " + name.encode()]
    lines += _header_lines(headers)
    lines += _variable_lines(variables, allowed_variables)
    return b"\r\n".join(lines) + _MESSAGE_END


def _header_lines(headers: Mapping[str, str]) -> Iterator[bytes]:
    seen = {"action", "variable"}  # Variable has its own, stricter way
    for name, value in headers.items():
        if _HEADER_NAME.fullmatch(name) is None:
            raise LocalProtocolError(f"no name of an AMI header: {name[:40]!r}")
        if name.lower() in seen:
            raise LocalProtocolError(f"the AMI header {name} may not be given here, or not twice")
        seen.add(name.lower())
        if _CONTROL.search(value):
            raise LocalProtocolError(f"a control byte in the AMI header {name}")
        if value.startswith(" "):
            # astman_get_header skips leading blanks: Asterisk would read another value.
            raise LocalProtocolError(f"the AMI header {name} begins with a blank")
        try:
            line = f"{name}: {value}".encode()
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"the AMI header {name} is no valid text") from error
        if len(line) > LINE_BYTES_MAX:
            raise LocalProtocolError(f"the AMI header {name} is over {LINE_BYTES_MAX} bytes")
        yield line


def _variable_lines(variables: Mapping[str, str], allowed: Collection[str]) -> Iterator[bytes]:
    for name, value in variables.items():
        # fullmatch too: a set of allowed names from elsewhere is no reason to send a bad one.
        if name not in allowed or _VARIABLE_NAME.fullmatch(name) is None:
            raise LocalProtocolError(f"the channel variable {name[:40]!r} may not be set from outside")
        # man_do_variable_value splits at commas and takes quotes and backslashes for its own.
        if _VARIABLE_VALUE.fullmatch(value) is None:
            raise LocalProtocolError(f"the channel variable {name} has a character that AMI would take apart")
        line = f"Variable: {name}={value}".encode()
        if len(line) > LINE_BYTES_MAX:
            raise LocalProtocolError(f"the channel variable {name} is over {LINE_BYTES_MAX} bytes")
        yield line


def _parsed(block: bytes) -> Message:
    headers: list[tuple[str, str]] = []
    fields: dict[str, str] = {}
    for line in block.decode("latin-1").split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon:
            name, value = "", line
        value = value.strip(" \n")
        headers.append((name, value))
        fields.setdefault(name, value)
    return Message(headers=tuple(headers), fields=MappingProxyType(fields))


_MESSAGE_END = b"\r\n\r\n"
_BANNER = "Asterisk Call Manager"
_EVENT = b"Event: "
_ACTION_ID = b"\r\nActionID: "
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]{0,63}")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9_.:+-]*")

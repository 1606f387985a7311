"""AGI: what Asterisk tells a script, and what a script may say back.

Reads: bytes of one FastAGI connection, in any chunks.
Gives: an Environment once, then Replies and HungUp; the bytes of one command.
Knows nothing of: sockets, scripts, channels.

Laws
1. Any chunking of the same bytes gives the same values, or the same refusal.
2. encode_command gives one line that Asterisk's own parse_args (res/res_agi.c) takes apart into exactly
   the parts given, or it refuses.
3. After a RemoteProtocolError the connection cannot be trusted: a line that slipped in could answer the
   next command.
4. Text from Asterisk is read as latin-1, which no byte breaks and which gives each byte back; a command
   goes out as UTF-8, Asterisk's own text.
"""

import re
from dataclasses import dataclass

from wire.errors import LocalProtocolError, RemoteProtocolError

ENVIRONMENT_LINES_MAX = 64
"""Asterisk sends 22 lines and one for each argument (setup_env); 64 leaves room for 40 arguments."""
ENVIRONMENT_BYTES_MAX = 8_192
"""Dialplan substitutes at most 4,096 bytes into AGI's arguments (pbx.c, VAR_BUF_SIZE); twice that."""
REPLY_LINE_BYTES_MAX = 8_192
"""The longest line that Asterisk itself reads (AGI_BUF_LEN); no variable of ours is near it."""
USAGE_LINES_MAX = 512
"""A 520 block carries the command's documentation; the longest in Asterisk 22 is about 100 lines."""
USAGE_BYTES_MAX = 32_768
"""The same block in bytes."""
COMMAND_BYTES_MAX = 2_000
"""Asterisk before 22.6.0 reads 2,048 bytes and takes the tail of a longer line as the next command."""
COMMAND_PARTS_MAX = 120
"""Asterisk keeps 127 parts (MAX_ARGS) and checks that only for parts without quotes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What Asterisk says of the call before the first command; the first value of a key counts."""

    text: str
    """The lines, checked, each with its line end; read on demand, since few of them are ever asked for."""

    def get(self, key: str, default: str = "") -> str:
        """The value of a key named without `agi_`; `default` when Asterisk did not send it."""
        start = f"agi_{key}:"
        at = 0 if self.text.startswith(start) else self.text.find("\n" + start) + 1
        if at == 0 and not self.text.startswith(start):
            return default
        return self.text[at + len(start) : self.text.index("\n", at)].removeprefix(" ")

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """All keys without `agi_` and their values, in order, none twice."""
        found: dict[str, str] = {}
        for key, value in _ENVIRONMENT_LINE.findall(self.text):
            found.setdefault(key, value)
        return tuple(found.items())

    @property
    def repeated(self) -> tuple[str, ...]:
        """Keys that came again: with Asterisk alone this cannot be, so somebody smuggled a line in."""
        keys = [key for key, _ in _ENVIRONMENT_LINE.findall(self.text)]
        return tuple(key for number, key in enumerate(keys) if key in keys[:number])

    @property
    def script(self) -> str:
        """The path of the AGI URL, without the leading slash."""
        return self.get("network_script")

    @property
    def uniqueid(self) -> str:
        """The channel's Uniqueid: on an A leg our own leg id."""
        return self.get("uniqueid")

    @property
    def channel(self) -> str:
        """The channel's name."""
        return self.get("channel")

    @property
    def arguments(self) -> tuple[str, ...]:
        """The arguments that the dialplan gave AGI() after the URL, in order; a gap ends them."""
        found: list[str] = []
        while (value := self.get(f"arg_{len(found) + 1}", default="\n")) != "\n":  # no value can be that
            found.append(value)
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Asterisk's answer to one command: `200 result=1 (data) endpos=80`, `511 …`, or a 520 block."""

    code: int
    result: str = ""
    """After `result=`: digits keyed, a status, or empty."""
    data: str = ""
    """Inside the parentheses: a variable's value, `timeout`, `hangup`."""
    extra: tuple[tuple[str, str], ...] = ()
    """Further `key=value` words, such as endpos."""
    text: str = ""
    """All that came after the code, as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HungUp:
    """The bare line HANGUP: the channel is down; no answer to any command."""


AgiEvent = Environment | Reply | HungUp


class AgiDecoder:
    """Bytes in, values out, for one connection; raises RemoteProtocolError on anything else."""

    def __init__(self) -> None:
        self._rest = b""
        self._in_environment = True
        self._bytes = 0
        self._environment = ""
        self._usage: list[str] | None = None

    def feed(self, data: bytes) -> list[AgiEvent]:
        """The values that are complete with these bytes; the rest waits for the next feed."""
        data = self._rest + data
        # Nearly always one whole, plain reply: this is the way of every command of every call.
        plain = None if self._in_environment or self._usage is not None else _PLAIN_REPLY.fullmatch(data)
        if plain is not None and len(data) <= REPLY_LINE_BYTES_MAX:
            self._rest = b""
            result, inside = plain.groups(b"")
            text = data[4:-1].decode("latin-1")
            return [Reply(code=200, result=result.decode(), data=inside.decode("latin-1"), text=text)]
        events: list[AgiEvent] = []
        if self._in_environment:
            environment, data = self._take_environment(data)
            if environment is None:
                self._rest = data
                return events
            events.append(environment)
        lines = data.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            event = self._line(line)
            if event is not None:
                events.append(event)
        _check_length(self._rest, REPLY_LINE_BYTES_MAX)
        return events

    def _take_environment(self, data: bytes) -> tuple[Environment | None, bytes]:
        """The environment, if it ends here, and the bytes not used yet. All whole lines are read at once."""
        ends = data.startswith((b"\n", b"\r\n"))
        blank = _BLANK_LINE.search(data)
        size = 0 if ends else blank.start() + 1 if blank else data.rfind(b"\n") + 1
        self._bytes += size
        if self._bytes > ENVIRONMENT_BYTES_MAX:
            raise RemoteProtocolError(f"more than {ENVIRONMENT_BYTES_MAX} bytes of environment")
        self._environment += _checked_environment(data[:size])
        if self._environment.count("\n") > ENVIRONMENT_LINES_MAX:
            raise RemoteProtocolError(f"more than {ENVIRONMENT_LINES_MAX} environment lines")
        rest = data[size:]
        if ends or blank:
            self._in_environment = False
            found = Environment(text=self._environment)
            self._environment = ""
            return found, rest[rest.index(b"\n") + 1 :]
        _check_length(rest, ENVIRONMENT_BYTES_MAX - self._bytes)
        return None, rest

    def _line(self, line: bytes) -> AgiEvent | None:
        _check_length(line, REPLY_LINE_BYTES_MAX)
        if b"\0" in line:
            raise RemoteProtocolError("a NUL byte in a line from Asterisk")
        text = line.decode("latin-1").removesuffix("\r")
        if self._usage is not None:
            return self._usage_line(text)
        return self._reply_line(text)

    def _reply_line(self, text: str) -> AgiEvent | None:
        if text.startswith("200 "):
            return _parsed_result(text[4:])
        if text == "HANGUP":
            return HungUp()
        found = _REPLY_LINE.fullmatch(text)
        if found is None:
            raise RemoteProtocolError(f"no reply line: {text[:80]!r}")
        code, mark, words = found.groups()
        if code == "100":
            return None  # provisional: Gosub says "Trying" and answers when it is done (app_stack.c)
        if mark == "-":
            self._usage = [text]
            self._bytes = len(text)
            return None
        return Reply(code=int(code), text=words)

    def _usage_line(self, text: str) -> Reply | None:
        assert self._usage is not None
        self._usage.append(text)
        self._bytes += len(text)
        if len(self._usage) > USAGE_LINES_MAX or self._bytes > USAGE_BYTES_MAX:
            raise RemoteProtocolError("a usage block without an end")
        code = self._usage[0][:3]
        if not text.startswith(code + " "):
            return None
        reply = Reply(code=int(code), text="\n".join(self._usage))
        self._usage = None
        return reply


def encode_command(*parts: object) -> bytes:
    """One command line; each part arrives as exactly one word, whatever is in it.

    Raises LocalProtocolError for what no quoting can carry: LF, CR, NUL, too many or too long parts.
    """
    if not parts:
        raise LocalProtocolError("an AGI command needs at least one part")
    if len(parts) > COMMAND_PARTS_MAX:
        raise LocalProtocolError(f"{len(parts)} parts in one AGI command; {COMMAND_PARTS_MAX} are allowed")
    text = " ".join(map(str, parts))
    if text.count(" ") != len(parts) - 1 or not _PLAIN_LINE.fullmatch(text):
        text = " ".join(_quoted(str(part)) for part in parts)
    if text[:7].lower() == "failure":
        # run_agi takes a line that begins so for "the script could not be started" and ends AGI.
        raise LocalProtocolError("an AGI command may not begin with 'failure'")
    try:
        line = text.encode() + b"\n"
    except UnicodeEncodeError as error:
        raise LocalProtocolError("a part of an AGI command is no valid text") from error
    if len(line) > COMMAND_BYTES_MAX:
        raise LocalProtocolError(f"an AGI command of {len(line)} bytes; {COMMAND_BYTES_MAX} are allowed")
    return line


def _check_length(line: bytes, limit: int) -> None:
    if len(line) > limit:
        raise RemoteProtocolError(f"a line of {len(line)} bytes or more where {limit} are allowed")


def _checked_environment(lines: bytes) -> str:
    """Whole environment lines as text with plain line ends."""
    text = lines.decode("latin-1").replace("\r\n", "\n")
    if _ENVIRONMENT_LINES.fullmatch(text) is None:
        raise RemoteProtocolError(f"no environment: {text[:80]!r}")
    return text


def _quoted(part: str) -> str:
    """The part as parse_args reads it back; plain words stay plain, so that traces are readable."""
    if _PLAIN_WORD.fullmatch(part):
        return part
    if _UNSENDABLE.search(part):
        raise LocalProtocolError("a part of an AGI command holds a line end or a NUL byte")
    return '"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parsed_result(words: str) -> Reply:
    """`result=…`, then perhaps `(data)`, then perhaps `key=value` words.

    Data ends at the last parenthesis of the line: a variable's value may hold `) result=1 (` and must
    not be read as part of the reply. A parenthesis without an end is a value with a line end inside; what
    follows would be taken for the answer to the next command, so it is refused.
    """
    found = _RESULT.fullmatch(words) or _RESULT_IN_WORDS.fullmatch(words)
    if found is None:
        raise RemoteProtocolError(f"no result in a 200 reply: {words[:80]!r}")
    result, data, tail = found.groups()
    extra: tuple[tuple[str, str], ...] = ()
    if tail:
        words_of_tail = (word.partition("=") for word in tail.split())
        extra = tuple((key, value) for key, equals, value in words_of_tail if equals)
    return Reply(code=200, result=result, data=data or "", extra=extra, text=words)


_BLANK_LINE = re.compile(rb"\n(?=\r?\n)")
_ENVIRONMENT_LINE = re.compile(r"^agi_([a-z0-9_]{1,64}): ?(.*)$", re.MULTILINE)
_ENVIRONMENT_LINES = re.compile(r"(?:agi_[a-z0-9_]{1,64}:[^\n\0]*\n)*+")
_PLAIN_REPLY = re.compile(rb"200 result=([0-9*#A-D-]*)(?: \(([^\n\0]*)\))?\n")
_REPLY_LINE = re.compile(r"([1-9][0-9]{2})([ -])(.*)", re.DOTALL)
_RESULT = re.compile(r"result=([^\s(]*)(?: \((.*)\))?((?: [a-z]+[0-9]*=[^()]*)?)", re.DOTALL)
_RESULT_IN_WORDS = re.compile(r"result=([^\s(]*)()( [A-Za-z ]*)")  # Gosub: "result=0 Gosub complete"
_PLAIN_WORD = re.compile(r"[A-Za-z0-9_./:@+=&,*#-]+")
_PLAIN_LINE = re.compile(rf"{_PLAIN_WORD.pattern}(?: {_PLAIN_WORD.pattern})*")
_UNSENDABLE = re.compile(r"[\n\r\0]")

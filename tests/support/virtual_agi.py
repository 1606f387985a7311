"""Asterisk's end of AGI sessions, in virtual time: an A-leg's dialog, and a trigger that rings.

Reads: AGI command lines of the switch; keys and hang-ups from the exchange.
Gives: the answers that Asterisk gives, when Asterisk gives them. Sounds last no time.
Knows nothing of: callbacks, what is said.
"""

import shlex
from collections.abc import Callable
from typing import Any, Protocol
from urllib.parse import quote

from agi_line import AgiLine, environment
from twisted.internet.interfaces import IDelayedCall
from twisted.internet.task import Clock


class AgiPeer(Protocol):
    """An AGI session that the exchange keeps going."""

    def poll(self) -> bool:
        """Do what the script asked for; whether it asked for anything."""

    def cut(self) -> None:
        """Asterisk is gone."""

    def orphan(self) -> None:
        """The switch is gone."""


class Exchange(Protocol):
    """What a session needs of the exchange (virtual_pbx.py)."""

    clock: Clock
    connect: Callable[[bytes], AgiLine] | None
    sessions: list[AgiPeer]

    def dial(self, caller: Any, arguments: str) -> Any:
        """Make a B-leg's channel."""

    def end(self, channel: Any, cause: int) -> None:
        """Let a channel go."""


class AgiEnd:
    """Asterisk's end of the AGI session on an answered A-leg; sounds last no time."""

    def __init__(self, pbx: Exchange, channel: Any) -> None:
        self._pbx = pbx
        self._channel = channel
        self._variables: dict[str, str] = {}
        self._timer: IDelayedCall | None = None
        self._running = ""
        self._text = ""
        self._max_digits = 0
        self._keyed = ""
        self._callee: Any = None
        self._is_orphan = False
        self._line: AgiLine | None = None

    def connect(self) -> None:
        """Run the dialplan's AGI line; with nobody there it goes on at once."""
        self._pbx.sessions.append(self)
        if self._pbx.connect is not None:
            leg_id = self._channel.leg_id
            self._line = self._pbx.connect(environment(f"ivr/{leg_id}/{self._channel.token}", leg_id))
        self._look()

    def keys(self, keys: str) -> None:
        """Keys reach what runs: Read takes them, Dial looks for the in-call key, else they are lost."""
        for each in keys:
            if self._running == "Read":
                self._read(each)
            elif self._running == "Dial":
                self._keyed += each
                ends = self._variables.get("FEATUREMAP(disconnect)", "")
                if ends and self._keyed.endswith(ends) and self._callee is not None:
                    self._pbx.end(self._callee, 16)

    def dial_over(self, status: str) -> None:
        """Dial returns."""
        self._variables["DIALSTATUS"] = status
        self._callee = None
        self._over("200 result=0")

    def hung_up(self) -> None:
        """The channel goes: whatever runs ends with -1, then Asterisk says so."""
        if self._running == "Read":
            self._variables["READSTATUS"] = "HANGUP"
        self._over("200 result=-1")
        self._says("HANGUP\n")
        self._close()

    def cut(self) -> None:
        """Asterisk is gone."""
        self._running = ""
        self._close()

    def orphan(self) -> None:
        """The switch is gone."""
        self._line, self._is_orphan = None, True
        if not self._running:
            self._dialplan_goes_on()

    def poll(self) -> bool:
        """Do what the script asked for; whether it asked for anything."""
        asked = self._line.heard() if self._line is not None else ""
        for line in asked.splitlines():
            self._do(shlex.split(line))
        self._look()
        return bool(asked)

    def _do(self, words: list[str]) -> None:
        assert not self._running, f"{words} while {self._running} runs"
        match words:
            case _ if not self._channel.is_live:
                self._says("511 Command Not Permitted on a dead channel or intercept routine\n")
            case ["SET", "VARIABLE", name, value]:
                self._variables[name] = value
                self._says("200 result=1\n")
            case ["GET", "VARIABLE", name]:
                self._says(f"200 result=1 ({self._variables.get(name, '')})\n")
            case ["GET", "FULL", "VARIABLE", "${READSTATUS}:${DIALBACK_KEYS}"]:
                self._says(f"200 result=1 ({self._variables['READSTATUS']}:{self._text})\n")
            case ["EXEC", "Playback", _]:
                self._says("200 result=0\n")
            case ["EXEC", "Read", options]:
                self._running, self._text = "Read", ""
                self._channel.heard.append(options.split(",")[1])
                self._max_digits = int(options.split(",")[2])
                self._wait("response")
            case ["EXEC", "Dial", options]:
                self._running, self._keyed = "Dial", ""
                self._callee = self._pbx.dial(self._channel, options)
            case _:
                raise AssertionError(f"an AGI command that no table foresees: {words}")

    def _read(self, key: str) -> None:
        if key == "#":
            self._read_over("OK")
            return
        self._text += key
        if len(self._text) >= self._max_digits:
            self._read_over("OK")
        else:
            self._wait("digit")

    def _wait(self, which: str) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        seconds = float(self._variables[f"TIMEOUT({which})"])
        self._timer = self._pbx.clock.callLater(seconds, self._read_over, "TIMEOUT")

    def _read_over(self, status: str) -> None:
        self._variables["READSTATUS"] = status
        self._over("200 result=0")

    def _over(self, reply: str) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if not self._running:
            return
        self._running = ""
        if self._is_orphan:
            self._dialplan_goes_on()
        else:
            self._says(f"{reply}\n")

    def _says(self, text: str) -> None:
        if self._line is not None and self._line.is_open:
            self._line.says(text.encode())

    def _look(self) -> None:
        """When the script has closed, the dialplan goes on to its Hangup()."""
        has_closed = self._line is None or not self._line.is_open
        if has_closed and not self._is_orphan and not self._running:
            self._dialplan_goes_on()

    def _dialplan_goes_on(self) -> None:
        if self in self._pbx.sessions:
            self._pbx.sessions.remove(self)
        if self._channel.is_live:
            self._channel.session = None
            self._pbx.end(self._channel, 16)

    def _close(self) -> None:
        if self in self._pbx.sessions:
            self._pbx.sessions.remove(self)
        if self._line is not None and self._line.is_open:
            self._line.cut()


class TriggerEnd:
    """A trigger that rings: the caller hangs up, or the script ends and the dialplan does."""

    def __init__(self, pbx: Exchange, *, site_token: str, did: str, caller: str, trunk: str) -> None:
        self._pbx = pbx
        self._timer: IDelayedCall | None = None
        self._line: AgiLine | None = None
        self.is_ringing = True
        if pbx.connect is not None:
            pres = "allowed_not_screened" if caller else "prohib"
            words = [quote(word, safe="") for word in (caller, "", pres, "", trunk)]
            block = environment(f"trigger/{site_token}", f"ring.{did}", *words)
            self._line = pbx.connect(block[:-1] + f"agi_extension: {did}\n\n".encode())
        pbx.sessions.append(self)

    def stop_ringing(self) -> None:
        """The caller hangs up."""
        self.is_ringing = False
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
            self._says("200 result=-1\n")
        self._says("HANGUP\n")
        self.cut()

    def poll(self) -> bool:
        """The script only waits."""
        asked = self._line.heard() if self._line is not None else ""
        for line in asked.splitlines():
            words = shlex.split(line)
            assert words[:2] == ["EXEC", "Wait"], words
            self._timer = self._pbx.clock.callLater(float(words[2]), self._says, "200 result=0\n")
        if self._line is not None and not self._line.is_open:
            self.is_ringing = False
            self.cut()
        return bool(asked)

    def cut(self) -> None:
        """It is over."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self in self._pbx.sessions:
            self._pbx.sessions.remove(self)
        if self._line is not None and self._line.is_open:
            self._line.cut()

    def orphan(self) -> None:
        """The dialplan hangs the trigger up."""
        self._line, self.is_ringing = None, False
        self.cut()

    def _says(self, text: str) -> None:
        if self._line is not None and self._line.is_open:
            self._line.says(text.encode())

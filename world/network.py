"""The world outside the switch: carriers, phones and callers on a second real Asterisk.

Reads: an Installation, a folder, where the switch under test listens, which carriers there are.
Gives: phones that behave as told, callers that ring, the phones' own log of what happened.
Knows nothing of: Dialback; any SIP switch can be rung by it.
"""

from __future__ import annotations

import itertools
import os
import secrets
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pbx.installation import Installation
from pbx.process import Asterisk
from world.configuration import LOG_NAME, Carrier, Line, NetworkRefused, Plan, Softphone, configuration_files
from world.control import Control, OrderRefused
from world.log import PhoneCall, read_calls, select
from world.ports import free_port, free_rtp_range
from world.scripts import Call, Step, cause_for, compile_script
from world.sip import Heard, Invitation, RingingLine

LOOPBACK = "127.0.9.{}"
"""Each carrier has its own loopback address: a switch knows its trunks by the address they call from."""
POLL_SECONDS = 0.02


class NeverHappened(AssertionError):
    """What was waited for did not happen in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierControl:
    """One carrier of a running world."""

    world: World
    line: Line

    @property
    def name(self) -> str:
        return self.line.carrier.name

    @property
    def address(self) -> tuple[str, int]:
        """Where the switch's trunk sends its calls, and from where this carrier's calls come (host)."""
        return self.line.host, self.line.port

    def fails(self, sip_code: int = 503) -> None:
        """Refuse every call from now on, whatever phone it is for."""
        self.world.control.order(
            "DBPut", {"Family": "carrier", "Key": self.name, "Val": str(cause_for(sip_code))}
        )

    def congested(self) -> None:
        """503 to every call from now on."""
        self.fails(503)

    def works(self) -> None:
        """Let calls through again."""
        self.world.control.order("DBPut", {"Family": "carrier", "Key": self.name, "Val": ""})

    def goes_dark(self) -> None:
        """Listen no more at this carrier's address: calls to it get no answer of any kind."""
        self.world.listen(self.name, on=False)

    def comes_back(self) -> None:
        """Listen again."""
        self.world.listen(self.name, on=True)


class World:
    """Start it, give it phones, ring the switch, read the phones' log, stop it.

    >>> with World(installation, folder, switch_sip=("127.0.0.1", 5060), carriers=("alpha", "beta")) as world:
    ...     world.phone("+442079460101", Answers(after=5), Keys("61255500123#", after=2), TalksUntilHungUp())
    ...     world.rings(did="+12025550111", caller="+442079460101", seconds=5)
    """

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        *,
        switch_sip: tuple[str, int],
        carriers: Iterable[str | Carrier] = ("alpha",),
        softphone: Softphone | None = None,
        verbose: bool = False,
    ) -> None:
        self.folder = folder.absolute()
        self.switch_sip = switch_sip
        self.asterisk = Asterisk(installation, self.folder)
        self.lines = _lines(carriers)
        self._installation = installation
        self._softphone = softphone
        self._verbose = verbose
        self._control: Control | None = None
        self._script_ids = itertools.count(1)
        self._log_start = 0
        self._plan: Plan | None = None

    # --- life ---------------------------------------------------------------------------------------

    def start(self) -> None:
        """Return once calls can be made."""
        layout = self.asterisk.layout
        layout.prepare(self._installation)
        self._recordings.mkdir(exist_ok=True)
        ami_port, secret = free_port(), secrets.token_hex(16)
        rtp_start, rtp_end = free_rtp_range(self.lines[0].host, os.getpid())
        self._plan = Plan(
            directories=layout.directories(self._installation),
            lines=self.lines,
            switch_host=self.switch_sip[0],
            switch_port=self.switch_sip[1],
            ami_port=ami_port,
            ami_secret=secret,
            rtp_start=rtp_start,
            rtp_end=rtp_end,
            softphone=self._softphone,
            verbose=self._verbose,
        )
        for name, text in configuration_files(self._plan).items():
            (layout.etc / name).write_text(text)
        try:
            self.asterisk.start()
            self.asterisk.wait_until_ready()
            self._control = Control("127.0.0.1", ami_port, "world", secret)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every call and the Asterisk; quiet if it runs no more."""
        if self._control is not None:
            self._control.close()
            self._control = None
        self.asterisk.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def reset(self) -> None:
        """Forget phones, failures and past calls, for the next test; calls still up are hung up."""
        self.asterisk.command("channel request hangup all")
        self.quiet(seconds=10)
        for family in ("phone", "turn", "script", "carrier", "sign"):
            self._forget(family)
        self._log_start = self._log.stat().st_size if self._log.exists() else 0

    # --- what there is ------------------------------------------------------------------------------

    def carrier(self, name: str) -> CarrierControl:
        """Return the carrier of that name."""
        for line in self.lines:
            if line.carrier.name == name:
                return CarrierControl(world=self, line=line)
        raise NetworkRefused(f"no carrier {name!r}; there are {[line.carrier.name for line in self.lines]}")

    def phone(self, number: str, *steps: Step) -> None:
        """From its next call on, the phone at `number` plays these steps, at every call."""
        self.phone_in_turn(number, steps)

    def phone_in_turn(self, number: str, *scripts: Iterable[Step]) -> None:
        """First call, first script; second call, second script; the last one stays."""
        if not scripts:
            raise NetworkRefused(f"phone {number}: no script")
        digits = _digits(number)
        names = [self._store_script(tuple(script)) for script in scripts]
        # The turn first: a call between the two orders still finds the old scripts, from their start.
        self.control.order("DBPut", {"Family": "turn", "Key": digits, "Val": "0"})
        self.control.order("DBPut", {"Family": "phone", "Key": digits, "Val": "-".join(names)})

    def gives(self, sign: str) -> None:
        """Let every phone go on that Awaits this sign, now or later, until the next reset."""
        self.control.order("DBPut", {"Family": "sign", "Key": sign, "Val": "1"})

    def listen(self, carrier: str, *, on: bool) -> None:
        """Open or close a carrier's port. Calls that are up keep their sound, but hear no BYE meanwhile."""
        if self._plan is None:
            raise NetworkRefused("the world is not started")
        # pjproject cannot drop a transport that is in use, but it can move one: to a port nobody knows.
        moved = self._plan.moved(carrier, None if on else free_port(self.carrier(carrier).line.host))
        self._plan = moved
        (self.asterisk.layout.etc / "pjsip.conf").write_text(configuration_files(moved)["pjsip.conf"])
        self.asterisk.command("module reload res_pjsip.so")

    # --- what callers do ----------------------------------------------------------------------------

    def rings(
        self,
        *,
        did: str,
        caller: str | bytes | None,
        seconds: float = 5,
        through: str | None = None,
        name: str | bytes = b"",
        headers: tuple[bytes, ...] = (),
    ) -> Heard:
        """Ring the switch, hang up after `seconds`, and return what was heard."""
        return self.starts_ringing(
            did=did, caller=caller, seconds=seconds, through=through, name=name, headers=headers
        ).heard()

    def starts_ringing(
        self,
        *,
        did: str,
        caller: str | bytes | None,
        seconds: float = 5,
        through: str | None = None,
        name: str | bytes = b"",
        headers: tuple[bytes, ...] = (),
    ) -> RingingLine:
        """The same without waiting; `.heard()` waits, `.hang_up()` gives up early."""
        line = self.carrier(through).line if through else self.lines[0]
        invitation = Invitation(number=did, caller=caller, caller_name=name, headers=headers)
        return RingingLine(invitation, to=self.switch_sip, from_host=line.host, seconds=seconds)

    def dials(
        self,
        number: str,
        *steps: Step,
        caller: str,
        through: str | None = None,
        ring_seconds: float = 30,
    ) -> None:
        """Call the switch from a real phone; once answered it plays `steps`. Does not wait."""
        line = self.carrier(through).line if through else self.lines[0]
        self.control.order(
            "Originate",
            {
                "Channel": f"PJSIP/{number}@{line.carrier.name}",
                "Context": "play",
                "Exten": "s",
                "Priority": "1",
                "CallerID": f'"" <{caller}>',
                "Account": _digits(caller),
                "Timeout": str(round(ring_seconds * 1000)),
                "Async": "true",
            },
            [("SCRIPT", self._store_script(steps))],
        )

    # --- what happened ------------------------------------------------------------------------------

    def calls(
        self, number: str | None = None, *, carrier: str | None = None, incoming: bool | None = None
    ) -> list[PhoneCall]:
        """Return the phones' own log since the start or the last reset, in order of invitation."""
        try:
            with self._log.open("rb") as log:
                log.seek(self._log_start)
                text = log.read().decode(errors="surrogateescape")
        except FileNotFoundError:
            return []
        digits = _digits(number) if number else None
        return select(read_calls(text), number=digits, carrier=carrier, incoming=incoming)

    def originations(self, number: str, *, carrier: str | None = None) -> int:
        """Return how many INVITEs for that number came to the network, refused ones too."""
        return len(self.calls(number, carrier=carrier, incoming=True))

    def wait_for(self, condition: Callable[[], bool], seconds: float, what: str = "it") -> None:
        """Return as soon as `condition` holds; raise NeverHappened with the log if it does not."""
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                lines = "\n".join(map(str, self.calls()))
                raise NeverHappened(f"{what} did not happen within {seconds:g} s. The phones' log:\n{lines}")
            time.sleep(POLL_SECONDS)

    def wait_for_call(
        self, number: str, *, seconds: float = 30, count: int = 1, incoming: bool = True
    ) -> PhoneCall:
        """Return the `count`-th call to that number (or by it, if not incoming) once it is over."""

        def over() -> bool:
            calls = self.calls(number, incoming=incoming)
            return len(calls) >= count and calls[count - 1].over

        self.wait_for(over, seconds, f"the end of call {count} of {number}")
        return self.calls(number, incoming=incoming)[count - 1]

    def quiet(self, seconds: float = 30) -> None:
        """Return once no call is up."""
        self.wait_for(lambda: self.live_channels() == 0, seconds, "quiet")

    def live_channels(self) -> int:
        """Return how many channels the world's Asterisk has now."""
        return int(self.control.order("CoreStatus", {})["CoreCurrentCalls"])

    def complaints(self) -> list[str]:
        """Return the warnings and errors that the world's Asterisk wrote."""
        path = self.asterisk.layout.log / "messages.log"
        lines = path.read_text(errors="replace").splitlines() if path.exists() else []
        return [line for line in lines if " WARNING[" in line or " ERROR[" in line]

    @property
    def control(self) -> Control:
        """The manager session of the running world."""
        if self._control is None:
            raise NetworkRefused("the world is not started")
        return self._control

    @property
    def _log(self) -> Path:
        return self.asterisk.layout.events.with_name(LOG_NAME)

    @property
    def _recordings(self) -> Path:
        return self.folder / "recordings"

    def _forget(self, family: str) -> None:
        with suppress(OrderRefused):  # "Database entry not found": nothing was there
            self.control.order("DBDelTree", {"Family": family})

    def _store_script(self, steps: Iterable[Step]) -> str:
        name = str(next(self._script_ids))
        lines = compile_script(tuple(steps), Call(recordings=self._recordings))
        for number, line in enumerate(lines, start=1):
            self.control.order("DBPut", {"Family": f"script/{name}", "Key": str(number), "Val": line})
        return name


def _lines(carriers: Iterable[str | Carrier]) -> tuple[Line, ...]:
    lines = []
    for index, named in enumerate(carriers, start=1):
        host = LOOPBACK.format(index)
        carrier = Carrier(name=named) if isinstance(named, str) else named
        lines.append(Line(carrier=carrier, host=host, port=free_port(host)))
    names = [line.carrier.name for line in lines]
    if not names or len(set(names)) < len(names):
        raise NetworkRefused(f"carriers need names of their own: {names}")
    return tuple(lines)


def _digits(number: str) -> str:
    return "".join(character for character in number if character in "0123456789")

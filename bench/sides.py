"""The two things that bin/bench calls compares: Dialback, and an Asterisk that does the same without it.

Reads: an Installation of Asterisk, where the subscribers and destinations are.
Gives: running systems that turn wishes into calls, their processes, when each wish was made.
Knows nothing of: how fast, how many, what is measured.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import tomlkit
from pydantic import SecretStr

import settings as configuration
from bench import office
from bench.processes import Process
from pbx.bringup import bring_up, set_up
from pbx.installation import Installation
from pbx.process import Asterisk
from pbx.settings import PbxSettings, TrunkSettings
from store.database import Database
from store.upgrade import upgrade
from switch.settings import AgiSettings, AmiSettings
from world.ports import free_port, free_rtp_range
from world.sipp import Load, Sipp

HOST = "127.0.0.1"
NEAR_HOST, FAR_HOST = "127.0.20.1", "127.0.20.2"
RTP_PORTS = 3_000
"""Four ports for a call: 750 at once."""
READY_SECONDS_MAX = 30.0
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
RING_MILLISECONDS = 500
LAG_REPORT_SECONDS = 5
ROOT = Path(__file__).resolve().parents[1]

BARE_DIALPLAN = f"""\
[general]
static=yes
writeprotect=yes
autofallthrough=yes

; A trigger rings until its caller hangs up; nobody hears of it.
[dialback-trigger]
exten => _+X!,1,Ringing()
 same => n,Wait(30)
 same => n,Hangup(17)
exten => _X!,1,Goto(+${{EXTEN}},1)

; What Originate leads to: the same prompts, the same keys, the same options of Dial.
[bare]
exten => s,1,Set(TIMEOUT(absolute)=7200)
 same => n,Answer()
 same => n,Set(TIMEOUT(response)=15)
 same => n,Set(TIMEOUT(digit)=5)
 same => n,Read(KEYS,dialback/welcome&dialback/enter-number,32,,1)
 same => n,Set(CALLERID(num)={office.DID})
 same => n,Set(CALLERID(num-pres)=allowed)
 same => n,Dial(PJSIP/${{KEYS:2}}@{office.FAR},60,giL(7000000))
 same => n,Hangup()

[dialback-nowhere]
"""


class SideFailed(RuntimeError):
    """A system under test did not start, or refused work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Where SIPp plays the subscribers and the destinations."""

    near: tuple[str, int]
    far: tuple[str, int]

    @classmethod
    def free(cls) -> "Lines":
        """Ports that nobody has."""
        return cls(near=(NEAR_HOST, free_port(NEAR_HOST)), far=(FAR_HOST, free_port(FAR_HOST)))

    def trunks(self) -> tuple[TrunkSettings, ...]:
        """The trunks to them."""
        places = {office.NEAR: (self.near, "GB"), office.FAR: (self.far, "AU")}
        return tuple(
            TrunkSettings(name=name, host=place[0], port=place[1], match=(place[0],), country=country)
            for name, (place, country) in places.items()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What was asked of a side: when, by number; and the SIPp that rang, if one did."""

    at: dict[str, datetime]
    rung: Load | None


class Dialback:
    """Asterisk and the switch, as `dialback serve` runs them."""

    name = "Dialback"

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        lines: Lines,
        *,
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        """Nothing runs before start(). `python` runs the switch: a profiler may stand in for it."""
        folder.mkdir(parents=True)
        self.folder = folder
        self._python = python
        self._installation = installation
        self.config = folder / "switch.toml"
        self._sip_port = free_port()
        self._write_config(lines)
        self._settings = configuration.load(self.config)
        self.database = Database(self._settings.database.url)
        self._asterisk: Asterisk | None = None
        self._switch: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns when calls can be made."""
        upgrade(self._settings.database.url)
        office.open_office(self.database)
        self._asterisk = bring_up(self._settings, self._installation)
        self.start_switch()

    def stop(self) -> None:
        """End everything that was started."""
        self.stop_switch()
        if self._asterisk is not None:
            self._asterisk.stop()
        self.database.close()

    def start_switch(self) -> None:
        """Start the switch as a process of its own."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        command = [
            *self._python,
            "-m",
            "cli",
            "--config",
            str(self.config),
            "serve",
            "--ready-file",
            str(ready),
        ]
        with self.log.open("ab") as log:
            self._switch = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
            )
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not ready.exists():
            if self._switch.poll() is not None or time.monotonic() > deadline:
                raise SideFailed(f"the switch did not get ready:\n{self.log.read_text()[-2000:]}")
            time.sleep(POLL_SECONDS)

    def stop_switch(self) -> None:
        """Two signals end it at once."""
        if self._switch is None:
            return
        for _ in range(2):
            self._switch.send_signal(signal.SIGTERM)
            time.sleep(POLL_SECONDS)
        self._switch.wait(STOP_SECONDS_MAX)
        self._switch = None

    @property
    def log(self) -> Path:
        """What the switch wrote."""
        return self.folder / "switch.log"

    @property
    def processes(self) -> dict[str, Process]:
        """Whose cost is counted."""
        assert self._switch is not None
        return {"Asterisk": _process_of(self._asterisk), "switch": Process(pid=self._switch.pid)}

    def wish(self, sipp: Sipp, numbers: Sequence[str], per_second: float) -> Wishes:
        """Ring the DID once for each number; a wish is made when the ring ends."""
        load = _ring(sipp, (HOST, self._sip_port), numbers, per_second)
        load.wait(len(numbers) / per_second + READY_SECONDS_MAX)
        at = {f"+{each.number}": each.at for each in load.moments() if each.what == "HUNG_UP"}
        return Wishes(at=at, rung=load)

    def hang_up(self) -> None:
        """End whatever calls a load has left behind."""
        _hang_up(self._asterisk)

    def renew(self) -> None:
        """Start Asterisk and the switch anew."""
        assert self._asterisk is not None
        self._asterisk.stop()
        self.stop_switch()
        self._asterisk = bring_up(self._settings, self._installation)
        self.start_switch()

    def lag_lines(self) -> list[dict[str, Any]]:
        """What the switch said of its reactor's lateness so far, a line for each period."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines() if '"reactor.lag"' in line]
        return [line for line in lines if line["samples"] >= LAG_REPORT_SECONDS * 40]

    def _write_config(self, lines: Lines) -> None:
        rtp_start, rtp_end = free_rtp_range(HOST, os.getpid(), RTP_PORTS)
        tables = {
            "database": {"url": "sqlite:///dialback.db"},
            "pbx": {
                "folder": "pbx",
                "sip_port": self._sip_port,
                "rtp_start": rtp_start,
                "rtp_end": rtp_end,
            },
            "agi": {"port": free_port(), "secret": secrets.token_hex(16)},
            "ami": {"port": free_port(), "secret": secrets.token_hex(16)},
            "web": {"port": free_port()},
            "switch": {"guard_seconds": 0, "lag_report_seconds": LAG_REPORT_SECONDS},
            "log": {"format": "json", "level": "info"},
        }
        trunks = [
            trunk.model_dump(include={"name", "host", "port", "match", "country"}) for trunk in lines.trunks()
        ]
        self.config.write_text(tomlkit.dumps({**tables, "trunks": trunks}))
        self.config.chmod(0o600)


@dataclass(frozen=True, slots=True, kw_only=True)
class _BareSettings:
    pbx: PbxSettings
    trunks: Sequence[TrunkSettings]
    agi: AgiSettings
    ami: AmiSettings


class Bare:
    """The same Asterisk with a dialplan of its own; a small AMI client says whom to call."""

    def __init__(self, installation: Installation, folder: Path, lines: Lines, *, is_rung: bool) -> None:
        """`is_rung`: it also gets the rings that Dialback gets, and lets them pass."""
        self.name = "bare Asterisk, rung too" if is_rung else "bare Asterisk"
        self._is_rung = is_rung
        self._installation = installation
        rtp_start, rtp_end = free_rtp_range(HOST, os.getpid() + 1 + is_rung, RTP_PORTS)
        self._settings = _BareSettings(
            pbx=PbxSettings(folder=folder, sip_port=free_port(), rtp_start=rtp_start, rtp_end=rtp_end),
            trunks=lines.trunks(),
            agi=AgiSettings(port=free_port(), secret=SecretStr(secrets.token_hex(16))),
            ami=AmiSettings(port=free_port(), secret=SecretStr(secrets.token_hex(16))),
        )
        self._asterisk: Asterisk | None = None
        self._client: _Originator | None = None

    def start(self) -> None:
        """Returns when calls can be made."""
        self._asterisk = set_up(self._settings, self._installation)
        etc = self._asterisk.layout.etc
        (etc / "extensions.conf").write_text(BARE_DIALPLAN)
        (etc / "cel.conf").write_text("[general]\nenable=no\n")
        self._asterisk.start()
        self._asterisk.wait_until_ready()
        self._client = _Originator(self._settings.ami)

    def stop(self) -> None:
        """End everything that was started."""
        if self._client is not None:
            self._client.close()
        if self._asterisk is not None:
            self._asterisk.stop()

    @property
    def processes(self) -> dict[str, Process]:
        """Whose cost is counted."""
        return {"Asterisk": _process_of(self._asterisk)}

    def wish(self, sipp: Sipp, numbers: Sequence[str], per_second: float) -> Wishes:
        """Originate a call to each number at that pace."""
        assert self._client is not None
        place = (HOST, self._settings.pbx.sip_port)
        load = _ring(sipp, place, numbers, per_second) if self._is_rung else None
        started = time.monotonic()
        at = {}
        for index, number in enumerate(numbers):
            time.sleep(max(0.0, started + index / per_second - time.monotonic()))
            at[number] = datetime.now(UTC)
            self._client.originate(number)
        if load is not None:
            load.wait(READY_SECONDS_MAX)
        return Wishes(at=at, rung=load)

    def hang_up(self) -> None:
        """End whatever calls a load has left behind."""
        _hang_up(self._asterisk)

    def renew(self) -> None:
        """Start Asterisk anew."""
        self.stop()
        self.start()


Side = Dialback | Bare


class _Originator:
    """A login to AMI that wants no events."""

    def __init__(self, ami: AmiSettings) -> None:
        self._socket = socket.create_connection((ami.host, ami.port), timeout=5)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._send("Login", Username=ami.user, Secret=ami.secret.get_secret_value(), Events="off")
        time.sleep(1)
        self._read()

    def originate(self, number: str) -> None:
        self._send(
            "Originate",
            Channel=f"PJSIP/{number[1:]}@{office.NEAR}",
            Context="bare",
            Exten="s",
            Priority="1",
            Timeout="45000",
            CallerID=office.DID,
            Async="true",
        )
        self._read()

    def close(self) -> None:
        self._socket.close()

    def _send(self, action: str, **headers: str) -> None:
        lines = [f"Action: {action}", *(f"{name}: {value}" for name, value in headers.items())]
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())

    def _read(self) -> None:
        self._socket.settimeout(0)
        try:
            said = self._socket.recv(65_536)
        except BlockingIOError:
            return
        finally:
            self._socket.settimeout(5)
        if b"Response: Error" in said or not said:
            raise SideFailed(f"the bare Asterisk refused: {said!r}")


def _ring(sipp: Sipp, place: tuple[str, int], numbers: Sequence[str], per_second: float) -> Load:
    rings = [(number, office.DID) for number in numbers]
    return sipp.callers(rings, to=place, host=NEAR_HOST, ring_ms=RING_MILLISECONDS, per_second=per_second)


def _hang_up(asterisk: Asterisk | None) -> None:
    assert asterisk is not None
    asterisk.command("channel request hangup all")


def _process_of(asterisk: Asterisk | None) -> Process:
    assert asterisk is not None
    pid = asterisk.pid
    assert pid is not None
    return Process(pid=pid)

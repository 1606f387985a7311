"""A whole telephone system on one machine: our Asterisk, the switch, and the world around them.

Reads: an Installation of Asterisk, a folder of its own, what the carriers are called.
Gives: Stage: starts, kills, restarts and stops each part; used by the demo, the tests and the benchmarks.
Knows nothing of: customers, calls, prices.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import tomlkit

import settings as configuration
from pbx.bringup import set_up
from pbx.installation import Installation
from pbx.process import Asterisk
from store.database import Database
from store.upgrade import upgrade
from world.configuration import Softphone
from world.network import World
from world.ports import free_port, free_rtp_range

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 60.0
POLL_SECONDS = 0.05
ROOT = Path(__file__).resolve().parents[1]
SWITCH = (sys.executable, "-m", "cli")


class StageFailed(RuntimeError):
    """A part of the stage did not do what was asked of it; its log says why."""


class Stage:
    """One system. `with Stage(…) as stage:` starts everything and leaves nothing behind."""

    def __init__(
        self,
        installation: Installation,
        folder: Path,
        *,
        carriers: Iterable[str] = ("alpha", "beta"),
        country: str = "GB",
        overrides: Mapping[str, Mapping[str, Any]] | None = None,
        softphone: Softphone | None = None,
        trunks: Iterable[Mapping[str, Any]] = (),
    ) -> None:
        """`overrides` are keys by section of switch.toml, such as {"switch": {"guard_seconds": 1}}.

        `trunks` are further tables of [[trunks]], for carriers outside the world.
        """
        self.folder = folder.absolute()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config = self.folder / "switch.toml"
        self._installation = installation
        sip_port = free_port()
        self.world = World(
            installation,
            self.folder / "world",
            switch_sip=("127.0.0.1", sip_port),
            carriers=carriers,
            softphone=softphone,
        )
        self._write_config(sip_port, country, overrides or {}, trunks)
        self.settings = configuration.load(self.config)
        self.asterisk: Asterisk | None = None
        self._switch: subprocess.Popen[bytes] | None = None

    # life

    def start(self) -> None:
        """Start everything; returns when calls can be made."""
        upgrade(self.settings.database.url)
        self.start_asterisk()
        self.world.start()
        self.start_switch()

    def stop(self) -> None:
        """End everything that was started, the switch first."""
        try:
            self.stop_switch()
        finally:
            try:
                self.world.stop()
            finally:
                if self.asterisk is not None:
                    self.asterisk.stop()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # its parts

    def start_asterisk(self) -> None:
        """Start our Asterisk, with its configuration written anew."""
        self.asterisk = set_up(self.settings, self._installation)
        self.asterisk.start()
        self.asterisk.wait_until_ready()

    def kill_asterisk(self) -> None:
        """Kill -9, as a crash would."""
        assert self.asterisk is not None
        self.asterisk.crash()

    def start_switch(self, *options: str, wait: bool = True) -> None:
        """Start the switch as a process of its own; waits until it says that it is ready."""
        ready = self.folder / "ready"
        ready.unlink(missing_ok=True)
        with self.switch_log.open("ab") as log:
            self._switch = subprocess.Popen(
                [*SWITCH, "--config", str(self.config), "serve", "--ready-file", str(ready), *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=ROOT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        if wait:
            self._wait_until_ready(ready)

    def kill_switch(self) -> None:
        """Kill -9, as a crash would."""
        if self._switch is not None:
            self._switch.kill()
            self._switch.wait()
            self._switch = None

    def signal_switch(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._switch is not None
        self._switch.send_signal(number)

    def wait_for_switch_to_end(self, seconds: float) -> int:
        """Its exit code; subprocess.TimeoutExpired if it does not end in time."""
        assert self._switch is not None
        code = self._switch.wait(seconds)
        self._switch = None
        return code

    def stop_switch(self) -> None:
        """Stop it at once: two signals, then kill."""
        if self._switch is None or self._switch.poll() is not None:
            self._switch = None
            return
        for _ in range(2):
            self._switch.send_signal(signal.SIGTERM)
            time.sleep(POLL_SECONDS)
        try:
            self._switch.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._switch.kill()
            self._switch.wait()
        self._switch = None

    @property
    def switch_pid(self) -> int | None:
        """The switch's process id; None if it does not run."""
        return self._switch.pid if self._switch is not None and self._switch.poll() is None else None

    @property
    def switch_log(self) -> Path:
        """What the switch wrote."""
        return self.folder / "switch.log"

    def database(self) -> Database:
        """The switch's database, for this process to read and write; close it after use."""
        return Database(self.settings.database.url)

    def _wait_until_ready(self, ready: Path) -> None:
        assert self._switch is not None
        deadline = time.monotonic() + READY_SECONDS_MAX
        while not ready.exists():
            if self._switch.poll() is not None:
                raise StageFailed(f"the switch ended with code {self._switch.returncode}:\n{self.log_tail()}")
            if time.monotonic() > deadline:
                raise StageFailed(
                    f"the switch was not ready in {READY_SECONDS_MAX:.0f} s:\n{self.log_tail()}"
                )
            time.sleep(POLL_SECONDS)

    def channels(self) -> list[str]:
        """The channels that our Asterisk has now, a line each."""
        if self.asterisk is None or self.asterisk.pid is None:
            return []
        return [
            line for line in self.asterisk.command("core show channels concise").splitlines() if "!" in line
        ]

    def log_tail(self) -> str:
        """The last lines of the switch's log."""
        text = self.switch_log.read_text(errors="replace") if self.switch_log.exists() else ""
        return "\n".join(text.splitlines()[-20:])

    def _write_config(
        self,
        sip_port: int,
        country: str,
        overrides: Mapping[str, Mapping[str, Any]],
        further: Iterable[Mapping[str, Any]],
    ) -> None:
        rtp_start, rtp_end = free_rtp_range("127.0.0.1", os.getpid() + 7)
        agi_port, ami_port, web_port = free_port(), free_port(), free_port()
        tables: dict[str, dict[str, Any]] = {
            "database": {"url": "sqlite:///dialback.db"},
            "pbx": {"folder": "pbx", "sip_port": sip_port, "rtp_start": rtp_start, "rtp_end": rtp_end},
            "agi": {"port": agi_port, "secret": secrets.token_hex(16)},
            "ami": {"port": ami_port, "secret": secrets.token_hex(16)},
            "web": {"port": web_port},
            "log": {"format": "json", "level": "info"},
        }
        for section, values in overrides.items():
            tables.setdefault(section, {}).update(values)
        trunks = [
            {
                "name": line.carrier.name,
                "host": line.host,
                "port": line.port,
                "match": [line.host],
                "country": country,
            }
            for line in self.world.lines
        ]
        trunks += [dict(trunk) for trunk in further]
        document = tomlkit.document()
        for section, values in tables.items():
            document.add(section, tomlkit.item(values))
        document.add("trunks", tomlkit.item(trunks))
        self.config.write_text(tomlkit.dumps(document))
        self.config.chmod(0o600)

"""One running Asterisk: start, wait until ready, command, stop, crash.

Reads: an Installation, a folder whose etc/ is written already.
Gives: control of the process, also of one that an earlier run started (by its pid file).
Knows nothing of: what the configuration says.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

from pbx.errors import AlreadyRunning, CommandFailed, NotRunning, StartFailed
from pbx.installation import Installation
from pbx.layout import Layout

READY_SECONDS_MAX = 60.0
STOP_SECONDS_MAX = 10.0
COMMAND_SECONDS_MAX = 20.0
POLL_SECONDS = 0.05
CONSOLE_TAIL_CHARACTERS = 600


class Asterisk:
    """The Asterisk of one folder."""

    def __init__(self, installation: Installation, folder: Path) -> None:
        self.installation = installation
        self.layout = Layout(folder.absolute())
        self._spawned: int | None = None

    @property
    def pid(self) -> int | None:
        """The process id of this folder's Asterisk, whoever started it; None if none runs."""
        if self._spawned is not None:
            return self._spawned if self._is_alive(self._spawned) else None
        try:
            pid = int(self.layout.pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if self._is_ours(pid) else None

    def start(self) -> None:
        """Start in a process group of its own, so that our terminal's Ctrl-C does not reach it."""
        if self.pid is not None:
            raise AlreadyRunning(
                f"an Asterisk runs in {self.layout.folder} already (pid {self.pid})", "Stop it first"
            )
        if not self.layout.main_file.is_file():
            raise StartFailed(f"{self.layout.main_file} is missing", "Write the configuration first")
        self.layout.pid_file.unlink(missing_ok=True)
        console = str(self.layout.console)
        # Not Popen, which complains of a child that outlives it: `dialback pbx up` leaves it running.
        self._spawned = os.posix_spawn(
            "/bin/sh",
            # -f: stay in the foreground, so that the process spawned is the server itself; -n: no colours
            [
                *("sh", "-c", 'umask 077 && cd "$1" && shift && exec "$@"', "sh", str(self.layout.folder)),
                *(*self.installation.asterisk, "-n", "-f", "-C", str(self.layout.main_file)),
            ],
            _environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, console, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )

    def wait_until_ready(self, seconds_max: float = READY_SECONDS_MAX) -> None:
        """Return once every module is loaded; raise StartFailed with the console's last lines."""
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if self._spawned is not None and self.pid is None:
                raise StartFailed(
                    "Asterisk ended while starting",
                    f"Its last lines in {self.layout.console}: {self.console_tail()}",
                )
            done = self._remote("core waitfullybooted", max(deadline - time.monotonic(), 1.0))
            if done is not None and "fully booted" in done.stdout:
                return
            time.sleep(POLL_SECONDS)
        tail = self.console_tail()
        self.stop()
        raise StartFailed(
            f"Asterisk did not become ready within {seconds_max:.0f} s",
            f"Its last lines in {self.layout.console}: {tail}",
        )

    def command(self, line: str) -> str:
        """Return what the console command `line` prints."""
        if self.pid is None:
            raise NotRunning(f"no Asterisk runs in {self.layout.folder}", "Start it first")
        done = self._remote(line, COMMAND_SECONDS_MAX)
        if done is None or done.returncode != 0:
            raise CommandFailed(f"Asterisk did not take {line!r}", f"See {self.layout.log / 'messages.log'}")
        return done.stdout

    def stop(self) -> None:
        """End it: `core stop now`, then SIGTERM, then SIGKILL. Quiet if none runs."""
        pid = self.pid
        if pid is None:
            return
        self._remote("core stop now", STOP_SECONDS_MAX)
        for number in (None, signal.SIGTERM, signal.SIGKILL):
            if number is not None:
                _signal(pid, number)
            if self._gone(pid, STOP_SECONDS_MAX):
                break
        self._spawned = None

    def crash(self) -> None:
        """Kill it as a power cut would: nothing is flushed, nobody is told."""
        pid = self.pid
        if pid is None:
            raise NotRunning(f"no Asterisk runs in {self.layout.folder}", "Start it first")
        _signal(pid, signal.SIGKILL)
        self._gone(pid, STOP_SECONDS_MAX)
        self._spawned = None

    def console_tail(self) -> str:
        """Return the end of what Asterisk wrote to its terminal, in one line."""
        try:
            text = self.layout.console.read_text(errors="replace")
        except OSError:
            return "(nothing written)"
        return " | ".join(text[-CONSOLE_TAIL_CHARACTERS:].split("\n")).strip(" |")

    def _remote(self, line: str, seconds_max: float) -> subprocess.CompletedProcess[str] | None:
        try:
            return subprocess.run(
                [*self.installation.asterisk, "-n", "-C", str(self.layout.main_file), "-rx", line],
                check=False,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds_max,
                stdin=subprocess.DEVNULL,
                env=_environment(),
            )
        except subprocess.TimeoutExpired:
            return None

    def _is_alive(self, pid: int) -> bool:
        try:
            ended, _ = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # another process started it, or has taken its exit code
            return self._is_ours(pid)
        return ended == 0

    def _is_ours(self, pid: int) -> bool:
        """A pid file outlives its process, and the number may be another's by now."""
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return os.fsencode(self.layout.main_file) in words and not _is_zombie(pid)

    def _gone(self, pid: int, seconds_max: float) -> bool:
        deadline = time.monotonic() + seconds_max
        while time.monotonic() < deadline:
            if not self._is_alive(pid):
                return True
            time.sleep(POLL_SECONDS)
        return False


def _environment() -> dict[str, str]:
    """A fixed environment: no colours, no locale, nothing of the operator's shell."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TZ") if name in os.environ}
    return {**kept, "LC_ALL": "C.UTF-8", "TERM": "dumb"}


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _is_zombie(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True
    return stat.rpartition(")")[2].split()[0] == "Z"

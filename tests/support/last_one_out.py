"""Whatever a test run has started ends with the run, also with one that is killed.

Reads: folders, a line each, from the run; their end is the run's end.
Gives: ends_with_us(folder): what works in that folder then, or names it when it is started, is killed;
    a folder in memory is removed.
Knows nothing of: what those processes are.

Fixtures stop what they have started. But Asterisk, switch and PostgreSQL live in sessions of their own, and a
run that ends by SIGKILL stops nothing: each such run would leave a telephone system behind. So a process sits
beside each run and does nothing but wait until its pipe closes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path

MEMORY = Path("/dev/shm")
"""What lies there takes memory until it is removed, so that is done as well."""
ROUNDS_MAX = 50
"""What is just being started, or is started by what ends, shows itself in the next round."""


def ends_with_us(folder: Path) -> None:
    """Let everything in that folder end when this process does."""
    pipe = _watcher().stdin
    assert pipe is not None
    pipe.write(f"{folder.resolve()}\n".encode())
    pipe.flush()


@cache
def _watcher() -> subprocess.Popen[bytes]:
    # In a session of its own, so that whoever kills our process group leaves it alive for its work.
    return subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, start_new_session=True)


def _end_all(folders: Sequence[str]) -> None:
    for _ in range(ROUNDS_MAX):
        found = list(_living_in(folders))
        if not found:
            return
        for pid in found:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _living_in(folders: Sequence[str]) -> Iterator[int]:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            place = str((process / "cwd").readlink())
            words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it has ended, or is a zombie and waits to be taken notice of
        if int(process.name) != os.getpid() and any(_is_in(folder, place, words) for folder in folders):
            yield int(process.name)


def _is_in(folder: str, place: str, words: Sequence[str]) -> bool:
    return f"{place}/".startswith(f"{folder}/") or any(f"{folder}/" in word for word in words)


if __name__ == "__main__":
    ours = [line.strip() for line in sys.stdin]
    _end_all(ours)
    for left in ours:
        if Path(left).is_relative_to(MEMORY):
            shutil.rmtree(left, ignore_errors=True)

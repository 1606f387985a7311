"""A test run that is killed leaves nothing behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from last_one_out import ends_with_us

SUPPORT = Path(ends_with_us.__code__.co_filename).parent
RUN = """
import subprocess, sys
from pathlib import Path
from last_one_out import ends_with_us
folder = Path(sys.argv[1])
ends_with_us(folder)
wait = [sys.executable, "-c", "import time; time.sleep(600)"]
inside = subprocess.Popen(wait, cwd=folder, start_new_session=True)
naming = subprocess.Popen([*wait, str(folder / "switch.toml")], start_new_session=True)
beside = subprocess.Popen([*wait, f"{folder}2"], start_new_session=True)
print(inside.pid, naming.pid, beside.pid, flush=True)
sys.stdin.read()
"""
SECONDS_MAX = 60


def lives(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_what_a_killed_run_has_started_in_its_folder_ends_and_nothing_else(tmp_path: Path) -> None:
    run = subprocess.Popen(
        [sys.executable, "-c", RUN, str(tmp_path.resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(SUPPORT)},
    )
    with run:
        assert run.stdout is not None
        inside, naming, beside = (int(pid) for pid in run.stdout.readline().split())
        try:
            assert lives(inside)
            assert lives(naming)
            run.kill()
            run.wait()
            deadline = time.monotonic() + SECONDS_MAX
            while lives(inside) or lives(naming):
                assert time.monotonic() < deadline
                time.sleep(0.01)
            assert lives(beside)
        finally:
            os.kill(beside, signal.SIGKILL)

"""What a process costs, as the benchmarks tell it."""

import subprocess
import sys

from bench.processes import Process, children


def test_the_memory_of_a_command_is_its_own_and_not_that_of_whoever_started_it() -> None:
    ballast = bytearray(b"\1" * 200 * 2**20)
    command = subprocess.Popen([sys.executable, "-Sc", "input()"], stdin=subprocess.PIPE)
    try:
        assert command.stdin is not None
        assert Process(pid=command.pid) in children()
        command.stdin.write(b"\n")
        assert 0 < Process(pid=command.pid).peak_bytes() < len(ballast) // 2
    finally:
        command.communicate()
    assert Process(pid=command.pid).peak_bytes() == 0

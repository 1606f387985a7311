"""What a process costs: processor time and memory, as Linux counts them.

Reads: the processor clock of a process, /proc.
Gives: seconds and bytes.
Knows nothing of: what the process does.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A running process."""

    pid: int

    def cpu_seconds(self) -> float:
        """All its threads together, in nanosecond steps: the clock that clock_getcpuclockid(3) names.

        It counts what utime and stime of /proc/PID/stat count, in steps of 10 ms.
        """
        return time.clock_gettime((~self.pid << 3) | 2)

    def memory_bytes(self) -> int:
        """Its resident memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak_bytes(self) -> int:
        """The most memory that was resident since its program began; 0 once it is gone.

        What wait4(2) tells of a child also counts what was resident in its parent when that forked.
        """
        try:
            lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return 0
        return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))


def children() -> tuple[Process, ...]:
    """The processes that this one's main thread has started and that still run."""
    pids = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    return tuple(Process(pid=int(pid)) for pid in pids)


def cpu_seconds_of(processes: Mapping[str, Process]) -> dict[str, float]:
    """What each has used so far."""
    return {name: process.cpu_seconds() for name, process in processes.items()}

"""The machine that a figure was measured on, in one line.

Reads: /proc and the interpreter.
Gives: machine_line().
Knows nothing of: what is measured.
"""

import os
import platform
from pathlib import Path


def machine_line() -> str:
    """Processor, cores, load, kernel, Python: what makes two runs comparable or not."""
    cores = len(os.sched_getaffinity(0))
    load = os.getloadavg()[0]
    return (
        f"machine: {_processor()}, {cores} cores, load {load:.1f} at the end; "
        f"Linux {platform.release().partition('-')[0]}, Python {platform.python_version()}"
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return platform.machine()

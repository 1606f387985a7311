"""Which worker gets which test on a real Asterisk: who shares a system stays together, long ones begin first.

Reads: node ids.
Gives: a scheduler for pytest-xdist, used with `--dist loadscope`; the order in which tests are handed out.
Knows nothing of: what the tests do.

A file with a system of its own goes to one worker, which starts that system once; every other test is
handed out by itself. What takes minutes is begun first, so that no worker is alone with it at the end.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

TOGETHER = (
    "test_faults.py",
    "test_other_networks.py",
    "test_b_leg.py",
    "test_hostile.py",
    "test_dialplan_contract.py",
    "test_requests_on_asterisk.py",
    "test_a_leg.py",
    "test_on_postgresql.py",
    "test_by_default.py",
)
"""Files with a system of their own, the longest first."""
LONG = ("test_money_on_calls.py", "test_demo.py", "test_clock_trap.py")
"""Files whose single tests take the longest."""
ORDER = (*TOGETHER[:4], *LONG, *TOGETHER[4:])


class RealTurns(LoadScopeScheduling):  # type: ignore[misc] # published without types
    """Hands out files of TOGETHER whole and all else test by test, in the order of collection."""

    def __init__(self, config: Any, log: Any = None) -> None:
        """As xdist calls it; its own order, by the number of tests, is not wanted."""
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if PurePath(file).name in TOGETHER else nodeid


def turn_of(file: str) -> int:
    """The place of a file's tests among all."""
    return ORDER.index(file) if file in ORDER else len(ORDER)

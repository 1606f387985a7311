"""How far two clocks at the ends of a line may be apart, on a machine as busy as this one.

Reads: the monotonic clock, from a thread of its own.
Gives: by how much this machine wakes its programs too late, and what that means for the times that they
write down.
Knows nothing of: what keeps the machine busy, whose times are judged by it.
"""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self

CLOCKS_APART_US = 20_000
"""By so much two honest clocks at the two ends of a line may differ: each side's own work, and the packet."""
ENDS = 2
"""A length has a beginning and an end, and a busy machine may write down either too late."""
NAP_SECONDS = 0.005
LATE_MAX_US = 50_000
"""More is no excuse: a machine that is so busy cannot carry calls either."""


class Sleeper:
    """Takes naps of 5 ms for as long as it is open, and notes by how much each was too long."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._worst = 0.0
        self._thread = threading.Thread(target=self._sleep, name="sleeper", daemon=True)

    def __enter__(self) -> Self:
        """Fall asleep."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wake up for good."""
        self._over.set()
        self._thread.join()

    @property
    def worst_us(self) -> int:
        """The longest nap's lateness in microseconds, at most LATE_MAX_US."""
        return min(round(self._worst * 1_000_000), LATE_MAX_US)

    @property
    def clocks_apart_us(self) -> int:
        """By so much a length as one end has it may differ from the other's, in microseconds."""
        return CLOCKS_APART_US + ENDS * self.worst_us

    def _sleep(self) -> None:
        due = time.monotonic() + NAP_SECONDS
        while not self._over.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            self._worst = max(self._worst, now - due)
            due = now + NAP_SECONDS

"""Papers of issued invoices, written by as many processes as the machine has cores.

Reads: the database's URL, the numbers whose papers are missing.
Gives: how many were written, and a sentence for each that failed.
Knows nothing of: what papers say; how one is made (staff/paperworker.py).
"""

import os
import selectors
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from staff.paperworker import write_papers
from store.database import Database

ALONE_MAX = 8
"""Starting a process takes as long as writing a few papers."""
AHEAD = 2
"""A process has so many numbers at a time: the next one waits for it, and never the other way round."""
READ_BYTES = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What came of it."""

    count: int
    failed: tuple[str, ...]


def write_all(
    database: Database, numbers: Sequence[str], *, processes: int | None = None, tick: Callable[[], object]
) -> Written:
    """Write the papers of these invoices; `tick` is called after each."""
    many = min(processes or len(os.sched_getaffinity(0)), len(numbers))
    if many <= 1 or (processes is None and len(numbers) <= ALONE_MAX):
        return _alone(database, numbers, tick)
    return _together(database.url, list(numbers), many, tick)


def _alone(database: Database, numbers: Sequence[str], tick: Callable[[], object]) -> Written:
    failed = []
    for number in numbers:
        try:
            write_papers(database, number)
        except Exception as error:  # noqa: BLE001 - one bad invoice spares the others, and is named
            failed.append(f"{number}: {error}")
        tick()
    return Written(count=len(numbers) - len(failed), failed=tuple(failed))


def _together(url: str, numbers: list[str], many: int, tick: Callable[[], object]) -> Written:
    waiting = numbers[::-1]
    failed: list[str] = []
    with selectors.DefaultSelector() as selector:
        workers = [_Worker(url) for _ in range(many)]
        try:
            under_way = 0
            for worker in workers:
                selector.register(worker.answers, selectors.EVENT_READ, worker)
                under_way += sum(worker.give(waiting) for _ in range(AHEAD))
            while under_way:
                for key, _ in selector.select():
                    for line in key.data.lines():
                        under_way += key.data.give(waiting) - 1
                        if line.startswith("failed "):
                            failed.append(line.removeprefix("failed "))
                        tick()
        finally:
            for worker in workers:
                worker.end()
    return Written(count=len(numbers) - len(failed), failed=tuple(failed))


class _Worker:
    """A process that is given numbers and answers with lines."""

    def __init__(self, url: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "staff.paperworker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,  # a line that waits in a buffer of ours would never wake the selector
            cwd=Path(__file__).parents[1],
            # There is a process for each core: threads of typst besides would only wait for one another.
            env=os.environ | {"RAYON_NUM_THREADS": "1"},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._orders, self.answers = self._process.stdin, self._process.stdout
        self._rest = b""
        self._orders.write(f"{url}\n".encode())

    def give(self, waiting: list[str]) -> int:
        """Give it the next number; how many it was given."""
        if not waiting:
            return 0
        self._orders.write(f"{waiting.pop()}\n".encode())
        return 1

    def lines(self) -> list[str]:
        """What it has answered by now; ChildProcessError if it is gone."""
        read = os.read(self.answers.fileno(), READ_BYTES)
        if not read:
            raise ChildProcessError(f"a process that writes papers ended ({self._process.wait()})")
        *whole, self._rest = (self._rest + read).split(b"\n")
        return [line.decode() for line in whole]

    def end(self) -> None:
        """Let it end: its input is over."""
        with suppress(BrokenPipeError):
            self._orders.close()
        self.answers.close()
        self._process.wait()

"""A deck of many rows comes into force beside a running switch: how late its reactor is, what writes wait.

Reads: the command line.
Gives: for each phase the lateness of the reactor and the waits of a small transaction; idle phases as well.
Knows nothing of: Asterisk. What runs is what a switch has of this: its reactor, its store, its shelf.

A first version is in force already. Phase by phase: the switch is idle; that version comes into memory, as at
a start; a second one is imported by `dialback deck import` in a process of its own; it is approved and takes
the place of the first; the switch is idle again.
"""

import argparse
import statistics
import subprocess
import tempfile
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from twisted.internet import reactor as installed_reactor
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.posixbase import PosixReactorBase
from twisted.internet.task import LoopingCall, deferLater

from bench.deck import command, dialback, write_sheet
from bench.machine import machine_line
from service import keep_what_stays
from store import decks
from store.audit import Author
from store.database import Connection, Database
from switch.clock import use_monotonic_clock
from switch.deckreader import DeckReader
from switch.shelf import DeckShelf

TICK_SECONDS = 0.001
WRITE_EVERY_SECONDS = 0.02
IDLE_SECONDS = 10.0
LATE_MAX_MILLISECONDS = 50.0
"""No step on the reactor may take longer (docs/PERFORMANCE.md)."""
DECK = "big"


@dataclass(slots=True, kw_only=True)
class Phase:
    """What was measured while something went on, in seconds."""

    name: str
    took: float = 0.0
    late: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def told(self) -> str:
        """Return the line of the table."""
        return f"  {self.name:<44}{self.took:>7.1f}   {_spread(self.late):>26}   {_spread(self.waits):>26}"


class Meter:
    """Asks to be called every millisecond, and writes a little every 20: notes how late, and how long."""

    def __init__(self, reactor: ReactorBase, database: Database) -> None:
        """It starts at once."""
        self._reactor = reactor
        self._database = database
        self._phase = Phase(name="")
        self._due = 0.0
        self._written = 0
        self._writing = LoopingCall(self._write)

    def start(self) -> None:
        """From now on."""
        self._due = self._reactor.seconds() + TICK_SECONDS
        self._reactor.callLater(TICK_SECONDS, self._tick)
        self._writing.clock = self._reactor
        self._writing.start(WRITE_EVERY_SECONDS)

    @inlineCallbacks
    def during(self, name: str, work: "Deferred[Any]") -> Generator["Deferred[Any]", Any, Phase]:
        """The phase in which that work was done."""
        phase = self._phase = Phase(name=name)
        started = self._reactor.seconds()
        yield work
        phase.took = self._reactor.seconds() - started
        self._phase = Phase(name="")
        return phase

    def _tick(self) -> None:
        now = self._reactor.seconds()
        # As in switch/lag.py: the ticks that a stall swallowed count as well.
        while self._due <= now:
            self._phase.late.append(now - self._due)
            self._due += TICK_SECONDS
        self._reactor.callLater(max(0.0, self._due - self._reactor.seconds()), self._tick)

    def _write(self) -> "Deferred[None]":
        phase, started = self._phase, self._reactor.seconds()
        self._written += 1
        written = self._database.run("beside", _small_write, f"beside-{self._written}")
        return written.addCallback(lambda _: phase.waits.append(self._reactor.seconds() - started))


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench swap", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument(
        "--motley", action="store_true", help="rows have nothing in common, the worst for our table"
    )
    wanted = parser.parse_args(arguments)
    reactor = installed_reactor
    assert isinstance(reactor, PosixReactorBase)
    use_monotonic_clock(reactor)
    with tempfile.TemporaryDirectory(prefix="dialback-swap-") as name:
        folder = Path(name)
        for number in (1, 2):
            write_sheet(folder / f"sheet{number}.csv", wanted.rows, edition=number, motley=wanted.motley)
        dialback(folder, "init", "--folder", ".")
        dialback(folder, *_import(1))
        dialback(folder, "deck", "approve", f"{DECK}:1", "--override", "measured")
        phases = _run(reactor, folder)
    _show(phases, wanted.rows)
    worst = max(1_000 * max(phase.late) for phase in phases)
    return 0 if worst < LATE_MAX_MILLISECONDS else 1


def _run(reactor: PosixReactorBase, folder: Path) -> list[Phase]:
    database = Database(f"sqlite:///{folder / 'dialback.db'}", reactor=reactor)
    phases: list[Phase] = []
    failures: list[object] = []

    def begin() -> None:
        database.start()
        keep_what_stays()
        done = _phases(reactor, database, folder, phases)
        done.addErrback(failures.append)
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(begin)
    reactor.run()
    database.stop()
    if failures:
        raise SystemExit(f"bench: {failures[0]}")
    return phases


@inlineCallbacks
def _phases(
    reactor: PosixReactorBase, database: Database, folder: Path, phases: list[Phase]
) -> Generator["Deferred[Any]", Any, None]:
    meter = Meter(reactor, database)
    shelf = DeckShelf(
        reactor=reactor,
        database=database,
        reader=DeckReader(reactor=reactor, database=database),
        wall=lambda: datetime.now(UTC),
        log=structlog.get_logger("shelf"),
    )
    meter.start()
    yield deferLater(reactor, 1.0)
    phases.append((yield meter.during("idle", deferLater(reactor, IDLE_SECONDS))))
    phases.append((yield meter.during("the first version comes into memory", shelf.look())))
    phases.append((yield meter.during("idle, with it in memory", deferLater(reactor, IDLE_SECONDS))))
    phases.append((yield meter.during("the second is imported", _ran(reactor, folder, *_import(2)))))
    approve = ("deck", "approve", f"{DECK}:2", "--override", "measured")
    phases.append((yield meter.during("it is approved", _ran(reactor, folder, *approve))))
    phases.append((yield meter.during("it takes the first one's place in memory", shelf.look())))
    phases.append((yield meter.during("idle again", deferLater(reactor, IDLE_SECONDS))))


def _ran(reactor: PosixReactorBase, folder: Path, *words: str) -> "Deferred[None]":
    """When that command has ended, looked at ten times a second."""
    process = subprocess.Popen(
        command(words), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    looking = LoopingCall(lambda: looking.stop() if process.poll() is not None else None)
    looking.clock = reactor
    ended: Deferred[None] = looking.start(0.1).addCallback(lambda _: None)
    return ended


def _import(number: int) -> tuple[str, ...]:
    return ("deck", "import", DECK, f"sheet{number}.csv", "--kind", "cost", "--currency", "USD")


def _show(phases: list[Phase], rows: int) -> None:
    heads = ("reactor late, ms", "a small transaction, ms")
    print(machine_line())
    print(f"{rows:,} rows; p50, p99 and most of a tick each ms and a transaction each 20 ms\n")
    print(f"  {'':<44}{'s':>7}   {heads[0]:>26}   {heads[1]:>26}")
    for phase in phases:
        print(phase.told())


def _spread(seconds: list[float]) -> str:
    ordered = sorted(1_000 * each for each in seconds)
    if not ordered:
        return "-"
    p99 = ordered[int(len(ordered) * 0.99)]
    return f"{statistics.median(ordered):.2f}  {p99:.1f}  {ordered[-1]:.1f}"


def _small_write(connection: Connection, name: str) -> None:
    author = Author(at=datetime.now(UTC), name="bench")
    decks.add_deck(connection, name=name, kind="cost", currency="USD", author=author)

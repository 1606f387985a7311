"""Real calls on the real Asterisk while a deck of many rows is imported, approved and comes into memory.

Reads: the command line; starts Dialback with its Asterisk, SIPp for everybody else, `dialback deck import`.
Gives: for each phase the calls, how long wishes waited, how late the reactor was; rows a second.
Knows nothing of: how a load is put on and checked (bench/trial.py).

The deck is the one that the calls are sold by. Every callback of every load must go right, be billed once
and at its price, and the ledger must agree, before, during and after; else it ends with exit code 1.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench import office
from bench.deck import command, dialback, write_sheet
from bench.machine import machine_line
from bench.sides import LAG_REPORT_SECONDS, Dialback, Lines
from bench.trial import Bench, Offer, Trial, percentile, run_trial
from pbx.installation import find_or_fetch

DECK = "retail"
PRICES = {"442079": office.PRICES["44"], "61255500": office.PRICES["61"]}
"""The numbers of the calls cost in the large deck what they cost before, so that each bill is known."""
LOADS = 2
"""So many where nothing is waited for."""


@dataclass(slots=True, kw_only=True)
class Phase:
    """What was measured while something went on."""

    name: str
    took: float = 0.0
    trials: list[Trial] = field(default_factory=list)
    late_ms: list[tuple[float, float]] = field(default_factory=list)
    """By the switch's own report, p99 and most of each five seconds."""

    def told(self) -> str:
        """Return the line of the table."""
        calls = sum(trial.offer.calls for trial in self.trials)
        waits = tuple(sorted(1_000 * wait for trial in self.trials for wait in trial.waits))
        spread = "  ".join(f"{percentile(waits, share):.0f}" for share in (0.5, 0.95, 1.0))
        late = f"{max(p99 for p99, _ in self.late_ms):.1f}  {max(most for _, most in self.late_ms):.0f}"
        return f"  {self.name:<34}{self.took:>7.1f}{calls:>8}   {spread:>22}   {late:>22}"


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bin/bench beside", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--calls", type=int, default=40, help="callbacks in a load, one load after the other")
    parser.add_argument("--per-second", type=float, default=4.0)
    wanted = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="dialback-beside-") as name:
        folder = Path(name)
        write_sheet(folder / "sheet.csv", wanted.rows, prices=PRICES)
        bench = Bench(installation=find_or_fetch(), folder=folder, lines=Lines.free())
        side = Dialback(bench.installation, folder / "dialback", bench.lines)
        try:
            side.start()
            phases, shelved = _phases(bench, side, Offer(calls=wanted.calls, per_second=wanted.per_second))
        finally:
            side.stop()
    _show(phases, wanted.rows, shelved)
    wrong = [fault for phase in phases for trial in phase.trials for fault in trial.faults]
    sys.stderr.write("".join(f"bench: {fault}\n" for fault in wrong))
    return 1 if wrong else 0


def _phases(bench: Bench, side: Dialback, offer: Offer) -> tuple[list[Phase], float]:
    def during(name: str, goes_on: Callable[[Phase], bool]) -> Phase:
        phase = Phase(name=name)
        started, reports = time.monotonic(), len(side.lag_lines())
        while goes_on(phase):
            phase.trials.append(run_trial(bench, side, offer))
        phase.took = time.monotonic() - started
        phase.late_ms = [(line["p99_ms"], line["worst_ms"]) for line in side.lag_lines()[reports:]]
        sys.stderr.write(f"{phase.told()}\n")
        return phase

    def loads(phase: Phase) -> bool:
        return len(phase.trials) < LOADS

    def shelved() -> list[datetime]:
        lines = [line for line in side.log.read_text().splitlines() if '"deck.shelved"' in line]
        return [datetime.fromisoformat(json.loads(line)["timestamp"]) for line in lines]

    config = ("--config", str(side.config))
    run_trial(bench, side, offer)  # what the first calls load once
    phases = [during("calls alone", loads)]
    words = (*config, "deck", "import", DECK, str(bench.folder / "sheet.csv"))
    told = bench.folder / "import.log"
    with (
        told.open("wb") as log,
        subprocess.Popen(command(words), stdout=log, stderr=log) as importer,
    ):
        phases.append(during("calls, and the deck is imported", lambda _: importer.poll() is None))
    if importer.returncode:
        raise SystemExit(f"bench: the deck was not imported:\n{told.read_text()[-2000:]}")
    dialback(bench.folder, *config, "deck", "approve", f"{DECK}:2", "--override", "measured")
    approved_at = datetime.now(UTC)
    phases.append(during("calls, and it comes into memory", lambda phase: loads(phase) or not shelved()))
    phases.append(during("calls by the new deck", loads))
    return phases, (shelved()[-1] - approved_at).total_seconds()


def _show(phases: list[Phase], rows: int, shelved: float) -> None:
    heads = ("wish → INVITE, ms", "reactor late, ms")
    print(machine_line())
    print(f"{rows:,} rows; waits: p50, p95, most; lateness: p99 of the worst {LAG_REPORT_SECONDS} s, most\n")
    print(f"  {'':<34}{'s':>7}{'calls':>8}   {heads[0]:>22}   {heads[1]:>22}")
    for phase in phases:
        print(phase.told())
    imported = phases[1]
    print(f"\n{rows / imported.took:,.0f} rows a second beside the calls, to the end of the last load")
    print(f"in memory {shelved:.0f} s after the approval; meanwhile rows were looked up in the table")

"""Whole callbacks, against the same work done by a bare Asterisk: callbacks a second, cost, delay, memory.

Reads: the command line; starts Dialback, two bare Asterisks, and SIPp for everybody else.
Gives: a table of medians over interleaved rounds; an error at the common pace ends it with exit code 1.
Knows nothing of: how the sides work (bench/sides.py), how one load is measured (bench/trial.py).

`bin/bench calls`. Figures of one run may be compared with each other, not with another run's.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench import office
from bench.held import Held, hold_calls
from bench.machine import machine_line
from bench.sides import LAG_REPORT_SECONDS, Bare, Dialback, Lines, Side
from bench.trial import Bench, Offer, Trial, percentile, run_trial
from pbx.installation import find_or_fetch

STEP = 1.2
"""From one pace to the next when the highest one without an error is sought."""
CLIMB_SECONDS, CLIMB_CALLS_MIN, PACE_MIN = 10.0, 40, 1.0
WARM_UP_CALLS = 20


class BenchFailedError(Exception):
    """A call went wrong where none may; the figures would mean nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be measured."""

    rounds: int
    calls: int
    per_second: float
    climb_from: float
    bare_from: float
    held: int


@dataclass(slots=True, kw_only=True)
class Results:
    """What was measured of one side, a value for each round."""

    trials: list[Trial] = field(default_factory=list)
    highest: list[float] = field(default_factory=list)

    def median_of(self, figure: Callable[[Trial], float]) -> float:
        """The median over the rounds at the common pace."""
        return statistics.median(figure(trial) for trial in self.trials)


def run(plan: Plan, folder: Path) -> str:
    """The table."""
    bench = Bench(installation=find_or_fetch(), folder=folder, lines=Lines.free())
    ours = Dialback(bench.installation, folder / "dialback", bench.lines)
    sides: list[Side] = [ours]
    for is_rung in (False, True):
        place = folder / f"bare{int(is_rung)}"
        sides.append(Bare(bench.installation, place, bench.lines, is_rung=is_rung))
    with ExitStack() as stack:
        for side in sides:
            stack.callback(side.stop)
            side.start()
            _common(bench, side, Offer(calls=WARM_UP_CALLS, per_second=plan.per_second))
        results = _rounds(bench, sides, plan)
        held = hold_calls(bench, ours, plan.held) if plan.held else None
        office.check_ledger(ours.database)
    lines = [machine_line(), _load_line(plan), "", *_table(results)]
    lines += ["", "of each round, median (least … most):", *_ratios(results)]
    lines += [
        "",
        _lag_line(ours.lag_lines()),
        _held_line(held),
        _books_line(results[ours.name]),
    ]
    return "\n".join(lines)


def _rounds(bench: Bench, sides: Sequence[Side], plan: Plan) -> dict[str, Results]:
    results = {side.name: Results() for side in sides}
    paces = {sides[0].name: plan.climb_from, sides[1].name: plan.bare_from} if plan.climb_from else {}
    for number in range(plan.rounds):
        turn = number % len(sides)
        for side in [*sides[turn:], *sides[:turn]]:
            offer = Offer(calls=plan.calls, per_second=plan.per_second)
            results[side.name].trials.append(_common(bench, side, offer))
        for side in [side for side in [*sides[turn:], *sides[:turn]] if side.name in paces]:
            paces[side.name] = _climb(bench, side, paces[side.name])
            results[side.name].highest.append(paces[side.name])
    return results


def _common(bench: Bench, side: Side, offer: Offer) -> Trial:
    """A load that every side must carry without an error."""
    trial = run_trial(bench, side, offer)
    waits = trial.waits or (0.0,)
    cost = ", ".join(f"{name} {value:.1f} ms" for name, value in trial.cpu_ms.items())
    _tell(
        f"{side.name}: {offer.calls} at {offer.per_second:g}/s, {cost}, p95 {percentile(waits, 0.95):.3f} s"
    )
    if not trial.is_clean:
        raise BenchFailedError(f"{side.name}: {'; '.join(trial.faults)}")
    return trial


def _climb(bench: Bench, side: Side, pace: float) -> float:
    """The highest pace without an error, in steps, beginning where it was last."""
    clean: float | None = None
    failed = False
    while clean is None or not failed:
        calls = max(CLIMB_CALLS_MIN, round(pace * CLIMB_SECONDS))
        if not pace >= PACE_MIN or calls > office.SUBSCRIBERS:
            raise BenchFailedError(
                f"{side.name}: no highest pace was found between {PACE_MIN}/s and {pace:.0f}/s"
            )
        trial = run_trial(bench, side, Offer(calls=calls, per_second=pace))
        _tell(f"{side.name}: {calls} at {pace:.1f}/s: {'; '.join(trial.faults)[:200] or 'clean'}")
        if trial.is_clean:
            clean = pace
            pace *= STEP
        else:
            failed = True
            pace /= STEP
    return clean


def _load_line(plan: Plan) -> str:
    return (
        f"load: {plan.rounds} interleaved rounds of {plan.calls} callbacks at {plan.per_second:g}/s, of 5 s "
        f"each, with RTP, SIPp on the same cores; then upwards in steps of {STEP - 1:.0%} until an error"
    )


def _table(results: dict[str, Results]) -> list[str]:
    lines = [f"{'':40}" + "".join(f"{name:>26}" for name in results)]

    def row(what: str, cell: Callable[[Results], str]) -> None:
        lines.append(f"{what:40}" + "".join(f"{cell(each):>26}" for each in results.values()))

    row("callbacks/s without an error, highest", lambda each: _spread(each.highest, 1))
    for process in ("Asterisk", "switch"):
        row(f"CPU per callback, {process}, ms", lambda each, of=process: _cost(each, of))  # type: ignore[misc]
    row("CPU per callback, together, ms", lambda each: f"{each.median_of(_all_cost):.1f}")
    for share in (0.5, 0.95):
        row(
            f"wish → INVITE, p{share * 100:.0f}, ms",
            lambda each, at=share: f"{each.median_of(lambda trial: percentile(trial.waits, at)) * 1000:.1f}",  # type: ignore[misc]
        )
    return lines


def _ratios(results: dict[str, Results]) -> list[str]:
    (ours_name, ours), *peers = results.items()
    lines = []
    for name, peer in peers:
        pairs = list(zip(ours.trials, peer.trials, strict=True))
        cost = [_all_cost(theirs) / _all_cost(mine) for mine, theirs in pairs]
        wait = [percentile(mine.waits, 0.95) - percentile(theirs.waits, 0.95) for mine, theirs in pairs]
        if ours.highest and peer.highest:
            pace = [mine / theirs for mine, theirs in zip(ours.highest, peer.highest, strict=True)]
            lines.append(f"  callbacks/s, {ours_name} ÷ {name}:  {_spread(pace, 2)}")
        lines.append(f"  CPU per callback, {name} ÷ {ours_name}:  {_spread(cost, 2)}")
        lines.append(
            f"  p95 wish → INVITE, {ours_name} less {name}, ms:  {_spread([w * 1000 for w in wait], 1)}"
        )
    return lines


def _lag_line(periods: Sequence[Mapping[str, Any]]) -> str:
    late = [period["p99_ms"] for period in periods]
    worst = max((period["worst_ms"] for period in periods), default=0.0)
    return (
        f"reactor lag, p99 of each {LAG_REPORT_SECONDS} s: median {_median(late):.1f} ms, "
        f"most {max(late, default=0):.1f} ms; the longest of all {worst:.0f} ms"
    )


def _held_line(held: Held | None) -> str:
    if held is None:
        return "memory: not measured"
    return (
        f"memory of the switch: {held.idle_bytes / 2**20:.0f} MiB before, "
        f"{held.bytes_per_call / 1024:.0f} KiB more for each of {held.calls} live calls"
    )


def _books_line(ours: Results) -> str:
    calls = sum(trial.offer.calls for trial in ours.trials)
    amount = sum(Decimal(trial.amount) for trial in ours.trials)
    return (
        f"books: {calls} callbacks at the common pace, each billed once, {amount} USD; ledger, phones agree"
    )


def _cost(results: Results, process: str) -> str:
    if any(process not in trial.cpu_ms for trial in results.trials):
        return "-"
    return f"{results.median_of(lambda trial: trial.cpu_ms[process]):.1f}"


def _all_cost(trial: Trial) -> float:
    return sum(trial.cpu_ms.values())


def _spread(values: Sequence[float], digits: int) -> str:
    if not values:
        return "-"
    return f"{_median(values):.{digits}f} ({min(values):.{digits}f} … {max(values):.{digits}f})"


def _median(values: Iterable[float]) -> float:
    known = list(values)
    return statistics.median(known) if known else 0.0


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main(arguments: list[str] | None = None) -> int:
    """The command line; 0 if every call at the common pace went right."""
    parser = argparse.ArgumentParser(
        prog="bench calls", description="Whole callbacks: Dialback, and a bare Asterisk doing the same."
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=100, help="in each round, for each side")
    parser.add_argument("--per-second", type=float, default=8, help="a pace that every side carries easily")
    parser.add_argument(
        "--climb-from", type=float, default=20, help="where to begin upwards; 0: do not climb"
    )
    parser.add_argument("--bare-from", type=float, default=90, help="the same for the bare Asterisk")
    parser.add_argument("--held", type=int, default=60, help="live calls for the memory figure; 0: none")
    chosen = parser.parse_args(arguments)
    if chosen.calls > office.SUBSCRIBERS:
        parser.error(f"--calls: there are {office.SUBSCRIBERS} subscribers")
    with tempfile.TemporaryDirectory(prefix="dialback-bench-") as folder:
        try:
            sys.stdout.write(run(Plan(**vars(chosen)), Path(folder)) + "\n")
        except BenchFailedError as error:
            sys.stderr.write(f"bench calls: {error}\n")
            return 1
    return 0

"""A carrier's call records laid beside ours: which agree, which differ, which one side alone has.

Reads: our answered legs on that carrier, its rows; both with number, instant, seconds and cost.
Gives: a Finding for each, in order of time; every row of either side is in exactly one.
Knows nothing of: files (billing/carrierfile.py), databases.

A pair has the same number and instants no further apart than the window. Where a number was called several
times, pairs are chosen so that as many as possible are matched, then that the instants lie as near as
possible, then the seconds: never by the order in which rows happen to stand.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSeen:
    """One answered call as one side has it. `key` is our leg id, or the row of the carrier's file.

    `at` is the answer or the start, the same on both sides. `counts` is false for a call just outside the
    range: it may be a partner, and is not missed.
    """

    key: str
    number: str
    at: datetime
    seconds: int
    cost: Decimal
    counts: bool = True


class Outcome(StrEnum):
    """What became of a call in the comparison."""

    MATCHED = "matched"
    SECONDS_DIFFER = "seconds differ"
    COST_DIFFERS = "cost differs"
    MISSING_HERE = "missing here"
    MISSING_THERE = "missing there"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A pair, or a call that one side alone has."""

    outcome: Outcome
    ours: CallSeen | None
    theirs: CallSeen | None

    @property
    def at(self) -> datetime:
        """When it was, by our clock where we have it."""
        seen = self.ours or self.theirs
        assert seen is not None
        return seen.at

    @property
    def excess(self) -> Decimal:
        """How much more the carrier asks for than we reckon with; negative if less."""
        theirs = self.theirs.cost if self.theirs is not None else Decimal(0)
        return theirs - (self.ours.cost if self.ours is not None else Decimal(0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """What still counts as equal, and how far two clocks may be apart."""

    window: timedelta = timedelta(seconds=120)
    seconds: int = 1
    cost: Decimal = Decimal("0.0001")


def reconcile(
    ours: Iterable[CallSeen], theirs: Iterable[CallSeen], tolerance: Tolerance
) -> tuple[Finding, ...]:
    """Return all findings, the earliest first."""
    sides: dict[str, tuple[list[CallSeen], list[CallSeen]]] = defaultdict(lambda: ([], []))
    for side, calls in enumerate((ours, theirs)):
        for call in calls:
            sides[call.number][side].append(call)
    found = [
        finding
        for here, there in sides.values()
        for cluster in _clusters(here, there, tolerance.window)
        for finding in _findings(*cluster, tolerance)
    ]
    return tuple(sorted(found, key=lambda each: (each.at, each.outcome, _key(each))))


def _findings(
    ours: Sequence[CallSeen], theirs: Sequence[CallSeen], tolerance: Tolerance
) -> Iterator[Finding]:
    pairs = _pairs(ours, theirs, tolerance.window)
    paired_here, paired_there = {here for here, _ in pairs}, {there for _, there in pairs}
    for here, there in pairs:
        if ours[here].counts or theirs[there].counts:
            yield Finding(
                outcome=_compare(ours[here], theirs[there], tolerance), ours=ours[here], theirs=theirs[there]
            )
    for index, call in enumerate(ours):
        if index not in paired_here and call.counts:
            yield Finding(outcome=Outcome.MISSING_THERE, ours=call, theirs=None)
    for index, call in enumerate(theirs):
        if index not in paired_there and call.counts:
            yield Finding(outcome=Outcome.MISSING_HERE, ours=None, theirs=call)


def _compare(ours: CallSeen, theirs: CallSeen, tolerance: Tolerance) -> Outcome:
    if abs(ours.seconds - theirs.seconds) > tolerance.seconds:
        return Outcome.SECONDS_DIFFER
    if abs(ours.cost - theirs.cost) > tolerance.cost:
        return Outcome.COST_DIFFERS
    return Outcome.MATCHED


def _clusters(
    ours: list[CallSeen], theirs: list[CallSeen], window: timedelta
) -> Iterator[tuple[list[CallSeen], list[CallSeen]]]:
    """Calls of one number in groups so far apart that no pair reaches from one into another."""
    both = sorted(
        [(call.at, 0, call.key, call) for call in ours] + [(call.at, 1, call.key, call) for call in theirs],
        key=lambda each: each[:3],
    )
    cluster: tuple[list[CallSeen], list[CallSeen]] = ([], [])
    last: datetime | None = None
    for at, side, _, call in both:
        if last is not None and at - last > window:
            yield cluster
            cluster = ([], [])
        cluster[side].append(call)
        last = at
    yield cluster


# More pairs first, then less distance in time, then less difference in seconds.
_Worth = tuple[int, int, int]


def _pairs(ours: Sequence[CallSeen], theirs: Sequence[CallSeen], window: timedelta) -> list[tuple[int, int]]:
    """The best pairs of two ascending rows of instants; on a line the best pairs never cross."""
    best: list[list[_Worth]] = [[(0, 0, 0)] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for here in range(len(ours) - 1, -1, -1):
        for there in range(len(theirs) - 1, -1, -1):
            best[here][there] = max(best[here + 1][there], best[here][there + 1])
            worth = _paired(ours[here], theirs[there], window, best[here + 1][there + 1])
            if worth is not None:
                best[here][there] = max(best[here][there], worth)
    pairs, here, there = [], 0, 0
    while here < len(ours) and there < len(theirs):
        worth = _paired(ours[here], theirs[there], window, best[here + 1][there + 1])
        if worth is not None and worth == best[here][there]:
            pairs.append((here, there))
            here, there = here + 1, there + 1
        elif best[here + 1][there] == best[here][there]:
            here += 1
        else:
            there += 1
    return pairs


def _paired(ours: CallSeen, theirs: CallSeen, window: timedelta, rest: _Worth) -> _Worth | None:
    apart = abs(ours.at - theirs.at)
    if apart > window:
        return None
    return (rest[0] + 1, rest[1] - apart // _MICROSECOND, rest[2] - abs(ours.seconds - theirs.seconds))


def _key(finding: Finding) -> str:
    seen = finding.ours or finding.theirs
    return "" if seen is None else seen.key

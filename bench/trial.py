"""One load on one side: so many callbacks at such a pace, from the wish to the last hang-up, and checked.

Reads: a side, SIPp.
Gives: Trial: what it cost, how long a wish waited, what went wrong.
Knows nothing of: other sides, rounds, tables.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from pathlib import Path

from bench import office
from bench.processes import cpu_seconds_of
from bench.sides import Dialback, Lines, Side, Wishes
from pbx.installation import Installation
from world.sipp import Load, LoadFailed, Moment, Sipp, Tally, keys_milliseconds

SUBSCRIBER_RING_MS, KEYS_AFTER_MS, DESTINATION_RING_MS = 200, 500, 200
TALK_MS = 2_000
"""From the last key to the subscriber's hang-up: the destination is dialled, rings, answers, talks."""
SLACK_SECONDS = 25.0
"""What a load may take beyond its own length before it is broken off."""
LISTENING_SECONDS_MAX = 5.0
QUIET_SECONDS_MAX = 60.0
AFTERMATH_SECONDS = 1.5
"""The switch looks once more after a call, a second later; that is part of its cost."""
WAIT_SECONDS_MAX = 1.0
"""A side that lets wishes wait longer (95th percentile) is not keeping up."""
TALK_SECONDS_APART = 0.05
"""What we and the phones may differ by in a talk, on average."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A load to be put on a side."""

    calls: int
    per_second: float
    talk_ms: int = TALK_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What came of a load. The sums are 0 for the bare side, which keeps no books."""

    offer: Offer
    cpu_ms: Mapping[str, float]
    """For each callback, by process."""
    waits: tuple[float, ...]
    """Seconds from the wish to the INVITE at the subscriber's telephone, in ascending order."""
    amount: str
    faults: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether every call went right and none waited too long."""
        return not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What all trials share."""

    installation: Installation
    folder: Path
    lines: Lines

    def sipp(self) -> Sipp:
        """A SIPp whose files go into a folder of their own."""
        return Sipp(self.installation, self.folder / f"sipp-{time.time_ns()}")


def run_trial(bench: Bench, side: Side, offer: Offer) -> Trial:
    """Put the load on the side and take the measure of what happens."""
    sipp = bench.sipp()
    near, far = listen(bench, sipp, offer)
    numbers = [office.number_of(index) for index in range(offer.calls)]
    before = cpu_seconds_of(side.processes)
    since = datetime.now(UTC)
    faults: list[str] = []
    wishes = Wishes(at={}, rung=None)
    loads = {"subscribers": near, "destinations": far}
    try:
        wishes = side.wish(sipp, numbers, offer.per_second)
        if wishes.rung is not None:
            loads["callers"] = wishes.rung
        deadline = time.monotonic() + call_seconds(offer) + SLACK_SECONDS
        for name, load in loads.items():
            faults += _faults_of(name, load.wait(max(1.0, deadline - time.monotonic())), offer.calls)
    except LoadFailed as error:
        faults.append(str(error))
    finally:
        for load in loads.values():
            load.stop()
        if faults:
            side.hang_up()
    bill = office.Bill(callbacks=0, amount=office.NOTHING, talk_seconds=0)
    if isinstance(side, Dialback):
        bill, wrong = _settle(side, since)
        faults += wrong or _wrong_bill(bill, offer, far.moments())
    time.sleep(AFTERMATH_SECONDS)
    after = cpu_seconds_of(side.processes)
    waits = _waits(wishes, near.moments())
    faults += _late(waits, offer)
    if faults:
        side.renew()  # what is left of a broken load would go on to ring the telephones of the next one
    return Trial(
        offer=offer,
        cpu_ms={name: (after[name] - before[name]) / offer.calls * 1000 for name in before},
        waits=waits,
        amount=f"{bill.amount:.2f}",
        faults=tuple(faults),
    )


def listen(bench: Bench, sipp: Sipp, offer: Offer) -> tuple[Load, Load]:
    """Subscribers and destinations, ready for so many calls."""
    host, port = bench.lines.near
    near = sipp.subscribers(
        host=host,
        port=port,
        digits=office.KEYS,
        ring_ms=SUBSCRIBER_RING_MS,
        keys_after_ms=KEYS_AFTER_MS,
        talk_ms=offer.talk_ms,
        count=offer.calls,
    )
    host, port = bench.lines.far
    far = sipp.destinations(host=host, port=port, ring_ms=DESTINATION_RING_MS, count=offer.calls)
    for place in (bench.lines.near, bench.lines.far):
        _wait_for_listener(place)
    return near, far


def call_seconds(offer: Offer) -> float:
    """From the INVITE to the subscriber's hang-up."""
    keys = keys_milliseconds(office.KEYS)
    return (SUBSCRIBER_RING_MS + KEYS_AFTER_MS + keys + offer.talk_ms) / 1000


def percentile(ordered: tuple[float, ...], share: float) -> float:
    """The least value that is no smaller than that share of all."""
    return ordered[ceil(share * len(ordered)) - 1]


def _wait_for_listener(place: tuple[str, int]) -> None:
    address = bytes(reversed([int(part) for part in place[0].split(".")])).hex().upper()
    wanted = f"{address}:{place[1]:04X}"
    deadline = time.monotonic() + LISTENING_SECONDS_MAX
    while wanted not in Path("/proc/net/udp").read_text():
        if time.monotonic() > deadline:
            raise LoadFailed(f"SIPp does not listen at {place[0]}:{place[1]}")
        time.sleep(0.02)


def _faults_of(name: str, tally: Tally, calls: int) -> list[str]:
    if tally.succeeded == calls and tally.failed == 0:
        return []
    return [f"{name}: {tally.succeeded} of {calls} calls went well, {tally.failed} failed"]


def _settle(side: Dialback, since: datetime) -> tuple[office.Bill, list[str]]:
    """Wait until all callbacks have ended, then read the books."""
    nothing = office.Bill(callbacks=0, amount=office.NOTHING, talk_seconds=0)
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while not office.is_quiet(side.database):
        if time.monotonic() > deadline:
            return nothing, [f"callbacks are unfinished {QUIET_SECONDS_MAX:.0f} s after the load"]
        time.sleep(0.1)
    try:
        return office.bill_since(side.database, since), []
    except office.WrongBooksError as error:
        return nothing, [str(error)]


def _wrong_bill(bill: office.Bill, offer: Offer, moments: list[Moment]) -> list[str]:
    """The books against the phones' own log, and against what each call costs."""
    wrong = []
    wanted = office.PRICE_OF_A_CALL * offer.calls
    if (bill.callbacks, bill.amount) != (offer.calls, wanted):
        wrong.append(
            f"{bill.callbacks} callbacks were billed {bill.amount}; {offer.calls} were due, {wanted}"
        )
    ends = sum(each.at.timestamp() for each in moments if each.what == "HUNG_UP")
    starts = sum(each.at.timestamp() for each in moments if each.what == "ANSWERED")
    apart = abs(bill.talk_seconds - (ends - starts)) / offer.calls
    if apart > TALK_SECONDS_APART:
        wrong.append(f"the books and the phones differ by {apart:.3f} s of talk in each call")
    return wrong


def _waits(wishes: Wishes, moments: list[Moment]) -> tuple[float, ...]:
    invited = {f"+{each.number}": each.at for each in moments if each.what == "INVITED"}
    pairs = ((at, invited[number]) for number, at in wishes.at.items() if number in invited)
    return tuple(sorted((then - at).total_seconds() for at, then in pairs))


def _late(waits: tuple[float, ...], offer: Offer) -> list[str]:
    if len(waits) < offer.calls:
        return [f"{offer.calls - len(waits)} wishes led to no call"]
    if waits and percentile(waits, 0.95) > WAIT_SECONDS_MAX:
        return [f"one wish in twenty waited over {percentile(waits, 0.95):.1f} s for its call"]
    return []

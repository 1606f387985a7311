"""What a live call costs in the switch's memory.

Reads: a Dialback, SIPp.
Gives: Held: resident memory before, and more of it for each call in talk.
Knows nothing of: pace, rounds.
"""

import threading
import time
from dataclasses import dataclass

from bench import office
from bench.sides import Dialback
from bench.trial import Bench, Offer, call_seconds, listen, run_trial

PER_SECOND = 5.0
WARM_UP = Offer(calls=30, per_second=PER_SECOND)
"""What the first calls load once belongs to no call."""
TALK_SECONDS_MORE = 6.0


class HoldFailedError(Exception):
    """Not all calls came into talk together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Of a switch that was started anew."""

    calls: int
    idle_bytes: int
    bytes_per_call: float


def hold_calls(bench: Bench, side: Dialback, calls: int) -> Held:
    """Start the switch anew, warm it up, bring so many calls into talk at once, and compare."""
    side.stop_switch()
    side.start_switch()
    run_trial(bench, side, WARM_UP)
    offer = Offer(
        calls=calls, per_second=PER_SECOND, talk_ms=round((calls / PER_SECOND + TALK_SECONDS_MORE) * 1000)
    )
    sipp = bench.sipp()
    near, far = listen(bench, sipp, offer)
    numbers = [office.number_of(index) for index in range(calls)]
    before = side.processes["switch"].memory_bytes()
    ringing = threading.Thread(target=side.wish, args=(sipp, numbers, PER_SECOND))
    ringing.start()
    try:
        deadline = time.monotonic() + calls / PER_SECOND + call_seconds(offer)
        while office.talking(side.database) < calls:
            if time.monotonic() > deadline:
                raise HoldFailedError(f"{office.talking(side.database)} of {calls} calls came into talk")
            time.sleep(0.2)
        after = side.processes["switch"].memory_bytes()
        near.wait(call_seconds(offer) + 10)
    finally:
        ringing.join()
        for load in (near, far):
            load.stop()
    while not office.is_quiet(side.database):
        time.sleep(0.1)
    return Held(calls=calls, idle_bytes=before, bytes_per_call=(after - before) / calls)

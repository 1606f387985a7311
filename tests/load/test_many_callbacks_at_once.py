"""25 callbacks in flight at once, on SIPp's telephones, without an error."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import office
from bench.sides import Dialback, Lines
from bench.trial import Bench, Offer, call_seconds, run_trial
from pbx.installation import find_or_fetch

pytestmark = [pytest.mark.real_asterisk, pytest.mark.slow, pytest.mark.bench, pytest.mark.timeout(180)]

AT_ONCE = 25
PER_SECOND = 12.5
"""The last trigger rings 2 s after the first; every call is then up for some seconds more."""


@pytest.fixture
def system(tmp_path: Path) -> Iterator[tuple[Bench, Dialback]]:
    bench = Bench(installation=find_or_fetch(), folder=tmp_path, lines=Lines.free())
    side = Dialback(bench.installation, tmp_path / "dialback", bench.lines)
    try:
        side.start()
        yield bench, side
    finally:
        side.stop()


def test_25_callbacks_in_flight_at_once_all_talk_and_are_each_billed_once(
    system: tuple[Bench, Dialback],
) -> None:
    bench, side = system
    offer = Offer(calls=AT_ONCE, per_second=PER_SECOND)
    assert call_seconds(offer) > AT_ONCE / PER_SECOND, "the first would be over before the last has begun"
    trial = run_trial(bench, side, offer)
    assert trial.faults == ()
    bill = office.bill_since(side.database, office.LONG_AGO)
    assert (bill.callbacks, bill.amount) == (AT_ONCE, office.PRICE_OF_A_CALL * AT_ONCE)
    assert office.most_at_once(side.database) == AT_ONCE

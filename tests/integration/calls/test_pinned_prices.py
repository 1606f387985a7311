"""A call with a time band, a package and a surcharge costs on a real Asterisk what was quoted before it."""

import json
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from callers import dials
from town import Town, Traveller

from calls.cdr import LegRole
from demo.stage import ROOT
from rating.bands import read_bands
from rating.origin import OriginClass
from rating.plan import ALegPolicy
from rating.rate import Rate, Surcharge
from store import decks
from store.audit import Author
from store.explanations import explanation
from store.verify import verify
from world.scripts import Answers, HangsUp, Talks, Waits

pytestmark = pytest.mark.real_asterisk
FAR = "+61255509001"
TALK_SECONDS = 12.5


def sell(town: Town) -> None:
    """A deck with a price of its own in the band that it is always, and a surcharge for foreign numbers."""
    since = decks_since(town)
    near, plain = near_and_far(since)
    dear = Surcharge(origin=OriginClass.NON_EEA, per_minute=Decimal("0.12"))
    far = replace(plain, surcharges=(dear,))
    rows = [near, far, replace(far, per_minute=Decimal("0.60"), band="peak")]

    def make(connection: Any) -> None:
        decks.add_deck(connection, name="banded", kind=decks.SELL, currency="USD", author=since)
        decks.add_version(connection, deck_name="banded", new_rates=rows, effective_at=since.at, author=since)

    town.database.call("banded", make)


def near_and_far(since: Author) -> tuple[Rate, Rate]:
    """A price of either leg."""
    near = Rate(
        id="",
        prefix="44",
        destination="United Kingdom",
        per_minute=Decimal("0.10"),
        valid_from=since.at,
        currency="USD",
    )
    return near, replace(near, prefix="61", destination="Australia", per_minute=Decimal("0.24"))


def decks_since(town: Town) -> Author:
    """A clerk who wrote the deck when the town's own was written."""
    found = town.database.read("since", decks.deck_info, "retail")
    assert found.effective_at is not None
    return Author(at=found.effective_at, name="clerk", reason="opening")


def quoted(town: Town, sam: Traveller, talk_seconds: int) -> dict[str, Any]:
    """What `dialback quote` says of the destination's leg."""
    command = [sys.executable, "-m", "cli", "--config", str(town.stage.config), "quote"]
    words = ["--account", sam.account_id, "--from", sam.number, "--to", FAR, "--seconds", str(talk_seconds)]
    done = subprocess.run(
        [*command, *words, "--output", "json"], cwd=ROOT, check=True, capture_output=True, text=True
    )
    legs: list[dict[str, Any]] = json.loads(done.stdout)["legs"]
    return next(leg for leg in legs if leg["leg"] == "B")


@pytest.mark.timeout(180)
def test_F135_F139_F140_R17_a_call_is_billed_as_it_was_quoted(town: Town) -> None:
    sell(town)
    sam = town.traveller(
        deck_id="banded",
        bands=read_bands("peak=Mo-Su 00:00-24:00"),
        package_seconds=10,
        first_increment_s=1,
        a_leg_policy=ALegPolicy.FREE,
    )
    quote = quoted(town, sam, 13)
    town.world.phone(FAR, Answers(), Talks(seconds=TALK_SECONDS), HangsUp())
    dials(town, sam, FAR, Waits(TALK_SECONDS + 6), HangsUp())
    town.wait_for_end(sam, seconds=90)
    (record,) = [each for each in town.records_of(sam) if each.cdr.role is LegRole.B]
    charge = record.charge
    assert charge is not None
    # 13 s, of which the package pays 10: 3 s at 0.60 and 0.12 a minute.
    assert (charge.talk_seconds, charge.package_seconds, charge.band) == (13, 10, "peak")
    assert charge.amount == Decimal("0.0360") == Decimal(quote["amount"])
    assert (quote["row"], quote["origin_class"]) == (charge.rate_id, "non_eea")
    assert list(charge.steps) == quote["steps"]
    assert town.balance_of(sam) == -charge.amount
    assert town.database.read("explain", explanation, record.cdr.leg_id).agrees
    assert town.database.read("verify", verify) == ()


def test_a_large_deck_comes_into_the_memory_of_the_running_switch_and_prices_a_call(town: Town) -> None:
    since = decks_since(town)
    near, far = near_and_far(since)
    others = [replace(far, prefix=str(700_000 + each)) for each in range(decks.ROWS_READ_IN_A_CALL_MAX)]

    def make(connection: Any) -> None:
        decks.add_deck(connection, name="large", kind=decks.SELL, currency="USD", author=since)
        rows = [near, far, *others]
        decks.add_version(connection, deck_name="large", new_rates=rows, effective_at=since.at, author=since)

    town.database.call("large", make)
    log = town.stage.switch_log
    town.wait_until(
        lambda: '"deck": "large:1", "event": "deck.shelved"' in log.read_text(), what="the deck on the shelf"
    )
    sam = town.traveller(deck_id="large")
    town.world.phone(FAR, Answers(), Talks(seconds=1), HangsUp())
    dials(town, sam, FAR, Waits(8), HangsUp())
    town.wait_for_end(sam, seconds=90)
    (charge,) = [each.charge for each in town.records_of(sam) if each.cdr.role is LegRole.B]
    assert charge is not None
    assert (charge.amount, charge.rate_id) == (Decimal("0.12"), "large:1:2")

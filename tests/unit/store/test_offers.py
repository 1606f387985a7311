"""What each trunk offers for a number: cost, state, what it may show, how its latest calls went."""

from dataclasses import replace
from decimal import Decimal

from storeworld import (
    CLERK,
    FRIEND,
    LONG_AGO,
    NOW,
    PHONE,
    callback,
    leg,
    rate,
)

from calls.cdr import LegRole
from rating.deck import NoRate
from rating.rate import Rate
from rating.routes import Offer
from store import callbacks, decks, offers, trunks
from store.database import Database
from store.trunks import Trunk
from values.e164 import E164

PARIS = E164.parse("+33142685300")


def offered(company: Database, number: E164, *wishes: E164 | None) -> tuple[Offer, ...]:
    return company.read("offers", offers.offers, number, NOW, wishes=wishes or (None,))


def test_every_trunk_makes_an_offer_and_one_that_is_disabled_says_so(company: Database) -> None:
    company.call("deck", decks.add_deck, name="carrier-y", kind="cost", currency="EUR", author=CLERK)
    west = Trunk(name="west", carrier="carrier-y", cost_deck="carrier-y")
    company.call("add", trunks.add_trunk, west, CLERK)
    company.call(
        "add", trunks.add_trunk, Trunk(name="off", carrier="z", cost_deck="carrier-x", enabled=False), CLERK
    )
    east, off, other = offered(company, PHONE)
    assert (east.trunk, price(east.rate)) == ("east", Decimal("0.04"))
    assert (off.trunk, off.is_enabled, other.trunk) == ("off", False, "west")
    assert isinstance(other.rate, NoRate)
    add_version(company, [rate("44", "0.03")], deck_name="carrier-y")
    assert price(offered(company, PHONE)[2].rate) == Decimal("0.03")
    nowhere = offered(company, E164.parse("+8613912345678"))
    assert all(isinstance(offer.rate, NoRate) for offer in nowhere)


def test_F027_a_trunk_that_carries_as_many_calls_as_it_may_is_offered_as_full(company: Database) -> None:
    east = company.read("trunk", trunks.trunk, "east")
    company.call("cap", trunks.change_trunk, replace(east, channels_max=1), CLERK)
    assert [offer.is_full for offer in offered(company, FRIEND)] == [False]
    ringing = replace(callback(), legs=(leg(callback(), LegRole.A, ordered_at=NOW),))
    company.call("ring", callbacks.insert_callback, ringing)
    assert [offer.is_full for offer in offered(company, FRIEND)] == [True]


def add_version(
    company: Database, rows: list[Rate], deck_name: str = "retail", effective_at: object = LONG_AGO
) -> int:
    return company.call(
        "version",
        decks.add_version,
        deck_name=deck_name,
        new_rates=rows,
        effective_at=effective_at,  # type: ignore[arg-type]
        author=CLERK,
    )


def price(found: Rate | NoRate) -> Decimal:
    assert isinstance(found, Rate)
    return found.per_minute

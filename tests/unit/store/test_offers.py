"""What each trunk offers for a number: cost, state, what it may show, how its latest calls went."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import Connection
from storeworld import CLERK, FRIEND, LONG_AGO, NOW, PHONE, callback, leg, rate, seconds

from billing.exchange import ExchangeRate
from calls.callback import State
from calls.cdr import LegRole
from rating.deck import NoRate
from rating.origin import OriginClass
from rating.rate import Rate
from rating.routes import Offer, RejectionReason, Routes
from store import (
    authorisation,
    callbacks,
    callerids,
    decks,
    exchange,
    offers,
    plans,
    portednumbers,
    trunks,
)
from store.database import Database
from store.errors import Invalid, NotFound
from store.portednumbers import PortedNumber
from store.settlement import settle
from store.trunks import Trunk
from values.e164 import E164


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


def test_F140_a_carrier_s_hours_go_by_its_own_clock(company: Database) -> None:
    rows = [rate("44", "0.04"), rate("44", "0.09", band="peak"), rate("44", "0.02", band="offpeak")]
    add_version(company, rows, deck_name="carrier-x")
    east = company.read("trunk", trunks.trunk, "east")
    hours = "peak=Mo-Fr 08:00-18:00; offpeak=Mo-Fr 18:00-24:00"
    found = []
    # NOW is a Monday, 09:00 UTC: 18:00 in Tokyo, 01:00 in Los Angeles, which is none of its hours.
    for zone, bands in (
        ("UTC", ""),
        ("UTC", hours),
        ("Asia/Tokyo", hours),
        ("America/Los_Angeles", hours),
    ):
        company.call("bands", trunks.change_trunk, replace(east, zone=zone, bands=bands), CLERK)
        found.append(price(offered(company, PHONE)[0].rate))
    assert found == [Decimal("0.04"), Decimal("0.09"), Decimal("0.02"), Decimal("0.04")]


def test_a_trunk_s_bands_are_kept_in_one_form_and_refused_if_they_cannot_be_meant(company: Database) -> None:
    east = company.read("trunk", trunks.trunk, "east")
    made = company.call(
        "change", trunks.change_trunk, replace(east, bands=" peak=Mo,Tu,We 08:00-18:00 "), CLERK
    )
    assert made.bands == "peak=Mo-We 08:00-18:00"
    overlapping = replace(east, bands="peak=Mo 08:00-18:00; day=Mo 09:00-10:00")
    for wrong in (overlapping, replace(east, zone="Mars/Base")):
        with pytest.raises(Invalid):
            company.call("change", trunks.change_trunk, wrong, CLERK)


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


# what the rules read from the tables


def routes(company: Database, number: E164 = PHONE, *wishes: E164 | None) -> Routes:
    plan = company.read("plan", plans.plan, "standard:1")
    priced = company.read("price", authorisation.price_of, plan, number, NOW)
    assert isinstance(priced, authorisation.Priced)
    return company.read("routes", authorisation.routes_to, plan, priced, NOW, wishes=wishes or (None,))


def test_F059_a_cost_in_another_currency_is_compared_once_there_is_a_rate(company: Database) -> None:
    company.call("deck", decks.add_deck, name="dollars", kind="cost", currency="USD", author=CLERK)
    add_version(company, [rate("44", "0.055", currency="USD")], deck_name="dollars")
    west = Trunk(name="west", carrier="dollars", cost_deck="dollars")
    company.call("add", trunks.add_trunk, west, CLERK)
    assert [each.reason for each in routes(company).rejected] == [RejectionReason.OTHER_CURRENCY]
    dated = ExchangeRate(base="EUR", quote="USD", rate=Decimal("1.10"), on=LONG_AGO.date())
    company.call("exchange", exchange.set_rate, dated, CLERK)
    found = routes(company)
    assert [(each.trunk, each.cost_per_minute) for each in found.chosen] == [
        ("east", Decimal("0.04")),
        ("west", Decimal("0.05")),
    ]


def test_R27_the_longest_prefix_of_a_trunk_s_permits_decides(company: Database) -> None:
    every = frozenset(OriginClass)
    for prefix, permitted in (("", every), ("44", frozenset({OriginClass.EEA}))):
        permit = callerids.Permit(trunk="east", prefix=prefix, permitted=permitted)
        company.call("permit", callerids.set_permit, permit, CLERK)
    (british,) = offered(company, PHONE, FRIEND)
    assert not british.may_show
    (american,) = offered(company, FRIEND, PHONE)
    assert (american.shown, american.origin) == (PHONE, OriginClass.NON_EEA)
    company.call("remove", callerids.remove_permit, "east", "44", CLERK)
    assert offered(company, PHONE, FRIEND)[0].shown == FRIEND
    with pytest.raises(NotFound):
        company.call("remove", callerids.remove_permit, "east", "44", CLERK)


def test_F141_a_ported_number_costs_what_its_network_costs_from_its_day_on(company: Database) -> None:
    moved = PortedNumber(number=PHONE, routing_code="1", valid_from=NOW)
    company.call("ported", portednumbers.set_ported, moved, CLERK)

    def code_at(connection: Connection, at: datetime) -> str:
        return portednumbers.PortedNumbers(connection).resolve(PHONE, at)

    assert [company.read("ask", code_at, at) for at in (seconds(-1), NOW)] == ["", "1"]
    (east,) = offered(company, PHONE)
    assert price(east.rate) == Decimal("0.09")
    back = PortedNumber(number=PHONE, routing_code="", valid_from=seconds(60))
    company.call("ported", portednumbers.set_ported, back, CLERK)
    assert len(company.read("list", portednumbers.list_ported, PHONE)) == 2


def test_R36_a_trunk_whose_latest_calls_fail_rests_for_an_hour(company: Database) -> None:
    east = company.read("trunk", trunks.trunk, "east")
    company.call("floor", trunks.change_trunk, replace(east, asr_floor_percent=40), CLERK)

    def fail(connection: Connection) -> None:
        # Twenty callbacks that nobody answered, the last one just now.
        for number in range(20):
            first = callback(f"cb{number}")
            missed = leg(first, LegRole.A, ordered_at=NOW, hung_up_at=seconds(number - 30), q850_cause=18)
            callbacks.insert_callback(connection, replace(first, legs=(missed,)), announce=False)
            ended = replace(first, legs=(missed,), state=State.UNANSWERED, ended_at=seconds(number - 30))
            settle(connection, ended)

    company.call("fail", fail)
    (rests,) = offered(company, PHONE)
    assert rests.quality == "0.00 % of its last 20 calls were answered, 40 % are asked"
    (later,) = company.read("later", offers.offers, PHONE, NOW + timedelta(hours=1), wishes=(None,))
    assert later.quality == ""

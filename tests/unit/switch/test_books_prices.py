"""What is fixed when a leg is authorised is what is billed: bands, surcharges, packages of minutes."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from desk_of_books import Office
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from storeworld import CLERK, FRIEND, LONG_AGO, NOW, PHONE, SHARED_DID, callback, rate

from calls.callback import Callback
from calls.cdr import LegRole
from rating.bands import read_bands
from rating.origin import OriginClass
from rating.packages import Package
from rating.plan import ALegPolicy
from rating.quote import Course, QuotedLeg, quote
from rating.rate import Rate, Surcharge
from store import authorisation, callerids, customers, ledger, packages, plans
from store.callerids import Permit
from store.cdrs import CallRecord, list_cdrs
from store.customers import Subscriber
from store.decks import add_version
from store.explanations import explanation
from values.e164 import E164

BENS = E164.parse("+442079460155")
PARIS = E164.parse("+33142685300")


@pytest.fixture
def office(tables: Path, tmp_path: Path) -> Iterator[Callable[..., Office]]:
    made: list[Office] = []

    def make(credit_units: int = 50_0000, **terms: Any) -> Office:
        path = tmp_path / f"dialback{len(made)}.db"
        path.write_bytes(tables.read_bytes())
        made.append(Office(f"sqlite:///{path}", credit_units, **terms))
        return made[-1]

    yield make
    for each in made:
        each.database.close()


def sell(desk: Office, *rows: Rate) -> None:
    desk.database.call(
        "rates", add_version, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK
    )


def cost(desk: Office, *rows: Rate) -> None:
    for name in ("carrier-x", "carrier-y"):
        desk.database.call(
            "rates", add_version, deck_name=name, new_rates=rows, effective_at=LONG_AGO, author=CLERK
        )


def finish(desk: Office) -> dict[str, CallRecord]:
    """A leaves; the records of the callback by role and place."""
    desk.hang_up(desk.now.legs[0].id)
    found = desk.database.read("cdrs", list_cdrs, callback_id=desk.now.id)
    return {each.cdr.leg_id.rpartition("-")[2]: each for each in found}


def amount(record: CallRecord) -> Decimal:
    assert record.charge is not None
    return record.charge.amount


# bands


def test_F140_W44_a_band_is_that_of_the_authorisation_and_holds_for_the_whole_call(
    office: Callable[..., Office],
) -> None:
    # NOW is a Monday, 09:00 UTC; the band ends half a minute after B is authorised.
    ends = NOW + timedelta(minutes=1)
    bands = read_bands(f"peak=Mo-Su 00:00-{ends:%H:%M}")
    desk = office(bands=bands, a_leg_policy=ALegPolicy.FREE)
    sell(desk, rate("44", "0.10"), rate("1", "0.085", band="peak"), rate("1", "0.090"))
    cost(desk, rate("44", "0.04"), rate("1", "0.05"))
    desk.seconds = 20
    desk.answered_and_accepted()
    desk.seconds = 30
    desk.dial(FRIEND)
    desk.seconds = 40
    desk.talk(120)
    first = finish(desk)["b1"]
    assert first.charge is not None
    assert (first.charge.band, first.charge.amount) == ("peak", Decimal("0.1700"))


def test_F140_the_next_destination_of_the_call_is_priced_by_the_band_of_its_own_time(
    office: Callable[..., Office],
) -> None:
    ends = NOW + timedelta(minutes=1)
    desk = office(bands=read_bands(f"peak=Mo-Su 00:00-{ends:%H:%M}"), a_leg_policy=ALegPolicy.FREE)
    sell(desk, rate("44", "0.10"), rate("1", "0.30", band="peak"), rate("1", "0.12"))
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    desk.talk(60)
    desk.dial(FRIEND)
    desk.talk(60)
    legs = finish(desk)
    assert (amount(legs["b1"]), amount(legs["b2"])) == (Decimal("0.3000"), Decimal("0.1200"))


# what the caller ID costs


def surcharged(per_minute: str, prefix: str = "33", **fields: Any) -> Rate:
    dear = Surcharge(origin=OriginClass.NON_EEA, per_minute=Decimal("0.25"))
    return rate(prefix, per_minute, surcharges=(dear,), **fields)


def test_F139_R38_W45_the_surcharge_of_the_caller_id_is_held_billed_and_paid(
    office: Callable[..., Office],
) -> None:
    desk = office(a_leg_policy=ALegPolicy.FREE, first_increment_s=1)
    sell(desk, rate("44", "0.10"), surcharged("0.02"))
    cost(desk, rate("44", "0.04"), surcharged("0.01"))
    desk.answered_and_accepted()
    desk.dial(PARIS)
    leg = desk.now.leg_b
    assert leg is not None
    assert (leg.origin_class, leg.surcharge_per_minute) == ("non_eea", 25_000_000)
    assert leg.caller_id_shown == PHONE  # a British number, and Britain is not in the EEA
    desk.talk(300)
    record = finish(desk)["b1"]
    assert amount(record) == Decimal("1.3500")
    assert record.cost == Decimal("1.3000")
    explained = desk.database.read("explain", explanation, leg.id)
    assert explained.agrees
    assert (explained.caller_id, explained.origin_class) == (str(PHONE), "non_eea")


def test_R27_where_a_trunk_may_not_show_the_number_our_did_is_shown_and_priced(
    office: Callable[..., Office],
) -> None:
    desk = office(a_leg_policy=ALegPolicy.FREE)
    sell(desk, rate("44", "0.10"), surcharged("0.20"))
    cost(desk, rate("44", "0.04"), rate("33", "0.01"))
    desk.database.call("did", customers_did, "+33142685399")
    permitted = frozenset({OriginClass.SAME_COUNTRY, OriginClass.EEA})
    for trunk in ("east", "west"):
        desk.database.call(
            "permit", callerids.set_permit, Permit(trunk=trunk, prefix="33", permitted=permitted), CLERK
        )
    desk.answered_and_accepted()
    desk.dial(PARIS)
    leg = desk.now.leg_b
    assert leg is not None
    assert (str(leg.caller_id_shown), leg.origin_class, leg.surcharge_per_minute) == (
        "+33142685399",
        "same_country",
        0,
    )


def customers_did(connection: Any, number: str) -> None:
    from store.dids import SHARED, Did, add_did

    add_did(connection, Did(number=E164.parse(number), kind=SHARED), CLERK)


# packages


def packaged(
    office: Callable[..., Office], seconds: int, credit_units: int = 50_0000, **terms: Any
) -> Office:
    return office(
        credit_units,
        package_seconds=seconds,
        overage_per_minute=Decimal("0.60"),
        a_leg_policy=ALegPolicy.FREE,
        talk_seconds_max=600,
        **terms,
    )


def package_of(desk: Office) -> Package:
    plan = desk.database.read("plan", plans.plan, desk.now.plan_id)
    return desk.database.read("package", packages.package, "acme", plan, desk.wall())


def test_R17_F055_minutes_of_the_package_go_before_money_and_are_used_once(
    office: Callable[..., Office],
) -> None:
    desk = packaged(office, 100)
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    desk.talk(60)
    desk.dial(FRIEND)
    desk.talk(60)
    legs = finish(desk)
    first, second = legs["b1"].charge, legs["b2"].charge
    assert first is not None
    assert second is not None
    assert (first.package_seconds, first.amount) == (60, Decimal(0))
    # 40 s are left; 20 s at 0.60 a minute.
    assert (second.package_seconds, second.amount) == (40, Decimal("0.2000"))
    after = package_of(desk)
    assert (after.used, after.promised, after.left) == (100, 0, 0)


def test_seconds_promised_to_a_call_that_runs_are_not_promised_again(office: Callable[..., Office]) -> None:
    desk = packaged(office, 900)
    add_ben(desk)
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    annas = desk.now
    assert annas.leg_b is not None
    assert annas.leg_b.package_seconds == 600  # all that the longest talk can use
    desk.begin(callback("cb-ben", plan_id=annas.plan_id, subscriber_id="ben", number_a=BENS))
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    assert desk.now.leg_b is not None
    assert desk.now.leg_b.package_seconds == 300
    desk.talk(400)
    bens = finish(desk)["b1"].charge
    assert bens is not None
    assert (bens.package_seconds, bens.amount) == (300, Decimal("1.0000"))
    desk.now = annas
    desk.talk(10)
    finish(desk)
    after = package_of(desk)
    assert (after.used, after.promised, after.left) == (300 + 30, 0, 900 - 330)


def test_the_longest_talk_knows_what_the_package_pays_for(office: Callable[..., Office]) -> None:
    # 0.50 is 50 s at 0.60 a minute; with 120 s covered, 170 s.
    desk = packaged(office, 120, credit_units=5000, connect_fee=Decimal(0))
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    assert desk.now.leg_b is not None
    assert desk.now.leg_b.talk_seconds_max == 170
    hold = desk.database.read("hold", ledger.hold_of, desk.now.id)
    assert hold is not None
    assert hold.units == 5000


def test_destinations_outside_the_package_cost_the_deck_s_rate(office: Callable[..., Office]) -> None:
    desk = packaged(office, 600, package_prefixes=("44",))
    desk.answered_and_accepted()
    desk.dial(FRIEND)
    assert desk.now.leg_b is not None
    assert desk.now.leg_b.package_seconds == 0
    desk.talk(60)
    assert amount(finish(desk)["b1"]) == Decimal("0.2500")


def add_ben(desk: Office) -> None:
    ben = Subscriber(id="ben", account_id="acme", name="Ben Example", home_country="GB")
    desk.database.call("subscriber", customers.add_subscriber, ben, CLERK)
    desk.database.call(
        "number", customers.add_number, subscriber_id="ben", number=BENS, author=CLERK, verified=True
    )


# a quote is the bill


# A store for each example: shrinking a failure would take minutes and tell little more.
@settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    policy=st.sampled_from(ALegPolicy),
    key_after=st.integers(0, 9),
    ring=st.integers(1, 40),
    talk=st.integers(1, 400),
    stays=st.integers(0, 20),
    package=st.sampled_from([0, 50, 10_000]),
    places=st.integers(2, 4),
    least=st.sampled_from([None, Decimal("0.05")]),
    free_below=st.sampled_from([0, 30]),
    is_peak=st.booleans(),
    dialled=st.sampled_from([FRIEND, PARIS]),
)
def test_F135_F142_R33_a_quote_is_the_bill_of_the_same_call(
    office: Callable[..., Office], **drawn: Any
) -> None:
    terms = {
        "a_leg_policy": drawn["policy"],
        "package_seconds": drawn["package"],
        "amount_places": drawn["places"],
        "call_price_min": drawn["least"],
        "free_below_seconds": drawn["free_below"],
        "bands": read_bands("peak=Mo-Su 00:00-24:00") if drawn["is_peak"] else (),
        "talk_seconds_max": 600,
    }
    desk = office(**terms)
    sell(
        desk,
        rate("44", "0.10"),
        rate("44", "0.137", band="peak"),
        rate("1", "0.25", next_per_minute=Decimal("0.2333")),
        surcharged("0.05", band="peak", first_increment_s=6, next_increment_s=6),
        surcharged("0.07", connect_fee=Decimal("0.031")),
    )
    cost(desk, rate("44", "0.01"), rate("1", "0.01"), surcharged("0.01"))
    course = Course(
        answered_at=desk.wall(),
        keyed_after=drawn["key_after"],
        connected_after=drawn["key_after"] + drawn["ring"],
        talk_seconds=drawn["talk"],
        stays_for=drawn["stays"],
    )
    quoted = desk.database.read("quote", quote_of, desk.now, drawn["dialled"], course)
    desk.take(None, desk.books.authorise_a)
    play_by(desk, course, drawn["dialled"])
    records = finish(desk)
    assert [amount(records["a1"]), amount(records["b1"])] == [each.amount for each in quoted.charges]
    assert [records["a1"].charge, records["b1"].charge] == list(quoted.charges)
    for record in records.values():
        assert desk.database.read("explain", explanation, record.cdr.leg_id).agrees


def quote_of(connection: Any, now: Callback, dialled: E164, course: Course) -> Any:
    """What `dialback quote` asks: row, route, pins and package of both legs."""
    plan = plans.plan(connection, now.plan_id)
    at = course.answered_at
    offered_a = authorisation.offer(connection, plan, PHONE, at, wishes=(SHARED_DID,))
    offered_b = authorisation.offer(connection, plan, dialled, at, wishes=(PHONE,))
    assert isinstance(offered_a, authorisation.Offered)
    assert isinstance(offered_b, authorisation.Offered)
    left = authorisation.package_left(connection, "acme", plan, dialled, at)
    a = QuotedLeg(number=PHONE, rate=offered_a.price, pins=offered_a.pins(plan, LegRole.A))
    b = QuotedLeg(number=dialled, rate=offered_b.price, pins=offered_b.pins(plan, LegRole.B, left))
    return quote(plan=plan, a=a, b=b, course=course)


def play_by(desk: Office, course: Course, dialled: E164) -> None:
    """Let the callback go as the course says."""
    from calls import events

    leg_id = desk.now.legs[0].id
    desk.take(events.LegAnswered(at=desk.wall(), leg_id=leg_id))
    desk.seconds = course.keyed_after
    desk.take(events.Accepted(at=desk.wall(), leg_id=leg_id))
    desk.dial(dialled)
    desk.seconds = course.connected_after
    desk.talk(course.talk_seconds)
    desk.seconds += course.stays_for

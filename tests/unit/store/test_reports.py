"""Reports against a count by hand over the very records, on each engine."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from moneyed import Money
from sqlalchemy import Connection, text, update
from storeworld import CLERK, NOW, advance, callback, leg, play, seconds, story
from week import week

from billing.ledger import LedgerAccount, LedgerAccountKind
from billing.reconcile import Outcome, Tolerance, reconcile
from billing.span import Span
from calls import events
from calls.callback import Callback, OriginKind, ReleasedBy
from calls.cdr import LegRole
from calls.falseanswers import Tally, score, tally
from calls.quality import NER_CAUSES, total
from rating.price import talk_seconds
from store import callbacks, carrierbills, creditnotes, funnels, ledger, receivables, reports, traffic
from store.cdrs import CallRecord, list_cdrs
from store.database import Database
from store.errors import NotFound
from store.funnels import FunnelBy
from store.grouping import By, Wanted, destinations
from store.schema import settlements
from values.money import decimal_units

ZONE = "Pacific/Kiritimati"
SPAN = Span(starts_at=NOW + timedelta(days=1), ends_at=NOW + timedelta(days=6), zone=ZONE)
ALWAYS = Span(starts_at=NOW - timedelta(days=1), ends_at=NOW + timedelta(days=30), zone="UTC")


ENGINES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
Played = tuple[Database, list[Callback]]


@pytest.fixture(scope="module", params=ENGINES)
def week_of(
    request: pytest.FixtureRequest, templates: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Played]:
    """The company after a week of calls; nobody changes it."""
    database = Database(templates.new(request.param, "company", tmp_path_factory.mktemp("week")))
    yield database, database.call("week", week, seed=7, calls=60)
    database.close()


@pytest.fixture
def company_after(week_of: Played) -> Database:
    return week_of[0]


@pytest.fixture
def played(week_of: Played) -> list[Callback]:
    return week_of[1]


def records(company: Database, span: Span) -> tuple[CallRecord, ...]:
    return company.read("cdrs", list_cdrs, since=span.starts_at, until=span.ends_at)


def local_day(instant: datetime) -> str:
    return instant.astimezone(ZoneInfo(ZONE)).date().isoformat()


CARRIERS = {"east": "carrier-x", "west": "carrier-y"}


def group_of(by: By, record: CallRecord, callbacks: dict[str, Callback]) -> str:
    made = callbacks[record.cdr.callback_id]
    match by:
        case By.DAY:
            return local_day(record.session_ended_at)
        case By.DESTINATION:
            return "Zone 44" if record.cdr.role is LegRole.A else "Zone 1"
        case By.CARRIER:
            return CARRIERS[record.cdr.trunk]
        case By.ACCOUNT:
            return "acme"
        case By.SUBSCRIBER:
            return f"acme/{record.subscriber_id}"
        case By.TAG:
            return f"acme/{record.tag or '-'}"
        case By.TRIGGER:
            return str(made.origin.did or made.origin.kind)


@pytest.mark.parametrize("by", list(By))
def test_use_is_what_a_clerk_would_add_up_from_the_records(
    company_after: Database, played: list[Callback], by: By
) -> None:
    by_id = {each.id: each for each in played}
    expected: dict[str, list[int]] = defaultdict(lambda: [0] * 5)
    callbacks: dict[str, set[str]] = defaultdict(set)
    for record in records(company_after, SPAN):
        name = group_of(by, record, by_id)
        callbacks[name].add(record.cdr.callback_id)
        charge = record.charge
        for place, value in enumerate(
            (
                1,
                record.cdr.answered_at is not None,
                talk_seconds(record.cdr.answered_at, record.cdr.hung_up_at),
                charge.billed_seconds if charge is not None else 0,
                decimal_units(charge.amount) if charge is not None else 0,
            )
        ):
            expected[name][place] += value
    found = company_after.read("usage", reports.usage, Wanted(by=by, span=SPAN))
    assert {each.group: each.callbacks for each in found} == {
        name: len(ids) for name, ids in callbacks.items()
    }
    assert {
        each.group: [each.legs, each.answered, each.talk_seconds, each.billed_seconds, each.amount_units]
        for each in found
    } == dict(expected)
    assert [each.group for each in found] == sorted(expected)
    assert {each.currency for each in found} == {"EUR"}


def test_V19_6_a_report_counts_a_call_that_ends_as_it_begins_and_none_that_ends_as_it_does(
    company: Database,
) -> None:
    first = callback()
    company.call("play", play, first, story(first))
    (ended_at,) = {each.session_ended_at for each in company.read("cdrs", list_cdrs, callback_id=first.id)}
    for starts_at, counts in ((ended_at, True), (ended_at - timedelta(days=1), False)):
        span = Span(starts_at=starts_at, ends_at=starts_at + timedelta(days=1), zone="UTC")
        for report in (reports.usage, reports.takings):
            assert bool(company.read("report", report, Wanted(by=By.ACCOUNT, span=span))) is counts
        wanted = Wanted(by=By.CARRIER, span=span)
        found = company.read("quality", traffic.traffic, wanted, ner_causes=NER_CAUSES)
        assert bool(found) is counts


def test_a_callback_that_rang_a_destination_twice_is_one_callback_of_it(company: Database) -> None:
    first = callback()
    busy, again = leg(first, LegRole.B), leg(first, LegRole.B, id="cb1-b2")
    *begun, _, end = story(first)
    told = [
        *begun[:6],
        events.LegHungUp(at=seconds(40), leg_id=busy.id, q850_cause=17, released_by=ReleasedBy.FAR),
        events.DestinationKeyed(at=seconds(45), number=busy.number),
        events.DestinationAuthorised(at=seconds(45), legs=(again,), hold_units=50_000),
        events.LegAnswered(at=seconds(50), leg_id=again.id),
        events.LegHungUp(at=seconds(60), leg_id=again.id, q850_cause=16, released_by=ReleasedBy.FAR),
        replace(end, at=seconds(65)),
    ]
    company.call("play", play, first, told)
    found = company.read("usage", reports.usage, Wanted(by=By.DESTINATION, span=ALWAYS))
    assert [(each.group, each.callbacks, each.legs) for each in found] == [
        ("Zone 1", 1, 2),
        ("Zone 44", 1, 1),
    ]


@pytest.mark.parametrize("by", list(By))
def test_F154_margin_is_price_less_the_costs_of_both_legs_to_the_last_digit(
    company_after: Database, played: list[Callback], by: By
) -> None:
    by_id = {each.id: each for each in played}
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for record in records(company_after, SPAN):
        if record.charge is not None:
            assert record.cost is not None
            expected[group_of(by, record, by_id)] += record.charge.amount - record.cost
    found = company_after.read("takings", reports.takings, Wanted(by=by, span=SPAN))
    assert {each.group: each.takings.margin_units for each in found} == {
        name: decimal_units(margin) for name, margin in expected.items()
    }
    assert all(
        each.takings.cost_a_units + each.takings.cost_b_units == each.takings.cost_units for each in found
    )


def test_F154_the_margin_of_all_calls_is_what_the_books_say(
    company_after: Database, played: list[Callback]
) -> None:
    found = company_after.read("takings", reports.takings, Wanted(by=By.DAY, span=ALWAYS))
    (whole,) = reports.total_takings(found)
    revenue, cost = (
        company_after.read("balance", ledger.balance_units, LedgerAccount(kind=kind), "EUR")
        for kind in (LedgerAccountKind.REVENUE, LedgerAccountKind.CARRIER_COST)
    )
    assert (whole.price_units, -whole.cost_units) == (revenue, cost)
    assert whole.margin_units == revenue + cost
    assert whole.margin_percent is not None


def waive(connection: Connection, callback_id: str) -> None:
    """As if a call had cost 0.0100 more than its hold."""
    connection.execute(text("DROP TRIGGER IF EXISTS settlements_no_update" + on_table(connection)))
    connection.execute(
        update(settlements).where(settlements.c.callback_id == callback_id).values(waived_units=100)
    )


def on_table(connection: Connection) -> str:
    return "" if connection.dialect.name == "sqlite" else " ON settlements"


@pytest.mark.parametrize("by", list(By))
def test_what_was_waived_is_no_revenue_whatever_the_lines_are(company: Database, by: By) -> None:
    played = company.call("week", week, seed=3, calls=8)
    before = company.read("usage", reports.usage, Wanted(by=by, span=ALWAYS))
    talked = next(each for each in played if each.has_talked)
    company.call("waive", waive, talked.id)
    after = company.read("usage", reports.usage, Wanted(by=by, span=ALWAYS))
    assert sum(each.amount_units for each in after) == sum(each.amount_units for each in before) - 100
    (whole,) = reports.total_takings(company.read("takings", reports.takings, Wanted(by=by, span=ALWAYS)))
    assert whole.price_units == sum(each.amount_units for each in after)


@pytest.mark.parametrize("by", list(By))
def test_F154_what_was_given_back_before_the_invoice_is_no_revenue_either_as_in_the_books(
    company: Database, by: By
) -> None:
    other = callback("other")
    company.call("play", play, callback(), story(callback()))
    company.call("play", play, other, story(other, 90))
    author = replace(CLERK, at=NOW + timedelta(days=40), reason="one-way sound")
    for line, amount in (("cb1-b1", Money("0.05", "EUR")), ("other", None)):
        company.call("credit", creditnotes.issue, line, amount, f"case {line}", author)
    wanted = Wanted(by=by, span=ALWAYS)
    assert sum(each.amount_units for each in company.read("usage", reports.usage, wanted)) == 2342 - 500
    (whole,) = reports.total_takings(company.read("takings", reports.takings, wanted))
    revenue = LedgerAccount(kind=LedgerAccountKind.REVENUE)
    assert whole.price_units == company.read("balance", ledger.balance_units, revenue, "EUR") == 2342 - 500


def keyed_under(made: Callback, tag: str) -> list[Any]:
    """Its story, with the destination keyed under that tag."""
    return [
        replace(each, legs=tuple(replace(leg_b, tag=tag) for leg_b in each.legs))
        if isinstance(each, events.DestinationAuthorised)
        else each
        for each in story(made)
    ]


def test_F064_what_was_waived_stands_under_the_tag_that_the_invoice_puts_it_under(company: Database) -> None:
    plain = callback()
    asked = replace(plain, origin=replace(plain.origin, tag="asked"))
    company.call("play", play, asked, keyed_under(asked, "keyed"))
    company.call("waive", waive, asked.id)
    found = company.read("usage", reports.usage, Wanted(by=By.TAG, span=ALWAYS))
    assert {each.group: each.amount_units for each in found} == {"acme/keyed": 2342 - 100}


def test_the_funnel_counts_a_callback_under_the_tag_of_its_call_else_under_the_one_it_was_asked_with(
    company: Database,
) -> None:
    plain = callback()
    asked = replace(plain, origin=replace(plain.origin, tag="asked"))
    company.call("play", play, asked, keyed_under(asked, "keyed"))
    waits = replace(asked, id="cb2", origin=replace(asked.origin, trigger_id="t2"))
    company.call("create", callbacks.insert_callback, waits)
    found = company.read("funnel", funnels.funnels, ALWAYS, FunnelBy.TAG)
    assert {name: (each.authorised, each.b_answered) for name, each in found.items()} == {
        "acme/keyed": (1, 1),
        "acme/asked": (1, 0),
    }


@pytest.mark.parametrize("by", list(By))
@pytest.mark.parametrize("role", [None, LegRole.A, LegRole.B])
def test_R_29_quality_counts_every_attempt(
    company_after: Database, played: list[Callback], by: By, role: LegRole | None
) -> None:
    by_id = {each.id: each for each in played}
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    for record in records(company_after, SPAN):
        cdr = record.cdr
        if role not in {None, cdr.role}:
            continue
        counts = expected[group_of(by, record, by_id)]
        counts["attempts"] += 1
        counts["answered"] += cdr.answered_at is not None
        counts["reached"] += cdr.answered_at is not None or cdr.q850_cause in NER_CAUSES
        counts["seconds"] += talk_seconds(cdr.answered_at, cdr.hung_up_at)
        until = cdr.rang_at or (cdr.hung_up_at if cdr.answered_at is None else None)
        if until is not None:
            counts["pdd_seen"] += 1
            counts["pdd"] += (until - cdr.invited_at) // timedelta(milliseconds=1)
    found = company_after.read(
        "traffic", traffic.traffic, Wanted(by=by, span=SPAN), ner_causes=NER_CAUSES, role=role
    )
    assert {
        name: (seen.attempts, seen.answered, seen.reached, seen.answered_seconds, seen.pdd_seen)
        for name, seen in found.items()
    } == {
        name: tuple(counts[key] for key in ("attempts", "answered", "reached", "seconds", "pdd_seen"))
        for name, counts in expected.items()
    }
    for name, seen in found.items():
        assert abs(seen.pdd_milliseconds - expected[name]["pdd"]) <= expected[name]["pdd_seen"]
    assert any(seen.answered < seen.attempts for seen in found.values())


def steps(made: Callback) -> tuple[int, ...]:
    leg_a = made.leg_a
    return (
        1,
        int(leg_a is not None),
        int(leg_a is not None and leg_a.answered_at is not None),
        int(made.accepted_at is not None),
        int(bool(made.legs_b)),  # every keyed destination of this company may be dialled
        int(made.has_talked),
    )


def test_F151_each_step_of_the_funnel_is_a_count_of_records(
    company_after: Database, played: list[Callback]
) -> None:
    expected: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for made in played:
        if SPAN.starts_at <= made.created_at < SPAN.ends_at:
            for place, value in enumerate(steps(made)):
                expected[local_day(made.created_at)][place] += value
    found = company_after.read("funnel", funnels.funnels, SPAN, FunnelBy.DAY)
    assert {
        name: [
            each.authorised,
            each.originated,
            each.a_answered,
            each.accepted,
            each.keyed,
            each.b_answered,
        ]
        for name, each in found.items()
    } == dict(expected)
    rings = company_after.read(
        "rings",
        lambda connection: connection.execute(
            text("SELECT count(*) FROM triggers WHERE received_at >= :a AND received_at < :b"),
            {"a": micros(SPAN.starts_at), "b": micros(SPAN.ends_at)},
        ).scalar_one(),
    )
    asked = sum(
        made.origin.kind is not OriginKind.RING and SPAN.starts_at <= made.created_at < SPAN.ends_at
        for made in played
    )
    assert sum(each.wishes for each in found.values()) == rings + asked
    for each in found.values():
        way = [each.wishes, each.authorised, each.originated, each.a_answered, each.accepted, each.keyed]
        assert way == sorted(way, reverse=True)


def micros(instant: datetime) -> int:
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def test_F151_the_time_from_trigger_to_ringing_is_told_by_country_and_carrier(
    company_after: Database, played: list[Callback]
) -> None:
    delays: dict[str, list[int]] = defaultdict(list)
    for made in played:
        if made.origin.kind is OriginKind.RING and made.leg_a and made.leg_a.rang_at:
            delay = (made.leg_a.rang_at - made.origin.received_at) // timedelta(milliseconds=1)
            delays[CARRIERS[made.leg_a.trunk]].append(delay)
    by_carrier = company_after.read("funnel", funnels.funnels, ALWAYS, FunnelBy.CARRIER)
    for carrier in CARRIERS.values():
        assert list(by_carrier[carrier].ring_milliseconds) == sorted(delays[carrier])
    assert by_carrier["-"].authorised == 0  # refused rings have no carrier
    by_country = company_after.read("funnel", funnels.funnels, ALWAYS, FunnelBy.COUNTRY)
    assert set(by_country) == {"GB", "US"}
    assert (by_country["US"].authorised, by_country["GB"].authorised) == (0, len(played))
    assert by_country["GB"].ring_p95_seconds is not None


def destination_dialled(made: Callback, rate_names: dict[str, str]) -> str:
    dialled = [leg for leg in made.legs_b if leg.ordered_at is not None]
    return rate_names[dialled[-1].price_rate_id] if dialled else "-"


@pytest.mark.parametrize("by", [FunnelBy.SUBSCRIBER, FunnelBy.DESTINATION])
def test_the_funnel_goes_by_subscriber_and_by_the_last_destination_as_a_hand_count_does(
    company_after: Database, played: list[Callback], by: FunnelBy
) -> None:
    def named(connection: Connection) -> dict[str, str]:
        return destinations(connection, (leg.price_rate_id for made in played for leg in made.legs_b))

    rate_names = company_after.read("names", named)
    expected: dict[str, list[int]] = defaultdict(lambda: [0] * 6)
    for made in played:
        group = {
            FunnelBy.SUBSCRIBER: f"{made.account_id}/{made.subscriber_id}",
            FunnelBy.DESTINATION: destination_dialled(made, rate_names),
        }[by]
        for place, value in enumerate(steps(made)):
            expected[group][place] += value
    assert len(expected) > 1
    found = company_after.read("funnel", funnels.funnels, ALWAYS, by)
    assert {
        name: [each.authorised, each.originated, each.a_answered, each.accepted, each.keyed, each.b_answered]
        for name, each in found.items()
        if each.authorised
    } == dict(expected)
    results = company_after.read("results", funnels.results, ALWAYS, by)
    assert {each.group: each.callbacks for each in results} == {
        name: numbers[0] for name, numbers in expected.items()
    }


@pytest.mark.parametrize("by", list(FunnelBy))
def test_the_funnels_of_all_groupings_sum_up_to_the_same(
    company_after: Database, played: list[Callback], by: FunnelBy
) -> None:
    found = company_after.read("funnel", funnels.funnels, ALWAYS, by)
    assert sum(each.authorised for each in found.values()) == len(played)
    assert sum(each.b_answered for each in found.values()) == sum(made.has_talked for made in played)


def test_F080_results_and_reconnect_rate_by_day_equal_a_hand_count(
    company_after: Database, played: list[Callback]
) -> None:
    expected: dict[str, Counter[str]] = defaultdict(Counter)
    attempted: Counter[str] = Counter()
    answered: Counter[str] = Counter()
    for made in played:
        day = local_day(made.created_at)
        expected[day][str(made.state)] += 1
        assert made.state.is_end
        attempted[day] += made.leg_a is not None
        answered[day] += made.leg_a is not None and made.leg_a.answered_at is not None
    everything = Span(starts_at=ALWAYS.starts_at, ends_at=ALWAYS.ends_at, zone=ZONE)
    found = company_after.read("results", funnels.results, everything, FunnelBy.DAY)
    assert {each.group: dict(each.results) for each in found} == {
        day: dict(states) for day, states in expected.items()
    }
    assert {each.group: (each.attempted, each.answered) for each in found} == {
        day: (attempted[day], answered[day]) for day in expected
    }


def test_what_an_account_owes_sums_up_to_its_balance_and_is_not_due_before_an_invoice_asks_for_it(
    company_after: Database, played: list[Callback]
) -> None:
    (found,) = company_after.read("ageing", receivables.receivables, NOW + timedelta(days=34))
    balance = company_after.read("balance", ledger.balance_units, ledger.receivable("acme"), "EUR")
    assert found.ageing.owed_units == -balance
    assert found.ageing.open_units == (-balance, 0, 0, 0, 0)
    assert company_after.read("ageing", receivables.receivables, NOW - timedelta(days=9)) == ()


def test_F067_what_is_unbilled_now_is_what_all_calls_cost(
    company_after: Database, played: list[Callback]
) -> None:
    (found,) = company_after.read("unbilled", receivables.unbilled)
    whole = company_after.read("usage", reports.usage, Wanted(by=By.ACCOUNT, span=ALWAYS))
    assert (found.account_id, found.units) == ("acme", whole[0].amount_units)
    assert company_after.read("unbilled", receivables.unbilled, account_id="nobody") == ()


def test_F151_ten_failures_in_a_row_are_an_alarm_and_a_busy_far_end_is_none(company: Database) -> None:
    def fail(number: int, *causes: int) -> None:
        first = callback(f"f{number:03}", deadline_at=seconds(number))
        for attempt, cause in enumerate(causes, 1):
            tried = replace(leg(first, LegRole.A), id=f"{first.id}-a{attempt}")
            at = number + attempt / 10
            told = (
                events.DialAuthorised(at=seconds(at), leg=tried, hold_units=500),
                events.LegHungUp(
                    at=seconds(at + 0.05), leg_id=tried.id, q850_cause=cause, released_by=ReleasedBy.FAR
                ),
            )
            if attempt == 1:
                now: Callback = company.call("fail", play, first, told)
            else:
                for event in told:
                    now = company.call("fail", advance, now, event)

    for number in range(4):
        fail(number, 34, 34)
    assert company.read("alarms", traffic.failures_in_a_row, 9) == ()
    fail(4, 34, 27)
    (alarm,) = company.read("alarms", traffic.failures_in_a_row, 10)
    assert (alarm.trunk, alarm.carrier, alarm.failures, alarm.last_cause) == ("east", "carrier-x", 10, 27)
    fail(5, 19)
    assert company.read("alarms", traffic.failures_in_a_row, 2) == ()


def test_F152_the_latest_answers_of_each_carrier_are_judged(
    company_after: Database, played: list[Callback]
) -> None:
    wanted = Wanted(by=By.CARRIER, span=ALWAYS)
    found = company_after.read("answers", traffic.latest_answers, wanted, latest=5, role=LegRole.B)
    newest: dict[str, list[datetime]] = defaultdict(list)
    for record in sorted(records(company_after, ALWAYS), key=lambda each: each.cdr.hung_up_at, reverse=True):
        if record.cdr.role is LegRole.B and record.cdr.answered_at is not None:
            newest[CARRIERS[record.cdr.trunk]].append(record.cdr.hung_up_at)
    assert {name: [each.hung_up_at for each in answers] for name, answers in found.items()} == {
        name: ends[:5] for name, ends in newest.items()
    }
    assert not score(tally(found["carrier-x"]), Tally()).is_flagged


def test_F153_our_side_of_a_carriers_bill_is_its_answered_legs(
    company_after: Database, played: list[Callback]
) -> None:
    mine = [
        record
        for record in records(company_after, ALWAYS)
        if CARRIERS[record.cdr.trunk] == "carrier-y"
        and record.cdr.answered_at is not None
        and SPAN.starts_at <= record.cdr.answered_at < SPAN.ends_at
    ]
    found = company_after.read(
        "calls", carrierbills.our_calls, "carrier-y", SPAN, beyond=timedelta(minutes=2)
    )
    counted = [each for each in found if each.counts]
    assert {(each.key, each.seconds, each.cost) for each in counted} == {
        (record.cdr.leg_id, talk_seconds(record.cdr.answered_at, record.cdr.hung_up_at), record.cost)
        for record in mine
    }
    assert {each.outcome for each in reconcile(found, found, Tolerance())} == {Outcome.MATCHED}
    with pytest.raises(NotFound, match="no trunk is of carrier 'nobody'"):
        company_after.read("calls", carrierbills.our_calls, "nobody", SPAN, beyond=timedelta(0))


def test_only_one_accounts_or_carriers_legs_are_reported_where_asked(
    company_after: Database, played: list[Callback]
) -> None:
    assert (
        company_after.read("usage", reports.usage, Wanted(by=By.DAY, span=ALWAYS, account_id="nobody")) == ()
    )
    both = company_after.read("usage", reports.usage, Wanted(by=By.CARRIER, span=ALWAYS))
    one = company_after.read("usage", reports.usage, Wanted(by=By.CARRIER, span=ALWAYS, carrier="carrier-y"))
    assert one == tuple(each for each in both if each.group == "carrier-y")
    days = company_after.read(
        "traffic", traffic.traffic, Wanted(by=By.DAY, span=ALWAYS, carrier="carrier-y"), ner_causes=NER_CAUSES
    )
    assert total(days.values()).attempts == one[0].legs

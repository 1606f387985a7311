"""What an invoice says: periods, lines, summaries, totals."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from priced import a_plan, a_rate, an_invoice, rated

from billing.invoice import GIVEN_BACK, LineKind
from billing.particulars import CallCredit, Payment, TaxGroup
from billing.period import Period, month
from rating.plan import ALegPolicy

MARCH = datetime(2026, 3, 10, 8, tzinfo=UTC)


def test_V19_6_a_period_is_half_open() -> None:
    march = month(2024, 3, "UTC")
    assert march.holds(datetime(2024, 3, 1, tzinfo=UTC))
    assert march.holds(datetime(2024, 3, 31, 23, 59, 59, tzinfo=UTC))
    assert not march.holds(datetime(2024, 4, 1, tzinfo=UTC))


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Asia/Kolkata", "Europe/London", "Pacific/Honolulu"])
def test_twelve_months_leave_no_gap_and_no_overlap_over_daylight_saving(zone: str) -> None:
    months = [month(2026, number, zone) for number in range(1, 13)]
    for one, following in zip(months, [*months[1:], month(2027, 1, zone)], strict=True):
        assert one.ends_at == following.starts_at


def test_a_month_starts_at_midnight_of_its_zone() -> None:
    assert month(2026, 7, "Europe/London").starts_at == datetime(2026, 6, 30, 23, tzinfo=UTC)
    assert month(2026, 12, "Asia/Kolkata").ends_at == datetime(2026, 12, 31, 18, 30, tzinfo=UTC)


def test_a_period_holds_at_least_a_day() -> None:
    with pytest.raises(ValueError, match="period"):
        Period(first_day=date(2026, 3, 1), end_day=date(2026, 3, 1), zone="UTC")


def test_F068_a_callback_over_midnight_belongs_to_the_month_in_which_it_ended() -> None:
    # 23:59:30 local time in Paris on 31 March; it ends in April.
    over = rated(1, start=datetime(2026, 3, 31, 21, 59, 30, tzinfo=UTC))
    assert an_invoice([over]).sessions == ()
    april = an_invoice([over], period=month(2026, 4, "Europe/Paris"))
    assert [summary.label for summary in april.by_day] == ["2026-04-01"]
    assert april.lines[0].at.date() == date(2026, 3, 31)


def test_F144_lines_stand_by_callback_the_A_leg_first() -> None:
    invoice = an_invoice(
        [rated(2, start=MARCH + timedelta(hours=1)), rated(1, start=MARCH, b_seconds=(10, 12))]
    )
    assert [session.callback_id[-1] for session in invoice.sessions] == ["1", "2"]
    assert [line.leg_id[-2:] for line in invoice.lines] == ["a1", "b1", "b2", "a1", "b1"]
    first = invoice.sessions[0]
    assert first.amount == sum(line.amount for line in first.lines)


def test_F063_five_calls_give_five_lines_that_sum_to_the_total() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE)
    sessions = [rated(number, start=MARCH + timedelta(hours=number), plan=plan) for number in range(5)]
    invoice = an_invoice(sessions, plan=plan)
    talked = [line for line in invoice.lines if line.kind is LineKind.B_LEG]
    assert len(talked) == 5
    assert sum(line.amount for line in invoice.lines) + invoice.totals.rounding == invoice.totals.total


def test_a_line_shows_local_time_and_all_it_is_reckoned_from() -> None:
    line = an_invoice([rated(1, start=MARCH)]).lines[1]
    assert line.at.isoformat() == "2026-03-10T09:00:15+01:00"
    assert (line.number, line.destination, line.increments) == ("+12125550100", "United States", "30/1")
    assert (line.talk_seconds, line.billed_seconds, line.per_minute) == (40, 40, Decimal("0.25"))
    assert line.amount == Decimal("0.1667")


def test_F065_ninety_seconds_cost_0_36() -> None:
    session = rated(1, start=MARCH, b_seconds=(90,), rate_b=a_rate("0.24"))
    line = an_invoice([session]).lines[1]
    assert (line.talk_seconds, line.amount) == (90, Decimal("0.3600"))


def test_summaries_by_day_and_destination_each_equal_the_sum_of_the_lines() -> None:
    sessions = [rated(number, start=MARCH + timedelta(hours=7 * number)) for number in range(9)]
    invoice = an_invoice(sessions)
    assert invoice.totals.charges == sum(line.amount for line in invoice.lines)
    for summaries in (invoice.by_day, invoice.by_destination):
        assert sum(summary.amount for summary in summaries) == invoice.totals.charges
        assert sum(summary.talk_seconds for summary in summaries) == invoice.all_calls.talk_seconds
        assert sum(summary.billed_seconds for summary in summaries) == invoice.all_calls.billed_seconds
    assert [summary.label for summary in invoice.by_destination] == ["United Kingdom", "United States"]


def test_a_call_is_a_callback_and_counts_once_in_each_group_that_it_has_a_leg_in() -> None:
    both = rated(1, start=MARCH, b_seconds=(40, 50))
    first, *others = both.legs
    tagged = replace(both, legs=(first, *(replace(leg, tag="visit") for leg in others)))
    invoice = an_invoice([tagged, rated(2, start=MARCH + timedelta(days=1), subscriber="Bruno")])
    assert len(invoice.lines) == 5
    assert [(each.label, each.calls) for each in invoice.by_day] == [("2026-03-10", 1), ("2026-03-11", 1)]
    assert [each.calls for each in invoice.by_subscriber] == [1, 1]
    assert [each.calls for each in invoice.by_destination] == [2, 2]
    assert [(each.label, each.calls) for each in invoice.by_tag] == [("", 2), ("visit", 1)]
    assert (invoice.all_calls.calls, invoice.all_calls.amount) == (2, invoice.totals.charges)


def test_what_is_given_back_of_a_call_is_no_call() -> None:
    given = CallCredit(number="CN-1", leg_id="", amount=Decimal("0.01"), at=MARCH + timedelta(days=3))
    invoice = an_invoice([replace(rated(1, start=MARCH), credits=(given,))])
    assert [(each.label, each.calls) for each in invoice.by_destination] == [
        *((GIVEN_BACK, 0), ("United Kingdom", 1), ("United States", 1)),
    ]
    assert invoice.all_calls.calls == 1


def test_W42_a_thousand_calls_are_rounded_once_and_taxed_once() -> None:
    plan = a_plan(a_leg_policy=ALegPolicy.FREE)
    rate = a_rate("0.0850")
    sessions = [
        rated(number, start=MARCH + timedelta(minutes=number), b_seconds=(31,), plan=plan, rate_b=rate)
        for number in range(1000)
    ]
    totals = an_invoice(sessions, plan=plan, tax=TaxGroup(label="VAT", percent=Decimal(20))).totals
    assert totals.subtotal == Decimal("43.90")
    assert totals.taxes[0].amount == Decimal("8.78")
    assert totals.taxes[0].amount != Decimal("8.80")  # ✗ taxed line by line
    assert totals.total == Decimal("52.68")


def test_the_rounding_is_shown_and_leads_from_the_lines_to_the_total() -> None:
    totals = an_invoice([rated(1, start=MARCH)]).totals
    assert (totals.charges, totals.rounding, totals.total) == (
        Decimal("0.2717"),
        Decimal("-0.0017"),
        Decimal("0.27"),
    )


def test_a_currency_without_minor_unit_is_rounded_to_whole_units() -> None:
    plan = a_plan(currency="JPY", a_leg_policy=ALegPolicy.FREE)
    assert an_invoice([], plan=plan).totals.total == Decimal(0)
    assert an_invoice([], plan=plan).minor_digits == 0


def test_F062_a_month_without_calls_totals_nothing() -> None:
    invoice = an_invoice([])
    assert invoice.totals.total == Decimal(0)
    assert invoice.totals.amount_due == Decimal(0)
    assert not invoice.sessions


def test_the_previous_balance_and_payments_lead_to_what_is_due() -> None:
    paid = Payment(at=datetime(2026, 3, 5, 23, 30, tzinfo=UTC), reference="SEPA", amount=Decimal("12.4000"))
    late = Payment(at=datetime(2026, 4, 5, tzinfo=UTC), reference="next month", amount=Decimal(1))
    invoice = an_invoice([rated(1, start=MARCH)], previous_owed=Decimal("10.00"), payments=(paid, late))
    assert invoice.totals.payments == Decimal("12.4")
    assert invoice.totals.amount_due == Decimal("-2.13")
    assert [payment.at.date() for payment in invoice.payments] == [date(2026, 3, 6)]


def test_a_leg_in_another_currency_is_an_error() -> None:
    with pytest.raises(ValueError, match="charged in USD, the invoice is in EUR"):
        an_invoice([rated(1, start=MARCH)], plan=a_plan(currency="EUR"))


def test_F048_the_legend_prints_increments_policy_rounding_and_zone() -> None:
    legend = " ".join(an_invoice([], plan=a_plan("60/6", free_below_seconds=5)).legend)
    for sentence in (
        "at least 60 s, then steps of 6 s",
        "shorter than 5 s are free",
        "from the first key you press",
        "minimum applies once",
        "half-up to 4 decimals",
        "Europe/Paris",
    ):
        assert sentence in legend


def test_after_a_change_of_plan_the_legend_says_what_each_plan_that_was_used_says_otherwise() -> None:
    old = a_plan("60/60", a_leg_policy=ALegPolicy.FREE)
    new = a_plan(id="p2", name="Business", version=3, free_below_seconds=5)
    invoice = an_invoice([rated(1, start=MARCH)], plan=new, plans=(old, new))
    legend = " ".join(invoice.legend)
    for sentence in (
        "Under Traveller, version 1: The call to you is free.",
        "Under Business, version 3: The call to you is charged from the first key",
        "Under Traveller, version 1: Billed is at least 60 s, then steps of 60 s",
        "Under Business, version 3: Calls to destinations shorter than 5 s are free.",
        "Each call keeps the terms under which it began: Traveller, version 1; Business, version 3.",
    ):
        assert sentence in legend
    assert legend.count("half-up to 4 decimals") == 1  # what both say is said once, under neither's name
    assert invoice.price_list == "Traveller, version 1; Business, version 3"
    assert "Under" not in " ".join(an_invoice([], plan=new, plans=(old,)).legend)


def test_an_invoice_without_number_is_a_draft_and_otherwise_the_same() -> None:
    draft, final = an_invoice([rated(1, start=MARCH)], number=""), an_invoice([rated(1, start=MARCH)])
    assert draft.is_draft
    assert not final.is_draft
    assert (draft.sessions, draft.totals, draft.by_day) == (final.sessions, final.totals, final.by_day)

"""What a call would cost, who would take it, and why one cost what it cost, from the command line."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from office import Office

FROM, TO = "+442079460101", "+12125550100"


def legs_of(office: Office, *words: str) -> dict[str, Any]:
    quoted = office.done("quote", *words, "--output", "json").data
    return {leg["leg"]: leg for leg in quoted["legs"]} | {"all": quoted}


@pytest.fixture
def plans(office: Office) -> Office:
    """The session of W-30…: A 0.10, B 0.25 a minute, 30/1, charged from A's answer."""
    file = office.folder / "w30.csv"
    file.write_text("prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.25\n")
    since = ["--effective", "2026-01-01"]
    deck = ["deck", "import", "w30", str(file), "--kind", "sell", "--currency", "USD", "--approve"]
    office.done(*deck, *since)
    office.done("plan", "add", "w30", "--deck", "w30", "--a-leg-policy", "from_answer", *since)
    return office


W30 = ["--plan", "w30", "--from", FROM, "--to", TO, "--key-after", "4", "--connected-after", "31"]


def test_F142_W30_W35_a_quote_has_both_legs_and_the_longest_talk(plans: Office) -> None:
    quoted = legs_of(plans, *W30, "--seconds", "600", "--credit", "5.00")
    assert (quoted["A"]["charged_seconds"], quoted["A"]["amount"]) == (631, "1.0517")
    assert (quoted["B"]["charged_seconds"], quoted["B"]["amount"]) == (600, "2.50")
    assert (quoted["all"]["total"], quoted["all"]["longest_talk_seconds"]) == ("3.5517", 848)


def test_F052_the_same_call_has_two_prices_under_the_plans_of_two_accounts(plans: Office) -> None:
    since = ("--effective", "2026-01-01")
    file = plans.folder / "corporate.csv"
    file.write_text("prefix,destination,rate_per_min\n44,United Kingdom,0.10\n1,North America,0.15\n")
    deck = ("deck", "import", "corporate", str(file), "--kind", "sell", "--currency", "USD", "--approve")
    plans.done(*deck, *since)
    plans.done("plan", "add", "corporate", "--deck", "corporate", "--a-leg-policy", "free", *since)
    amounts = {}
    for plan in ("w30", "corporate"):
        account = ("account", "add", plan, "--name", plan, "--currency", "USD", "--plan", plan)
        plans.done(*account, "--zone", "UTC", "--credit-limit", "50")
        quoted = legs_of(plans, "--account", plan, *W30[2:], "--seconds", "600")
        amounts[plan] = (quoted["B"]["amount"], quoted["all"]["total"])
    assert amounts == {"w30": ("2.50", "3.5517"), "corporate": ("1.50", "1.50")}


def test_W34_a_credit_that_is_too_small_names_what_is_missing(plans: Office) -> None:
    told = plans.done("quote", *W30, "--seconds", "1", "--credit", "0.17").out
    assert "Longest talk: none; USD 0.0083 are missing" in told


def test_F142_a_quote_explains_itself_step_by_step(plans: Office) -> None:
    told = plans.done("quote", *W30, "--to", "001 212 555 0100", "--home-country", "GB", "--explain").out
    for step in (
        "'001 212 555 0100' is +12125550100",
        "deck w30:1 is in force then, in no time band",
        "caller ID +442079460101 is of class non_eea there",
        "B leg: prefix 1 (North America), row w30:1:",
        "60 s by 30/1: billed 60 s",
        "60 s at 0.2500 a minute",
        "rounded half-up to 4 decimals: USD 0.2500",
    ):
        assert step in told, told


def test_what_is_not_sold_is_not_quoted(plans: Office) -> None:
    refused = plans("quote", *W30[:4], "--to", "+33142685300")
    assert (refused.code, "no row, no call" in refused.err) == (4, True)
    assert plans("quote", *W30[2:]).code == 2
    assert plans("quote", "--account", "nobody", *W30[2:]).code == 3
    assert plans("quote", *W30, "--to", "112").code == 4


def test_F138_R19_routes_tell_costs_margins_and_who_is_out(office: Office) -> None:
    (row,) = office.done("routes", TO, "--account", "acme", "--output", "json").data
    assert (row["trunk"], row["order"], row["cost_per_minute"], row["margin_percent"]) == (
        "east",
        1,
        "0.0900",
        "62.50",
    )
    office.done("plan", "add", "dear", "--deck", "retail", "--margin-floor", "70")
    (out,) = office.done("routes", TO, "--plan", "dear", "--output", "json").data
    assert out["why"].startswith("margin: margin 62.50 % is below the floor of 70.00 %")
    office.done("plan", "add", "dear", "--deck", "retail", "--margin-floor-amount", "0.16")
    (out,) = office.done("routes", TO, "--plan", "dear", "--output", "json").data
    assert out["why"].startswith("margin: margin 0.15 a minute is below the floor of 0.16")
    office.done("trunk", "disable", "east")
    (out,) = office.done("routes", TO, "--account", "acme", "--output", "json").data
    assert out["why"] == "disabled: it is disabled"


def test_routes_of_an_account_show_what_the_switch_shows_unless_told_otherwise(office: Office) -> None:
    def shown(*words: str) -> tuple[str | None, str]:
        (row,) = office.done("routes", TO, *words, "--output", "json").data
        return row["caller_id"], row["origin_class"]

    assert shown("--account", "acme") == (FROM, "non_eea")
    assert shown("--account", "acme", "--caller-id", "none") == (None, "invalid")
    assert shown("--plan", "standard") == (None, "invalid")
    office.done("number", "add", "otto", "020 7946 0202")  # nobody has proven that it is otto's
    assert shown("--account", "other") == (None, "invalid")


def test_F141_the_cost_goes_by_the_network_and_the_price_by_the_prefix(office: Office) -> None:
    office.done("ported", "set", TO, "44", "--from", "2026-01-01", "--reason", "carrier's list")
    (row,) = office.done("routes", TO, "--account", "acme", "--output", "json").data
    assert (row["prefix"], row["cost_per_minute"]) == ("44", "0.0400")
    assert legs_of(office, "--account", "acme", "--from", FROM, "--to", TO)["B"]["prefix"] == "1"
    office.done("ported", "set", TO, "", "--from", "2026-02-01")
    (row,) = office.done("routes", TO, "--account", "acme", "--output", "json").data
    assert row["prefix"] == "1"
    assert len(office.done("ported", "list", "--output", "json").data) == 2
    assert office("ported", "set", TO, "4x").code == 2


def test_R27_what_a_trunk_may_show_is_set_and_taken_back(office: Office) -> None:
    office.done("trunk", "caller-id", "east", "1", "--permit", "same_country")
    (row,) = office.done("routes", TO, "--account", "acme", "--caller-id", FROM, "--output", "json").data
    assert row["why"].startswith("caller_id: ")
    listed = office.done("trunk", "permits", "--output", "json").data
    assert listed == [{"trunk": "east", "prefix": "1", "permitted": ["same_country"]}]
    office.done("trunk", "caller-id", "east", "1", "--remove")
    (row,) = office.done("routes", TO, "--account", "acme", "--caller-id", FROM, "--output", "json").data
    assert (row["caller_id"], row["origin_class"]) == (FROM, "non_eea")
    assert office("trunk", "caller-id", "east", "1", "--remove").code == 3
    assert office("trunk", "caller-id", "east", "1").code == 2


def test_a_plan_shows_every_term_that_it_was_given(office: Office) -> None:
    made = office.done(
        *("plan", "add", "office", "--deck", "retail", "--zone", "Europe/Berlin", "--band"),
        *("peak=Mo-Fr 08:00-20:00", "--monthly-fee", "24", "--package-minutes", "30", "--overage", "0.80"),
        *("--package-prefix", "+44", "--call-price-max", "9.99", "--amount-places", "2", "--output", "json"),
    ).data
    assert made["bands"] == ["peak=Mo-Fr 08:00-20:00"]
    assert (made["package_seconds"], made["package_prefixes"]) == (1800, ["44"])
    assert (made["monthly_fee"], made["overage_per_minute"], made["call_price_max"]) == (
        "24.00",
        "0.8000",
        "9.99",
    )
    refused = office("plan", "add", "bad", "--deck", "retail", "--band", "peak=Mo 8-9")
    assert refused.code == 2
    assert "write times such as 08:00" in refused.err


def test_a_time_is_that_of_both_legs_unless_the_destination_has_its_own(office: Office) -> None:
    words = ["--account", "acme", "--from", FROM, "--to", TO, "--at", "2025-06-01T00:00:00Z"]
    assert office("quote", *words).code in {3, 4}  # no plan or deck was in force then
    now = datetime.now(UTC).isoformat(timespec="seconds")
    later = office.done("quote", *words[:-2], "--at", now, "--to-at", now, "--output", "json")
    assert Decimal(json.loads(later.out)["total"]) > 0


def test_F140_a_carrier_s_peak_and_off_peak_columns_cost_by_its_trunk_s_bands(office: Office) -> None:
    sheet = (
        "prefix,destination,rate_peak,rate_offpeak\n1,North America,0.12,0.03\n44,United Kingdom,0.05,0.02\n"
    )
    (office.folder / "hours.csv").write_text(sheet)
    made = ["--kind", "cost", "--currency", "USD", "--approve", "--effective", "2026-01-01"]
    office.done("deck", "import", "hours", str(office.folder / "hours.csv"), *made)
    peak, rest = "peak=Mo-Fr 08:00-18:00", "offpeak=Mo-Fr 18:00-08:00; offpeak=Sa,Su 08:00-08:00"
    words = ["--cost-deck", "hours", "--zone", "Europe/London", "--band", peak, "--band", rest]
    office.done("trunk", "change", "east", *words)

    def cost(at: str) -> str:
        (row,) = office.done("routes", TO, "--account", "acme", "--at", at, "--output", "json").data
        return str(row["cost_per_minute"])

    # The clocks go forward on 29 March: 08:00 in London is 07:00 UTC from then on.
    assert [
        cost(f"2026-03-{day}Z") for day in ("27T07:59:59", "27T08:00:00", "28T12:00:00", "30T07:00:00")
    ] == [
        "0.0300",
        "0.1200",
        "0.0300",
        "0.1200",
    ]
    (listed,) = office.done("trunk", "list", "--output", "json").data
    assert (listed["zone"], listed["bands"]) == ("Europe/London", f"{peak}; {rest}")
    assert office("trunk", "change", "east", "--band", "peak=sometimes").code == 2
    office.done("trunk", "change", "east", "--band", "")
    (row,) = office.done("routes", TO, "--account", "acme", "--output", "json").data
    assert row["why"].startswith("no_cost: deck hours version 1 has rows")


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ((), "--account or --plan: neither is given; name whose terms"),
        (("--account", "acme", "--plan", "standard"), "--account and --plan: both are given;"),
    ],
)
def test_a_price_without_whose_or_with_two_is_refused_by_the_options_names(
    office: Office, terms: tuple[str, ...], said: str
) -> None:
    for asked in (("quote", "--from", "+442079460101", "--to", "+12125550100"), ("routes", "+12125550100")):
        refused = office(*asked, *terms)
        assert (refused.code, said in refused.err) == (2, True)


def test_nobody_is_called_before_who_calls_them(office: Office) -> None:
    asked = ("--plan", "standard", "--from", "+442079460101", "--to", "+12125550100")
    refused = office("quote", *asked, "--at", "2026-03-02", "--to-at", "2026-03-01")
    assert (refused.code, "--to-at: nobody is called before --from is" in refused.err) == (2, True)
    assert office.done("quote", *asked, "--at", "2026-03-02", "--to-at", "2026-03-02").out

"""Accounts: what is changed is dated and logged, what was decided in advance comes by itself."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from storeworld import (
    CLERK,
    LIMITS,
    LONG_AGO,
    NOW,
    PHONE,
    SHARED_DID,
    callback,
    plan_of,
    play,
    seconds,
    story,
)

from billing.ledger import payment_entry
from billing.particulars import Party
from calls.admission import AccountState, AdmissionRefusal, Refused
from calls.callback import Callback
from calls.wishes import Ring
from store import accountplans, admissions, apikeys, customers, invoices, ledger, options, plans, taxevidence
from store.audit import Author
from store.closing import close_account
from store.customers import Account
from store.database import Database
from store.errors import Conflict, Invalid, NotFound
from store.options import Option
from store.schema import audit_log
from values.e164 import E164
from values.money import money

SELLER = Party(name="Dialback", country="GB")
TODAY = Author(at=NOW, name="clerk", reason="they asked for it")
IN_AN_HOUR = seconds(3600)
HOTEL = E164.parse("+33199001234")


def ring(number: int, at: Any = NOW, caller: E164 = PHONE) -> Ring:
    return Ring(
        trigger_id=f"tr{number}",
        channel_id=f"ring{number}",
        did_raw=str(SHARED_DID),
        caller_number_raw=str(caller),
        caller_name_raw="",
        is_withheld=False,
        is_diverted=False,
        trunk="east",
        ingress_country="GB",
        received_at=at,
    )


def rung(company: Database, number: int, at: Any = NOW) -> Callback | Refused:
    return company.call(
        "ring", admissions.admit_ring, ring(number, at), callback_id=f"cb{number}", limits=LIMITS
    )


def log_of(connection: Connection, action: str) -> list[Any]:
    return list(connection.execute(select(audit_log).where(audit_log.c.action == action)))


# what an account is


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"tax_place": "Germany"}, "tax_place"),
        ({"tax_place": "DE", "tax_id": "DE1"}, "tax_id"),
        ({"billing_email": "a@b, c@d"}, "billing_email"),
        ({"billing_email": "a@b\nBcc: c@d"}, "billing_email"),
        ({"bill_cycle": "weekly"}, "bill_cycle"),
        ({"callbacks_max": -1}, "callbacks_max"),
        ({"billing_address": "1 High Street\x1b[2J"}, "billing_address"),
    ],
)
def test_billing_data_that_cannot_be_meant_are_refused_by_field(
    company: Database, wrong: dict[str, Any], field: str
) -> None:
    known = company.read("account", customers.account, "acme")
    with pytest.raises(Invalid) as told:
        company.call("change", customers.change_account, replace(known, **wrong), TODAY)
    assert told.value.field == field
    assert company.read("account", customers.account, "acme") == known


def test_F072_a_change_of_billing_data_says_who_when_why_and_what_it_was(company: Database) -> None:
    known = company.read("account", customers.account, "acme")
    wish = replace(known, billing_address="1 High Street\nLondon", tax_place="de", tax_id="DE 123456789")
    made = company.call("change", customers.change_account, wish, TODAY)
    assert (made.tax_place, made.tax_id) == ("DE", "DE123456789")
    (row,) = company.read("log", log_of, "account.change")
    assert (row.at, row.actor, row.reason, row.subject) == (NOW, "clerk", "they asked for it", "acme")
    assert row.before == "billing_address=; tax_id=; tax_place="
    assert row.after == "billing_address=1 High Street\nLondon; tax_id=DE123456789; tax_place=DE"


# the plan, by date


def gold(connection: Connection) -> None:
    plans.add_plan(connection, plan_of(name="gold"), effective_at=LONG_AGO, author=CLERK)


def test_F052_a_plan_holds_from_its_instant_on_and_a_callback_keeps_the_one_it_was_admitted_with(
    company: Database,
) -> None:
    company.call("gold", gold)
    midnight = NOW + timedelta(hours=15)
    company.call("change", customers.change_account_plan, "acme", "gold", effective_at=midnight, author=TODAY)
    before = rung(company, 1, midnight - timedelta(microseconds=1))
    assert isinstance(before, Callback)
    assert before.plan_id == "standard:1"
    company.call("end", play_to_its_end, before)
    after = rung(company, 2, midnight)
    assert isinstance(after, Callback)
    assert after.plan_id == "gold:1"
    at = company.read("plan", accountplans.plan_of_account, "acme", midnight)
    assert at.name == "gold"
    (row,) = company.read("log", log_of, "account.plan")
    assert (row.before, row.after) == ("plan=standard", "effective_at=2026-03-03T00:00:00Z; plan=gold")


def play_to_its_end(connection: Connection, made: Callback) -> None:
    from storeworld import advance

    from calls import events

    advance(connection, made, events.TriggerReleased(at=made.created_at))
    advance(
        connection,
        replace(made, dial_at=made.created_at + timedelta(seconds=3)),
        events.Cancelled(at=made.created_at, by="clerk"),
    )


def test_a_change_of_other_data_leaves_a_plan_that_was_decided_meanwhile(company: Database) -> None:
    company.call("gold", gold)
    known = company.read("account", customers.account, "acme")
    company.call("change", customers.change_account_plan, "acme", "gold", effective_at=NOW, author=TODAY)
    company.call("change", customers.change_account, replace(known, name="Acme plc"), TODAY)
    assert company.read("plan", accountplans.plan_name_at, "acme", NOW) == "gold"
    assert company.read("plan", accountplans.plan_name_at, "acme", NOW - timedelta(seconds=1)) == "standard"


def test_the_decision_made_last_for_an_instant_counts(company: Database) -> None:
    company.call("gold", gold)
    for name in ("gold", "standard"):
        company.call(
            "change", customers.change_account_plan, "acme", name, effective_at=seconds(60), author=TODAY
        )
    assert company.read("plan", accountplans.plan_name_at, "acme", seconds(60)) == "standard"
    told = company.read("changes", accountplans.plan_changes, "acme")
    assert [each.plan_name for each in told] == ["standard", "gold", "standard"]


def test_no_plan_is_changed_in_the_past_nor_to_another_currency(company: Database) -> None:
    company.call("gold", gold)
    with pytest.raises(Invalid, match="is past"):
        company.call(
            "change", customers.change_account_plan, "acme", "gold", effective_at=LONG_AGO, author=TODAY
        )
    with pytest.raises(NotFound, match="no plan"):
        company.call("change", customers.change_account_plan, "acme", "lead", effective_at=NOW, author=TODAY)


def test_the_history_of_plans_is_never_edited(company: Database) -> None:
    for statement in ("UPDATE account_plans SET plan_name = 'x'", "DELETE FROM account_plans"):
        with pytest.raises(DBAPIError, match="append-only"):
            company.call("edit", lambda c, s: c.execute(text(s)), statement)
    assert company.read("plan", accountplans.plan_name_at, "acme", NOW) == "standard"


def test_F052_an_invoice_prints_the_plan_that_held_at_the_periods_end(company: Database) -> None:
    from billing.period import month

    company.call("gold", gold)
    company.call(
        "change", customers.change_account_plan, "acme", "gold", effective_at=seconds(60), author=TODAY
    )
    march = month(2026, 3, zone="Europe/London")
    february = month(2026, 2, zone="Europe/London")
    assert company.read("gather", invoices.gather, "acme", march).month.plan.name == "gold"
    assert company.read("gather", invoices.gather, "acme", february).month.plan.name == "standard"


# travellers' numbers


def travel(company: Database, until: Any = IN_AN_HOUR, *, verified: bool = True) -> None:
    company.call(
        "add",
        customers.add_number,
        subscriber_id="anna",
        number=HOTEL,
        author=TODAY,
        verified=verified,
        rung_until=until,
    )


def to_france(connection: Connection) -> None:
    from storeworld import rate

    from store.decks import add_version

    rows = [rate("44", "0.10"), rate("1", "0.25"), rate("33", "0.20")]
    add_version(connection, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK)


def test_F158_a_travellers_number_is_rung_until_its_end_then_the_default_again(company: Database) -> None:
    company.call("deck", to_france)
    company.call("choose", customers.choose_number, "anna", PHONE, CLERK)
    travel(company)
    last = rung(company, 1, seconds(3600) - timedelta(microseconds=1))
    assert isinstance(last, Callback)
    assert last.number_a == HOTEL
    company.call("end", play_to_its_end, last)
    then = rung(company, 2, seconds(3600))
    assert isinstance(then, Callback)
    assert then.number_a == PHONE


def test_F158_what_is_due_after_the_end_of_a_travellers_number_does_not_ring_it(company: Database) -> None:
    travel(company)
    known = callback(number_a=HOTEL)
    assert company.read("before", customers.is_verified_for, known, seconds(3599))
    assert not company.read("after", customers.is_verified_for, known, seconds(3600))


def test_F157_a_travellers_number_that_is_not_verified_is_not_rung(company: Database) -> None:
    travel(company, verified=False)
    made = rung(company, 1)
    assert isinstance(made, Callback)
    assert made.number_a == PHONE


def test_F158_a_number_whose_time_is_over_may_be_anybodys(company: Database) -> None:
    travel(company)
    add: dict[str, Any] = {"subscriber_id": "anna", "number": HOTEL}
    with pytest.raises(Conflict):
        company.call("again", customers.add_number, **add, author=replace(TODAY, at=seconds(3599)))
    made = company.call("again", customers.add_number, **add, author=replace(TODAY, at=seconds(3600)))
    assert (made.rung_until, made.verified_at) == (None, None)
    assert len(company.read("log", log_of, "number.remove")) == 1


def test_a_travellers_number_is_no_default_and_has_an_end_to_come(company: Database) -> None:
    travel(company)
    with pytest.raises(Conflict, match="rung by itself until then"):
        company.call("choose", customers.choose_number, "anna", HOTEL, TODAY)
    company.call("remove", customers.remove_number, HOTEL, TODAY)
    with pytest.raises(Invalid, match="is past"):
        travel(company, until=NOW)


# evidence of residence


def test_two_pieces_that_agree_prove_a_country_and_one_that_denies_it_is_outvoted(company: Database) -> None:
    def see(kind: str, country: str) -> str:
        company.call(
            "see", taxevidence.add_evidence, "acme", kind=kind, country=country, detail="seen", author=TODAY
        )
        return taxevidence.residence(company.read("list", taxevidence.list_evidence, "acme")).country

    assert see("address", "DE") == ""
    assert see("address", "DE") == ""
    assert see("ip", "FR") == ""
    assert see("bank", "DE") == "DE"
    assert see("sim", "FR") == ""
    assert see("ip", "DE") == "DE"


def test_evidence_is_never_edited_and_names_what_cannot_be_meant(company: Database) -> None:
    with pytest.raises(Invalid) as told:
        company.call(
            "see", taxevidence.add_evidence, "acme", kind="hearsay", country="DE", detail="x", author=TODAY
        )
    assert told.value.field == "kind"
    company.call("see", taxevidence.add_evidence, "acme", kind="ip", country="DE", detail="x", author=TODAY)
    with pytest.raises(DBAPIError, match="append-only"):
        company.call("edit", lambda c: c.execute(text("UPDATE tax_evidence SET country = 'FR'")))


# options

SECOND = Option(
    id="second-number",
    account_id="acme",
    name="Second number",
    monthly_units=2_5000,
    currency="EUR",
    starts_on=date(2026, 3, 31),
)


def test_F073_an_option_is_owed_for_every_month_in_which_it_holds_on_a_day(company: Database) -> None:
    company.call("add", options.add_option, SECOND, TODAY)
    company.call("end", options.end_option, SECOND.id, date(2026, 5, 1), TODAY)

    def owed(month: int) -> int:
        first, end = date(2026, month, 1), date(2026, month + 1, 1)
        return len(company.read("in", options.options_in, "acme", first, end))

    assert [owed(month) for month in (2, 3, 4, 5)] == [0, 1, 1, 0]


def test_an_option_added_twice_is_one_and_another_one_of_its_id_is_refused(company: Database) -> None:
    made = company.call("add", options.add_option, SECOND, TODAY)
    assert company.call("add", options.add_option, SECOND, replace(TODAY, at=seconds(9))) == made
    with pytest.raises(Conflict, match="another option"):
        company.call("add", options.add_option, replace(SECOND, monthly_units=3_0000), TODAY)
    assert len(company.read("log", log_of, "option.add")) == 1


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"monthly_units": -1}, "monthly"), ({"name": " "}, "name"), ({"ends_on": date(2026, 3, 1)}, "ends_on")],
)
def test_an_option_that_cannot_be_meant_is_refused_by_field(
    company: Database, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as told:
        company.call("add", options.add_option, replace(SECOND, **wrong), TODAY)
    assert told.value.field == field


# the end


def test_an_account_that_owes_is_not_closed(company: Database) -> None:
    company.call("play", play, callback(), story(callback()))
    with pytest.raises(Conflict, match=r"owes 0\.\d+ EUR.*; take the payment, or write it off"):
        company.call("close", close_account, "acme", TODAY, seller=SELLER)


def test_an_account_with_credit_or_a_live_callback_is_not_closed(company: Database) -> None:
    paid = payment_entry(id="p", at=NOW, account_id="acme", reference="p", amount=money("5", "EUR"))
    company.call("pay", ledger.post, paid)
    with pytest.raises(Conflict, match="is owed 5"):
        company.call("close", close_account, "acme", TODAY, seller=SELLER)
    company.call("play", play, callback(), list(story(callback()))[:3])
    with pytest.raises(Conflict, match="callbacks under way"):
        company.call("close", close_account, "acme", TODAY, seller=SELLER)


def test_a_closed_account_calls_no_more_and_its_numbers_are_free(company: Database) -> None:
    key = {"id": "k1", "account_id": "acme", "name": "crm", "secret": "s" * 22}
    company.call("key", apikeys.add_api_key, **key, author=CLERK)
    company.call("option", options.add_option, SECOND, TODAY)
    assert (
        company.call("close", close_account, "acme", TODAY, seller=SELLER).account.state
        is AccountState.CLOSED
    )
    assert (
        company.call("close", close_account, "acme", TODAY, seller=SELLER).account.state
        is AccountState.CLOSED
    )
    made = rung(company, 1)
    assert isinstance(made, Refused)
    assert made.reason is AdmissionRefusal.UNKNOWN_CALLER
    assert company.read("key", apikeys.api_key_of, "s" * 22) is None
    assert company.read("numbers", customers.list_numbers, "anna") == ()
    known = company.read("account", customers.account, "acme")
    for change in (
        lambda c: customers.change_account(c, replace(known, name="New"), TODAY),
        lambda c: customers.set_account_state(c, "acme", AccountState.OPEN, TODAY),
        lambda c: options.add_option(c, replace(SECOND, id="third"), TODAY),
        lambda c: customers.add_number(c, subscriber_id="anna", number=PHONE, author=TODAY),
    ):
        with pytest.raises(Conflict, match="is closed"):
            company.call("change", change)
    beta = Account(id="beta", name="Beta", currency="EUR", zone="UTC", plan_name="standard")
    company.call("add", customers.add_account, beta, TODAY)
    ben = customers.Subscriber(id="ben", account_id="beta", name="Ben", home_country="GB")
    company.call("add", customers.add_subscriber, ben, TODAY)
    company.call("add", customers.add_number, subscriber_id="ben", number=PHONE, author=TODAY)

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Connection, text
from storeworld import (
    CLERK,
    FRIEND,
    LONG_AGO,
    NOW,
    PERSONAL_DID,
    PHONE,
    SHARED_DID,
    UNVERIFIED_PHONE,
    callback,
    plan_of,
    seconds,
)

from calls.admission import AccountState
from calls.policy import PolicyDirection, PolicyKind, PolicyRow, PolicyStatus
from rating.bands import read_bands
from store import apikeys, audit, callbacks, customers, dids, plans, policies, trunks
from store.audit import Author
from store.customers import Account, Subscriber
from store.database import Database
from store.dids import DIRECT, PERSONAL, SHARED, Did
from store.errors import Conflict, Invalid, NotFound
from store.trunks import Trunk
from values.e164 import E164

BETA = Account(id="beta", name="Beta", currency="EUR", zone="Asia/Kolkata", plan_name="standard")
SECRET = "s" * 22


def test_an_account_comes_back_as_it_was_opened(company: Database) -> None:
    made = company.call("add", customers.add_account, BETA, CLERK)
    assert company.read("account", customers.account, "beta") == made
    assert [each.id for each in company.read("list", customers.list_accounts)] == ["acme", "beta"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"id": "Beta!"}, "account"),
        ({"id": ""}, "account"),
        ({"name": "  "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"currency": "EURO"}, "currency"),
        ({"zone": "Mars/Base"}, "zone"),
        ({"kind": "gold"}, "kind"),
        ({"kind": "prepaid", "credit_limit_units": 1}, "credit_limit"),
        ({"credit_limit_units": -1}, "credit_limit"),
    ],
)
def test_an_account_that_cannot_be_meant_is_refused_by_field(
    company: Database, wrong: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as told:
        company.call("add", customers.add_account, replace(BETA, **wrong), CLERK)
    assert told.value.field == field
    assert told.value.remedy


def test_an_account_needs_a_plan_in_its_currency(company: Database) -> None:
    with pytest.raises(NotFound, match="'gold'"):
        company.call("add", customers.add_account, replace(BETA, plan_name="gold"), CLERK)
    with pytest.raises(Conflict, match="is in EUR"):
        company.call("add", customers.add_account, replace(BETA, currency="USD"), CLERK)


def test_an_id_is_given_once(company: Database) -> None:
    with pytest.raises(Conflict, match="exists already"):
        company.call("add", customers.add_account, replace(BETA, id="acme"), CLERK)
    anna = Subscriber(id="anna", account_id="acme", name="Anna", home_country="GB")
    with pytest.raises(Conflict, match="exists already"):
        company.call("add", customers.add_subscriber, anna, CLERK)


def test_an_account_is_changed_but_not_its_currency(company: Database) -> None:
    known = company.read("account", customers.account, "acme")
    company.call("change", customers.change_account, replace(known, name="Acme PLC"), CLERK)
    assert company.read("account", customers.account, "acme").name == "Acme PLC"
    with pytest.raises(Conflict, match="keeps its books in EUR"):
        company.call("change", customers.change_account, replace(known, currency="USD"), CLERK)


def test_a_closed_account_stays_closed(company: Database) -> None:
    company.call("suspend", customers.set_account_state, "acme", AccountState.SUSPENDED, CLERK)
    company.call("resume", customers.set_account_state, "acme", AccountState.OPEN, CLERK)
    company.call("close", customers.set_account_state, "acme", AccountState.CLOSED, CLERK)
    assert company.read("state", customers.account_state, "acme") is AccountState.CLOSED
    with pytest.raises(Conflict, match="is closed"):
        company.call("open", customers.set_account_state, "acme", AccountState.OPEN, CLERK)


def test_every_change_says_who_when_and_what(company: Database) -> None:
    author = Author(at=seconds(1), name="eve", reason="new name")
    known = company.read("account", customers.account, "acme")
    company.call("change", customers.change_account, replace(known, name="Acme PLC"), author)
    last = text(
        "SELECT actor, action, subject, before, after, reason FROM audit_log ORDER BY id DESC LIMIT 1"
    )
    row = company.read("last", lambda connection: tuple(connection.execute(last).one()))
    assert row == ("eve", "account.change", "acme", "name=Acme Ltd", "name=Acme PLC", "new name")


def test_a_subscriber_is_added_and_changed(company: Database) -> None:
    ben = Subscriber(id="ben", account_id="acme", name="Ben", home_country="FR", language="fr")
    company.call("add", customers.add_subscriber, ben, CLERK)
    company.call("change", customers.change_subscriber, replace(ben, language="en"), CLERK)
    known = company.read("list", customers.list_subscribers, "acme")
    assert [(each.id, each.language) for each in known] == [("anna", "en"), ("ben", "en")]
    for wrong in (
        replace(ben, home_country="XX"),
        replace(ben, language="Englisch"),
        replace(ben, name=""),
    ):
        with pytest.raises(Invalid):
            company.call("change", customers.change_subscriber, wrong, CLERK)
    with pytest.raises(NotFound):
        company.call("add", customers.add_subscriber, replace(ben, id="bob", account_id="none"), CLERK)


def test_a_number_belongs_to_one_account(company: Database) -> None:
    company.call("add", customers.add_account, BETA, CLERK)
    company.call(
        "add",
        customers.add_subscriber,
        Subscriber(id="bob", account_id="beta", name="B", home_country="GB"),
        CLERK,
    )
    with pytest.raises(Conflict, match="another account"):
        company.call("add", customers.add_number, subscriber_id="bob", number=PHONE, author=CLERK)
    with pytest.raises(Conflict, match="trigger numbers"):
        company.call("add", customers.add_number, subscriber_id="bob", number=SHARED_DID, author=CLERK)


def test_a_number_is_verified_chosen_and_removed(company: Database) -> None:
    company.call("verify", customers.verify_number, UNVERIFIED_PHONE, CLERK)
    company.call("choose", customers.choose_number, "anna", UNVERIFIED_PHONE, CLERK)
    assert company.read("anna", customers.subscriber, "anna").callback_number == UNVERIFIED_PHONE
    company.call("remove", customers.remove_number, UNVERIFIED_PHONE, CLERK)
    assert company.read("anna", customers.subscriber, "anna").callback_number is None
    assert [each.number for each in company.read("list", customers.list_numbers, "anna")] == [PHONE]
    with pytest.raises(NotFound):
        company.call("choose", customers.choose_number, "anna", FRIEND, CLERK)


def test_only_a_verified_number_is_shown_to_a_destination(company: Database) -> None:
    shown = company.read("shown", customers.caller_id_for, callback(number_a=PHONE), NOW)
    hidden = company.read("shown", customers.caller_id_for, callback(number_a=UNVERIFIED_PHONE), NOW)
    assert (shown, hidden) == (PHONE, None)


def test_a_did_has_just_what_its_kind_needs(company: Database) -> None:
    number = E164.parse("+442079460903")
    for wrong in (
        Did(number=number, kind="loud"),
        Did(number=number, kind=SHARED, subscriber_id="anna"),
        Did(number=number, kind=PERSONAL),
        Did(number=number, kind=PERSONAL, subscriber_id="anna", destination=FRIEND),
        Did(number=number, kind=DIRECT, subscriber_id="anna"),
    ):
        with pytest.raises(Invalid):
            company.call("add", dids.add_did, wrong, CLERK)
    direct = Did(number=number, kind=DIRECT, subscriber_id="anna", destination=FRIEND)
    made = company.call("add", dids.add_did, direct, CLERK)
    assert made == replace(direct, country="GB")
    assert company.read("did", dids.did, number) == made
    for taken in (SHARED_DID, PHONE):
        with pytest.raises(Conflict):
            company.call("add", dids.add_did, Did(number=taken, kind=SHARED), CLERK)
    company.call("remove", dids.remove_did, number, CLERK)
    assert [each.number for each in company.read("list", dids.list_dids)] == [SHARED_DID, PERSONAL_DID]
    with pytest.raises(NotFound):
        company.read("did", dids.did, number)


def test_a_plan_gets_a_new_version_and_old_callbacks_keep_theirs(company: Database) -> None:
    made = company.call(
        "plan", plans.add_plan, plan_of(free_below_seconds=30), effective_at=NOW, author=CLERK
    )
    assert made.id == "standard:2"
    assert company.read("pinned", plans.plan, "standard:1").free_below_seconds == 0
    assert company.read("before", plans.plan_in_force, "standard", seconds(-1)).version == 1
    assert company.read("after", plans.plan_in_force, "standard", NOW) == made
    assert len(company.read("list", plans.list_plans)) == 2
    with pytest.raises(NotFound):
        company.read("pinned", plans.plan, "standard:9")


def test_every_term_of_a_plan_comes_back_as_it_was_written(company: Database) -> None:
    terms: dict[str, Any] = {
        "zone": "Europe/Berlin",
        "bands": read_bands("peak=Mo-Fr 08:00-20:00; night=Mo-Su 22:00-06:00"),
        "call_price_min": Decimal("0.05"),
        "call_price_max": Decimal("9.99"),
        "amount_places": 2,
        "monthly_fee": Decimal("24.00"),
        "monthly_fee_waived_from": Decimal("200.0001"),
        "package_seconds": 1800,
        "package_rolls_over": True,
        "package_prefixes": ("44", "1212"),
        "overage_per_minute": Decimal("0.12345678"),
        "margin_floor_per_minute": Decimal("-0.01"),
        "margin_floor_percent": Decimal("-12.34"),
    }
    made = company.call("plan", plans.add_plan, plan_of(**terms), effective_at=NOW, author=CLERK)
    again = company.read("pinned", plans.plan, made.id)
    assert again == made
    assert {name: getattr(again, name) for name in terms} == terms


def test_the_audit_log_tells_a_plans_margin_floor_in_percent(company: Database) -> None:
    wish = plan_of(margin_floor_percent=Decimal("12.50"))
    company.call("plan", plans.add_plan, wish, effective_at=NOW, author=CLERK)
    _, second = company.read("log", audit.list_noted, action="plan.version")
    assert (second.before, "margin_floor_percent=12.50" in second.after) == (
        "id=standard:1; margin_floor_percent=0.00; version=1",
        True,
    )


def test_a_plan_needs_a_sell_deck_in_its_currency(company: Database) -> None:
    with pytest.raises(Invalid, match="cost deck"):
        company.call("plan", plans.add_plan, plan_of("carrier-x"), effective_at=NOW, author=CLERK)
    with pytest.raises(Conflict, match="is in EUR"):
        company.call("plan", plans.add_plan, plan_of(currency="USD"), effective_at=NOW, author=CLERK)


def test_a_trunk_needs_a_cost_deck(company: Database) -> None:
    west = Trunk(name="west", carrier="carrier-y", cost_deck="carrier-x", priority=5)
    company.call("add", trunks.add_trunk, west, CLERK)
    company.call("change", trunks.change_trunk, replace(west, enabled=False), CLERK)
    assert company.read("trunk", trunks.trunk, "west") == replace(west, enabled=False)
    assert [each.name for each in company.read("list", trunks.list_trunks)] == ["east", "west"]
    with pytest.raises(Invalid, match="sell deck"):
        company.call("add", trunks.add_trunk, replace(west, name="north", cost_deck="retail"), CLERK)
    with pytest.raises(Conflict):
        company.call("add", trunks.add_trunk, west, CLERK)
    with pytest.raises(NotFound):
        company.read("trunk", trunks.trunk, "none")


def test_the_country_policy_is_replaced_whole(company: Database) -> None:
    row = PolicyRow(
        prefix="63",
        direction=PolicyDirection.CALLBACK_TO,
        kind=PolicyKind.RING,
        status=PolicyStatus.DENIED,
        reason="unlawful there",
        source="test",
        source_date=NOW.date(),
    )
    company.call("replace", policies.replace_country_policy, [row], CLERK)
    company.call("replace", policies.replace_country_policy, [row], CLERK)
    assert company.read("policy", customers.country_policy) == (row,)


# keys


def test_an_api_key_is_known_by_its_secret_until_it_is_revoked(company: Database) -> None:
    add_key(company)
    found = company.read("key", apikeys.api_key_of, SECRET)
    assert found is not None
    assert (found.id, found.account_id) == ("key1", "acme")
    assert company.read("key", apikeys.api_key_of, "x" * 22) is None
    company.call("revoke", apikeys.revoke_api_key, "key1", CLERK)
    assert company.read("key", apikeys.api_key_of, SECRET) is None
    with pytest.raises(NotFound):
        company.call("revoke", apikeys.revoke_api_key, "key1", CLERK)


def test_no_secret_is_kept(company: Database) -> None:
    add_key(company)
    kept = company.read(
        "rows", lambda connection: str(connection.execute(text("SELECT * FROM api_keys")).all())
    )
    logged = company.read(
        "log", lambda connection: str(connection.execute(text("SELECT * FROM audit_log")).all())
    )
    assert SECRET not in kept + logged


def test_a_short_secret_is_refused(company: Database) -> None:
    with pytest.raises(Invalid, match="too short"):
        add_key(company, secret="s" * 21)


def test_a_repeated_request_finds_its_callback_and_another_one_conflicts(company: Database) -> None:
    company.call("insert", callbacks.insert_callback, callback())

    def ask(connection: Connection, request_hash: str) -> str | None:
        return apikeys.earlier_request(connection, api_key_id="key1", key="k", request_hash=request_hash)

    assert company.call("ask", ask, "h1") is None
    company.call(
        "note",
        apikeys.note_request,
        api_key_id="key1",
        key="k",
        request_hash="h1",
        callback_id="cb1",
        at=LONG_AGO,
    )
    assert company.call("ask", ask, "h1") == "cb1"
    with pytest.raises(Conflict, match="another request"):
        company.call("ask", ask, "h2")


def test_requests_are_remembered_for_seven_days(company: Database) -> None:
    company.call("insert", callbacks.insert_callback, callback())
    for key, at in (("old", seconds(-7 * 86_400 - 1)), ("new", seconds(-7 * 86_400))):
        company.call(
            "note", apikeys.note_request, api_key_id="k", key=key, request_hash="h", callback_id="cb1", at=at
        )
    assert company.call("forget", apikeys.forget_requests, NOW) == 1


def add_key(company: Database, secret: str = SECRET) -> None:
    company.call(
        "add", apikeys.add_api_key, id="key1", account_id="acme", name="shop", secret=secret, author=CLERK
    )

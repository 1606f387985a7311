"""Alerts: told in the transaction that moved the balance, once a month each, on both engines."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moneyed import Money
from storeworld import CLERK, NOW, callback, play, story

from billing.alerts import AlertKind, AlertRule
from store import alerts, audit, ledger, payments
from store.database import Database
from store.errors import Invalid, NotFound

AUTHOR = replace(CLERK, at=NOW, reason="as agreed")
NINETY = AlertRule(kind=AlertKind.CREDIT_USED, threshold=90)
LOW = AlertRule(kind=AlertKind.LOW_BALANCE, threshold=5_0000)


def owe(company: Database, amount: str, reference: str, at: datetime = NOW) -> None:
    author = replace(AUTHOR, at=at)
    company.call("owe", payments.adjust, "acme", Money(f"-{amount}", "EUR"), reference, author)


def spoken(company: Database) -> list[tuple[str, int, str]]:
    return [(each.kind, each.threshold, each.month) for each in company.read("alerts", alerts.list_alerts)]


def set_rules(company: Database, *rules: AlertRule) -> None:
    company.call("set", alerts.set_rules, "acme", rules, AUTHOR)


def test_W48_F058_none_at_44_99_and_one_at_45_00(company: Database) -> None:
    set_rules(company, NINETY)
    owe(company, "44.99", "to 44.99")
    assert spoken(company) == []
    owe(company, "0.01", "to 45.00")
    assert spoken(company) == [("credit_used", 90, "2026-03")]


def test_F058_an_alert_speaks_once_a_month_in_the_accounts_zone(company: Database) -> None:
    set_rules(company, NINETY)
    owe(company, "45", "1")
    owe(company, "1", "2")
    owe(
        company, "0.01", "3", at=datetime(2026, 3, 31, 22, 59, tzinfo=UTC)
    )  # one minute to midnight in London
    assert len(spoken(company)) == 1
    owe(company, "0.01", "4", at=datetime(2026, 3, 31, 23, 0, tzinfo=UTC))
    assert [month for _, _, month in spoken(company)] == ["2026-03", "2026-04"]


def test_F058_each_percentage_speaks_for_itself(company: Database) -> None:
    set_rules(company, NINETY, replace(NINETY, threshold=50), LOW)
    owe(company, "25", "1")
    assert spoken(company) == [("credit_used", 50, "2026-03")]
    owe(company, "20.01", "2")
    assert {(kind, threshold) for kind, threshold, _ in spoken(company)} == {
        ("credit_used", 50),
        ("credit_used", 90),
        ("low_balance", 5_0000),
    }


def test_F058_a_call_fires_its_alert_in_the_transaction_that_settles_it(company: Database) -> None:
    set_rules(company, replace(NINETY, threshold=1))
    owe(company, "0.40", "1")
    assert spoken(company) == []

    def settle_and_look(connection: Any) -> int:
        play(connection, callback(), story(callback()))
        return len(alerts.list_alerts(connection))

    assert company.call("settle", settle_and_look) == 1
    (told,) = company.read("alerts", alerts.list_alerts)
    assert told.balance_units == company.read("standing", ledger.standing, "acme").posted_units


def test_an_account_without_rules_hears_nothing(company: Database) -> None:
    owe(company, "49", "1")
    assert spoken(company) == []


def test_rules_are_set_in_place_of_those_before(company: Database) -> None:
    set_rules(company, NINETY, LOW)
    set_rules(company, LOW)
    assert company.read("rules", alerts.rules_of, "acme") == (LOW,)
    set_rules(company)
    assert company.read("rules", alerts.rules_of, "acme") == ()


@pytest.mark.parametrize("threshold", [0, -1, 1_001])
def test_a_percentage_that_cannot_be_meant_is_refused(company: Database, threshold: int) -> None:
    with pytest.raises(Invalid, match="percent"):
        set_rules(company, replace(NINETY, threshold=threshold))


def test_an_unknown_account_has_no_rules(company: Database) -> None:
    with pytest.raises(NotFound):
        company.call("set", alerts.set_rules, "nobody", (LOW,), AUTHOR)


def test_rules_stand_in_the_audit_log_as_a_percentage_and_an_amount(company: Database) -> None:
    set_rules(company, NINETY, LOW)
    (noted,) = company.read("log", audit.list_noted, action="alert.set")
    assert noted.after == "rules=credit_used 90 %, low_balance 5.0000 EUR"

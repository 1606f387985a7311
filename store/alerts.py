"""Alerts as rows: the rules of an account, and each that spoke, once a month.

Reads: AlertRules (billing/alerts.py), the account's standing under its lock.
Gives: rows of `alerts`, written in the transaction that moved the balance.
Knows nothing of: who reads them, how they are delivered.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, bindparam, delete, insert, select

from billing.alerts import AlertKind, AlertRule
from store import checks, ledger
from store.accounts import account
from store.audit import Author, note
from store.moneytables import alert_rules, alerts
from store.schema import accounts
from values.money import from_units, plain

PERCENT_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule that spoke: `balance_units` is what the account's balance was then."""

    account_id: str
    kind: AlertKind
    threshold: int
    month: str
    at: datetime
    currency: str
    balance_units: int
    credit_limit_units: int


def set_rules(connection: Connection, account_id: str, rules: Iterable[AlertRule], author: Author) -> None:
    """Give an account these rules in place of those it had."""
    owner = account(connection, account_id)
    wanted = sorted(set(rules), key=lambda rule: (rule.kind, rule.threshold))
    for rule in wanted:
        if rule.kind is AlertKind.CREDIT_USED:
            checks.whole("percent", rule.threshold, 1, PERCENT_MAX)
        else:
            checks.amount("low_balance", rule.threshold, owner.currency, least=1)
    before = rules_of(connection, account_id)
    connection.execute(delete(alert_rules).where(alert_rules.c.account_id == account_id))
    if wanted:
        rows = [
            {"account_id": account_id, "kind": rule.kind.value, "threshold": rule.threshold}
            for rule in wanted
        ]
        connection.execute(insert(alert_rules), rows)
    note(
        connection,
        author,
        "alert.set",
        account_id,
        before={"rules": _told(before, owner.currency)},
        after={"rules": _told(wanted, owner.currency)},
    )


def rules_of(connection: Connection, account_id: str) -> tuple[AlertRule, ...]:
    """The rules of an account."""
    rows = connection.execute(RULES, {"account_id": account_id})
    return tuple(AlertRule(kind=AlertKind(row.kind), threshold=row.threshold) for row in rows)


def fire(connection: Connection, account_id: str, at: datetime) -> None:
    """Write down each rule that speaks and has not yet this month; the caller holds the account's lock."""
    rules = rules_of(connection, account_id)
    if not rules:
        return
    stand = ledger.standing(connection, account_id)
    owner = connection.execute(OWNER, {"account_id": account_id}).one()
    month = f"{at.astimezone(ZoneInfo(owner.zone)):%Y-%m}"
    told = connection.execute(SPOKEN, {"account_id": account_id, "month": month})
    spoken = {(row.kind, row.threshold) for row in told}
    due = [
        rule
        for rule in rules
        if (rule.kind.value, rule.threshold) not in spoken
        and rule.speaks(posted_units=stand.posted_units, credit_limit_units=stand.credit_limit_units)
    ]
    if due:
        said = {
            "account_id": account_id,
            "month": month,
            "at": at,
            "currency": owner.currency,
            "balance_units": stand.posted_units,
            "credit_limit_units": stand.credit_limit_units,
        }
        rows = [{**said, "kind": rule.kind.value, "threshold": rule.threshold} for rule in due]
        connection.execute(INSERT, rows)


def note_cap(connection: Connection, account_id: str, cap_units: int, at: datetime) -> None:
    """Write down, once a month, that a cap on spending kept somebody from calling."""
    owner = connection.execute(OWNER, {"account_id": account_id}).one()
    month = f"{at.astimezone(ZoneInfo(owner.zone)):%Y-%m}"
    kind = AlertKind.SPEND_CAP.value
    told = connection.execute(SPOKEN, {"account_id": account_id, "month": month}).all()
    if (kind, cap_units) in {(row.kind, row.threshold) for row in told}:
        return
    stand = ledger.standing(connection, account_id)
    row = {"account_id": account_id, "kind": kind, "threshold": cap_units, "month": month, "at": at}
    more = {"balance_units": stand.posted_units, "credit_limit_units": stand.credit_limit_units}
    connection.execute(INSERT, row | more | {"currency": owner.currency})


def list_alerts(
    connection: Connection,
    *,
    account_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Alert, ...]:
    """Alerts that fit every filter, the oldest first; `until` is exclusive."""
    wanted = select(alerts).order_by(alerts.c.at, alerts.c.account_id, alerts.c.kind, alerts.c.threshold)
    if account_id is not None:
        wanted = wanted.where(alerts.c.account_id == account_id)
    if since is not None:
        wanted = wanted.where(alerts.c.at >= since)
    if until is not None:
        wanted = wanted.where(alerts.c.at < until)
    rows = connection.execute(wanted).mappings()
    return tuple(Alert(**{**row, "kind": AlertKind(row["kind"])}) for row in rows)


RULES = (
    select(alert_rules.c.kind, alert_rules.c.threshold)
    .where(alert_rules.c.account_id == bindparam("account_id"))
    .order_by(alert_rules.c.kind, alert_rules.c.threshold)
)
OWNER = select(accounts.c.zone, accounts.c.currency).where(accounts.c.id == bindparam("account_id"))
SPOKEN = select(alerts.c.kind, alerts.c.threshold).where(
    alerts.c.account_id == bindparam("account_id"), alerts.c.month == bindparam("month")
)
INSERT = insert(alerts)


def _told(rules: Iterable[AlertRule], currency: str) -> str:
    return ", ".join(
        f"{rule.kind} {rule.threshold} %"
        if rule.kind is AlertKind.CREDIT_USED
        else f"{rule.kind} {plain(from_units(rule.threshold, currency))} {currency}"
        for rule in rules
    )

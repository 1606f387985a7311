"""`dialback alert …`: when an account is told that its credit runs out.

Reads: words of the command line; alerts in the store.
Gives: the click group `alert`.
Knows nothing of: SQL, how alerts are delivered.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import output_option, reason_option
from staff.listing import amount, show_rows
from staff.ranges import ends_from, ends_options

if TYPE_CHECKING:
    from billing.alerts import AlertRule
    from store.audit import Author
    from store.database import Connection

RULES = ("account", "kind", "at", "currency")
LISTED = ("at", "account", "kind", "rule", "month", "balance", "credit_limit", "currency")


@click.group()
def alert() -> None:
    """Alerts: told once a month each, when credit is used up so far or a balance is low."""


@alert.command("set", epilog="Example: dialback alert set acme --percent 80 --percent 90 --low-balance 5.00")
@click.argument("account_id", metavar="ACCOUNT")
@click.option(
    "--percent", "percents", type=int, multiple=True, help="Of the credit limit, 1 to 100. May be repeated."
)
@click.option(
    "--low-balance", "lows", multiple=True, metavar="AMOUNT", help="Left to spend; may be repeated."
)
@reason_option
@output_option
@pass_desk
def set_(
    desk: Desk, *, account_id: str, percents: tuple[int, ...], lows: tuple[str, ...], reason: str, output: str
) -> None:
    """Give an account these alerts in place of those it had; none takes all away."""

    def put(connection: Connection, author: Author) -> None:
        from billing.alerts import AlertKind, AlertRule
        from store import alerts, customers
        from values.money import amount_units, money

        currency = customers.account(connection, account_id).currency
        rules = [AlertRule(kind=AlertKind.CREDIT_USED, threshold=percent) for percent in percents]
        for low in lows:
            units = amount_units(money(low, currency, field="low_balance"))
            rules.append(AlertRule(kind=AlertKind.LOW_BALANCE, threshold=units))
        alerts.set_rules(connection, account_id, rules, author)

    desk.change("set alerts", put, desk.author(reason))
    show_rows(desk.read("read alerts", _rules, account_id), RULES, output, none="No alerts are set.")


@alert.command(epilog="Example: dialback alert rules acme")
@click.argument("account_id", metavar="ACCOUNT")
@output_option
@pass_desk
def rules(desk: Desk, account_id: str, output: str) -> None:
    """Show an account's alerts."""
    show_rows(desk.read("read alerts", _rules, account_id), RULES, output, none="No alerts are set.")


@alert.command("list", epilog="Example: dialback alert list --from 2026-03-01")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@ends_options()
@output_option
@pass_desk
def list_(
    desk: Desk,
    *,
    account_id: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    output: str,
) -> None:
    """List alerts that spoke."""
    from billing.alerts import AlertRule
    from store import alerts

    since, until = ends_from(desk, since, until, zone, account_id)
    found = desk.read("list alerts", alerts.list_alerts, account_id=account_id, since=since, until=until)
    rows = [
        {
            "at": each.at,
            "account": each.account_id,
            "kind": each.kind,
            "rule": _threshold(AlertRule(kind=each.kind, threshold=each.threshold), each.currency),
            "month": each.month,
            "balance": amount(each.balance_units, each.currency),
            "credit_limit": amount(each.credit_limit_units, each.currency),
            "currency": each.currency,
        }
        for each in found
    ]
    show_rows(rows, LISTED, output, none="No alert spoke.")


def _rules(connection: Connection, account_id: str) -> list[dict[str, object]]:
    from store import alerts, customers

    currency = customers.account(connection, account_id).currency
    return [
        {"account": account_id, "kind": rule.kind, "at": _threshold(rule, currency), "currency": currency}
        for rule in alerts.rules_of(connection, account_id)
    ]


def _threshold(rule: AlertRule, currency: str) -> str:
    from billing.alerts import AlertKind

    return f"{rule.threshold} %" if rule.kind is AlertKind.CREDIT_USED else amount(rule.threshold, currency)

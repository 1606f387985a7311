"""A month of settled calls for a benchmark, written by SQL as the switch would have left it.

Reads: how many legs and accounts.
Gives: Month: its bounds and what its charges sum to.
Knows nothing of: invoices.

Each callback has an A-leg and a B-leg; the callbacks are spread evenly over the accounts and the month.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from billing.period import month
from rating.plan import Plan
from rating.rate import Rate
from store.audit import Author
from store.customers import Account, Subscriber, add_account, add_subscriber
from store.customertables import account_plans
from store.database import Connection, Database
from store.decks import add_deck, add_version
from store.plans import add_plan
from store.schema import accounts as accounts_table
from store.schema import subscribers
from store.upgrade import upgrade
from values.instants import micros

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CLERK = Author(at=LONG_AGO, name="bench", reason="bench")
PERIOD = month(2026, 3, "Europe/London")
LEGS_A_CALLBACK = 2

STATEMENTS = """
{calls} INSERT INTO callbacks
  (id, state, account_id, subscriber_id, plan_id, currency, origin_kind, received_at, trunk,
   caller_number_raw, trigger_id, idempotency_key, reference, topic, tag, remote_address, number_a,
   created_at, expires_at, home_country, language, attempts_max, retry_gaps_seconds, quick_retry_used,
   follow_on_key, in_call_key, hold_units, ended_at, cancelled_by)
SELECT {id}, 'completed', {account}, printf('s%06d', i % {accounts}), 'standard:1', 'EUR', 'ring',
  {ended} - 90000000, 'east', '', '', '', '', '', {tag}, '', '+442079460101',
  {ended} - 90000000, {ended}, 'GB', 'en', 1, '', 0, '#', '##', 0, {ended}, '' FROM n;

{calls} INSERT INTO entries (id, kind, at, reference, reason)
SELECT 'charge-' || {id}, 'charge', {ended}, {id}, '' FROM n;

INSERT OR IGNORE INTO ledger_accounts VALUES ('revenue', 'EUR', 0);

INSERT OR IGNORE INTO ledger_accounts SELECT 'receivable:' || id, 'EUR', 0 FROM accounts;

{calls} INSERT INTO postings (entry_id, position, ledger_account_id, currency, units)
SELECT 'charge-' || {id}, 0, 'receivable:' || {account}, 'EUR', -({price_a} + {price_b}) FROM n;

{calls} INSERT INTO postings (entry_id, position, ledger_account_id, currency, units)
SELECT 'charge-' || {id}, 1, 'revenue', 'EUR', {price_a} + {price_b} FROM n;

{calls} INSERT INTO settlements
  (callback_id, account_id, entry_id, plan_id, currency, gross_units, waived_units, ended_at)
SELECT {id}, {account}, 'charge-' || {id}, 'standard:1', 'EUR', {price_a} + {price_b}, 0, {ended} FROM n;

{calls} INSERT INTO cdrs
  (leg_id, callback_id, account_id, role, number, trunk, invited_at, rang_at, answered_at, accepted_at,
   hung_up_at, q850_cause, disposition, estimated, session_ended_at, tag)
SELECT {id} || '-a1', {id}, {account}, 'A', '+442079460101', 'east', {ended} - 80000000, {ended} - 75000000,
  {ended} - 70000000, {ended} - 69000000, {ended}, 16, 'answered', 0, {ended}, {tag} FROM n;

{calls} INSERT INTO cdrs
  (leg_id, callback_id, account_id, role, number, trunk, invited_at, rang_at, answered_at, accepted_at,
   hung_up_at, q850_cause, disposition, estimated, session_ended_at, tag)
SELECT {id} || '-b1', {id}, {account}, 'B', {number_b}, 'east', {ended} - 80000000, {ended} - 75000000,
  {ended} - 70000000, NULL, {ended}, 16, 'answered', 0, {ended}, {tag} FROM n;

{calls} INSERT INTO charges
  (leg_id, revision, entry_id, plan_id, currency, talk_seconds, billed_seconds, rate_id, prefix, destination,
   per_minute, next_per_minute, connect_fee, first_increment_s, next_increment_s, amount_units, steps,
   cost_rate_id, cost_currency, cost_seconds, cost_units, cost_steps)
SELECT {id} || '-a1', 0, 'charge-' || {id}, 'standard:1', 'EUR', 70, 70, 'retail:1:1', '44', 'United Kingdom',
  25000000, 25000000, 0, 30, 1, {price_a}, 'worked out', 'cost:1:1', 'EUR', 70, 0, '' FROM n;

{calls} INSERT INTO charges
  (leg_id, revision, entry_id, plan_id, currency, talk_seconds, billed_seconds, rate_id, prefix, destination,
   per_minute, next_per_minute, connect_fee, first_increment_s, next_increment_s, amount_units, steps,
   cost_rate_id, cost_currency, cost_seconds, cost_units, cost_steps)
SELECT {id} || '-b1', 0, 'charge-' || {id}, 'standard:1', 'EUR', 70, 70, 'retail:1:2', '1', 'United States',
  25000000, 25000000, 0, 30, 1, {price_b}, 'worked out', 'cost:1:2', 'EUR', 70, 0, '' FROM n;

ANALYZE
"""
"""For SQLite; a recursive query counts the callbacks."""
CALLS = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"

OTHERS: dict[Any, Callable[[int], dict[str, str]]] = {
    accounts_table: lambda number: {"id": f"a{number:06d}", "name": f"Account {number}"},
    account_plans: lambda number: {"account_id": f"a{number:06d}"},
    subscribers: lambda number: {
        "id": f"s{number:06d}",
        "account_id": f"a{number:06d}",
        "name": f"Person {number}",
    },
}
"""What differs in the rows of the other accounts; all else they have from the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What was made. `units` is what all charges sum to."""

    legs: int
    accounts: int
    units: int
    starts_at: int
    ends_at: int


def make_month(database: Database, *, legs: int, accounts: int) -> Month:
    """Make the tables, the accounts and their calls of March 2026."""
    upgrade(database.url)
    database.call("company", _company, accounts)
    count = legs // LEGS_A_CALLBACK
    since, until = micros(PERIOD.starts_at), micros(PERIOD.ends_at)
    values = {
        "calls": CALLS.format(count=count),
        "accounts": accounts,
        "id": "printf('c%09d', i)",
        "account": f"printf('a%06d', i % {accounts})",
        "ended": f"({since} + i * {(until - since) // count})",
        "tag": "CASE i % 3 WHEN 0 THEN 'atlas' ELSE '' END",
        "number_b": "'+1' || (2000000000 + i * 7919 % 8000000000)",
        "price_a": "(500 + i % 97)",
        "price_b": "(1700 + i % 1013)",
    }
    # What keeps books as they were written looks at each row; they are written by us, and then tied again.
    tied = database.call("untie", _untied)
    for statement in STATEMENTS.format(**values).split(";\n"):
        database.call("calls", _fill, statement)
    for statement in tied:
        database.call("tie", _fill, statement)
    units = database.call("balances", _balances)
    return Month(legs=count * LEGS_A_CALLBACK, accounts=accounts, units=units, starts_at=since, ends_at=until)


def _company(connection: Connection, accounts: int) -> None:
    add_deck(connection, name="retail", kind="sell", currency="EUR", author=CLERK)
    rate = Rate(
        id="", prefix="1", destination="United States", per_minute=Decimal("0.25"),
        valid_from=LONG_AGO, currency="EUR",
    )  # fmt: skip
    add_version(connection, deck_name="retail", new_rates=[rate], effective_at=LONG_AGO, author=CLERK)
    plan = Plan(
        id="", name="standard", version=1, currency="EUR", deck_id="retail",
        monthly_fee=Decimal("4.00"), monthly_fee_waived_from=Decimal("20.00"),
    )  # fmt: skip
    add_plan(connection, plan, effective_at=LONG_AGO, author=CLERK)
    owner = Account(
        id="a000000", name="Account 0", currency="EUR", zone=PERIOD.zone, plan_name="standard",
        credit_limit_units=10**9, tax_place="GB",
    )  # fmt: skip
    add_account(connection, owner, CLERK)
    person = Subscriber(id="s000000", account_id=owner.id, name="Person 0", home_country="GB")
    add_subscriber(connection, person, CLERK)
    for table, of_another in OTHERS.items():
        first = connection.execute(table.select()).mappings().one()
        row = {name: value for name, value in first.items() if table is not account_plans or name != "id"}
        others = [{**row, **of_another(number)} for number in range(1, accounts)]
        if others:
            connection.execute(table.insert(), others)


def _untied(connection: Connection) -> list[str]:
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%_no_replace'"
    ).all()
    for name, _ in found:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    return [str(sql) for _, sql in found]


def _fill(connection: Connection, statement: str) -> None:
    connection.exec_driver_sql(statement)


def _balances(connection: Connection) -> int:
    connection.exec_driver_sql(
        "UPDATE ledger_accounts SET balance_units = (SELECT coalesce(sum(units), 0) FROM postings"
        " WHERE postings.ledger_account_id = ledger_accounts.id)"
    )
    return int(connection.exec_driver_sql("SELECT sum(amount_units) FROM charges").scalar_one())

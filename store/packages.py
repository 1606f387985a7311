"""Packages of minutes as rows: what each month gave, what calls used of it, what is promised to live ones.

Reads: plans, accounts; rows of `packages`, `package_uses`, `package_promises`.
Gives: rating.Package for an account at an instant; seconds promised to a callback, and taken at its end.
Knows nothing of: which seconds a package pays for (rating/terms.py).

A month is opened by the first call that asks for it; the months between are opened with it, by the plan that
the account had when each began, so that what rolled over is there. Who promises or takes has locked the
account first (store/ledger.py), as for money.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, bindparam, delete, func, insert, select

from rating.packages import Package, month_after, month_of, renewed
from rating.plan import Plan
from store.accountplans import plan_of_account
from store.errors import NotFound
from store.pricetables import package_promises, package_uses, packages
from store.schema import accounts, plan_versions

REVISION_OF_SETTLEMENT = 0


def package(
    connection: Connection, account_id: str, plan: Plan, at: datetime, *, besides: str = ""
) -> Package:
    """The package of the month that holds `at`, as if it were opened now; nothing is written.

    What is promised to the callback `besides` is not counted: it asks for itself.
    """
    return _months(connection, account_id, plan, at, besides)[-1]


def promise(
    connection: Connection, *, callback_id: str, account_id: str, plan: Plan, seconds: int, at: datetime
) -> None:
    """Set so many seconds aside for a callback, in place of what it had; the account must be locked."""
    _open(connection, account_id, plan, at)
    connection.execute(FORGET, {"of_callback": callback_id})
    if seconds:
        row = {"callback_id": callback_id, "account_id": account_id, "seconds": seconds}
        connection.execute(INSERT_PROMISE, row)


def take(
    connection: Connection,
    *,
    callback_id: str,
    account_id: str,
    plan: Plan,
    used: Mapping[str, int],
    at: datetime,
) -> None:
    """Write down what each leg used, in the month in which the callback ended, and end its promise."""
    connection.execute(FORGET, {"of_callback": callback_id})
    if not any(used.values()):
        return
    month = _open(connection, account_id, plan, at)
    rows = [
        {
            "leg_id": leg_id,
            "revision": REVISION_OF_SETTLEMENT,
            "account_id": account_id,
            "month": month,
            "seconds": seconds,
        }
        for leg_id, seconds in used.items()
        if seconds
    ]
    connection.execute(INSERT_USE, rows)


INSERT_MONTH = insert(packages)
INSERT_USE = insert(package_uses)
INSERT_PROMISE = insert(package_promises)
FORGET = delete(package_promises).where(package_promises.c.callback_id == bindparam("of_callback"))
ACCOUNT = select(accounts.c.zone, accounts.c.created_at).where(accounts.c.id == bindparam("account_id"))
NEWEST = (
    select(packages)
    .where(packages.c.account_id == bindparam("account_id"), packages.c.month <= bindparam("month"))
    .order_by(packages.c.month.desc())
    .limit(1)
)
USED = (
    select(package_uses.c.month, func.sum(package_uses.c.seconds).label("seconds"))
    .where(package_uses.c.account_id == bindparam("account_id"), package_uses.c.month >= bindparam("month"))
    .group_by(package_uses.c.month)
)
PROMISED = select(func.coalesce(func.sum(package_promises.c.seconds), 0)).where(
    package_promises.c.account_id == bindparam("account_id"),
    package_promises.c.callback_id != bindparam("besides"),
)
BEGINNING = select(func.min(plan_versions.c.effective_at)).where(plan_versions.c.package_seconds > 0)


def _open(connection: Connection, account_id: str, plan: Plan, at: datetime) -> str:
    """Write the rows of all months up to that of `at` that have none yet; its name."""
    months = _months(connection, account_id, plan, at, "")
    known = connection.execute(NEWEST, {"account_id": account_id, "month": months[-1].month}).first()
    rows = [
        {
            "account_id": account_id,
            "month": each.month,
            "plan_id": plan.id,
            "granted_seconds": each.granted,
            "carried_seconds": each.carried,
            "opened_at": at,
        }
        for each in months
        if known is None or each.month > known.month
    ]
    if rows:
        connection.execute(INSERT_MONTH, rows)
    return months[-1].month


def _months(
    connection: Connection, account_id: str, plan: Plan, at: datetime, besides: str
) -> tuple[Package, ...]:
    """The months from the newest that is written, or from the plan's first, to that of `at`."""
    account = connection.execute(ACCOUNT, {"account_id": account_id}).one()
    wanted = month_of(at, account.zone)
    known = connection.execute(NEWEST, {"account_id": account_id, "month": wanted}).first()
    first = known.month if known is not None else _first_month(connection, account, wanted)
    used = {
        row.month: int(row.seconds)
        for row in connection.execute(USED, {"account_id": account_id, "month": first})
    }
    promised = int(connection.execute(PROMISED, {"account_id": account_id, "besides": besides}).scalar_one())
    months: list[Package] = []
    month, unused = first, 0
    while month <= wanted:
        if known is not None and month == known.month:
            made = Package(month=month, granted=known.granted_seconds, carried=known.carried_seconds)
        elif month == wanted:
            made = renewed(plan, month, unused=unused)
        else:
            made = _renewed(connection, account_id, month, account.zone, unused)
        made = replace(made, used=used.get(month, 0), promised=promised)
        months.append(made)
        month, unused = month_after(month), made.unused
    return tuple(months)


def _first_month(connection: Connection, account: Row[Any, *tuple[Any, ...]], wanted: str) -> str:
    """The month since which there can be a package: the account's own, or that of the first plan with one."""
    began = connection.execute(BEGINNING).scalar()
    since = account.created_at if began is None else max(account.created_at, began)
    return min(month_of(since, account.zone), wanted)


def _renewed(connection: Connection, account_id: str, month: str, zone: str, unused: int) -> Package:
    """The package of a month in which nobody asked for it: by the plan that was in force as it began."""
    begins = datetime(int(month[:4]), int(month[5:]), 1, tzinfo=ZoneInfo(zone))
    try:
        return renewed(plan_of_account(connection, account_id, begins), month, unused=unused)
    except NotFound:
        return Package(month=month, granted=0)  # the plan is younger than the month

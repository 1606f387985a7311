"""Which plan an account has at an instant.

Reads: rows of `account_plans`, which nobody changes.
Gives: the plan's version for any instant, past or to come; a change that holds from then on.
Knows nothing of: what the terms mean. A callback keeps the version with which it was admitted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from rating.plan import Plan
from store.audit import Author, note
from store.columns import UtcMicros
from store.customertables import account_plans
from store.errors import Invalid, NotFound
from store.plans import plan_in_force
from store.schema import accounts


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChange:
    """From `effective_at` on the account pays by this plan, until the next change."""

    account_id: str
    plan_name: str
    effective_at: datetime
    decided_at: datetime
    decided_by: str


def plan_of_account(connection: Connection, account_id: str, at: datetime) -> Plan:
    """The plan's version by which a callback of that account would be admitted at `at`."""
    return plan_in_force(connection, plan_name_at(connection, account_id, at), at)


def plan_name_at(connection: Connection, account_id: str, at: datetime) -> str:
    """The plan of an account at `at`; before its first one, that one."""
    found: str | None = connection.execute(NAME_AT, {"account_id": account_id, "at": at}).scalar()
    found = found or connection.execute(FIRST, {"account_id": account_id}).scalar()
    if found is None:
        raise NotFound("account", f"there is no account {account_id!r}", "see `dialback account list`")
    return found


def plan_changes(connection: Connection, account_id: str) -> tuple[PlanChange, ...]:
    """Every plan the account had, has and will have, in order."""
    wanted = (
        select(
            account_plans.c.account_id,
            account_plans.c.plan_name,
            account_plans.c.effective_at,
            account_plans.c.decided_at,
            account_plans.c.decided_by,
        )
        .where(account_plans.c.account_id == account_id)
        .order_by(account_plans.c.effective_at, account_plans.c.id)
    )
    return tuple(PlanChange(**row) for row in connection.execute(wanted).mappings())


def change_plan(
    connection: Connection, account_id: str, plan_name: str, *, effective_at: datetime, author: Author
) -> None:
    """Let the account pay by another plan from `effective_at` on; what has been called is not touched.

    The plan must be in force then, in the account's currency: the caller has checked it.
    """
    if effective_at < author.at:
        remedy = "write a time from now on; what was called before is corrected by re-rating"
        raise Invalid("effective", f"{effective_at:%Y-%m-%dT%H:%M:%SZ} is past", remedy)
    was = plan_name_at(connection, account_id, effective_at)
    row = {
        "account_id": account_id,
        "plan_name": plan_name,
        "effective_at": effective_at,
        "decided_at": author.at,
        "decided_by": author.name,
    }
    connection.execute(INSERT, row)
    after = {"plan": plan_name, "effective_at": f"{effective_at:%Y-%m-%dT%H:%M:%SZ}"}
    note(connection, author, "account.plan", account_id, before={"plan": was}, after=after)


INSERT = insert(account_plans)
_NEWEST_FIRST = (account_plans.c.effective_at.desc(), account_plans.c.id.desc())
NAME_AT = (
    select(account_plans.c.plan_name)
    .where(account_plans.c.account_id == bindparam("account_id"))
    .where(account_plans.c.effective_at <= bindparam("at", type_=UtcMicros()))
    .order_by(*_NEWEST_FIRST)
    .limit(1)
)
FIRST = (
    select(account_plans.c.plan_name)
    .where(account_plans.c.account_id == bindparam("account_id"))
    .order_by(account_plans.c.effective_at, account_plans.c.id)
    .limit(1)
)
OF_OWNER = (
    select(account_plans.c.plan_name)
    .where(account_plans.c.account_id == accounts.c.id)
    .where(account_plans.c.effective_at <= bindparam("at", type_=UtcMicros()))
    .order_by(*_NEWEST_FIRST)
    .limit(1)
    .correlate(accounts)
    .scalar_subquery()
)
"""For statements that read an account's row with other things; they bind `at`."""

"""Plans: price terms in versions that never change.

Reads: rating.Plan; rows of `plans` and `plan_versions`.
Gives: the pinned version by its id, `<name>:<version>`, or the one in force at an instant.
Knows nothing of: what the terms mean.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, bindparam, insert, select

from rating.bands import bands_text, read_bands
from rating.plan import ALegPolicy, Plan
from store import checks
from store.audit import Author, note
from store.columns import UtcMicros
from store.decks import sell_deck
from store.errors import Conflict, NotFound
from store.schema import plan_versions, plans
from values.money import decimal_from_units, decimal_units, rate_from_units, rate_units

Value = TypeVar("Value")
Other = TypeVar("Other")

PLANS_KEPT = 256
"""As many as an operator has in use, and more."""
EVER_SINCE = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any callback."""
FREE_A_LEG = "+free"
"""Behind a version's id: the same terms, but the account does not pay for the A-leg. It is pinned with the
id, so that whoever prices the session, then or years later, finds it."""


def add_plan(connection: Connection, plan: Plan, *, effective_at: datetime | None, author: Author) -> Plan:
    """Write the first version of a plan, or the next one; the plan with the id and version it was given.

    `effective_at` None: now; but a first version takes nothing back, so old calls are priced by it too.

    Callbacks that run keep the version they began with; an account's next callback takes the new one.
    """
    checks.slug("plan", plan.name)
    deck = sell_deck(connection, plan.deck_id)
    if deck.currency != plan.currency:
        problem = f"deck {deck.name!r} is in {deck.currency}, the plan in {plan.currency}"
        raise Conflict("currency", problem, "give the plan its deck's currency")
    newest = connection.execute(NEWEST, {"name": plan.name}).mappings().first()
    if newest is None:
        connection.execute(insert(plans), {"name": plan.name, "created_at": author.at})
    elif newest["currency"] != plan.currency:
        problem = f"plan {plan.name!r} is in {newest['currency']}"
        raise Conflict("currency", problem, "make another plan for another currency")
    version = 1 if newest is None else newest["version"] + 1
    made = replace(plan, id=f"{plan.name}:{version}", version=version)
    row = _values(made)
    since = effective_at or (EVER_SINCE if newest is None else author.at)
    connection.execute(insert(plan_versions), {**row, "effective_at": since, "created_at": author.at})
    before = {} if newest is None else _told({name: newest[name] for name in row})
    note(connection, author, "plan.version", made.id, before=before, after=_told(row))
    return made


def plan(connection: Connection, plan_id: str) -> Plan:
    """The pinned version of that id, with a free A-leg where the id says so; NotFound if there is none."""
    version_id, marked, _ = plan_id.partition(FREE_A_LEG)
    row = connection.execute(PINNED, {"plan_id": version_id}).first()
    if row is None:
        raise NotFound("plan", f"there is no plan version {plan_id!r}", "see `dialback plan list`")
    found = _plan_of(row)
    return replace(found, id=plan_id, a_leg_policy=ALegPolicy.FREE) if marked else found


def plan_versions_of(connection: Connection, plan_ids: Iterable[str]) -> dict[str, Plan]:
    """The version behind each pinned id, with the terms that it has for calls of an account."""
    versions = {plan_id: plan_id.partition(FREE_A_LEG)[0] for plan_id in plan_ids}
    wanted = select(plan_versions).where(plan_versions.c.id.in_(set(versions.values())))
    found = {row.id: _plan_of(row) for row in connection.execute(wanted)}
    return {plan_id: found[version] for plan_id, version in versions.items()}


def plan_in_force(connection: Connection, name: str, at: datetime) -> Plan:
    """The version of the plan in force at `at`; NotFound if there is none."""
    row = connection.execute(IN_FORCE, {"name": name, "at": at}).first()
    if row is None:
        raise NotFound(
            "plan", f"no plan {name!r} is in force at {at:%Y-%m-%dT%H:%M:%SZ}", "see `dialback plan list`"
        )
    return _plan_of(row)


def list_plans(connection: Connection) -> tuple[Plan, ...]:
    """Every version of every plan, by name and version."""
    wanted = select(plan_versions).order_by(plan_versions.c.plan_name, plan_versions.c.version)
    return tuple(_plan_of(row) for row in connection.execute(wanted))


PINNED = select(plan_versions).where(plan_versions.c.id == bindparam("plan_id"))
NEWEST = (
    select(plan_versions)
    .where(plan_versions.c.plan_name == bindparam("name"))
    .order_by(plan_versions.c.version.desc())
    .limit(1)
)
IN_FORCE = NEWEST.where(plan_versions.c.effective_at <= bindparam("at", type_=UtcMicros()))


def _values(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "plan_name": plan.name,
        "version": plan.version,
        "currency": plan.currency,
        "deck_name": plan.deck_id,
        "first_increment_s": plan.first_increment_s,
        "next_increment_s": plan.next_increment_s,
        "free_below_seconds": plan.free_below_seconds,
        "a_leg_policy": plan.a_leg_policy.value,
        "connect_fee": rate_units(plan.connect_fee),
        "follow_on_key": plan.follow_on_key,
        "in_call_key": plan.in_call_key,
        "talk_seconds_max": plan.talk_seconds_max,
        # A plan's floor has at most 2 decimals (rating/plan.py).
        "margin_floor_hundredths": int(plan.margin_floor_percent * 100),
        "margin_floor_per_minute": _optional(plan.margin_floor_per_minute, rate_units),
        "zone": plan.zone,
        "bands": bands_text(plan.bands),
        "call_price_min_units": _optional(plan.call_price_min, decimal_units),
        "call_price_max_units": _optional(plan.call_price_max, decimal_units),
        "amount_places": plan.amount_places,
        "monthly_fee_units": decimal_units(plan.monthly_fee),
        "monthly_fee_waived_from_units": _optional(plan.monthly_fee_waived_from, decimal_units),
        "package_seconds": plan.package_seconds,
        "package_rolls_over": plan.package_rolls_over,
        "package_prefixes": ",".join(plan.package_prefixes),
        "overage_per_minute": _optional(plan.overage_per_minute, rate_units),
    }


def _told(row: Mapping[str, Any]) -> dict[str, object]:
    """The row for the audit log: its floor in percent, as people write it."""
    told = dict(row)
    floor = Decimal(told.pop("margin_floor_hundredths")).scaleb(-2)
    return {**told, "margin_floor_percent": f"{floor:f}"}


def _optional(value: Value | None, change: Callable[[Value], Other]) -> Other | None:
    return None if value is None else change(value)


@lru_cache(maxsize=PLANS_KEPT)
def _plan_of(row: Row[Any]) -> Plan:
    """The plan of that row; the same row is the same plan, and a callback asks for it five times."""
    return Plan(
        id=row.id,
        name=row.plan_name,
        version=row.version,
        currency=row.currency,
        deck_id=row.deck_name,
        first_increment_s=row.first_increment_s,
        next_increment_s=row.next_increment_s,
        free_below_seconds=row.free_below_seconds,
        a_leg_policy=ALegPolicy(row.a_leg_policy),
        connect_fee=rate_from_units(row.connect_fee),
        follow_on_key=row.follow_on_key,
        in_call_key=row.in_call_key,
        talk_seconds_max=row.talk_seconds_max,
        margin_floor_percent=Decimal(row.margin_floor_hundredths).scaleb(-2),
        margin_floor_per_minute=_optional(row.margin_floor_per_minute, rate_from_units),
        zone=row.zone,
        bands=read_bands(row.bands),
        call_price_min=_optional(row.call_price_min_units, decimal_from_units),
        call_price_max=_optional(row.call_price_max_units, decimal_from_units),
        amount_places=row.amount_places,
        monthly_fee=decimal_from_units(row.monthly_fee_units),
        monthly_fee_waived_from=_optional(row.monthly_fee_waived_from_units, decimal_from_units),
        package_seconds=row.package_seconds,
        package_rolls_over=row.package_rolls_over,
        package_prefixes=tuple(prefix for prefix in row.package_prefixes.split(",") if prefix),
        overage_per_minute=_optional(row.overage_per_minute, rate_from_units),
    )

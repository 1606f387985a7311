"""`dialback plan …`: price terms, in versions.

Reads: words of the command line; plans in the store.
Gives: the click group `plan`.
Knows nothing of: SQL, which terms are sound (rating/plan.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import Instant, output_option, reason_option
from staff.listing import Row, show_record, show_rows

if TYPE_CHECKING:
    from rating.plan import Plan
    from store.audit import Author
    from store.database import Connection

POLICIES = ("from_answer", "from_accept", "if_b_answered", "while_bridged", "free")
LISTED = (
    "id",
    "deck",
    "currency",
    "first_increment_s",
    "next_increment_s",
    "a_leg_policy",
    "connect_fee",
    "free_below_seconds",
    "talk_seconds_max",
)


@click.group()
def plan() -> None:
    """Plans: which deck an account pays by, and in what steps."""


@plan.command(
    epilog="Example: dialback plan add standard --deck retail --first-increment 30 --next-increment 1"
)
@click.argument("name")
@click.option(
    "--deck", required=True, metavar="DECK", help="A deck of kind sell; its currency is the plan's."
)
@click.option("--first-increment", type=int, default=30, show_default=True, metavar="SECONDS")
@click.option("--next-increment", type=int, default=1, show_default=True, metavar="SECONDS")
@click.option(
    "--a-leg-policy",
    type=click.Choice(POLICIES),
    default="from_accept",
    show_default=True,
    help="Which seconds of the call to the subscriber are paid.",
)
@click.option("--connect-fee", default="0", show_default=True, metavar="AMOUNT", help="For each charged leg.")
@click.option("--free-below", type=int, default=0, show_default=True, metavar="SECONDS")
@click.option("--follow-on-key", default="#", show_default=True, help="#, ## or ###: a further call.")
@click.option(
    "--in-call-key", default="##", show_default=True, help="##, #, ### or '': ends a call that runs."
)
@click.option("--talk-seconds-max", type=int, default=7200, show_default=True, metavar="SECONDS")
@click.option(
    "--margin-floor",
    default="0",
    show_default=True,
    metavar="PERCENT",
    help="No route that earns less is taken.",
)
@click.option("--effective", type=Instant(), metavar="TIME", help="From when it is in force.  [default: now]")
@reason_option
@output_option
@pass_desk
def add(
    desk: Desk, /, *, name: str, deck: str, effective: datetime | None, reason: str, output: str, **terms: Any
) -> None:
    """Write the first version of a plan, or the next one; what runs keeps the version it began with."""
    author = desk.author(reason)
    made = desk.change("add plan", _add, _Terms(name, deck, terms), effective or desk.now(), author)
    show_record(_record(made), output)


@plan.command(epilog="Examples: dialback plan show standard | dialback plan show standard:1 --output json")
@click.argument("name", metavar="NAME[:VERSION]")
@output_option
@pass_desk
def show(desk: Desk, name: str, output: str) -> None:
    """Show the terms in force now, or those of one version."""
    show_record(_record(desk.read("show plan", _find, name, desk.now())), output)


@plan.command("list", epilog="Example: dialback plan list")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List every version of every plan."""
    from store import plans

    rows = [_record(each) for each in desk.read("list plans", plans.list_plans)]
    show_rows(rows, LISTED, output, none="There is no plan; make one with `dialback plan add`.")


def _find(connection: Connection, name: str, at: datetime) -> Plan:
    from store import plans

    return plans.plan(connection, name) if ":" in name else plans.plan_in_force(connection, name, at)


class _Terms(NamedTuple):
    """A plan as it was written on the command line."""

    name: str
    deck: str
    words: dict[str, Any]


def _add(connection: Connection, wanted: _Terms, effective_at: datetime, author: Author) -> Plan:
    from rating.plan import ALegPolicy, Plan
    from store import decks, plans
    from values.money import RATE_SCALE, decimal_number

    terms = wanted.words
    wish = Plan(
        id=wanted.name,
        name=wanted.name,
        version=1,
        currency=decks.deck_info(connection, wanted.deck).currency,
        deck_id=wanted.deck,
        first_increment_s=terms["first_increment"],
        next_increment_s=terms["next_increment"],
        free_below_seconds=terms["free_below"],
        a_leg_policy=ALegPolicy(terms["a_leg_policy"]),
        connect_fee=decimal_number(terms["connect_fee"], places=RATE_SCALE, field="connect_fee"),
        follow_on_key=terms["follow_on_key"],
        in_call_key=terms["in_call_key"],
        talk_seconds_max=terms["talk_seconds_max"],
        margin_floor_percent=decimal_number(
            terms["margin_floor"], places=2, field="margin_floor", signed=True
        ),
    )
    return plans.add_plan(connection, wish, effective_at=effective_at, author=author)


def _record(known: Plan) -> Row:
    from billing import printed

    return {
        "id": known.id,
        "name": known.name,
        "version": known.version,
        "deck": known.deck_id,
        "currency": known.currency,
        "first_increment_s": known.first_increment_s,
        "next_increment_s": known.next_increment_s,
        "free_below_seconds": known.free_below_seconds,
        "a_leg_policy": known.a_leg_policy,
        "connect_fee": printed.rate(known.connect_fee),
        "follow_on_key": known.follow_on_key,
        "in_call_key": known.in_call_key,
        "talk_seconds_max": known.talk_seconds_max,
        "margin_floor_percent": known.margin_floor_percent,
    }

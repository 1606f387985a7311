"""`dialback routes NUMBER`: every trunk's offer, what it costs and earns, and why it is in or out.

Reads: words of the command line; plans, decks, trunks in the store.
Gives: the click command `routes`.
Knows nothing of: SQL, how routes are chosen (rating/routes.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.dialled import destination_number
from staff.exits import REFUSED, Stop
from staff.inputs import Instant, home_country_option, rows_output_option
from staff.listing import Row, show_rows

if TYPE_CHECKING:
    from rating.plan import Plan
    from rating.routes import Rejection, Route
    from store.authorisation import Priced
    from store.database import Connection
    from values.e164 import E164

LISTED = (
    "order",
    "trunk",
    "prefix",
    "cost_row",
    "cost_per_minute",
    "margin_per_minute",
    "margin_percent",
    "caller_id",
    "origin_class",
    "why",
)
NONE = "none"
"""Instead of a number: no caller ID is shown."""
SPARE = ("cost_row", "origin_class", "prefix", "caller_id")


@click.command(
    epilog="Example: dialback routes +442079460101 --plan standard"
    "\n\nExample: dialback routes +33142685300 --account acme --caller-id +12025550111"
    " --at 2026-03-02T19:30:00Z"
)
@click.argument("number")
@click.option("--account", "account_id", metavar="ACCOUNT", help="Whose plan sells the call.")
@click.option("--plan", "plan_name", metavar="NAME[:VERSION]", help="A plan, instead of an account's.")
@click.option("--at", type=Instant(), metavar="TIME", help="When it is dialled.  [default: now]")
@click.option(
    "--caller-id",
    metavar="NUMBER|none",
    help="What is to be shown.  [default: the account's first verified number; with --plan none]",
)
@home_country_option
@rows_output_option
@pass_desk
def routes(
    desk: Desk,
    number: str,
    account_id: str | None,
    plan_name: str | None,
    at: datetime | None,
    caller_id: str | None,
    home_country: str | None,
    output: str,
) -> None:
    """Show who would take a call to NUMBER, in the order of trial, and why others would not."""
    check_terms(account_id, plan_name)
    dialled = destination_number("number", number, home_country)
    when = at or desk.now()
    rows = desk.read("routes", _rows, dialled, account_id, plan_name, when, caller_id)
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no trunk; add one with `dialback trunk add`.")


def _rows(
    connection: Connection,
    number: E164,
    account_id: str | None,
    plan_name: str | None,
    at: datetime,
    caller_id: str | None,
) -> list[Row]:
    from rating.deck import NoRate
    from store import authorisation

    plan = plan_at(connection, account_id, plan_name, at)
    priced = authorisation.price_of(connection, plan, number, at)
    if isinstance(priced, NoRate):
        raise Stop(f"{priced}: no row, no call", REFUSED)
    if priced.rate.blocked:
        raise Stop(f"row {priced.rate.id} blocks {number}: it is not dialled", REFUSED)
    wish = _wish(connection, account_id, caller_id, at)
    found = authorisation.routes_to(connection, plan, priced, at, wishes=(wish,))
    chosen = [_chosen(place, route, priced) for place, route in enumerate(found.chosen, start=1)]
    return [*chosen, *(_rejected(each) for each in found.rejected)]


def _wish(connection: Connection, account_id: str | None, caller_id: str | None, at: datetime) -> E164 | None:
    """What is to be shown: if not said, what the switch shows for a callback to the account."""
    from store import checks, customers

    if caller_id is not None:
        return None if caller_id == NONE else checks.number("caller_id", caller_id, None)
    known = customers.list_numbers(connection)
    mine = (each for each in known if each.account_id == account_id and not each.has_ended(at))
    return next((each.number for each in mine if each.verified_at is not None), None)


def check_terms(account_id: str | None, plan_name: str | None) -> None:
    """Return if it is said, once, by whose terms a call is sold."""
    if account_id is None and plan_name is None:
        raise click.UsageError("--account or --plan: neither is given; name whose terms price the call")
    if account_id is not None and plan_name is not None:
        raise click.UsageError("--account and --plan: both are given; an account has its plan, name one")


def plan_at(connection: Connection, account_id: str | None, name: str | None, at: datetime) -> Plan:
    """The plan of an account, or the named one; a version may be named."""
    from store import customers
    from store.accountplans import plan_of_account

    if name is None:
        assert account_id is not None
        customers.account(connection, account_id)
        return plan_of_account(connection, account_id, at)
    if ":" in name:
        return customers.plan(connection, name)
    return customers.plan_in_force(connection, name, at)


def _chosen(place: int, route: Route, priced: Priced) -> Row:
    from billing import printed

    shorter = f"; prefix {route.cost.prefix} is shorter than the price's" if route.on_shorter_prefix else ""
    other = route.cost.currency != priced.rate.currency
    fee = route.cost.attempt_fee
    asked = f"; {route.cost.currency} {printed.rate(fee)} for each attempt, answered or not" if fee else ""
    return {
        "order": place,
        "trunk": route.trunk,
        "prefix": route.cost.prefix,
        "cost_row": route.cost.id,
        "cost_per_minute": printed.rate(route.cost_per_minute),
        "margin_per_minute": printed.rate(route.margin_per_minute),
        "margin_percent": f"{route.margin_percent:f}",
        "caller_id": None if route.shown is None else str(route.shown),
        "origin_class": route.origin.value,
        "why": f"tried{shorter}{f'; converted from {route.cost.currency}' if other else ''}{asked}",
    }


def _rejected(rejection: Rejection) -> Row:
    nothing = dict.fromkeys(LISTED)
    return {**nothing, "trunk": rejection.trunk, "why": f"{rejection.reason}: {rejection.explanation}"}

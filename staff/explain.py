"""`dialback explain LEG`: how the price of one leg came about, and that it comes to the same again.

Reads: a leg's id; its charge, pinned rows and plan in the store.
Gives: the click command `explain`.
Knows nothing of: SQL, how a price comes about (rating/).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop
from staff.inputs import output_option
from staff.listing import Row, decimal_amount, show_record

if TYPE_CHECKING:
    from decimal import Decimal

    from store.cdrs import CallRecord
    from store.database import Connection
    from store.explanations import AttemptExplanation, Explanation


@click.command(epilog="Example: dialback explain cb0mwk2y9h3-b1")
@click.argument("leg", metavar="LEG")
@click.option("--cost", "with_cost", is_flag=True, help="Also what the carrier asks; not for accounts.")
@output_option
@pass_desk
def explain(desk: Desk, leg: str, *, with_cost: bool, output: str) -> None:
    """Show the row, the seconds and the steps of a leg's price; LEG is the id that `dialback cdr` shows.

    The price is worked out once more from what was pinned when the leg was authorised. Exit code 1 if it is
    not what was charged. `credited` was given back of this leg since; what was given back of the whole
    callback is in `callback show`. A leg that nobody answered has no price; --cost tells what trying it cost.
    """
    from store.explanations import Explanation

    found = desk.read("explain", _explain, leg, with_cost=with_cost)
    booked: Decimal | None
    if isinstance(found, Explanation):
        booked = found.charge.amount
        show_record(_record(found, with_cost=with_cost), output)
    else:
        booked = found.record.cost
        show_record(_attempt(found), output)
    if not found.agrees:
        problem = f"{leg} is in the books with {booked}, but comes to {found.again.amount}"
        raise Stop(f"{problem}: tell whoever keeps the books", ERROR)
    if output == "table":
        say("Worked out once more from the pinned row: the same.")


def _explain(connection: Connection, leg: str, *, with_cost: bool) -> Explanation | AttemptExplanation:
    from store.explanations import attempt_explanation, explanation

    attempt = attempt_explanation(connection, leg) if with_cost else None
    return attempt or explanation(connection, leg)


def _record(found: Explanation, *, with_cost: bool) -> Row:
    from billing import printed

    record, charge = found.record, found.charge
    shown = {
        "leg": record.cdr.leg_id,
        "role": record.cdr.role.value,
        "number": str(record.cdr.number),
        "account": record.account_id,
        "plan": found.plan_id,
        "answered_at": record.cdr.answered_at,
        "accepted_at": record.cdr.accepted_at,  # of an A-leg: most plans count from this key on
        "hung_up_at": record.cdr.hung_up_at,
        "row": charge.rate_id,
        "prefix": charge.prefix,
        "destination": charge.destination,
        "band": charge.band,
        "charged_seconds": charge.talk_seconds,
        "increments": f"{charge.first_increment_s}/{charge.next_increment_s}",
        "billed_seconds": charge.billed_seconds,
        "package_seconds": charge.package_seconds,
        "per_minute": printed.rates(charge.per_minute, charge.next_per_minute),
        "caller_id_shown": found.caller_id,
        "origin_class": found.origin_class,
        "surcharge_per_minute": printed.rate(charge.surcharge_per_minute),
        "connect_fee": printed.rate(charge.connect_fee),
        "amount": decimal_amount(charge.amount, charge.currency),
        "credited": decimal_amount(record.credited, charge.currency),
        "net": decimal_amount(record.net, charge.currency),
        "currency": charge.currency,
        "steps": list(charge.steps),
    }
    return {**shown, **_cost(record, found)} if with_cost else shown


def _attempt(found: AttemptExplanation) -> Row:
    cdr = found.record.cdr
    return {
        "leg": cdr.leg_id,
        "role": cdr.role.value,
        "number": str(cdr.number),
        "account": found.record.account_id,
        "disposition": cdr.disposition,
        "hung_up_at": cdr.hung_up_at,
        **_cost(found.record, found),
    }


def _cost(record: CallRecord, found: Explanation | AttemptExplanation) -> Row:
    return {
        "trunk": record.cdr.trunk,
        "cost_row": record.cost_rate_id,
        "cost": None if record.cost is None else decimal_amount(record.cost, record.cost_currency),
        "cost_currency": record.cost_currency,
        "cost_steps": list(found.cost_steps),
    }

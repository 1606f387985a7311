"""Reports of use and money: `dialback report usage`, `margin`, `ageing`, `unbilled`.

Reads: words of the command line; sums that the store made.
Gives: four click commands.
Knows nothing of: SQL, how a margin is reckoned (billing/takings.py), how payments settle (billing/ageing.py).
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import LocalInstant, Zone
from staff.listing import FOR_PEOPLE, Row
from staff.ranges import aware, give, report_output, span_options, zone_meant
from staff.reportlines import TOTAL, account_option, by_option, carrier_option, totals, wanted_legs

if TYPE_CHECKING:
    from billing.takings import Takings

USAGE = ("callbacks", "legs", "answered", "talk_seconds", "billed_seconds", "amount", "currency")
MARGIN = ("price", "cost_a", "cost_b", "cost", "margin", "margin_percent", "currency", "cost_currency")
LATE = ("not_due", "late_1_to_30", "late_31_to_60", "late_61_to_90", "late_over_90")
"""In days."""
AGEING = ("account", *LATE, "credit", "owed", "currency")
UNBILLED = ("account", "callbacks", "amount", "currency", "first_at", "last_at")
SEVERAL_LEGS = frozenset({"destination", "carrier"})
"""One callback may be in several such groups, so their callbacks have no sum."""


@click.command(epilog="Example: dialback report usage --by destination --month 2026-03 --output csv")
@by_option
@account_option
@carrier_option
@span_options
@report_output
@pass_desk
def usage(
    desk: Desk,
    /,
    *,
    by: str,
    account_id: str | None,
    carrier: str | None,
    output: str,
    file: Path | None,
    **range_: Any,
) -> None:
    """Callbacks, legs, seconds and what accounts pay for them.

    A callback belongs, whole, to the day on which it ended, as on the invoice.
    """
    from store import reports
    from values.money import decimal_from_units

    wanted = wanted_legs(desk, by, account_id, carrier, range_)
    rows: list[Row] = [
        {
            by: each.group,
            "callbacks": each.callbacks,
            "legs": each.legs,
            "answered": each.answered,
            "talk_seconds": each.talk_seconds,
            "billed_seconds": each.billed_seconds,
            "amount": decimal_from_units(each.amount_units),
            "currency": each.currency,
        }
        for each in desk.read("report usage", reports.usage, wanted)
    ]
    if output in FOR_PEOPLE:
        rows += totals(rows, by, USAGE[:6], unsummed=("callbacks",) if by in SEVERAL_LEGS else ())
    heading = f"Use by {by}, {wanted.span}"
    give(desk, rows, (by, *USAGE), heading=heading, output=output, file=file)


@click.command(epilog="Example: dialback report margin --by carrier --from 2026-03-01 --till 2026-03-15")
@by_option
@account_option
@carrier_option
@span_options
@report_output
@pass_desk
def margin(
    desk: Desk,
    /,
    *,
    by: str,
    account_id: str | None,
    carrier: str | None,
    output: str,
    file: Path | None,
    **range_: Any,
) -> None:
    """Revenue of calls less what both legs cost, to the last digit.

    Where price and cost are in different currencies both are shown, and no margin. Fees and taxes stand on
    invoices. What was credited before its invoice is off the price; a credit note upon an issued invoice is
    not: `dialback credit-note list` has those.
    """
    from store import reports
    from values.money import decimal_from_units

    def line(group: str, takings: Takings) -> Row:
        margin_units = takings.margin_units
        return {
            by: group,
            "price": decimal_from_units(takings.price_units),
            "cost_a": decimal_from_units(takings.cost_a_units),
            "cost_b": decimal_from_units(takings.cost_b_units),
            "cost": decimal_from_units(takings.cost_units),
            "margin": None if margin_units is None else decimal_from_units(margin_units),
            "margin_percent": takings.margin_percent,
            "currency": takings.currency,
            "cost_currency": takings.cost_currency,
        }

    wanted = wanted_legs(desk, by, account_id, carrier, range_)
    found = desk.read("report margin", reports.takings, wanted)
    rows = [line(each.group, each.takings) for each in found]
    if output in FOR_PEOPLE and found:
        rows += [line(TOTAL, each) for each in reports.total_takings(found)]
    heading = f"Margin by {by}, {wanted.span}"
    give(desk, rows, (by, *MARGIN), heading=heading, output=output, file=file)


@click.command(epilog="Example: dialback report ageing --on 2026-04-01 --output xlsx --file ageing.xlsx")
@click.option(
    "--on", type=LocalInstant(), metavar="TIME", help="What was owed at that instant.  [default: now]"
)
@click.option(
    "--zone", type=Zone(), metavar="ZONE", help="Whose day --on is.  [default: the --account's, else UTC]"
)
@account_option
@report_output
@pass_desk
def ageing(
    desk: Desk,
    /,
    *,
    on: datetime | None,
    zone: str | None,
    account_id: str | None,
    output: str,
    file: Path | None,
) -> None:
    """What accounts owe, by how many days late it is; payments settle what was due first.

    A sum is due with the invoice that asks for it: `not_due` is what is to be paid later, and what is on no
    invoice yet. The day on which an invoice is due is the first day late.
    """
    from store import receivables
    from values.money import decimal_from_units

    zone = zone_meant(desk, zone, account_id)
    at = desk.now() if on is None else aware(on, zone)
    rows: list[Row] = [
        {
            "account": each.account_id,
            **{
                column: decimal_from_units(units)
                for column, units in zip(LATE, each.ageing.open_units, strict=True)
            },
            "credit": decimal_from_units(each.ageing.credit_units),
            "owed": decimal_from_units(each.ageing.owed_units),
            "currency": each.currency,
        }
        for each in desk.read("report ageing", receivables.receivables, at, account_id=account_id)
    ]
    if output in FOR_PEOPLE:
        rows += totals(rows, "account", (*LATE, "credit", "owed"))
    heading = f"Owed at {at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}, {zone}"
    give(desk, rows, AGEING, heading=heading, output=output, file=file, none="Nobody owes anything.")


@click.command(epilog="Example: dialback report unbilled --account acme")
@account_option
@report_output
@pass_desk
def unbilled(desk: Desk, /, *, account_id: str | None, output: str, file: Path | None) -> None:
    """Calls that are on no invoice yet, up to this moment; without fees, tax and rounding.

    `dialback invoice show ACCOUNT` is the draft with all of them, call by call.
    """
    from store import accounts, receivables
    from values.money import decimal_from_units

    if account_id is not None:
        desk.read("read account", accounts.account, account_id)
    rows: list[Row] = [
        {
            "account": each.account_id,
            "callbacks": each.callbacks,
            "amount": decimal_from_units(each.units),
            "currency": each.currency,
            "first_at": each.first_at,
            "last_at": each.last_at,
        }
        for each in desk.read("report unbilled", receivables.unbilled, account_id=account_id)
    ]
    if output in FOR_PEOPLE:
        rows += totals(rows, "account", UNBILLED[1:3], blank=UNBILLED[4:])
    heading = f"Unbilled at {desk.now().isoformat(sep=' ', timespec='seconds')}"
    give(desk, rows, UNBILLED, heading=heading, output=output, file=file, none="Everything is invoiced.")

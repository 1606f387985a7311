"""What reports share: by what they are grouped, which legs they go over, their last line.

Reads: words of the command line, rows.
Gives: options, a store.grouping.Wanted, totals.
Knows nothing of: which report it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk
from staff.listing import Row
from staff.ranges import span_from

if TYPE_CHECKING:
    from store.grouping import Wanted

GROUPS = ("day", "destination", "carrier", "account", "subscriber", "tag", "trigger")
FUNNEL_GROUPS = ("day", "country", "carrier", "account", "subscriber", "tag", "destination", "trigger")
TOTAL = "total"
account_option = click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
carrier_option = click.option("--carrier", metavar="CARRIER", help="Only over this carrier.")
by_option = click.option(
    "--by", type=click.Choice(GROUPS), default="day", show_default=True, help="A line for each."
)


def wanted_legs(
    desk: Desk, by: str, account_id: str | None, carrier: str | None, range_: dict[str, Any]
) -> Wanted:
    from store.grouping import By, Wanted, check_carrier

    if carrier is not None:
        desk.read("read carrier", check_carrier, carrier)
    span = span_from(desk, account_id=account_id, **range_)
    return Wanted(by=By(by), span=span, account_id=account_id, carrier=carrier)


def totals(
    rows: Sequence[Row],
    by: str,
    summed: Iterable[str],
    *,
    unsummed: Sequence[str] = (),
    blank: Sequence[str] = (),
) -> list[Row]:
    """A last line for each currency, or one where there is none."""
    lines: dict[object, dict[str, object]] = {}
    for row in rows:
        currency = row.get("currency")
        if currency not in lines:
            lines[currency] = {by: TOTAL, "currency": currency, **dict.fromkeys(blank)}
            lines[currency] |= dict.fromkeys(summed, 0)
        for column in summed:
            value: Any = row[column]
            lines[currency][column] += value
    return [{**line, **dict.fromkeys(unsummed)} for line in lines.values()]

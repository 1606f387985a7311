"""`dialback stats`: how callbacks ended, and how many were answered of those attempted.

Reads: words of the command line; counts that the store made.
Gives: the click command `stats`.
Knows nothing of: SQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.listing import FOR_PEOPLE, Row
from staff.ranges import give, report_output, span_from, span_options
from staff.reportlines import FUNNEL_GROUPS

RESULTS = ("completed", "unanswered", "abandoned", "failed", "cancelled", "under way")
SPARE = ("under_way", "attempted")


@click.command(epilog="Example: dialback stats --by day --month 2026-03")
@click.option(
    "--by", type=click.Choice(FUNNEL_GROUPS), default="day", show_default=True, help="A line for each."
)
@click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's.")
@span_options
@report_output
@pass_desk
def stats(
    desk: Desk, /, *, by: str, account_id: str | None, output: str, file: Path | None, **range_: Any
) -> None:
    """How callbacks ended, by the day on which they came in.

    `reconnect_percent`: of the callbacks that were attempted, those in which the subscriber answered.
    """
    from calls.quality import percent
    from store import funnels

    def line(group: str, results: dict[str, int], attempted: int, answered: int) -> Row:
        return {
            by: group,
            "callbacks": sum(results.values()),
            **{result.replace(" ", "_"): results.get(result, 0) for result in RESULTS},
            "attempted": attempted,
            "answered": answered,
            "reconnect_percent": percent(answered, attempted),
        }

    span = span_from(desk, account_id=account_id, **range_)
    found = desk.read("statistics", funnels.results, span, funnels.FunnelBy(by), account_id=account_id)
    rows = [line(each.group, dict(each.results), each.attempted, each.answered) for each in found]
    if output in FOR_PEOPLE and found:
        results = {result: sum(each.results.get(result, 0) for each in found) for result in RESULTS}
        rows.append(
            line(
                "total", results, sum(each.attempted for each in found), sum(each.answered for each in found)
            )
        )
    columns = (
        by,
        "callbacks",
        *(result.replace(" ", "_") for result in RESULTS),
        "attempted",
        "answered",
        "reconnect_percent",
    )
    none, heading = "No callback came in.", f"Callbacks by {by}, {span}"
    give(desk, rows, columns, heading=heading, output=output, file=file, spare=SPARE, none=none)

"""`dialback policy …`: which countries may be rung, and who says so.

Reads: the country policy in the store.
Gives: the click group `policy`.
Knows nothing of: SQL, which row decides (calls/policy.py).
"""

from __future__ import annotations

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.inputs import rows_output_option
from staff.listing import show_rows

LISTED = (
    "prefix",
    "direction",
    "kind",
    "status",
    "source_date",
    "review_date",
    "review",
    "reviewer",
    "reason",
    "source",
)
SPARE = ("source", "source_date", "reviewer", "review_date")


@click.group()
def policy() -> None:
    """Country policy: dated rows with reason and source, for an operator to review."""


@policy.command("list", epilog="Example: dialback policy list --due --output csv")
@click.option("--due", is_flag=True, help="Only rows that nobody has looked at for 180 days.")
@rows_output_option
@pass_desk
def list_(desk: Desk, *, due: bool, output: str) -> None:
    """List the rows; `review` is `due` where nobody has looked at one for 180 days."""
    from calls.policy import REVIEW_DAYS_MAX, rows_to_review
    from store import policies

    known = desk.read("read policy", policies.country_policy)
    flagged = set(rows_to_review(known, desk.now().date()))
    rows = [
        {
            "prefix": f"+{row.prefix}",
            "direction": row.direction,
            "kind": row.kind,
            "status": row.status,
            "source_date": row.source_date,
            "review_date": row.review_date,
            "review": "due" if row in flagged else "",
            "reviewer": row.reviewer,
            "reason": row.reason,
            "source": row.source,
        }
        for row in known
        if row in flagged or not due
    ]
    show_rows(rows, LISTED, output, spare=SPARE, none="There is no row: every country is allowed.")
    if flagged:
        say(f"{len(flagged)} of {len(known)} rows were not reviewed for {REVIEW_DAYS_MAX} days.")

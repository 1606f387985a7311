"""`dialback trigger …`: the rings that came in, and what became of each.

Reads: the rings in the store.
Gives: the click group `trigger`.
Knows nothing of: SQL, who is admitted.
"""

from __future__ import annotations

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.discretion import seen
from staff.inputs import rows_output_option
from staff.listing import show_rows

LISTED = (
    "received_at",
    "did",
    "caller",
    "trunk",
    "outcome",
    "reason",
    "account",
    "callback",
    "rang_seconds",
    "id",
)
SPARE = ("id", "rang_seconds", "trunk", "account", "did")


@click.group()
def trigger() -> None:
    """Triggers: every ring that came in, admitted or not."""


@trigger.command("list", epilog="Example: dialback trigger list --last 20")
@click.option(
    "--last", type=click.IntRange(1, 100_000), default=100, show_default=True, help="How many, the latest."
)
@rows_output_option
@pass_desk
def list_(desk: Desk, last: int, output: str) -> None:
    """List rings with their result, the latest at the end."""
    from store import admissions

    rows = [
        {
            "received_at": each.received_at,
            "did": each.did_raw,
            "caller": each.caller or each.caller_raw or "withheld",
            "trunk": each.trunk,
            "outcome": each.outcome,
            "reason": each.reason,
            "account": each.account_id,
            "callback": each.callback_id,
            "rang_seconds": None
            if each.released_at is None
            else f"{(each.released_at - each.received_at).total_seconds():.1f}",
            "id": each.id,
        }
        for each in desk.read("list triggers", admissions.list_triggers, last=last)
    ]
    rows_seen = seen(desk, rows, action="trigger.read", subject="")
    show_rows(rows_seen, LISTED, output, spare=SPARE, none="Nobody has rung yet.")

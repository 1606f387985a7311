"""`dialback audit …`: who changed what, when, and why.

Reads: the audit log in the store.
Gives: the click group `audit`.
Knows nothing of: SQL, what the changes mean.
"""

from __future__ import annotations

from datetime import datetime

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.inputs import Count, Instant, output_option, rows_output_option
from staff.listing import show_record, show_rows

LISTED = ("id", "at", "actor", "action", "subject", "before", "after", "reason")
SPARE = ("before", "after")


@click.group()
def audit() -> None:
    """The audit log: who changed what, when and why. Nobody can edit it."""


@audit.command("list", epilog="Example: dialback audit list --subject acme --from 2026-03-01")
@click.option("--subject", metavar="ID", help="What was changed: an account, a number, a deck …")
@click.option("--by", "actor", metavar="NAME", help="Who changed it.")
@click.option("--action", metavar="NOUN[.VERB]", help="Such as payment, or payment.add.")
@click.option("--from", "since", type=Instant(), metavar="TIME", help="From then on.")
@click.option("--till", "until", type=Instant(), metavar="TIME", help="Before then.")
@click.option("--last", type=Count(), default=100, show_default=True, help="How many, the newest.")
@rows_output_option
@pass_desk
def list_(
    desk: Desk,
    *,
    subject: str | None,
    actor: str | None,
    action: str | None,
    since: datetime | None,
    until: datetime | None,
    last: int,
    output: str,
) -> None:
    """List changes, the newest last."""
    from store import audit as log

    found = desk.read(
        "list audit log",
        log.list_noted,
        subject=subject,
        actor=actor,
        action=action,
        since=since,
        until=until,
        last=last,
    )
    rows = [{name: getattr(each, name) for name in LISTED} for each in found]
    show_rows(rows, LISTED, output, spare=SPARE, none="Nothing was changed.")


@audit.command(epilog="Example: dialback audit show 17")
@click.argument("audit_id", metavar="ID", type=Count())
@output_option
@pass_desk
def show(desk: Desk, audit_id: int, output: str) -> None:
    """Show one change: what was and what is."""
    from store import audit as log

    found = desk.read("read audit log", log.noted, audit_id)
    show_record({name: getattr(found, name) for name in LISTED}, output)

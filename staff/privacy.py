"""`dialback privacy …`: old numbers masked, a person erased, a masked number shown for a reason.

Reads: words of the command line; [privacy] of switch.toml.
Gives: the click group `privacy`.
Knows nothing of: SQL, which columns hold numbers (store/privacy.py).
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import REFUSED, Stop
from staff.inputs import output_option, required_reason_option
from staff.listing import show_rows

if TYPE_CHECKING:
    from store.privacy import Before

RUNS = ("at", "kind", "subject", "actor", "reason", "callbacks", "triggers")
NUMBERS = ("leg", "role", "number", "trunk", "invited_at")


@click.group()
def privacy() -> None:
    """Privacy: mask old numbers, erase a person, show a masked number for a reason."""


@privacy.command(epilog="Example: dialback privacy run --dry-run")
@click.option(
    "--on",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="DAY",
    help="As if it were that day, UTC.  [default: today]",
)
@click.option("--dry-run", is_flag=True, help="Say how many there are, and change nothing.")
@pass_desk
def run(desk: Desk, on: datetime | None, *, dry_run: bool) -> None:
    """Mask the numbers of calls older than [privacy] keep_months; run it daily.

    Amounts, seconds and destinations stay, and so do issued invoices. Nothing brings masked digits back.
    """
    from store import privacy as store

    before = _before(desk, desk.now().date() if on is None else on.date())
    if dry_run:
        old = desk.read("count old numbers", store.count_old, before)
        click.echo(f"{old[0]} callbacks and {old[1]} triggers would be masked")
        return
    masked, rings = 0, 0
    while some := desk.change("mask callbacks", store.mask_callbacks, before, desk.now()):
        masked += some
        say(f"{masked} callbacks …")
    while some := desk.change("mask triggers", store.mask_triggers, before.everywhere, desk.now()):
        rings += some
    author = desk.author(f"older than {before.everywhere:%Y-%m-%d}")
    desk.change("note run", store.note_run, author, callbacks_masked=masked, triggers_masked=rings)
    click.echo(f"{masked} callbacks and {rings} triggers masked")


@privacy.command(epilog="Example: dialback privacy erase anna --reason 'asked for it on 2 March' --yes")
@click.argument("subscriber_id", metavar="SUBSCRIBER")
@required_reason_option
@click.option("--yes", is_flag=True, help="Do not ask first.")
@pass_desk
def erase(desk: Desk, subscriber_id: str, *, reason: str, yes: bool) -> None:
    """Forget a person: name, numbers, speed dials, the numbers of every call, also in the audit log.

    What the calls cost stays in the books, issued invoices stay as they were issued. It cannot be undone.
    """
    from store import customers
    from store import privacy as store

    known = desk.read("read subscriber", customers.subscriber, subscriber_id)
    desk.confirm(f"Erase {known.name!r} ({subscriber_id}) of account {known.account_id} for ever?", yes=yes)
    number = desk.change("erase subscriber", store.erase, subscriber_id, desk.author(reason))
    click.echo(f"{subscriber_id} is erased, with the numbers of {number} callbacks")


@privacy.command(epilog="Example: dialback privacy unmask 01kz… --reason 'dispute 17: which number was it'")
@click.argument("callback_id", metavar="CALLBACK")
@required_reason_option
@output_option
@pass_desk
def unmask(desk: Desk, callback_id: str, *, reason: str, output: str) -> None:
    """Show a callback's whole numbers; who saw them and why is kept in the audit log.

    Only for users named in [privacy] unmask_users, if any is (exit code 4 for others). Numbers that a run has
    masked are gone for everybody.
    """
    from store import callbacks
    from store.audit import note

    allowed = desk.settings.privacy.unmask_users
    if allowed and desk.who not in allowed:
        raise Stop(f"user: {desk.who} may not see whole numbers; ask {', '.join(allowed)}", REFUSED)
    known = desk.read("load callback", callbacks.load, callback_id)
    desk.change("note unmasking", note, desk.author(reason), "privacy.unmask", callback_id)
    rows = [
        {
            "leg": leg.id,
            "role": leg.role,
            "number": leg.number,
            "trunk": leg.trunk,
            "invited_at": leg.invited_at,
        }
        for leg in (*known.legs, *known.planned)
    ]
    show_rows(rows, NUMBERS, output, none="Nobody was dialled.")


@privacy.command("list", epilog="Example: dialback privacy list --output json")
@output_option
@pass_desk
def list_(desk: Desk, output: str) -> None:
    """List what was masked and erased, when and why."""
    from store import privacy as store

    found = desk.read("list privacy runs", store.list_runs)
    rows = [{name: getattr(each, name) for name in RUNS} for each in found]
    show_rows(rows, RUNS, output, none="Nothing was masked yet.")


def _before(desk: Desk, day: date) -> Before:
    from store.privacy import Before

    settings = desk.settings.privacy
    return Before(
        everywhere=_months_before(day, settings.keep_months),
        by_country={
            country: _months_before(day, months)
            for country, months in settings.keep_months_by_country.items()
        },
    )


def _months_before(day: date, months: int) -> datetime:
    """The same day so many months earlier, or the last one of a shorter month; midnight UTC."""
    from calendar import monthrange

    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    last = monthrange(year, month + 1)[1]
    return datetime(year, month + 1, min(day.day, last), tzinfo=UTC)

"""`dialback mail …`: the queue of mail that carries invoices, and links that confirm addresses.

Reads: words of the command line; [mail] of the settings.
Gives: the click group `mail`.
Knows nothing of: SQL, messages, servers (staff/post.py).
"""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from staff import exits
from staff.desk import Desk, pass_desk, say
from staff.inputs import reason_option, rows_output_option
from staff.listing import show_rows

COLUMNS = (
    "id",
    "kind",
    "number",
    "recipient",
    "state",
    "attempts",
    "queued_at",
    "due_at",
    "ended_at",
    "told",
)
SPARE = ("queued_at", "attempts", "ended_at", "due_at")
PAUSE_SECONDS = 30.0


@click.group()
def mail() -> None:
    """Mail: the queue of invoices on their way to the accounts, and of letters that ask about addresses."""


@mail.command(epilog="Example: dialback mail run --folder /var/spool/dialback")
@click.option(
    "--folder", type=click.Path(file_okay=False, path_type=Path), help="Write .eml files there instead."
)
@click.option("--keep-running", is_flag=True, help="Look again every 30 s, until it is stopped.")
@pass_desk
def run(desk: Desk, *, folder: Path | None, keep_running: bool) -> None:
    """Send what waits: to the server of [mail], or as files into a folder. `serve` sends no mail.

    What the server does not take now is tried again later; exit code 75 says that some of it waits, 1 that
    some of it failed for good.
    """
    from staff.post import Delivered, Folder, deliver, postman_of

    settings = desk.settings.mail
    if folder is None and not settings.host:
        raise exits.Stop(
            "[mail] host: no mail server is named; name one, or give --folder", exits.CONFIGURATION
        )
    while True:
        by = Folder(folder) if folder is not None else postman_of(settings)
        found: Delivered = deliver(desk, by, told=say)
        if not keep_running:
            break
        desk.pause(PAUSE_SECONDS)
    click.echo(f"{found.sent} sent, {found.later} to be tried again, {found.failed} failed")
    if found.failed:
        raise exits.Stop("some mail failed for good; see `dialback mail list`", exits.ERROR)
    if found.later:
        raise exits.Stop("some mail waits; run it again later", exits.TEMPORARY)


@mail.command("list", epilog="Example: dialback mail list --invoice INV-2026-00042")
@click.option("--invoice", "number", metavar="NUMBER", help="Only this one's.")
@rows_output_option
@pass_desk
def list_all(desk: Desk, number: str | None, output: str) -> None:
    """List mail: what waits, what was sent when, what failed and why."""
    from store.mails import list_mails
    from store.papers import issued

    if number is not None:
        desk.read("read invoice", issued, number)
    rows = [
        {name: getattr(each, name) for name in COLUMNS}
        for each in desk.read("list mail", list_mails, number=number)
    ]
    show_rows(rows, COLUMNS, output, spare=SPARE, none="No mail was ever queued.")


@mail.command(epilog='Example: dialback mail again INV-2026-00042 --reason "address mended"')
@click.argument("number")
@reason_option
@pass_desk
def again(desk: Desk, number: str, reason: str) -> None:
    """Try failed mail of an invoice anew."""
    from store.mails import again as try_again
    from store.papers import issued

    desk.read("read invoice", issued, number)
    count = desk.change("try mail again", try_again, number, desk.author(reason))
    click.echo(f"{count} queued again")

"""The options of reports and lists: a range of time, its zone, where it is written to.

Reads: words of the command line, the clock.
Gives: a billing.span.Span, or the ends of a list; printed rows, or a spreadsheet in a file.
Knows nothing of: which report or list it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import rich_click as click

from staff.desk import Desk, say
from staff.inputs import Command, LocalInstant, Month, Zone, together
from staff.listing import CSV, JSON, TABLE, WIDE, Row, show_rows

if TYPE_CHECKING:
    from billing.span import Span

XLSX = "xlsx"
_ZONE = click.option(
    "--zone",
    type=Zone(),
    metavar="ZONE",
    help="Whose days and months are meant, such as Europe/London.  [default: the account's, or UTC]",
)
SPAN_OPTIONS = (
    click.option(
        "--month", type=Month(), metavar="YYYY-MM", help="The range: a month.  [default: this month]"
    ),
    click.option(
        "--from", "from_", type=LocalInstant(), metavar="TIME", help="Start of the range; it counts."
    ),
    click.option("--till", type=LocalInstant(), metavar="TIME", help="End of the range; it does not count."),
    _ZONE,
)
OUTPUT_OPTIONS = (
    click.option(
        "--output",
        type=click.Choice([TABLE, JSON, CSV, XLSX, WIDE]),
        default=TABLE,
        show_default=True,
        help="How to print: for people, or for programs; wide: every column, however narrow the terminal.",
    ),
    click.option(
        "--file",
        "file",
        type=click.Path(dir_okay=False, path_type=Path),
        metavar="FILE",
        help="Write it there, and not to the screen.",
    ),
)


def span_options(command: Any) -> Any:
    """Add --month, --from, --till and --zone."""
    return together(*SPAN_OPTIONS)(command)


def ends_options(
    *, begins: str = "From then on.", ends: str = "Before then."
) -> Callable[[Command], Command]:
    """Add --from, --till and --zone to a list."""
    return together(
        click.option("--from", "since", type=LocalInstant(), metavar="TIME", help=begins),
        click.option("--till", "until", type=LocalInstant(), metavar="TIME", help=ends),
        _ZONE,
    )


def report_output(command: Any) -> Any:
    """Add --output with spreadsheets, and --file."""
    return together(*OUTPUT_OPTIONS)(command)


def span_from(
    desk: Desk,
    *,
    month: tuple[int, int] | None,
    from_: datetime | None,
    till: datetime | None,
    zone: str | None,
    account_id: str | None = None,
) -> Span:
    """The range that was asked for; this month without a wish, up to now without an end."""
    from billing.period import month as month_of
    from billing.span import Span, span_of

    if month is not None and (from_ is not None or till is not None):
        raise click.UsageError("write --month, or --from and --till")
    zone = zone_meant(desk, zone, account_id)
    now = desk.now()
    if from_ is None and till is not None:
        raise click.UsageError("--till needs a start: write --from as well")
    if from_ is None:
        today = now.astimezone(ZoneInfo(zone))
        return span_of(month_of(*(month or (today.year, today.month)), zone))
    # A call that ended this very microsecond belongs to a range up to now.
    end = now + timedelta(microseconds=1) if till is None else aware(till, zone)
    try:
        return Span(starts_at=aware(from_, zone), ends_at=end, zone=zone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--from, --till") from None


def ends_from(
    desk: Desk, since: datetime | None, until: datetime | None, zone: str | None, account_id: str | None
) -> tuple[datetime | None, datetime | None]:
    """Both ends of a list in UTC, as far as they were named; a day begins in the zone that is meant."""
    zone = zone_meant(desk, zone, account_id)
    return (
        None if since is None else aware(since, zone),
        None if until is None else aware(until, zone),
    )


def give(
    desk: Desk,
    rows: Sequence[Row],
    columns: Sequence[str],
    *,
    heading: str,
    output: str,
    file: Path | None,
    spare: Sequence[str] = (),
    none: str = "Nothing found.",
) -> None:
    """Print or write the rows; the heading goes to standard error, into a spreadsheet's first row."""
    say(heading)
    if output == XLSX:
        from staff.sheet import workbook

        content = workbook(rows, columns, heading=heading, made_at=desk.now())
        if file is None and sys.stdout.isatty():
            raise click.UsageError("a spreadsheet is no text: name a file with --file")
        if file is None:
            click.echo(content, nl=False)
            return
        file.write_bytes(content)
    elif file is None:
        show_rows(rows, columns, output, spare=spare, none=none)
        return
    else:
        with file.open("w", encoding="utf-8", newline="") as stream:
            show_rows(rows, columns, output, none=none, stream=stream)
    say(f"{file} written")


def aware(instant: datetime, zone: str) -> datetime:
    """The instant in UTC; a local time without an offset is one of the zone."""
    local = instant.replace(tzinfo=ZoneInfo(zone)) if instant.tzinfo is None else instant
    try:
        return local.astimezone(UTC)
    except OverflowError:
        problem = f"{instant.isoformat()} is at the edge of the calendar; write a time within it"
        raise click.UsageError(problem) from None


def zone_meant(desk: Desk, zone: str | None, account_id: str | None) -> str:
    """The zone that was named; else the account's, or UTC where several may be meant. The account must be."""
    if account_id is None:
        return zone or "UTC"
    from store import accounts

    own = desk.read("read account", accounts.account, account_id).zone
    return zone or own

"""`dialback rate FILE`: price a file of calls by a plan.

Reads: a CSV of calls, ours or Asterisk's Master.csv; a plan and its deck in the store.
Gives: the click command `rate`.
Knows nothing of: SQL, what a line holds (rating/callfile.py), how it is priced (staff/callfile.py).
"""

from __future__ import annotations

import io
import sys
import zlib
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click
from click import progressbar

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop
from staff.inputs import Instant, home_country_option, refuse_to_write_over
from staff.listing import CSV, JSON, amount

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from rating.callfile import CallPart
    from rating.dateddeck import DatedDeck
    from rating.packages import Meter
    from rating.plan import Plan
    from staff.callfile import CallFile, Summary
    from store.database import Connection

DIALBACK, ASTERISK = "dialback", "asterisk"
KEPT = "surrogateescape"
"""Bytes that are no UTF-8 are written again as they came."""


@click.command(epilog="Example: dialback rate calls.csv --plan traveller > priced.csv")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--plan", "plan_name", metavar="PLAN", required=True, help="By its name, or NAME:VERSION.")
@click.option("--deck", "deck_name", metavar="DECK", help="Another sell deck than the plan's own.")
@click.option(
    "--format",
    "layout",
    type=click.Choice([DIALBACK, ASTERISK]),
    default=DIALBACK,
    show_default=True,
    help="Columns by a header, or Asterisk's Master.csv, which has none.",
)
@click.option("--delimiter", default=",", show_default=True, help="What stands between two cells.")
@click.option("--zone", default="UTC", show_default=True, help="Of times without an offset.")
@click.option("--at", type=Instant(), metavar="TIME", help="Price every call as if it were made then.")
@click.option(
    "--package",
    "with_package",
    is_flag=True,
    help="Use the plan's package of minutes: all calls are one account's, in order, months are of --zone.",
)
@home_country_option
@click.option(
    "--output", type=click.Choice([CSV, JSON]), default=CSV, show_default=True, help="How to write the lines."
)
@click.option(
    "--to",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write there, not to stdout.",
)
@pass_desk
def rate(
    desk: Desk,
    *,
    file: Path,
    plan_name: str,
    deck_name: str | None,
    layout: str,
    delimiter: str,
    zone: str,
    at: datetime | None,
    with_package: bool,
    home_country: str | None,
    output: str,
    to: Path | None,
) -> None:
    """Price a FILE of calls, a leg on each line; `-` is standard input, and .gz is understood.

    Its columns are leg, number, answered_at, talk_seconds, if wanted caller_id (what was shown, for which the
    deck may ask a surcharge; empty is withheld), and any others, which are kept. Added are prefix,
    destination, rate_per_minute, billed_seconds, amount, currency and reason. A line that cannot be priced
    keeps its place and says why. A plan's package of minutes is used only with --package, for whose minutes
    they are a file does not say. Nothing is written into the books. Exit code 1 if no line could be priced.
    """
    from rating.callfile import CallFormat
    from staff.callfile import CallFile

    refuse_to_write_over("--to", to, file)
    form = CallFormat(
        is_asterisk=layout == ASTERISK,
        delimiter=_delimiter(delimiter),
        zone=_zone(zone),
        home_country=home_country,
        at=at,
    )
    plan = desk.read("read plan", _plan, plan_name, at or desk.now())
    package = _package(plan, zone) if with_package else None
    found = CallFile(plan, _dated(desk, deck_name or plan.deck_id, plan, at), form, package)
    _price(found, file, output, to)
    _say_summary(found.summary, plan)
    if plan.package_seconds and not with_package:
        say(f"The package of {plan.id} is not used; --package does it for one account's calls.")
    if found.summary.lines and not found.summary.priced:
        raise Stop(f"{file}: not one of its lines could be priced; the column reason says why of each", ERROR)


def _price(found: CallFile, file: Path, output: str, to: Path | None) -> None:
    from rating.callfile import CallFileRefused
    from staff.callfile import CsvOut, JsonOut

    with ExitStack() as opened:
        is_file = str(file) != "-"
        place: Path | int = file if is_file else sys.stdin.fileno()
        source = opened.enter_context(open(place, "rb", closefd=is_file))
        if to is None:
            stream = sys.stdout
            if isinstance(stream, io.TextIOWrapper):
                stream.reconfigure(errors=KEPT)
        else:
            stream = opened.enter_context(to.open("w", encoding="utf-8", errors=KEPT, newline=""))
        out = JsonOut(stream) if output == JSON else CsvOut(stream)
        size = file.stat().st_size if is_file else 0
        bar = opened.enter_context(
            progressbar(
                length=size, label="pricing", file=sys.stderr, hidden=not (size and sys.stderr.isatty())
            )
        )

        def write(part: CallPart, added: list[tuple[str, ...]]) -> None:
            out.write(part, added)
            if is_file:
                bar.update(source.tell() - bar.pos)

        try:
            found.price(source, write)
        except CallFileRefused as refused:
            raise Stop(f"{file}: {refused}", ERROR) from None
        except (EOFError, zlib.error) as broken:
            raise Stop(f"{file}: it is packed by gzip and broken ({broken}); fetch it again", ERROR) from None
        out.end()


def _say_summary(summary: Summary, plan: Plan) -> None:
    from billing import printed

    for error in summary.errors:
        say(error)
    unread = summary.unpriced["cannot be read"] - len(summary.errors)
    if unread > 0:
        say(f"and {unread:,} more lines that cannot be read; the column reason names each")
    total = amount(summary.amount_units, plan.currency)
    say(
        f"{printed.count(summary.lines, 'line')}, {summary.priced:,} priced by {plan.id}: "
        f"{printed.count(summary.billed_seconds, 'billed second')}, {plan.currency} {total}"
    )
    for reason, count in sorted(summary.unpriced.items()):
        say(f"{count:,} not priced: {reason}")


def _package(plan: Plan, zone: str) -> Meter:
    from rating.packages import Meter

    if not plan.package_seconds:
        raise click.UsageError(f"--package: plan {plan.id} gives no minutes; leave it out")
    return Meter(plan, zone)


def _plan(connection: Connection, name: str, now: datetime) -> Plan:
    from store import plans

    return plans.plan(connection, name) if ":" in name else plans.plan_in_force(connection, name, now)


def _dated(desk: Desk, name: str, plan: Plan, at: datetime | None) -> DatedDeck:
    from rating.dateddeck import DatedDeck
    from store import decks
    from store.errors import Conflict

    info = desk.read("find deck", decks.sell_deck, name)
    if info.currency != plan.currency:
        problem = f"deck {name!r} is in {info.currency}, plan {plan.id} in {plan.currency}"
        raise Conflict("deck", problem, "name a deck of the plan's currency")
    starts = desk.read("find versions", decks.starts, name) if at is None else [at]
    return DatedDeck(
        starts, lambda then: desk.read("read deck", decks.rates_at, name, then), always=at is not None
    )


def _delimiter(text: str) -> str:
    found = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(found) != 1 or found in '"\r\n':
        raise click.BadParameter(
            f"{text!r} is refused; write one character, or tab", param_hint="--delimiter"
        )
    return found


def _zone(name: str) -> ZoneInfo:
    from zoneinfo import ZoneInfo

    from store import checks

    return ZoneInfo(checks.zone("zone", name))

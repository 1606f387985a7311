"""`dialback report reconcile`: a carrier's call records laid beside ours.

Reads: the carrier's CSV file; our legs in the store.
Gives: the click command `reconcile`.
Knows nothing of: SQL, pairs (billing/reconcile.py), what a row of the file means (billing/carrierfile.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, Stop
from staff.inputs import refuse_to_write_over
from staff.listing import Row
from staff.ranges import give, report_output, span_from, span_options

if TYPE_CHECKING:
    from billing.carrierfile import CarrierCalls
    from billing.reconcile import Finding
    from billing.span import Span

COLUMNS = (
    "result",
    "number",
    "time",
    "seconds_ours",
    "seconds_theirs",
    "cost_ours",
    "cost_theirs",
    "excess",
    "leg",
    "row",
)
SPARE = ("row", "excess", "leg")
FIELDS = ("number", "time", "seconds", "cost")
ERRORS_SHOWN = 10


@click.command(
    epilog="Example: dialback report reconcile alpha-march.csv --carrier alphatel --month 2026-03"
    " --column number=Called --column 'time=Answer Time'"
)
@click.argument("bill", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--carrier", required=True, metavar="CARRIER", help="Whose file it is, as `trunk add` names it."
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=HEADING",
    help="The file's heading for number, time, seconds or cost; usual names are found without.",
)
@click.option(
    "--time-is",
    type=click.Choice(["answered", "started"]),
    default="answered",
    show_default=True,
    help="What the file's time is.",
)
@click.option(
    "--seconds-are",
    type=click.Choice(["talked", "billed"]),
    default="talked",
    show_default=True,
    help="What the file's seconds are.",
)
@click.option(
    "--time-form",
    default="",
    metavar="FORM",
    help="Of times that are not ISO 8601, such as '%d/%m/%Y %H:%M:%S'.",
)
@click.option("--strip", default="", metavar="PREFIX", help="A technical prefix before each number.")
@click.option(
    "--clock-ahead",
    type=click.IntRange(-86_400, 86_400),
    default=0,
    metavar="SECONDS",
    help="How far the carrier's clock is ahead of ours.",
)
@click.option(
    "--window",
    type=click.IntRange(1, 3_600),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="How far apart the times of one call may be.",
)
@click.option(
    "--seconds-within",
    type=click.IntRange(0, 3_600),
    default=1,
    show_default=True,
    metavar="SECONDS",
    help="A difference that does not count.",
)
@click.option(
    "--cost-within",
    default="0.0001",
    show_default=True,
    metavar="AMOUNT",
    help="A difference that does not count.",
)
@click.option("--all", "show_all", is_flag=True, help="List what matches as well.")
@span_options
@report_output
@pass_desk
def reconcile(
    desk: Desk,
    /,
    *,
    bill: Path,
    carrier: str,
    columns: tuple[str, ...],
    time_is: str,
    seconds_are: str,
    time_form: str,
    strip: str,
    clock_ahead: int,
    window: int,
    seconds_within: int,
    cost_within: str,
    show_all: bool,
    output: str,
    file: Path | None,
    **range_: Any,
) -> None:
    """Lay a carrier's CSV file beside our records: what is missing, which seconds or costs differ.

    Calls are paired by number and time, each once. Times without an offset are in --zone. Exit code 1 if
    anything differs.
    """
    from billing.carrierfile import Reading, read_carrier_calls
    from billing.reconcile import Outcome, Tolerance
    from billing.reconcile import reconcile as compare
    from store import carrierbills
    from store.grouping import check_carrier
    from values.money import decimal_number

    refuse_to_write_over("--file", file, bill)
    desk.read("read carrier", check_carrier, carrier)
    tolerance = Tolerance(
        window=timedelta(seconds=window),
        seconds=seconds_within,
        cost=decimal_number(cost_within, places=8, field="cost-within"),
    )
    span = span_from(desk, **range_)
    reading = Reading(
        columns=_mapping(columns),
        zone=span.zone,
        strip=strip,
        shift=timedelta(seconds=-clock_ahead),
        time_form=time_form,
    )
    try:
        with bill.open(encoding="utf-8-sig", newline="") as stream:
            theirs = read_carrier_calls(stream, reading)
    except UnicodeDecodeError:
        problem = f"{bill}: this is no text in UTF-8; save the carrier's sheet as CSV in UTF-8"
        raise Stop(problem, ERROR) from None
    _refuse(bill, theirs)
    ours = desk.read(
        "read carrier calls",
        carrierbills.our_calls,
        carrier,
        span,
        beyond=tolerance.window,
        at=time_is,
        seconds=seconds_are,
    )
    found = compare(ours, _in_range(theirs, span), tolerance)
    rows = [_row(each) for each in found if show_all or each.outcome is not Outcome.MATCHED]
    heading = f"Bill of {carrier} beside our records, {span}"
    none = "Nothing differs."
    give(desk, rows, COLUMNS, heading=heading, output=output, file=file, spare=SPARE, none=none)
    differing = sum(each.outcome is not Outcome.MATCHED for each in found)
    _summary(found, theirs.unanswered)
    if differing:
        raise Stop(f"{differing} of {len(found)} calls differ", ERROR)


def _mapping(columns: Sequence[str]) -> dict[str, str]:
    found = {}
    for each in columns:
        field, equals, heading = each.partition("=")
        if field not in FIELDS or not equals or not heading:
            known = ", ".join(FIELDS)
            raise click.BadParameter(
                f"{each!r}: write FIELD=HEADING with one of {known}", param_hint="--column"
            )
        found[field] = heading.strip()
    return found


def _refuse(bill: Path, read: CarrierCalls) -> None:
    if not read.errors:
        return
    told = [
        f"{bill}: line {each.line}{f', {each.column}' if each.column else ''}: {each.problem}"
        for each in read.errors[:ERRORS_SHOWN]
    ]
    if len(read.errors) > ERRORS_SHOWN:
        told.append(f"and {len(read.errors) - ERRORS_SHOWN} more rows")
    raise Stop("\n".join(told), ERROR)


def _in_range(read: CarrierCalls, span: Span) -> list[Any]:
    from dataclasses import replace

    return [replace(each, counts=span.starts_at <= each.at < span.ends_at) for each in read.calls]


def _row(finding: Finding) -> Row:
    ours, theirs = finding.ours, finding.theirs
    seen = ours or theirs
    assert seen is not None
    return {
        "result": str(finding.outcome),
        "number": f"+{seen.number}",
        "time": finding.at,
        "seconds_ours": None if ours is None else ours.seconds,
        "seconds_theirs": None if theirs is None else theirs.seconds,
        "cost_ours": None if ours is None else ours.cost,
        "cost_theirs": None if theirs is None else theirs.cost,
        "excess": finding.excess,
        "leg": None if ours is None else ours.key,
        "row": None if theirs is None else theirs.key,
    }


def _summary(found: Sequence[Finding], unanswered: int) -> None:
    from billing.reconcile import Outcome

    counts = {outcome: sum(each.outcome is outcome for each in found) for outcome in Outcome}
    told = ", ".join(f"{outcome}: {number}" for outcome, number in counts.items())
    ours = sum((each.ours.cost for each in found if each.ours is not None), Decimal(0))
    theirs = sum((each.theirs.cost for each in found if each.theirs is not None), Decimal(0))
    say(f"{told}; not answered by the file: {unanswered}")
    say(f"our cost {ours:f}, theirs {theirs:f}, they ask for {theirs - ours:f} more")

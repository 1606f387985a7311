"""Reports of how traffic went: `dialback report quality`, `funnel`, `false-answers`, `alarms`.

Reads: words of the command line; counts that the store made.
Gives: click commands.
Knows nothing of: SQL, ratios (calls/quality.py, calls/funnel.py, calls/falseanswers.py).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from staff.desk import Desk, pass_desk
from staff.listing import FOR_PEOPLE, Row
from staff.ranges import give, report_output, span_from, span_options
from staff.reportlines import (
    FUNNEL_GROUPS,
    TOTAL,
    account_option,
    by_option,
    carrier_option,
    totals,
    wanted_legs,
)

QUALITY = ("attempts", "answered", "asr_percent", "acd_minutes", "ner_percent", "pdd_seconds")
FUNNEL = (
    "triggers",
    "authorised",
    "originated",
    "a_answered",
    "accepted",
    "keyed",
    "b_answered",
    "ring_p50_s",
    "ring_p95_s",
)
FALSE_ANSWERS = (
    "answers",
    "suspect",
    "suspect_percent",
    "no_ringing",
    "at_once",
    "short",
    "acd_seconds",
    "signs",
    "flagged",
)
ALARMS = ("trunk", "carrier", "failures", "first_at", "last_at", "last_cause")
ALARM_AFTER = 10


@click.command(epilog="Example: dialback report quality --by carrier --month 2026-03")
@by_option
@click.option("--leg", type=click.Choice(["a", "b"]), help="Only A-legs or B-legs.  [default: both]")
@click.option(
    "--ner-cause",
    "ner_causes",
    type=click.IntRange(1, 127),
    multiple=True,
    metavar="CAUSE",
    help="A Q.850 cause that NER takes for reached; may be repeated.  [default: 17 18 19 21]",
)
@account_option
@carrier_option
@span_options
@report_output
@pass_desk
def quality(
    desk: Desk,
    /,
    *,
    by: str,
    leg: str | None,
    ner_causes: tuple[int, ...],
    account_id: str | None,
    carrier: str | None,
    output: str,
    file: Path | None,
    **range_: Any,
) -> None:
    """ASR, ACD, NER and PDD of every attempt, the failed ones too.

    ASR: answered of all attempts. ACD: minutes of an answered leg. NER: answered, busy, no answer and
    rejected of all attempts. PDD: from the order to dial to the first ringing or the refusal.
    """
    from calls.cdr import LegRole
    from calls.quality import NER_CAUSES, Traffic, total
    from store import traffic

    def line(group: str, seen: Traffic) -> Row:
        return {
            by: group,
            "attempts": seen.attempts,
            "answered": seen.answered,
            "asr_percent": seen.asr_percent,
            "acd_minutes": seen.acd_minutes,
            "ner_percent": seen.ner_percent,
            "pdd_seconds": seen.pdd_seconds,
        }

    wanted = wanted_legs(desk, by, account_id, carrier, range_)
    role = None if leg is None else LegRole(leg.upper())
    found = desk.read(
        "report quality", traffic.traffic, wanted, ner_causes=ner_causes or NER_CAUSES, role=role
    )
    rows = [line(group, seen) for group, seen in found.items()]
    if output in FOR_PEOPLE and found:
        rows.append(line(TOTAL, total(found.values())))
    heading = f"Quality by {by}, {wanted.span}"
    give(desk, rows, (by, *QUALITY), heading=heading, output=output, file=file)


@click.command(epilog="Example: dialback report funnel --by country --month 2026-03")
@click.option(
    "--by", type=click.Choice(FUNNEL_GROUPS), default="day", show_default=True, help="A line for each."
)
@account_option
@span_options
@report_output
@pass_desk
def funnel(
    desk: Desk, /, *, by: str, account_id: str | None, output: str, file: Path | None, **range_: Any
) -> None:
    """How far callbacks came: triggers, authorised, originated, A answered, accepted, keyed, B answered.

    Each number is a count of records that came in during the range. `ring_p50_s` and `ring_p95_s`: within so
    many seconds of the trigger half of all, and 95 in 100, were rung back.
    """
    from store import funnels

    span = span_from(desk, account_id=account_id, **range_)
    found = desk.read("report funnel", funnels.funnels, span, funnels.FunnelBy(by), account_id=account_id)
    rows: list[Row] = [
        {
            by: group,
            "triggers": each.wishes,
            "authorised": each.authorised,
            "originated": each.originated,
            "a_answered": each.a_answered,
            "accepted": each.accepted,
            "keyed": each.keyed,
            "b_answered": each.b_answered,
            "ring_p50_s": each.ring_p50_seconds,
            "ring_p95_s": each.ring_p95_seconds,
        }
        for group, each in found.items()
    ]
    if output in FOR_PEOPLE:
        rows += totals(rows, by, FUNNEL[:7], blank=FUNNEL[7:])
    give(desk, rows, (by, *FUNNEL), heading=f"Callback funnel by {by}, {span}", output=output, file=file)


@click.command("false-answers", epilog="Example: dialback report false-answers --month 2026-03")
@click.option(
    "--by",
    type=click.Choice(["carrier", "destination"]),
    default="carrier",
    show_default=True,
    help="A line for each.",
)
@click.option(
    "--calls",
    type=click.IntRange(10, 10_000),
    default=50,
    show_default=True,
    help="How many answers of each route are judged, the latest.",
)
@carrier_option
@span_options
@report_output
@pass_desk
def false_answers(
    desk: Desk, /, *, by: str, calls: int, carrier: str | None, output: str, file: Path | None, **range_: Any
) -> None:
    """Routes whose answers nobody may have given: the share of answers with two signs or more.

    Signs: no ringing was heard, answered within a second of it, over within six seconds. A route is flagged
    where this is no chance beside all other routes.
    """
    from calls.cdr import LegRole
    from calls.falseanswers import Tally, score, tally
    from store import traffic

    wanted = wanted_legs(desk, by, None, carrier, range_)
    found = desk.read("report false answers", traffic.latest_answers, wanted, latest=calls, role=LegRole.B)
    tallies = {group: tally(answers) for group, answers in found.items()}
    rows: list[Row] = []
    for group, seen in tallies.items():
        judged = score(seen, sum((each for name, each in tallies.items() if name != group), Tally()))
        rows.append(
            {
                by: group,
                "answers": seen.answers,
                "suspect": seen.suspect,
                "suspect_percent": judged.suspect_percent,
                "no_ringing": seen.unrung,
                "at_once": seen.quick,
                "short": seen.short,
                "acd_seconds": judged.acd_seconds,
                "signs": list(judged.signs),
                "flagged": judged.is_flagged,
            }
        )
    heading = f"False answers by {by}, {wanted.span}, the latest {calls} answers of each"
    give(
        desk,
        rows,
        (by, *FALSE_ANSWERS),
        heading=heading,
        output=output,
        file=file,
        none="No leg was answered.",
    )


@click.command(epilog="Example: dialback report alarms --failures 10")
@click.option(
    "--failures",
    type=click.IntRange(2, 1_000),
    default=ALARM_AFTER,
    show_default=True,
    help="So many calls in a row that the trunk failed are an alarm.",
)
@report_output
@pass_desk
def alarms(desk: Desk, /, *, failures: int, output: str, file: Path | None) -> None:
    """Trunks whose latest calls all failed by the network's fault; exit code 1 if there is one.

    Busy, no answer, rejected and cancelled are no failures of a trunk.
    """
    from staff.exits import ERROR, Stop
    from store import traffic

    found = desk.read("report alarms", traffic.failures_in_a_row, failures)
    rows: list[Row] = [
        {
            "trunk": each.trunk,
            "carrier": each.carrier,
            "failures": each.failures,
            "first_at": each.first_at,
            "last_at": each.last_at,
            "last_cause": each.last_cause,
        }
        for each in found
    ]
    heading = f"Trunks with {failures} failures in a row or more"
    give(desk, rows, ALARMS, heading=heading, output=output, file=file, none="No trunk fails.")
    if found:
        worst = found[0]
        raise Stop(
            f"trunk {worst.trunk} failed {worst.failures} times in a row; see `dialback pbx check`", ERROR
        )

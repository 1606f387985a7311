"""What an import found, told; the rows that cannot be used, given back.

Reads: a StageReport (store/staging.py); the sheet once more, for its rejected rows.
Gives: lines on standard output and error, or JSON; a CSV with a column `reason`.
Knows nothing of: how it was found.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from datetime import datetime
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import click

from staff.desk import say
from staff.listing import TABLE, show_record, since

if TYPE_CHECKING:
    from rating.mapping import Mapping
    from store.staging import StageReport

SHOWN_MAX = 50
SHOWN_OF_A_KIND_MAX = 8


class Source(Protocol):
    """The sheet, to be read again."""

    @property
    def file(self) -> Path: ...
    @property
    def kind(self) -> str: ...
    @property
    def mapping(self) -> Mapping: ...
    @property
    def rejected(self) -> Path | None: ...


def show_report(report: StageReport, in_force_from: datetime | None, output: str) -> None:
    """Print what a sheet changes; errors and findings go to standard error."""
    from rating.deckmerge import ChangeKind

    for error in sorted(report.errors, key=attrgetter("row"))[:SHOWN_MAX]:
        say(str(error))
    if report.error_count > SHOWN_MAX:
        say(f"and {report.error_count - SHOWN_MAX} more errors: --rejected FILE gives all rows back")
    shown = Counter[str]()
    for finding in report.findings:
        shown[finding.kind] += 1
        if shown[finding.kind] <= SHOWN_OF_A_KIND_MAX:
            say(f"{'HOLDS' if finding.kind.holds else 'note '}  {finding.kind}: {finding}")
    for kind, count in report.finding_counts.items():
        if count > SHOWN_OF_A_KIND_MAX:
            say(f"and {count - SHOWN_OF_A_KIND_MAX} more of {kind}: `dialback deck diff` shows them")
    counts = {str(kind): report.changes[kind] for kind in ChangeKind}
    if output != TABLE:
        show_record(
            {
                "deck": report.deck_name,
                "version": report.version,
                "base_version": report.base_version,
                "effective_at": report.effective_at,
                "approved": in_force_from is not None,
                "rows_read": report.rows_read,
                "rows": report.rows,
                "rejected": len(report.rejected),
                "held": report.held,
                **counts,
                "findings": {str(kind): number for kind, number in report.finding_counts.items()},
            },
            output,
        )
        return
    click.echo(", ".join(f"{number} {kind}" for kind, number in counts.items() if number) or "no row")
    _next_step(report, in_force_from)


def write_rejected(source: Source, report: StageReport) -> None:
    """Write the rejected rows, as the sheet has them, with the reasons."""
    from staff.sheets import open_sheet

    reasons: defaultdict[int, list[str]] = defaultdict(list)
    for error in report.errors:
        reasons[error.row].append(f"{error.column}: {error.problem}: {error.remedy}")
    assert source.rejected is not None
    with (
        open_sheet(source.file, source.mapping, source.kind) as sheet,
        source.rejected.open("w", encoding="utf-8", newline="") as stream,
    ):
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("row", "reason", "cells"))
        for row in sheet.rows:
            if row.number in report.rejected:
                why = "; ".join(reasons[row.number]) or "another row of the same prefix contradicts it"
                writer.writerow((row.number, why, *(_harmless(cell) for cell in row.cells)))


def _next_step(report: StageReport, in_force_from: datetime | None) -> None:
    from billing import printed

    name = f"{report.deck_name} version {report.version}: {printed.count(report.rows, 'row')}"
    if in_force_from is not None:
        click.echo(f"{name}, in force {since(in_force_from)}")
    elif report.version:
        assert report.effective_at is not None
        click.echo(f"{name} staged, {since(report.effective_at)}; not in force yet")
        version = f"{report.deck_name}:{report.version}"
        words = " --without-rejected" if report.rejected else ""
        words += " --override REASON" if report.held else ""
        say(f"Next: `dialback deck diff {version}`, then `dialback deck approve {version}{words}`.")
    else:
        click.echo(f"{report.deck_name}: nothing changes; nothing was staged")


def _harmless(cell: str) -> str:
    """A cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell[:1] in {"=", "@"} else cell

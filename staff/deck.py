"""`dialback deck …`: rate decks, ours and the carriers': import, check, approve, take back.

Reads: rate sheets (staff/sheets.py); decks in the store.
Gives: the click group `deck`.
Knows nothing of: SQL, what a row may hold (rating/deckfile.py).
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff import decklook
from staff.deckreport import show_report, write_rejected
from staff.desk import Desk, pass_desk, say
from staff.exits import ERROR, REFUSED, Stop
from staff.inputs import (
    Count,
    Instant,
    output_option,
    reason_option,
    refuse_to_write_over,
    required_reason_option,
    rows_output_option,
)
from staff.listing import EVER_SINCE, Row, heading, plain, show_rows, since

if TYPE_CHECKING:
    from rating.deckmerge import Change
    from rating.mapping import Mapping
    from store.database import Connection
    from store.staging import StageReport, Version, Wish

CEILING = "10"
PAUSE_SECONDS_MIN, PAUSE_SECONDS_MAX = 0.01, 0.25
"""Between the steps of a large import as long as the step took: others can write half of the time."""
CHANGE_COLUMNS = (
    *("change", "prefix", "band", "destination", "before", "after", "terms", "valid_from", "valid_till"),
)
CHANGE_SPARE = ("band", "destination")
TERMS = (
    *("next_per_minute", "connect_fee", "first_increment_s", "next_increment_s", *decklook.FURTHER_COLUMNS),
    *("destination", "valid_till"),
)
"""What a row may change beside its price, in the order in which it is told."""


@click.group()
def deck() -> None:
    """Rate decks: what a minute to each destination is sold for, or costs us."""


for each in (decklook.list_, decklook.versions, decklook.show, decklook.export, decklook.lookup):
    deck.add_command(each)


@dataclass(frozen=True, kw_only=True)
class _Asked:
    """The words of `deck import`."""

    name: str
    file: Path
    kind: str
    currency: str
    is_new: bool
    sheet: str
    effective: datetime | None
    ceiling: str
    mapping: Mapping
    rejected: Path | None


@deck.command(
    "import",
    epilog="Example: dialback deck import retail rates.csv --kind sell --currency USD --approve"
    "\n\nExample: dialback deck import alpha-cost alpha.xlsx --sheet partial --dates dmy --rejected bad.csv",
)
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, exists=True, allow_dash=True))
@click.option("--kind", type=click.Choice(["sell", "cost"]), help="Whose price; needed for a new deck.")
@click.option("--currency", metavar="CODE", help="ISO 4217; needed for a new deck.")
@click.option(
    "--sheet",
    type=click.Choice(["a-z", "full-country", "partial"]),
    default="a-z",
    show_default=True,
    help="Of prefixes that it leaves out, all end, those of its countries end, or none ends.",
)
@click.option(
    "--effective", type=Instant(), metavar="TIME", help="From when it counts.  [default: its earliest date]"
)
@click.option("--dates", type=click.Choice(["dmy", "mdy"]), help="What 03/04/2026 means; never guessed.")
@click.option(
    "--per", type=click.Choice(["minute", "second"]), help="What prices are for.  [default: minute]"
)
@click.option("--decimal", type=click.Choice(["point", "comma"]), help="What stands before the decimals.")
@click.option("--worksheet", metavar="NAME", help="Which sheet of a workbook.  [default: the first]")
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="TOML: columns whose names are not known, and how the sheet writes.",
)
@click.option("--ceiling", default=CEILING, show_default=True, metavar="PRICE", help="A dearer row is held.")
@click.option(
    "--rejected",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the rows that cannot be used there, as CSV with the reasons.",
)
@click.option("--approve", is_flag=True, help="Approve it at once if no row is rejected and nothing is held.")
@reason_option
@output_option
@pass_desk
def import_(
    desk: Desk, /, *, name: str, file: Path, approve: bool, reason: str, output: str, **words: Any
) -> None:
    """Stage FILE (CSV, XLSX, `-`, or a folder of CGRateS) as the next version of deck NAME, and report.

    Nothing is in force before it is approved. Rows that cannot be used are told with row, column and remedy;
    the exit code is 1 then.
    """
    from billing import printed

    asked = _asked(desk, name, file, words)
    report = _stage(desk, asked, reason)
    approved = None
    if approve and report.version and not report.rejected and not report.held:
        approved = _approve(desk, report.deck_name, report.version, {}, reason)
    show_report(report, None if approved is None else approved.effective_at, output)
    if report.rejected:
        errors, rows = printed.count(report.error_count, "error"), printed.count(report.rows_read, "row")
        raise Stop(f"{file}: {errors} in {len(report.rejected):,} of {rows}", ERROR)
    if approve and report.held:
        raise Stop(f"{report.deck_name}:{report.version} is staged, not approved: findings hold it", REFUSED)


@deck.command(epilog="Example: dialback deck diff retail:4 --only increased")
@click.argument("version", metavar="NAME:VERSION")
@click.option(
    "--only",
    type=click.Choice(["new", "increased", "decreased", "changed", "closed", "unchanged"]),
    multiple=True,
    help="Only these changes.  [default: all but unchanged]",
)
@click.option("--limit", type=Count(0), default=200, show_default=True, help="Rows; 0 shows all.")
@rows_output_option
@pass_desk
def diff(desk: Desk, version: str, only: tuple[str, ...], limit: int, output: str) -> None:
    """Show what a staged version changes, and what its check found.

    Beside the price of a minute, TERMS tells each term that becomes another, and VALID TILL when a row
    closes.
    """
    from billing import printed
    from rating.deckmerge import ChangeKind
    from store import staging
    from values.instants import micros

    name = decklook.named_version(version)
    kinds = {ChangeKind(word) for word in only} or set(ChangeKind) - {ChangeKind.UNCHANGED}
    with desk.database.reading() as connection:
        found = staging.version(connection, *name)
        changes = (each for each in staging.changes_of(connection, found) if each.kind in kinds)
        rows = [_change_line(each, micros(found.effective_at)) for each in islice(changes, limit or None)]
        more = next(changes, None) is not None
    findings = desk.read("read findings", staging.findings_of, found.id)
    show_rows(rows, CHANGE_COLUMNS, output, spare=CHANGE_SPARE, none="It changes nothing of that kind.")
    if more:
        say("There is more: --limit 0 shows all.")
    for finding in findings:
        say(f"{'HOLDS' if finding.kind.holds else 'note '}  {finding.kind}: {finding}")
    rejected = printed.count(found.rejected, "row")
    say(f"{found.name} is {found.state}, {since(found.effective_at)}; {rejected} rejected")


@deck.command(epilog="Example: dialback deck approve retail:4 --override 'agreed with alphatel on 3 March'")
@click.argument("version", metavar="NAME:VERSION")
@click.option("--override", default="", metavar="REASON", help="Why the findings that hold it are right.")
@click.option("--without-rejected", is_flag=True, help="Yes, without the rows that were rejected.")
@reason_option
@pass_desk
def approve(desk: Desk, /, version: str, reason: str, **words: Any) -> None:
    """Put a staged version in force at its instant, or now if that has passed; whole, in one step."""
    from billing import printed

    name, number = decklook.named_version(version)
    found = _approve(desk, name, number, words, reason)
    click.echo(f"{found.name}: {printed.count(found.rows, 'row')}, in force {since(found.effective_at)}")


@deck.command(epilog="Example: dialback deck rollback retail --reason 'rates of another customer'")
@click.argument("name")
@required_reason_option
@pass_desk
def rollback(desk: Desk, name: str, reason: str) -> None:
    """Take back the newest approved version: the one before holds again, exactly, from now on."""
    from billing import printed
    from store import approvals, decks

    desk.read("find deck", decks.deck_info, name)
    gone, instead = desk.change("roll back deck", approvals.withdraw, name, desk.author(reason))
    rows = printed.count(instead.rows, "row")
    click.echo(f"{gone.name} is withdrawn; {instead.name} holds, with its {rows}")


@deck.command(epilog="Example: dialback deck discard retail:4 --reason 'wrong file'")
@click.argument("version", metavar="NAME:VERSION")
@reason_option
@pass_desk
def discard(desk: Desk, version: str, reason: str) -> None:
    """Delete a staged version that nobody approved; with the last one its deck, if nobody uses that."""
    from store import staging

    found = desk.change(
        "discard", staging.note_discard, *decklook.named_version(version), desk.author(reason)
    )
    staging.discard_rows(desk.database, found.id, _Pauses(desk))
    click.echo(f"{found.name} is gone")


def _asked(desk: Desk, name: str, file: Path, words: dict[str, Any]) -> _Asked:
    if words["rejected"] is not None and str(file) == "-":
        raise click.UsageError("--rejected reads the sheet a second time: give it as a file, not on `-`")
    refuse_to_write_over("--rejected", words["rejected"], file)
    known = desk.read("find deck", _known, name)
    kind, currency = words["kind"], words["currency"]
    if known is None and (kind is None or currency is None):
        raise click.UsageError(f"deck {name!r} is new: give --kind and --currency")
    if known is not None:
        _same("kind", kind, known[0])
        _same("currency", currency and currency.upper(), known[1])
    return _Asked(
        name=name,
        file=file,
        kind=known[0] if known is not None else kind,
        currency=known[1] if known is not None else _currency(name, currency),
        is_new=known is None,
        sheet=words["sheet"],
        effective=words["effective"],
        ceiling=words["ceiling"],
        mapping=_mapping(words),
        rejected=words["rejected"],
    )


def _stage(desk: Desk, asked: _Asked, reason: str) -> StageReport:
    from rating.deckfile import DeckRefused, SheetTerms, read_sheet
    from staff.sheets import open_sheet
    from store.staging import Staging

    with open_sheet(asked.file, asked.mapping, asked.kind) as sheet:
        terms = SheetTerms(
            currency=asked.currency, kind=asked.kind, mapping=asked.mapping, is_ragged=sheet.is_ragged
        )
        staging = Staging(desk.database, _wish(asked, sheet.hash), desk.author(reason))
        try:
            for finding in sheet.findings:
                staging.report.find(finding)
            with _bar(sheet.size, "reading") as bar:
                staging.take(_with_progress(read_sheet(sheet.rows, terms), sheet.done, bar))
            report = staging.report
            if asked.rejected is not None:
                write_rejected(asked, report)
            if report.rows and not report.changes_nothing:
                with _bar(report.rows, "staging") as bar:
                    staging.write(_Pauses(desk, bar))
        except DeckRefused as refused:
            for error in refused.errors[:50]:
                say(f"{asked.file}: {error}")
            for finding in sheet.findings:
                say(f"note   {finding}")
            raise Stop(f"{asked.file}: the sheet cannot be read; nothing was staged", ERROR) from None
        finally:
            staging.close()
    return staging.report


def _wish(asked: _Asked, file_hash: str) -> Wish:
    from rating.deckmerge import SheetKind
    from store.staging import Wish
    from values.money import RATE_SCALE, decimal_number, rate_units

    return Wish(
        deck_name=asked.name,
        sheet=SheetKind(asked.sheet),
        ceiling_units=rate_units(decimal_number(asked.ceiling, places=RATE_SCALE, field="ceiling")),
        source=asked.file.name,
        source_hash=file_hash,
        effective_at=asked.effective,
        new_deck=(asked.kind, asked.currency) if asked.is_new else None,
    )


def _with_progress(found: Any, done: Any, bar: Any) -> Any:
    last = 0
    for count, each in enumerate(found):
        if count % 1000 == 0:
            now = done()
            bar.update(now - last)
            last = now
        yield each
    bar.update(bar.length - last)


class _Pauses:
    """Called after each step of much writing, lets the switch's own writes come through."""

    def __init__(self, desk: Desk, bar: Any = None) -> None:
        self._desk = desk
        self._bar = bar
        self._since = time.monotonic()

    def __call__(self) -> None:
        from store.raterows import ROWS_WRITTEN_AT_ONCE

        if self._bar is not None:
            self._bar.update(ROWS_WRITTEN_AT_ONCE)
        took = time.monotonic() - self._since
        self._desk.pause(min(max(took, PAUSE_SECONDS_MIN), PAUSE_SECONDS_MAX))
        self._since = time.monotonic()


def _bar(length: int, label: str) -> Any:
    is_seen = sys.stderr.isatty()
    return click.progressbar(length=length, label=label, file=sys.stderr, hidden=not is_seen)


def _approve(desk: Desk, name: str, number: int, words: dict[str, Any], reason: str) -> Version:
    from store import approvals

    wish = approvals.Approval(**words, by_another=desk.settings.decks.two_people)
    return desk.change("approve deck", approvals.approve, name, number, wish, desk.author(reason))


def _mapping(words: dict[str, Any]) -> Mapping:
    from rating.cells import Dates, DecimalMark
    from rating.mapping import PLAIN, MappingRefused, read_mapping

    mapping = PLAIN
    if words["mapping"] is not None:
        try:
            mapping = read_mapping(words["mapping"].read_text(encoding="utf-8"))
        except (MappingRefused, UnicodeDecodeError) as refused:
            raise click.UsageError(f"{words['mapping']}: {refused}") from None
    if words["dates"]:
        mapping = replace(mapping, dates=Dates(words["dates"]))
    if words["decimal"]:
        mapping = replace(mapping, decimal_mark=DecimalMark(words["decimal"]))
    if words["per"]:
        mapping = replace(mapping, seconds_per_price=1 if words["per"] == "second" else 60)
    return replace(mapping, worksheet=words["worksheet"]) if words["worksheet"] else mapping


def _known(connection: Connection, name: str) -> tuple[str, str] | None:
    """Kind and currency of a deck that is there."""
    from store import decks

    return next(
        ((each.kind, each.currency) for each in decks.list_decks(connection) if each.name == name), None
    )


def _currency(name: str, code: str) -> str:
    from store import checks

    checks.slug("deck", name)
    return checks.currency("currency", code.upper())


def _same(field: str, given: str | None, known: str) -> None:
    from store.errors import Conflict

    if given is not None and given != known:
        raise Conflict(
            field, f"the deck's {field} is {known}, not {given}", f"leave --{field} out, or name another deck"
        )


def _change_line(change: Change, starts: int) -> Row:
    """A change as it is printed; a row that nothing follows ends when the version starts."""
    before, after = (
        None if row is None else decklook.rate_line(row) for row in (change.before, change.after)
    )
    line = after
    if change.before is not None and change.after is None:
        ends = max(starts, change.before.valid_from)
        till = ends if change.before.valid_till is None else min(change.before.valid_till, ends)
        line = decklook.rate_line(change.before._replace(valid_till=till))
    assert line is not None
    return {
        "change": change.kind,
        **{name: line[name] for name in ("prefix", "band", "destination", "valid_from", "valid_till")},
        "before": _price(before),
        "after": _price(after),
        "terms": _terms(before, after),
    }


def _price(line: Row | None) -> object:
    return None if line is None else "blocked" if line["blocked"] else line["per_minute"]


def _terms(before: Row | None, after: Row | None) -> str:
    """What becomes of each term but the price of a minute, which has columns of its own."""
    if before is None or after is None or before["blocked"] or after["blocked"]:
        return ""
    others = [name for name in TERMS if before[name] != after[name]]
    names = others or [name for name in ("valid_from",) if before[name] != after[name]]
    return "; ".join(
        f"{heading(name).removesuffix(' s')} {_term(before[name])} becomes {_term(after[name])}"
        for name in names
    )


def _term(value: object) -> object:
    return "none" if value is None or value == EVER_SINCE else plain(value)

"""A sheet becomes a version of a deck: staged in small steps, then approved in one, and withdrawn in one.

Reads: what a sheet says, line by line (rating/deckfile.py); the version it is compared with.
Gives: a StageReport; a version that waits; one that is in force at its instant.
Knows nothing of: files, who may approve.

Staging writes a few thousand rows at a time and lets others write in between; nobody reads those rows before
they are approved. Approving changes one row of `deck_versions`, so a version of a million rows comes into
force as fast as one of ten, whole. Withdrawing changes the same row: what held before holds again, exactly.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from operator import attrgetter

from sqlalchemy import Connection, delete, insert, select, update

from billing import printed
from rating import deckmerge
from rating.countries import country
from rating.deckmerge import Change, ChangeKind, LeftOut, LostTerms, NumberedRow, SheetKind
from rating.findings import Finding, FindingKind, RowError
from rating.raterow import UNDATED
from rating.sheetrow import SheetLine, clashes
from store import raterows
from store.audit import Author, note
from store.database import Database
from store.deckbands import bands_of_nobody
from store.decks import add_deck, deck_info, next_version
from store.errors import Conflict, NotFound
from store.margins import losses
from store.schema import deck_findings, deck_versions, decks, plan_versions, rates, trunks
from store.sorter import Sorter
from store.spool import Spool
from values.instants import instant_of, micros
from values.money import rate_from_units

FINDINGS_KEPT_MAX = 1_000
"""Of each kind; what comes after is counted."""
ERRORS_KEPT_MAX = 100_000
EVER_SINCE = 0
"""1970: before it there was neither a callback nor anything to price by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What is to become of a sheet. `effective_at` None: from its earliest date, but not before now.

    A deck's first version takes nothing back, so it may reach into the past: old calls are priced by it too.

    `new_deck`: kind and currency of a deck that is made with its first version.
    """

    deck_name: str
    sheet: SheetKind
    ceiling_units: int
    source: str
    source_hash: str
    effective_at: datetime | None = None
    new_deck: tuple[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class StageReport:
    """What a sheet holds and would change. `version` is 0 where nothing was staged."""

    deck_name: str
    version: int = 0
    base_version: int = 0
    effective_at: datetime | None = None
    rows_read: int = 0
    rows: int = 0
    changes: Counter[ChangeKind] = field(default_factory=Counter)
    finding_counts: Counter[FindingKind] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    errors: list[RowError] = field(default_factory=list)
    error_count: int = 0
    rejected: set[int] = field(default_factory=set)

    @property
    def changes_nothing(self) -> bool:
        """Whether everything is as it was."""
        return not any(count for kind, count in self.changes.items() if kind is not ChangeKind.UNCHANGED)

    @property
    def held(self) -> int:
        """How many findings keep it from being approved without a reason."""
        return sum(count for kind, count in self.finding_counts.items() if kind.holds)

    def find(self, finding: Finding) -> None:
        """Note a finding."""
        self.finding_counts[finding.kind] += 1
        if self.finding_counts[finding.kind] <= FINDINGS_KEPT_MAX:
            self.findings.append(finding)

    def reject(self, error: RowError) -> None:
        """Note an error, and that its row cannot be used."""
        self.rejected.add(error.row)
        self.error_count += 1
        if len(self.errors) < ERRORS_KEPT_MAX:
            self.errors.append(error)


class Staging:
    """One sheet on its way: read it, look at the report, write it."""

    def __init__(self, database: Database, wish: Wish, author: Author) -> None:
        """`author` says who and when."""
        self._database = database
        self._wish = wish
        self._author = author
        self._now = micros(author.at)
        self._sorter = Sorter()
        self._next = Spool()
        self._earliest: int | None = None
        self._is_undated = False
        self._starts = 0
        self._countries: frozenset[str] = frozenset()
        self._bands: set[str] = set()
        self.report = StageReport(deck_name=wish.deck_name)

    def close(self) -> None:
        """Forget the sheet."""
        self._sorter.close()
        self._next.close()

    def take(self, found: Iterable[SheetLine | RowError | Finding]) -> None:
        """Take all that a sheet says, then compare it with the version before."""
        report = self.report
        seen = 0
        for each in found:
            match each:
                case SheetLine():
                    report.rows_read += 1
                    self._sorter.add(each)
                    self._look(each)
                case RowError():
                    report.rows_read += each.row != seen
                    seen = each.row
                    report.reject(each)
                case Finding():
                    report.find(each)
        self._reject_clashes()
        with self._database.reading() as connection:
            self._compare(connection)

    def write(self, pause: Callable[[], object]) -> StageReport:
        """Write the version, a step at a time with a pause after each; it waits for approval then."""
        call = self._database.call
        version_id = call("begin staging", self._begin)
        try:
            numbered = enumerate(self._next, start=1)
            while some := list(islice(numbered, raterows.ROWS_WRITTEN_AT_ONCE)):
                call("stage rates", raterows.write, version_id, some)
                pause()
            with self._database.reading() as now:
                for finding in losses(now, version_id, self._margins_at()):
                    self.report.find(finding)
            call("end staging", self._end, version_id)
        except BaseException:
            discard_rows(self._database, version_id, pause)
            raise
        return self.report

    # what the sheet says

    def _look(self, line: SheetLine) -> None:
        for row in line.rates:
            if row.band:
                self._bands.add(row.band)
            if row.valid_from == UNDATED:
                self._is_undated = True
            elif self._earliest is None or row.valid_from < self._earliest:
                self._earliest = row.valid_from
            dearest, name = max(
                (row.per_minute, "rate"),
                (row.next_per_minute or 0, "next rate"),
                (row.connect_fee or 0, "connect fee"),
                (row.attempt_fee or 0, "attempt fee"),
            )
            if dearest > self._wish.ceiling_units:
                over = (
                    f"{name} {_printed(dearest)} is over the ceiling of {_printed(self._wish.ceiling_units)}"
                )
                told = f"prefix {row.prefix}: {over}; --ceiling sets another"
                self.report.find(Finding(FindingKind.OVER_CEILING, line.row, row.prefix, told))
            if not row.blocked and not (row.per_minute and row.next_per_minute != 0):
                told = f"prefix {row.prefix}: a minute costs nothing"
                self.report.find(Finding(FindingKind.ZERO_RATE, line.row, row.prefix, told))

    def _reject_clashes(self) -> None:
        """Find rows that cannot both hold. Rows without a date start together, whenever that will be."""
        for _, group in groupby(self._sorter.repeated(), key=attrgetter("row.prefix", "row.band")):
            same = [(each.number, each.row) for each in group if each.number not in self.report.rejected]
            for error, spoilt in clashes(same):
                self.report.reject(error)
                self.report.rejected.update(spoilt)
        if self._wish.sheet is SheetKind.FULL_COUNTRY:
            self._countries = frozenset(country(each.row.prefix) for each in self._usable())

    # what it changes

    def _compare(self, connection: Connection) -> None:
        report = self.report
        for band in bands_of_nobody(connection, self._wish.deck_name, self._bands):
            told = f"rows for band {band} will price no call: no plan or trunk with this deck has such hours"
            report.find(Finding(FindingKind.UNKNOWN_BAND, 0, "", told))
        base = standing(connection, self._wish.deck_name)
        report.base_version = 0 if base is None else base.version
        self._starts = self._start(base)
        report.effective_at = instant_of(self._starts)
        left_out, lost = LeftOut(), LostTerms()
        for merged in self._merged(connection, base):
            found = deckmerge.changes(merged.before, merged.after, self._starts)
            for change in found:
                report.changes[change.kind] += 1
            report.rows += len(merged.after)
            for row in merged.after:
                self._next.put(tuple(row))
            left_out.take(merged)
            lost.take(merged.prefix, found)
            for finding in deckmerge.findings(merged, found, now=self._now, starts=self._starts):
                report.find(finding)
        for finding in (*left_out.findings(report.effective_at), *lost.findings()):
            report.find(finding)

    def _start(self, base: "Version | None") -> int:
        """When the version counts: as wished, else from the sheet's earliest date, never in the past.

        But the first one: from its earliest date, past or not; with no date at all it held ever since.
        """
        if self._wish.effective_at is not None:
            return micros(self._wish.effective_at)
        if base is None:
            return EVER_SINCE if self._earliest is None else self._earliest
        earliest = self._now if self._is_undated or self._earliest is None else self._earliest
        return max(self._now, micros(base.effective_at), earliest)

    def _margins_at(self) -> datetime:
        """When it meets other decks first: a first version reaches back to where there may be none."""
        return max(self.report.effective_at or self._author.at, self._author.at)

    def _merged(self, connection: Connection, base: "Version | None") -> Iterator[deckmerge.Merged]:
        before = () if base is None else (row for _, row in raterows.read(connection, base.id))
        return deckmerge.merge(
            before,
            self._usable(self._starts),
            kind=self._wish.sheet,
            starts=self._starts,
            countries=self._countries,
        )

    def _usable(self, undated_start: int = UNDATED) -> Iterator[NumberedRow]:
        rejected = self.report.rejected
        for each in self._sorter.sorted(undated_start):
            if each.number not in rejected:
                yield each

    # what is written

    def _begin(self, connection: Connection) -> int:
        wish, report = self._wish, self.report
        if wish.new_deck is not None:
            kind, currency = wish.new_deck
            add_deck(connection, name=wish.deck_name, kind=kind, currency=currency, author=self._author)
        report.version = next_version(connection, wish.deck_name)
        values = {
            "deck_name": wish.deck_name,
            "version": report.version,
            "effective_at": report.effective_at,
            "created_at": self._author.at,
            "created_by": self._author.name,
            "rows": report.rows,
            "sheet": str(wish.sheet),
            "source": wish.source,
            "source_hash": wish.source_hash,
            "base_version": report.base_version,
            "rejected": len(report.rejected),
            "held": report.held,
        }
        made = connection.execute(insert(deck_versions).returning(deck_versions.c.id), values)
        return int(made.scalar_one())

    def _end(self, connection: Connection, version_id: int) -> None:
        report = self.report
        rows = [
            {
                "version_id": version_id,
                "number": number,
                "kind": str(each.kind),
                "row": each.row,
                "prefix": each.prefix,
                "told": each.text,
            }
            for number, each in enumerate(report.findings, start=1)
        ]
        if rows:
            connection.execute(insert(deck_findings), rows)
        mine = deck_versions.c.id == version_id
        connection.execute(update(deck_versions).where(mine).values(staged_at=self._author.at))
        after = {
            "version": report.version,
            "rows": report.rows,
            "rejected": len(report.rejected),
            "held": report.held,
            "source": self._wish.source,
            **{str(kind): count for kind, count in report.changes.items()},
        }
        note(connection, self._author, "deck.stage", self._wish.deck_name, after=after)


def _printed(units: int) -> str:
    return printed.rate(rate_from_units(units))


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a deck, in whatever state."""

    id: int
    deck_name: str
    version: int
    effective_at: datetime
    created_at: datetime
    created_by: str
    rows: int
    staged_at: datetime | None
    approved_at: datetime | None
    approved_by: str
    withdrawn_at: datetime | None
    sheet: str
    source: str
    source_hash: str
    base_version: int
    rejected: int
    held: int

    @property
    def name(self) -> str:
        """Return what it is called outside."""
        return f"{self.deck_name}:{self.version}"

    @property
    def state(self) -> str:
        """Return where it stands: written, staged, approved or withdrawn."""
        if self.withdrawn_at is not None:
            return "withdrawn"
        if self.approved_at is not None:
            return "approved"
        return "staged" if self.staged_at is not None else "unfinished"


def versions(connection: Connection, deck_name: str) -> tuple[Version, ...]:
    """All versions of a deck, the newest first."""
    wanted = (
        select(deck_versions)
        .where(deck_versions.c.deck_name == deck_name)
        .order_by(deck_versions.c.version.desc())
    )
    return tuple(Version(**row) for row in connection.execute(wanted).mappings())


def version(connection: Connection, deck_name: str, number: int) -> Version:
    """That version; NotFound if there is none, or no such deck."""
    found = next((each for each in versions(connection, deck_name) if each.version == number), None)
    if found is None:
        deck_info(connection, deck_name)
        problem = f"deck {deck_name!r} has no version {number}"
        raise NotFound("version", problem, f"see `dialback deck versions {deck_name}`")
    return found


def standing(connection: Connection, deck_name: str) -> Version | None:
    """The newest version that is approved and not withdrawn, in force or soon to be."""
    found = versions(connection, deck_name)
    return next((each for each in found if each.state == "approved"), None)


def findings_of(connection: Connection, version_id: int) -> tuple[Finding, ...]:
    """What the check of a sheet found, as far as it was kept."""
    wanted = (
        select(deck_findings).where(deck_findings.c.version_id == version_id).order_by(deck_findings.c.number)
    )
    return tuple(
        Finding(FindingKind(row.kind), row.row, row.prefix, row.told) for row in connection.execute(wanted)
    )


def changes_of(connection: Connection, staged: Version) -> Iterator[Change]:
    """Yield what a version changes against the one it was compared with, by prefix."""
    base = None if not staged.base_version else version(connection, staged.deck_name, staged.base_version)
    before = () if base is None else (row for _, row in raterows.read(connection, base.id))
    after = (NumberedRow(number, row) for number, row in raterows.read(connection, staged.id))
    starts = micros(staged.effective_at)
    for merged in deckmerge.merge(before, after, kind=SheetKind.A_TO_Z, starts=starts):
        rows = tuple(each.row for each in merged.listed)
        yield from deckmerge.changes(merged.before, rows, starts)


def note_discard(connection: Connection, deck_name: str, number: int, author: Author) -> Version:
    """The version, if it may be deleted: then that is in the audit log."""
    found = version(connection, deck_name, number)
    if found.approved_at is not None:
        problem = f"{found.name} was approved, and calls may have been priced by it"
        raise Conflict("version", problem, "take it back with `dialback deck rollback`")
    note(connection, author, "deck.discard", deck_name, before={"version": number, "rows": found.rows})
    return found


def discard_rows(database: Database, version_id: int, pause: Callable[[], object]) -> None:
    """Delete a version that nobody approved, a step at a time."""
    while database.call("discard rates", _discard_some, version_id):
        pause()
    database.call("discard version", _discard_version, version_id)


def _discard_some(connection: Connection, version_id: int) -> int:
    last = (
        select(rates.c.row)
        .where(rates.c.version_id == version_id)
        .order_by(rates.c.row.desc())
        .offset(raterows.ROWS_WRITTEN_AT_ONCE)
        .limit(1)
        .scalar_subquery()
    )
    gone = connection.execute(
        delete(rates).where(rates.c.version_id == version_id, rates.c.row > last)
    ).rowcount
    if not gone:
        gone = connection.execute(delete(rates).where(rates.c.version_id == version_id)).rowcount
    return gone


def _discard_version(connection: Connection, version_id: int) -> None:
    connection.execute(delete(deck_findings).where(deck_findings.c.version_id == version_id))
    unapproved = deck_versions.c.approved_at.is_(None)
    gone = delete(deck_versions).where(deck_versions.c.id == version_id, unapproved)
    deck_name = connection.execute(gone.returning(deck_versions.c.deck_name)).scalar_one_or_none()
    if deck_name is not None:
        _discard_deck(connection, deck_name)


def _discard_deck(connection: Connection, name: str) -> None:
    """Delete a deck that was only ever staged and that nobody uses: its currency may have been a slip."""
    connection.execute(select(decks.c.name).where(decks.c.name == name).with_for_update())
    users = (deck_versions.c.deck_name, plan_versions.c.deck_name, trunks.c.cost_deck)
    if not any(connection.execute(select(column).where(column == name).limit(1)).first() for column in users):
        connection.execute(delete(decks).where(decks.c.name == name))

"""T15: a thousand hostile sheets, and none of them comes into force, whole or in part."""

import io
import resource
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from hostile_sheets import PREFIXES, PRICES, Hostile, hostile
from sheets import Read, read
from storeworld import CLERK, LONG_AGO, NOW, rate

from rating.deckmerge import SheetKind
from rating.sheet import encoding_of, read_cells, read_lines
from staff.exits import Stop
from store import approvals, decks, staging
from store.approvals import Approval
from store.audit import Author
from store.database import Database
from store.errors import Forbidden
from store.staging import StageReport, Staging, Wish
from store.upgrade import upgrade

SHEETS = 1_000
WRITTEN_EVERY = 25
ANNA = Author(at=NOW, name="anna")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    url = f"sqlite:///{tmp_path_factory.mktemp('hostile') / 'd.db'}"
    upgrade(url)
    database = Database(url)
    rows = [rate(prefix, PRICES[prefix], currency="USD") for prefix in PREFIXES]
    database.call("deck", decks.add_deck, name="retail", kind="sell", currency="USD", author=CLERK)
    database.call(
        "version", decks.add_version, deck_name="retail", new_rates=rows, effective_at=LONG_AGO, author=CLERK
    )
    yield database
    database.close()


FIRST, *OTHERS = range(SHEETS // 100)


@pytest.mark.parametrize("hundred", [FIRST, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)])
def test_T15_no_hostile_sheet_is_approved_and_each_refusal_names_row_column_and_remedy(
    database: Database, hundred: int
) -> None:
    for number in range(100 * hundred, 100 * hundred + 100):
        sheet = hostile(number)
        told = f"sheet {number}: {sheet.how}"
        found = _read(sheet)
        if isinstance(found, str):
            assert sheet.is_error, told
            assert ": " in found, told
            continue
        for error in found.errors:
            assert error.row > 0, told
            assert error.column, told
            assert error.problem, told
            assert error.remedy, told
        staged = Staging(database, WISH, ANNA)
        try:
            _judge(database, sheet, found, staged)
        finally:
            staged.close()
    _is_untouched(database)


def test_T15_the_sheet_before_it_was_spoilt_changes_nothing(database: Database) -> None:
    header = "prefix,destination,rate_per_min\n"
    lines = [f"{prefix},Zone {prefix},{PRICES[prefix]}\n" for prefix in PREFIXES]
    staged = Staging(database, WISH, ANNA)
    staged.take(read(header + "".join(lines)).lines)
    assert staged.report.changes_nothing
    assert not staged.report.findings
    staged.close()


def _read(sheet: Hostile) -> Read | str:
    """What it says; the sentence that refuses the file where it is no sheet at all."""
    try:
        return read(sheet.content)
    except Stop as stopped:
        return str(stopped)


WISH = Wish(
    deck_name="retail",
    sheet=SheetKind.A_TO_Z,
    ceiling_units=10 * 10**8,
    source="hostile",
    source_hash="",
)


def _judge(database: Database, sheet: Hostile, found: Read, staged: Staging) -> None:
    told = f"sheet {sheet.number}: {sheet.how}"
    if not found.lines:
        assert sheet.is_error, told
        assert found.errors, told
        return
    staged.take([*found.lines, *found.errors, *found.findings])
    report = staged.report
    if sheet.is_error:
        assert report.rejected, told
        # The other rows are reported all the same.
        assert report.rows_read >= len(PREFIXES) - 1, told
    else:
        assert report.held, told
    if sheet.number % WRITTEN_EVERY == 0 and not report.changes_nothing and report.rows:
        _try_to_approve(database, staged.write(lambda: None))


def _try_to_approve(database: Database, report: StageReport) -> None:
    with pytest.raises(Forbidden):
        database.call("approve", approvals.approve, "retail", report.version, Approval(), ANNA)
    version = database.read("version", staging.version, "retail", report.version)
    staging.discard_rows(database, version.id, lambda: None)


def _is_untouched(database: Database) -> None:
    for at in (NOW, NOW + timedelta(days=400)):
        deck = database.read("deck", decks.whole_deck, "retail", at)
        assert deck.version == 1
        assert {each.prefix: each.per_minute for each in deck.rates} == {
            prefix: Decimal(price) for prefix, price in PRICES.items()
        }


class Endless(io.RawIOBase):
    """A file of so many nines in one line, then a good row."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self._length, self._at = length, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        if self._at >= self._length:
            rest = b"\n33,France,0.1\n"[self._at - self._length :]
            self._at += len(rest)
            return rest
        some = min(size, self._length - self._at)
        self._at += some
        return b"9" * some


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_T15_a_line_of_a_gigabyte_is_skipped_in_bounded_memory() -> None:
    stream = Endless(1024**3)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert encoding_of(stream) == "utf-8"  # type: ignore[arg-type]
    long, good = read_cells(read_lines(stream, "utf-8"), ",")  # type: ignore[arg-type]
    assert (long.number, len(long.faults), good.cells) == (1, 1, ["33", "France", "0.1"])
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000

"""Sheets become versions: staged, approved, withdrawn; on SQLite and PostgreSQL."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select
from storeworld import CLERK, FRIEND, LONG_AGO, NOW

from rating.deck import Deck
from rating.deckmerge import ChangeKind, SheetKind
from rating.findings import FindingKind, RowError
from rating.rate import Rate
from rating.raterow import UNDATED, RateRow
from rating.sheetrow import SheetLine
from store import approvals, decks, raterows, staging
from store.approvals import Approval
from store.audit import Author
from store.database import Database
from store.errors import Conflict, Forbidden
from store.schema import audit_log, deck_findings, rates
from store.staging import StageReport, Staging, Wish
from values.instants import micros

DAY = timedelta(days=1)
SOON = NOW + DAY
ANNA, BERT = Author(at=NOW, name="anna"), Author(at=NOW, name="bert", reason="checked")


def line(number: int, prefix: str, price: str, start: int = UNDATED, **terms: object) -> SheetLine:
    units = int(Decimal(price) * 10**8)
    row = RateRow(prefix, "", start, None, f"Zone {prefix}", units, **terms)  # type: ignore[arg-type]
    return SheetLine(number, (row,))


def stage(
    database: Database,
    lines: Iterable[SheetLine | RowError],
    *,
    sheet: SheetKind = SheetKind.A_TO_Z,
    effective_at: datetime | None = None,
    author: Author = ANNA,
    deck_name: str = "retail",
    new_deck: tuple[str, str] | None = None,
) -> StageReport:
    wish = Wish(
        deck_name=deck_name,
        sheet=sheet,
        ceiling_units=10 * 10**8,
        source="sheet.csv",
        source_hash="",
        effective_at=effective_at,
        new_deck=new_deck,
    )
    staged = Staging(database, wish, author)
    try:
        staged.take(lines)
        return staged.write(lambda: None) if not staged.report.changes_nothing else staged.report
    finally:
        staged.close()


def approve(database: Database, number: int, author: Author = BERT, **how: object) -> staging.Version:
    wish = Approval(**how)  # type: ignore[arg-type]
    return database.call("approve", approvals.approve, "retail", number, wish, author)


def price_at(database: Database, at: datetime) -> Decimal:
    found = database.read("deck", decks.deck, "retail", at)
    assert isinstance(found, Deck)
    rate = found.find(FRIEND, at)
    assert isinstance(rate, Rate)
    return rate.per_minute


SAME = [line(2, "44", "0.10"), line(3, "1", "0.25"), line(4, "1900", "9.00", blocked=True)]
DEARER = [SAME[0], line(3, "1", "0.26"), SAME[2]]


def test_nothing_is_in_force_before_it_is_approved_and_then_all_of_it(company: Database) -> None:
    report = stage(company, DEARER, effective_at=SOON)
    assert (report.version, report.changes[ChangeKind.INCREASED], report.changes[ChangeKind.UNCHANGED]) == (
        2,
        1,
        2,
    )
    assert price_at(company, SOON) == Decimal("0.25")
    approve(company, 2, override="agreed")
    assert price_at(company, SOON - timedelta(microseconds=1)) == Decimal("0.25")
    assert price_at(company, SOON) == Decimal("0.26")


@pytest.mark.parametrize(
    ("starts", "since"),
    [((), datetime(1970, 1, 1, tzinfo=UTC)), ((NOW - 9 * DAY, NOW + DAY), NOW - 9 * DAY)],
    ids=["no date", "dates"],
)
def test_a_first_version_reaches_back_to_its_earliest_date_and_without_any_to_ever(
    company: Database, starts: tuple[datetime, ...], since: datetime
) -> None:
    lines = [line(at, f"4{at}", "0.10", micros(start)) for at, start in enumerate(starts, start=2)]
    staged = stage(company, [*lines, line(9, "33", "0.25")], deck_name="fresh", new_deck=("sell", "EUR"))
    assert staged.effective_at == since
    made = company.call("approve", approvals.approve, "fresh", 1, Approval(), BERT)
    assert made.effective_at == since
    assert isinstance(company.read("deck", decks.deck, "fresh", since), Deck)


def test_R18_the_same_sheet_twice_stages_nothing_and_other_decks_are_untouched(company: Database) -> None:
    before = rows_of(company, "carrier-x")
    assert stage(company, SAME).version == 0
    stage(company, DEARER)
    approve(company, 2, override="agreed")
    assert stage(company, DEARER, author=BERT).version == 0
    assert rows_of(company, "carrier-x") == before


def test_rows_of_a_sheet_that_are_over_are_left_out_and_counted(company: Database) -> None:
    dearer = line(3, "1", "0.26")
    past = dearer.rates[0]._replace(valid_from=micros(NOW - 9 * DAY), valid_till=micros(NOW - DAY))
    report = stage(company, [SheetLine(2, (past,)), dearer, SAME[0], SAME[2]])
    assert (report.rows, report.changes[ChangeKind.INCREASED]) == (3, 1)
    (left_out,) = [each for each in report.findings if each.kind is FindingKind.LEFT_OUT]
    assert str(left_out) == f"1 of the sheet's rows is over by {NOW:%Y-%m-%dT%H:%M:%SZ}: it is left out"


def test_F137_a_rollback_restores_the_version_before_exactly(company: Database) -> None:
    before = company.read("deck", decks.whole_deck, "retail", NOW)
    stage(company, [line(2, "1", "0.26")])
    approve(company, 2, override="agreed")
    later = Author(at=NOW + timedelta(hours=1), name="bert", reason="wrong sheet")
    gone, instead = company.call("withdraw", approvals.withdraw, "retail", later)
    assert (gone.version, gone.state, instead.version) == (2, "withdrawn", 1)
    after = company.read("deck", decks.whole_deck, "retail", later.at)
    assert (after.id, tuple(after.rates)) == (before.id, tuple(before.rates))
    # What was in force meanwhile stays what it was.
    assert price_at(company, later.at - timedelta(minutes=1)) == Decimal("0.26")
    assert company.read("starts", decks.starts, "retail") == (LONG_AGO, NOW, later.at)


def test_the_only_version_is_not_taken_back(company: Database) -> None:
    with pytest.raises(Forbidden, match="only version"):
        company.call("withdraw", approvals.withdraw, "retail", BERT)
    assert price_at(company, NOW) == Decimal("0.25")


def test_a_version_that_was_compared_with_another_is_refused(company: Database) -> None:
    stage(company, DEARER)
    stage(company, [SAME[0], line(3, "1", "0.27"), SAME[2]])
    approve(company, 3, override="agreed")
    with pytest.raises(Conflict, match="import the sheet again"):
        approve(company, 2, override="agreed")
    assert price_at(company, NOW) == Decimal("0.27")


def test_a_version_before_one_that_is_approved_for_later_is_refused(company: Database) -> None:
    stage(company, DEARER, effective_at=SOON)
    approve(company, 2, override="agreed")
    stage(company, [line(3, "1", "0.25")], effective_at=NOW)
    with pytest.raises(Conflict, match="later than this one"):
        approve(company, 3, override="agreed", without_rejected=True)


def test_findings_rejected_rows_and_the_same_hand_hold_a_version(company: Database) -> None:
    error = RowError(9, "prefix", "no prefix", "write one")
    report = stage(company, [line(2, "44", "0.30"), line(3, "1", "0"), line(4, "7", "99"), error])
    assert set(report.finding_counts) >= {
        FindingKind.BIG_CHANGE,
        FindingKind.ZERO_RATE,
        FindingKind.OVER_CEILING,
        FindingKind.SHORT_NOTICE,
    }
    with pytest.raises(Forbidden, match="rejected"):
        approve(company, 2, override="yes")
    with pytest.raises(Forbidden, match="findings"):
        approve(company, 2, without_rejected=True)
    with pytest.raises(Forbidden, match="somebody else"):
        approve(company, 2, ANNA, override="yes", without_rejected=True, by_another=True)
    approve(company, 2, override="yes", without_rejected=True, by_another=True)
    kept = company.read("findings", staging.findings_of, company.read("v", staging.version, "retail", 2).id)
    assert len(kept) == report.finding_counts.total()


def test_rows_that_lose_terms_of_their_own_are_named_as_far_as_room_is_and_hold_nothing(
    company: Database,
) -> None:
    prefixes = [str(number) for number in range(31, 38)]
    stage(company, [line(2, each, "0.10", connect_fee=5, first_increment_s=60) for each in prefixes])
    approve(company, 2, override="agreed")
    report = stage(company, [line(2, each, "0.10", first_increment_s=60) for each in prefixes])
    told = [str(each) for each in report.findings if each.kind is FindingKind.LOST_TERMS]
    fee = (
        "prefix 31, 32, 33, 34, 35 and 2 more: connect fee of its own no more: does the sheet lack a column?"
    )
    assert told == [fee]
    approve(company, 3)


def test_approving_twice_and_late_changes_nothing_that_was(company: Database) -> None:
    stage(company, DEARER, effective_at=NOW)
    late = Author(at=NOW + timedelta(days=3), name="bert")
    first = approve(company, 2, late, override="agreed")
    assert first.effective_at == late.at
    assert approve(company, 2, Author(at=late.at + timedelta(days=1), name="carl")) == first
    assert price_at(company, late.at - timedelta(seconds=1)) == Decimal("0.25")


def test_rows_that_clash_are_rejected_all_of_them_if_they_differ(company: Database) -> None:
    lines = [line(2, "44", "0.10"), line(3, "44", "0.11"), line(4, "1", "0.25"), line(5, "1", "0.25")]
    report = stage(company, [*lines, line(6, "1900", "9.00", blocked=True), line(7, "33", "0.1")])
    assert report.rejected == {2, 3, 5}
    assert [error.row for error in report.errors] == [5, 3]
    assert report.changes[ChangeKind.CLOSED] == 1  # 44 is on no row that can be used


def test_every_step_is_in_the_audit_log(company: Database) -> None:
    stage(company, DEARER)
    approve(company, 2, override="agreed with alphatel")
    company.call("withdraw", approvals.withdraw, "retail", BERT)
    stage(company, DEARER)
    found = company.call("discard", staging.note_discard, "retail", 3, BERT)
    staging.discard_rows(company, found.id, lambda: None)

    def log(connection: object) -> list[tuple[str, str, str]]:
        wanted = select(audit_log).where(audit_log.c.action.like("deck.%")).order_by(audit_log.c.id)
        rows = connection.execute(wanted)  # type: ignore[attr-defined]
        return [(row.action, row.actor, row.reason) for row in rows if row.actor != CLERK.name]

    assert company.read("log", log) == [
        ("deck.stage", "anna", ""),
        ("deck.approve", "bert", "checked; agreed with alphatel"),
        ("deck.rollback", "bert", "checked"),
        ("deck.stage", "anna", ""),
        ("deck.discard", "bert", "checked"),
    ]


def test_what_is_staged_in_steps_is_whole_and_what_fails_half_way_leaves_nothing(company: Database) -> None:
    many = [
        line(number, str(200_000 + number), "0.1")
        for number in range(2, 2 * raterows.ROWS_WRITTEN_AT_ONCE + 9)
    ]
    steps: list[int] = []

    def stumble() -> None:
        steps.append(1)
        if len(steps) == 2:
            raise KeyboardInterrupt

    wish = Wish(deck_name="retail", sheet=SheetKind.PARTIAL, ceiling_units=10**9, source="", source_hash="")
    staged = Staging(company, wish, ANNA)
    staged.take(many)
    with pytest.raises(KeyboardInterrupt):
        staged.write(stumble)
    assert count(company, rates) == 5
    assert count(company, deck_findings) == 0
    staged.write(lambda: None)
    staged.close()
    assert count(company, rates) == 5 + 3 + len(many)
    approve(company, 2)
    assert company.read("deck", decks.deck_info, "retail").rows == 3 + len(many)


def test_a_deck_of_which_nothing_was_approved_goes_with_its_last_version(company: Database) -> None:
    def names() -> set[str]:
        return {each.name for each in company.read("decks", decks.list_decks)}

    def discard(number: int, name: str) -> None:
        found = company.call("discard", staging.note_discard, name, number, BERT)
        staging.discard_rows(company, found.id, lambda: None)

    for new_deck in (("sell", "EUR"), None):
        stage(company, [line(2, "1", "0.26")], deck_name="slip", new_deck=new_deck)
    discard(1, "slip")
    assert "slip" in names()
    discard(2, "slip")
    assert "slip" not in names()
    # The name is free, in the currency that was meant.
    stage(company, [line(2, "1", "0.26")], deck_name="slip", new_deck=("sell", "USD"))
    assert company.read("deck", decks.deck_info, "slip").currency == "USD"
    discard(stage(company, DEARER).version, "retail")
    assert "retail" in names()


def test_what_a_version_changes_is_told_again_later(company: Database) -> None:
    report = stage(company, [line(2, "1", "0.26"), line(3, "33", "0.1")])

    def told(connection: object) -> list[tuple[str, str]]:
        found = staging.version(connection, "retail", 2)  # type: ignore[arg-type]
        changes: Iterator = staging.changes_of(connection, found)  # type: ignore[arg-type]
        return [(str(change.kind), change.prefix) for change in changes]

    changes = company.read("changes", told)
    assert changes == [("increased", "1"), ("closed", "1900"), ("new", "33"), ("closed", "44")]
    assert len(changes) == report.changes.total()


def test_R19_what_would_be_sold_below_every_cost_is_told_by_prefix(company: Database) -> None:
    report = stage(
        company, [line(2, "44", "0.04"), line(3, "447", "0.11"), line(4, "1", "0.09")], deck_name="carrier-x"
    )
    losses = [each for each in report.findings if each.kind is FindingKind.LOSS]
    assert [each.text for each in losses] == ["plan standard: prefix 447 is sold at 0.1000, east asks 0.1100"]
    cheap = stage(company, [line(2, "44", "0.03"), line(3, "1", "0.25"), SAME[2]])
    assert [each.prefix for each in cheap.findings if each.kind is FindingKind.LOSS] == ["44"]


def rows_of(company: Database, deck_name: str) -> list[RateRow]:
    def read(connection: object) -> list[RateRow]:
        version_id = decks.in_force(connection, deck_name, NOW)  # type: ignore[arg-type]
        assert version_id is not None
        return [row for _, row in raterows.read(connection, version_id)]  # type: ignore[arg-type]

    return company.read("rows", read)


def count(company: Database, table: object) -> int:
    return company.read(
        "count",
        lambda connection: connection.execute(select(func.count()).select_from(table)).scalar_one(),  # type: ignore[arg-type]
    )

"""What a sheet does to the deck before it."""

from collections.abc import Iterable
from itertools import chain

import pytest

from rating.cells import Status
from rating.deckmerge import (
    NOTICE_MICROSECONDS,
    Change,
    ChangeKind,
    NumberedRow,
    SheetKind,
    changes,
    findings,
    lost_terms,
    merge,
)
from rating.findings import FindingKind
from rating.raterow import UNDATED, RateRow

DAY = 24 * 3600 * 10**6
NOW = 1000 * DAY


def row(prefix: str, price: int = 10, start: int = 0, till: int | None = None, **terms: object) -> RateRow:
    return RateRow(prefix, "", start, till, f"Zone {prefix}", price, **terms)  # type: ignore[arg-type]


def after(
    base: list[RateRow],
    sheet: list[RateRow],
    kind: SheetKind = SheetKind.A_TO_Z,
    starts: int = NOW,
    countries: Iterable[str] = (),
) -> tuple[list[RateRow], list[Change]]:
    """The rows of the next version, and the changes."""
    numbered = [NumberedRow(number, each) for number, each in enumerate(sheet, start=2)]
    merged = list(merge(base, numbered, kind=kind, starts=starts, countries=frozenset(countries)))
    found = [changes(each.before, each.after, starts) for each in merged]
    return [*chain.from_iterable(each.after for each in merged)], [*chain.from_iterable(found)]


def kinds(found: list[Change]) -> dict[str, str]:
    return {change.prefix: str(change.kind) for change in found}


BASE = [row("33"), row("44"), row("4420"), row("49")]


def test_R18_the_same_sheet_twice_changes_nothing() -> None:
    for start in (UNDATED, 0, NOW - DAY):
        rows, found = after(BASE, [each._replace(valid_from=start) for each in BASE])
        assert rows == BASE
        assert {change.kind for change in found} == {ChangeKind.UNCHANGED}


def test_R18_a_sheet_that_keeps_its_history_changes_nothing_the_second_time() -> None:
    last_month, next_month = NOW - 30 * DAY, NOW + 30 * DAY
    ended = [row("33", 9, 0, last_month), row("33", 12, last_month)]
    replaced = [row("44", 9), row("44", 12, last_month), row("44", 15, next_month)]
    gone = [row("49", 9, 0, last_month)]
    sheet = ended + replaced + gone
    first, _ = after([], sheet, starts=0)
    assert first == sheet
    rows, found = after(first, sheet)
    assert rows == [ended[1], *replaced[1:]]
    assert {change.kind for change in found} == {ChangeKind.UNCHANGED}
    numbered = [NumberedRow(number, each) for number, each in enumerate(sheet, start=2)]
    over = {each.prefix: each.over for each in merge(first, numbered, kind=SheetKind.A_TO_Z, starts=NOW)}
    assert over == {"33": 1, "44": 1, "49": 1}


def test_a_row_that_is_over_on_the_sheet_ends_what_the_deck_has() -> None:
    rows, found = after(BASE, [row("44", 10, 0, NOW - DAY)], SheetKind.PARTIAL)
    assert [each.prefix for each in rows] == ["33", "4420", "49"]
    assert kinds(found)["44"] == "closed"


@pytest.mark.parametrize("offer_price", [8, 10])
def test_the_list_price_holds_again_when_an_offer_ends_also_after_a_further_sheet(offer_price: int) -> None:
    offer = row("44", offer_price, NOW - DAY, NOW + DAY)
    base = [row("33"), row("44"), offer]
    rows, _ = after(base, [row("33", 11, UNDATED)], SheetKind.PARTIAL)
    assert rows == [row("33", 11, NOW), row("44"), offer]
    again, found = after(base, base)
    assert again == base
    assert {change.kind for change in found} == {ChangeKind.UNCHANGED}
    # Where the deck knows only the offer, the list price is a row of its own beside it.
    assert after([offer], [row("44"), offer])[0] == [row("44"), offer]


def test_an_a_to_z_sheet_ends_what_it_leaves_out() -> None:
    rows, found = after(BASE, [row("44", 12, UNDATED), row("5", 1, UNDATED)])
    assert [(each.prefix, each.per_minute, each.valid_from) for each in rows] == [
        ("44", 12, NOW),
        ("5", 1, NOW),
    ]
    expected = {"33": "closed", "44": "increased", "4420": "closed", "49": "closed", "5": "new"}
    assert kinds(found) == expected


def test_a_full_country_sheet_ends_what_it_leaves_out_of_its_countries() -> None:
    sheet = [row("44", 8, UNDATED)]
    rows, found = after(BASE, sheet, SheetKind.FULL_COUNTRY, countries=["GB"])
    assert [each.prefix for each in rows] == ["33", "44", "49"]
    assert kinds(found) == {"33": "unchanged", "44": "decreased", "4420": "closed", "49": "unchanged"}


def test_countries_that_share_a_calling_code_are_told_apart() -> None:
    base = [row("1"), row("1242"), row("1876"), row("18765")]
    rows, _ = after(base, [row("1876", 8, UNDATED)], SheetKind.FULL_COUNTRY, countries=["JM"])
    assert [each.prefix for each in rows] == ["1", "1242", "1876"]


def test_a_partial_sheet_changes_what_it_lists() -> None:
    rows, found = after(BASE, [row("44", 12, UNDATED)], SheetKind.PARTIAL)
    assert [each.prefix for each in rows] == ["33", "44", "4420", "49"]
    assert kinds(found) == {"33": "unchanged", "44": "increased", "4420": "unchanged", "49": "unchanged"}


def test_what_held_holds_until_the_new_row_starts() -> None:
    later = NOW + 10 * DAY
    rows, found = after(BASE, [row("44", 12, later)], SheetKind.PARTIAL)
    assert [each for each in rows if each.prefix == "44"] == [row("44", 10, 0, later), row("44", 12, later)]
    assert kinds(found)["44"] == "increased"
    again, unchanged = after(rows, [row("44", 12, later)], SheetKind.PARTIAL)
    assert again == rows
    assert {change.kind for change in unchanged} == {ChangeKind.UNCHANGED}


def test_a_closed_row_blocks_from_its_date() -> None:
    later = NOW + 10 * DAY
    rows, found = after(BASE, [row("44", 0, later, blocked=True)], SheetKind.PARTIAL)
    assert [(each.blocked, each.valid_till) for each in rows if each.prefix == "44"] == [
        (False, later),
        (True, None),
    ]
    assert kinds(found)["44"] == "closed"


@pytest.mark.parametrize(
    ("terms", "kind"),
    [
        ({"connect_fee": 1}, "increased"),
        ({"next_per_minute": 5}, "decreased"),
        ({"first_increment_s": 60}, "changed"),
        ({"destination": "Other"}, "changed"),
        ({"surcharges": (None, None, 5, None)}, "increased"),
    ],
)
def test_every_price_of_a_row_counts_as_its_price(terms: dict[str, object], kind: str) -> None:
    _, found = after([row("44")], [row("44")._replace(**terms)])  # type: ignore[arg-type]
    assert kinds(found) == {"44": kind}


def test_increases_at_short_notice_big_changes_and_wrong_advice_are_found() -> None:
    sheet = [
        NumberedRow(2, row("33", 11, NOW + NOTICE_MICROSECONDS), Status.INCREASED),
        NumberedRow(3, row("44", 11, NOW + NOTICE_MICROSECONDS - 1), Status.UNCHANGED),
        NumberedRow(4, row("4420", 100, NOW + NOTICE_MICROSECONDS)),
        NumberedRow(5, row("49", 5, NOW)),
    ]
    told = []
    for merged in merge(BASE, sheet, kind=SheetKind.A_TO_Z, starts=NOW):
        found = changes(merged.before, merged.after, NOW)
        told += [(each.row, each.kind) for each in findings(merged, found, now=NOW, starts=NOW)]
    assert told == [
        (3, FindingKind.SHORT_NOTICE),
        (3, FindingKind.STATUS),
        (4, FindingKind.BIG_CHANGE),
    ]


@pytest.mark.parametrize(
    ("had", "has", "lost"),
    [
        ({"first_increment_s": 60, "next_increment_s": 1}, {}, ["increments"]),
        ({"connect_fee": 0}, {}, ["connect fee"]),
        ({"surcharges": (None, None, 5, None)}, {}, ["surcharges"]),
        ({"surcharges": (3, None, 5, None)}, {"surcharges": (3, None, None, None)}, ["surcharges"]),
        ({"attempt_fee": 1, "number_digits_max": 12}, {}, ["attempt fee", "bounds of a number's length"]),
        ({"connect_fee": 2}, {"connect_fee": 1}, []),
        ({}, {"connect_fee": 1}, []),
        ({"connect_fee": 2}, {"blocked": True}, []),
    ],
)
def test_a_term_that_a_row_had_and_has_no_more_is_lost(
    had: dict[str, object], has: dict[str, object], lost: list[str]
) -> None:
    _, found = after([row("44", **had)], [row("44", 9, **has)])  # type: ignore[arg-type]
    assert list(lost_terms(found)) == lost

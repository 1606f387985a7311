"""Which country may be rung back, and by which door."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from calls.policy import (
    Allowed,
    Denied,
    PolicyDirection,
    PolicyKind,
    PolicyRow,
    PolicyStatus,
    Warned,
    country_verdict,
    read_policy,
    rows_to_review,
)
from values.e164 import E164

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
PHILIPPINES = E164("639171234567")
SAUDI_ARABIA = E164("966501234567")
LONDON = E164("442079460101")
HEADER = "country_code,direction,kind,status,reason,source,source_date,review_date,reviewer"
GOOD = "+63,callback_to,ring,denied,because,somebody,2000-03-22,,"


def row(**changes: object) -> PolicyRow:
    fields: dict[str, object] = {
        "prefix": "44",
        "direction": PolicyDirection.CALLBACK_TO,
        "kind": PolicyKind.ANY,
        "status": PolicyStatus.DENIED,
        "reason": "because",
        "source": "somebody",
        "source_date": date(2020, 1, 1),
    }
    return PolicyRow(**(fields | changes))  # type: ignore[arg-type]


def shipped() -> tuple[PolicyRow, ...]:
    path = Path(__file__).parents[3] / "etc" / "country_policy.csv"
    read = read_policy(path.read_text(encoding="utf-8").splitlines())
    assert read.errors == ()
    return read.rows


@pytest.mark.parametrize("number", [PHILIPPINES, SAUDI_ARABIA])
def test_F106_a_ring_trigger_of_the_philippines_or_saudi_arabia_is_denied_with_a_reason(number: E164) -> None:
    verdict = country_verdict(shipped(), number, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT)
    assert isinstance(verdict, Denied)
    assert verdict.is_denied
    assert "is not offered" in verdict.reason


@pytest.mark.parametrize("number", [PHILIPPINES, SAUDI_ARABIA])
def test_F106_calls_to_the_philippines_and_saudi_arabia_go(number: E164) -> None:
    verdict = country_verdict(shipped(), number, PolicyDirection.TERMINATE_TO, PolicyKind.RING, AT)
    assert isinstance(verdict, Allowed)
    assert not verdict.is_denied


@pytest.mark.parametrize("kind", [PolicyKind.WEB, PolicyKind.API])
@pytest.mark.parametrize("number", [PHILIPPINES, SAUDI_ARABIA])
def test_F107_only_the_ring_is_barred_a_web_or_api_request_goes_on_with_a_warning(
    number: E164, kind: PolicyKind
) -> None:
    verdict = country_verdict(shipped(), number, PolicyDirection.CALLBACK_TO, kind, AT)
    assert isinstance(verdict, Warned)
    assert not verdict.is_denied
    assert verdict.row.status is PolicyStatus.UNKNOWN


def test_F108_every_shipped_row_has_reason_source_and_date_and_waits_for_review() -> None:
    rows = shipped()
    assert all(each.reason and each.source for each in rows)
    assert rows_to_review(rows, date(2026, 5, 4)) == rows


def test_F108_a_row_is_flagged_after_180_days() -> None:
    looked_at = row(review_date=date(2026, 1, 1))
    assert rows_to_review([looked_at], date(2026, 6, 30)) == ()
    assert rows_to_review([looked_at], date(2026, 7, 1)) == (looked_at,)


def test_without_a_row_it_is_allowed() -> None:
    assert country_verdict([], LONDON, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT) == Allowed()
    assert Allowed().reason == ""


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([row(), row(prefix="4420", status=PolicyStatus.ALLOWED)], Allowed),
        ([row(), row(kind=PolicyKind.RING, status=PolicyStatus.WARN)], Warned),
        ([row(), row(status=PolicyStatus.ALLOWED, source_date=date(2025, 1, 1))], Allowed),
        ([row(), row(status=PolicyStatus.ALLOWED, source_date=date(2026, 5, 5))], Denied),
        ([row(kind=PolicyKind.WEB)], Allowed),
        ([row(direction=PolicyDirection.TRIGGER_FROM)], Allowed),
        ([row(prefix="1")], Allowed),
    ],
    ids=[
        "longer prefix",
        "named kind",
        "later date",
        "not yet",
        "other kind",
        "other direction",
        "other country",
    ],
)
def test_the_row_that_fits_best_decides(rows: list[PolicyRow], expected: type) -> None:
    for each in (rows, rows[::-1]):
        verdict = country_verdict(each, LONDON, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT)
        assert isinstance(verdict, expected)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        country_verdict([], LONDON, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT.replace(tzinfo=None))


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (GOOD.replace("+63", "PH"), "country_code"),
        (GOOD.replace("+63", ""), "country_code"),
        (GOOD.replace("+63", "\u0666\u0663"), "country_code"),
        (GOOD.replace("callback_to", "to"), "direction"),
        (GOOD.replace("ring", "fax"), "kind"),
        (GOOD.replace("denied", "no"), "status"),
        (GOOD.replace("because", ""), "reason"),
        (GOOD.replace("somebody", " "), "source"),
        (GOOD.replace("2000-03-22", "22.03.2000"), "source_date, review_date"),
        ("+63", "direction"),
    ],
)
def test_a_bad_row_is_reported_by_line_and_column_with_a_remedy(line: str, column: str) -> None:
    read = read_policy([HEADER, GOOD, line])
    assert len(read.rows) == 1
    (error,) = read.errors
    assert (error.line, error.column) == (3, column)
    assert error.remedy


def test_the_same_row_twice_is_an_error() -> None:
    assert read_policy([HEADER, GOOD, GOOD]).errors[0].line == 3


def test_a_missing_column_is_an_error_of_the_header() -> None:
    (error,) = read_policy([HEADER.removesuffix(",reviewer"), GOOD]).errors
    assert (error.line, error.column) == (1, "reviewer")

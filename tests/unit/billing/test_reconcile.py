"""F153, R-37: a carrier's records beside ours."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from billing.carrierfile import Reading, read_carrier_calls
from billing.reconcile import CallSeen, Finding, Outcome, Tolerance, reconcile

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
NUMBER = "14155550123"


def call(
    key: str, at: float, seconds: int, cost: str = "0", *, number: str = NUMBER, counts: bool = True
) -> CallSeen:
    return CallSeen(
        key=key,
        number=number,
        at=NOON + timedelta(seconds=at),
        seconds=seconds,
        cost=Decimal(cost),
        counts=counts,
    )


def told(found: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [
        (str(each.outcome), each.ours.key if each.ours else "", each.theirs.key if each.theirs else "")
        for each in found
    ]


def test_F153_R_37_306_seconds_against_10_800_are_listed() -> None:
    (found,) = reconcile([call("leg", 0, 306, "0.4590")], [call("line 2", 1, 10_800, "16.2000")], Tolerance())
    assert found.outcome is Outcome.SECONDS_DIFFER
    assert found.excess == Decimal("15.7410")


def test_each_side_may_have_what_the_other_has_not() -> None:
    ours = [call("a", 0, 60), call("b", 1_000, 60)]
    theirs = [call("line 2", 2, 60), call("line 3", 3, 60, number="442079460101")]
    assert told(reconcile(ours, theirs, Tolerance())) == [
        ("matched", "a", "line 2"),
        ("missing here", "", "line 3"),
        ("missing there", "b", ""),
    ]


def test_equal_seconds_at_another_price_are_a_difference_of_cost() -> None:
    found = reconcile([call("a", 0, 60, "0.09")], [call("line 2", 0, 60, "0.10")], Tolerance())
    assert told(found) == [("cost differs", "a", "line 2")]
    near = Tolerance(cost=Decimal("0.01"))
    assert told(reconcile([call("a", 0, 60, "0.09")], [call("line 2", 0, 60, "0.10")], near)) == [
        ("matched", "a", "line 2")
    ]


def test_one_call_there_is_the_partner_of_one_call_here_only() -> None:
    ours = [call("a", 0, 60), call("b", 30, 60)]
    assert told(reconcile(ours, [call("line 2", 28, 60)], Tolerance())) == [
        ("missing there", "a", ""),
        ("matched", "b", "line 2"),
    ]


def test_as_many_as_possible_are_paired_though_the_nearest_would_leave_one_alone() -> None:
    # The nearest pair is (b, line 2), which would leave `a` and line 3 180 s apart, beyond the window.
    ours = [call("a", 0, 60), call("b", 100, 60)]
    theirs = [call("line 2", 90, 60), call("line 3", 180, 60)]
    assert told(reconcile(ours, theirs, Tolerance())) == [
        ("matched", "a", "line 2"),
        ("matched", "b", "line 3"),
    ]


def test_rows_may_stand_in_any_order_and_the_pairs_are_the_same() -> None:
    ours = [call(f"leg {n}", n * 40, 10 + n) for n in range(12)]
    theirs = [call(f"line {n}", n * 40 + 3, 10 + n) for n in range(12)]
    forth, back = reconcile(ours, theirs, Tolerance()), reconcile(ours[::-1], theirs[::-1], Tolerance())
    assert forth == back
    assert {each.outcome for each in forth} == {Outcome.MATCHED}
    assert all(each.ours and each.theirs and each.ours.seconds == each.theirs.seconds for each in forth)


def test_a_call_just_outside_the_range_is_a_partner_and_is_not_missed() -> None:
    ours = [call("before", -10, 60, counts=False), call("alone", -100, 60, counts=False, number="4930123456")]
    assert told(reconcile(ours, [call("line 2", 5, 60)], Tolerance())) == [("matched", "before", "line 2")]


def test_further_apart_than_the_window_is_another_call() -> None:
    found = reconcile([call("a", 0, 60)], [call("line 2", 121, 60)], Tolerance())
    assert [each.outcome for each in found] == [Outcome.MISSING_THERE, Outcome.MISSING_HERE]


def read(text: str, **terms: object) -> list[CallSeen]:
    found = read_carrier_calls(text.splitlines(), Reading(**{"columns": {}, **terms}))  # type: ignore[arg-type]
    assert not found.errors, found.errors
    return list(found.calls)


def test_a_file_with_usual_headings_is_read_without_a_mapping() -> None:
    (seen,) = read("dst,calldate,billsec,cost\n0014155550123,2026-03-02 12:00:00,306,0.4590\n")
    assert seen == call("line 2", 0, 306, "0.4590")


def test_a_mapping_a_zone_and_a_technical_prefix_are_respected() -> None:
    text = "Called,When,Len,Sum\n99#14155550123,02.03.2026 13:00:00,5:06,0.459\n"
    columns = {"number": "called", "time": "When", "seconds": "Len", "cost": "Sum"}
    (seen,) = read(text, columns=columns, zone="Europe/Berlin", strip="99#")
    assert (seen.number, seen.at, seen.seconds) == (NUMBER, NOON, 306)


def test_a_clock_that_is_ahead_is_set_back() -> None:
    text = "number,time,seconds,cost\n14155550123,2026-03-02T12:01:00Z,10,0\n"
    (seen,) = read(text, shift=timedelta(seconds=-60))
    assert seen.at == NOON


def test_half_a_second_more_is_another_second_and_unanswered_rows_are_counted() -> None:
    text = "number,time,seconds,cost\n14155550123,2026-03-02T12:00:00Z,30.5,0.1\n14155550123,1772452800,0,0\n"
    found = read_carrier_calls(text.splitlines(), Reading(columns={}))
    assert [each.seconds for each in found.calls] == [31]
    assert found.unanswered == 1


def test_what_is_not_understood_is_named_by_line_and_column() -> None:
    text = (
        "number,time,seconds,cost\n"
        "x,2026-03-02T12:00:00Z,1,0\n"
        "1415555,03/04/2026 12:00:00,1,0\n"
        "1415555,2026-03-02,1,NaN\n"
        "1415555\n"
    )
    found = read_carrier_calls(text.splitlines(), Reading(columns={}))
    assert [(each.line, each.column) for each in found.errors] == [
        (2, "number"),
        (3, "time"),  # the third of April, or the fourth of March
        (4, "cost"),
        (5, "time"),
    ]
    assert "--time-form" in found.errors[1].problem


def test_a_header_without_a_needed_column_says_which_there_are() -> None:
    found = read_carrier_calls(["a,b"], Reading(columns={"cost": "Sum"}))
    remedy = "name the right one by --column number=HEADING"
    assert found.errors[0].problem == f"no column for number; {remedy}; the header has 'a', 'b'"

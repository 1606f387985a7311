from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from billing.dunning import DAYS, LateFee, Stage, due_on, step_due

DUE = date(2026, 6, 16)
JUNE = date(2026, 5, 1)
FEE = LateFee(units=2_0000, printed_on=JUNE)


def stage_on(today: date, done: dict[Stage, date], *, fee: LateFee | None = FEE) -> Stage | None:
    step = step_due(due=DUE, today=today, done=done, fee=fee, bought_from=JUNE)
    return None if step is None else step.stage


def before(stage: Stage) -> dict[Stage, date]:
    """All stages before it, each done on its day."""
    return {each: DUE + timedelta(days=days) for each, days in DAYS.items() if days < DAYS[stage]}


def test_W26_issued_on_1_June_with_15_days_is_to_be_paid_before_16_June() -> None:
    assert due_on(date(2026, 6, 1), 15) == DUE
    assert stage_on(DUE - timedelta(days=1), {}) is None
    assert stage_on(DUE, {}) is Stage.FIRST_RESEND


def test_F147_each_stage_has_its_day() -> None:
    for stage, days in DAYS.items():
        assert stage_on(DUE + timedelta(days=days - 1), before(stage)) is None
        assert stage_on(DUE + timedelta(days=days), before(stage)) is stage
    assert (DAYS[Stage.FIRST_RESEND], DAYS[Stage.SECOND_RESEND], DAYS[Stage.THIRD_RESEND]) == (0, 7, 20)


def test_F147_a_late_fee_is_owed_only_by_who_bought_after_it_was_printed() -> None:
    late, done = DUE + timedelta(days=40), before(Stage.LATE_FEE)
    assert stage_on(late, done) is Stage.LATE_FEE
    for none in (
        None,
        LateFee(units=0, printed_on=JUNE),
        LateFee(units=1, printed_on=JUNE + timedelta(days=1)),
    ):
        assert stage_on(late, done, fee=none) is Stage.LIMIT


def test_F147_who_comes_late_takes_one_step_and_leaves_the_time_to_answer_it() -> None:
    late = DUE + timedelta(days=200)
    assert stage_on(late, {}) is Stage.FIRST_RESEND
    done = {Stage.FIRST_RESEND: late}
    assert stage_on(late + timedelta(days=6), done) is None
    assert stage_on(late + timedelta(days=7), done) is Stage.SECOND_RESEND
    done = before(Stage.CLOSE) | {Stage.SUSPEND: late}
    assert stage_on(late + timedelta(days=48), done) is None
    assert stage_on(late + timedelta(days=49), done) is Stage.CLOSE


def test_what_was_done_is_not_done_again() -> None:
    assert stage_on(DUE + timedelta(days=365), dict.fromkeys(Stage, DUE)) is None


@given(st.lists(st.integers(0, 900), max_size=20))
def test_whatever_days_it_is_looked_at_each_stage_is_taken_once_in_order_and_not_before_its_day(
    days: list[int],
) -> None:
    done: dict[Stage, date] = {}
    for day in sorted(days):
        today = DUE + timedelta(days=day)
        if stage := stage_on(today, done):
            assert stage not in done
            assert day >= DAYS[stage]
            done[stage] = today
    assert list(done) == list(Stage)[: len(done)]

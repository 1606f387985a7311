from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.dunning import DAYS, LateFee, Stage, due_on, steps_due

DUE = date(2026, 6, 16)
JUNE = date(2026, 5, 1)
FEE = LateFee(units=2_0000, printed_on=JUNE)


def stages(today: date, *, done: frozenset[Stage] = frozenset(), fee: LateFee | None = FEE) -> list[Stage]:
    return [step.stage for step in steps_due(due=DUE, today=today, done=done, fee=fee, bought_from=JUNE)]


def test_W26_issued_on_1_June_with_15_days_is_to_be_paid_before_16_June() -> None:
    assert due_on(date(2026, 6, 1), 15) == DUE
    assert stages(DUE - timedelta(days=1)) == []
    assert stages(DUE) == [Stage.FIRST_RESEND]


def test_F147_each_stage_has_its_day() -> None:
    for stage, days in DAYS.items():
        assert stage not in stages(DUE + timedelta(days=days - 1))
        assert stages(DUE + timedelta(days=days))[-1] is stage
    assert (DAYS[Stage.FIRST_RESEND], DAYS[Stage.SECOND_RESEND], DAYS[Stage.THIRD_RESEND]) == (0, 7, 20)


def test_F147_a_late_fee_is_owed_only_by_who_bought_after_it_was_printed() -> None:
    late = DUE + timedelta(days=40)
    assert Stage.LATE_FEE in stages(late)
    assert Stage.LATE_FEE not in stages(late, fee=None)
    assert Stage.LATE_FEE not in stages(late, fee=LateFee(units=0, printed_on=JUNE))
    assert Stage.LATE_FEE not in stages(late, fee=LateFee(units=1, printed_on=JUNE + timedelta(days=1)))


@pytest.mark.parametrize("stage", list(Stage))
def test_what_was_done_is_not_done_again(stage: Stage) -> None:
    assert stage not in stages(DUE + timedelta(days=365), done=frozenset({stage}))


@given(st.lists(st.integers(0, 120), max_size=20))
def test_whatever_days_it_is_looked_at_each_stage_is_taken_once_and_in_order(days: list[int]) -> None:
    done: list[Stage] = []
    for day in sorted(days):
        done += stages(DUE + timedelta(days=day), done=frozenset(done))
    assert done == [stage for stage in Stage if DAYS[stage] <= max(days, default=-1)]

"""What is remembered of a callback, and the record that is made of a finished leg."""

from dataclasses import replace

import pytest
from sample_callbacks import A1, B1, B2, T1, after_all, at, hung_up, in_state, leg_a, legs_b, rang, requested

from calls.callback import (
    DISPOSITIONS,
    ENDS,
    REASON_OF,
    OriginKind,
    Reason,
    State,
    cdr_of,
    disposition_of,
    next_leg_id,
)
from calls.cdr import Cdr, Disposition, LegRole, raw_microseconds


def test_the_ends_are_the_five_ends() -> None:
    assert {state for state in State if state.is_end} == ENDS
    assert len(ENDS) == 5


def test_F016_the_origin_of_a_callback_is_told_in_one_word() -> None:
    assert requested().origin.label == f"ring:{T1}"
    assert requested(kind=OriginKind.WEB).origin.label == "web"


def test_leg_ids_count_up_by_role_and_planned_ones_count_too() -> None:
    callback = in_state(State.DIALING_B, routes=2)
    assert next_leg_id(callback, LegRole.A) == f"{callback.id}-a2"
    assert next_leg_id(callback, LegRole.B) == f"{callback.id}-b3"


def test_a_leg_id_is_fit_for_a_channel_id_and_an_account_code() -> None:
    assert set(A1 + B1) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert len(A1) < 80  # AST_MAX_ACCOUNT_CODE


def test_a_planned_leg_is_found_but_neither_live_nor_dialled() -> None:
    callback = in_state(State.DIALING_B)
    planned = callback.leg(B2)
    assert planned is not None
    assert not planned.is_live
    assert [leg.id for leg in callback.legs_b] == [B1]


def test_a_leg_that_is_not_ours_is_not_found() -> None:
    assert in_state(State.TALKING).leg("cb99-a1") is None


@pytest.mark.parametrize(
    ("cause", "disposition"),
    [
        (1, Disposition.UNOBTAINABLE),
        (16, Disposition.CANCELLED),
        (17, Disposition.BUSY),
        (18, Disposition.NO_ANSWER),
        (19, Disposition.NO_ANSWER),
        (21, Disposition.REJECTED),
        (34, Disposition.CONGESTION),
        (0, Disposition.UNKNOWN),
        (200, Disposition.UNKNOWN),
        (None, Disposition.UNKNOWN),
    ],
)
def test_an_unanswered_leg_ended_as_its_cause_says(cause: int | None, disposition: Disposition) -> None:
    assert disposition_of(replace(leg_a(requested()), q850_cause=cause)) is disposition


@pytest.mark.parametrize("cause", [0, 16, 17, 34, 102, 127])
def test_R09_an_answered_leg_is_answered_whatever_its_cause(cause: int) -> None:
    (leg,) = legs_b(requested(), routes=1)
    assert disposition_of(replace(leg, answered_at=at(1), q850_cause=cause)) is Disposition.ANSWERED


def test_F029_an_answered_A_leg_without_a_key_is_not_accepted() -> None:
    leg = replace(leg_a(requested()), answered_at=at(1), q850_cause=16)
    assert disposition_of(leg) is Disposition.NOT_ACCEPTED
    assert disposition_of(replace(leg, accepted_at=at(2))) is Disposition.ANSWERED


def test_every_disposition_of_an_unanswered_leg_has_a_reason() -> None:
    assert {*DISPOSITIONS.values(), Disposition.NO_ANSWER, Disposition.UNKNOWN} == set(REASON_OF)
    assert set(REASON_OF.values()) <= set(Reason)


def test_a_record_is_made_of_a_leg_that_is_gone() -> None:
    ended = in_state(State.COMPLETED)
    a, b = (cdr_of(ended, leg) for leg in ended.legs)
    assert (a.role, a.answered_at, a.accepted_at, a.hung_up_at) == (LegRole.A, at(15), at(19), at(631))
    assert (b.role, b.answered_at, b.accepted_at, b.hung_up_at) == (LegRole.B, at(31), None, at(631.5))
    assert raw_microseconds(b) == 600_500_000
    assert a.pdd_milliseconds == 2000


def test_no_record_is_made_of_a_leg_that_lives_or_was_never_ordered() -> None:
    talking = in_state(State.TALKING)
    with pytest.raises(ValueError, match="has not ended"):
        cdr_of(talking, talking.legs[0])
    with pytest.raises(ValueError, match="has not ended"):
        cdr_of(talking, leg_a(talking))


def test_F049_an_unanswered_leg_lasted_nothing_though_it_rang() -> None:
    ended = after_all(in_state(State.DIALING_A), [rang(), hung_up(cause=19, seconds=53)])
    cdr = cdr_of(ended, ended.legs[0])
    assert raw_microseconds(cdr) == 0
    assert cdr.disposition is Disposition.NO_ANSWER


def test_a_record_that_would_bill_negative_time_is_refused() -> None:
    with pytest.raises(ValueError, match="lies before"):
        replace(cdr_of(ended := in_state(State.COMPLETED), ended.legs[0]), hung_up_at=at(14))


@pytest.mark.parametrize(
    ("micros", "raw"), [(0, 0), (1, 1), (29_999_999, 29_999_999), (30_000_001, 30_000_001)]
)
def test_F046_talk_time_is_exact_to_the_microsecond(micros: int, raw: int) -> None:
    ended = in_state(State.COMPLETED)
    cdr = cdr_of(ended, ended.legs[1])
    assert cdr.answered_at is not None
    cut: Cdr = replace(cdr, hung_up_at=cdr.answered_at + (at(1) - at(0)) * micros / 1_000_000)
    assert raw_microseconds(cut) == raw


def test_a_leg_that_never_rang_has_no_post_dial_delay() -> None:
    ended = after_all(in_state(State.RETRY_WAIT), [])
    assert cdr_of(ended, ended.legs[0]).pdd_milliseconds is None

"""A callback that only speaks a code."""

from dataclasses import replace
from datetime import date

import pytest
from sample_callbacks import (
    A1,
    LIMITS,
    accepted,
    after_all,
    answered,
    at,
    dial_authorised,
    dialog_ended,
    hung_up,
    keyed,
    requested,
)

from calls.admission import (
    AccountState,
    AdmissionRefusal,
    Admitted,
    Candidate,
    Refused,
    decide_verification,
)
from calls.callback import Callback, OriginKind, Reason, State
from calls.commands import Opening, RunDialog
from calls.policy import Allowed, Denied, PolicyDirection, PolicyKind, PolicyRow, PolicyStatus
from calls.transitions import IllegalEventError, step
from values.e164 import E164


def verification() -> Callback:
    plain = requested()
    return replace(plain, origin=replace(plain.origin, kind=OriginKind.VERIFY), dial_at=at(3))


def test_F070_who_answers_is_told_a_code_and_asked_for_no_number() -> None:
    first = verification()
    ringing = after_all(first, [dial_authorised(first)])
    _, commands = step(ringing, answered(), LIMITS)
    assert commands == (RunDialog(opening=Opening.SPEAK_CODE),)


def test_F070_a_code_that_was_spoken_completes_it() -> None:
    first = verification()
    story = [dial_authorised(first), answered(), accepted(), dialog_ended(Reason.CODE_SPOKEN), hung_up(A1)]
    ended = after_all(first, story)
    assert (ended.state, ended.reason) == (State.COMPLETED, Reason.CODE_SPOKEN)


def test_F070_whoever_hangs_up_meanwhile_has_left() -> None:
    first = verification()
    ended = after_all(first, [dial_authorised(first), answered(), accepted(), hung_up(A1)])
    assert (ended.state, ended.reason) == (State.ABANDONED, Reason.LEFT)


def test_F070_it_never_dials_a_destination() -> None:
    first = verification()
    collecting = after_all(first, [dial_authorised(first), answered(), accepted()])
    with pytest.raises(IllegalEventError, match="dials no destination"):
        step(collecting, keyed(), LIMITS)


NOT_THERE = PolicyRow(
    prefix="44",
    direction=PolicyDirection.CALLBACK_TO,
    kind=PolicyKind.ANY,
    status=PolicyStatus.DENIED,
    reason="not there",
    source="a law",
    source_date=date(2026, 1, 1),
)
CANDIDATE = Candidate(
    account_id="acme",
    subscriber_id="anna",
    account_state=AccountState.OPEN,
    number_a=E164.parse("+442079460101"),
    number_verified=False,
    has_live_callback=False,
    has_rate=True,
    has_credit=False,
    country=Allowed(),
)


@pytest.mark.parametrize("state", [AccountState.OPEN, AccountState.SUSPENDED])
def test_a_number_is_proven_without_credit_and_while_the_account_is_suspended(state: AccountState) -> None:
    assert decide_verification(replace(CANDIDATE, account_state=state)) == Admitted(
        candidate=replace(CANDIDATE, account_state=state)
    )


@pytest.mark.parametrize(
    ("fact", "reason"),
    [
        ({"account_state": AccountState.CLOSED}, AdmissionRefusal.ACCOUNT_CLOSED),
        ({"has_live_callback": True}, AdmissionRefusal.DUPLICATE),
        ({"has_rate": False}, AdmissionRefusal.NO_RATE),
        ({"country": Denied(row=NOT_THERE)}, AdmissionRefusal.COUNTRY_DENIED),
    ],
)
def test_what_stands_against_speaking_a_code(fact: dict[str, object], reason: AdmissionRefusal) -> None:
    decision = decide_verification(replace(CANDIDATE, **fact))  # type: ignore[arg-type]
    assert isinstance(decision, Refused)
    assert decision.reason is reason

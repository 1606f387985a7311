"""Whether a ring or a request becomes a callback: the first thing against it is named."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from sample_callbacks import N1

from calls.admission import (
    SENTENCES,
    AccountState,
    AdmissionRefusal,
    Admitted,
    Candidate,
    Refused,
    decide,
    decide_candidate,
)
from calls.policy import PolicyDirection, PolicyKind, PolicyRow, PolicyStatus, Verdict, country_verdict

AT = datetime(2026, 5, 4, 12, tzinfo=UTC)
ALLOWED = country_verdict((), N1, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT)
GOOD = Candidate(
    account_id="acc1",
    subscriber_id="sub1",
    account_state=AccountState.OPEN,
    number_a=N1,
    number_verified=True,
    has_live_callback=False,
    has_rate=True,
    has_credit=True,
    country=ALLOWED,
)


def denied() -> Verdict:
    row = PolicyRow(
        prefix="44",
        direction=PolicyDirection.CALLBACK_TO,
        kind=PolicyKind.ANY,
        status=PolicyStatus.DENIED,
        reason="because of the law",
        source="somebody",
        source_date=date(2020, 1, 1),
    )
    return country_verdict((row,), N1, PolicyDirection.CALLBACK_TO, PolicyKind.RING, AT)


def test_a_good_candidate_is_admitted() -> None:
    assert not ALLOWED.is_denied
    assert decide(did_known=True, diverted=False, candidate=GOOD) == Admitted(candidate=GOOD)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"account_state": AccountState.CLOSED}, AdmissionRefusal.ACCOUNT_CLOSED),
        ({"account_state": AccountState.SUSPENDED}, AdmissionRefusal.ACCOUNT_SUSPENDED),
        ({"number_verified": False}, AdmissionRefusal.NOT_VERIFIED),
        ({"has_live_callback": True}, AdmissionRefusal.DUPLICATE),
        ({"country": denied()}, AdmissionRefusal.COUNTRY_DENIED),
        ({"has_rate": False}, AdmissionRefusal.NO_RATE),
        ({"has_credit": False}, AdmissionRefusal.NO_CREDIT),
    ],
)
def test_F079_each_thing_that_stands_against_it_is_named(change: dict, reason: AdmissionRefusal) -> None:
    refused = decide_candidate(replace(GOOD, **change))
    assert isinstance(refused, Refused)
    assert refused.reason is reason
    assert refused.sentence.startswith(SENTENCES[reason])


def test_F014_an_unknown_caller_is_refused_and_so_is_an_unknown_DID() -> None:
    assert decide(did_known=True, diverted=False, candidate=None) == Refused(
        reason=AdmissionRefusal.UNKNOWN_CALLER
    )
    assert decide(did_known=False, diverted=False, candidate=GOOD) == Refused(
        reason=AdmissionRefusal.UNKNOWN_DID
    )


def test_T08_a_diverted_ring_is_refused_so_that_two_callback_systems_never_ring_each_other() -> None:
    assert decide(did_known=True, diverted=True, candidate=GOOD) == Refused(reason=AdmissionRefusal.DIVERTED)


def test_F010_a_second_trigger_is_a_duplicate() -> None:
    again = decide(did_known=True, diverted=False, candidate=replace(GOOD, has_live_callback=True))
    assert again == Refused(reason=AdmissionRefusal.DUPLICATE)


def test_F106_the_policys_own_reason_is_told() -> None:
    refused = decide_candidate(replace(GOOD, country=denied()))
    assert isinstance(refused, Refused)
    assert "because of the law" in refused.sentence


def test_every_refusal_has_a_sentence() -> None:
    assert set(SENTENCES) == set(AdmissionRefusal)

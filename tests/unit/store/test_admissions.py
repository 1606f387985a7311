import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from storeworld import (
    CLERK,
    FRIEND,
    LIMITS,
    NOW,
    PERSONAL_DID,
    PHONE,
    SHARED_DID,
    UNVERIFIED_PHONE,
    callback,
    seconds,
)

from calls.admission import AccountState, AdmissionRefusal, Refused
from calls.callback import Callback, OriginKind, State
from calls.policy import PolicyDirection, PolicyKind, PolicyRow, PolicyStatus
from calls.wishes import Request, Ring
from store import admissions, callbacks, customers, dids, ledger, policies
from store.database import Database
from store.dids import DIRECT, Did
from values.e164 import E164

RING = Ring(
    trigger_id="t1",
    channel_id="pbx-1.1",
    did_raw="02079460900",
    caller_number_raw="02079460101",
    caller_name_raw="A 'name' ${X}",
    is_withheld=False,
    is_diverted=False,
    trunk="east",
    ingress_country="GB",
    received_at=NOW,
)
REQUEST = Request(kind=OriginKind.API, number=PHONE, received_at=NOW, account_id="acme")


def admit(
    company: Database, callback_id: str = "cb1", stopping: bool = False, **fields: Any
) -> Callback | Refused:
    ring = replace(RING, **fields)
    return company.call(
        "admit", admissions.admit_ring, ring, callback_id=callback_id, limits=LIMITS, stopping=stopping
    )


def refusal(outcome: Callback | Refused) -> AdmissionRefusal:
    assert isinstance(outcome, Refused)
    return outcome.reason


def test_a_ring_of_a_known_caller_on_a_shared_number_becomes_a_callback(company: Database) -> None:
    made = admit(company)
    assert isinstance(made, Callback)
    assert (made.number_a, made.caller_id_a, made.subscriber_id) == (PHONE, SHARED_DID, "anna")
    assert (made.state, made.dial_at, made.plan_id) == (State.REQUESTED, None, "standard:1")
    assert made.origin.label == f"ring:{SHARED_DID}"
    assert company.read("load", callbacks.load, "cb1") == made
    (record,) = company.read("triggers", admissions.list_triggers)
    assert (record.outcome, record.callback_id, record.caller) == ("accepted", "cb1", PHONE)


def test_a_ring_is_not_announced_to_the_conductor_that_made_it(company: Database) -> None:
    admit(company)
    assert company.call("take", callbacks.take_inbox) == ()


def test_a_personal_number_needs_no_caller_number(company: Database) -> None:
    made = admit(company, did_raw=str(PERSONAL_DID), caller_number_raw="", is_withheld=True)
    assert isinstance(made, Callback)
    assert made.number_a == PHONE


def test_a_direct_number_brings_its_destination(company: Database) -> None:
    number = E164.parse("+442079460903")
    direct = Did(number=number, kind=DIRECT, subscriber_id="anna", destination=FRIEND)
    company.call("did", dids.add_did, direct, CLERK)
    made = admit(company, did_raw=str(number), caller_number_raw="")
    assert isinstance(made, Callback)
    assert made.destination == FRIEND


def test_the_chosen_number_is_rung_whichever_one_triggers(company: Database) -> None:
    company.call("verify", customers.verify_number, UNVERIFIED_PHONE, CLERK)
    company.call("choose", customers.choose_number, "anna", UNVERIFIED_PHONE, CLERK)
    made = admit(company)
    assert isinstance(made, Callback)
    assert made.number_a == UNVERIFIED_PHONE


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"did_raw": "02079460999"}, AdmissionRefusal.UNKNOWN_DID),
        ({"did_raw": "'; DROP TABLE dids"}, AdmissionRefusal.UNKNOWN_DID),
        ({"caller_number_raw": "02079460555"}, AdmissionRefusal.UNKNOWN_CALLER),
        ({"caller_number_raw": "\N{REPLACEMENT CHARACTER}&${X}"}, AdmissionRefusal.UNKNOWN_CALLER),
        ({"is_withheld": True}, AdmissionRefusal.UNKNOWN_CALLER),
        ({"caller_number_raw": "02079460102"}, AdmissionRefusal.NOT_VERIFIED),
        ({"is_diverted": True}, AdmissionRefusal.DIVERTED),
        ({"stopping": True}, AdmissionRefusal.STOPPING),
    ],
)
def test_a_ring_that_is_not_admitted_leaves_a_record_and_no_callback(
    company: Database, fields: dict[str, Any], reason: AdmissionRefusal
) -> None:
    assert refusal(admit(company, **fields)) is reason
    (record,) = company.read("triggers", admissions.list_triggers)
    assert (record.outcome, record.reason, record.callback_id) == ("refused", reason.value, "")
    assert company.read("unfinished", callbacks.unfinished) == ()


def test_an_unverified_chosen_number_is_not_rung(company: Database) -> None:
    company.call("choose", customers.choose_number, "anna", UNVERIFIED_PHONE, CLERK)
    assert refusal(admit(company)) is AdmissionRefusal.NOT_VERIFIED


def test_a_second_ring_while_a_callback_lives_is_a_duplicate(company: Database) -> None:
    admit(company)
    assert refusal(admit(company, "cb2", trigger_id="t2")) is AdmissionRefusal.DUPLICATE


def test_a_suspended_or_closed_account_is_not_rung(company: Database) -> None:
    for state, reason in (
        (AccountState.SUSPENDED, AdmissionRefusal.ACCOUNT_SUSPENDED),
        (AccountState.CLOSED, AdmissionRefusal.ACCOUNT_CLOSED),
    ):
        company.call("state", customers.set_account_state, "acme", state, CLERK)
        assert refusal(admit(company, trigger_id=state.value)) is reason


def test_an_account_without_credit_is_not_rung(company: Database) -> None:
    company.call("hold", ledger.hold, callback("cb9"), 50_0000, at=NOW)
    assert refusal(admit(company)) is AdmissionRefusal.NO_CREDIT


def test_a_number_without_a_rate_is_not_rung(company: Database) -> None:
    french = E164.parse("+33199001234")
    company.call(
        "add", customers.add_number, subscriber_id="anna", number=french, author=CLERK, verified=True
    )
    assert refusal(admit(company, caller_number_raw="+33199001234")) is AdmissionRefusal.NO_RATE


@pytest.mark.parametrize("direction", [PolicyDirection.CALLBACK_TO, PolicyDirection.TRIGGER_FROM])
def test_a_denied_country_is_not_rung_by_ring_but_by_request(
    company: Database, direction: PolicyDirection
) -> None:
    row = PolicyRow(
        prefix="44",
        direction=direction,
        kind=PolicyKind.RING,
        status=PolicyStatus.DENIED,
        reason="Not lawful there.",
        source="test",
        source_date=NOW.date() - timedelta(days=1),
    )
    company.call("policy", policies.replace_country_policy, [row], CLERK)
    outcome = admit(company)
    assert refusal(outcome) is AdmissionRefusal.COUNTRY_DENIED
    assert isinstance(outcome, Refused)
    assert outcome.detail == "Not lawful there."
    assert isinstance(ask(company), Callback)


def test_the_release_of_a_trigger_is_noted_once(company: Database) -> None:
    admit(company)
    company.call("release", admissions.note_release, "t1", seconds(2))
    company.call("release", admissions.note_release, "t1", seconds(9))
    (record,) = company.read("triggers", admissions.list_triggers)
    assert record.released_at == seconds(2)


def test_of_many_rings_at_once_one_becomes_a_callback(company: Database) -> None:
    outcomes: list[Callback | Refused] = []

    def ring(number: int) -> None:
        outcomes.append(admit(company, f"cb{number}", trigger_id=f"t{number}"))

    threads = [threading.Thread(target=ring, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([made for made in outcomes if isinstance(made, Callback)]) == 1
    assert len(company.read("triggers", admissions.list_triggers)) == 8


# requests


def ask(company: Database, **fields: Any) -> Callback | Refused:
    return company.call(
        "ask", admissions.admit_request, replace(REQUEST, **fields), callback_id="cb7", limits=LIMITS
    )


def test_a_request_is_due_at_once_and_lies_in_the_inbox(company: Database) -> None:
    made = ask(company, destination=FRIEND, reference="case 7", attempts=3, retry_gaps_seconds=(60, 300))
    assert isinstance(made, Callback)
    assert (made.dial_at, made.destination, made.attempts_max) == (NOW, FRIEND, 3)
    assert made.caller_id_a == PERSONAL_DID
    (wish,) = company.call("take", callbacks.take_inbox)
    assert wish.callback == made


def test_a_request_for_a_later_time_waits_for_it(company: Database) -> None:
    made = ask(company, dial_at=seconds(600))
    assert isinstance(made, Callback)
    assert made.dial_at == seconds(600)
    assert made.deadline_at == made.expires_at == seconds(600 + LIMITS.request_worth_seconds)


def test_a_request_rings_only_numbers_of_its_own_account(company: Database) -> None:
    assert refusal(ask(company, account_id="other")) is AdmissionRefusal.UNKNOWN_CALLER
    assert refusal(ask(company, number=FRIEND)) is AdmissionRefusal.UNKNOWN_CALLER
    assert refusal(ask(company, number=UNVERIFIED_PHONE)) is AdmissionRefusal.NOT_VERIFIED
    assert isinstance(ask(company, account_id="", kind=OriginKind.CLI), Callback)


@pytest.mark.parametrize(
    "did_raw", ["+442079460900", "442079460900", "02079460900", "00442079460900", "2079460900"]
)
@pytest.mark.parametrize("caller_raw", ["+442079460101", "442079460101", "02079460101", "00442079460101"])
def test_a_ring_is_understood_however_the_carrier_writes_both_numbers(
    company: Database, did_raw: str, caller_raw: str
) -> None:
    made = admit(company, did_raw=did_raw, caller_number_raw=caller_raw)
    assert isinstance(made, Callback)
    assert (made.origin.did, made.origin.caller_number) == (SHARED_DID, PHONE)


def test_a_foreign_caller_without_a_plus_is_the_one_who_is_registered(company: Database) -> None:
    company.call(
        "add",
        lambda c: customers.add_number(c, subscriber_id="anna", number=FRIEND, author=CLERK, verified=True),
    )
    made = admit(company, caller_number_raw=FRIEND.digits)
    assert isinstance(made, Callback)
    assert made.number_a == FRIEND


def test_a_request_for_tomorrow_does_not_make_todays_ring_a_duplicate(company: Database) -> None:
    later = replace(REQUEST, dial_at=NOW + timedelta(days=1))
    company.call("request", admissions.admit_request, later, callback_id="cb0", limits=LIMITS)
    assert isinstance(admit(company), Callback)


def test_F010_a_request_that_is_due_in_a_minute_makes_a_ring_a_duplicate(company: Database) -> None:
    soon = replace(REQUEST, dial_at=NOW + timedelta(minutes=1))
    company.call("request", admissions.admit_request, soon, callback_id="cb0", limits=LIMITS)
    assert refusal(admit(company)) is AdmissionRefusal.DUPLICATE


def test_F010_a_subscriber_is_engaged_while_another_callback_rings_or_talks(company: Database) -> None:
    waiting = callback("cb1")
    company.call("one", callbacks.insert_callback, waiting)
    assert not company.read("engaged", callbacks.is_subscriber_engaged, waiting)
    company.call("two", callbacks.insert_callback, callback("cb2", state=State.TALKING))
    assert company.read("engaged", callbacks.is_subscriber_engaged, waiting)

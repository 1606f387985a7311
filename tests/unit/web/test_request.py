"""POST /api/v1/callbacks: what is taken, what is refused and how."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from storeworld import CLERK, FRIEND, PHONE, SHARED_DID, UNVERIFIED_PHONE
from weboffice import AUTH, BODY, OTHER_PHONE, OTHER_SECRET, SECRET, Office, errors_of

from calls.admission import AccountState
from calls.callback import OriginKind, State
from store import callbacks
from store.apikeys import revoke_api_key
from store.customers import Subscriber, account, add_subscriber, change_account, set_account_state
from store.database import Connection


def test_F003_a_request_as_json_is_a_callback_of_origin_web(office: Office) -> None:
    answer = office.ask({"number": str(PHONE), "destination": "+1 415 555 0123"})
    assert answer.status_code == 202
    [made] = office.callbacks()
    assert made.origin.kind is OriginKind.WEB
    assert made.state is State.REQUESTED
    assert (made.number_a, made.destination) == (PHONE, FRIEND)
    assert made.dial_at == office.now


def test_F003_a_plain_form_says_the_same_as_json(office: Office) -> None:
    form = {
        "number": str(PHONE),
        "destination": "0044 20 7946 0555",
        "attempts": "3",
        "gaps": "60,300",
        "reference": "ABC",
        "topic": "rénovation",
        "tag": "",
    }
    answer = office.client.post("/api/v1/callbacks", data=form, headers=AUTH)
    assert answer.status_code == 202
    [made] = office.callbacks()
    assert (made.attempts_max, made.retry_gaps_seconds) == (3, (60, 300))
    assert (made.origin.topic, made.origin.tag) == ("rénovation", "")
    assert str(made.destination) == "+442079460555"


def test_F004_the_answer_comes_at_once_with_where_to_ask_on(office: Office) -> None:
    answer = office.ask()
    body = answer.get_json()
    assert answer.status_code == 202
    assert body["state"] == "requested"
    assert answer.headers["Location"] == body["status_url"] == f"/api/v1/callbacks/{body['id']}"
    assert office.notices == 1, "the conductor is told, so that it need not look by itself"


def test_F005_F006_one_id_and_the_senders_reference_everywhere(office: Office) -> None:
    body = office.ask({**BODY, "reference": "ABC"}).get_json()
    status = office.show(body["id"]).get_json()
    [stored] = office.callbacks()
    assert body["id"] == status["id"] == stored.id
    assert body["reference"] == status["reference"] == stored.origin.reference == "ABC"


@pytest.mark.parametrize(
    "spelling",
    ["+44 20 7946 0101", "0044 20 7946 0101", "+44(0)20 7946 0101", "020 7946 0101", "(020) 7946-0101"],
)
def test_F007_every_usual_spelling_is_the_one_number(office: Office, spelling: str) -> None:
    assert office.ask({"number": spelling}).status_code == 202
    assert office.callbacks()[0].number_a == PHONE


def test_F007_a_national_number_of_no_known_country_is_refused_and_the_form_named(office: Office) -> None:
    def move_in(connection: Connection) -> None:
        paul = Subscriber(id="paul", account_id="acme", name="Paul", home_country="FR")
        add_subscriber(connection, paul, CLERK)

    office.database.call("add", move_in)
    answer = office.ask({"number": "020 7946 0999"})
    assert answer.status_code == 422
    assert "country code" in errors_of(answer)["number"]
    assert office.ask({"number": "020 7946 0101"}).status_code == 202, "Anna's country tells, for it is hers"


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        ("+4420", "too long or too short"),
        ("abc", "Only digits"),
        ("+44 909 879 0123", "Premium-rate"),
        ("112", "Emergency"),
        ("٠٢٠٧٩٤٦٠١٠١", "Only digits"),
        ("+44207946\x000101", "Only digits"),
        ("\ud800", "Only digits"),
        ("0" * 65, "at most 64"),
    ],
)
def test_F008_a_number_that_cannot_be_dialled_is_refused_by_name(
    office: Office, number: str, remedy: str
) -> None:
    answer = office.ask({"number": number})
    assert answer.status_code == 422
    assert remedy in errors_of(answer)["number"]
    assert office.callbacks() == ()


def test_F008_every_field_at_fault_is_named_at_once(office: Office) -> None:
    answer = office.ask({"number": "abc", "destination": "+4420"})
    assert set(errors_of(answer)) == {"number", "destination"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", None),
        ("number", 442079460101),
        ("number", ["+442079460101"]),
        ("destination", {"a": 1}),
        ("destination", str(SHARED_DID)),
        ("at", "tomorrow"),
        ("at", "2026-03-03T09:00:00"),
        ("at", "2026-03-02T08:59:59Z"),
        ("at", "2027-03-02T09:00:00Z"),
        ("at", "0001-01-01T00:00:00+23:00"),
        ("at", 5),
        ("attempts", 0),
        ("attempts", 6),
        ("attempts", True),
        ("attempts", 1.0),
        ("attempts", "²"),
        ("gaps", [60]),
        ("gaps", "60"),
        ("gaps", "sixty"),
        ("gaps", [[60]]),
        ("gaps", {"1": 60}),
        ("reference", "x" * 129),
        ("reference", "a\r\nSet-Cookie: b"),
        ("reference", "a\x00b"),
        ("reference", "\ud800"),
        ("topic", 5),
        ("tag", "\u202e"),
        ("numbre", "x"),
        ("a\nb", "x"),
    ],
)
def test_a_field_that_cannot_be_meant_is_refused_by_name_and_nothing_is_done(
    office: Office, field: str, value: Any
) -> None:
    answer = office.ask({**BODY, field: value})
    assert answer.status_code == 422
    assert set(errors_of(answer)) == {field.replace("\n", "\\n")}
    assert office.callbacks() == ()
    assert office.notices == 0


def test_gaps_that_do_not_fit_between_the_attempts_are_refused(office: Office) -> None:
    assert "gaps" in errors_of(office.ask({**BODY, "attempts": 2, "gaps": [60, 300]}))
    assert office.ask({**BODY, "attempts": 3, "gaps": [60]}).status_code == 202


def test_an_unencoded_plus_in_a_form_is_pointed_out_and_not_guessed(office: Office) -> None:
    answer = office.client.post(
        "/api/v1/callbacks",
        data="number=+442079460101",
        content_type="application/x-www-form-urlencoded",
        headers=AUTH,
    )
    assert "%2B" in errors_of(answer)["number"]


def test_a_time_ahead_is_kept_in_utc(office: Office) -> None:
    assert office.ask({**BODY, "at": "2026-03-02T11:30:00+02:00"}).status_code == 202
    [made] = office.callbacks()
    assert made.dial_at == office.now + timedelta(minutes=30)


# whose number


@pytest.mark.parametrize("number", ["+44 20 7946 0777", str(OTHER_PHONE)])
def test_a_number_of_nobody_and_one_of_another_account_are_refused_alike(office: Office, number: str) -> None:
    answer = office.ask({"number": number})
    assert answer.status_code == 422
    [error] = answer.get_json()["errors"]
    assert (error["field"], error["problem"]) == ("number", "it is not registered with your account")


def test_a_number_that_is_not_verified_is_refused(office: Office) -> None:
    answer = office.ask({"number": str(UNVERIFIED_PHONE)})
    assert answer.status_code == 422
    assert answer.get_json()["type"] == "urn:dialback:problem:not_verified"


# policy and money


def test_a_second_live_callback_of_a_subscriber_is_a_conflict(office: Office) -> None:
    assert office.ask().status_code == 202
    answer = office.ask()
    assert answer.status_code == 409
    assert answer.get_json()["type"] == "urn:dialback:problem:duplicate"


@pytest.mark.parametrize("state", [AccountState.SUSPENDED, AccountState.CLOSED])
def test_an_account_that_may_not_call_is_refused_by_policy(office: Office, state: AccountState) -> None:
    office.database.call("suspend", set_account_state, "acme", state, CLERK)
    assert office.ask().status_code == 403


def test_without_credit_payment_is_asked_for(office: Office) -> None:
    def take_credit(connection: Connection) -> None:
        change_account(connection, replace(account(connection, "acme"), credit_limit_units=0), CLERK)

    office.database.call("no credit", take_credit)
    answer = office.ask()
    assert answer.status_code == 402
    assert answer.get_json()["type"] == "urn:dialback:problem:no_credit"


def test_the_stopping_switch_asks_to_try_again(office: Office) -> None:
    office.is_stopping = True
    answer = office.ask()
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert office.callbacks() == ()


# keys


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {SECRET}x"},
        {"Authorization": f"Basic {SECRET}"},
        {"Authorization": SECRET},
        {"X-API-Key": "key1"},
        {"X-API-Key": "ü" * 30},
        {"Authorization": f"Bearer {SECRET}", "X-API-Key": OTHER_SECRET},
    ],
)
def test_F160_without_a_valid_key_there_is_no_call_and_no_hint(
    office: Office, headers: dict[str, str]
) -> None:
    answers = [
        office.client.post("/api/v1/callbacks", json=BODY, headers=headers),
        office.client.get("/api/v1/callbacks/cb1", headers=headers),
        office.client.delete("/api/v1/callbacks/cb1", headers=headers),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.data for answer in answers}) == 1
    assert answers[0].headers["WWW-Authenticate"].startswith("Bearer")
    assert office.callbacks() == ()


def test_F160_a_revoked_key_opens_nothing(office: Office) -> None:
    office.database.call("revoke", revoke_api_key, "key1", CLERK)
    assert office.ask().status_code == 401


def test_F160_the_same_key_ten_times_is_one_callback(office: Office) -> None:
    answers = [office.ask(Idempotency_Key="order 7") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.data for answer in answers}) == 1
    assert len({answer.headers["Location"] for answer in answers}) == 1
    assert len(office.callbacks()) == 1
    assert office.notices == 1


def test_F160_the_same_key_ten_times_at_once_is_one_callback(office: Office) -> None:
    answers = []

    def ask() -> None:
        answers.append(office.ask(Idempotency_Key="order 7"))

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [202] * 10
    assert len({answer.data for answer in answers}) == 1
    assert len(office.callbacks()) == 1


def test_F160_the_same_key_with_another_body_is_a_conflict(office: Office) -> None:
    assert office.ask(Idempotency_Key="7").status_code == 202
    answer = office.ask({**BODY, "reference": "another"}, Idempotency_Key="7")
    assert answer.status_code == 409
    assert "Idempotency-Key" in errors_of(answer)
    assert len(office.callbacks()) == 1


def test_F160_a_repeat_is_recognised_in_another_form_and_after_its_time(office: Office) -> None:
    body = {**BODY, "at": "2026-03-02T09:10:00Z", "attempts": 2, "gaps": [90]}
    first = office.ask(body, Idempotency_Key="7")
    office.now += timedelta(hours=1)
    form = {**body, "attempts": "2", "gaps": "90", "tag": ""}
    again = office.client.post("/api/v1/callbacks", data=form, headers={**AUTH, "Idempotency-Key": "7"})
    assert (again.status_code, again.data) == (202, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_F160_a_refused_request_leaves_its_key_free(office: Office) -> None:
    office.database.call("suspend", set_account_state, "acme", AccountState.SUSPENDED, CLERK)
    assert office.ask(Idempotency_Key="7").status_code == 403
    office.database.call("resume", set_account_state, "acme", AccountState.OPEN, CLERK)
    assert office.ask(Idempotency_Key="7").status_code == 202


def test_F160_keys_of_two_accounts_do_not_meet(office: Office) -> None:
    assert office.ask(Idempotency_Key="7").status_code == 202
    other = {"X-API-Key": OTHER_SECRET, "Idempotency-Key": "7"}
    answer = office.client.post("/api/v1/callbacks", json={"number": str(OTHER_PHONE)}, headers=other)
    assert answer.status_code == 202
    assert len(office.callbacks()) == 2


@pytest.mark.parametrize("key", ["", "x" * 129, "ü", "a\tb"])
def test_an_idempotency_key_that_is_not_plain_is_refused(office: Office, key: str) -> None:
    answer = office.ask(Idempotency_Key=key)
    assert answer.status_code == 422
    assert "Idempotency-Key" in errors_of(answer)


def test_F012_what_was_accepted_is_committed_when_it_is_answered(office: Office) -> None:
    callback_id = office.ask().get_json()["id"]
    [wish] = office.database.call("take", callbacks.take_inbox)
    assert (wish.callback.id, wish.is_cancel) == (callback_id, False)
    assert [each.id for each in office.database.read("unfinished", callbacks.unfinished)] == [callback_id]


def test_F016_the_origin_is_shown(office: Office) -> None:
    body = office.ask().get_json()
    assert body["origin"] == office.show(body["id"]).get_json()["origin"] == "web"


def test_F160_no_secret_comes_into_the_log(office: Office) -> None:
    office.ask({**BODY, "reference": "confidential"})
    office.client.get("/no/such\npath", headers={"X-API-Key": "dbk_wrong-secret-000000000"})
    lines = repr(office.log.entries)
    assert "web.request" in lines
    assert not any(word in lines for word in (SECRET, "wrong-secret", "confidential", "such"))
    assert office.log.entries[0]["status"] == 202
    assert office.log.entries[0]["account"] == "acme"

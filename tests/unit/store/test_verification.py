"""A number is proven by a spoken code: one use, ten minutes, three tries, few orders."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, select, text
from storeworld import CLERK, LIMITS, NOW, PHONE, UNVERIFIED_PHONE, advance, callback, seconds

from calls import events
from calls.admission import AccountState, AdmissionRefusal, Refused
from store import callbacks, customers, verification
from store.audit import Author
from store.database import Database
from store.errors import NotFound
from store.numbers import RegisteredNumber
from store.schema import audit_log
from store.verification import CodeRefused, OrderedCode
from values.e164 import E164
from values.spokencode import spoken_code

SECRET = b"a secret of sixteen and more characters"


def code_of(callback_id: str) -> str:
    return spoken_code(SECRET, callback_id)


def wrong(callback_id: str) -> str:
    return f"{(int(code_of(callback_id)) + 1) % 10**7:07d}"


def clerk(at: datetime = NOW) -> Author:
    return Author(at=at, name="clerk", reason="")


def order(company: Database, number: int, at: datetime = NOW, phone: E164 = UNVERIFIED_PHONE) -> Any:
    """Order a code, and let the call end at once: one is under way at a time."""
    made = company.call(
        "order", verification.order_code, phone, callback_id=f"cb{number}", limits=LIMITS, author=clerk(at)
    )
    if isinstance(made, OrderedCode):
        company.call("end", advance, made.callback, events.Cancelled(at=at, by="test"))
    return made


def tell(company: Database, code: str, at: datetime = NOW, phone: E164 = UNVERIFIED_PHONE) -> Any:
    return company.call(
        "confirm", verification.confirm_number, phone, code, code_of=code_of, author=clerk(at)
    )


def test_F070_the_code_that_was_spoken_verifies_the_number_once(company: Database) -> None:
    made = order(company, 1)
    assert made.expires_at == NOW + timedelta(minutes=10)
    assert made.callback.plan_id == "standard:1+free"
    known = tell(company, f" {code_of('cb1')} ", seconds(60))
    assert isinstance(known, RegisteredNumber)
    assert (known.verified_at, known.verified_by) == (seconds(60), "code")
    assert isinstance(tell(company, code_of("cb1"), seconds(61)), CodeRefused)


def test_F070_ordering_telling_and_failing_are_in_the_audit_log_and_the_code_is_not(
    company: Database,
) -> None:
    order(company, 1)
    tell(company, wrong("cb1"))
    tell(company, code_of("cb1"))

    def log(connection: Connection) -> list[Any]:
        return list(connection.execute(select(audit_log).order_by(audit_log.c.id)))

    rows = [row for row in company.read("log", log) if row.action.startswith("number.") and row.at == NOW]
    assert [row.action for row in rows] == ["number.code", "number.wrong_code", "number.verify"]
    assert all(row.actor == "clerk" for row in rows)
    assert not any(code_of("cb1") in row.after + row.before for row in rows)


def test_three_wrong_tries_spend_a_code(company: Database) -> None:
    order(company, 1)
    assert [tell(company, wrong("cb1")).tries_left for _ in range(3)] == [2, 1, 0]
    refused = tell(company, code_of("cb1"))
    assert isinstance(refused, CodeRefused)
    assert "order a call" in refused.sentence


@pytest.mark.parametrize("said", ["", "1", "code", "\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "0" * 5_000])
def test_what_is_no_code_at_all_is_a_wrong_try(company: Database, said: str) -> None:
    order(company, 1)
    assert tell(company, said).tries_left == 2


def test_a_code_lives_ten_minutes(company: Database) -> None:
    order(company, 1)
    late = tell(company, code_of("cb1"), NOW + timedelta(minutes=10))
    assert isinstance(late, CodeRefused)
    order(company, 2, NOW + timedelta(minutes=11))
    in_time = NOW + timedelta(minutes=21) - timedelta(microseconds=1)
    assert isinstance(tell(company, code_of("cb2"), in_time), RegisteredNumber)


def test_the_next_code_voids_the_one_before(company: Database) -> None:
    order(company, 1)
    order(company, 2, seconds(60))
    assert isinstance(tell(company, code_of("cb1"), seconds(61)), CodeRefused)
    assert isinstance(tell(company, code_of("cb2"), seconds(61)), RegisteredNumber)


def test_a_telephone_does_not_ring_all_night(company: Database) -> None:
    assert isinstance(order(company, 1), OrderedCode)
    assert order(company, 2, seconds(59)) == Refused(reason=AdmissionRefusal.TOO_MANY_CODES)
    for number in range(2, 6):
        assert isinstance(order(company, number, seconds(3600 * number)), OrderedCode)
    assert order(company, 6, seconds(3600 * 6)) == Refused(reason=AdmissionRefusal.TOO_MANY_CODES)
    assert isinstance(order(company, 7, NOW + timedelta(days=1, seconds=1)), OrderedCode)


def test_one_call_at_a_time(company: Database) -> None:
    company.call("live", callbacks.insert_callback, callback(), announce=False)
    assert order(company, 1) == Refused(reason=AdmissionRefusal.DUPLICATE)


def test_suspended_accounts_keep_self_care_and_closed_ones_have_none(company: Database) -> None:
    company.call("suspend", customers.set_account_state, "acme", AccountState.SUSPENDED, CLERK)
    assert isinstance(order(company, 1), OrderedCode)
    assert isinstance(tell(company, code_of("cb1")), RegisteredNumber)
    company.call("close", customers.set_account_state, "acme", AccountState.CLOSED, CLERK)
    assert order(company, 2, seconds(60)) == Refused(reason=AdmissionRefusal.ACCOUNT_CLOSED)


def test_a_code_spoken_for_one_subscriber_proves_nothing_for_another(company: Database) -> None:
    order(company, 1)
    company.call("remove", customers.remove_number, UNVERIFIED_PHONE, clerk())
    ben = customers.Subscriber(id="ben", account_id="acme", name="Ben", home_country="GB")
    company.call("add", customers.add_subscriber, ben, clerk())
    company.call(
        "register", customers.add_number, subscriber_id="ben", number=UNVERIFIED_PHONE, author=clerk()
    )
    assert isinstance(tell(company, code_of("cb1")), CodeRefused)


def test_a_number_that_nobody_has_is_not_rung(company: Database) -> None:
    stranger = E164.parse("+442079460777")
    with pytest.raises(NotFound):
        order(company, 1, phone=stranger)
    with pytest.raises(NotFound):
        tell(company, "1234567", phone=stranger)


def test_the_code_is_in_no_table(company: Database) -> None:
    order(company, 1, phone=PHONE)

    def dump(connection: Connection) -> str:
        tables = [table.name for table in audit_log.metadata.sorted_tables]
        rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
        return repr(rows)

    assert code_of("cb1") not in company.read("dump", dump)

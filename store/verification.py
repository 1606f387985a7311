"""Proof that a number is its subscriber's: a call speaks a code there, and somebody tells us the code.

Reads: numbers, `number_codes`, the facts on which admission decides.
Gives: the callback that speaks, or Refused; the verified number, or CodeRefused.
Knows nothing of: the code itself (values/spokencode.py makes it from the callback's id), how it is spoken.

A code lives ten minutes, is used once, bears three tries, and is replaced by the next one. Orders are
counted: a telephone must not ring all night because somebody types a stranger's number.
"""

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from calls.admission import AdmissionRefusal, Refused, decide_verification
from calls.callback import Callback, Origin, OriginKind, State
from calls.limits import Limits
from calls.policy import PolicyKind
from store.audit import Author, note
from store.callbacks import insert_callback
from store.candidates import Applicant, for_request, trigger_number_for
from store.customertables import number_codes
from store.errors import NotFound
from store.numbers import RegisteredNumber, registered_number, verify_number
from store.plans import FREE_A_LEG
from store.schema import accounts, callbacks
from values.e164 import E164

CODE_LIFE = timedelta(minutes=10)
TRIES = 3
BETWEEN_ORDERS = timedelta(seconds=60)
COUNTED = timedelta(days=1)
ORDERS_OF_NUMBER_MAX = 5
ORDERS_OF_ACCOUNT_MAX = 30

OPEN, USED, SPENT, REPLACED = "open", "used", "spent", "replaced"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedCode:
    """A call is made ready that speaks a code; until `expires_at` it may be told."""

    callback: Callback
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRefused:
    """The code was not taken; the try is counted."""

    sentence: str
    tries_left: int = 0


def order_code(
    connection: Connection, number: E164, *, callback_id: str, limits: Limits, author: Author
) -> OrderedCode | Refused:
    """Make ready the call that speaks a code to a registered number; an earlier code of it is void.

    NotFound if the number is registered with nobody.
    """
    applicant = for_request(connection, number=number, account_id="", kind=PolicyKind.ANY, at=author.at)
    if applicant is None:
        raise NotFound("number", f"{number} is not registered", "add it with `dialback number add`")
    decision = decide_verification(applicant.candidate)
    if isinstance(decision, Refused):
        return decision
    account_id = applicant.candidate.account_id
    # Two orders at once must count each other.
    connection.execute(select(accounts.c.id).where(accounts.c.id == account_id).with_for_update())
    if _has_had_enough(connection, number, account_id, author.at):
        return Refused(reason=AdmissionRefusal.TOO_MANY_CODES)
    shown = trigger_number_for(connection, applicant.candidate.subscriber_id, number)
    made = _callback(applicant, callback_id, limits, shown, author.at)
    insert_callback(connection, made)
    is_open = (number_codes.c.number == str(number)) & (number_codes.c.state == OPEN)
    connection.execute(update(number_codes).where(is_open).values(state=REPLACED))
    expires_at = author.at + CODE_LIFE
    row = {"callback_id": made.id, "number": str(number), "account_id": account_id, "made_at": author.at}
    more = {"expires_at": expires_at, "tries_left": TRIES, "state": OPEN, "made_by": author.name}
    connection.execute(insert(number_codes), row | more)
    note(
        connection,
        author,
        "number.code",
        made.subscriber_id,
        after={"number": number, "callback": made.id, "expires_at": expires_at},
    )
    return OrderedCode(callback=made, expires_at=expires_at)


def confirm_number(
    connection: Connection, number: E164, code: str, *, code_of: Callable[[str], str], author: Author
) -> RegisteredNumber | CodeRefused:
    """Take what somebody says the call spoke. `code_of` gives the code of a callback.

    A value and no exception says no: a try that failed must be written down.
    """
    known = registered_number(connection, number)
    row = _open_code(connection, number, known.subscriber_id)
    if row is None or row["expires_at"] <= author.at:
        if row is not None:
            _save(connection, row, state=SPENT, tries_left=row["tries_left"])
        return CodeRefused(sentence="No code is open for this number; order a call.")
    if hmac.compare_digest(code.strip().encode(), code_of(row["callback_id"]).encode()):
        _save(connection, row, state=USED, tries_left=row["tries_left"])
        return verify_number(connection, number, author, by="code")
    left = row["tries_left"] - 1
    _save(connection, row, state=OPEN if left else SPENT, tries_left=left)
    note(connection, author, "number.wrong_code", known.subscriber_id, after={"number": number, "left": left})
    remedy = f"{left} more may be tried." if left else "Order another call."
    return CodeRefused(sentence=f"That is not the code. {remedy}", tries_left=left)


def _has_had_enough(connection: Connection, number: E164, account_id: str, at: datetime) -> bool:
    recent = select(func.count(), func.max(number_codes.c.made_at)).where(
        number_codes.c.made_at > at - COUNTED
    )
    of_number = connection.execute(recent.where(number_codes.c.number == str(number))).one()
    of_account = connection.execute(recent.where(number_codes.c.account_id == account_id)).one()
    last: datetime | None = of_number[1]
    return (
        of_number[0] >= ORDERS_OF_NUMBER_MAX
        or of_account[0] >= ORDERS_OF_ACCOUNT_MAX
        or (last is not None and last > at - BETWEEN_ORDERS)
    )


def _open_code(connection: Connection, number: E164, subscriber_id: str) -> RowMapping | None:
    """The newest code, if it was spoken for this subscriber; the row is locked against a second teller."""
    wanted = (
        select(number_codes)
        .join(callbacks, callbacks.c.id == number_codes.c.callback_id)
        .where(number_codes.c.number == str(number), number_codes.c.state == OPEN)
        .where(callbacks.c.subscriber_id == subscriber_id)
        .with_for_update(of=number_codes)
    )
    return connection.execute(wanted).mappings().first()


def _save(connection: Connection, row: RowMapping, *, state: str, tries_left: int) -> None:
    this = number_codes.c.callback_id == row["callback_id"]
    connection.execute(update(number_codes).where(this).values(state=state, tries_left=tries_left))


def _callback(
    applicant: Applicant, callback_id: str, limits: Limits, shown: E164 | None, at: datetime
) -> Callback:
    expires_at = at + timedelta(seconds=limits.request_worth_seconds)
    return Callback(
        id=callback_id,
        state=State.REQUESTED,
        account_id=applicant.candidate.account_id,
        subscriber_id=applicant.candidate.subscriber_id,
        plan_id=f"{applicant.plan.id}{FREE_A_LEG}",
        currency=applicant.currency,
        origin=Origin(kind=OriginKind.VERIFY, received_at=at),
        number_a=applicant.candidate.number_a,
        caller_id_a=shown,
        created_at=at,
        expires_at=expires_at,
        deadline_at=expires_at,
        dial_at=at,
        home_country=applicant.home_country,
        language=applicant.language,
    )

"""A wish becomes a row: every ring leaves a record, and an admitted wish a callback, in one transaction.

Reads: calls.wishes as they came in; the facts of store/candidates.py.
Gives: the new Callback, or calls.admission.Refused.
Knows nothing of: who is admitted (calls/admission.py), AGI, HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, insert, select, update

from calls.admission import AdmissionRefusal, Admitted, Refused, decide, decide_candidate
from calls.callback import Callback, Origin, OriginKind, State
from calls.limits import Limits
from calls.policy import PolicyKind
from calls.wishes import Request, Ring
from store.callbacks import insert_callback
from store.candidates import Applicant, for_request, for_ring, trigger_number_for
from store.columns import UtcMicros
from store.schema import triggers
from values.e164 import E164, NumberRefused, normalise
from values.masked import stored_number

ACCEPTED, REFUSED = "accepted", "refused"
POLICY_KINDS: Mapping[OriginKind, PolicyKind] = {
    OriginKind.RING: PolicyKind.RING,
    OriginKind.WEB: PolicyKind.WEB,
    OriginKind.API: PolicyKind.API,
    # Staff at the command line act for nobody in particular: only rows for every door bind them.
    OriginKind.CLI: PolicyKind.ANY,
    OriginKind.VERIFY: PolicyKind.ANY,
}


def admit_ring(
    connection: Connection, ring: Ring, *, callback_id: str, limits: Limits, stopping: bool = False
) -> Callback | Refused:
    """Write the ring down, and the callback it leads to; the conductor follows it."""
    facts = for_ring(
        connection,
        dids=_readings(ring.did_raw, ring.ingress_country),
        callers=() if ring.is_withheld else _readings(ring.caller_number_raw, ring.ingress_country),
        at=ring.received_at,
    )
    did, caller = facts.did_number, facts.caller
    applicant = facts.applicant
    decision = decide(
        did_known=facts.did is not None,
        diverted=ring.is_diverted,
        candidate=applicant.candidate if applicant is not None else None,
    )
    if stopping and isinstance(decision, Admitted):
        decision = Refused(reason=AdmissionRefusal.STOPPING)
    made: Callback | Refused
    if isinstance(decision, Refused):
        made = decision
    else:
        assert applicant is not None
        origin = Origin(
            kind=OriginKind.RING,
            received_at=ring.received_at,
            did=did,
            trunk=ring.trunk,
            caller_number_raw=ring.caller_number_raw,
            caller_number=caller,
            trigger_id=ring.trigger_id,
        )
        made = _callback_of_ring(ring, origin, applicant, callback_id, limits)
        insert_callback(connection, made, announce=False)
    connection.execute(INSERT, _trigger_values(ring, did, caller, applicant, made))
    return made


def note_release(connection: Connection, trigger_id: str, at: datetime) -> None:
    """Write down that the trigger's line is free."""
    connection.execute(RELEASE, {"trigger_id": trigger_id, "at": at})


def admit_request(
    connection: Connection, request: Request, *, callback_id: str, limits: Limits, announce: bool = True
) -> Callback | Refused:
    """Write the callback of a request; with `announce` the conductor finds it in its inbox."""
    applicant = for_request(
        connection,
        number=request.number,
        account_id=request.account_id,
        kind=POLICY_KINDS[request.kind],
        at=request.received_at,
    )
    if applicant is None:
        return Refused(reason=AdmissionRefusal.UNKNOWN_CALLER)
    decision = decide_candidate(applicant.candidate)
    if isinstance(decision, Refused):
        return decision
    shown = trigger_number_for(connection, applicant.candidate.subscriber_id, request.number)
    made = _callback_of_request(request, applicant, callback_id, limits, shown)
    insert_callback(connection, made, announce=announce)
    return made


@dataclass(frozen=True, slots=True, kw_only=True)
class TriggerRecord:
    """A ring as it was written down; `reason` is empty for an accepted one."""

    id: str
    received_at: datetime
    released_at: datetime | None
    did_raw: str
    caller_raw: str
    caller: E164 | None
    trunk: str
    outcome: str
    reason: str
    account_id: str
    callback_id: str


def list_triggers(connection: Connection, *, last: int = 100) -> tuple[TriggerRecord, ...]:
    """The latest rings, the oldest of them first."""
    newest = select(triggers).order_by(triggers.c.received_at.desc(), triggers.c.id.desc()).limit(last)
    return tuple(reversed([_record_of(row) for row in connection.execute(newest).mappings()]))


INSERT = insert(triggers)
RELEASE = (
    update(triggers)
    .where(triggers.c.id == bindparam("trigger_id"), triggers.c.released_at.is_(None))
    .values(released_at=bindparam("at", type_=UtcMicros()))
)


def _readings(text: str, country: str) -> tuple[E164, ...]:
    """What a carrier may mean: the number as its country's network writes it, or E.164 without its plus."""
    found: list[E164] = []
    for written in (text, f"+{text.lstrip('+')}"):
        try:
            found.append(normalise(written, home_country=country or None, ingress_country=country or None))
        except NumberRefused:
            continue
    return tuple(dict.fromkeys(found))


def _callback_of_ring(
    ring: Ring, origin: Origin, applicant: Applicant, callback_id: str, limits: Limits
) -> Callback:
    ringing = timedelta(seconds=limits.trigger_ring_seconds + limits.settle_seconds)
    worth = timedelta(seconds=limits.request_worth_seconds)
    return Callback(
        id=callback_id,
        state=State.REQUESTED,
        account_id=applicant.candidate.account_id,
        subscriber_id=applicant.candidate.subscriber_id,
        plan_id=applicant.plan.id,
        currency=applicant.currency,
        origin=origin,
        number_a=applicant.candidate.number_a,
        caller_id_a=origin.did,
        created_at=ring.received_at,
        expires_at=ring.received_at + worth,
        deadline_at=ring.received_at + ringing,
        home_country=applicant.home_country,
        language=applicant.language,
        destination=applicant.destination,
        follow_on_key=applicant.plan.follow_on_key,
        in_call_key=applicant.plan.in_call_key,
    )


def _callback_of_request(
    request: Request, applicant: Applicant, callback_id: str, limits: Limits, shown: E164 | None
) -> Callback:
    origin = Origin(
        kind=request.kind,
        received_at=request.received_at,
        idempotency_key=request.idempotency_key,
        reference=request.reference,
        topic=request.topic,
        tag=request.tag,
        remote_address=request.remote_address,
    )
    dial_at = request.dial_at or request.received_at
    expires_at = dial_at + timedelta(seconds=limits.request_worth_seconds)
    return Callback(
        id=callback_id,
        state=State.REQUESTED,
        account_id=applicant.candidate.account_id,
        subscriber_id=applicant.candidate.subscriber_id,
        plan_id=applicant.plan.id,
        currency=applicant.currency,
        origin=origin,
        number_a=request.number,
        caller_id_a=shown,
        created_at=request.received_at,
        expires_at=expires_at,
        deadline_at=expires_at,
        dial_at=dial_at,
        home_country=applicant.home_country,
        language=applicant.language,
        destination=request.destination,
        attempts_max=request.attempts,
        retry_gaps_seconds=request.retry_gaps_seconds,
        follow_on_key=applicant.plan.follow_on_key,
        in_call_key=applicant.plan.in_call_key,
    )


def _trigger_values(
    ring: Ring, did: E164 | None, caller: E164 | None, applicant: Applicant | None, made: Callback | Refused
) -> dict[str, object]:
    return {
        "id": ring.trigger_id,
        "received_at": ring.received_at,
        "channel_id": ring.channel_id,
        "did_raw": ring.did_raw,
        "did": None if did is None else str(did),
        "caller_raw": ring.caller_number_raw,
        "caller_name_raw": ring.caller_name_raw,
        "caller": None if caller is None else str(caller),
        "trunk": ring.trunk,
        "outcome": REFUSED if isinstance(made, Refused) else ACCEPTED,
        "reason": made.reason.value if isinstance(made, Refused) else "",
        "account_id": None if applicant is None else applicant.candidate.account_id,
        "callback_id": None if isinstance(made, Refused) else made.id,
    }


def _record_of(row: RowMapping) -> TriggerRecord:
    return TriggerRecord(
        id=row["id"],
        received_at=row["received_at"],
        released_at=row["released_at"],
        did_raw=row["did_raw"],
        caller_raw=row["caller_raw"],
        caller=None if row["caller"] is None else stored_number(row["caller"]),
        trunk=row["trunk"],
        outcome=row["outcome"],
        reason=row["reason"],
        account_id=row["account_id"] or "",
        callback_id=row["callback_id"] or "",
    )

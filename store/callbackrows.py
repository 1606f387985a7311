"""A Callback and its Legs as rows, and back.

Reads: calls.callback values; rows of `callbacks` and `legs`.
Gives: dictionaries of column values; the values again, equal to what was stored.
Knows nothing of: when what is written.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import RowMapping

from calls.callback import Callback, Leg, Origin, OriginKind, Reason, ReleasedBy, State
from calls.cdr import LegRole
from values.e164 import E164
from values.masked import stored_number

Values = dict[str, Any]

# What step() may change; the rest of a callback is written once, when it is made.
CHANGING = (
    "state",
    "expires_at",
    "destination",
    "dial_at",
    "deadline_at",
    "quick_retry_used",
    "hold_units",
    "ending",
    "reason",
    "ended_at",
    "cancelled_by",
)
LEG_CHANGING = (
    "position",
    "planned",
    "talk_seconds_max",
    "ordered_at",
    "invited_at",
    "rang_at",
    "answered_at",
    "accepted_at",
    "hung_up_at",
    "q850_cause",
    "released_by",
    "estimated",
)


def callback_values(callback: Callback) -> Values:
    """All columns of a new callback."""
    origin = callback.origin
    return {
        "id": callback.id,
        "account_id": callback.account_id,
        "subscriber_id": callback.subscriber_id,
        "plan_id": callback.plan_id,
        "currency": callback.currency,
        "origin_kind": origin.kind.value,
        "received_at": origin.received_at,
        "did": _optional_text(origin.did),
        "trunk": origin.trunk,
        "caller_number_raw": origin.caller_number_raw,
        "caller_number": _optional_text(origin.caller_number),
        "trigger_id": origin.trigger_id,
        "idempotency_key": origin.idempotency_key,
        "reference": origin.reference,
        "topic": origin.topic,
        "tag": origin.tag,
        "remote_address": origin.remote_address,
        "number_a": str(callback.number_a),
        "caller_id_a": _optional_text(callback.caller_id_a),
        "created_at": callback.created_at,
        "home_country": callback.home_country,
        "language": callback.language,
        "attempts_max": callback.attempts_max,
        "retry_gaps_seconds": ",".join(map(str, callback.retry_gaps_seconds)),
        "follow_on_key": callback.follow_on_key,
        "in_call_key": callback.in_call_key,
        "cancel_requested_by": "",
        **changing_values(callback),
    }


def changing_values(callback: Callback) -> Values:
    """The columns that a step may change."""
    return {
        "state": callback.state.value,
        "expires_at": callback.expires_at,
        "destination": _optional_text(callback.destination),
        "dial_at": callback.dial_at,
        "deadline_at": callback.deadline_at,
        "quick_retry_used": callback.quick_retry_used,
        "hold_units": callback.hold_units,
        "ending": callback.ending.value if callback.ending is not None else None,
        "reason": callback.reason.value if callback.reason is not None else None,
        "ended_at": callback.ended_at,
        "cancelled_by": callback.cancelled_by,
    }


def leg_values(callback: Callback) -> dict[str, Values]:
    """The rows of all legs, by leg id; the planned ones follow the dialled ones."""
    rows = [(leg, False) for leg in callback.legs] + [(leg, True) for leg in callback.planned]
    return {
        leg.id: _leg_values(leg, position, planned=planned) for position, (leg, planned) in enumerate(rows)
    }


def callback_of(row: RowMapping, legs: Iterable[RowMapping]) -> Callback:
    """The callback of that row; `legs` are its rows in the order of their positions."""
    known = [(leg_of(leg), leg["planned"]) for leg in legs]
    return Callback(
        id=row["id"],
        state=State(row["state"]),
        account_id=row["account_id"],
        subscriber_id=row["subscriber_id"],
        plan_id=row["plan_id"],
        currency=row["currency"],
        origin=_origin_of(row),
        number_a=stored_number(row["number_a"]),
        caller_id_a=optional_number(row["caller_id_a"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        home_country=row["home_country"],
        language=row["language"],
        destination=optional_number(row["destination"]),
        dial_at=row["dial_at"],
        deadline_at=row["deadline_at"],
        attempts_max=row["attempts_max"],
        retry_gaps_seconds=tuple(int(gap) for gap in row["retry_gaps_seconds"].split(",") if gap),
        quick_retry_used=row["quick_retry_used"],
        follow_on_key=row["follow_on_key"],
        in_call_key=row["in_call_key"],
        hold_units=row["hold_units"],
        legs=tuple(leg for leg, planned in known if not planned),
        planned=tuple(leg for leg, planned in known if planned),
        ending=Reason(row["ending"]) if row["ending"] is not None else None,
        reason=Reason(row["reason"]) if row["reason"] is not None else None,
        ended_at=row["ended_at"],
        cancelled_by=row["cancelled_by"],
    )


def leg_of(row: RowMapping) -> Leg:
    """The leg of that row."""
    return Leg(
        id=row["id"],
        role=LegRole(row["role"]),
        number=stored_number(row["number"]),
        trunk=row["trunk"],
        caller_id_shown=optional_number(row["caller_id_shown"]),
        price_rate_id=row["price_rate_id"],
        cost_rate_id=row["cost_rate_id"],
        ring_seconds=row["ring_seconds"],
        talk_seconds_max=row["talk_seconds_max"],
        authorised_at=row["authorised_at"],
        ordered_at=row["ordered_at"],
        invited_at=row["invited_at"],
        rang_at=row["rang_at"],
        answered_at=row["answered_at"],
        accepted_at=row["accepted_at"],
        hung_up_at=row["hung_up_at"],
        q850_cause=row["q850_cause"],
        released_by=ReleasedBy(row["released_by"]) if row["released_by"] is not None else None,
        estimated=row["estimated"],
        tag=row["tag"],
        origin_class=row["origin_class"],
        surcharge_per_minute=row["surcharge_per_minute"],
        package_seconds=row["package_seconds"],
    )


def optional_number(text: str | None) -> E164 | None:
    """The number of a column that may be empty."""
    return None if text is None else stored_number(text)


def _origin_of(row: RowMapping) -> Origin:
    return Origin(
        kind=OriginKind(row["origin_kind"]),
        received_at=row["received_at"],
        did=optional_number(row["did"]),
        trunk=row["trunk"],
        caller_number_raw=row["caller_number_raw"],
        caller_number=optional_number(row["caller_number"]),
        trigger_id=row["trigger_id"],
        idempotency_key=row["idempotency_key"],
        reference=row["reference"],
        topic=row["topic"],
        tag=row["tag"],
        remote_address=row["remote_address"],
    )


def _leg_values(leg: Leg, position: int, *, planned: bool) -> Values:
    return {
        "id": leg.id,
        "position": position,
        "planned": planned,
        "role": leg.role.value,
        "number": str(leg.number),
        "trunk": leg.trunk,
        "caller_id_shown": _optional_text(leg.caller_id_shown),
        "price_rate_id": leg.price_rate_id,
        "cost_rate_id": leg.cost_rate_id,
        "ring_seconds": leg.ring_seconds,
        "talk_seconds_max": leg.talk_seconds_max,
        "authorised_at": leg.authorised_at,
        "ordered_at": leg.ordered_at,
        "invited_at": leg.invited_at,
        "rang_at": leg.rang_at,
        "answered_at": leg.answered_at,
        "accepted_at": leg.accepted_at,
        "hung_up_at": leg.hung_up_at,
        "q850_cause": leg.q850_cause,
        "released_by": leg.released_by.value if leg.released_by is not None else None,
        "estimated": leg.estimated,
        "tag": leg.tag,
        "origin_class": leg.origin_class,
        "surcharge_per_minute": leg.surcharge_per_minute,
        "package_seconds": leg.package_seconds,
    }


def _optional_text(number: E164 | None) -> str | None:
    return None if number is None else str(number)

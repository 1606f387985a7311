"""Callbacks as the account sees them: schemas that are both the API document and the list of what may leave.

Reads: Taken and Standing (web/requests.py).
Gives: tables of plain values; a member that no schema names is not sent, so no carrier ever is.
Knows nothing of: HTTP.
"""

from apiflask import Schema
from apiflask.fields import AwareDateTime, Boolean, Integer, List, Nested, String

from calls.callback import Leg, disposition_of
from rating.price import talk_seconds
from store.cdrs import CallRecord
from values.money import decimal_from_units, plain_decimal
from web.requests import Standing, Taken
from web.sentences import SENTENCES

PATH = "/api/v1/callbacks"


def accepted_of(taken: Taken) -> dict[str, object]:
    """The answer to a request: what was committed then, the same for the same request told again."""
    callback = taken.callback
    return {
        "id": callback.id,
        "state": "requested",
        "reference": callback.origin.reference,
        "status_url": status_path(callback.id),
        "number": str(callback.number_a),
        "origin": callback.origin.label,
        "requested_at": callback.origin.received_at,
    }


def status_of(standing: Standing) -> dict[str, object]:
    """How a callback stands."""
    callback = standing.callback
    records = {record.cdr.leg_id: record for record in standing.records}
    legs = [leg for leg in callback.legs if leg.ordered_at is not None]
    return {
        "id": callback.id,
        "state": callback.state.value,
        "reason": callback.reason.value if callback.reason else None,
        "sentence": SENTENCES[callback.reason] if callback.reason else None,
        "origin": callback.origin.label,
        "reference": callback.origin.reference,
        "topic": callback.origin.topic,
        "tag": callback.origin.tag,
        "number": str(callback.number_a),
        "destination": str(callback.destination) if callback.destination else None,
        "requested_at": callback.origin.received_at,
        "dial_at": callback.dial_at,
        "ended_at": callback.ended_at,
        "attempts": callback.attempts_max,
        "attempts_made": callback.attempts_made,
        "cancel_requested": standing.cancel_requested,
        "legs": [_leg(leg, records.get(leg.id)) for leg in legs],
        "cost": _cost(standing),
        "status_url": status_path(callback.id),
    }


def status_path(callback_id: str) -> str:
    """Where a callback's state is asked for; without a host, which a client could have made up."""
    return f"{PATH}/{callback_id}"


def leg_state(leg: Leg) -> str:
    """How far a leg has come, in one word."""
    if leg.hung_up_at is not None:
        return "ended"
    if leg.answered_at is not None:
        return "answered"
    return "ordered" if leg.rang_at is None else "ringing"


def _leg(leg: Leg, record: CallRecord | None) -> dict[str, object]:
    charge = record.charge if record is not None else None
    credited = record.credited if record is not None and charge is not None else None
    is_over = leg.hung_up_at is not None
    return {
        "id": leg.id,
        "role": leg.role.value,
        "number": str(leg.number),
        "state": leg_state(leg),
        "ordered_at": leg.ordered_at,
        "rang_at": leg.rang_at,
        "answered_at": leg.answered_at,
        "accepted_at": leg.accepted_at,
        "ended_at": leg.hung_up_at,
        "talk_seconds": talk_seconds(leg.answered_at, leg.hung_up_at) if leg.hung_up_at else None,
        "disposition": disposition_of(leg).value if is_over else None,
        "billed_seconds": charge.billed_seconds if charge is not None else None,
        "amount": plain_decimal(charge.amount) if charge is not None else None,
        "credited": plain_decimal(credited) if credited is not None else None,
    }


def _cost(standing: Standing) -> dict[str, object] | None:
    total = standing.total
    if total is None:
        return None
    return {
        "currency": total.currency,
        "amount": plain_decimal(decimal_from_units(total.units)),
        "waived": plain_decimal(decimal_from_units(total.waived_units)),
        "credited": plain_decimal(decimal_from_units(total.credited_units)),
        "net": plain_decimal(decimal_from_units(total.net_units)),
    }


def _text(description: str, *, none: bool = False) -> String:
    return String(required=True, allow_none=none, metadata={"description": description})


def _when(description: str) -> AwareDateTime:
    return AwareDateTime(required=True, allow_none=True, metadata={"description": description})


class AcceptedSchema(Schema):
    """A request that was accepted."""

    id = _text("The one id of this callback: in replies, records and notices.")
    state = _text("Always `requested`; ask status_url for how it goes on.")
    reference = _text("As you sent it.")
    status_url = _text("Where to ask how it stands, relative to this host.")
    number = _text("The telephone that will be rung, with its country code.")
    origin = _text("By which door the request came in.")
    requested_at = _when("When it was committed.")


class LegSchema(Schema):
    """One call of ours: role A rings the subscriber, role B the destination."""

    id = _text("The leg's id.")
    role = _text("`A` or `B`.")
    number = _text("Who is rung.")
    state = _text("`ordered`, `ringing`, `answered` or `ended`.")
    ordered_at = _when("When the call was ordered.")
    rang_at = _when("When it first rang.")
    answered_at = _when("When it was answered.")
    accepted_at = _when("When the first key was pressed (role A).")
    ended_at = _when("When it was released.")
    talk_seconds = Integer(required=True, allow_none=True, metadata={"description": "Answer to release."})
    disposition = _text("How it ended, in one word.", none=True)
    billed_seconds = Integer(
        required=True, allow_none=True, metadata={"description": "Talk rounded up by the plan, once rated."}
    )
    amount = _text("What was charged for this leg, once rated; digits with four decimals.", none=True)
    credited = _text("What was given back of this leg alone, once rated.", none=True)


class CostSchema(Schema):
    """What the callback came to, before tax; all but `currency` are digits with four decimals."""

    currency = _text("ISO 4217.")
    amount = _text("What was charged; what was waived is off already.")
    waived = _text("What was taken off.")
    credited = _text("What was given back since, of the callback or of its legs.")
    net = _text("`amount` less `credited`: what it costs you.")


class StatusSchema(Schema):
    """How a callback stands."""

    id = _text("The callback's id.")
    state = _text("See docs/STATES.md; the last word of it once `ended_at` is set.")
    reason = _text("Why it ended, in one word.", none=True)
    sentence = _text("The same as a sentence.", none=True)
    origin = _text("`web`, or `ring:` and the trigger number.")
    reference = _text("As you sent it.")
    topic = _text("As you sent it.")
    tag = _text("As you sent it.")
    number = _text("The telephone called back.")
    destination = _text("Whom to connect, if it was said.", none=True)
    requested_at = _when("When it was committed.")
    dial_at = _when("When it is dialled next.")
    ended_at = _when("When it ended.")
    attempts = Integer(required=True)
    attempts_made = Integer(required=True)
    cancel_requested = Boolean(
        required=True, metadata={"description": "It will be cancelled before anything is dialled."}
    )
    legs = List(Nested(LegSchema), required=True)
    cost = Nested(CostSchema, required=True, allow_none=True)
    status_url = _text("Where to ask again.")

"""What `ledger verify` compares about calls: records, charges, settlements, entries, holds.

Reads: callbacks, cdrs, charges, settlements, holds and the entries they led to.
Gives: CHECKS: a sentence, and the rows that it is true of.
Knows nothing of: how a price comes about.
"""

from sqlalchemy import BigInteger, Select, and_, case, func, literal, or_, select, type_coerce

from calls.callback import ENDS
from store.schema import callbacks, cdrs, charges, entries, holds, postings, settlements

_Rows = Select[*tuple[object, ...]]

_ended = callbacks.c.state.in_(sorted(state.value for state in ENDS))
_charged = (
    select(cdrs.c.callback_id, func.sum(charges.c.amount_units).label("units"))
    .select_from(cdrs.join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == 0)))
    .group_by(cdrs.c.callback_id)
    .subquery()
)
_taken = (
    select(entries.c.id.label("entry_id"), func.sum(-postings.c.units).label("units"))
    .select_from(entries.join(postings, postings.c.entry_id == entries.c.id))
    .where(postings.c.ledger_account_id.like("receivable:%"))
    .group_by(entries.c.id)
    .subquery()
)
_first_cost = (
    select(
        charges.c.entry_id,
        charges.c.cost_currency.label("currency"),
        func.sum(charges.c.cost_units).label("units"),
    )
    .where(charges.c.revision == 0)
    .group_by(charges.c.entry_id, charges.c.cost_currency)
    .subquery()
)
_earned = (
    select(postings.c.entry_id, postings.c.currency, func.sum(postings.c.units).label("units"))
    .where(postings.c.ledger_account_id.like("carrier_payable:%"))
    .group_by(postings.c.entry_id, postings.c.currency)
    .subquery()
)
_microseconds = type_coerce(cdrs.c.hung_up_at, BigInteger) - type_coerce(cdrs.c.answered_at, BigInteger)
# Whole seconds, upwards, in whole numbers; a leg cannot hang up before it answers.
_seconds = case((_microseconds > 0, (_microseconds + 999_999) // literal(1_000_000)), else_=0)
_total = settlements.c.gross_units - settlements.c.waived_units

CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "callback {id} has ended and its books are not closed",
        select(callbacks.c.id)
        .outerjoin(settlements, settlements.c.callback_id == callbacks.c.id)
        .where(_ended, settlements.c.callback_id.is_(None)),
    ),
    (
        "callback {callback_id} has a settlement and has not ended",
        select(settlements.c.callback_id)
        .join(callbacks, callbacks.c.id == settlements.c.callback_id)
        .where(~_ended),
    ),
    (
        "callback {callback_id} is settled for account {account_id} in {currency}, and was made for another",
        select(settlements.c.callback_id, settlements.c.account_id, settlements.c.currency)
        .join(callbacks, callbacks.c.id == settlements.c.callback_id)
        .where(
            or_(
                settlements.c.account_id != callbacks.c.account_id,
                settlements.c.currency != callbacks.c.currency,
            )
        ),
    ),
    (
        "leg {leg_id} was answered and has no charge",
        select(cdrs.c.leg_id)
        .outerjoin(charges, charges.c.leg_id == cdrs.c.leg_id)
        .where(cdrs.c.answered_at.is_not(None), charges.c.leg_id.is_(None)),
    ),
    (
        "leg {leg_id} was not answered and has a charge",
        select(cdrs.c.leg_id)
        .join(charges, charges.c.leg_id == cdrs.c.leg_id)
        .where(cdrs.c.answered_at.is_(None), charges.c.revision == 0),
    ),
    (
        "leg {leg_id} has a charge and no record",
        select(charges.c.leg_id)
        .outerjoin(cdrs, charges.c.leg_id == cdrs.c.leg_id)
        .where(cdrs.c.leg_id.is_(None)),
    ),
    (
        "leg {leg_id}: its record says account {account_id}, its callback another",
        select(cdrs.c.leg_id, cdrs.c.account_id)
        .join(callbacks, callbacks.c.id == cdrs.c.callback_id)
        .where(cdrs.c.account_id != callbacks.c.account_id),
    ),
    (
        "leg {leg_id} talked {seconds} s by its record and {talk_seconds} s by its charge",
        select(cdrs.c.leg_id, _seconds.label("seconds"), charges.c.talk_seconds)
        .join(charges, charges.c.leg_id == cdrs.c.leg_id)
        .where(
            cdrs.c.answered_at.is_not(None),
            # The A-leg is charged for the seconds of the plan's policy: never for more than it was up.
            or_(
                and_(cdrs.c.role == "B", charges.c.talk_seconds != _seconds),
                charges.c.talk_seconds > _seconds,
            ),
        ),
    ),
    (
        "callback {callback_id}: its legs' charges sum to {units}, its settlement says {gross_units}",
        select(settlements.c.callback_id, settlements.c.gross_units, _charged.c.units)
        .join(_charged, _charged.c.callback_id == settlements.c.callback_id)
        .where(settlements.c.gross_units != _charged.c.units),
    ),
    (
        "callback {callback_id}: {units} was taken, its settlement says {gross_units} less {waived_units}",
        select(
            settlements.c.callback_id, settlements.c.gross_units, settlements.c.waived_units, _taken.c.units
        )
        .join(_taken, _taken.c.entry_id == settlements.c.entry_id)
        .where(_total != _taken.c.units),
    ),
    (
        "callback {callback_id}: its settlement says {gross_units}, and no entry was made",
        select(settlements.c.callback_id, settlements.c.gross_units)
        .outerjoin(entries, entries.c.id == settlements.c.entry_id)
        .where(
            entries.c.id.is_(None),
            or_(settlements.c.entry_id.is_not(None), settlements.c.gross_units != 0),
        ),
    ),
    (
        "callback {callback_id} ended at another instant than its entry {entry_id} says",
        select(settlements.c.callback_id, settlements.c.entry_id)
        .join(entries, entries.c.id == settlements.c.entry_id)
        .where(or_(entries.c.at != settlements.c.ended_at, entries.c.reference != settlements.c.callback_id)),
    ),
    (
        "entry {id} charges callback {reference}, whose settlement names another entry or none",
        select(entries.c.id, entries.c.reference)
        .outerjoin(settlements, settlements.c.entry_id == entries.c.id)
        .where(entries.c.kind == "charge", settlements.c.callback_id.is_(None)),
    ),
    (
        "leg {leg_id}: its charge names entry {entry_id}, the settlement of its callback another",
        select(charges.c.leg_id, charges.c.entry_id)
        .join(cdrs, cdrs.c.leg_id == charges.c.leg_id)
        .join(settlements, settlements.c.callback_id == cdrs.c.callback_id)
        .where(charges.c.revision == 0)
        .where(or_(settlements.c.entry_id.is_(None), settlements.c.entry_id != charges.c.entry_id)),
    ),
    (
        "entry {entry_id}: its legs cost {units} {currency}, its carriers were credited {earned}",
        select(
            _first_cost.c.entry_id,
            _first_cost.c.currency,
            _first_cost.c.units,
            func.coalesce(_earned.c.units, 0).label("earned"),
        )
        .outerjoin(
            _earned,
            (_earned.c.entry_id == _first_cost.c.entry_id) & (_earned.c.currency == _first_cost.c.currency),
        )
        .where(_first_cost.c.units != func.coalesce(_earned.c.units, 0)),
    ),
    (
        "the hold of callback {id} is open and the callback has ended",
        select(holds.c.id)
        .join(callbacks, callbacks.c.id == holds.c.id)
        .where(_ended, holds.c.state == "open"),
    ),
    (
        "the hold of callback {id}: there is no such callback",
        select(holds.c.id).outerjoin(callbacks, callbacks.c.id == holds.c.id).where(callbacks.c.id.is_(None)),
    ),
    (
        "the hold of callback {id} is {state} and its end is not written down, or the other way round",
        select(holds.c.id, holds.c.state).where((holds.c.state == "open") != (holds.c.ended_at.is_(None))),
    ),
    (
        "the hold of callback {id} is {state} with {posted_units} posted, its settlement says {units}",
        select(
            holds.c.id,
            holds.c.state,
            holds.c.posted_units,
            func.coalesce(_total, 0).label("units"),
        )
        .join(callbacks, callbacks.c.id == holds.c.id)
        .outerjoin(settlements, settlements.c.callback_id == holds.c.id)
        .where(_ended, holds.c.state != "open")
        .where(holds.c.posted_units != func.coalesce(_total, 0)),
    ),
)

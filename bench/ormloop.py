"""The peer of `bin/bench rerate`: re-rating as it is often written, with an ORM and a query a leg.

Reads: settled callbacks, their records, the rates of the newest version of a deck.
Gives: the same rows as store/rerated.py, but for the words of each charge.
Knows nothing of: the product's rating; the price is worked out here, in Decimals.
"""

from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from math import ceil
from typing import Any

from sqlalchemy import Engine, func, select
from sqlalchemy.orm import DeclarativeBase, Session

from store import reratingtables, schema

FIRST_SECONDS = 30


class Base(DeclarativeBase):
    """What all mapped classes are."""


def _mapped(name: str, table: Any) -> Any:
    return type(name, (Base,), {"__table__": table})


Settlement = _mapped("Settlement", schema.settlements)
Record = _mapped("Record", schema.cdrs)
Charge = _mapped("Charge", schema.charges)
Entry = _mapped("Entry", schema.entries)
Posting = _mapped("Posting", schema.postings)
Column = _mapped("Column", schema.ledger_accounts)
Version = _mapped("Version", schema.deck_versions)
Row = _mapped("Row", schema.rates)
Rerating = _mapped("Rerating", reratingtables.reratings)


def rerate_by_orm(engine: Engine, reference: str, now: datetime, *, at_once: int) -> int:
    """Price every settled callback by the newest version, and write it down; how many legs."""
    legs = 0
    with Session(engine) as session:
        version = session.scalars(select(Version).order_by(Version.id.desc()).limit(1)).one()
        ids = session.scalars(select(Settlement.callback_id).order_by(Settlement.ended_at)).all()
        for start in range(0, len(ids), at_once):
            session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            for callback_id in ids[start : start + at_once]:
                legs += _rerate(session, session.get(Settlement, callback_id), version.id, reference, now)
            session.commit()
    return legs


def _rerate(session: Session, settled: Any, version_id: int, reference: str, now: datetime) -> int:
    entry_id = f"rerate-{settled.callback_id}-1"
    records = session.scalars(select(Record).where(Record.callback_id == settled.callback_id)).all()
    gross = sum(_charge(session, record, version_id, entry_id) for record in records)
    reversal_id = f"{entry_id}-reversal"
    _post(session, settled, reversal_id, -settled.gross_units)
    _post(session, settled, entry_id, gross)
    session.add(
        Rerating(
            callback_id=settled.callback_id, revision=1, reference=reference, reversal_id=reversal_id,
            entry_id=entry_id, plan_id=settled.plan_id, currency=settled.currency, gross_units=gross,
            waived_units=0, made_at=now,
        )
    )  # fmt: skip
    return len(records)


def _charge(session: Session, record: Any, version_id: int, entry_id: str) -> int:
    digits = record.number[1:]
    prefixes = [digits[:length] for length in range(1, len(digits) + 1)]
    row = session.scalars(
        select(Row)
        .where(Row.version_id == version_id, Row.prefix.in_(prefixes))
        .order_by(func.length(Row.prefix).desc())
        .limit(1)
    ).one()
    old = session.get(Charge, (record.leg_id, 0))
    assert old is not None
    since = record.accepted_at or record.answered_at
    talked = ceil((record.hung_up_at - since).total_seconds())
    billed = max(talked, FIRST_SECONDS)
    exact = Decimal(row.per_minute) * billed / 60 / 10**4
    units = int(exact.quantize(Decimal(1), ROUND_HALF_UP))
    session.add(
        Charge(
            leg_id=record.leg_id, revision=1, entry_id=entry_id, plan_id=old.plan_id, currency=old.currency,
            talk_seconds=talked, billed_seconds=billed, rate_id=f"retail:2:{row.row}", prefix=row.prefix,
            destination=row.destination, per_minute=row.per_minute, next_per_minute=row.per_minute,
            connect_fee=0, first_increment_s=FIRST_SECONDS, next_increment_s=1, amount_units=units, steps="",
            cost_rate_id=old.cost_rate_id, cost_currency=old.cost_currency, cost_seconds=old.cost_seconds,
            cost_units=old.cost_units, cost_steps=old.cost_steps,
        )
    )  # fmt: skip
    return units


def _post(session: Session, settled: Any, entry_id: str, units: int) -> None:
    session.add(
        Entry(id=entry_id, kind="rerate", at=settled.ended_at, reference=settled.callback_id, reason="bench")
    )
    for position, (name, moved) in enumerate(
        ((f"receivable:{settled.account_id}", -units), ("revenue", units))
    ):
        session.get(Column, (name, settled.currency)).balance_units += moved  # type: ignore[union-attr]
        session.add(
            Posting(
                entry_id=entry_id, position=position, ledger_account_id=name, currency=settled.currency,
                units=moved,
            )
        )  # fmt: skip

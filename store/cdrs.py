"""Finished legs with what they cost: one line each.

Reads: rows of `cdrs`, the charge in effect of each, what was given back of it, the callback they belong to.
Gives: CallRecords, by account, period or the latest ones.
Knows nothing of: how they are printed; carriers' cost is in them, so accounts are shown only `charge`.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, RowMapping, Select, func, select

from calls.cdr import Cdr, Disposition, LegRole
from rating.price import Charge
from store.moneytables import credit_notes
from store.schema import attempt_costs, callbacks, cdrs, charges
from values.masked import stored_number
from values.money import decimal_from_units, rate_from_units


@dataclass(frozen=True, slots=True, kw_only=True)
class CallRecord:
    """A leg that ended. `charge` is None where nobody answered; so is the cost if trying costs nothing.

    `credited` was given back of this leg; what was given back of the whole callback is in store/outcomes.py.
    """

    cdr: Cdr
    account_id: str
    subscriber_id: str
    plan_id: str
    requested_at: datetime
    session_ended_at: datetime
    charge: Charge | None
    credited: Decimal
    cost: Decimal | None
    cost_currency: str
    cost_rate_id: str
    reference: str
    tag: str

    @property
    def amount(self) -> Decimal:
        """What was charged."""
        return Decimal(0) if self.charge is None else self.charge.amount

    @property
    def net(self) -> Decimal:
        """What it costs its account."""
        return self.amount - self.credited

    @property
    def margin(self) -> Decimal | None:
        """Price less cost, where both are in one currency."""
        if self.charge is None or self.cost is None or self.charge.currency != self.cost_currency:
            return None
        return self.charge.amount - self.cost


def list_cdrs(
    connection: Connection,
    *,
    account_id: str | None = None,
    callback_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    last: int | None = None,
) -> tuple[CallRecord, ...]:
    """Legs whose callback ended in [since, until), in the order in which the callbacks ended.

    `last` takes only so many of the latest ones.
    """
    wanted = _joined()
    if account_id is not None:
        wanted = wanted.where(cdrs.c.account_id == account_id)
    if callback_id is not None:
        wanted = wanted.where(cdrs.c.callback_id == callback_id)
    if since is not None:
        wanted = wanted.where(cdrs.c.session_ended_at >= since)
    if until is not None:
        wanted = wanted.where(cdrs.c.session_ended_at < until)
    order = (cdrs.c.session_ended_at, cdrs.c.callback_id, cdrs.c.invited_at, cdrs.c.leg_id)
    if last is None:
        return tuple(record_of(row) for row in connection.execute(wanted.order_by(*order)).mappings())
    newest = wanted.order_by(*(column.desc() for column in order)).limit(last)
    return tuple(reversed([record_of(row) for row in connection.execute(newest).mappings()]))


def record_of(row: RowMapping) -> CallRecord:
    """The record of a joined row."""
    is_charged = row["amount_units"] is not None
    cost_of = "cost" if is_charged else "attempt"
    cost_units = row[f"{cost_of}_units"]
    return CallRecord(
        cdr=cdr_of(row),
        account_id=row["account_id"],
        subscriber_id=row["subscriber_id"],
        plan_id=row["plan_id"],
        requested_at=row["received_at"],
        session_ended_at=row["session_ended_at"],
        charge=charge_of(row) if is_charged else None,
        credited=decimal_from_units(int(row["credited_units"])),
        cost=None if cost_units is None else decimal_from_units(cost_units),
        cost_currency=row[f"{cost_of}_currency"] or "",
        cost_rate_id=row[f"{cost_of}_rate_id"] or "",
        reference=row["reference"],
        tag=row["tag"],
    )


def charge_of(row: RowMapping) -> Charge:
    """The charge of a row of `charges`."""
    return Charge(
        talk_seconds=row["talk_seconds"],
        billed_seconds=row["billed_seconds"],
        per_minute=rate_from_units(row["per_minute"]),
        next_per_minute=rate_from_units(row["next_per_minute"]),
        connect_fee=rate_from_units(row["connect_fee"]),
        first_increment_s=row["first_increment_s"],
        next_increment_s=row["next_increment_s"],
        amount=decimal_from_units(row["amount_units"]),
        currency=row["currency"],
        rate_id=row["rate_id"],
        prefix=row["prefix"],
        destination=row["destination"],
        steps=tuple(row["steps"].split("\n")),
        package_seconds=row["package_seconds"],
        surcharge_per_minute=rate_from_units(row["surcharge_per_minute"]),
        band=row["band"],
    )


CHARGE_COLUMNS = tuple(
    charges.c[name]
    for name in (
        "currency",
        "talk_seconds",
        "billed_seconds",
        "rate_id",
        "prefix",
        "destination",
        "per_minute",
        "next_per_minute",
        "connect_fee",
        "first_increment_s",
        "next_increment_s",
        "amount_units",
        "steps",
        "cost_rate_id",
        "cost_currency",
        "cost_units",
        "package_seconds",
        "surcharge_per_minute",
        "band",
    )
)

ATTEMPT_COLUMNS = (
    attempt_costs.c.cost_rate_id.label("attempt_rate_id"),
    attempt_costs.c.cost_currency.label("attempt_currency"),
    attempt_costs.c.cost_units.label("attempt_units"),
)

_later = charges.alias("later")
# Correlated with `cdrs`: re-rating adds revisions, the last one is in effect.
NEWEST_CHARGE = (
    select(func.max(_later.c.revision))
    .where(_later.c.leg_id == cdrs.c.leg_id)
    .correlate(cdrs)
    .scalar_subquery()
)


_CREDITED_UNITS = func.coalesce(
    select(func.sum(credit_notes.c.units))
    .where(credit_notes.c.callback_id == cdrs.c.callback_id, credit_notes.c.leg_id == cdrs.c.leg_id)
    .correlate(cdrs)
    .scalar_subquery(),
    0,
).label("credited_units")


def _joined() -> Select[*tuple[object, ...]]:
    of_callback = (
        callbacks.c.subscriber_id,
        callbacks.c.plan_id,
        callbacks.c.received_at,
        callbacks.c.reference,
    )
    return select(cdrs, *of_callback, *CHARGE_COLUMNS, *ATTEMPT_COLUMNS, _CREDITED_UNITS).select_from(
        cdrs.join(callbacks, callbacks.c.id == cdrs.c.callback_id)
        .outerjoin(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
        .outerjoin(attempt_costs, attempt_costs.c.leg_id == cdrs.c.leg_id)
    )


def cdr_of(row: RowMapping) -> Cdr:
    """The record of a row of `cdrs`."""
    return Cdr(
        leg_id=row["leg_id"],
        callback_id=row["callback_id"],
        role=LegRole(row["role"]),
        number=stored_number(row["number"]),
        trunk=row["trunk"],
        invited_at=row["invited_at"],
        rang_at=row["rang_at"],
        answered_at=row["answered_at"],
        accepted_at=row["accepted_at"],
        hung_up_at=row["hung_up_at"],
        q850_cause=row["q850_cause"],
        disposition=Disposition(row["disposition"]),
        estimated=row["estimated"],
    )

"""What an invoice is made from, gathered for an account and a period.

Reads: settlements, records and charges, entries, the account.
Gives: InvoiceFacts, to be handed to billing.invoice.build_invoice.
Knows nothing of: lines, totals, forms.

A callback belongs to the period in which it ended: `settlements.ended_at`, written once.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import groupby

from sqlalchemy import Connection, RowMapping, func, select

from billing.ledger import EntryKind
from billing.particulars import Party, Payment, RatedLeg, RatedSession
from billing.period import Period
from calls.cdr import LegRole
from rating.plan import Plan
from store.accountplans import plan_of_account
from store.accounts import Account, account
from store.cdrs import CHARGE_COLUMNS, NEWEST_CHARGE, charge_of
from store.ledger import receivable
from store.schema import callbacks, cdrs, charges, entries, postings, settlements, subscribers
from values.money import decimal_from_units

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """`previous_owed` is positive where the account owed when the period began."""

    account: Account
    buyer: Party
    plan: Plan
    sessions: tuple[RatedSession, ...]
    previous_owed: Decimal
    payments: tuple[Payment, ...]


def gather(connection: Connection, account_id: str, period: Period) -> InvoiceFacts:
    """Everything that an invoice of that account for that period says."""
    owner = account(connection, account_id)
    return InvoiceFacts(
        account=owner,
        buyer=Party(
            name=owner.name,
            address=tuple(owner.billing_address.splitlines()),
            tax_id=owner.tax_id,
            email=owner.billing_email,
        ),
        plan=plan_of_account(connection, account_id, period.ends_at - MICROSECOND),
        sessions=rated_sessions(connection, account_id, period),
        previous_owed=_owed_before(connection, owner, period),
        payments=_payments(connection, owner, period),
    )


def rated_sessions(connection: Connection, account_id: str, period: Period) -> tuple[RatedSession, ...]:
    """The callbacks that ended in the period and were answered, in the order in which they ended."""
    wanted = (
        select(
            settlements.c.callback_id,
            settlements.c.ended_at,
            settlements.c.waived_units,
            callbacks.c.received_at,
            callbacks.c.reference,
            subscribers.c.name.label("subscriber"),
            cdrs.c.leg_id,
            cdrs.c.role,
            cdrs.c.number,
            cdrs.c.answered_at,
            *CHARGE_COLUMNS,
        )
        .select_from(
            settlements.join(callbacks, callbacks.c.id == settlements.c.callback_id)
            .join(subscribers, subscribers.c.id == callbacks.c.subscriber_id)
            .join(cdrs, cdrs.c.callback_id == settlements.c.callback_id)
            .join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
        )
        .where(settlements.c.account_id == account_id)
        .where(settlements.c.ended_at >= period.starts_at, settlements.c.ended_at < period.ends_at)
        # A first, then each B as it was dialled.
        .order_by(
            settlements.c.ended_at, settlements.c.callback_id, cdrs.c.role, cdrs.c.invited_at, cdrs.c.leg_id
        )
    )
    rows = connection.execute(wanted).mappings()
    return tuple(_session_of(list(legs)) for _, legs in groupby(rows, key=lambda row: row["callback_id"]))


def _session_of(rows: list[RowMapping]) -> RatedSession:
    first = rows[0]
    return RatedSession(
        callback_id=first["callback_id"],
        requested_at=first["received_at"],
        ended_at=first["ended_at"],
        subscriber=first["subscriber"],
        legs=tuple(
            RatedLeg(
                leg_id=row["leg_id"],
                role=LegRole(row["role"]),
                number=row["number"],
                answered_at=row["answered_at"],
                charge=charge_of(row),
            )
            for row in rows
        ),
        waived=decimal_from_units(first["waived_units"]),
        reference=first["reference"],
    )


def _owed_before(connection: Connection, owner: Account, period: Period) -> Decimal:
    balance = connection.execute(
        select(func.coalesce(func.sum(postings.c.units), 0))
        .select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
        .where(
            postings.c.ledger_account_id == str(receivable(owner.id)), postings.c.currency == owner.currency
        )
        .where(entries.c.at < period.starts_at)
    ).scalar_one()
    return decimal_from_units(-int(balance))


def _payments(connection: Connection, owner: Account, period: Period) -> tuple[Payment, ...]:
    """Money that came in, and corrections: whatever moved the balance besides calls."""
    rows: Iterable[RowMapping] = connection.execute(
        select(entries.c.at, entries.c.reference, entries.c.reason, postings.c.units)
        .select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
        .where(
            postings.c.ledger_account_id == str(receivable(owner.id)), postings.c.currency == owner.currency
        )
        .where(entries.c.kind.in_([EntryKind.PAYMENT.value, EntryKind.ADJUSTMENT.value]))
        .where(entries.c.at >= period.starts_at, entries.c.at < period.ends_at)
        .order_by(entries.c.at, entries.c.id)
    ).mappings()
    return tuple(
        Payment(
            at=row["at"], reference=row["reason"] or row["reference"], amount=decimal_from_units(row["units"])
        )
        for row in rows
    )

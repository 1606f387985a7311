"""What was given back of calls before they were invoiced: the coming invoice has it among its calls.

Reads: credit notes with entries of that kind, the settlements of their callbacks.
Gives: CallCredits of callbacks; their sums by account, or beside a row of `settlements`.
Knows nothing of: credit notes that correct an invoice (store/creditnotes.py), lines, tax.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, Select, func, select

from billing.ledger import EntryKind
from billing.particulars import CallCredit
from store.moneytables import credit_notes
from store.schema import settlements
from values.money import decimal_from_units

IS_CALL_CREDIT = credit_notes.c.entry_id.startswith(f"{EntryKind.CALL_CREDIT}-", autoescape=True)
"""The id of an entry begins with its kind (billing.acts.Act.entry_id); store/verifymoney.py compares them."""

GIVEN_UNITS = func.coalesce(
    select(func.sum(credit_notes.c.units))
    .where(credit_notes.c.callback_id == settlements.c.callback_id, IS_CALL_CREDIT)
    .correlate(settlements)
    .scalar_subquery(),
    0,
)
"""To be selected beside a row of `settlements`."""


def credits_of(
    connection: Connection, callback_ids: "Select[tuple[str]]"
) -> dict[str, tuple[CallCredit, ...]]:
    """What was given back of each of those callbacks, in the order of the notes."""
    wanted = (
        select(
            credit_notes.c.callback_id,
            credit_notes.c.number,
            credit_notes.c.leg_id,
            credit_notes.c.units,
            credit_notes.c.issued_at,
        )
        .where(credit_notes.c.callback_id.in_(callback_ids), IS_CALL_CREDIT)
        .order_by(credit_notes.c.sequence)
    )
    found: dict[str, list[CallCredit]] = defaultdict(list)
    for row in connection.execute(wanted):
        found[row.callback_id].append(
            CallCredit(
                number=row.number,
                leg_id=row.leg_id,
                amount=decimal_from_units(row.units),
                at=row.issued_at,
            )
        )
    return {callback_id: tuple(given) for callback_id, given in found.items()}


def given_by_account(
    connection: Connection, account_ids: Sequence[str], since: datetime | None, until: datetime
) -> dict[str, int]:
    """What was given back of each account's callbacks that ended in that range."""
    wanted = (
        select(credit_notes.c.account_id, func.sum(credit_notes.c.units))
        .join(settlements, settlements.c.callback_id == credit_notes.c.callback_id)
        .where(credit_notes.c.account_id.in_(account_ids), IS_CALL_CREDIT, settlements.c.ended_at < until)
        .group_by(credit_notes.c.account_id)
    )
    if since is not None:
        wanted = wanted.where(settlements.c.ended_at >= since)
    return {account_id: int(units) for account_id, units in connection.execute(wanted)}

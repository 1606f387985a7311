"""What an account has called and no invoice has yet.

Reads: settlements, `invoice_sessions`.
Gives: how many callbacks that is, and what they come to.
Knows nothing of: fees and tax, which only an invoice adds (`dialback invoice show`).
"""

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from store.invoicetables import invoice_sessions
from store.schema import settlements


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbilled:
    """Callbacks that were answered, and their price in 10^-4 of the unit."""

    sessions: int
    units: int


def unbilled_of(connection: Connection, account_id: str) -> Unbilled:
    """The calls of an account that stand on no invoice."""
    net = settlements.c.gross_units - settlements.c.waived_units
    wanted = (
        select(func.count(), func.coalesce(func.sum(net), 0))
        .select_from(
            settlements.outerjoin(
                invoice_sessions, invoice_sessions.c.callback_id == settlements.c.callback_id
            )
        )
        .where(settlements.c.account_id == account_id, settlements.c.entry_id.is_not(None))
        .where(invoice_sessions.c.callback_id.is_(None))
    )
    sessions, units = connection.execute(wanted).one()
    return Unbilled(sessions=sessions, units=int(units))

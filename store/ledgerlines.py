"""The books as a person reads them: posting by posting, with the balance after each.

Reads: rows of `entries` and `postings`, balances kept beside them.
Gives: PostedLines that fit a filter; the balance of every column.
Knows nothing of: why an entry was made, how it is printed.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select

from billing.ledger import EntryKind
from store.schema import entries, ledger_accounts, postings


@dataclass(frozen=True, slots=True, kw_only=True)
class PostedLine:
    """One posting in the order of the books, with the balance of its column after it."""

    at: datetime
    kind: str
    reference: str
    reason: str
    entry_id: str
    ledger_account: str
    currency: str
    units: int
    balance_units: int


def list_postings(
    connection: Connection,
    *,
    ledger_account: str | None = None,
    kind: EntryKind | None = None,
    reference: str | None = None,
    currency: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[PostedLine, ...]:
    """Postings that fit every filter; each balance counts all that was posted before, shown or not."""
    order = (entries.c.at, entries.c.id, postings.c.position)
    column = (postings.c.ledger_account_id, postings.c.currency)
    running = func.sum(postings.c.units).over(partition_by=column, order_by=order, rows=(None, 0))
    all_lines = select(
        entries.c.at,
        entries.c.kind,
        entries.c.reference,
        entries.c.reason,
        entries.c.id.label("entry_id"),
        postings.c.ledger_account_id.label("ledger_account"),
        postings.c.currency,
        postings.c.units,
        running.label("balance_units"),
        postings.c.position,
    ).select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
    if ledger_account is not None:
        all_lines = all_lines.where(postings.c.ledger_account_id == ledger_account)
    lines = all_lines.subquery()
    shown = [each for each in lines.c if each.name != "position"]
    wanted = select(*shown).order_by(lines.c.at, lines.c.entry_id, lines.c.position)
    for name, value in (("kind", kind and kind.value), ("reference", reference), ("currency", currency)):
        if value is not None:
            wanted = wanted.where(lines.c[name] == value)
    if since is not None:
        wanted = wanted.where(lines.c.at >= since)
    if until is not None:
        wanted = wanted.where(lines.c.at < until)
    rows = connection.execute(wanted).mappings()
    return tuple(PostedLine(**{**row, "balance_units": int(row["balance_units"])}) for row in rows)


def list_balances(connection: Connection) -> tuple[tuple[str, str, int], ...]:
    """Every column of the books with its currency and balance; in each currency they sum to zero."""
    order = (ledger_accounts.c.currency, ledger_accounts.c.id)
    rows = connection.execute(select(ledger_accounts).order_by(*order))
    return tuple((row.id, row.currency, row.balance_units) for row in rows)

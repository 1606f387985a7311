"""The tax table: a rate of a place and a group from a day on.

Reads: what the clerk asks for; rows of `taxes`.
Gives: TaxRows, for billing/tax.py to decide by.
Knows nothing of: who bears which rate.

A rate is never edited once an invoice may have used it: a new one begins on a later day. One that begins
after the last issued invoice may be corrected in place. A place that had no rate may be given one from any
day: its accounts were held, and their month is to be closed by it.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection, RowMapping, delete, func, insert, select

from billing.tax import STANDARD, TaxCategory, TaxRow, check_row
from store import checks
from store.audit import Author, note
from store.errors import Conflict
from store.invoicetables import invoices, taxes
from store.schema import accounts

PERCENT_UNITS = 10_000
"""Rates are kept in 10^-4 percent: 8.875 % is 88750."""


def set_tax(connection: Connection, wish: TaxRow, author: Author) -> TaxRow:
    """Write a rate down; the same again changes nothing. Conflict if an invoice may stand on another one."""
    place, group = checks.tax_place("place", wish.place), checks.slug("group", wish.group)
    row = check_row(replace(wish, place=place, group=group))
    table = tax_rows(connection)
    known = {each.valid_from: each for each in table if _key(each) == _key(row)}
    before = known.get(row.valid_from)
    if before == row:
        return row
    billed_to = _billed_to(connection, row, table)
    if billed_to is not None and row.valid_from < billed_to:
        problem = f"invoices are issued up to {billed_to}, and the rate would have held from {row.valid_from}"
        raise Conflict(
            "from", problem, f"let it begin on {billed_to} or later; credit what was taxed wrongly"
        )
    if before is not None:
        same = (taxes.c.place == row.place, taxes.c.tax_group == row.group)
        connection.execute(delete(taxes).where(*same, taxes.c.valid_from == row.valid_from))
    decided = {"decided_at": author.at, "decided_by": author.name}
    connection.execute(insert(taxes), {**_values(row), **decided})
    old = {} if before is None else _told(before)
    note(connection, author, "tax.set", f"{row.place} {row.group}", before=old, after=_told(row))
    return row


def tax_rows(connection: Connection) -> tuple[TaxRow, ...]:
    """The whole table, by place, group and day."""
    wanted = select(taxes).order_by(taxes.c.place, taxes.c.tax_group, taxes.c.valid_from)
    return tuple(_row_of(row) for row in connection.execute(wanted).mappings())


def _billed_to(connection: Connection, wish: TaxRow, table: Sequence[TaxRow]) -> date | None:
    """The day up to which an invoice may stand on another rate than this one; None if none can.

    Without a rate an account of that place was held, unless there were no rates at all: then none was taken.
    """
    newest = select(func.max(invoices.c.end_day)).where(invoices.c.kind == "invoice")
    billed_to: date | None = connection.execute(newest).scalar_one()
    if billed_to is None:
        return None
    later = (
        each.valid_from for each in table if _key(each) == _key(wish) and each.valid_from > wish.valid_from
    )
    until = min(later, default=billed_to)
    stood_in = ((wish.place, wish.group), (wish.place, STANDARD))
    if not table or any(_key(each) in stood_in and each.valid_from < until for each in table):
        return billed_to
    of_place = newest.join(accounts, accounts.c.id == invoices.c.account_id)
    theirs: date | None = connection.execute(of_place.where(accounts.c.tax_place == wish.place)).scalar_one()
    return theirs


def _key(row: TaxRow) -> tuple[str, str]:
    return row.place, row.group


def _told(row: TaxRow) -> dict[str, object]:
    values: dict[str, object] = {**_values(row), "percent": f"{row.percent:f}"}
    del values["percent_units"]
    return values


def _values(row: TaxRow) -> dict[str, str | int | bool | date]:
    return {
        "place": row.place,
        "tax_group": row.group,
        "valid_from": row.valid_from,
        "percent_units": int(row.percent * PERCENT_UNITS),
        "label": row.label,
        "category": row.category.value,
        "reverse_charge": row.reverse_charge,
        "text": row.text,
    }


def _row_of(row: RowMapping) -> TaxRow:
    return TaxRow(
        place=row["place"],
        group=row["tax_group"],
        valid_from=row["valid_from"],
        percent=Decimal(row["percent_units"]) / PERCENT_UNITS,
        label=row["label"],
        category=TaxCategory(row["category"]),
        reverse_charge=row["reverse_charge"],
        text=row["text"],
    )

"""`dialback cdr`: finished legs, how long they were and what they cost.

Reads: call records in the store.
Gives: the click group `cdr`.
Knows nothing of: SQL, prices.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import rich_click as click

from staff.desk import Desk, is_called_alone, pass_desk, say
from staff.discretion import seen
from staff.inputs import Count, rows_output_option, together
from staff.listing import Row, amount, decimal_amount, show_rows
from staff.ranges import ends_from, ends_options

if TYPE_CHECKING:
    from store.cdrs import CallRecord
    from store.creditnotes import CreditNote
    from store.database import Connection

LAST = 10
LISTED = (
    "time",
    "role",
    "number",
    "destination",
    "disposition",
    "length",
    "talk_seconds",
    "charged_seconds",
    "billed_seconds",
    "amount",
    "credited",
    "net",
    "currency",
    "account",
    "leg",
)
SPARE = (
    *("talk_seconds", "account", "disposition", "role", "destination", "currency", "length"),
    "charged_seconds",
)
OF_CREDITS = ("credited", "net")
"""The most dispensable where nothing was given back."""


filters = together(
    click.option("--account", "account_id", metavar="ACCOUNT", help="Only this account's."),
    click.option("--callback", "callback_id", metavar="ID", help="Only this callback's."),
    ends_options(begins="Callbacks that ended from then on.", ends="Callbacks that ended before then."),
    click.option(
        "--last",
        type=Count(),
        is_flag=False,
        flag_value=LAST,
        metavar="[N]",
        help=f"Only the latest N legs; {LAST} without a number.",
    ),
    rows_output_option,
    pass_desk,
)
"""The options of both `dialback cdr` and `dialback cdr list`."""


@click.group(invoke_without_command=True, epilog="Example: dialback cdr --last 20")
@filters
def cdr(desk: Desk, **wanted: Any) -> None:
    """Call records: every finished leg, its seconds and its price, oldest first.

    `length` and `talk seconds` run from answer to end. `charged seconds` are those of them that the plan
    charges: of an A-leg, by most plans, from the first key on; `explain` shows the instants. `billed seconds`
    are what the increments make of those. `credited` was given back of that leg, and `net` is what is left of
    its amount; what was given back of a whole callback is in `callback show`, and named below the table.
    """
    if is_called_alone():
        _list(desk, **wanted)


@cdr.command("list", epilog="Example: dialback cdr list --account acme --from 2026-03-01 --output csv")
@filters
def list_(desk: Desk, **wanted: Any) -> None:
    """List finished legs, oldest first; what its columns say stands in `dialback cdr --help`."""
    _list(desk, **wanted)


def _list(
    desk: Desk,
    *,
    account_id: str | None,
    callback_id: str | None,
    since: datetime | None,
    until: datetime | None,
    zone: str | None,
    last: int | None,
    output: str,
) -> None:
    since, until = ends_from(desk, since, until, zone, account_id)
    rows, whole = desk.read(
        "list cdrs",
        _records,
        account_id=account_id,
        callback_id=callback_id,
        since=since,
        until=until,
        last=last,
    )
    seen_rows = seen(desk, rows, action="cdr.read", subject=callback_id or account_id or "")
    is_credited = any(row["net"] != row["amount"] for row in rows)
    spare = (*SPARE, "credited") if is_credited else (*OF_CREDITS, *SPARE)
    show_rows(seen_rows, LISTED, output, spare=spare, none="There is no call record.")
    for note in whole:
        told = f"{amount(note.units, note.currency)} {note.currency} by {note.number}"
        say(f"Given back of callback {note.callback_id} as a whole: {told}")


def _records(
    connection: Connection,
    *,
    account_id: str | None,
    callback_id: str | None,
    since: datetime | None,
    until: datetime | None,
    last: int | None,
) -> tuple[list[Row], list[CreditNote]]:
    """The rows, and what was given back of their callbacks, but of no single leg."""
    from store import callbacks, cdrs, creditnotes, customers

    # A name that does not exist is an error, not an empty list.
    if account_id is not None:
        customers.account(connection, account_id)
    if callback_id is not None:
        callbacks.load(connection, callback_id)
    found = cdrs.list_cdrs(
        connection, account_id=account_id, callback_id=callback_id, since=since, until=until, last=last
    )
    currencies = {each.id: each.currency for each in customers.list_accounts(connection)}
    shown = {each.cdr.callback_id for each in found}
    since = min((each.requested_at for each in found), default=None)
    notes = creditnotes.list_credit_notes(
        connection, account_id=account_id, callback_id=callback_id, since=since
    )
    whole = [each for each in notes if each.callback_id in shown and not each.leg_id]
    return [_line(record, currencies[record.account_id]) for record in found], whole


def _line(record: CallRecord, currency: str) -> Row:
    from billing.printed import duration
    from rating.price import talk_seconds

    cdr, charge = record.cdr, record.charge
    talked = talk_seconds(cdr.answered_at, cdr.hung_up_at)
    return {
        "time": cdr.invited_at,
        "role": cdr.role,
        "number": cdr.number,
        "destination": "" if charge is None else charge.destination,
        "disposition": cdr.disposition,
        "length": duration(talked),
        "talk_seconds": talked,
        "charged_seconds": 0 if charge is None else charge.talk_seconds,
        "billed_seconds": 0 if charge is None else charge.billed_seconds,
        "amount": decimal_amount(record.amount, currency),
        "credited": decimal_amount(record.credited, currency),
        "net": decimal_amount(record.net, currency),
        "currency": currency,
        "account": record.account_id,
        "leg": cdr.leg_id,
    }

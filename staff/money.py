"""What all commands that move money share: their options, how an amount is read, what is shown of an act.

Reads: words of the command line; an Outcome of the store.
Gives: click options; a record with the entry and the balance after it.
Knows nothing of: single acts.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from staff.desk import Desk, say
from staff.listing import amount, show_record

if TYPE_CHECKING:
    from moneyed import Money

    from store.acts import Outcome
    from store.database import Connection

Command = TypeVar("Command", bound=Callable[..., Any])


def reference_option(command: Command) -> Command:
    """Add --reference, which makes a command that is given twice happen once."""
    return click.option(
        "--reference",
        required=True,
        help="Names this act once for the account: given again with the same words it changes nothing.",
    )(command)


def own_money(connection: Connection, account_id: str, text: str, currency: str | None = None) -> Money:
    """The amount that `text` says, in the account's currency or in another that is named."""
    from store import customers
    from values.money import money

    return money(text, currency or customers.account(connection, account_id).currency)


def paid_money(connection: Connection, account_id: str, text: str, currency: str | None = None) -> Money:
    """The same of money that changes hands: nobody pays a part of a cent."""
    from values.money import AmountRefused, minor_digits

    said = own_money(connection, account_id, text, currency)
    code = said.currency.code
    digits = minor_digits(code)
    if said.amount != round(said.amount, digits):
        raise AmountRefused("amount", text, f"write at most {digits} decimals, as money in {code} has")
    return said


def show_outcome(desk: Desk, account_id: str, outcome: Outcome, output: str) -> None:
    """Print what an act came to, and say so if it had been done before."""
    record = desk.read("read balance", record_of, account_id, outcome)
    if not outcome.is_new:
        say(f"{outcome.entry.reference!r} is in the books already; nothing was changed.")
    show_record(record, output)


def record_of(connection: Connection, account_id: str, outcome: Outcome) -> dict[str, object]:
    """The entry of an act, its effect on the account, and the balance now."""
    from store import customers, ledger

    currency = customers.account(connection, account_id).currency
    column = ledger.receivable(account_id)
    units = sum(each.units for each in outcome.entry.postings if each.ledger_account == column)
    return {
        "entry": outcome.entry.id,
        "kind": outcome.entry.kind,
        "account": account_id,
        "reference": outcome.entry.reference,
        "amount": amount(units, currency),
        "currency": currency,
        "reason": outcome.entry.reason,
        "balance": amount(ledger.standing(connection, account_id).posted_units, currency),
    }

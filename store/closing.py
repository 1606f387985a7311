"""The end of an account: nothing owed on either side, nobody on the telephone, nothing left that opens it.

Reads: the account, its books, what is under way.
Gives: the closed account; refusals that say what is still open and what to do about it.
Knows nothing of: how credit is given back, but for the commands that do it.
"""

from moneyed import Money
from sqlalchemy import Connection, select

from calls.admission import AccountState
from store import ledger
from store.accounts import Account, account, set_account_state
from store.apikeys import list_api_keys, revoke_api_key
from store.audit import Author
from store.errors import Conflict
from store.numbers import list_numbers, remove_number
from store.options import end_option, list_options
from store.payments import refundable_units, write_off
from store.schema import callbacks
from values.money import AMOUNT_SCALE, decimal_from_units, minor_digits, plain_decimal

_ACT = "--reference YOURS --reason WHY"
"""What a person has to add to those commands."""


def close_account(
    connection: Connection, account_id: str, author: Author, *, write_off_as: str | None = None
) -> Account:
    """Close an account whose balance is 0: its numbers are free for others, its keys open nothing.

    With `write_off_as`, a reference, what it owes is written off first, in the same transaction.
    Its books, records and invoices stay. Its personal DIDs stay in service and ring for nobody.
    """
    known = account(connection, account_id)
    if known.state is AccountState.CLOSED:
        return known
    owed = -ledger.standing(connection, account_id, for_update=True).posted_units
    if write_off_as is not None and owed > 0:
        write_off(
            connection, account_id, Money(decimal_from_units(owed), known.currency), write_off_as, author
        )
    _refuse_unsettled(connection, known)
    _let_go(connection, account_id, author)
    return set_account_state(connection, account_id, AccountState.CLOSED, author)


def _refuse_unsettled(connection: Connection, known: Account) -> None:
    stand = ledger.standing(connection, known.id, for_update=True)
    if _is_busy(connection, known.id) or stand.pending_units:
        problem = f"{known.id!r} has callbacks under way"
        raise Conflict("account", problem, "suspend it, and close it when they have ended")
    owed = f"{decimal_from_units(abs(stand.posted_units)):f} {known.currency}"
    if stand.posted_units < 0:
        raise Conflict("balance", f"{known.id!r} owes {owed}", "take the payment, or write it off")
    if stand.posted_units > 0:
        raise Conflict("balance", f"{known.id!r} is owed {owed}", _given_back_by(connection, known))


def _given_back_by(connection: Connection, known: Account) -> str:
    """The commands that bring the balance to 0: money goes back, credit that was given lapses."""
    credit = ledger.standing(connection, known.id).posted_units
    digits = minor_digits(known.currency)
    cent = 10 ** (AMOUNT_SCALE - digits)  # nobody is paid a part of one
    refunded = refundable_units(connection, known.id) // cent * cent
    told: list[str] = []
    if refunded:
        amount = plain_decimal(decimal_from_units(refunded), digits)
        told.append(f"give it back: `dialback refund add {known.id} {amount} {_ACT}`")
    if credit > refunded:
        amount = plain_decimal(decimal_from_units(credit - refunded))
        lapses = "let what was given and never paid in lapse: `dialback ledger adjust"
        told.append(f"{lapses} {known.id} -{amount} {_ACT}`")
    return "; ".join(told)


def _is_busy(connection: Connection, account_id: str) -> bool:
    live = select(callbacks.c.id).where(callbacks.c.account_id == account_id, callbacks.c.ended_at.is_(None))
    return connection.execute(live.limit(1)).first() is not None


def _let_go(connection: Connection, account_id: str, author: Author) -> None:
    for number in list_numbers(connection):
        if number.account_id == account_id:
            remove_number(connection, number.number, author)
    for key in list_api_keys(connection, account_id):
        if key.revoked_at is None:
            revoke_api_key(connection, key.id, author)
    for option in list_options(connection, account_id):
        if option.ends_on is None:
            end_option(connection, option.id, max(author.at.date(), option.starts_on), author)

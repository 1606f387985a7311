"""What a closed account lets go: its numbers, its keys, its options.

Reads: what the account has.
Gives: the same taken away or ended, each noted; done again it changes nothing.
Knows nothing of: who closes it: a person (store/closing.py), or dunning at its end (store/dunning.py).
"""

from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from store.accounts import Account
from store.apikeys import list_api_keys, revoke_api_key
from store.audit import Author
from store.numbers import list_numbers, remove_number
from store.options import end_option, list_options


def let_go(connection: Connection, owner: Account, author: Author) -> None:
    """Free the account's numbers for others, close its keys, and end its options today."""
    for number in list_numbers(connection):
        if number.account_id == owner.id:
            remove_number(connection, number.number, author)
    for key in list_api_keys(connection, owner.id):
        if key.revoked_at is None:
            revoke_api_key(connection, key.id, author)
    today = author.at.astimezone(ZoneInfo(owner.zone)).date()
    for option in list_options(connection, owner.id):
        ends_on = max(today, option.starts_on)
        if option.ends_on is None or option.ends_on > ends_on:
            end_option(connection, option.id, ends_on, author)

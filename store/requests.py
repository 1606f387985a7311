"""What a request over the web needs to know and to lock, besides admission itself.

Reads: rows of `api_keys`, `subscribers`, `numbers`.
Gives: the lock on a key, the countries whose habits an account's numbers follow.
Knows nothing of: HTTP; who is admitted (store/admissions.py).
"""

from sqlalchemy import Connection, bindparam, select

from store.schema import api_keys, callbacks, numbers, subscribers
from values.e164 import E164


def lock_api_key(connection: Connection, key_id: str) -> bool:
    """Let the requests of one key come one after another in this transaction; False if it was revoked.

    Two requests with one Idempotency-Key would otherwise both find that none came before. On SQLite there is
    only one writing transaction anyway.
    """
    return connection.execute(LOCK_KEY, {"key_id": key_id}).first() is not None


def lock_callback(connection: Connection, callback_id: str, account_id: str) -> bool:
    """Keep a callback as it is until this transaction ends; False if the account has none of that id."""
    row = connection.execute(LOCK_CALLBACK, {"callback_id": callback_id, "account_id": account_id}).first()
    return row is not None


def home_countries(connection: Connection, account_id: str) -> tuple[str, ...]:
    """The home countries of the account's subscribers, each once, in order."""
    return tuple(connection.execute(HOME_COUNTRIES, {"account_id": account_id}).scalars())


def home_country_of(connection: Connection, account_id: str, number: E164) -> str | None:
    """The home country of the account's subscriber who has this number; None if nobody of it has."""
    found = connection.execute(HOME_COUNTRY, {"account_id": account_id, "number": str(number)})
    country: str | None = found.scalar_one_or_none()
    return country


LOCK_KEY = (
    select(api_keys.c.id)
    .where(api_keys.c.id == bindparam("key_id"), api_keys.c.revoked_at.is_(None))
    .with_for_update()
)
LOCK_CALLBACK = (
    select(callbacks.c.id)
    .where(callbacks.c.id == bindparam("callback_id"), callbacks.c.account_id == bindparam("account_id"))
    .with_for_update()
)
HOME_COUNTRIES = (
    select(subscribers.c.home_country)
    .where(subscribers.c.account_id == bindparam("account_id"))
    .distinct()
    .order_by(subscribers.c.home_country)
)
HOME_COUNTRY = (
    select(subscribers.c.home_country)
    .join(numbers, numbers.c.subscriber_id == subscribers.c.id)
    .where(subscribers.c.account_id == bindparam("account_id"), numbers.c.e164 == bindparam("number"))
)

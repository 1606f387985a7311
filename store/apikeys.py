"""API keys and the requests that were made with them.

Reads: secrets made by the composition root; rows of `api_keys` and `idempotency_keys`.
Gives: ApiKey for a secret that is known; the callback of a request that came before.
Knows nothing of: HTTP.

Only the SHA-256 of a secret is kept. A secret is 128 random bits or more, so a slow hash adds nothing.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from store import checks
from store.audit import Author, note
from store.errors import Conflict, Invalid, NotFound
from store.schema import accounts, api_keys, idempotency_keys

SECRET_CHARACTERS_MIN = 22
"""128 bits in base 64."""
KEY_CHARACTERS_MAX = 255
KEPT = timedelta(days=7)
"""The least time for which a repeated request is recognised: senders try again for days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key of an account; its secret was shown once and is not known here."""

    id: str
    account_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


def add_api_key(
    connection: Connection,
    *,
    id: str,  # noqa: A002 - its column
    account_id: str,
    name: str,
    secret: str,
    author: Author,
) -> ApiKey:
    """Write down the hash of a new secret."""
    checks.line("name", name)
    if len(secret) < SECRET_CHARACTERS_MIN:
        raise Invalid("secret", "it is too short", f"draw at least {SECRET_CHARACTERS_MIN} characters")
    if connection.execute(select(accounts.c.id).where(accounts.c.id == account_id)).first() is None:
        raise NotFound("account", f"there is no account {account_id!r}", "see `dialback account list`")
    made = ApiKey(id=id, account_id=account_id, name=name, created_at=author.at, revoked_at=None)
    row = {"id": id, "account_id": account_id, "name": name, "created_at": author.at}
    connection.execute(insert(api_keys), {**row, "secret_hash": _hash(secret)})
    note(connection, author, "apikey.add", id, after=row)
    return made


def api_key_of(connection: Connection, secret: str) -> ApiKey | None:
    """The key whose secret this is; None if there is none, or it was revoked."""
    row = connection.execute(FIND, {"secret_hash": _hash(secret)}).mappings().first()
    return None if row is None else ApiKey(**row)


def list_api_keys(connection: Connection, account_id: str | None = None) -> tuple[ApiKey, ...]:
    """The keys of an account, or all, the oldest first."""
    wanted = select(*_SHOWN).order_by(api_keys.c.created_at)
    if account_id is not None:
        wanted = wanted.where(api_keys.c.account_id == account_id)
    return tuple(ApiKey(**row) for row in connection.execute(wanted).mappings())


def revoke_api_key(connection: Connection, key_id: str, author: Author) -> None:
    """Let a key open nothing any more."""
    revoked = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    if connection.execute(revoked, {"revoked_at": author.at}).rowcount != 1:
        raise NotFound("api key", f"there is no key {key_id!r} in use", "see `dialback api-key list`")
    note(connection, author, "apikey.revoke", key_id)


def earlier_request(connection: Connection, *, api_key_id: str, key: str, request_hash: str) -> str | None:
    """The callback of the same request made before, None for a new one; Conflict for another one."""
    row = connection.execute(FIND_REQUEST, {"key_id": api_key_id, "request_key": key}).first()
    if row is None:
        return None
    if row.request_hash != request_hash:
        problem = "this key came with another request before"
        raise Conflict("Idempotency-Key", problem, "send a new key with a new request")
    callback_id: str = row.callback_id
    return callback_id


def note_request(
    connection: Connection, *, api_key_id: str, key: str, request_hash: str, callback_id: str, at: datetime
) -> None:
    """Remember a request by its key, in the transaction that makes its callback."""
    if not 0 < len(key) <= KEY_CHARACTERS_MAX:
        raise Invalid(
            "Idempotency-Key", "it is empty or too long", f"send 1 to {KEY_CHARACTERS_MAX} characters"
        )
    row = {"api_key_id": api_key_id, "key": key, "request_hash": request_hash}
    connection.execute(INSERT_REQUEST, {**row, "callback_id": callback_id, "created_at": at})


def forget_requests(connection: Connection, now: datetime) -> int:
    """Forget requests older than 7 days; how many they were."""
    old = delete(idempotency_keys).where(idempotency_keys.c.created_at < now - KEPT)
    return connection.execute(old).rowcount


_SHOWN = (
    api_keys.c.id,
    api_keys.c.account_id,
    api_keys.c.name,
    api_keys.c.created_at,
    api_keys.c.revoked_at,
)
FIND = select(*_SHOWN).where(
    api_keys.c.secret_hash == bindparam("secret_hash"), api_keys.c.revoked_at.is_(None)
)
FIND_REQUEST = select(idempotency_keys.c.request_hash, idempotency_keys.c.callback_id).where(
    idempotency_keys.c.api_key_id == bindparam("key_id"), idempotency_keys.c.key == bindparam("request_key")
)
INSERT_REQUEST = insert(idempotency_keys)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()

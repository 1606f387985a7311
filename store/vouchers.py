"""Vouchers as rows: batches made at once, each voucher redeemed once, few wrong tries a day.

Reads: fingerprints of secrets (billing/voucher.py); an Author.
Gives: Batch, Voucher; Redeemed, or a VoucherRefusal as a value, for a wrong try must stay written down.
Knows nothing of: the secrets themselves; they are exported once, when a batch is made.

A voucher is taken by one UPDATE that finds it new, so that of two who redeem it at the same moment one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from billing.acts import voucher_redeemed
from billing.voucher import VoucherRefusal
from calls.admission import AccountState
from store import acts, checks, dunning, ledger
from store.accounts import account
from store.acts import Outcome
from store.audit import Author, note
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.moneytables import voucher_batches, voucher_tries, vouchers
from values.money import from_units

BATCH_MAX = 10_000
TRIES_MAX = 5
"""Wrong secrets for one account in TRIES_WITHIN: with 10^15 secrets nobody guesses one."""
TRIES_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Vouchers that were made together: `count` of them, worth `units` each until `expires_at`."""

    id: str
    currency: str
    units: int
    count: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Voucher:
    """One voucher by its serial, which is no secret."""

    serial: str
    batch_id: str
    currency: str
    units: int
    expires_at: datetime
    state: str
    account_id: str | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeemed:
    """A voucher that was credited to an account."""

    voucher: Voucher
    outcome: Outcome


def serials(batch: Batch) -> tuple[str, ...]:
    """The serials of a batch, in order."""
    return tuple(f"{batch.id}-{number:05d}" for number in range(1, batch.count + 1))


def find_batch(connection: Connection, wish: Batch) -> bool:
    """Whether this very batch was made before; Conflict if another one has its name."""
    checks.slug("batch", wish.id)
    checks.currency("currency", wish.currency)
    checks.amount("amount", wish.units, wish.currency, least=1)
    checks.whole("count", wish.count, 1, BATCH_MAX)
    row = (
        connection.execute(select(voucher_batches).where(voucher_batches.c.id == wish.id)).mappings().first()
    )
    if row is None:
        return False
    if wish != Batch(**{name: row[name] for name in ("id", "currency", "units", "count", "expires_at")}):
        raise Conflict("batch", f"{wish.id!r} was made with other terms", "give this one another name")
    return True


def check_batch(connection: Connection, batch_id: str) -> None:
    """Return if a batch of that name was made; NotFound otherwise."""
    named = select(voucher_batches.c.id).where(voucher_batches.c.id == batch_id)
    if connection.execute(named).first() is None:
        raise NotFound("batch", f"there is no batch {batch_id!r}", "write it as `voucher make` was given it")


def add_batch(connection: Connection, wish: Batch, fingerprints: Sequence[str], author: Author) -> bool:
    """Write down a new batch; False if it was made before, and then these fingerprints are not used."""
    if wish.expires_at <= author.at:
        raise Invalid("expires", f"{wish.expires_at:%Y-%m-%d} is past", "name a day to come")
    if find_batch(connection, wish):
        return False
    terms = {
        "currency": wish.currency,
        "units": wish.units,
        "count": wish.count,
        "expires_at": wish.expires_at,
    }
    row = {
        "id": wish.id,
        **terms,
        "reason": author.reason,
        "created_at": author.at,
        "created_by": author.name,
    }
    connection.execute(insert(voucher_batches), row)
    connection.execute(
        insert(vouchers),
        [
            {"serial": serial, "batch_id": wish.id, "secret_hash": secret_hash, "state": "new"}
            for serial, secret_hash in zip(serials(wish), fingerprints, strict=True)
        ],
    )
    note(connection, author, "voucher.make", wish.id, after=terms)
    return True


def redeem(
    connection: Connection, account_id: str, secret_hash: str, author: Author
) -> Redeemed | VoucherRefusal:
    """Credit a voucher to an account, once; a wrong one is counted, and too many lock the account's tries."""
    owner = account(connection, account_id)
    ledger.lock(connection, account_id)
    if owner.state is AccountState.CLOSED:
        raise Forbidden("account", f"{account_id!r} is closed", "redeem it for an open account")
    if _tries(connection, account_id, author.at) >= TRIES_MAX:
        return VoucherRefusal.LOCKED
    row = connection.execute(FIND, {"secret_hash": secret_hash}).mappings().first()
    if row is None:
        return _wrong(connection, account_id, author, VoucherRefusal.UNKNOWN)
    found = _voucher_of(row)
    act = acts.act_of(account_id, f"voucher {found.serial}", author)
    worth = from_units(found.units, found.currency)
    if not _is_own_again(found, account_id):
        refusal = _refusal(found, owner.currency, author.at)
        if refusal is not None:
            return _wrong(connection, account_id, author, refusal)
        entry = voucher_redeemed(act, worth)
        if not _take(connection, found.serial, account_id, author.at):
            return _wrong(connection, account_id, author, VoucherRefusal.USED)
        said = {"currency": found.currency, "units": found.units}
        outcome = acts.perform(
            connection, act, lambda: entry, action="voucher.redeem", said=said, author=author
        )
        connection.execute(
            update(vouchers).where(vouchers.c.serial == found.serial), {"entry_id": outcome.entry.id}
        )
        dunning.relieve(connection, account_id, author)
        return Redeemed(voucher=voucher(connection, found.serial), outcome=outcome)
    entry = ledger.entry(connection, voucher_redeemed(act, worth).id)
    return Redeemed(voucher=found, outcome=Outcome(entry=entry, is_new=False))


def withdraw(connection: Connection, serial: str, author: Author) -> Voucher:
    """Let a voucher be worth nothing, such as one that was stolen; Conflict if it was redeemed."""
    before = voucher(connection, serial)
    if before.state == "void":
        return before
    done = connection.execute(
        update(vouchers).where(vouchers.c.serial == serial, vouchers.c.state == "new"),
        {"state": "void", "ended_at": author.at},
    )
    if done.rowcount != 1:
        raise Conflict(
            "voucher", f"{serial!r} was redeemed by {before.account_id}", "correct the account's balance"
        )
    note(connection, author, "voucher.void", serial, before={"state": before.state}, after={"state": "void"})
    return voucher(connection, serial)


def voucher(connection: Connection, serial: str) -> Voucher:
    """The voucher of that serial; NotFound if there is none."""
    row = connection.execute(SHOWN.where(vouchers.c.serial == serial)).mappings().first()
    if row is None:
        raise NotFound("voucher", f"there is no voucher {serial!r}", "see `dialback voucher list`")
    return _voucher_of(row)


def list_vouchers(
    connection: Connection,
    *,
    batch_id: str | None = None,
    account_id: str | None = None,
    state: str | None = None,
) -> tuple[Voucher, ...]:
    """Vouchers that fit every filter, by serial."""
    wanted = SHOWN.order_by(vouchers.c.serial)
    for column, value in (
        (vouchers.c.batch_id, batch_id),
        (vouchers.c.account_id, account_id),
        (vouchers.c.state, state),
    ):
        if value is not None:
            wanted = wanted.where(column == value)
    return tuple(_voucher_of(row) for row in connection.execute(wanted).mappings())


SHOWN = select(
    vouchers.c.serial,
    vouchers.c.batch_id,
    voucher_batches.c.currency,
    voucher_batches.c.units,
    voucher_batches.c.expires_at,
    vouchers.c.state,
    vouchers.c.account_id,
    vouchers.c.ended_at,
).select_from(vouchers.join(voucher_batches, voucher_batches.c.id == vouchers.c.batch_id))
FIND = SHOWN.where(vouchers.c.secret_hash == bindparam("secret_hash"))


def _is_own_again(found: Voucher, account_id: str) -> bool:
    """Whether this account redeemed it before: told again, it is not redeemed again."""
    return found.state == "redeemed" and found.account_id == account_id


def _refusal(found: Voucher, currency: str, at: datetime) -> VoucherRefusal | None:
    if found.state == "redeemed":
        return VoucherRefusal.USED
    if found.state == "void":
        return VoucherRefusal.VOID
    if at >= found.expires_at:
        return VoucherRefusal.EXPIRED
    return VoucherRefusal.OTHER_CURRENCY if found.currency != currency else None


def _take(connection: Connection, serial: str, account_id: str, at: datetime) -> bool:
    done = connection.execute(
        update(vouchers).where(vouchers.c.serial == serial, vouchers.c.state == "new"),
        {"state": "redeemed", "account_id": account_id, "ended_at": at},
    )
    return done.rowcount == 1


def _tries(connection: Connection, account_id: str, at: datetime) -> int:
    wanted = select(func.count()).where(
        voucher_tries.c.account_id == account_id, voucher_tries.c.at > at - TRIES_WITHIN
    )
    return int(connection.execute(wanted).scalar_one())


def _wrong(
    connection: Connection, account_id: str, author: Author, refusal: VoucherRefusal
) -> VoucherRefusal:
    connection.execute(insert(voucher_tries), {"account_id": account_id, "at": author.at})
    return refusal


def _voucher_of(row: RowMapping) -> Voucher:
    return Voucher(**row)

"""The books as rows: entries, balances kept beside them, holds.

Reads: billing.ledger Entries, billing.holds Holds.
Gives: what an account may still spend, read under its lock; entries and holds, each written once.
Knows nothing of: what a call costs, why an entry is made.

Two callbacks of one account never see the same credit: whoever asks `for_update` has the account's row to
itself until its transaction ends (SQLite: the only writing transaction there is).
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite

from billing.holds import Hold, HoldState, OverLimit, Standing, open_hold, raise_hold
from billing.ledger import OF_CALLS, Entry, EntryKind, LedgerAccount, LedgerAccountKind, Posting
from calls.callback import Callback
from store.columns import UtcMicros
from store.errors import Conflict, NotFound
from store.invoicetables import invoices
from store.schema import accounts, entries, holds, ledger_accounts, postings

__all__ = [
    "OverLimit",
    "available",
    "balance_units",
    "end_hold",
    "entry",
    "expire_hold",
    "hold",
    "hold_of",
    "list_entries",
    "lock",
    "moved_units",
    "open_holds",
    "post",
    "post_all",
    "post_hold",
    "standing",
    "void_hold",
]

# what may be spent


def available(connection: Connection, account_id: str, *, for_update: bool = False) -> int:
    """Posted minus pending plus the credit limit, in 10^-4 units; NotFound without such an account."""
    return standing(connection, account_id, for_update=for_update).available_units


def lock(connection: Connection, account_id: str) -> None:
    """Keep others from this account's money until the transaction ends."""
    if connection.dialect.name != "sqlite":
        connection.execute(LOCK, {"account_id": account_id})


def standing(connection: Connection, account_id: str, *, for_update: bool = False) -> Standing:
    """The three parts of what is available. `for_update` keeps others away until the transaction ends."""
    if for_update:
        # A statement of its own: what is read together with the lock was seen before the lock was granted.
        lock(connection, account_id)
    named = {"account_id": account_id, "ledger_account_id": str(receivable(account_id))}
    row = connection.execute(STANDING, named).first()
    if row is None:
        raise NotFound("account", f"there is no account {account_id!r}", "see `dialback account list`")
    return Standing(
        posted_units=row.posted_units or 0,
        pending_units=int(row.pending_units),
        credit_limit_units=row.credit_limit_units,
    )


def balance_units(connection: Connection, ledger_account: LedgerAccount, currency: str) -> int:
    """The posted balance of a column in the books; positive is in its favour."""
    named = {"ledger_account_id": str(ledger_account), "currency": currency}
    return connection.execute(BALANCE, named).scalar() or 0


def moved_units(connection: Connection, account_id: str, kinds: Iterable[EntryKind]) -> int:
    """What entries of these kinds did to an account's balance, all together."""
    wanted = (
        select(func.coalesce(func.sum(postings.c.units), 0))
        .select_from(postings.join(entries, entries.c.id == postings.c.entry_id))
        .where(postings.c.ledger_account_id == str(receivable(account_id)))
        .where(entries.c.kind.in_([kind.value for kind in kinds]))
    )
    return int(connection.execute(wanted).scalar_one())


def receivable(account_id: str) -> LedgerAccount:
    """The column of an account."""
    return LedgerAccount(kind=LedgerAccountKind.RECEIVABLE, owner=account_id)


# entries


def post(connection: Connection, made: Entry) -> bool:
    """Write an entry and move the balances; False if it is there already, Conflict if it says otherwise.

    The entry's own rules hold since it exists; the database forbids ever changing it.
    """
    known = _entry(connection, made.id)
    if known is not None:
        if (known.kind, known.reference, known.postings) != (made.kind, made.reference, made.postings):
            problem = f"{made.id!r} is in the books with other postings, such as another amount"
            raise Conflict("entry", problem, "see `dialback ledger show`, or give this one another reference")
        return False
    if made.kind not in OF_CALLS:
        _refuse_closed(connection, made)
    connection.execute(
        INSERT_ENTRY,
        {
            "id": made.id,
            "kind": made.kind.value,
            "at": made.at,
            "reference": made.reference,
            "reason": made.reason,
        },
    )
    rows = [
        {
            "entry_id": made.id,
            "position": position,
            "ledger_account_id": str(posting.ledger_account),
            "currency": posting.currency,
            "units": posting.units,
        }
        for position, posting in enumerate(made.postings)
    ]
    _move_balances(connection, made.postings)
    connection.execute(INSERT_POSTING, rows)
    return True


def _refuse_closed(connection: Connection, made: Entry) -> None:
    """Refuse what is dated into a month that is on an issued invoice: its sums are said and stay."""
    for owner in {each.ledger_account.owner for each in made.postings if _is_receivable(each)}:
        ends_at = connection.execute(CLOSED_UNTIL, {"account_id": owner}).scalar()
        if ends_at is not None and made.at < ends_at:
            problem = f"account {owner!r} is invoiced up to {ends_at:%Y-%m-%dT%H:%M:%SZ}"
            raise Conflict("at", problem, "date it later, such as today, and name its day in the reference")


def _is_receivable(posting: Posting) -> bool:
    return posting.ledger_account.kind is LedgerAccountKind.RECEIVABLE


def post_all(connection: Connection, made: Sequence[Entry]) -> None:
    """Write many new entries and move the balances once; none of them may be there already."""
    if not made:
        return
    fields = ("id", "kind", "at", "reference", "reason")
    connection.execute(INSERT_ENTRY, [{name: getattr(each, name) for name in fields} for each in made])
    _move_balances(connection, [posting for each in made for posting in each.postings])
    rows = [
        {
            "entry_id": each.id,
            "position": position,
            "ledger_account_id": str(posting.ledger_account),
            "currency": posting.currency,
            "units": posting.units,
        }
        for each in made
        for position, posting in enumerate(each.postings)
    ]
    connection.execute(INSERT_POSTING, rows)


def entry(connection: Connection, entry_id: str) -> Entry:
    """The entry of that id; NotFound if there is none."""
    found = _entry(connection, entry_id)
    if found is None:
        raise NotFound("entry", f"there is no entry {entry_id!r}", "see `dialback ledger show`")
    return found


def list_entries(
    connection: Connection,
    *,
    account_id: str | None = None,
    kind: EntryKind | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Entry, ...]:
    """Entries that fit every filter given, in order of time; `until` is exclusive."""
    wanted = select(entries).order_by(entries.c.at, entries.c.id)
    if account_id is not None:
        touching = select(postings.c.entry_id).where(
            postings.c.ledger_account_id == str(receivable(account_id))
        )
        wanted = wanted.where(entries.c.id.in_(touching))
    if kind is not None:
        wanted = wanted.where(entries.c.kind == kind.value)
    if since is not None:
        wanted = wanted.where(entries.c.at >= since)
    if until is not None:
        wanted = wanted.where(entries.c.at < until)
    rows = connection.execute(wanted).mappings().all()
    ids = [row["id"] for row in rows]
    found: dict[str, list[RowMapping]] = {entry_id: [] for entry_id in ids}
    for start in range(0, len(ids), ENTRIES_AT_ONCE):
        some = postings.c.entry_id.in_(ids[start : start + ENTRIES_AT_ONCE])
        of_these = select(postings).where(some).order_by(postings.c.entry_id, postings.c.position)
        for each in connection.execute(of_these).mappings():
            found[each["entry_id"]].append(each)
    return tuple(_entry_of(row, found[row["id"]]) for row in rows)


# holds


def hold(connection: Connection, callback: Callback, units: int, *, at: datetime) -> Hold:
    """Hold `units` for this callback, or raise its hold to them; OverLimit if the account has not so much.

    Doing it twice is doing it once.
    """
    stand = standing(connection, callback.account_id, for_update=True)
    known = hold_of(connection, callback.id)
    if known is None:
        made = open_hold(
            id=callback.id,
            account_id=callback.account_id,
            currency=callback.currency,
            units=units,
            standing=stand,
        )
        connection.execute(INSERT_HOLD, {**_hold_values(made), "opened_at": at})
        return made
    raised = raise_hold(known, units=units, standing=stand)
    if raised != known:
        connection.execute(SAVE_HOLD, {"hold_id": raised.id, **_hold_changing(raised), "ended_at": None})
    return raised


def hold_of(connection: Connection, callback_id: str) -> Hold | None:
    """The hold of a callback in whatever state; None if nothing was ever held for it."""
    row = connection.execute(FIND_HOLD, {"hold_id": callback_id}).mappings().first()
    return None if row is None else _hold_of(row)


def open_holds(connection: Connection, account_id: str | None = None) -> tuple[Hold, ...]:
    """The holds that take from what is available, of one account or all."""
    wanted = select(holds).where(holds.c.state == HoldState.OPEN.value).order_by(holds.c.id)
    if account_id is not None:
        wanted = wanted.where(holds.c.account_id == account_id)
    return tuple(_hold_of(row) for row in connection.execute(wanted).mappings())


def post_hold(connection: Connection, callback_id: str, units: int, *, at: datetime) -> None:
    """End a callback's hold by a charge of `units`, if it had one. HoldEnded if it ended before."""
    known = hold_of(connection, callback_id)
    if known is not None:
        end_hold(connection, known.post(units), at)


def void_hold(connection: Connection, callback_id: str, *, at: datetime) -> None:
    """End a callback's hold without a charge, if it had one. HoldEnded if it ended before."""
    known = hold_of(connection, callback_id)
    if known is not None:
        end_hold(connection, known.void(), at)


def expire_hold(connection: Connection, callback_id: str, *, at: datetime) -> None:
    """End a hold that nobody ended in time. HoldEnded if it ended before."""
    known = hold_of(connection, callback_id)
    if known is not None:
        end_hold(connection, known.expire(), at)


def end_hold(connection: Connection, ended: Hold, at: datetime) -> None:
    """Write the end of a hold down; only an open one can end (billing/holds.py)."""
    connection.execute(SAVE_HOLD, {"hold_id": ended.id, **_hold_changing(ended), "ended_at": at})


# how

CLOSED_UNTIL = select(func.max(invoices.c.ends_at)).where(
    invoices.c.account_id == bindparam("account_id"), invoices.c.kind == "invoice"
)
ENTRIES_AT_ONCE = 500
"""SQLite takes a bounded number of parameters in one statement."""
LOCK = select(accounts.c.id).where(accounts.c.id == bindparam("account_id")).with_for_update()
BALANCE = select(ledger_accounts.c.balance_units).where(
    ledger_accounts.c.id == bindparam("ledger_account_id"),
    ledger_accounts.c.currency == bindparam("currency"),
)
_POSTED = select(ledger_accounts.c.balance_units).where(
    ledger_accounts.c.id == bindparam("ledger_account_id"),
    ledger_accounts.c.currency == accounts.c.currency,
)
# `state` is written out so that both engines see that the partial index of open holds fits.
_PENDING = select(func.coalesce(func.sum(holds.c.units), 0)).where(
    holds.c.account_id == accounts.c.id, holds.c.state == literal_column("'open'")
)
STANDING = select(
    accounts.c.credit_limit_units,
    _POSTED.scalar_subquery().label("posted_units"),
    _PENDING.scalar_subquery().label("pending_units"),
).where(accounts.c.id == bindparam("account_id"))
FIND_ENTRY = select(entries).where(entries.c.id == bindparam("entry_id"))
FIND_POSTINGS = (
    select(postings).where(postings.c.entry_id == bindparam("entry_id")).order_by(postings.c.position)
)
INSERT_ENTRY = insert(entries)
INSERT_POSTING = insert(postings)
FIND_HOLD = select(holds).where(holds.c.id == bindparam("hold_id"))
INSERT_HOLD = insert(holds)
SAVE_HOLD = (
    update(holds)
    .where(holds.c.id == bindparam("hold_id"))
    .values(
        units=bindparam("units"),
        state=bindparam("state"),
        posted_units=bindparam("posted_units"),
        ended_at=bindparam("ended_at", type_=UtcMicros()),
    )
)
_SQLITE_MOVE = sqlite.insert(ledger_accounts)
MOVE_SQLITE = _SQLITE_MOVE.on_conflict_do_update(
    index_elements=["id", "currency"],
    set_={"balance_units": ledger_accounts.c.balance_units + _SQLITE_MOVE.excluded.balance_units},
)
_POSTGRESQL_MOVE = postgresql.insert(ledger_accounts)
MOVE_POSTGRESQL = _POSTGRESQL_MOVE.on_conflict_do_update(
    index_elements=["id", "currency"],
    set_={"balance_units": ledger_accounts.c.balance_units + _POSTGRESQL_MOVE.excluded.balance_units},
)


def _move_balances(connection: Connection, moved: Iterable[Posting]) -> None:
    # In one order always, so that two transactions that touch the same columns cannot wait for each other.
    sums: Counter[tuple[str, str]] = Counter()
    for posting in moved:
        sums[str(posting.ledger_account), posting.currency] += posting.units
    rows = [
        {"id": name, "currency": currency, "balance_units": units} for (name, currency), units in sums.items()
    ]
    rows.sort(key=lambda row: (str(row["id"]), str(row["currency"])))
    connection.execute(MOVE_SQLITE if connection.dialect.name == "sqlite" else MOVE_POSTGRESQL, rows)


def _entry(connection: Connection, entry_id: str) -> Entry | None:
    row = connection.execute(FIND_ENTRY, {"entry_id": entry_id}).mappings().first()
    if row is None:
        return None
    return _entry_of(row, connection.execute(FIND_POSTINGS, {"entry_id": entry_id}).mappings().all())


def _entry_of(row: RowMapping, found: Iterable[RowMapping]) -> Entry:
    return Entry(
        id=row["id"],
        kind=EntryKind(row["kind"]),
        at=row["at"],
        reference=row["reference"],
        postings=tuple(
            Posting(
                ledger_account=_ledger_account(each["ledger_account_id"]),
                units=each["units"],
                currency=each["currency"],
            )
            for each in found
        ),
        reason=row["reason"],
    )


def _ledger_account(name: str) -> LedgerAccount:
    kind, _, owner = name.partition(":")
    return LedgerAccount(kind=LedgerAccountKind(kind), owner=owner)


def _hold_of(row: RowMapping) -> Hold:
    return Hold(
        id=row["id"],
        account_id=row["account_id"],
        currency=row["currency"],
        units=row["units"],
        state=HoldState(row["state"]),
        posted_units=row["posted_units"],
    )


def _hold_values(record: Hold) -> dict[str, object]:
    fixed = {"id": record.id, "account_id": record.account_id, "currency": record.currency}
    return {**fixed, **_hold_changing(record), "ended_at": None}


def _hold_changing(record: Hold) -> dict[str, object]:
    return {"units": record.units, "state": record.state.value, "posted_units": record.posted_units}

"""Acts upon money as rows: each reference once, with its entry and a line in the audit log, or nothing.

Reads: an Act, what was said of it, and who says so.
Gives: Outcome: the entry, and whether it is new. The same reference with other words is a Conflict.
Knows nothing of: which act is allowed (store/payments.py and its neighbours).

All of it happens under the account's lock and in one transaction: a command that is given again after a
crash, or by two clerks at the same moment, is done once.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select

from billing.acts import Act
from billing.ledger import Entry
from store import alerts, checks, ledger
from store.audit import Author, note
from store.errors import Conflict, NotFound
from store.schema import money_acts
from values.money import from_units, plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an act came to; `is_new` is False if it had been done before and nothing was changed."""

    entry: Entry
    is_new: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """An act as it was written down; `units` is what it did to the balance."""

    account_id: str
    reference: str
    action: str
    currency: str
    units: int
    entry_id: str
    at: datetime


def act_of(account_id: str, reference: str, author: Author, *, at: datetime | None = None) -> Act:
    """The act that an author tells of; its reference is one line of text."""
    return Act(
        account_id=account_id,
        at=at or author.at,
        reference=checks.line("reference", reference),
        reason=author.reason.strip(),
    )


def perform(
    connection: Connection,
    act: Act,
    make: Callable[[], Entry],
    *,
    action: str,
    said: Mapping[str, object],
    author: Author,
) -> Outcome:
    """Do an act once. `make` gives its entry or refuses; it is asked under the lock, if the act is new.

    `said` is what a repetition must say again: amounts and what they are about, not when, nor why.
    """
    ledger.lock(connection, act.account_id)
    content = json.dumps({"action": action, **said}, sort_keys=True, ensure_ascii=False, default=str)
    known = connection.execute(FIND, {"account_id": act.account_id, "reference": act.reference}).first()
    if known is not None:
        if known.content != content:
            told = _told(known.content, known.currency)
            problem = f"{act.reference!r} names another act of {act.account_id!r}: {told}"
            raise Conflict("reference", problem, "give this one a reference of its own")
        return Outcome(entry=ledger.entry(connection, known.entry_id), is_new=False)
    before = ledger.standing(connection, act.account_id).posted_units
    made = _told_apart(connection, make(), act.account_id)
    if not ledger.post(connection, made):
        raise Conflict(
            "reference", f"entry {made.id!r} is in the books already", "see `dialback ledger show`"
        )
    after = ledger.standing(connection, act.account_id).posted_units
    currency = _currency_of(made, act.account_id)
    connection.execute(
        INSERT,
        {
            "account_id": act.account_id,
            "reference": act.reference,
            "action": action,
            "currency": currency,
            "units": after - before,
            "content": content,
            "entry_id": made.id,
            "at": made.at,
        },
    )
    if after < before:
        alerts.fire(connection, act.account_id, author.at)
    # The balance is in the account's currency, whatever the amount was paid in.
    was = {"balance": from_units(before, currency)}
    then = {"balance": from_units(after, currency), "entry": made.id, "reference": act.reference, **said}
    note(connection, author, action, act.account_id, before=was, after=then, currency=currency)
    return Outcome(entry=made, is_new=True)


def done(connection: Connection, account_id: str, reference: str) -> Done | None:
    """The act of that reference; None if nobody did it."""
    row = connection.execute(
        select(*SHOWN).where(money_acts.c.account_id == account_id, money_acts.c.reference == reference)
    )
    found = row.mappings().first()
    return None if found is None else Done(**found)


def list_done(
    connection: Connection,
    *,
    account_id: str | None = None,
    actions: tuple[str, ...] = (),
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[Done, ...]:
    """Acts that fit every filter, in order of time; `until` is exclusive."""
    wanted = select(*SHOWN).order_by(money_acts.c.at, money_acts.c.account_id, money_acts.c.reference)
    if account_id is not None:
        wanted = wanted.where(money_acts.c.account_id == account_id)
    if actions:
        wanted = wanted.where(money_acts.c.action.in_(actions))
    if since is not None:
        wanted = wanted.where(money_acts.c.at >= since)
    if until is not None:
        wanted = wanted.where(money_acts.c.at < until)
    return tuple(Done(**row) for row in connection.execute(wanted).mappings())


FIND = select(money_acts.c.content, money_acts.c.currency, money_acts.c.entry_id).where(
    money_acts.c.account_id == bindparam("account_id"), money_acts.c.reference == bindparam("reference")
)
INSERT = insert(money_acts)
SHOWN = tuple(column for column in money_acts.c if column.name != "content")


def _told_apart(connection: Connection, made: Entry, account_id: str) -> Entry:
    """The entry under an id of its own: act 7 of `acme-uk` reads like act uk-7 of `acme`."""
    try:
        there = ledger.entry(connection, made.id)
    except NotFound:
        return made
    column = ledger.receivable(account_id)
    is_own = any(posting.ledger_account == column for posting in there.postings)
    return made if is_own else replace(made, id=f"{made.id}/{account_id}")


def _currency_of(made: Entry, account_id: str) -> str:
    column = ledger.receivable(account_id)
    return next(posting.currency for posting in made.postings if posting.ledger_account == column)


def _told(content: str, currency: str) -> str:
    said = json.loads(content)
    about = [said[name] for name in ("of", "line") if name in said]
    match said.get("units"):
        case "all":
            about.append("all that is left")
        case int(units):
            code = said.get("currency", currency)
            about.append(f"{plain(from_units(units, code))} {code}")
    return f"{said['action']} of {', '.join(about)}"

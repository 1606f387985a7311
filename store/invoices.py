"""What an invoice of one account is made from, gathered for a period; the callbacks of an invoice.

Reads: the account's month (store/monthfacts.py), settlements, records and charges.
Gives: InvoiceFacts, for billing.monthly to make a draft of; RatedSessions.
Knows nothing of: lines, totals, forms.

A callback belongs to the period in which it ended: `settlements.ended_at`, written once.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from sqlalchemy import Connection, RowMapping, Select, select

from billing.monthly import MonthFacts
from billing.particulars import CallCredit, RatedLeg, RatedSession
from billing.period import Period
from calls.cdr import LegRole
from store import callcredits
from store.accounts import Account, account
from store.cdrs import CHARGE_COLUMNS, NEWEST_CHARGE, charge_of
from store.errors import NotFound
from store.monthfacts import facts_of
from store.outcomes import WAIVED_UNITS
from store.privacy import ERASED
from store.schema import callbacks, cdrs, charges, settlements, subscribers
from values.money import decimal_from_units


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceFacts:
    """An account, its month, and the callbacks that ended in it."""

    account: Account
    month: MonthFacts
    sessions: tuple[RatedSession, ...]


def gather(connection: Connection, account_id: str, period: Period) -> InvoiceFacts:
    """Everything that an invoice of that account for that period says; NotFound if it had no plan then."""
    owner = account(connection, account_id)
    known = facts_of(connection, [owner], period)
    if not known:
        problem = f"{account_id!r} had no plan before {period.end_day}"
        raise NotFound("plan", problem, "see `dialback plan list`")
    (facts,) = known
    return InvoiceFacts(
        account=owner, month=facts, sessions=rated_sessions(connection, account_id, facts.period)
    )


def rated_sessions(connection: Connection, account_id: str, period: Period) -> tuple[RatedSession, ...]:
    """The callbacks that ended in the period and were answered, in the order in which they ended."""
    ended = (
        select(settlements.c.callback_id)
        .where(settlements.c.account_id == account_id)
        .where(settlements.c.ended_at >= period.starts_at, settlements.c.ended_at < period.ends_at)
    )
    return sessions_of(connection, ended)


def sessions_of(
    connection: Connection, callback_ids: "Select[tuple[str]]", names: Mapping[str, str] | None = None
) -> tuple[RatedSession, ...]:
    """Those callbacks with their charges, in the order in which they ended.

    `names` are what subscribers were called when an invoice was issued, by id; else they are called as today.
    Of those with one name each is called by its id as well.
    """
    wanted = (
        select(
            settlements.c.callback_id,
            settlements.c.ended_at,
            WAIVED_UNITS,
            callbacks.c.received_at,
            callbacks.c.reference,
            callbacks.c.subscriber_id,
            subscribers.c.name.label("subscriber"),
            cdrs.c.leg_id,
            cdrs.c.role,
            cdrs.c.number,
            cdrs.c.answered_at,
            cdrs.c.tag,
            *CHARGE_COLUMNS,
        )
        .select_from(
            settlements.join(callbacks, callbacks.c.id == settlements.c.callback_id)
            .join(subscribers, subscribers.c.id == callbacks.c.subscriber_id)
            .join(cdrs, cdrs.c.callback_id == settlements.c.callback_id)
            .join(charges, (charges.c.leg_id == cdrs.c.leg_id) & (charges.c.revision == NEWEST_CHARGE))
        )
        .where(settlements.c.callback_id.in_(callback_ids))
        # A first, then each B as it was dialled.
        .order_by(
            settlements.c.ended_at, settlements.c.callback_id, cdrs.c.role, cdrs.c.invited_at, cdrs.c.leg_id
        )
    )
    given = callcredits.credits_of(connection, callback_ids)
    rows = connection.execute(wanted).mappings()
    together = groupby(rows, key=lambda row: str(row["callback_id"]))
    callers: dict[str, str] = {}
    made = []
    for callback_id, legs in together:
        mine = list(legs)
        made.append(_session_of(mine, names or {}, given.get(callback_id, ())))
        callers[callback_id] = mine[0]["subscriber_id"]
    return tuple(_told_apart(made, callers))


def _told_apart(made: Sequence[RatedSession], callers: Mapping[str, str]) -> Iterator[RatedSession]:
    """The callbacks with subscribers whom their name alone does not tell from one another."""
    called = {(each.subscriber, callers[each.callback_id]) for each in made}
    # Who was erased is nobody any more, and no id brings a name back.
    shared = {name for name, many in Counter(name for name, _ in called).items() if many > 1} - {ERASED}
    for each in made:
        if each.subscriber in shared:
            yield replace(each, subscriber=f"{each.subscriber} ({callers[each.callback_id]})")
        else:
            yield each


def _session_of(
    rows: list[RowMapping], names: Mapping[str, str], given: tuple[CallCredit, ...]
) -> RatedSession:
    first = rows[0]
    return RatedSession(
        callback_id=first["callback_id"],
        requested_at=first["received_at"],
        ended_at=first["ended_at"],
        subscriber=names.get(first["subscriber_id"], first["subscriber"]),
        legs=tuple(
            RatedLeg(
                leg_id=row["leg_id"],
                role=LegRole(row["role"]),
                number=row["number"],
                answered_at=row["answered_at"],
                charge=charge_of(row),
                tag=row["tag"],
            )
            for row in rows
        ),
        waived=decimal_from_units(first["waived_units"]),
        credits=given,
        reference=first["reference"],
        tag=first["tag"],
    )

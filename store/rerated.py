"""Write a re-rating down: two entries, a new revision of the charges, one line in the audit log.

Reads: a Chunk of callbacks whose price is another now (store/rerating.py).
Gives: rows, in the caller's transaction; a run under its reference, begun once.
Knows nothing of: which callbacks, or why.

The first outcome of a callback stays in `settlements`, every later one is a row of `reratings`. Nothing is
edited, and a callback's rows are written together or not at all.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, insert, select

from billing.ledger import Entry
from calls.cdr import Cdr
from rating.price import Charge
from store import checks, ledger
from store.audit import Author, note
from store.cdrs import cdr_of
from store.errors import Conflict
from store.rerating import Chunk, Repriced, Repricing, charges_of
from store.reratingrows import Mark, Wish, read_chunk
from store.reratingtables import rerating_runs, reratings
from store.schema import cdrs, charges
from store.settlement import price_columns
from values.money import decimal_units, from_units, plain


class PricesDisagree(AssertionError):
    """Two ways to price a callback came to different amounts; nothing was written. This is a fault."""


def begin(connection: Connection, wish: Wish, *, reference: str, author: Author) -> None:
    """Write down what is wished under that reference; Conflict if it names another wish."""
    said = json.dumps(asdict(wish), default=str, sort_keys=True)
    checks.line("reference", reference)
    checks.line("reason", author.reason)
    known = connection.execute(select(rerating_runs).where(rerating_runs.c.reference == reference)).first()
    if known is not None:
        if known.wish != said:
            problem = f"{reference!r} names another re-rating: {known.wish}"
            raise Conflict("reference", problem, "give this one a reference of its own")
        return
    row = {"reference": reference, "wish": said, "reason": author.reason, "made_by": author.name}
    connection.execute(insert(rerating_runs), {**row, "made_at": author.at})
    note(connection, author, "rerate.begin", reference, after={"wish": said})


def rerate_chunk(
    connection: Connection,
    repricing: Repricing,
    after: Mark | None,
    sessions_max: int,
    *,
    reference: str,
    author: Author,
) -> Chunk:
    """Price the next callbacks behind `after` anew and write down what changed."""
    if connection.dialect.name != "sqlite":
        # Locked first and in one order: whoever else re-rates or settles them waits, and reads what we wrote.
        ahead = read_chunk(connection, repricing.wish, after, sessions_max)
        for account_id in sorted({session.account_id for session in ahead.sessions}):
            ledger.lock(connection, account_id)
    chunk = repricing.chunk(connection, after, sessions_max)
    if chunk.repriced:
        _write(connection, chunk, reference, author)
    return chunk


def _write(connection: Connection, chunk: Chunk, reference: str, author: Author) -> None:
    records = _records(connection, [found.session.callback_id for found in chunk.repriced])
    rows: list[dict[str, Any]] = []
    outcomes = []
    entries: list[Entry] = []
    for found in chunk.repriced:
        priced = charges_of(chunk.rows, found, records)
        _compare(found, priced)
        made = found.rerating(author.reason)
        entries += made.entries()
        rows += _charge_rows(chunk, found, priced, made.revision, made.entry_id)
        outcomes.append(
            {
                "callback_id": made.callback_id,
                "revision": made.revision,
                "reference": reference,
                "reversal_id": made.reversal_id,
                "entry_id": made.entry_id,
                "plan_id": found.plan.id,
                "currency": made.currency,
                "gross_units": made.after.gross_units,
                "waived_units": made.after.waived_units,
                "made_at": author.at,
            }
        )
    ledger.post_all(connection, entries)
    connection.execute(INSERT_CHARGE, rows)
    connection.execute(INSERT_RERATING, outcomes)
    _note(connection, chunk, reference, author)


INSERT_CHARGE = insert(charges)
INSERT_RERATING = insert(reratings)


def _records(connection: Connection, callback_ids: Sequence[str]) -> dict[str, Cdr]:
    wanted = select(cdrs).where(cdrs.c.callback_id.in_(callback_ids), cdrs.c.answered_at.is_not(None))
    return {row["leg_id"]: cdr_of(row) for row in connection.execute(wanted).mappings()}


def _compare(found: Repriced, priced: dict[str, Charge]) -> None:
    exact = sum(decimal_units(charge.amount) for charge in priced.values())
    if exact != found.after.gross_units:
        raise PricesDisagree(
            f"callback {found.session.callback_id}: {exact} alone, {found.after.gross_units} among others"
        )


def _charge_rows(
    chunk: Chunk, found: Repriced, priced: dict[str, Charge], revision: int, entry_id: str
) -> list[dict[str, Any]]:
    """A new revision of every leg of the callback; what a carrier has earned stays as it is."""
    rows = []
    for place in found.legs:
        leg = chunk.rows.legs[place]
        rows.append(
            {
                "leg_id": leg.leg_id,
                "revision": revision,
                "entry_id": entry_id,
                "plan_id": found.plan.id,
                **price_columns(priced[leg.leg_id]),
                "cost_rate_id": leg.cost_rate_id,
                "cost_currency": leg.cost_currency,
                "cost_seconds": leg.cost_seconds,
                "cost_units": leg.cost_units,
                "cost_steps": leg.cost_steps,
            }
        )
    return rows


def _note(connection: Connection, chunk: Chunk, reference: str, author: Author) -> None:
    first, last = chunk.repriced[0].session, chunk.repriced[-1].session
    before, after = Counter[str](), Counter[str]()
    for found in chunk.repriced:
        before[found.session.currency] += found.session.outcome.total_units
        after[found.session.currency] += found.after.total_units
    told = {"callbacks": len(chunk.repriced), "first": first.callback_id, "last": last.callback_id}
    note(
        connection,
        author,
        "rerate",
        reference,
        before={"total": _totals(before)},
        after={"total": _totals(after), **told},
    )


def _totals(units: Counter[str]) -> str:
    return ", ".join(f"{plain(from_units(units[code], code))} {code}" for code in sorted(units))

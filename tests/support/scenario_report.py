"""What a scenario left in the books, as text; and the laws that hold whatever was played.

Reads: the store, the exchange's list of orders.
Gives: report(), check_laws().
Knows nothing of: how it was played.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from reckoning import reckon
from sqlalchemy import select
from virtual_pbx import VirtualPbx
from virtual_town import ACCOUNT, Terms

from billing.ledger import Entry, sums
from billing.particulars import Party
from billing.period import month as month_of
from billing.render import to_table
from calls.callback import Callback
from rating.plan import ALegPolicy
from staff.drafts import draft
from store import admissions, callbacks, cdrs, ledger, schema
from store.cdrs import CallRecord
from store.database import Connection, Database
from store.verify import verify

MICROSECOND = timedelta(microseconds=1)
SELLER = Party(name="Dialback Telecom Ltd")


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """Where everything is to be read."""

    database: Database
    terms: Terms
    policy: ALegPolicy
    start: datetime
    now: datetime
    pbx: VirtualPbx


def report(books: Books) -> str:
    """Orders, rings, callbacks with their legs, charges, entries, holds, the balance, the invoice."""
    return books.database.read("report", lambda connection: "\n".join([*_parts(connection, books), ""]))


def check_laws(books: Books) -> None:
    """What must hold at the end of every scenario."""
    books.database.read("laws", _check_laws, books)


def _parts(connection: Connection, books: Books) -> Iterator[str]:
    yield "Orders"
    for at, text in books.pbx.orders:
        yield f"{at:11.3f}  {text}"
    yield from _rings(connection, books.start)
    found = callbacks.list_callbacks(connection, limit=1_000)
    for callback in sorted(found, key=lambda each: each.id):
        yield from _callback(connection, callback, books.start)
    stand = ledger.standing(connection, ACCOUNT)
    yield ""
    yield (
        f"Account {ACCOUNT}: balance {_money(stand.posted_units)}, held {_money(stand.pending_units)}, "
        f"available {_money(stand.available_units)}"
    )
    for month in books.terms.months or (_month(books),):
        drawn_at = month_of(*month, books.terms.zone).ends_at  # as it is printed when the month is over
        invoice = draft(connection, ACCOUNT, month=month, now=drawn_at, seller=SELLER)
        yield ""
        yield to_table(replace(invoice, number=f"{month[0]}-{month[1]:02}")).rstrip("\n")


def _rings(connection: Connection, start: datetime) -> Iterator[str]:
    rings = admissions.list_triggers(connection)
    if rings:
        yield ""
        yield "Rings"
    for ring in rings:
        what = f"{ring.outcome} {ring.reason or ring.callback_id}"
        until = "" if ring.released_at is None else f" until {_at(ring.released_at, start)}"
        who = ring.caller_raw or "nobody"
        yield f"{_at(ring.received_at, start):>11}  {ring.did_raw} by {who}{until}: {what}"


def _callback(connection: Connection, callback: Callback, start: datetime) -> Iterator[str]:
    assert callback.ended_at is not None, f"{callback.id} is {callback.state}"
    yield ""
    by = f" by {callback.cancelled_by}" if callback.cancelled_by else ""
    at = _at(callback.ended_at, start)
    yield f"Callback {callback.id}: {callback.state}, {callback.reason}{by}, at {at}"
    for record in cdrs.list_cdrs(connection, callback_id=callback.id):
        yield from _leg(record, start)
    for entry in ledger.list_entries(connection):
        if entry.reference == callback.id:
            yield from _entry(entry, start)
    hold = ledger.hold_of(connection, callback.id)
    if hold is None:
        yield "  nothing was held"
    else:
        yield f"  hold {_money(hold.units)}: {hold.state}, {_money(hold.posted_units)} taken"


def _leg(record: CallRecord, start: datetime) -> Iterator[str]:
    cdr = record.cdr
    times = [("invited", cdr.invited_at), ("rang", cdr.rang_at), ("answered", cdr.answered_at)]
    times += [("accepted", cdr.accepted_at), ("hung up", cdr.hung_up_at)]
    told = ", ".join(f"{what} {_at(when, start)}" for what, when in times if when is not None)
    flag = ", estimated" if cdr.estimated else ""
    yield f"  {cdr.leg_id} {cdr.number} {cdr.trunk}: {told}, cause {cdr.q850_cause}, {cdr.disposition}{flag}"
    if record.charge is not None:
        charge = record.charge
        per_minute = charge.per_minute.normalize()
        yield (
            f"    {charge.talk_seconds} s, billed {charge.billed_seconds} s at {per_minute:f} "
            f"(row {charge.rate_id}): {charge.amount}; cost {record.cost}"
        )


def _entry(entry: Entry, start: datetime) -> Iterator[str]:
    yield f"  entry {entry.id} at {_at(entry.at, start)}"
    for posting in entry.postings:
        yield f"    {_money(posting.units):>12} {posting.currency}  {posting.ledger_account}"


def _check_laws(connection: Connection, books: Books) -> None:
    assert verify(connection) == ()
    assert not ledger.open_holds(connection)
    assert not callbacks.unfinished(connection)
    entries = ledger.list_entries(connection)
    assert all(not any(sums(entry.postings).values()) for entry in entries)
    charged: Counter[str] = Counter()
    for row in connection.execute(select(schema.charges)).mappings():
        charged[row["leg_id"]] += 1
    records = cdrs.list_cdrs(connection)
    assert charged == Counter(each.cdr.leg_id for each in records if each.cdr.answered_at is not None)
    settled = connection.execute(select(schema.settlements)).mappings().all()
    paid = sum(row["gross_units"] - row["waived_units"] for row in settled)
    stand = ledger.standing(connection, ACCOUNT)
    assert stand.posted_units == -paid
    assert stand.available_units >= 0, "the account is below its limit"
    _check_reckoning(records, books)


def _check_reckoning(records: Iterable[CallRecord], books: Books) -> None:
    """Hold what was charged against what the phones did."""
    if books.terms.reckoning == "hand":
        return
    by_leg = {record.cdr.leg_id: record for record in records}
    by_callback: dict[str, list[str]] = {}
    for channel in books.pbx.channels:
        by_callback.setdefault(channel.leg_id.rpartition("-")[0], []).append(channel.leg_id)
    for callback_id in by_callback:
        channels = [each for each in books.pbx.channels if each.leg_id.rpartition("-")[0] == callback_id]
        # A call that only speaks a code is on the house.
        speaks_code = any("code-is" in sounds for channel in channels for sounds in channel.heard)
        bills = reckon(channels, books.terms, "free" if speaks_code else books.policy)
        for channel in channels:
            record, bill = by_leg[channel.leg_id], bills.get(channel.leg_id)
            charge = record.charge
            charged = (
                (0, 0, 0)
                if charge is None
                else (charge.talk_seconds, charge.billed_seconds, int(charge.amount * 10_000))
            )
            due = (0, 0, 0) if bill is None else (bill.seconds, bill.billed, bill.units)
            if books.terms.reckoning == "exact":
                assert charged == due, f"{channel.leg_id}: charged {charged}, the phones say {due}"
            elif books.terms.reckoning == "near":
                assert charged[0] <= due[0] + 1, f"{channel.leg_id}: charged {charged}, the phones say {due}"
            else:
                assert all(one <= other for one, other in zip(charged, due, strict=True)), (
                    f"{channel.leg_id}: charged {charged}, more than the phones say: {due}"
                )


def _month(books: Books) -> tuple[int, int]:
    local = books.start.astimezone(ZoneInfo(books.terms.zone))
    return local.year, local.month


def _at(instant: datetime, start: datetime) -> str:
    """Seconds of the scenario, with as many decimals as are needed, at least three."""
    micros = (instant - start) // MICROSECOND
    text = f"{micros // 10**6}.{micros % 10**6:06d}"
    return text.removesuffix("000")


def _money(units: int) -> str:
    sign = "-" if units < 0 else ""
    return f"{sign}{abs(units) // 10_000}.{abs(units) % 10_000:04d}"

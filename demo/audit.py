"""The phones against the books: both sides gathered, compared and shown.

Reads: the phones' log, call records, the balance, the invoice's JSON.
Gives: a table, and what differs.
Knows nothing of: how a leg is priced (demo/reckoning.py does it by hand).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from calls.callback import Callback
from calls.cdr import LegRole
from demo.company import ACCOUNT, FIRST_INCREMENT_S, NEXT_INCREMENT_S, RETAIL, ZONE, Clerk
from demo.phonelog import Entry, first_key
from demo.reckoning import Billed, Line, Terms, Witnessed, compare, complaints_about_totals, read_prices
from demo.screen import Screen
from store.cdrs import CallRecord
from world.log import PhoneCall

HEADINGS = ("phone", "its own log", "Dialback's", "apart", "so it owes", "for", "billed", "for", "")
RIGHT = (1, 2, 3, 4, 5, 6, 7)


def audited(
    calls: Iterable[PhoneCall],
    entries: list[Entry],
    records: Sequence[CallRecord],
    names: Mapping[str, str],
    *,
    apart_max_us: int,
) -> tuple[Line, ...]:
    """Return both opinions on each leg; `apart_max_us` as demo/reckoning.py has it."""
    witnessed = [
        _witnessed(call, entries, names[f"+{call.number}"])
        for call in calls
        if call.incoming and call.answered_at is not None and call.hung_up_at is not None
    ]
    return compare(witnessed, [_billed(record) for record in records], terms(), apart_max_us=apart_max_us)


def terms() -> Terms:
    """What the company of the demo sells, read from the same file and words that its commands were given."""
    with RETAIL.open(encoding="utf-8") as lines:
        return Terms(prices=read_prices(lines), first_s=FIRST_INCREMENT_S, next_s=NEXT_INCREMENT_S)


def show(screen: Screen, lines: Sequence[Line]) -> None:
    """Write the table."""
    screen.table([HEADINGS, *(_row(line) for line in lines)], RIGHT)


def complaints(clerk: Clerk, lines: Sequence[Line], month: str) -> list[str]:
    """Return all that differs: legs, the balance, the invoice."""
    account = json.loads(clerk.asks(["account", "show", ACCOUNT, "--output", "json"]))
    invoice = json.loads(clerk.asks(["invoice", "show", ACCOUNT, "--month", month, "--output", "json"]))
    lines_of_invoice = [line for session in invoice["sessions"] for line in session["lines"]]
    totals = {
        "the balance": -Decimal(account["balance"]).quantize(Decimal("0.0001")),
        "the invoice": sum((Decimal(line["amount"]) for line in lines_of_invoice), Decimal("0.0000")),
    }
    held = [] if Decimal(account["on_hold"]) == 0 else [f"{account['on_hold']} is still on hold"]
    return [
        *(line.complaint for line in lines if line.complaint),
        *complaints_about_totals(lines, totals),
        *held,
    ]


def month_of(callback: Callback) -> str:
    """The month on whose invoice the callback stands: that of its end, as the account's clock has it."""
    assert callback.ended_at is not None
    return f"{callback.ended_at.astimezone(ZoneInfo(ZONE)):%Y-%m}"


def _witnessed(call: PhoneCall, entries: list[Entry], name: str) -> Witnessed:
    """A leg's clock starts as the phone is picked up; that of the traveller's own with his first key."""
    assert call.answered_at is not None
    assert call.hung_up_at is not None
    earliest, latest = first_key(entries).get(call.id, (call.answered_at, call.answered_at))
    return Witnessed(
        name=name,
        number=f"+{call.number}",
        shortest_us=_microseconds(latest, call.hung_up_at),
        longest_us=_microseconds(earliest, call.hung_up_at),
    )


def _billed(record: CallRecord) -> Billed:
    cdr, charge = record.cdr, record.charge
    began = cdr.accepted_at if cdr.role is LegRole.A else cdr.answered_at
    return Billed(
        number=str(cdr.number),
        talk_us=0 if began is None else _microseconds(began, cdr.hung_up_at),
        seconds=0 if charge is None else charge.billed_seconds,
        amount=Decimal("0.0000") if charge is None else charge.amount,
    )


def _row(line: Line) -> tuple[str, ...]:
    seen, booked = line.witnessed, line.billed
    return (
        "nobody" if seen is None else f"{seen.name} {seen.number}",
        "" if seen is None else _length(seen),
        "" if booked is None else f"{_seconds(booked.talk_us)} s",
        f"{line.apart_us / 1000:+.1f} ms" if seen and booked else "",
        *(_alternatives(line, 0, " s"), _alternatives(line, 1, "")),
        "" if booked is None else f"{booked.seconds} s",
        "nothing" if booked is None else str(booked.amount),
        "agrees" if line.agrees else "DIFFERS",
    )


def _alternatives(line: Line, index: int, unit: str) -> str:
    return " or ".join(dict.fromkeys(f"{due[index]}{unit}" for due in line.due))


def _length(seen: Witnessed) -> str:
    shortest, longest = _seconds(seen.shortest_us), _seconds(seen.longest_us)
    return f"{longest} s" if shortest == longest else f"{shortest} to {longest} s"


def _seconds(microseconds: int) -> str:
    return f"{microseconds // 1_000_000}.{microseconds % 1_000_000:06d}"


def _microseconds(start: datetime, end: datetime) -> int:
    return (end - start) // timedelta(microseconds=1)

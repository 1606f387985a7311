"""What the paper of a credit note says, kept with the note: an issued paper beside the invoices.

Reads: the callback's invoice if it is on one, the account, the callback.
Gives: a row of `invoices` of the kind credit_note, from which store/papers.py writes every form.
Knows nothing of: how much is given back (store/creditnotes.py), forms.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from billing.creditpaper import Given, GivenBefore, credit_head
from billing.invoice import InvoiceHead, PaperKind
from billing.particulars import Party
from billing.period import Period, month
from store.accounts import account
from store.facts import IssuedFacts, facts_of_text, facts_text
from store.invoicetables import invoice_sessions, invoices
from store.monthfacts import party_of
from store.schema import callbacks, settlements, subscribers
from values.money import decimal_from_units, decimal_units

SERIES = "CN"


class Note(Protocol):
    """A credit note, as store/creditnotes.py writes it."""

    @property
    def sequence(self) -> int: ...
    @property
    def number(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def callback_id(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def issued_at(self) -> datetime: ...
    @property
    def issued_by(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Calls:
    """Where the callback stands: its period, its price list, who made it."""

    period: Period
    price_list: str
    subscriber: tuple[str, str]


def invoice_head_of(connection: Connection, callback_id: str) -> InvoiceHead | None:
    """The head of the invoice that the callback is on; None before it is on one."""
    wanted = (
        select(invoices.c.facts)
        .join(invoice_sessions, invoice_sessions.c.number == invoices.c.number)
        .where(invoice_sessions.c.callback_id == callback_id)
    )
    facts = connection.execute(wanted).scalar()
    return None if facts is None else facts_of_text(facts).head


def given_before(connection: Connection, number: str) -> GivenBefore:
    """What the credit notes that correct that invoice have given so far."""
    columns = (invoices.c.charges_units, invoices.c.rounding_units, invoices.c.tax_units)
    wanted = select(*(func.coalesce(func.sum(column), 0) for column in columns)).where(
        invoices.c.corrects == number
    )
    net, rounding, tax = (decimal_from_units(int(units)) for units in connection.execute(wanted).one())
    return GivenBefore(net=net, subtotal=net + rounding, tax=tax)


def write(connection: Connection, note: Note, given: Given, seller: Party) -> None:
    """Keep what the paper of that note says, of which nothing changes any more."""
    owner = account(connection, note.account_id)
    corrects = invoice_head_of(connection, note.callback_id)
    calls = _calls(connection, note.callback_id, owner.zone)
    head = credit_head(
        given,
        number=note.number,
        seller=seller if seller.name or corrects is None else corrects.seller,
        buyer=party_of(owner),
        account_id=note.account_id,
        period=calls.period if corrects is None else corrects.period,
        issued_on=note.issued_at.astimezone(ZoneInfo(owner.zone)).date(),
        corrects="" if corrects is None else corrects.number,
        corrects_issued_on=None if corrects is None else corrects.issued_on,
        reason=note.reason,
        price_list=calls.price_list if corrects is None else corrects.price_list,
        numbers_masked=owner.masks_numbers,
    )
    connection.execute(insert(invoices), _row(head, note, calls.subscriber))


def _calls(connection: Connection, callback_id: str, zone: str) -> _Calls:
    wanted = (
        select(settlements.c.ended_at, callbacks.c.plan_id, subscribers.c.id, subscribers.c.name)
        .join(callbacks, callbacks.c.id == settlements.c.callback_id)
        .join(subscribers, subscribers.c.id == callbacks.c.subscriber_id)
        .where(settlements.c.callback_id == callback_id)
    )
    row = connection.execute(wanted).one()
    ended = row.ended_at.astimezone(ZoneInfo(zone))
    plan, _, version = row.plan_id.rpartition(":")
    return _Calls(
        period=month(ended.year, ended.month, zone),
        price_list=f"{plan}, version {version}",
        subscriber=(row.id, row.name),
    )


def _row(head: InvoiceHead, note: Note, subscriber: tuple[str, str]) -> dict[str, object]:
    totals = head.totals
    return {
        "number": head.number,
        "kind": PaperKind.CREDIT_NOTE.value,
        "series": SERIES,
        "count": note.sequence,
        "account_id": head.account_id,
        "first_day": head.period.first_day,
        "end_day": head.period.end_day,
        "zone": head.period.zone,
        "starts_at": head.period.starts_at,
        "ends_at": head.period.ends_at,
        "issued_on": head.issued_on,
        "due_on": head.due_on,
        "currency": head.currency,
        "charges_units": decimal_units(totals.charges),
        "items_units": 0,
        "rounding_units": decimal_units(totals.rounding),
        "tax_units": decimal_units(totals.tax),
        "total_units": decimal_units(totals.total),
        "previous_units": 0,
        "payments_units": 0,
        "due_units": decimal_units(totals.amount_due),
        "corrects": head.corrects,
        "facts": facts_text(IssuedFacts(head=head, subscribers=(subscriber,))),
        "issued_at": note.issued_at,
        "issued_by": note.issued_by,
    }

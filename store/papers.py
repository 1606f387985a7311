"""The papers of issued invoices: written once, read back byte for byte.

Reads: an invoice's facts, its callbacks' charges as they were invoiced, the forms that were made.
Gives: the Invoice to make papers of; the bytes of a form, proved by their hash.
Knows nothing of: how a form is made (billing/render.py).

An invoice is issued before its papers are written. Whoever comes next writes those that are missing: what
they say was decided with the invoice and cannot change (store/facts.py, frozen tables).
"""

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection, RowMapping, Select, insert, select

from billing.creditpaper import credit_paper
from billing.einvoice import NotExpressible, to_xml
from billing.invoice import Invoice, PaperKind, completed
from billing.particulars import RatedSession
from store.errors import Conflict, NotFound
from store.facts import facts_of_text
from store.invoices import sessions_of
from store.invoicetables import invoice_documents, invoice_sessions, invoices
from store.moneytables import credit_notes
from store.schema import settlements

FORMS = ("pdf", "html", "txt", "json", "csv", "xml")
PROOF = "json"
"""Written with all others in one transaction: an invoice that has this form has its papers."""
DEFLATE = 6
XML_REMEDY = (
    "what was issued stays as it is; the next one has it: country, tax_id and registration stand in [seller]"
    " of switch.toml, the account's by `account change --tax-place` and `--tax-id`"
)


class PaperDamaged(Exception):
    """A paper in the database is not what was written: restore it from a backup."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """An issued invoice or credit note, as lists show it."""

    number: str
    kind: str
    account_id: str
    first_day: date
    end_day: date
    issued_on: date
    due_on: date
    currency: str
    total_units: int
    due_units: int
    issued_at: datetime
    corrects: str


def list_issued(
    connection: Connection, *, account_id: str | None = None, first_day: date | None = None
) -> tuple[Issued, ...]:
    """What was issued, by number; of an account, or of a month."""
    wanted = _issued().order_by(invoices.c.series, invoices.c.count)
    if account_id is not None:
        wanted = wanted.where(invoices.c.account_id == account_id)
    if first_day is not None:
        wanted = wanted.where(invoices.c.first_day == first_day)
    return tuple(_issued_of(row) for row in connection.execute(wanted).mappings())


def issued(connection: Connection, number: str) -> Issued:
    """The invoice or credit note of that number; NotFound if there is none."""
    row = connection.execute(_issued().where(invoices.c.number == number)).mappings().first()
    if row is None:
        raise NotFound("invoice", f"there is no invoice {number!r}", "see `dialback invoice list`")
    return _issued_of(row)


def number_of_month(connection: Connection, account_id: str, first_day: date) -> str:
    """The number of an account's invoice of the month that begins on that day; empty before it is issued."""
    wanted = select(invoices.c.number).where(
        invoices.c.account_id == account_id, invoices.c.first_day == first_day, invoices.c.kind == "invoice"
    )
    return connection.execute(wanted).scalar() or ""


def unwritten(connection: Connection, *, first_day: date | None = None) -> tuple[str, ...]:
    """Numbers of issued invoices whose papers are missing, in their order."""
    has_papers = (
        select(invoice_documents.c.number)
        .where(invoice_documents.c.number == invoices.c.number, invoice_documents.c.form == PROOF)
        .exists()
    )
    wanted = select(invoices.c.number).where(~has_papers).order_by(invoices.c.series, invoices.c.count)
    if first_day is not None:
        wanted = wanted.where(invoices.c.first_day == first_day)
    return tuple(connection.execute(wanted).scalars())


def is_unwritten(connection: Connection, number: str) -> bool:
    """Whether it was issued and its papers are not written yet."""
    there = select(invoices.c.number).outerjoin(
        invoice_documents,
        (invoice_documents.c.number == invoices.c.number) & (invoice_documents.c.form == PROOF),
    )
    missing = there.where(invoices.c.number == number, invoice_documents.c.number.is_(None))
    return connection.execute(missing).first() is not None


def invoice_of(connection: Connection, number: str) -> Invoice:
    """The issued invoice or credit note, whole, to make papers of."""
    wanted = (
        select(invoices.c.facts, credit_notes.c.callback_id, credit_notes.c.leg_id)
        .outerjoin(credit_notes, credit_notes.c.number == invoices.c.number)
        .where(invoices.c.number == number)
    )
    row = connection.execute(wanted).first()
    if row is None:
        raise NotFound("invoice", f"there is no invoice {number!r}", "see `dialback invoice list`")
    facts = facts_of_text(row.facts)
    names = dict(facts.subscribers)
    if facts.head.kind is PaperKind.CREDIT_NOTE:
        mine = select(settlements.c.callback_id).where(settlements.c.callback_id == row.callback_id)
        (session,) = sessions_of(connection, mine, names)
        return credit_paper(facts.head, replace(session, credits=()), row.leg_id)
    return completed(facts.head, _sessions(connection, number, names))


def keep(connection: Connection, number: str, forms: Mapping[str, bytes]) -> bool:
    """Write an invoice's papers down; False if they are there already, which changes nothing."""
    # Held to the commit, by a statement of its own: of two who write the same papers, one finds them there.
    connection.execute(select(invoices.c.number).where(invoices.c.number == number).with_for_update())
    there = select(invoice_documents.c.form, invoice_documents.c.sha256).where(
        invoice_documents.c.number == number
    )
    known = {row.form: row.sha256 for row in connection.execute(there)}
    made = {form: hashlib.sha256(body).hexdigest() for form, body in forms.items()}
    if known:
        if known != made:
            problem = f"{number!r} has papers that say otherwise"
            raise Conflict("invoice", problem, "what was issued stays; correct it by a credit note")
        return False
    rows = [
        {
            "number": number,
            "form": form,
            "body": zlib.compress(body, DEFLATE),
            "sha256": made[form],
            "size": len(body),
        }
        for form, body in forms.items()
    ]
    connection.execute(insert(invoice_documents), rows)
    return True


def paper(connection: Connection, number: str, form: str) -> bytes:
    """A form as it was issued; NotFound if this invoice has none such."""
    row = connection.execute(
        select(invoice_documents.c.body, invoice_documents.c.sha256).where(
            invoice_documents.c.number == number, invoice_documents.c.form == form
        )
    ).first()
    if row is None:
        issued(connection, number)
        remedy = "run `dialback invoice run` again: it writes what is missing"
        if form == "xml" and (why := _why_no_xml(connection, number)):
            raise NotFound("form", f"{number!r} has no xml, for {why}", XML_REMEDY)
        raise NotFound("form", f"invoice {number!r} has no {form}", remedy)
    try:
        body = zlib.decompress(row.body)
    except zlib.error:
        body = b""
    if hashlib.sha256(body).hexdigest() != row.sha256:
        raise PaperDamaged(f"invoice {number}, form {form}: its bytes are not those that were issued")
    return body


def forms_of(connection: Connection, number: str) -> tuple[str, ...]:
    """The forms that there are of an issued paper; none before they are written."""
    there = select(invoice_documents.c.form).where(invoice_documents.c.number == number)
    return tuple(connection.execute(there.order_by(invoice_documents.c.form)).scalars())


def _why_no_xml(connection: Connection, number: str) -> str:
    """What EN 16931 asks for and this paper does not say; empty where it says all."""
    try:
        to_xml(invoice_of(connection, number))
    except NotExpressible as missing:
        return str(missing)
    return ""


def _sessions(connection: Connection, number: str, names: Mapping[str, str]) -> tuple[RatedSession, ...]:
    mine = select(invoice_sessions.c.callback_id).where(invoice_sessions.c.number == number)
    return sessions_of(connection, mine, names)


def _issued() -> "Select[*tuple[object, ...]]":
    return select(
        invoices.c.number,
        invoices.c.kind,
        invoices.c.account_id,
        invoices.c.first_day,
        invoices.c.end_day,
        invoices.c.issued_on,
        invoices.c.due_on,
        invoices.c.currency,
        invoices.c.total_units,
        invoices.c.due_units,
        invoices.c.issued_at,
        invoices.c.corrects,
    )


def _issued_of(row: RowMapping) -> Issued:
    return Issued(**row)

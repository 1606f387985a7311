"""Credit notes: charged calls given back, by documents with numbers of their own that have no gaps.

Reads: charges in effect, settlements, credit notes issued before.
Gives: CreditNote; Forbidden beyond what was charged. The charge and its entry stay as they were.
Knows nothing of: how a credit note is printed (store/creditpapers.py keeps what it says).

What corrects an invoice is rounded to the minor unit, and the tax that it took is given back on top, at its
own rate (billing/creditpaper.py). What is given back of a call that is on no invoice yet lowers what that
call comes to: its entry bears the instant at which the callback ended, as that of a re-rating does.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from moneyed import Money
from sqlalchemy import Connection, func, insert, select, text

from billing.acts import Act, credited
from billing.creditpaper import Given, given_of
from billing.ledger import Entry, EntryKind
from billing.numbering import CREDIT_NOTE_NUMBER, count_of, number_of, series_of
from billing.particulars import Party
from store import acts, creditpapers, dunning
from store.audit import Author
from store.cdrs import NEWEST_CHARGE
from store.errors import Conflict, Forbidden, Invalid, NotFound
from store.invoicetables import invoices
from store.moneytables import credit_notes
from store.outcomes import WAIVED_UNITS
from store.schema import cdrs, charges, settlements
from values.money import amount_units, decimal_from_units, decimal_units, plain_decimal

NOBODY = Party(name="")


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditNote:
    """What was given back of a leg, or of a session where `leg_id` is empty; `units` are without tax."""

    sequence: int
    number: str
    account_id: str
    callback_id: str
    leg_id: str
    currency: str
    units: int
    tax_units: int
    reason: str
    entry_id: str
    issued_at: datetime
    issued_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A charged leg, or a whole session, and how much of it has been given back."""

    account_id: str
    callback_id: str
    leg_id: str
    currency: str
    ended_at: datetime
    charged_units: int
    credited_units: int

    @property
    def left_units(self) -> int:
        """What may still be given back."""
        return self.charged_units - self.credited_units


def line(connection: Connection, line_id: str) -> Line:
    """The charged line of a leg id or a callback id; NotFound if nothing of that name was charged.

    A leg is never credited beyond what is left of its session, of which some may have been waived.
    """
    leg = connection.execute(select(cdrs.c.callback_id).where(cdrs.c.leg_id == line_id)).first()
    callback_id = line_id if leg is None else leg.callback_id
    wanted = select(
        settlements.c.account_id, settlements.c.currency, settlements.c.ended_at, WAIVED_UNITS
    ).where(settlements.c.callback_id == callback_id)
    row = connection.execute(wanted).first()
    if row is None:
        problem = f"no leg or callback {line_id!r} was charged"
        raise NotFound("line", problem, "see `dialback cdr`; a call is charged when it has ended")
    of_session = _charged(connection, callback_id) - row.waived_units
    given = credited_units(connection, callback_id)
    whole = Line(
        account_id=row.account_id,
        callback_id=callback_id,
        leg_id="",
        currency=row.currency,
        ended_at=row.ended_at,
        charged_units=of_session,
        credited_units=given,
    )
    if leg is None:
        return whole
    charged = _charged(connection, callback_id, line_id)
    left = min(charged - credited_units(connection, callback_id, line_id), whole.left_units)
    return Line(
        account_id=row.account_id,
        callback_id=callback_id,
        leg_id=line_id,
        currency=row.currency,
        ended_at=row.ended_at,
        charged_units=charged,
        credited_units=charged - left,
    )


def credited_units(connection: Connection, callback_id: str, leg_id: str | None = None) -> int:
    """What was given back of a session so far, or of one of its legs alone; without tax."""
    wanted = select(func.coalesce(func.sum(credit_notes.c.units), 0)).where(
        credit_notes.c.callback_id == callback_id
    )
    if leg_id is not None:
        wanted = wanted.where(credit_notes.c.leg_id == leg_id)
    return int(connection.execute(wanted).scalar_one())


def issue(
    connection: Connection,
    line_id: str,
    amount: Money | None,
    reference: str,
    author: Author,
    *,
    numbering: str = CREDIT_NOTE_NUMBER,
    seller: Party = NOBODY,
) -> tuple[CreditNote, bool]:
    """Give back `amount` of a line, or all that is left of it; the note, and whether it is new.

    `numbering` is the pattern of its number, as in billing/numbering.py; `seller` is our own side, as the
    paper is to name it.
    """
    known = line(connection, line_id)
    act = acts.act_of(known.account_id, reference, author)
    if not act.reason:
        raise Invalid("reason", "it is empty", "say why; it is printed on the credit note")
    if amount is not None and (amount.currency.code != known.currency or amount_units(amount) <= 0):
        remedy = f"write more than zero in {known.currency}"
        raise Invalid("amount", f"{plain_decimal(amount.amount)} {amount.currency.code} is no credit", remedy)
    given: list[Given] = []

    def make() -> Entry:
        now = line(connection, line_id)  # again, for now it is looked at under the account's lock
        units = now.left_units if amount is None else amount_units(amount)
        if not 0 < units <= now.left_units:
            left = f"{_shown(now.left_units)} {now.currency} left of {line_id!r}"
            problem = f"{_shown(units)} is more than the {left}"
            if not now.left_units:
                problem = f"nothing is left of {line_id!r}: {_shown(now.credited_units)} was given back"
            raise Forbidden("amount", problem, "credit less, or another line")
        net = decimal_from_units(units)
        corrects = creditpapers.invoice_head_of(connection, now.callback_id)
        if corrects is None:
            given.append(given_of(net, now.currency, None))
            return _entry(replace(act, at=now.ended_at), given[0], EntryKind.CALL_CREDIT)
        before = creditpapers.given_before(connection, corrects.number)
        given.append(given_of(net, now.currency, corrects, before))
        return _entry(act, given[0], EntryKind.CREDIT_NOTE)

    # A repetition must say the same amount again; without one it means all, then as now.
    said: dict[str, object] = {
        "line": line_id,
        "units": "all" if amount is None else amount_units(amount),
    }
    outcome = acts.perform(connection, act, make, action="credit-note.add", said=said, author=author)
    if outcome.is_new:
        number = _number(connection, numbering, author.at.year)
        _write(connection, known, outcome.entry, given[0], author=author, number=number, seller=seller)
        dunning.relieve(connection, known.account_id, author)
    return of_entry(connection, outcome.entry.id), outcome.is_new


def of_entry(connection: Connection, entry_id: str) -> CreditNote:
    """The credit note of an entry."""
    row = connection.execute(select(credit_notes).where(credit_notes.c.entry_id == entry_id)).mappings().one()
    return CreditNote(**row)


def credit_note(connection: Connection, number: str) -> CreditNote:
    """The credit note of that number; NotFound if there is none."""
    row = connection.execute(select(credit_notes).where(credit_notes.c.number == number)).mappings().first()
    if row is None:
        raise NotFound("number", f"there is no credit note {number!r}", "see `dialback credit-note list`")
    return CreditNote(**row)


def list_credit_notes(
    connection: Connection,
    *,
    account_id: str | None = None,
    callback_id: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> tuple[CreditNote, ...]:
    """Credit notes that fit every filter, in the order of their numbers; `until` is exclusive."""
    wanted = select(credit_notes).order_by(credit_notes.c.sequence)
    if account_id is not None:
        wanted = wanted.where(credit_notes.c.account_id == account_id)
    if callback_id is not None:
        wanted = wanted.where(credit_notes.c.callback_id == callback_id)
    if since is not None:
        wanted = wanted.where(credit_notes.c.issued_at >= since)
    if until is not None:
        wanted = wanted.where(credit_notes.c.issued_at < until)
    return tuple(CreditNote(**row) for row in connection.execute(wanted).mappings())


def _entry(act: Act, given: Given, kind: EntryKind) -> Entry:
    if given.subtotal <= 0:
        told = f"{plain_decimal(given.net)} {given.currency}"
        problem = f"{told} is nothing once it is rounded to {given.digits} decimals"
        raise Forbidden("amount", problem, "credit more of the line, or the whole callback")
    code = given.currency
    return credited(
        act, Money(given.net, code), Money(given.tax_amount, code), Money(given.rounding, code), kind
    )


def _write(
    connection: Connection,
    known: Line,
    entry: Entry,
    given: Given,
    *,
    author: Author,
    number: str,
    seller: Party,
) -> None:
    sequence = _next(connection)
    row = {
        "sequence": sequence,
        "number": number,
        "account_id": known.account_id,
        "callback_id": known.callback_id,
        "leg_id": known.leg_id,
        "currency": known.currency,
        "units": decimal_units(given.net),
        "tax_units": decimal_units(given.tax_amount),
        "reason": author.reason.strip(),
        "entry_id": entry.id,
        "issued_at": author.at,
        "issued_by": author.name,
    }
    connection.execute(insert(credit_notes), row)
    creditpapers.write(connection, CreditNote(**row), given, seller)  # type: ignore[arg-type]


def _next(connection: Connection) -> int:
    """The next in the order of issue: taken in the transaction that uses it, so that none is missing."""
    newest = select(func.coalesce(func.max(credit_notes.c.sequence), 0))
    return int(connection.execute(newest).scalar_one()) + 1


def _lock(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        # Held to the commit: who takes the next number has seen this one, or that it was given back.
        connection.execute(text("LOCK TABLE credit_notes IN SHARE ROW EXCLUSIVE MODE"))


def _number(connection: Connection, numbering: str, year: int) -> str:
    """The next number of that pattern; Conflict if an invoice has it, for both stand in one list."""
    _lock(connection)
    number = number_of(numbering, year, _newest_count(connection, numbering, year) + 1)
    taken = select(invoices.c.number).where(invoices.c.number == number)
    if connection.execute(taken).first() is not None:
        problem = f"{number!r} is the number of an invoice"
        raise Conflict("number", problem, "let [invoices] credit_note_number begin otherwise than number")
    return number


def _newest_count(connection: Connection, numbering: str, year: int) -> int:
    """How far that year's series has come; one that was left for another pattern may be taken up again."""
    before = series_of(numbering, year).partition("{n}")[0]
    wanted = (
        select(credit_notes.c.number)
        .where(credit_notes.c.number.startswith(before, autoescape=True))
        .order_by(credit_notes.c.sequence.desc())
    )
    counts = (count_of(numbering, year, number) for number in connection.execute(wanted).scalars())
    return next((count for count in counts if count), 0)


def _charged(connection: Connection, callback_id: str, leg_id: str | None = None) -> int:
    wanted = (
        select(func.coalesce(func.sum(charges.c.amount_units), 0))
        .select_from(charges.join(cdrs, cdrs.c.leg_id == charges.c.leg_id))
        .where(cdrs.c.callback_id == callback_id, charges.c.revision == NEWEST_CHARGE)
    )
    if leg_id is not None:
        wanted = wanted.where(charges.c.leg_id == leg_id)
    return int(connection.execute(wanted).scalar_one())


def _shown(units: int) -> str:
    return plain_decimal(decimal_from_units(units))

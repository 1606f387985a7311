"""Whether the books agree with themselves: everything that is kept twice is derived again and compared.

Reads: entries, postings, balances, and what the modules beside this one compare them with.
Gives: one sentence for each disagreement; none is the proof.
Knows nothing of: how to mend it; that takes a person and a further entry.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, Select, func, select

from store.schema import accounts, entries, ledger_accounts, postings
from store.verifyattempts import CHECKS as ATTEMPT_CHECKS
from store.verifyattempts import attempts_reckoned
from store.verifycalls import CHECKS as CALL_CHECKS
from store.verifyinvoices import CHECKS as INVOICE_CHECKS
from store.verifyinvoices import papers_changed
from store.verifymoney import CHECKS as MONEY_CHECKS
from store.verifymoney import PAPER_CHECKS, conversions_reckoned
from store.verifyreratings import CHECKS as RERATING_CHECKS

SHOWN_MAX = 1_000
"""More sentences of one kind help nobody."""

_Rows = Select[*tuple[object, ...]]


def verify(connection: Connection) -> tuple[str, ...]:
    """Every disagreement, in a sentence that names the row."""
    found = [sentence for check in CHECKS for sentence in _sentences(connection, check)]
    reckoned = (*attempts_reckoned(connection), *conversions_reckoned(connection))
    return (*found, *reckoned, *papers_changed(connection))


def count_entries(connection: Connection) -> int:
    """How many entries there are."""
    return connection.execute(select(func.count()).select_from(entries)).scalar_one()


def _sentences(connection: Connection, check: tuple[str, _Rows]) -> Iterable[str]:
    sentence, wanted = check
    return (sentence.format(**row) for row in connection.execute(wanted).mappings())


_derived = (
    select(postings.c.ledger_account_id, postings.c.currency, func.sum(postings.c.units).label("units"))
    .group_by(postings.c.ledger_account_id, postings.c.currency)
    .subquery()
)
_owned = postings.c.ledger_account_id.like("receivable:%")

BOOK_CHECKS: tuple[tuple[str, _Rows], ...] = (
    (
        "entry {entry_id}: its {currency} postings sum to {units}, not to 0",
        select(postings.c.entry_id, postings.c.currency, func.sum(postings.c.units).label("units"))
        .group_by(postings.c.entry_id, postings.c.currency)
        .having(func.sum(postings.c.units) != 0),
    ),
    (
        "entry {id} has no postings",
        select(entries.c.id)
        .outerjoin(postings, postings.c.entry_id == entries.c.id)
        .where(postings.c.entry_id.is_(None)),
    ),
    (
        "entry {entry_id} has {count} postings and the last one is number {last}: one is missing",
        select(
            postings.c.entry_id,
            func.count().label("count"),
            (func.max(postings.c.position) + 1).label("last"),
        )
        .group_by(postings.c.entry_id)
        .having(func.count() != func.max(postings.c.position) + 1),
    ),
    (
        "posting {position} of entry {entry_id}: there is no such entry",
        select(postings.c.entry_id, postings.c.position)
        .outerjoin(entries, entries.c.id == postings.c.entry_id)
        .where(entries.c.id.is_(None)),
    ),
    (
        "{id} in {currency}: the balance kept is {kept}, its postings sum to {units}",
        select(
            ledger_accounts.c.id,
            ledger_accounts.c.currency,
            ledger_accounts.c.balance_units.label("kept"),
            func.coalesce(_derived.c.units, 0).label("units"),
        )
        .select_from(
            ledger_accounts.outerjoin(
                _derived,
                (_derived.c.ledger_account_id == ledger_accounts.c.id)
                & (_derived.c.currency == ledger_accounts.c.currency),
            )
        )
        .where(ledger_accounts.c.balance_units != func.coalesce(_derived.c.units, 0)),
    ),
    (
        "{ledger_account_id} in {currency}: no balance is kept, its postings sum to {units}",
        select(_derived.c.ledger_account_id, _derived.c.currency, _derived.c.units)
        .outerjoin(
            ledger_accounts,
            (_derived.c.ledger_account_id == ledger_accounts.c.id)
            & (_derived.c.currency == ledger_accounts.c.currency),
        )
        .where(ledger_accounts.c.id.is_(None)),
    ),
    (
        "entry {entry_id} is about {ledger_account_id} in {currency}, and no such account keeps its books so",
        select(postings.c.entry_id, postings.c.ledger_account_id, postings.c.currency)
        .outerjoin(
            accounts,
            # The id is cut out, not put together: so the accounts' own index finds it.
            (accounts.c.id == func.substr(postings.c.ledger_account_id, len("receivable:") + 1))
            & (postings.c.currency == accounts.c.currency),
        )
        .where(_owned, accounts.c.id.is_(None)),
    ),
)
_ALL = (
    *BOOK_CHECKS,
    *CALL_CHECKS,
    *ATTEMPT_CHECKS,
    *RERATING_CHECKS,
    *MONEY_CHECKS,
    *PAPER_CHECKS,
    *INVOICE_CHECKS,
)
CHECKS = tuple((sentence, wanted.limit(SHOWN_MAX)) for sentence, wanted in _ALL)
"""Put together once: in small books that takes longer than the answers."""

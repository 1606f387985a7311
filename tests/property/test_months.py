"""Any calls, payments and runs: one invoice for each callback, draft = final, lines = entries."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from months import SELLER, ZONES, call, close_month, on_invoices, open_accounts
from sqlalchemy import Connection
from storeworld import CLERK, fill

from billing.invoice import Invoice
from billing.period import month as month_of
from staff.drafts import draft
from store import ledger, papers
from store.database import Database
from store.payments import receive
from store.upgrade import upgrade
from store.verify import verify
from values.money import from_units

FIRST, LAST = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 4, 30, 12, tzinfo=UTC)
MONTHS = (1, 2, 3, 4)
accounts = st.sampled_from(sorted(ZONES))
instants = st.datetimes(FIRST.replace(tzinfo=None), LAST.replace(tzinfo=None), timezones=st.just(UTC))
at_an_edge = st.builds(
    lambda zone, number, micros: month_of(2026, number, zone).starts_at + timedelta(microseconds=micros),
    st.sampled_from(sorted(ZONES.values())),
    st.integers(2, 4),
    st.integers(-2, 2),
)
calls = st.lists(st.tuples(accounts, instants | at_an_edge), max_size=12)
payments = st.lists(st.tuples(accounts, instants | at_an_edge, st.integers(1, 900)), max_size=6)


@cache
def template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="dialback-months-"))
    database = Database(f"sqlite:///{folder / 'template.db'}")
    upgrade(database.url)
    database.call("fill", fill)
    database.call("accounts", open_accounts)
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    return folder / "template.db"


@contextmanager
def a_company() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="dialback-months-") as folder:
        shutil.copyfile(template(), Path(folder) / "dialback.db")
        database = Database(f"sqlite:///{folder}/dialback.db")
        try:
            yield database
        finally:
            database.close()


def write(
    connection: Connection,
    called: list[tuple[str, datetime]],
    paid: list[tuple[str, datetime, int]],
) -> None:
    for index, (name, ended_at) in enumerate(called):
        call(connection, name, f"cb{index:03}", ended_at)
    for index, (name, at, cents) in enumerate(paid):
        author = replace(CLERK, at=max(CLERK.at, at))  # money is written down when it is there
        amount = from_units(cents * 100, "EUR")
        receive(connection, name, amount, f"p{index}", author, at=at)


@given(calls, payments, st.integers(0, 2))
@settings(max_examples=4)
def test_I7_each_callback_is_on_one_invoice_and_lines_are_the_entries_of_the_period(
    called: list[tuple[str, datetime]], paid: list[tuple[str, datetime, int]], runs: int
) -> None:
    with a_company() as company:
        company.call("write", write, called, paid)
        for number in MONTHS:
            at = datetime(2026, number + 1, 3, tzinfo=UTC)
            drafts = {
                name: company.read("draft", draft, name, month=(2026, number), now=at, seller=SELLER)
                for name in ZONES
            }
            for _ in range(runs + 1):
                close_month(company, 2026, number, at=at)
            for name in ZONES:
                agrees(company, name, number, drafts[name])
        marked = company.read("marked", on_invoices)
        for index, (name, ended_at) in enumerate(called):
            local = ended_at.astimezone(ZoneInfo(ZONES[name]))
            assert marked[f"cb{index:03}"] == [(name, f"{local:%Y-%m}")]
        assert company.read("verify", verify) == ()


def agrees(company: Database, name: str, number: int, last: Invoice) -> None:
    """The final invoice is the draft; its total and payments are what the period's entries moved."""
    issued = company.read("number", papers.number_of_month, name, last.period.first_day)
    final = company.read("invoice", papers.invoice_of, issued)
    assert final == replace(last, number=issued)
    column = ledger.receivable(name)
    moved = sum(
        posting.units
        for entry in company.read(
            "entries", ledger.list_entries, account_id=name,
            since=final.period.starts_at, until=final.period.ends_at,
        )
        for posting in entry.postings
        if posting.ledger_account == column
    )  # fmt: skip
    assert -moved == int((final.totals.total - final.totals.payments) * 10_000)
    owed = -company.read("moved", _moved_before, name, final.period.ends_at)
    assert owed == int(final.totals.amount_due * 10_000)


def _moved_before(connection: Connection, name: str, until: datetime) -> int:
    column = ledger.receivable(name)
    found = ledger.list_entries(connection, account_id=name, until=until)
    return sum(each.units for entry in found for each in entry.postings if each.ledger_account == column)

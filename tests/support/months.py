"""Calls at chosen instants for accounts in four zones, and the close of their months."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import Connection, select
from storeworld import CLERK, NOW, callback, play, story

from billing.invoice import InvoiceHead
from billing.particulars import Party
from store.audit import Author
from store.billruns import Closing, Terms, close
from store.customers import Account, Subscriber, add_account, add_number, add_subscriber
from store.database import Database
from store.invoicetables import invoice_sessions, invoices
from store.schema import settlements
from values.e164 import E164

ZONES = {
    "kiri": "Pacific/Kiritimati",
    "kolk": "Asia/Kolkata",
    "lond": "Europe/London",
    "hono": "Pacific/Honolulu",
}
SELLER = Party(name="Dialback Ltd", country="DE", tax_id="DE123456789")
TERMS = Terms(seller=SELLER, pattern="{n}", due_days=14)


def open_accounts(connection: Connection) -> None:
    """An account with a subscriber and a telephone in each zone."""
    for index, (name, zone) in enumerate(ZONES.items()):
        owner = Account(
            id=name, name=name, currency="EUR", zone=zone, plan_name="standard", credit_limit_units=10**9
        )
        add_account(connection, owner, CLERK)
        person = Subscriber(id=f"{name}-s", account_id=name, name=f"Person of {name}", home_country="GB")
        add_subscriber(connection, person, CLERK)
        add_number(connection, subscriber_id=person.id, number=_phone(index), author=CLERK, verified=True)


def call(connection: Connection, account_id: str, callback_id: str, ended_at: datetime) -> None:
    """A whole callback of that account, which ends at that very instant."""
    plain = callback(callback_id)
    told = list(story(plain))
    shift = ended_at - told[-1].at
    moved = {
        name: getattr(plain, name) + shift for name in ("created_at", "expires_at", "dial_at", "deadline_at")
    }
    first = replace(
        plain,
        account_id=account_id,
        subscriber_id=f"{account_id}-s",
        number_a=_phone(list(ZONES).index(account_id)),
        origin=replace(plain.origin, received_at=NOW + shift),
        **moved,
    )
    play(connection, first, [replace(event, at=event.at + shift) for event in told])


def close_month(database: Database, year: int, month: int, *, at: datetime | None = None) -> Closing:
    """Close the month of all four, two days after its end."""
    following = datetime(year + month // 12, month % 12 + 1, 3, tzinfo=UTC)
    author = Author(at=at or following, name="clerk")
    return database.call("close", close, list(ZONES), month_of=(year, month), terms=TERMS, author=author)


def on_invoices(connection: Connection) -> dict[str, list[tuple[str, str]]]:
    """For each callback, the account and the month of every invoice that it is on."""
    found: dict[str, list[tuple[str, str]]] = {
        name: [] for name in connection.execute(select(settlements.c.callback_id)).scalars()
    }
    wanted = select(invoice_sessions.c.callback_id, invoices.c.account_id, invoices.c.first_day).join(
        invoices, invoices.c.number == invoice_sessions.c.number
    )
    for row in connection.execute(wanted):
        found[row.callback_id].append((row.account_id, f"{row.first_day:%Y-%m}"))
    return found


def totals(heads: Iterable[InvoiceHead]) -> list[tuple[str, str]]:
    """Account and total of each."""
    return [(head.account_id, f"{head.totals.total:f}") for head in heads]


def _phone(index: int) -> E164:
    return E164.parse(f"+44207946030{index}")

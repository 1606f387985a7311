"""Books with something in every table: calls, payments in two currencies, a correction, rates, vouchers."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from moneyed import Money
from sqlalchemy import Connection
from storeworld import CLERK, LONG_AGO, NOW, callback, leg, play, rate, seconds, story

from billing.alerts import AlertKind, AlertRule
from billing.dunning import LateFee
from billing.exchange import ExchangeRate
from billing.particulars import Party
from calls import events
from calls.callback import Callback, ReleasedBy
from calls.cdr import LegRole
from calls.events import Event
from store import (
    alerts,
    billruns,
    confirmations,
    creditnotes,
    customers,
    disputes,
    dunning,
    exchange,
    mails,
    payments,
    vouchers,
)
from store.decks import add_version

AUTHOR = replace(CLERK, at=NOW, reason="as agreed")
DOLLARS = ExchangeRate(base="EUR", quote="USD", rate=Decimal("1.10"), on=date(2026, 3, 1))


def fill_books(connection: Connection) -> None:
    """A settled call of account `acme` and one that nobody took, and what its clerk did."""
    play(connection, callback(), story(callback()))
    fees = [replace(each, attempt_fee=Decimal("0.01")) for each in (rate("44", "0.04"), rate("1", "0.09"))]
    add_version(connection, deck_name="carrier-x", new_rates=fees, effective_at=LONG_AGO, author=CLERK)
    play(connection, callback("cb2"), in_vain(callback("cb2")))
    exchange.set_rate(connection, DOLLARS, AUTHOR)
    payments.receive(connection, "acme", Money("20", "EUR"), "bank 1", AUTHOR)
    payments.receive(connection, "acme", Money("3.60", "USD"), "wire 1", AUTHOR)
    payments.refund(connection, "acme", Money("1.50", "EUR"), "out 1", AUTHOR)
    rule = AlertRule(kind=AlertKind.CREDIT_USED, threshold=1)
    alerts.set_rules(connection, "acme", [rule], AUTHOR)
    payments.adjust(connection, "acme", Money("-50.00", "EUR"), "case 7", AUTHOR)
    creditnotes.issue(connection, "cb1-a1", Money("0.05", "EUR"), "case 8", AUTHOR)
    disputes.open_dispute(connection, "dispute1", "cb1-b1", AUTHOR)
    disputes.accept(connection, "dispute1", None, "case 9", AUTHOR)
    batch = vouchers.Batch(
        id="summer", currency="EUR", units=10_0000, count=2, expires_at=NOW + timedelta(days=365)
    )
    vouchers.add_batch(connection, batch, ["hash 1", "hash 2"], AUTHOR)
    vouchers.redeem(connection, "acme", "hash 1", AUTHOR)
    vouchers.redeem(connection, "acme", "wrong", AUTHOR)
    dunning.print_fee(connection, "standard", LateFee(units=2_0000, printed_on=date(2026, 1, 1)), AUTHOR)
    _dun(connection)
    _confirm(connection)


def in_vain(first: Callback) -> Iterator[Event]:
    """Nobody answers, and the carrier asks 0.01 for trying."""
    tried = replace(leg(first, LegRole.A), cost_rate_id="carrier-x:2:1")
    yield events.DialAuthorised(at=seconds(200), leg=tried, hold_units=500)
    yield events.LegHungUp(at=seconds(245), leg_id=tried.id, q850_cause=19, released_by=ReleasedBy.US)


def _dun(connection: Connection) -> None:
    """March is closed and the invoice never paid."""
    terms = billruns.Terms(seller=Party(name="Dialback", country="DE"), pattern="INV-{n:04}", due_days=14)
    april = replace(AUTHOR, at=datetime(2026, 4, 2, 9, tzinfo=UTC))
    billruns.close(connection, ["acme"], month_of=(2026, 3), terms=terms, author=april)
    for day in (date(2026, 4, 16), date(2026, 4, 23), date(2026, 5, 6), date(2026, 5, 13), date(2026, 5, 20)):
        dunning.run(connection, "acme", april, on=day)


def _confirm(connection: Connection) -> None:
    """The account's address is set, and somebody follows the link."""
    owner = customers.account(connection, "acme")
    customers.change_account(connection, replace(owner, billing_email="ap@acme.example"), AUTHOR)
    link = confirmations.make_link(connection, "acme", AUTHOR)
    mails.queue_link(connection, link)
    secret = b"the secret of this switch"
    confirmations.confirm(connection, link.token(secret), secret=secret, at=AUTHOR.at)
